"""The labelled parts of untrimmed recordings: whom they show and when, and each as a clip."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from skelact.datasets.video_clips import cut_recording
from skelact.pose.recording import Recording

_log = logging.getLogger(__name__)
_ROUNDING = 1e-6
"""Seconds."""


def cut_labelled_parts(recordings: Iterable[Recording]) -> Iterator[Recording]:
    """Every recording whose labels stand in annotations as one clip a labelled part.

    A clip has the ``clip_id`` of its recording and the number of the part (``a_part003``), and
    those people of whom the annotation speaks. Recordings with a label of their own stay whole.
    What is lost by either is logged: parts that show none of these people, and annotations beside
    a label.

    Args:
        recordings: With ``labels["clip_id"]``.
    """
    cut = made = beside = 0
    for recording in recordings:
        parts = recording.labels.get("annotations", ())
        if not parts or "label" in recording.labels:
            beside += len(parts)
            yield recording
            continue
        clips = [_cut(recording, part, number) for number, part in enumerate(parts)]
        cut, made = cut + len(clips), made + sum(clip is not None for clip in clips)
        yield from filter(None, clips)
    if made < cut:
        _log.warning("%d of %d labelled parts show nobody they speak of and were left out",
                     cut - made, cut)
    if beside:
        _log.warning("%d labelled parts of clips with a label of their own were left out", beside)


def find_people(recording: Recording, part: Mapping) -> Recording:
    """With those of whom an annotation speaks: its track, nobody for a box without one, or all."""
    if "track_id" not in part and "box" not in part:
        return recording
    return recording.with_tracks(track for track in recording
                                 if track.track_id == part.get("track_id"))


def part_times(recording: Recording, part: Mapping) -> tuple[float, float]:
    """Seconds from and before which the frames of a part lie; an instant is one frame."""
    end = max(part["end"], part["start"] + 1 / recording.fps)
    return part["start"] - _ROUNDING, end - _ROUNDING


def _cut(recording: Recording, part: Mapping, number: int) -> Recording | None:
    """One part; None if it shows nobody."""
    clip = cut_recording(find_people(recording, part), *part_times(recording, part))
    if not clip.tracks:
        return None
    labels = {key: value for key, value in clip.labels.items() if key != "annotations"}
    labels |= {"clip_id": f"{labels['clip_id']}_part{number:03}", "label": part["label"]}
    return replace(clip, labels=labels)

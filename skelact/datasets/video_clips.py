"""Labelled clips of videos: the files they are in, their poses, their parts."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skelact.datasets.box_matching import match_boxes
from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.whole_videos import find_piece
from skelact.errors import EmptyClipError, FileFormatError
from skelact.pose.cache import PoseCache
from skelact.pose.recording import Recording
from skelact.pose.video_files import search_videos

_SLACK = 0.5
"""Seconds by which a file may end before the times that annotations give."""
logger = logging.getLogger("skelact")


class Annotation(NamedTuple):
    """A label of a part of a video: seconds, and a box normalised to [0, 1] where there is one."""

    label: str
    start: float
    end: float
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class VideoClip:
    """What an annotation file says of one sample.

    Args:
        clip_id: Unique in the data set.
        video: Its file, relative to the folder of videos, with or without suffix; the bare name is
            enough. A file called ``<video>_ssssss_eeeeee`` holds seconds s to e of it.
        label: Name of the class; None where only parts are labelled.
        splits: The official lists that name the clip.
        start: Second of the video where the clip starts; None for the whole video.
        end: Second where it ends.
        annotations: Labels of its parts, in seconds of the video.
        cut_at: Where a file too short for these times will have been cut out of the video.
        facts: What else is known, under the keys of ``Recording.labels``: subject, camera, setup.
    """

    clip_id: str
    video: str
    label: str | None = None
    splits: tuple[str, ...] = ()
    start: float | None = None
    end: float | None = None
    annotations: tuple[Annotation, ...] = ()
    cut_at: float | None = None
    facts: Mapping = field(default_factory=dict)

    def span(self) -> tuple[float, float] | None:
        """Seconds of the video that the clip needs; None for all there is."""
        if self.start is not None:
            return self.start, self.end
        if self.annotations:
            return (min(part.start for part in self.annotations),
                    max(part.start for part in self.annotations))
        return None


class VideoFolder:
    """The videos in and below a folder, found by their path or by their bare name.

    Args:
        folder: Searched once, now.
        exact: A path with folders means just that file, not any of its name.

    Raises:
        FileFormatError: It is not a folder, or holds no video.
    """

    def __init__(self, folder: str | Path, exact: bool = False) -> None:
        self.folder, self._exact = Path(folder), exact
        self.videos = search_videos(self.folder)
        if not self.videos:
            raise FileFormatError(f"no videos in {folder}; expected a folder of .mp4, .avi, .webm, "
                                  "... files")
        self._by_path: dict[str, set[Path]] = defaultdict(set)
        self._by_name: dict[str, set[Path]] = defaultdict(set)
        self._pieces: dict[str, list[tuple[int, int, Path]]] = defaultdict(list)
        for video in self.videos:
            path = video.relative_to(self.folder)
            for key in (path, path.with_suffix("")):
                self._by_path[key.as_posix()].add(video)
                self._by_name[key.name].add(video)
            if piece := find_piece(path.stem):
                self._pieces[piece.video].append((piece.start, piece.end, video))

    def find(self, clip: VideoClip) -> tuple[Path, float] | None:
        """The file that shows a clip, and the second of the video at which it starts.

        Raises:
            FileFormatError: Several files may be meant.
        """
        name = Path(clip.video).name
        found = self._by_path.get(clip.video, set())
        if not found and not (self._exact and "/" in clip.video):
            found = self._by_name.get(name, set())
        if len(found) > 1:
            listed = ", ".join(str(video) for video in sorted(found))
            raise FileFormatError(f"clip {clip.clip_id}: several files may be its video "
                                  f"{clip.video}: {listed}")
        if found:
            return next(iter(found)), 0.0
        if span := clip.span():
            for start, end, piece in self._pieces.get(name, ()):
                if start - _SLACK <= span[0] and span[1] <= end + _SLACK:
                    return piece, float(start)
        return None

    def name(self, video: Path) -> str:
        """The path of a video below the folder, without suffix where that tells it apart."""
        path = video.relative_to(self.folder)
        bare = path.with_suffix("").as_posix()
        return bare if len(self._by_path[bare]) == 1 else path.as_posix()


def read_clips(
    clips: Sequence[VideoClip],
    videos: VideoFolder,
    poses: PoseCache,
    refuse: Refuse = raise_error,
    min_iou: float = 0.5,
) -> Iterator[Recording]:
    """The people in every clip, video by video.

    A clip with a start is cut out of its video. One whose parts are labelled stays whole, from
    second 0: ``labels["annotations"]`` says what happens when, with boxes in pixels and the
    track that each box shows.

    Args:
        clips: From the annotation file of a data set.
        videos: Where their videos are.
        poses: Keeps the poses of every video.
        refuse: Told of clips whose video is missing, broken or without people.
        min_iou: Overlap from which a box and a track are the same person.

    Raises:
        FileFormatError: None of the videos is there.
        OutputExistsError: See `PoseCache.get`.
    """
    whole, loaded = None, None
    for clip, video, offset in _located(clips, videos, refuse):
        if video != loaded:
            loaded = video
            try:
                whole = poses.get(video, videos.name(video))
            except FileFormatError as error:
                whole = error
        try:
            if isinstance(whole, FileFormatError):
                raise FileFormatError(f"clip {clip.clip_id}: {whole}") from whole
            recording = show_clip(whole, clip, offset, min_iou)
        except FileFormatError as error:
            refuse(error)
        else:
            yield recording


def _located(
    clips: Sequence[VideoClip], videos: VideoFolder, refuse: Refuse
) -> list[tuple[VideoClip, Path, float]]:
    """Clips with file and offset, those of one file together; the others are refused."""
    located, missing, seen = [], [], set()
    for clip in clips:
        try:
            if clip.clip_id in seen:
                raise FileFormatError(f"clip {clip.clip_id} stands twice in the annotations")
            seen.add(clip.clip_id)
            found = videos.find(clip)
        except FileFormatError as error:
            refuse(error)
            continue
        if found is None:
            missing.append(clip)
        else:
            located.append((clip, *found))
    if missing and not located:
        raise FileFormatError(f"none of the {len(clips):,} clips has its video in "
                              f"{videos.folder}; expected files such as {missing[0].video}.mp4")
    for clip in missing:
        refuse(FileFormatError(f"{videos.folder} lacks the video {clip.video} of clip "
                               f"{clip.clip_id}; {len(missing):,} of {len(clips):,} clips lack "
                               "theirs"))
    return sorted(located, key=lambda found: found[1])


def show_clip(
    whole: Recording, clip: VideoClip, offset: float = 0.0, min_iou: float = 0.5
) -> Recording:
    """What a video shows of a clip, with all that is known of it in ``labels``.

    Args:
        whole: The people of the video's file.
        clip: Which part, and its labels.
        offset: Second of the video at which the file starts.
        min_iou: Overlap from which a box and a track are the same person.

    Raises:
        EmptyClipError: Nobody is in view.
        FileFormatError: The file does not show these times.
    """
    if whole.num_frames:
        begin = float(whole.timestamps[0])
        whole = replace(whole, timestamps=whole.timestamps - begin, labels={"video_start": begin})
    span = clip.span()
    if (span and clip.cut_at is not None and not offset
            and whole.duration < span[1] - _SLACK):
        offset = clip.cut_at
    if clip.start is not None:
        whole = cut_recording(whole, clip.start - offset, clip.end - offset)
    if not whole.num_frames:
        raise FileFormatError(f"clip {clip.clip_id}: {whole.source} has no frame from second "
                              f"{clip.start:g} to {clip.end:g}")
    if not any(len(track) for track in whole):
        raise EmptyClipError(f"clip {clip.clip_id}: nobody was found in {whole.source}")
    labels = {"clip_id": clip.clip_id, "splits": list(clip.splits), **whole.labels, **clip.facts}
    if clip.label is not None:
        labels["label"] = clip.label
    if clip.annotations:
        labels["annotations"] = _shown_annotations(whole, clip, offset, min_iou)
    return replace(whole, labels=labels)


def _shown_annotations(
    recording: Recording, clip: VideoClip, offset: float, min_iou: float
) -> list[dict]:
    """Annotations in seconds and pixels of the file, boxes matched to tracks."""
    shown = []
    for part in clip.annotations:
        start, end = max(part.start - offset, 0.0), min(part.end - offset, recording.duration)
        unseen = part.end <= offset if part.box is None else part.start < offset
        if unseen or start >= recording.duration:
            continue
        entry = {"label": part.label, "start": start, "end": end}
        if part.box is not None:
            entry["box"] = tuple(float(side * size) for side, size in zip(
                part.box, recording.image_size * 2, strict=True))
        shown.append(entry)
    if not shown:
        raise FileFormatError(f"clip {clip.clip_id}: {recording.source} shows {offset:g} to "
                              f"{offset + recording.duration:g} s, none of its annotations")
    if len(shown) < len(clip.annotations):
        logger.warning("clip %s: %d of %d annotations lie outside %s, which lasts %.1f s",
                       clip.clip_id, len(clip.annotations) - len(shown), len(clip.annotations),
                       recording.source, recording.duration)
    return match_boxes(recording, shown, min_iou)


def keep_frames(recording: Recording, begin: int, end: int) -> Recording:
    """The frames from ``begin`` to before ``end``; even times stay even to the last bit."""
    times = recording.timestamps
    cut = cut_recording(recording, times[begin], times[end] if end < len(times) else np.inf)
    if np.array_equal(times, np.arange(len(times)) / recording.fps):
        cut = replace(cut, timestamps=np.arange(end - begin) / recording.fps)
    return cut


def cut_recording(recording: Recording, start: float, end: float) -> Recording:
    """The frames from second ``start`` to before ``end``; the first of them is at second 0.

    People who are not seen in them are left out; with no such frames the recording is empty.
    """
    first, last = np.searchsorted(recording.timestamps, (start, end))
    times = recording.timestamps[first:last]
    tracks = []
    for track in recording:
        a, b = np.searchsorted(track.frame_index, (first, last))
        if a < b:
            tracks.append(replace(
                track, joints=track.joints[..., a:b], frame_index=track.frame_index[a:b] - first,
                boxes=None if track.boxes is None else track.boxes[:, a:b],
                confidence=None if track.confidence is None else track.confidence[:, a:b]))
    labels = recording.labels
    if len(times):
        if "video_start" in labels:
            labels = labels | {"video_start": labels["video_start"] + float(times[0])}
        times = times - times[0]
    return replace(recording, tracks=tuple(tracks), timestamps=times, labels=labels)

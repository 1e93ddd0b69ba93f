"""From people in frames, as keypoint files list them, to a recording."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skelact.errors import FileFormatError
from skelact.graph.layouts import Layout, get_layout
from skelact.pose.estimators.base import Detections
from skelact.pose.recording import PoseTrack, Recording
from skelact.pose.tracking import Tracker

_FARTHEST = 1_000_000
_LAST_NUMBER = re.compile(r"(?:.*\D)?(\d+)")
_SPARSEST = 100
"""Numbers of which fewer than one in so many occurs are ids of photographs or time stamps."""
_MOST_FRAMES = 10_000_000
"""Four days at 30 frames a second; a higher number is none of a frame."""


@dataclass(frozen=True, eq=False)
class Sightings:
    """People in frames, one row each (S rows, in any order).

    Args:
        frame: ``[S]`` int64 frame of the recording, from 0.
        joints: ``[S, N, 3]`` float32 x, y in pixels and confidence; no coordinates (NaN) and
            confidence 0 for a missing joint.
        ids: ``[S]`` int64 who it is, or None where the source does not say.
        boxes: ``[S, 4]`` float32 x1, y1, x2, y2 in pixels, or None.
        scores: ``[S]`` float32 in [0, 1]: how surely this is a person; by default the mean
            confidence of the joints that there are.
    """

    frame: np.ndarray = field(repr=False)
    joints: np.ndarray = field(repr=False)
    ids: np.ndarray | None = field(default=None, repr=False)
    boxes: np.ndarray | None = field(default=None, repr=False)
    scores: np.ndarray | None = field(default=None, repr=False)

    def __getitem__(self, rows) -> "Sightings":
        """The rows of a mask or index."""
        parts = (self.frame, self.joints, self.ids, self.boxes, self.scores)
        return Sightings(*(None if part is None else part[rows] for part in parts))


def make_recording(
    sightings: Sightings, layout: Layout | str, num_frames: int, fps: float,
    timestamps: np.ndarray | None = None, **facts,
) -> Recording:
    """A recording of people whose identity is known, or rebuilt by the tracker.

    With ids nothing is dropped but rows without a single joint. Without ids everyone is followed
    by `Tracker` with its own rules, which leave out who is seen too shortly or too unsurely.

    Args:
        sightings: Who was seen.
        layout: The skeleton.
        num_frames: T of the recording.
        fps: Frames a second.
        timestamps: ``[T]`` seconds; by default evenly by ``fps``.
        facts: Further fields of the `Recording`.

    Raises:
        FileFormatError: There are no frames, somebody is in one frame twice, or a joint lies
            where no image can be.
    """
    layout = get_layout(layout)
    if num_frames < 1:
        raise FileFormatError("no frames in it")
    if timestamps is None:
        timestamps = np.arange(num_frames) / fps
    seen = sightings[~np.isnan(sightings.joints[:, :, 0]).all(axis=1)]
    far = (np.abs(seen.joints[:, :, :2]) > _FARTHEST).any(axis=(1, 2))
    if far.any():
        raise FileFormatError(f"frame {seen.frame[np.argmax(far)]}: a joint lies more than "
                              f"{_FARTHEST} pixels from the corner, in no image")
    if seen.ids is not None:
        tracks = _known_people(seen)
    else:
        tracks = _follow(seen, layout, timestamps, facts.get("image_size"))
    return Recording(tracks=tuple(tracks), timestamps=timestamps, layout=layout, fps=fps, **facts)


def usable_ids(ids: Sequence[Any], frame: np.ndarray) -> np.ndarray | None:
    """Identities as ``[S]`` int64; None unless every row has one.

    Programs that do not track write none, negative ones, or the same for everyone.

    Raises:
        FileFormatError: An id is no whole number.
    """
    if not len(ids) or any(i is None for i in ids):
        return None
    values = _whole_numbers(ids, "track id")
    alone = len(np.unique(frame)) == len(frame)
    if (values < 0).any() or (len(np.unique(values)) == 1 and not alone):
        return None
    return values.astype(np.int64)


def number_rows(rows: Sequence[Any], width: int, name: str) -> np.ndarray:
    """``[S, width]`` float64 from lists of numbers; None counts as missing (NaN).

    Raises:
        FileFormatError: A row has another length, or holds something else; the message names it.
    """
    if not len(rows):
        return np.empty((0, width))
    try:
        values = np.asarray(rows)
        if values.dtype.kind in "iuf" and values.shape == (len(rows), width):
            return values.astype(np.float64)
    except (ValueError, OverflowError):
        pass
    return np.array([_number_row(row, width, f"{name} {i}") for i, row in enumerate(rows)])


def _number_row(row: Any, width: int, name: str) -> list[float]:
    if not isinstance(row, (list, tuple)) or len(row) != width:
        got = f"{len(row)}" if isinstance(row, (list, tuple)) else repr(row)[:40]
        raise FileFormatError(f"{name}: expected {width} numbers, got {got}")
    for value in row:
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise FileFormatError(f"{name}: expected numbers, got {value!r:.40}")
    try:
        return [np.nan if value is None else float(value) for value in row]
    except OverflowError:
        raise FileFormatError(f"{name}: a number is too large") from None


def _whole_numbers(values: Sequence[Any], name: str) -> np.ndarray:
    numbers = number_rows([[value] for value in values], 1, name)[:, 0]
    # the first test also finds NaN and infinity
    if not (np.abs(numbers) < 2.0**53).all() or (numbers % 1).any():
        raise FileFormatError(f"expected whole numbers as {name}s")
    return numbers


def frame_number(stem: str) -> int | None:
    """The number that the name of an image ends in, without suffix; None where there is none."""
    found = _LAST_NUMBER.fullmatch(stem)
    return int(found[1]) if found else None


def frame_rows(numbers: Sequence[Any], first: int | None = None) -> np.ndarray:
    """Frame numbers counted from 0.

    Args:
        numbers: Frame numbers as the source has them.
        first: The number of the first frame, where the source surely counts frames; by default
            the lowest there is, if they are dense enough to be frame numbers.

    Raises:
        FileFormatError: A number is no whole number, lies before ``first`` or too far behind it,
            or they cannot be frame numbers.
    """
    values = _whole_numbers(numbers, "frame number")
    if not len(values):
        return np.empty(0, np.int64)
    values -= values.min() if first is None else first
    if (values < 0).any():
        raise FileFormatError(f"expected frame numbers from {first} on")
    count = len(np.unique(values))
    if values.max() >= (_MOST_FRAMES if first is not None else _SPARSEST * count):
        raise FileFormatError(f"{count} frames numbered over a range of {values.max() + 1:.0f}: "
                              "these are no frame numbers of a video")
    return values.astype(np.int64)


def with_confidence(points: np.ndarray) -> np.ndarray:
    """Joints ``[S, N, 3]`` float32 in which an all-zero joint is missing.

    A joint without a number for x, y or confidence is missing too; its confidence is 0. Others
    are kept within 0 and 1 (some programs overshoot by rounding).
    """
    joints = np.array(points, np.float64)
    lost = (joints == 0).all(axis=-1) | np.isnan(joints).any(axis=-1)
    joints[..., 2] = np.clip(joints[..., 2], 0.0, 1.0)
    joints[lost] = (np.nan, np.nan, 0.0)
    with np.errstate(over="ignore"):  # infinity is refused with the track
        return joints.astype(np.float32)


def corner_boxes(boxes: np.ndarray) -> np.ndarray:
    """``[S, 4]`` float32 x1, y1, x2, y2 of boxes given as x, y, width, height."""
    with np.errstate(over="ignore"):
        corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        return corners.astype(np.float32)


def _known_people(seen: Sightings) -> list[PoseTrack]:
    order = np.lexsort((seen.frame, seen.ids))
    seen = seen[order]
    twice = (np.diff(seen.ids) == 0) & (np.diff(seen.frame) == 0)
    if twice.any():
        at = int(np.argmax(twice))
        raise FileFormatError(f"person {seen.ids[at]} is in frame {seen.frame[at]} twice")
    tracks = []
    for who in np.unique(seen.ids):
        part = seen[slice(*np.searchsorted(seen.ids, [who, who + 1]))]
        boxes = None if part.boxes is None or np.isnan(part.boxes).all() else part.boxes.T
        tracks.append(PoseTrack(who, part.joints.transpose(1, 2, 0), part.frame, boxes=boxes))
    return tracks


def _follow(seen: Sightings, layout: Layout, timestamps: np.ndarray, image_size) -> list[PoseTrack]:
    boxes = _hulls(seen.joints)
    if seen.boxes is not None:
        boxes = np.where(np.isfinite(seen.boxes).all(axis=1, keepdims=True), seen.boxes, boxes)
    scores = seen.scores
    if scores is None:
        there = ~np.isnan(seen.joints[:, :, 0])
        scores = (seen.joints[:, :, 2] * there).sum(axis=1) / there.sum(axis=1)
    order = np.argsort(seen.frame, kind="stable")
    tracker = Tracker(layout, image_size or (np.inf, np.inf))
    frames = _frames_to_visit(seen.frame, timestamps, tracker.rules.max_gap)
    starts = np.searchsorted(seen.frame[order], frames)
    stops = np.searchsorted(seen.frame[order], frames, side="right")
    for frame, start, stop in zip(frames.tolist(), starts, stops, strict=True):
        rows = order[start:stop]
        found = Detections(seen.joints[rows], boxes[rows].astype(np.float32),
                           scores[rows].astype(np.float32))
        tracker.update(found, frame, float(timestamps[frame]))
    return tracker.finish()


def _frames_to_visit(frame: np.ndarray, timestamps: np.ndarray, max_gap: float) -> np.ndarray:
    """Frames that the tracker must be shown.

    These are the frames with people, those after them until everyone is given up, and a few before
    people come: further empty frames would change nothing. Hours in which nobody comes cost none.
    """
    index = np.arange(len(timestamps))
    present = np.zeros(len(index), bool)
    present[frame] = True
    last = np.maximum.accumulate(np.where(present, index, -1))
    coming = np.minimum.accumulate(np.where(present, index, len(index) + 4)[::-1])[::-1]
    followed = (last >= 0) & (timestamps - timestamps[last] <= max_gap + 1)
    ends = (index == 0) | (index == index[-1])  # they tell how long the recording is
    return np.flatnonzero(followed | (coming - index <= 3) | ends)


def _hulls(joints: np.ndarray) -> np.ndarray:
    """``[S, 4]`` boxes around the joints that there are."""
    if not len(joints):
        return np.empty((0, 4), np.float32)
    return np.concatenate([np.nanmin(joints[:, :, :2], axis=1),
                           np.nanmax(joints[:, :, :2], axis=1)], axis=1)

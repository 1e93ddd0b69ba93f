"""What is near a person's hands and moves with them: context out of detections of objects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from skelact.checks import check_choice
from skelact.errors import ChoiceError, SkelactError
from skelact.pose.recording import PoseTrack, Recording
from skelact.rgb.crop_boxes import SURE, TO_HAND
from skelact.rgb.detections import ObjectDetections

HANDS = ("left", "right")
CHANNELS = ("presence", "nearness", "together")
"""What is said of every class of objects, in this order."""

_STILL = 0.2
"""Forearm lengths a second; slower motion is that of the detector's boxes."""


@dataclass(frozen=True, eq=False)
class HandContext:
    """The objects around one person's hands over the frames in which that person was seen.

    Args:
        track_id: Who.
        classes: ``[K]`` the objects.
        values: ``[2, 3 K, T]`` float32: left and right hand; for each class `CHANNELS`, one class
            after another (see `object_context`); the frames of the track.
        known: ``[2, T]`` bool: the hand was seen. Where not, nearness and togetherness are 0.
    """

    track_id: int
    classes: tuple[str, ...]
    values: np.ndarray = field(repr=False)
    known: np.ndarray = field(repr=False)

    @property
    def channels(self) -> tuple[str, ...]:
        """``[3 K]`` such as ``cup nearness``."""
        return tuple(f"{name} {what}" for name in self.classes for what in CHANNELS)


def object_context(
    recording: Recording, detections: ObjectDetections, classes: Sequence[str] | None = None,
    carry: float = 0.5, window: float = 1.0, min_confidence: float = SURE,
) -> tuple[HandContext, ...]:
    """For every person, hand and class of objects: is there one, is it near, does it move along.

    Of each class these are given, of the object of that class that is nearest to the hand:

    - ``presence``: the best score of any in the picture, in [0, 1]; 0 for none;
    - ``nearness``: ``exp(-d)``, d from the middle of the hand to the box in forearm lengths; 1
      where the hand is inside the box, 0 without an object;
    - ``together``: ``2 sum(h o) / sum(h^2 + o^2 + s^2)`` of the velocities of hand and object over
      ``window``: 1 where both move alike, 0 where only one moves or neither, -1 where they move
      against each other. It is a correlation that also asks for equal speed. s keeps what hardly
      moves at 0. A camera that moves makes everything move along.

    A frame that was not looked at, or in which the detector missed the object, takes what was last
    seen or is seen next, whichever is nearer in time, but not over more than ``carry`` seconds.
    The forearm's length is that of the track, so that one pointing at the camera counts as long.

    Args:
        recording: 2-D, in the pixels and seconds of the video that the detections are of.
        detections: The objects.
        classes: Which to look at, in this order; by default all that were found.
        carry: Seconds that a sighting holds.
        window: Seconds over which motions are compared.
        min_confidence: Elbows and wrists below it count as not seen.

    Returns:
        One `HandContext` a track, in their order. All is 0 without detections, hands or people.

    Raises:
        ChoiceError: A 3-D recording, no class or one twice, or a time that is not above 0.
        LayoutError: The skeleton has no wrists or elbows.
    """
    check_choice(recording.dims, (2,), "dims of a recording whose pixels are looked at")
    classes = detections.classes if classes is None else tuple(classes)
    if len(set(classes)) < len(classes) or (not classes and len(detections)):
        raise ChoiceError(f"expected classes of objects, each once, got {list(classes)}")
    if not (carry > 0 and window > 0):
        raise ChoiceError(f"expected carry and window above 0 seconds, got {carry} and {window}")
    limits = _Limits(carry, window, min_confidence, 1 / recording.fps)
    return tuple(_look_around(recording, track, detections, classes, limits)
                 for track in recording)


def pool_context(contexts: Sequence[HandContext], each_hand: bool = False) -> np.ndarray:
    """One vector a clip, for a linear model or to fuse by scores.

    Args:
        contexts: The people of a clip, all with the same classes.
        each_hand: Keep left and right apart; by default the greater of both counts, so that it
            does not matter which hand holds something.

    Returns:
        ``[6 K]`` float32, or ``[12 K]`` with each hand: of each channel the mean over the frames in
        which the hand was seen, then the greatest value; of several people the greatest counts.

    Raises:
        SkelactError: Nobody, or other classes for some.
    """
    if len({context.classes for context in contexts}) != 1:
        raise SkelactError("expected the context of at least one person, all with the same "
                           f"classes, got {[context.classes for context in contexts]}")
    people = []
    for context in contexts:
        known = context.known[:, None]
        mean = (context.values * known).sum(-1) / np.maximum(known.sum(-1), 1)
        peak = np.where(known, context.values, 0).max(-1, initial=0)
        both = np.stack([mean, peak], axis=1)  # [2, mean and greatest, 3 K]
        people.append(both.reshape(-1) if each_hand else both.max(axis=0).reshape(-1))
    return np.max(people, axis=0).astype(np.float32)


def find_hands(
    track: PoseTrack, layout, min_confidence: float = SURE
) -> tuple[np.ndarray, np.ndarray]:
    """Where a person's hands are, and how long the forearms.

    Args:
        track: A person in pixels.
        layout: The skeleton.
        min_confidence: Elbows and wrists below it count as not seen.

    Returns:
        ``[2, 2, T]`` x, y of the middle of the left and right hand, NaN where elbow or wrist is
        not seen; ``[2]`` pixels of each forearm over the track (the longest tenth left out), of
        the other one where it is never seen, NaN if neither is.

    Raises:
        LayoutError: The skeleton has no wrists or elbows.
    """
    elbow, wrist = (track.joints[[layout.index(f"{side}_{joint}") for side in HANDS]]
                    for joint in ("elbow", "wrist"))  # [2, 3, T]
    seen = (np.minimum(elbow[:, 2], wrist[:, 2]) >= min_confidence)[:, None]
    forearm = np.where(seen, wrist[:, :2] - elbow[:, :2], np.nan)
    lengths = np.full(len(HANDS), np.nan)
    for hand, long in enumerate(np.hypot(forearm[:, 0], forearm[:, 1])):
        if np.isfinite(long).any():
            lengths[hand] = max(np.nanpercentile(long, 90), 1.0)
    lengths = np.where(np.isnan(lengths), lengths[::-1], lengths)
    return wrist[:, :2] + TO_HAND * forearm, lengths


@dataclass(frozen=True)
class _Limits:
    carry: float
    window: float
    min_confidence: float
    frame: float
    """Seconds of one frame: detections so far from a frame of the track are of that frame."""


def _look_around(
    recording: Recording, track: PoseTrack, detections: ObjectDetections,
    classes: tuple[str, ...], limits: _Limits,
) -> HandContext:
    times = recording.track_times(track)
    hands, forearms = find_hands(track, recording.layout, limits.min_confidence)
    known = np.isfinite(hands).all(axis=1)  # [2, T]
    values = np.zeros((len(HANDS), len(classes), len(CHANNELS), len(times)), np.float32)
    if len(times) and len(classes) and len(detections):
        looks = _nearest(times, detections.times, limits.frame)  # [F] frame of the track, or -1
        at_looks = np.where(looks >= 0, hands[:, :, looks], np.nan)
        for k, rows in enumerate(_rows_of(detections, classes)):
            values[:, k, 0] = _carried(times, *_best_scores(detections, rows), limits.carry)
            for hand in range(len(HANDS)):
                values[hand, k, 1:] = _beside(times, at_looks[hand], forearms[hand], detections,
                                              rows, limits)
        values[:, :, 1:] *= known[:, None, None]
    return HandContext(track.track_id, classes, values.reshape(len(HANDS), -1, len(times)), known)


def _rows_of(detections: ObjectDetections, classes: tuple[str, ...]) -> Iterator[np.ndarray]:
    """The sightings of each class, in the order of their frames."""
    order = np.argsort(detections.frame, kind="stable")
    names = np.array(detections.names, np.str_)[order]
    for name in classes:
        yield order[names == name]


def _best_scores(detections: ObjectDetections, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of the frames that show the class ``[n]``, and the best score in each."""
    frames, first = np.unique(detections.frame[rows], return_index=True)
    best = np.maximum.reduceat(detections.scores[rows], first) if len(rows) else np.empty(0)
    return detections.times[frames], best[None]


def _beside(
    times: np.ndarray, hand: np.ndarray, forearm: float, detections: ObjectDetections,
    rows: np.ndarray, limits: _Limits,
) -> np.ndarray:
    """``[2, T]`` nearness and togetherness of a hand ``[2, F]`` and the objects of one class."""
    frame = detections.frame[rows]
    rows, frame = rows[np.isfinite(hand[0, frame])], frame[np.isfinite(hand[0, frame])]
    if not len(rows) or not np.isfinite(forearm):
        return np.zeros((2, len(times)))
    low, high = detections.boxes[:2, rows], detections.boxes[2:, rows]
    outside = np.maximum(0, np.maximum(low - hand[:, frame], hand[:, frame] - high))
    distance = np.hypot(*outside) / forearm
    order = np.lexsort((distance, frame))  # of several objects in a frame the nearest
    frame, first = np.unique(frame[order], return_index=True)
    chosen = order[first]
    paths = np.stack([hand[:, frame], 0.5 * (low + high)[:, chosen]]) / forearm  # [2, 2, n]
    seen_at = detections.times[frame]
    found = np.stack([np.exp(-distance[chosen]), _together(seen_at, paths, limits)])
    return _carried(times, seen_at, found, limits.carry)


def _together(times: np.ndarray, paths: np.ndarray, limits: _Limits) -> np.ndarray:
    """``[n]`` how alike two points ``[2, (x, y), n]`` in forearm lengths move around each time."""
    step = np.diff(times)
    joined = step <= 2 * limits.carry  # as long as a sighting holds on either side
    speed = np.diff(paths, axis=-1) / step
    alike = 2 * (speed[0] * speed[1]).sum(axis=0)
    total = np.square(speed).sum(axis=(0, 1)) + _STILL**2
    sums = np.cumsum(np.stack([alike, total]) * np.where(joined, step, 0), axis=-1)
    sums = np.pad(sums, ((0, 0), (1, 0)))  # [2, n]: up to each sighting
    start = np.searchsorted(times, times - 0.5 * limits.window - 1e-9)
    stop = np.searchsorted(times, times + 0.5 * limits.window + 1e-9) - 1
    alike, total = sums[:, stop] - sums[:, start]
    return np.divide(alike, total, out=np.zeros_like(alike), where=total > 0)


def _carried(
    times: np.ndarray, seen_at: np.ndarray, values: np.ndarray, carry: float
) -> np.ndarray:
    """``[c, T]`` of values ``[c, n]``: of each frame those of the nearest sighting, or 0."""
    nearest = _nearest(seen_at, times, carry)
    if not len(seen_at):
        return np.zeros((len(values), len(times)))
    return np.where(nearest >= 0, values[:, nearest], 0)


def _nearest(times: np.ndarray, at: np.ndarray, most: float) -> np.ndarray:
    """For each instant the nearest of rising times, or -1 where none is within ``most``."""
    if not len(times):
        return np.full(len(at), -1)
    after = np.searchsorted(times, at).clip(0, len(times) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(times[before] - at) <= np.abs(times[after] - at), before, after)
    return np.where(np.abs(times[nearest] - at) <= most + 1e-9, nearest, -1)

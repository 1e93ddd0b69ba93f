"""Where to look: the square around a person or around each hand, over time."""

from typing import Literal

import numpy as np

from skelact.checks import check_choice
from skelact.errors import ChoiceError, LayoutError
from skelact.graph.layouts import Layout, get_layout
from skelact.pose.recording import PoseTrack

SURE = 0.2
"""Confidence from which a wrist or elbow is believed: estimators give hidden ones a place too."""
TO_HAND = 0.35
"""From the wrist to the middle of the hand, in forearms."""
HAND = 1.2
"""Side of the square around a hand, in forearms, before the margin."""
LONGEST = 0.8
"""Of the forearm's lengths within `AROUND`, which share lies below the one that counts: seen from
the front a forearm is short, and now and then an estimator makes it much too long."""
AROUND = 1.0
"""Seconds to each side within which the forearm is measured."""
SMOOTH = 0.04
"""Seconds to each side over which squares are averaged: hands are quick."""


def crop_boxes(
    track: PoseTrack, layout: Layout | str, region: Literal["frame", "person", "hands"],
    image_size: tuple[int, int] | None = None, *, margin: float = 0.2, fps: float = 30.0,
) -> np.ndarray:
    """The squares to cut out of the frames of a track.

    Args:
        track: One person, joints in pixels.
        layout: The skeleton.
        region: ``person``: around box or joints. ``hands``: around the left and the right hand,
            moved from the wrist along the forearm, sized by the forearm. ``frame``: the image.
        image_size: (width, height) in pixels; ``frame`` needs it, and it bounds the others.
        margin: What is added to each side, as a share (not of ``frame``).
        fps: Frames a second, for averages over time.

    Returns:
        ``[V, 4, T]`` x1, y1, x2, y2 in pixels over the track's own frames; V = 2 for hands, left
        and right, else 1. NaN where a square is not to be known.

    Raises:
        LayoutError: Hands of a skeleton without wrists and elbows.
        ChoiceError: Another region, or ``frame`` without a size.
    """
    check_choice(region, ("frame", "person", "hands"), "region")
    if region == "frame":
        if image_size is None:
            raise ChoiceError("expected image_size (width, height) for the region frame, got None")
        return whole_frame(image_size, len(track))
    if not len(track):
        return np.full((2 if region == "hands" else 1, 4, 0), np.nan, np.float32)
    find = _hands if region == "hands" else _person
    centre, side = find(track, get_layout(layout), fps)
    if image_size is not None:  # a joint that flew away must not ask for a giant image
        side = np.minimum(side, 2 * max(image_size))
        centre = np.clip(centre, 0, np.array(image_size)[:, None])
    half = np.maximum(side * (0.5 + margin), 1.0)[:, None]
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def whole_frame(image_size: tuple[int, int], count: int) -> np.ndarray:
    """``[1, 4, count]`` the smallest square around the image."""
    width, height = image_size
    side = max(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = np.array([left, top, left + side, top + side], np.float32)
    return np.repeat(box[None, :, None], count, axis=2)


def _person(track: PoseTrack, layout: Layout, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """``[1, 2, T]`` centres and ``[1, T]`` sides."""
    found = _around_joints(_spots(track.joints))
    if track.boxes is not None:
        found = np.where(np.isnan(track.boxes).any(axis=0), found, track.boxes)
    centre, side = (found[:2] + found[2:]) / 2, (found[2:] - found[:2]).max(axis=0)
    smooth = _average(track, np.concatenate([centre, side[None]]), fps)
    return smooth[None, :2], smooth[2:]


def _spots(joints: np.ndarray) -> np.ndarray:
    """``[N, 2, T]`` x and y of joints, NaN where one of them is."""
    return np.where(np.isnan(joints[:, :2]).any(axis=1, keepdims=True), np.nan, joints[:, :2])


def _around_joints(spots: np.ndarray) -> np.ndarray:
    """``[4, T]`` the box around joints ``[N, 2, T]``, NaN where there are none."""
    missing = np.isnan(spots)
    low = np.where(missing, np.inf, spots).min(axis=0)
    high = np.where(missing, -np.inf, spots).max(axis=0)
    box = np.concatenate([low, high])
    return np.where(np.isinf(box).any(axis=0), np.nan, box)


def _hands(track: PoseTrack, layout: Layout, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """``[2, 2, T]`` centres and ``[2, T]`` sides, left and right."""
    names = [f"{side}_{joint}" for joint in ("wrist", "elbow") for side in ("left", "right")]
    if not set(names) <= set(layout.joints):
        raise LayoutError(f"expected a skeleton with wrists and elbows to find hands by, got "
                          f"{layout.name!r}; take the region person")
    arms = track.joints[[layout.joints.index(name) for name in names]]
    arms = np.where(arms[:, 2:] < SURE, np.nan, _spots(arms)).reshape(2, 2, 2, -1)
    wrist, forearm = arms[0], arms[0] - arms[1]
    # without an elbow the hand is looked for at the wrist, with the margin around it
    middle = wrist + TO_HAND * np.where(np.isnan(forearm), 0, forearm)
    side = HAND * _forearm_length(track, np.hypot(forearm[:, 0], forearm[:, 1]), fps)
    smooth = _average(track, np.concatenate([middle.reshape(4, -1), side[None]]), fps)
    return smooth[:4].reshape(2, 2, -1), np.stack([smooth[4]] * 2)


def _forearm_length(track: PoseTrack, lengths: np.ndarray, fps: float) -> np.ndarray:
    """``[T]`` how long a forearm of this person is about each frame, of both arms ``[2, T]``."""
    around = max(1, round(AROUND * fps))
    seen = np.lib.stride_tricks.sliding_window_view(
        np.pad(_dense(track, lengths), ((0, 0), (around, around)), constant_values=np.nan),
        2 * around + 1, axis=1)[:, track.frame_index - track.frame_index[0]]
    ordered = np.sort(np.concatenate([*seen], axis=1), axis=1)  # NaN comes last
    known = (~np.isnan(ordered)).sum(axis=1)
    place = (LONGEST * np.maximum(known - 1, 0)).astype(np.int64)
    return ordered[np.arange(len(ordered)), place]


def _average(track: PoseTrack, values: np.ndarray, fps: float) -> np.ndarray:
    """Rows ``[R, T]`` averaged over neighbours in time; holes as short as that are bridged."""
    around = max(1, round(SMOOTH * fps))
    dense = _dense(track, values)
    known = ~np.isnan(dense)
    padding = ((0, 0), (around + 1, around))
    sums = np.cumsum(np.pad(np.where(known, dense, 0.0).astype(np.float64), padding), axis=1)
    counts = np.cumsum(np.pad(known, padding), axis=1)
    width = 2 * around + 1
    total, number = (array[:, width:] - array[:, :-width] for array in (sums, counts))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(number > 0, total / number, np.nan)
    return mean[:, track.frame_index - track.frame_index[0]]


def _dense(track: PoseTrack, values: np.ndarray) -> np.ndarray:
    """Rows ``[R, T]`` over every frame from the track's first to its last, NaN in its holes."""
    index = track.frame_index - track.frame_index[0]
    dense = np.full((len(values), index[-1] + 1), np.nan)
    dense[:, index] = values
    return dense

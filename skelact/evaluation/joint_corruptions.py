"""Joints that are wrong, missing or seen from elsewhere, as functions ``ClipArrays -> ClipArrays``.

Nothing is written into the arrays that come in, which may be mapped files. Frames stay as they
are; `skelact.evaluation.frame_corruptions` changes those. Of one seed, what a smaller share hits a
larger one hits too.
"""

import math
from dataclasses import replace

import numpy as np
import torch

from skelact.datasets.arrays import ClipArrays
from skelact.errors import ChoiceError
from skelact.evaluation.clip_rows import clip_of_rows, clip_rows, track_of_rows
from skelact.transforms.augment import body_parts
from skelact.transforms.spatial import measure_box, torso_length

TORSO_SHARE = 0.3
"""Pelvis to neck as a share of a standing body: the scale of a track whose torso is never seen."""


def jitter_joints(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """Move every joint in every frame at random, independently.

    Args:
        arrays: The clips.
        percent: Standard deviation along each axis, in % of the torso.
        seed: The source of chance.
    """
    random = np.random.default_rng(seed)
    joints = arrays.joints.copy()
    noise = random.standard_normal((*joints.shape[:2], arrays.dims), np.float32)
    deviation = (percent / 100 * torso_lengths(arrays)).astype(np.float32)
    joints[..., : arrays.dims] += noise * deviation[track_of_rows(arrays)][:, None, None]
    return replace(arrays, joints=joints)


def miss_joints(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """Every joint of a track is never seen, with this chance."""
    random = np.random.default_rng(seed)
    missing = random.random((arrays.num_tracks, arrays.layout.num_joints)) < percent / 100
    return _hide(arrays, missing[track_of_rows(arrays)])


def flicker_joints(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """Every joint is missed in every frame, with this chance."""
    random = np.random.default_rng(seed)
    return _hide(arrays, random.random(arrays.joints.shape[:2], np.float32) < percent / 100)


def miss_arm(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """Every person's left or right arm, elbow to hand, is hidden for this share of the clip."""
    return _hide_part(arrays, slice(0, 2), percent, seed)


def miss_leg(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """Every person's left or right leg, knee to foot, is hidden for this share of the clip."""
    return _hide_part(arrays, slice(2, 4), percent, seed)


def miss_legs(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """Both legs of everybody are hidden for this share of the clip, as behind a table."""
    return _hide_part(arrays, slice(4, 5), percent, seed)


def swap_clips(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """Left and right joints change names throughout the clip, in this share of the clips."""
    random = np.random.default_rng(seed)
    swapped = random.random(len(arrays)) < percent / 100
    return swap_rows(arrays, swapped[clip_of_rows(arrays)])


def swap_frames(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """Left and right joints of a person change names in this share of the frames."""
    random = np.random.default_rng(seed)
    return swap_rows(arrays, random.random(len(arrays.joints)) < percent / 100)


def swap_rows(arrays: ClipArrays, rows: np.ndarray) -> ClipArrays:
    """Left and right joints change names in frames ``[S]`` bool."""
    joints = arrays.joints.copy()
    joints[rows] = joints[rows][:, arrays.layout.flip_order]
    return replace(arrays, joints=joints)


def turn_camera(arrays: ClipArrays, degrees: float, seed: int = 0) -> ClipArrays:
    """The camera stands aside: people turn about the vertical, to a side drawn a clip (3-D)."""
    _check_3d(arrays, "a camera elsewhere")
    side = np.random.default_rng(seed).choice([-1.0, 1.0], len(arrays))
    return _rotate(arrays, np.radians(degrees) * side, (2, 0))


def raise_camera(arrays: ClipArrays, degrees: float, seed: int = 0) -> ClipArrays:
    """The camera looks down from above: people lean towards it (3-D, sensor along z)."""
    _check_3d(arrays, "a camera elsewhere")
    return _rotate(arrays, np.full(len(arrays), -np.radians(degrees)), (1, 2))


def roll_camera(arrays: ClipArrays, degrees: float, seed: int = 0) -> ClipArrays:
    """The camera is held aslant: people turn in the picture, to a side drawn a clip."""
    side = np.random.default_rng(seed).choice([-1.0, 1.0], len(arrays))
    return _rotate(arrays, np.radians(degrees) * side, (0, 1))


def crop_bottom(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """The picture ends above the feet: joints in the lowest share of the clip's box are missing."""
    low, high = _clip_boxes(arrays)
    share, clip = percent / 100, clip_of_rows(arrays)
    height = arrays.joints[..., 1]
    if arrays.dims == 2:  # y down
        return _hide(arrays, height > (high - share * (high - low))[clip, 1:2])
    return _hide(arrays, height < (low + share * (high - low))[clip, 1:2])


def crop_side(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """The picture ends beside people: the outer share of the clip's box, on a side drawn a clip."""
    low, high = _clip_boxes(arrays)
    share, clip = percent / 100, clip_of_rows(arrays)
    left = np.random.default_rng(seed).random(len(arrays)) < 0.5
    across = arrays.joints[..., 0]
    beyond_left = across < (low + share * (high - low))[clip, :1]
    beyond_right = across > (high - share * (high - low))[clip, :1]
    return _hide(arrays, np.where(left[clip, None], beyond_left, beyond_right))


def torso_lengths(arrays: ClipArrays) -> np.ndarray:
    """``[R]`` median distance from pelvis to neck of every track, in units of the joints.

    A track without them takes `TORSO_SHARE` of the longer side of its box; one without joints 0.

    Raises:
        LayoutError: The skeleton has no trunk, such as that of a hand.
    """
    joints = torch.from_numpy(np.array(arrays.joints.transpose(1, 2, 0)))
    torso = torso_length(joints, arrays.layout, arrays.dims).numpy()
    extent = measure_box(joints, arrays.dims)[1].numpy()
    lengths = _track_medians(torso, arrays)
    return np.where(lengths > 0, lengths, _track_medians(TORSO_SHARE * extent, arrays))


def _track_medians(values: np.ndarray, arrays: ClipArrays) -> np.ndarray:
    """``[R]`` median over each track of what ``[S]`` is above 0; 0 for a track without any.

    What is 0 or NaN was never measured.
    """
    rows = np.flatnonzero(values > 0)
    tracks = track_of_rows(arrays)[rows]
    ordered = values[rows[np.lexsort((values[rows], tracks))]]
    counts = np.bincount(tracks, minlength=arrays.num_tracks)
    medians, found = np.zeros(arrays.num_tracks), counts > 0
    start = (np.cumsum(counts) - counts)[found]
    low, high = ((counts[found] + part) // 2 for part in (-1, 0))
    medians[found] = (ordered[start + low] + ordered[start + high]) / 2
    return medians


def _hide(arrays: ClipArrays, missing: np.ndarray) -> ClipArrays:
    """Joints ``[S, N]`` bool made missing."""
    return replace(arrays, joints=np.where(missing[..., None], np.float32(np.nan), arrays.joints))


def _hide_part(arrays: ClipArrays, parts: slice, percent: float, seed: int) -> ClipArrays:
    """One of these parts of every track, for a share of the clip placed at random."""
    random = np.random.default_rng(seed)
    members = body_parts(arrays.layout).numpy()[parts]
    if not members.any(axis=1).all():
        raise ChoiceError(f"layout {arrays.layout.name!r} has no such limbs to hide")
    choice = random.integers(len(members), size=arrays.num_tracks)
    track, clip = track_of_rows(arrays), clip_of_rows(arrays)
    frames = arrays.num_frames[clip]
    start = (1 - percent / 100) * random.random(len(arrays))[clip] * frames
    during = (arrays.frame_index >= start) & (arrays.frame_index < start + percent / 100 * frames)
    return _hide(arrays, members[choice[track]] & during[:, None])


def _rotate(arrays: ClipArrays, angles: np.ndarray, plane: tuple[int, int]) -> ClipArrays:
    """Turn each clip by its angle, from the first axis of a plane to the second, about its middle.

    Args:
        arrays: The clips.
        angles: ``[L]`` radians.
        plane: Two axes.
    """
    low, high = _clip_boxes(arrays)
    clip = clip_of_rows(arrays)
    middle = ((low + high) / 2)[clip][:, None]
    cos, sin = (f(angles)[clip][:, None].astype(np.float32) for f in (np.cos, np.sin))
    joints = arrays.joints.copy()
    a, b = (joints[..., axis] - middle[..., axis] for axis in plane)
    joints[..., plane[0]] = cos * a - sin * b + middle[..., plane[0]]
    joints[..., plane[1]] = sin * a + cos * b + middle[..., plane[1]]
    return replace(arrays, joints=joints)


def _clip_boxes(arrays: ClipArrays) -> tuple[np.ndarray, np.ndarray]:
    """``[L, dims]`` corners of the box of all joints of each clip; NaN without any."""
    places = arrays.joints[..., : arrays.dims]
    edges = clip_rows(arrays)
    low, high = (np.full((len(arrays), arrays.dims), math.nan, np.float32) for _ in range(2))
    filled = np.flatnonzero(np.diff(edges))
    if len(filled):
        low[filled] = np.fmin.reduceat(np.fmin.reduce(places, axis=1), edges[filled])
        high[filled] = np.fmax.reduceat(np.fmax.reduce(places, axis=1), edges[filled])
    return low, high


def _check_3d(arrays: ClipArrays, what: str) -> None:
    if arrays.dims != 3:
        raise ChoiceError(f"{what} sees a depth that 2-D joints do not have; measure it on 3-D "
                          "data, or take camera_roll")

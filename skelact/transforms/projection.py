"""3-D clips as a camera would show them: pinhole images of whole data sets.

`skelact.transforms.spatial.project` looks along parallel lines and keeps metres, for random views
in training. Here a camera stands at the height of the body at some distance, so near limbs are
larger, and gives pixels: what a pose estimator would give on a video of the scene. Occlusion is
not modelled: every joint is seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from skelact.checks import check_choice
from skelact.errors import ChoiceError, ShapeError

if TYPE_CHECKING:  # the room of data sets lies above this one
    from skelact.datasets.arrays import ClipArrays

FILLED = 0.8
"""The share of the image that a body fills at most, where the distance is chosen for it."""
NEAREST = 2.0
"""Metres, the nearest that the camera comes by itself."""
_FIELD = 1.2
"""Focal length in heights of the image: 45 degrees from bottom to top, as phones and webcams."""
_IN_SIGHT = 0.1


def project_arrays(
    arrays: ClipArrays, yaw: float | np.ndarray = 0.0, pitch: float | np.ndarray = 0.0,
    distance: float | np.ndarray | None = None, image_size: tuple[int, int] = (1280, 720),
) -> ClipArrays:
    """3-D clips seen by a pinhole camera.

    The camera stands still through a clip and looks at the middle of where its people are.

    Args:
        arrays: 3-D clips, x, y (up), z in metres, not mirrored (`skelact.evaluation.harmonise`).
        yaw: Where the camera stands about the people, in radians: 0 where the sensor stood (which
            looks along z), pi / 2 where x points, a quarter further to its left. One
            number, or ``[L]`` one a clip.
        pitch: How steeply the camera looks down at them, in radians; one number or ``[L]``.
        distance: Metres from the camera to the middle of the people; by default as near as the
            whole clip fits into 80 % of the image, at least 2 m. One number or ``[L]``.
        image_size: Width and height in pixels.

    Returns:
        The same clips in 2-D: x (right), y (down) in pixels, confidence 1; 0 for missing joints.
        Joints behind the camera or outside the image are missing.

    Raises:
        ChoiceError: The clips are not 3-D, or a size or distance is not positive.
        ShapeError: ``yaw``, ``pitch`` or ``distance`` has another length than the clips.
    """
    check_choice(arrays.dims, (3,), "dims of clips to project")
    width, height = image_size
    if min(image_size) < 1 or (distance is not None and np.min(distance, initial=1) <= 0):
        raise ChoiceError(f"expected a positive image size and distance, got {image_size} and "
                          f"{distance}")
    tracks = np.repeat(np.arange(len(arrays)), np.diff(arrays.clip_offsets))
    clips = np.repeat(tracks, np.diff(arrays.track_offsets))  # [S]
    count = len(arrays)
    across, up, depth = _turn(_centred(arrays, clips), _each(yaw, count, "yaw")[clips],
                              _each(pitch, count, "pitch")[clips])
    focal = _FIELD * height
    if distance is None:
        room = FILLED / 2 * np.array([width, height]) / focal
        needed = np.maximum(np.abs(across) / room[0], np.abs(up) / room[1]) - depth
        away = _highest(needed, clips, count)
    else:
        away = _each(distance, count, "distance")
    joints = _picture(across, up, depth + away[clips, None], focal, image_size)
    return replace(arrays, dims=2, joints=joints, image_size=np.tile(
        np.array(image_size, np.int64), (count, 1)))


def _picture(across, up, depth, focal: float, image_size: tuple[int, int]) -> np.ndarray:
    """``[S, N, 3]`` float32 pixels and confidence of what is before the camera and in the image."""
    joints = np.empty((*across.shape, 3), np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        joints[..., 0] = image_size[0] / 2 + focal * across / depth
        joints[..., 1] = image_size[1] / 2 - focal * up / depth
        inside = ((depth > _IN_SIGHT) & (joints[..., :2] >= 0).all(axis=-1)
                  & (joints[..., :2] <= image_size).all(axis=-1))
    joints[..., 2] = inside
    joints[~inside, :2] = np.nan
    return joints


def _centred(arrays: ClipArrays, clips: np.ndarray) -> np.ndarray:
    """``[S, N, 3]`` around the middle of each clip's joints, so that the camera looks there."""
    joints = np.asarray(arrays.joints[..., :3], np.float32)
    seen = ~np.isnan(joints[..., 0])
    totals = np.stack([np.bincount(clips, values, minlength=len(arrays))
                       for values in (seen.sum(axis=1), *np.nansum(joints, axis=1).T)])
    middle = (totals[1:] / np.maximum(totals[0], 1)).T.astype(np.float32)
    return joints - middle[clips, None]


def _turn(joints: np.ndarray, yaw: np.ndarray, pitch: np.ndarray):
    """Right, up and depth ``[S, N]`` as seen by a camera at these angles ``[S]``."""
    x, y, z = (joints[..., i] for i in range(3))
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    across = -x * cos - z * sin  # the sensor looks along z with y up: x points to its left
    level = z * cos - x * sin
    cos, sin = np.cos(pitch)[:, None], np.sin(pitch)[:, None]
    return across, y * cos + level * sin, level * cos - y * sin


def _highest(values: np.ndarray, clips: np.ndarray, count: int) -> np.ndarray:
    """``[L]`` the highest value of each clip, at least `NEAREST`."""
    highest = np.full(count, NEAREST, np.float32)
    np.maximum.at(highest, clips, np.nan_to_num(values, nan=-np.inf).max(axis=1, initial=-np.inf))
    return highest


def _each(value: float | np.ndarray, count: int, name: str) -> np.ndarray:
    """``[L]`` float32, one a clip."""
    value = np.asarray(value, np.float32)
    if value.shape not in ((), (count,)):
        raise ShapeError(f"expected {name} as one number or [{count}], one a clip; got "
                         f"{list(value.shape)}")
    return np.broadcast_to(value, (count,))

"""Transforms of positions, on tensors ``[..., N, C, T]`` with NaN where a joint is missing.

All are pure: they give new tensors. 2-D clips have channels x, y, confidence; the coordinates are
the first ``dims`` channels.
"""

import math

import torch
from torch import Tensor


def hide_uncertain(joints: Tensor, min_confidence: float) -> Tensor:
    """Make joints missing whose confidence (channel 2) is below ``min_confidence``."""
    hidden = joints[..., 2:3, :] < min_confidence
    return joints.masked_fill(hidden, math.nan)


def centre_and_scale(joints: Tensor, dims: int = 2) -> Tensor:
    """Put the body at the origin and give it size 1, once for all frames of a clip.

    The centre is the mean over frames of the middle of the visible joints' box, the size the mean
    of its longer side. One centre and size for the whole clip keep the path and the growth of a
    person who moves. A clip without joints stays NaN; one of a single point is only centred.

    Args:
        joints: ``[..., N, C, T]``.
        dims: How many leading channels are coordinates.
    """
    coordinates = joints[..., :dims, :]
    missing = coordinates.isnan()
    low = coordinates.masked_fill(missing, math.inf).amin(dim=-3)  # [..., dims, T]
    high = coordinates.masked_fill(missing, -math.inf).amax(dim=-3)
    empty = ~low.isfinite()
    middle = ((low + high) / 2).masked_fill(empty, math.nan)
    centre = middle.nanmean(dim=-1, keepdim=True).unsqueeze(-3)  # [..., 1, dims, 1]
    extent = (high - low).masked_fill(empty, math.nan).amax(dim=-2)  # [..., T]
    size = extent.nanmean(dim=-1)[..., None, None, None]
    size = torch.where(size > 0, size, torch.ones_like(size))
    return torch.cat([(coordinates - centre) / size, joints[..., dims:, :]], dim=-2)


def fill_missing(joints: Tensor) -> Tensor:
    """0 for everything missing: what a network takes. A joint without coordinates loses all."""
    missing = joints[..., :2, :].isnan().any(dim=-2, keepdim=True)
    return joints.masked_fill(missing, 0.0).nan_to_num(0.0)


def project(joints: Tensor, yaw: Tensor, pitch: Tensor) -> Tensor:
    """See 3-D joints from another side: orthographic ``[..., N, 3, T]`` x, y, confidence 1.

    Args:
        joints: ``[..., N, 3, T]`` x, y, z with y up.
        yaw: Turn about the vertical in radians, one a leading index. 0 looks back along z, pi
            along z: as the sensor saw it (Kinect: y up, z away from the sensor, right-handed).
        pitch: Tilt of the camera in radians, one a leading index.

    Returns:
        Image coordinates in the units of the input, y down.
    """
    yaw, pitch = (angle[..., None, None] for angle in (yaw, pitch))
    x, y, z = joints.unbind(dim=-2)
    across = x * yaw.cos() + z * yaw.sin()
    depth = z * yaw.cos() - x * yaw.sin()
    down = -(y * pitch.cos() + depth * pitch.sin())
    return torch.stack([across, down, torch.ones_like(across)], dim=-2)

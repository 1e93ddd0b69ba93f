"""What a network looks at: joints, bones, their motion, angles; on ``[..., N, C, T]``.

Channels are coordinates and then, in 2-D clips, the confidence. A vector between two joints has
the mean of their confidences and is missing (NaN) where either joint is. Published code puts 0
for a missing joint *before* it takes differences: `fill_missing` first gives the same.
"""

import functools

import torch
from torch import Tensor

from skelact.checks import check_choice
from skelact.config import STREAMS
from skelact.graph.layouts import Layout, check_joints

PYSKL_PARENTS = {
    "coco17": (0, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 0, 0, 11, 12, 13, 14),
    "openpose18": (0, 0, 1, 2, 3, 1, 5, 6, 2, 8, 9, 5, 11, 12, 0, 0, 14, 15),
}
"""Bones of pyskl's streams where they are not those of our layouts: COCO's hips hang on the nose,
and OpenPose's neck hangs on the nose too. For weights that were trained on them."""


def take_stream(joints: Tensor, layout: Layout, stream: str, dims: int = 2) -> Tensor:
    """One of `STREAMS` from joints.

    Args:
        joints: ``[..., N, C, T]``.
        layout: Their skeleton; its bones count.
        stream: ``joint``, ``bone``, ``joint_motion`` or ``bone_motion``.
        dims: How many leading channels are coordinates.

    Returns:
        The same shape.

    Raises:
        ChoiceError: There is no such stream.
        LayoutError: The joints are not of this layout.

    Source: Shi et al., "Skeleton-Based Action Recognition with Multi-Stream Adaptive Graph
    Convolutional Networks", 2020, section 3.4.
    """
    check_choice(stream, STREAMS, "stream")
    if stream.startswith("bone"):
        joints = bones(joints, layout, dims)
    return motion(joints, dims) if stream.endswith("motion") else joints


def bones(joints: Tensor, layout: Layout, dims: int = 2) -> Tensor:
    """From each joint's parent to the joint; zero at the centre of the skeleton.

    Args:
        joints: ``[..., N, C, T]``.
        layout: Their skeleton (`pyskl_layout` gives one with pyskl's bones).
        dims: How many leading channels are coordinates.

    Raises:
        LayoutError: The joints are not of this layout.
    """
    check_joints(joints, layout)
    return difference(joints, joints.index_select(-3, torch.tensor(layout.parents)), dims)


def motion(joints: Tensor, dims: int = 2) -> Tensor:
    """From each frame to the next; zero, with confidence 0, in the last frame.

    Args:
        joints: ``[..., N, C, T]``, joints or bones.
        dims: How many leading channels are coordinates.
    """
    out = torch.zeros_like(joints)
    out[..., :-1] = difference(joints[..., 1:], joints[..., :-1], dims)
    return out


def difference(end: Tensor, start: Tensor, dims: int = 2) -> Tensor:
    """From ``start`` to ``end``; the confidence is the mean of both.

    Args:
        end: ``[..., C, T]``.
        start: The same shape.
        dims: How many leading channels are coordinates.
    """
    out = end - start
    if end.shape[-2] > dims:
        out[..., dims:, :] = (end[..., dims:, :] + start[..., dims:, :]) / 2
    return out


def angles(joints: Tensor, layout: Layout, dims: int = 2) -> Tensor:
    """Angle at each joint between the bones that meet there, in radians.

    Where more than two bones meet it is the mean over all pairs; at the end of a limb it is 0. An
    angle does not change with place, size or view (3-D).

    Args:
        joints: ``[..., N, C, T]``.
        layout: Their skeleton.
        dims: How many leading channels are coordinates.

    Returns:
        ``[..., N, 1, T]``; NaN where a joint or one of its neighbours is missing.

    Raises:
        LayoutError: The joints are not of this layout.

    Source: Qin et al., "Fusing Higher-order Features in Graph Neural Networks for Skeleton-based
    Action Recognition", 2021 (its local angles, here in radians).
    """
    check_joints(joints, layout)
    place = joints[..., :dims, :]
    at, first, second = _corners(layout)
    a, b = (place.index_select(-3, end) - place.index_select(-3, at) for end in (first, second))
    a, b = a * b.norm(dim=-2, keepdim=True), b * a.norm(dim=-2, keepdim=True)  # equally long
    half = torch.atan2((a - b).norm(dim=-2, keepdim=True), (a + b).norm(dim=-2, keepdim=True))
    out = torch.zeros_like(place[..., :1, :])
    out = out.index_add(-3, at, 2 * half)
    count = torch.bincount(at, minlength=layout.num_joints).clamp_min(1)
    return out / count[:, None, None]


def pyskl_layout(layout: Layout) -> Layout:
    """The same joints joined by the bones that pyskl's bone stream takes."""
    parents = PYSKL_PARENTS.get(layout.name)
    return layout if parents is None else layout.with_parents(parents)


@functools.cache
def _corners(layout: Layout) -> tuple[Tensor, Tensor, Tensor]:
    """Joints at which two bones meet and the far ends of the two, ``[P]`` each."""
    neighbours = [set() for _ in layout.joints]
    for a, b in layout.bones:
        neighbours[a].add(b)
        neighbours[b].add(a)
    corners = [(at, a, b) for at, ends in enumerate(neighbours)
               for a in sorted(ends) for b in sorted(ends) if a < b]
    return tuple(torch.tensor(corners, dtype=torch.int64).reshape(-1, 3).unbind(dim=1))

"""What goes wrong with joints where a recognizer is used, at random, on training clips.

The kinds are those that `skelact robustness` tests: a network that has met them loses less by them.
"""

import math

import torch
from torch import Generator, Tensor

from skelact.graph.layouts import Layout
from skelact.transforms.augment import body_parts, show_frames
from skelact.transforms.spatial import measure_box, rotate


def damage(
    joints: Tensor, layout: Layout, share: float, generator: Generator, dims: int = 2
) -> Tensor:
    """Make the joints of some clips worse, each clip in one way and by a strength of its own.

    Every way is as likely as any other: noise, joints that are never seen, joints that flicker, a
    limb that is hidden for a while, sides exchanged in single frames, frames that are lost, a clip
    that begins late or ends early, a picture that ends within the body, a tilted camera.

    Args:
        joints: ``[B, ..., N, C, T]`` with NaN where a joint is missing, in any unit, not yet
            normalised; 2-D with y down, or 3-D with y up.
        layout: Their skeleton.
        share: Of the clips that are damaged.
        generator: The source of chance.
        dims: How many leading channels are coordinates.

    Returns:
        Shaped as it came. Lost frames are missing; see `skelact.transforms.steps.BridgeGaps`.
    """
    ways = torch.randint(len(_WAYS), (len(joints),), generator=generator)
    some = torch.rand(len(joints), generator=generator) < share
    damaged = joints.clone()
    for number, change in enumerate(_WAYS):
        rows = (some & (ways == number)).nonzero()[:, 0]
        if len(rows):
            damaged[rows] = change(joints[rows], layout, generator, dims)
    return damaged


def _add_noise(joints: Tensor, layout: Layout, generator: Generator, dims: int) -> Tensor:
    """Up to 6 % of the body, about a fifth of the torso, along each axis in every frame."""
    size = measure_box(joints, dims)[1].nanmean(dim=-1)[..., None, None, None]
    noise = torch.randn(joints[..., :dims, :].shape, generator=generator)
    noise = noise * size * _strength(joints, generator, 0, 0.06)
    return torch.cat([joints[..., :dims, :] + noise, joints[..., dims:, :]], dim=-2)


def _miss_joints(joints: Tensor, layout: Layout, generator: Generator, dims: int) -> Tensor:
    """Up to half of the joints, throughout."""
    chance = torch.rand((*joints.shape[:-2], 1, 1), generator=generator)
    return joints.masked_fill(chance < _strength(joints, generator, 0, 0.5), math.nan)


def _flicker(joints: Tensor, layout: Layout, generator: Generator, dims: int) -> Tensor:
    """Up to eight in ten joints, others in every frame."""
    chance = torch.rand((*joints.shape[:-2], 1, joints.shape[-1]), generator=generator)
    return joints.masked_fill(chance < _strength(joints, generator, 0, 0.8), math.nan)


def _hide_limb(joints: Tensor, layout: Layout, generator: Generator, dims: int) -> Tensor:
    """An arm, a leg, both legs or the head, for at least a quarter of the clip."""
    parts = body_parts(layout)
    chosen = parts[torch.randint(len(parts), (len(joints),), generator=generator)]
    chosen = chosen.view(len(joints), *[1] * (joints.dim() - 4), layout.num_joints, 1, 1)
    return joints.masked_fill(chosen & _span(joints, generator, 0.25, 1.0), math.nan)


def _swap_frames(joints: Tensor, layout: Layout, generator: Generator, dims: int) -> Tensor:
    """Left and right, in up to three of ten frames."""
    chance = torch.rand((*joints.shape[:-3], 1, 1, joints.shape[-1]), generator=generator)
    swapped = joints.index_select(-3, torch.from_numpy(layout.flip_order))
    return torch.where(chance < _strength(joints, generator, 0, 0.3), swapped, joints)


def _lose_frames(joints: Tensor, layout: Layout, generator: Generator, dims: int) -> Tensor:
    """Here and there, all but one, or in a row, up to six of ten."""
    chance = torch.rand(_per_clip(joints, joints.shape[-1]), generator=generator)
    apart = chance < _strength(joints, generator, 0.2, 0.95)
    apart &= chance < chance.amax(dim=-1, keepdim=True)
    together = _span(joints, generator, 0.1, 0.6)
    scattered = torch.rand(_per_clip(joints, 1), generator=generator) < 0.6
    return joints.masked_fill(torch.where(scattered, apart, together), math.nan)


def _cut_ends(joints: Tensor, layout: Layout, generator: Generator, dims: int) -> Tensor:
    """Up to six tenths from the beginning or from the end; the rest is stretched."""
    lost = 0.6 * torch.rand(len(joints), 1, generator=generator)
    late = torch.rand(len(joints), 1, generator=generator) < 0.5
    frames = torch.arange(joints.shape[-1])
    return show_frames(joints, late * lost * (joints.shape[-1] - 1) + frames * (1 - lost))


def _cut_picture(joints: Tensor, layout: Layout, generator: Generator, dims: int) -> Tensor:
    """Joints in up to the lower six tenths of the clip's box are missing, or of a side of it."""
    places = joints[..., :2, :]
    missing = places.isnan()
    others = tuple(axis for axis in range(1, joints.dim()) if axis != joints.dim() - 2)
    low = places.masked_fill(missing, math.inf).amin(others, keepdim=True)
    high = places.masked_fill(missing, -math.inf).amax(others, keepdim=True)
    below = (places - low) / (high - low)  # 0 at the left and at the top of the picture
    if dims == 3:
        below = torch.cat([below[..., :1, :], 1 - below[..., 1:, :]], dim=-2)
    edge = 1 - _strength(joints, generator, 0, 0.6)
    side = torch.randint(4, _per_clip(joints, 1), generator=generator)
    across, down = below[..., :1, :], below[..., 1:, :]
    across = torch.where(side == 2, across, 1 - across)
    return joints.masked_fill(torch.where(side < 2, down, across) > edge, math.nan)


def _tilt(joints: Tensor, layout: Layout, generator: Generator, dims: int) -> Tensor:
    """By up to 45 degrees: the camera is held aslant, or (3-D) looks up or down."""
    angle = _strength(joints, generator, -math.pi / 4, math.pi / 4).view(-1)
    cos, sin, matrix = angle.cos(), angle.sin(), torch.eye(dims).repeat(len(joints), 1, 1)
    nod = (torch.rand(len(joints), generator=generator) < 0.5) & (dims == 3)
    each = torch.arange(len(joints))
    first = torch.where(nod, dims - 2, 0)  # in the plane of y and z, or of x and y
    for row, column, value in ((0, 0, cos), (0, 1, -sin), (1, 0, sin), (1, 1, cos)):
        matrix[each, first + row, first + column] = value
    middle = measure_box(joints, dims)[0].nanmean(dim=-1, keepdim=True)
    if joints.dim() > 4:  # all turn about the first person
        middle = middle[:, :1].nan_to_num(0.0)
    turned = rotate(joints[..., :dims, :] - middle,
                    matrix.view(-1, *[1] * (joints.dim() - 4), dims, dims)) + middle
    return torch.cat([turned, joints[..., dims:, :]], dim=-2)


_WAYS = (_add_noise, _miss_joints, _flicker, _hide_limb, _swap_frames, _lose_frames, _cut_ends,
         _cut_picture, _tilt)


def _per_clip(joints: Tensor, last: int) -> tuple[int, ...]:
    """A shape that broadcasts against ``joints``: one value a clip, or one a frame of it."""
    return len(joints), *[1] * (joints.dim() - 2), last


def _strength(joints: Tensor, generator: Generator, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(_per_clip(joints, 1), generator=generator)


def _span(joints: Tensor, generator: Generator, shortest: float, longest: float) -> Tensor:
    """``[B, 1, ..., T]`` bool: a part of each clip, a share of it long, placed at random."""
    frames = joints.shape[-1]
    length = _strength(joints, generator, shortest, longest) * frames
    start = _strength(joints, generator, 0, 1) * (frames - length)
    order = torch.arange(frames)
    return (order >= start) & (order < start + length)

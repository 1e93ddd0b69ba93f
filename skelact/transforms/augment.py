"""Random changes of training clips, on batches with NaN where a joint is missing.

Batches are ``[B, N, C, T]`` or ``[B, M, N, C, T]``: what is drawn once a clip is the same for all
its people. Channels are x, y, confidence, or x, y, z with ``dims=3``. Every function draws from
the generator it is given, so a batch is the same for the same seed, and gives a new tensor.
"""

import math

import numpy as np
import torch
from torch import Generator, Tensor

from skelact.graph.layouts import Layout
from skelact.transforms.spatial import project, rotate

_PARTS = {
    "arm": ("elbow", "wrist", "hand"),
    "leg": ("knee", "ankle", "foot", "toe", "heel"),
    "head": ("head", "nose", "eye", "ear", "mouth"),
}


def flip(joints: Tensor, layout: Layout, share: float, generator: Generator) -> Tensor:
    """Mirror some clips at x = 0; left and right joints change places."""
    some = _choose(joints, share, generator)
    mirrored = _swap(joints, layout, some)
    mirrored[..., 0, :] *= _each(1 - 2 * some.to(joints.dtype)[:, None, None], joints.dim() - 1)
    return mirrored


def mirror(joints: Tensor, layout: Layout) -> Tensor:
    """Mirror at x = 0; left and right joints change places. ``[..., N, C, T]``."""
    mirrored = joints.index_select(-3, torch.from_numpy(layout.flip_order))
    mirrored[..., 0, :] *= -1
    return mirrored


def swap_sides(joints: Tensor, layout: Layout, share: float, generator: Generator) -> Tensor:
    """Exchange left and right joints of some clips, as a detector that errs does."""
    return _swap(joints, layout, _choose(joints, share, generator))


def distort(
    joints: Tensor, degrees: float, scale: float, stretch: float, generator: Generator
) -> Tensor:
    """Rotate in the image, scale, and stretch width against height, once a clip.

    Args:
        joints: ``[B, ..., N, C, T]``, 2-D.
        degrees: Largest angle.
        scale: Largest change of size, as a share.
        stretch: Largest change of width, as a share.
        generator: The source of chance.
    """
    batch = len(joints)
    angle = _symmetric(batch, math.radians(degrees), generator)
    size = 1 + _symmetric(batch, scale, generator)
    width = 1 + _symmetric(batch, stretch, generator)
    cos, sin = angle.cos() * size, angle.sin() * size
    rows = [torch.stack([cos * width, -sin], -1), torch.stack([sin * width, cos], -1)]
    return rotate(joints, _each(torch.stack(rows, 1), joints.dim() - 1))


def distort_3d(
    joints: Tensor, degrees: float, scale: float, shear: float, generator: Generator
) -> Tensor:
    """Shear, scale every axis, and rotate about x, y and z, once a clip, as one linear map.

    Args:
        joints: ``[B, ..., N, 3, T]``.
        degrees: Largest angle about each axis.
        scale: Largest change of size along each axis, as a share.
        shear: Largest slant of an axis against another.
        generator: The source of chance.
    """
    batch = len(joints)
    matrix = random_rotations(batch, degrees, generator)
    if scale:
        matrix = matrix * (1 + _symmetric((batch, 1, 3), scale, generator))  # columns
    if shear:
        slant = _symmetric((batch, 3, 3), shear, generator)
        matrix = matrix @ (torch.eye(3) + slant * (1 - torch.eye(3)))
    return rotate(joints, _each(matrix, joints.dim() - 1))


def turn(joints: Tensor, largest: float, generator: Generator) -> Tensor:
    """Turn 3-D clips about the vertical (y), once a clip, as another place of the camera would.

    Args:
        joints: ``[B, ..., N, 3, T]`` with y up.
        largest: Largest angle to either side, degrees.
        generator: The source of chance.
    """
    angle = _symmetric(len(joints), math.radians(largest), generator)
    cos, sin = angle.cos(), angle.sin()
    zero, one = torch.zeros_like(cos), torch.ones_like(cos)
    rows = [cos, zero, sin, zero, one, zero, -sin, zero, cos]
    return rotate(joints, _each(torch.stack(rows, 1).unflatten(1, (3, 3)), joints.dim() - 1))


def random_rotations(batch: int, degrees: float, generator: Generator) -> Tensor:
    """``[batch, 3, 3]`` rotations by at most ``degrees`` about x, then y, then z."""
    angle = _symmetric((batch, 3), math.radians(degrees), generator)
    (a, b, c), (d, e, f) = angle.cos().unbind(1), angle.sin().unbind(1)
    # z @ y @ x, multiplied out
    rows = [b * c, d * e * c - a * f, a * e * c + d * f,
            b * f, d * e * f + a * c, a * e * f - d * c,
            -e, d * b, a * b]
    return torch.stack(rows, 1).unflatten(1, (3, 3))


def random_views(joints: Tensor, yaw: float, pitch: float, generator: Generator) -> Tensor:
    """3-D clips as a camera on a random side sees them: x, y (down) and confidence 1.

    Args:
        joints: ``[B, ..., N, 3, T]`` with y up.
        yaw: Largest turn of the camera to either side of the sensor, degrees.
        pitch: Largest tilt, degrees.
        generator: The source of chance.
    """
    yaw, pitch = (_symmetric(len(joints), math.radians(most), generator) for most in (yaw, pitch))
    shape = (-1, *[1] * (joints.dim() - 4))
    leading = joints.shape[:-3]
    return project(joints, (yaw + math.pi).view(shape).expand(leading),
                   pitch.view(shape).expand(leading))


def change_speed(joints: Tensor, largest: float, generator: Generator) -> Tensor:
    """Play clips faster or slower about their middle frame; beyond its ends a clip stands still.

    Args:
        joints: ``[B, ..., N, C, T]``; a joint missing beside an instant is missing there.
        largest: Largest change of speed, as a share.
        generator: The source of chance.
    """
    middle = (joints.shape[-1] - 1) / 2
    speed = 1 + _symmetric((len(joints), 1), largest, generator)
    at = middle + (torch.arange(joints.shape[-1]) - middle) * speed
    return show_frames(joints, at.clamp_min(0))


def mixup(
    clips: Tensor, targets: Tensor, alpha: float, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Blend every clip, and its target, with another of the batch.

    Args:
        clips: ``[B, ...]`` as the network takes them, nothing missing.
        targets: ``[B, classes]`` share of each class, such as one-hot labels.
        alpha: Both parameters of the beta distribution of a clip's own share; small ones change
            little.
        generator: The source of chance.

    Returns:
        Clips and targets, shaped as they came.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.
    """
    partner = torch.randperm(len(clips), generator=generator)
    seed = int(torch.randint(2**62, (), generator=generator))
    share = np.random.default_rng(seed).beta(alpha, alpha, len(clips))  # torch's takes no generator
    share = torch.from_numpy(share)

    def blend(values: Tensor) -> Tensor:
        weight = share.to(values.dtype).view(-1, *[1] * (values.dim() - 1))
        return torch.lerp(values[partner], values, weight)

    return blend(clips), blend(targets)


def move_camera(joints: Tensor, share: float, generator: Generator) -> Tensor:
    """Let the camera of some clips pan by up to a body size and zoom by up to half, steadily."""
    time = torch.linspace(-0.5, 0.5, joints.shape[-1])
    axes = joints.dim()
    pan = _each(_symmetric((len(joints), 2, 1), 1.0, generator), axes) * time
    zoom = (_each(_symmetric((len(joints), 1, 1), math.log(1.5), generator), axes) * time).exp()
    moved = torch.cat([joints[..., :2, :] * zoom + pan, joints[..., 2:, :]], dim=-2)
    return _some(joints, moved, share, generator)


def lower_rate(joints: Tensor, share: float, max_step: int, generator: Generator) -> Tensor:
    """Keep every n-th frame of some clips, n from 2, with straight lines between them."""
    frames = joints.shape[-1]
    step = torch.randint(2, max_step + 1, (len(joints), 1), generator=generator)
    step = torch.where(torch.rand(len(joints), 1, generator=generator) < share, step, 1)
    return show_frames(joints, torch.arange(frames) / step, step)


def jitter(joints: Tensor, largest: float, generator: Generator, dims: int = 2) -> Tensor:
    """Add noise to the positions: its deviation is drawn a clip, doubled for unsure joints."""
    deviation = _each(torch.rand(len(joints), 1, 1, generator=generator), joints.dim()) * largest
    noise = torch.randn(joints[..., :dims, :].shape, generator=generator) * deviation
    if joints.shape[-2] > dims:
        noise = noise * (2 - joints[..., dims : dims + 1, :].clamp(0, 1))
    return torch.cat([joints[..., :dims, :] + noise, joints[..., dims:, :]], dim=-2)


def shift_joints(joints: Tensor, largest: float, generator: Generator, dims: int = 2) -> Tensor:
    """Move every joint by a distance of its own, the same in all frames of a clip."""
    deviation = _each(torch.rand(len(joints), 1, 1, generator=generator), joints.dim()) * largest
    shift = torch.randn(*joints.shape[:-2], dims, 1, generator=generator) * deviation
    return torch.cat([joints[..., :dims, :] + shift, joints[..., dims:, :]], dim=-2)


def vary_confidence(joints: Tensor, share: float, generator: Generator) -> Tensor:
    """Replace annotated visibility by what a detector might say, in some clips."""
    shape = (*joints.shape[:-2], 1, 1)
    confidence = joints[..., 2:3, :]
    high = 0.5 + 0.5 * torch.rand(shape, generator=generator)
    low = 0.1 + 0.5 * torch.rand(shape, generator=generator)
    flicker = 0.05 * torch.randn(confidence.shape, generator=generator)
    drawn = (torch.lerp(low, high, confidence) + flicker).clamp(0.1, 1)
    varied = torch.cat([joints[..., :2, :], drawn], dim=-2)
    return _some(joints, varied, share, generator)


def drop_joints(joints: Tensor, share: float, generator: Generator) -> Tensor:
    """Make every joint missing with this chance, for the whole clip."""
    dropped = torch.rand(joints.shape[:-2], generator=generator) < share
    return joints.masked_fill(dropped[..., None, None], math.nan)


def drop_part(joints: Tensor, layout: Layout, share: float, generator: Generator) -> Tensor:
    """Make an arm, a leg, both legs or the head of some clips missing."""
    parts = body_parts(layout)
    choice = torch.randint(len(parts), (len(joints),), generator=generator)
    some = torch.rand(len(joints), generator=generator) < share
    dropped = parts[choice] & some[:, None]
    return joints.masked_fill(_each(dropped[:, :, None, None], joints.dim()), math.nan)


def drop_span(joints: Tensor, share: float, generator: Generator) -> Tensor:
    """Freeze some clips for up to a fifth of their length, as bridging a lost person does."""
    batch, frames = len(joints), joints.shape[-1]
    length = torch.rand(batch, generator=generator) * frames / 5
    start = torch.rand(batch, generator=generator) * (frames - length)
    some = torch.rand(batch, generator=generator) < share
    order = torch.arange(frames).expand(batch, frames)
    lost = (order >= start[:, None]) & (order < (start + length)[:, None]) & some[:, None]
    kept = torch.where(lost, start[:, None].long(), order)
    return joints.gather(-1, _each(kept[:, None, None], joints.dim()).expand_as(joints))


def show_frames(joints: Tensor, at: Tensor, step: Tensor | int = 1) -> Tensor:
    """Clips at positions ``at [B, T]``, counted in ``step [B, 1]`` frames; the last frame stays.

    A joint missing beside a position is missing there.
    """
    last = joints.shape[-1] - 1
    shape = (len(joints), *[1] * (joints.dim() - 2), joints.shape[-1])
    start, end = (
        joints.gather(-1, (index.long() * step).clamp_max(last).view(shape).expand_as(joints))
        for index in (at, at + 1))
    share = at.frac().view(shape)
    return torch.where(share > 0, torch.lerp(start, end, share.to(joints.dtype)), start)


def body_parts(layout: Layout) -> Tensor:
    """``[P, N]`` bool: left arm, right arm, left leg, right leg, both legs, head."""

    def select(part: str, side: str = "") -> list[bool]:
        return [
            joint.startswith(side) and any(word in joint for word in _PARTS[part])
            for joint in layout.joints
        ]

    rows = [select(part, side) for part in ("arm", "leg") for side in ("left_", "right_")]
    return torch.tensor([*rows, select("leg"), select("head")])


def _swap(joints: Tensor, layout: Layout, some: Tensor) -> Tensor:
    """Left and right joints exchanged in some clips ``[B]``, moved once and not blended."""
    order = torch.where(some[:, None], torch.from_numpy(layout.flip_order),
                        torch.arange(layout.num_joints))
    people = joints.shape[:-3].numel()
    first = torch.arange(people).view(len(joints), people // max(len(joints), 1), 1)
    index = first * layout.num_joints + order[:, None]
    return joints.flatten(0, -3).index_select(0, index.flatten()).view(joints.shape)


def _choose(joints: Tensor, share: float, generator: Generator) -> Tensor:
    """``[B]`` bool: some clips."""
    return torch.rand(len(joints), generator=generator) < share


def _some(joints: Tensor, changed: Tensor, share: float, generator: Generator) -> Tensor:
    some = _choose(joints, share, generator)[:, None, None]
    return torch.where(_each(some, joints.dim()), changed, joints)


def _each(values: Tensor, axes: int) -> Tensor:
    """``[B, ...]`` with as many axes as asked, by axes of size 1 after the first."""
    return values.view(len(values), *[1] * (axes - values.dim()), *values.shape[1:])


def _symmetric(size: int | tuple[int, ...], largest: float, generator: Generator) -> Tensor:
    return (torch.rand(size, generator=generator) * 2 - 1) * largest

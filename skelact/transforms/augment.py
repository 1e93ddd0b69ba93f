"""Random changes of training clips, on batches ``[B, N, C, T]`` with NaN where a joint is missing.

Channels are x, y, confidence. Every function draws from the generator it is given, so a batch is
the same for the same seed, and gives a new tensor.
"""

import math

import torch
from torch import Generator, Tensor

from skelact.config import AugmentConfig
from skelact.graph.layouts import Layout
from skelact.transforms.spatial import centre_and_scale

_PARTS = {
    "arm": ("elbow", "wrist", "hand"),
    "leg": ("knee", "ankle", "foot", "toe", "heel"),
    "head": ("head", "nose", "eye", "ear", "mouth"),
}


def augment(joints: Tensor, layout: Layout, config: AugmentConfig, generator: Generator) -> Tensor:
    """All changes that `AugmentConfig` names but those of time; ends centred and scaled.

    Args:
        joints: ``[B, N, 3, T]`` in pixels or metres.
        layout: The skeleton.
        config: How much of what.
        generator: The source of chance.
    """
    joints = drop_joints(joints, config.drop_joint, generator)
    joints = drop_part(joints, layout, config.drop_part, generator)
    joints = drop_span(joints, config.drop_span, generator)
    joints = flip(joints, layout, config.flip, generator)
    joints = swap_sides(joints, layout, config.swap_sides, generator)
    joints = vary_confidence(joints, generator)
    joints = distort(centre_and_scale(joints), config, generator)
    joints = shift_joints(joints, config.bias, generator)
    return jitter(joints, config.jitter, generator)


def flip(joints: Tensor, layout: Layout, share: float, generator: Generator) -> Tensor:
    """Mirror some clips at x = 0; left and right joints change places."""
    return _some(joints, mirror(joints, layout), share, generator)


def mirror(joints: Tensor, layout: Layout) -> Tensor:
    """Mirror at x = 0; left and right joints change places. ``[..., N, C, T]``."""
    mirrored = joints[..., layout.flip_order, :, :].clone()
    mirrored[..., 0, :] *= -1
    return mirrored


def swap_sides(joints: Tensor, layout: Layout, share: float, generator: Generator) -> Tensor:
    """Exchange left and right joints of some clips, as a detector that errs does."""
    return _some(joints, joints[:, layout.flip_order], share, generator)


def distort(joints: Tensor, config: AugmentConfig, generator: Generator) -> Tensor:
    """Rotate in the image, scale, and stretch width against height, once a clip."""
    batch = len(joints)
    angle = _symmetric(batch, math.radians(config.rotate), generator)
    scale = 1 + _symmetric(batch, config.scale, generator)
    stretch = 1 + _symmetric(batch, config.stretch, generator)
    cos, sin = angle.cos() * scale, angle.sin() * scale
    rows = [torch.stack([cos * stretch, -sin], -1), torch.stack([sin * stretch, cos], -1)]
    moved = torch.stack(rows, 1)[:, None] @ joints[:, :, :2]
    return torch.cat([moved, joints[:, :, 2:]], dim=2)


def jitter(joints: Tensor, largest: float, generator: Generator) -> Tensor:
    """Add noise to the positions: its deviation is drawn a clip, doubled for unsure joints."""
    deviation = torch.rand(len(joints), 1, 1, 1, generator=generator) * largest
    noise = torch.randn(joints[:, :, :2].shape, generator=generator)
    unsure = 2 - joints[:, :, 2:3].clamp(0, 1)
    return torch.cat([joints[:, :, :2] + noise * deviation * unsure, joints[:, :, 2:]], dim=2)


def shift_joints(joints: Tensor, largest: float, generator: Generator) -> Tensor:
    """Move every joint by a distance of its own, the same in all frames of a clip."""
    deviation = torch.rand(len(joints), 1, 1, 1, generator=generator) * largest
    shift = torch.randn(*joints.shape[:2], 2, 1, generator=generator) * deviation
    return torch.cat([joints[:, :, :2] + shift, joints[:, :, 2:]], dim=2)


def vary_confidence(joints: Tensor, generator: Generator) -> Tensor:
    """Replace annotated visibility by what a detector might say, in half of the clips."""
    shape = (len(joints), joints.shape[1], 1, 1)
    confidence = joints[:, :, 2:3]
    high = 0.5 + 0.5 * torch.rand(shape, generator=generator)
    low = 0.1 + 0.5 * torch.rand(shape, generator=generator)
    flicker = 0.05 * torch.randn(confidence.shape, generator=generator)
    drawn = (torch.lerp(low, high, confidence) + flicker).clamp(0.1, 1)
    varied = torch.cat([joints[:, :, :2], drawn], dim=2)
    return _some(joints, varied, 0.5, generator)


def drop_joints(joints: Tensor, share: float, generator: Generator) -> Tensor:
    """Make every joint missing with this chance, for the whole clip."""
    dropped = torch.rand(joints.shape[:2], generator=generator) < share
    return joints.masked_fill(dropped[:, :, None, None], math.nan)


def drop_part(joints: Tensor, layout: Layout, share: float, generator: Generator) -> Tensor:
    """Make an arm, a leg, both legs or the head of some clips missing."""
    parts = body_parts(layout)
    choice = torch.randint(len(parts), (len(joints),), generator=generator)
    some = torch.rand(len(joints), generator=generator) < share
    dropped = parts[choice] & some[:, None]
    return joints.masked_fill(dropped[:, :, None, None], math.nan)


def drop_span(joints: Tensor, share: float, generator: Generator) -> Tensor:
    """Freeze some clips for up to a fifth of their length, as bridging a lost person does."""
    batch, frames = len(joints), joints.shape[-1]
    length = torch.rand(batch, generator=generator) * frames / 5
    start = torch.rand(batch, generator=generator) * (frames - length)
    some = torch.rand(batch, generator=generator) < share
    order = torch.arange(frames).expand(batch, frames)
    lost = (order >= start[:, None]) & (order < (start + length)[:, None]) & some[:, None]
    kept = torch.where(lost, start[:, None].long(), order)
    return joints.gather(3, kept[:, None, None].expand_as(joints))


def body_parts(layout: Layout) -> Tensor:
    """``[P, N]`` bool: left arm, right arm, left leg, right leg, both legs, head."""

    def select(part: str, side: str = "") -> list[bool]:
        return [
            joint.startswith(side) and any(word in joint for word in _PARTS[part])
            for joint in layout.joints
        ]

    rows = [select(part, side) for part in ("arm", "leg") for side in ("left_", "right_")]
    return torch.tensor([*rows, select("leg"), select("head")])


def _some(joints: Tensor, changed: Tensor, share: float, generator: Generator) -> Tensor:
    some = torch.rand(len(joints), 1, 1, 1, generator=generator) < share
    return torch.where(some, changed, joints)


def _symmetric(batch: int, largest: float, generator: Generator) -> Tensor:
    return (torch.rand(batch, generator=generator) * 2 - 1) * largest

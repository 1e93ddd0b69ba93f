"""Transforms without chance, for `skelact.transforms.compose.Compose`."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from skelact.checks import check_choice
from skelact.config import STREAMS, StreamName
from skelact.errors import ShapeError
from skelact.transforms import augment, spatial, streams, temporal
from skelact.transforms.compose import ClipInfo, Transform


@dataclass(frozen=True)
class HideUncertain(Transform):
    """Make joints missing whose confidence is lower (2-D)."""

    min_confidence: float = 0.1

    def _change(self, joints, info, generator):
        check_choice(info.dims, (2,), "dims of clips with a confidence")
        return spatial.hide_uncertain(joints, self.min_confidence)


@dataclass(frozen=True)
class Centre(Transform):
    """Move the origin to a joint (``on`` its name) or to the middle of the box (``on="box"``).

    See `skelact.transforms.spatial.centre`; ``together`` needs people on the axis before joints.
    """

    on: str = "pelvis"
    frame: Literal["mean", "first", "each"] = "first"
    together: bool = True

    def _change(self, joints, info, generator):
        parts = [joints]
        if self.frame == "first" and info.opening is not None:
            parts = [info.opening, joints]
        at = torch.cat([self._place(part, info) for part in parts], dim=-1)
        return spatial.centre(joints, at, info.dims, self.frame, self.together)

    def _place(self, joints: Tensor, info: ClipInfo) -> Tensor:
        if self.on == "box":
            return spatial.measure_box(joints, info.dims)[0]
        return spatial.locate(joints, info.layout, (self.on,))[..., : info.dims, :]


@dataclass(frozen=True)
class Scale(Transform):
    """Divide by the size of the body: its ``"box"`` or its ``"torso"`` (pelvis to neck)."""

    by: Literal["box", "torso"] = "box"
    together: bool = True

    def __post_init__(self) -> None:
        check_choice(self.by, ("box", "torso"), "by")

    def _change(self, joints, info, generator):
        torso = self.by == "torso"
        length = spatial.torso_length(joints, info.layout, info.dims) if torso else None
        return spatial.scale(joints, length, info.dims, self.together)


@dataclass(frozen=True)
class ScaleByImage(Transform):
    """Pixels to [-1, 1] by the size of each clip's image; see `scale_by_image`."""

    hidden: float | None = None

    def _change(self, joints, info, generator):
        check_choice(info.dims, (2,), "dims of clips in an image")
        if info.image_size is None:
            raise ShapeError("expected the image size of the clips to scale by, got none; "
                             "ClipInfo(..., image_size=) or Scale() by the body")
        size = info.image_size
        size = size.view(*size.shape[:-1], *[1] * (joints.dim() - 2 - size.dim()), 2)
        return spatial.scale_by_image(joints, size, self.hidden)


@dataclass(frozen=True)
class Fractions(Transform):
    """From [-1, 1] in the image to fractions of it, from its ``"middle"`` or ``"corner"``."""

    origin: Literal["middle", "corner"] = "middle"

    def __post_init__(self) -> None:
        check_choice(self.origin, ("middle", "corner"), "origin")

    def _change(self, joints, info, generator):
        coordinates = joints[..., : info.dims, :] / 2 + 0.5 * (self.origin == "corner")
        return torch.cat([coordinates, joints[..., info.dims :, :]], dim=-2)


@dataclass(frozen=True)
class Coordinates(Transform):
    """Leave out what follows the coordinates: the confidence of 2-D joints."""

    def _change(self, joints, info, generator):
        return joints[..., : info.dims, :]


@dataclass(frozen=True)
class CanonicalView(Transform):
    """Turn 3-D people upright, shoulders along x, by the clip's opening; see `canonical_view`."""

    up: Literal["y", "z"] = "z"
    keep_upright: bool = False

    def _change(self, joints, info, generator):
        check_choice(info.dims, (3,), "dims of clips to turn upright")
        return spatial.canonical_view(joints, info.layout, self.up, self.keep_upright,
                                      info.opening)


@dataclass(frozen=True)
class SensorView(Transform):
    """3-D clips as their sensor saw them, thus 2-D: x, y (down) and confidence 1."""

    def _change(self, joints, info, generator):
        check_choice(info.dims, (3,), "dims of clips to look at")
        leading = joints.shape[:-3]
        return spatial.project(joints, torch.full(leading, math.pi), torch.zeros(leading))

    def leaves(self, info: ClipInfo) -> ClipInfo:
        """The clips are 2-D, in no image."""
        return replace(info, dims=2, image_size=None, opening=None)


@dataclass(frozen=True)
class Mirror(Transform):
    """Mirror at x = 0, left and right joints exchanged; centre first."""

    def _change(self, joints, info, generator):
        return augment.mirror(joints, info.layout)


@dataclass(frozen=True)
class BridgeGaps(Transform):
    """Fill absences of a joint of at most ``longest`` frames; see `bridge_gaps`."""

    over_time = True

    longest: float = math.inf

    def _change(self, joints, info, generator):
        frames = torch.arange(joints.shape[-1], dtype=torch.float64)
        return temporal.bridge_gaps(joints, frames, self.longest)


@dataclass(frozen=True)
class SmoothSavgol(Transform):
    """Smooth by Savitzky-Golay; see `smooth_savgol`."""

    over_time = True

    window: int = 7
    degree: int = 2

    def _change(self, joints, info, generator):
        return temporal.smooth_savgol(joints, self.window, self.degree, info.dims)


@dataclass(frozen=True)
class SmoothOneEuro(Transform):
    """Smooth by the 1 euro filter, at ``fps`` frames a second; see `smooth_one_euro`."""

    over_time = True

    fps: float = 30.0
    min_cutoff: float = 1.0
    beta: float = 0.0

    def _change(self, joints, info, generator):
        times = torch.arange(joints.shape[-1], dtype=torch.float64) / self.fps
        return temporal.smooth_one_euro(joints, times, self.min_cutoff, self.beta,
                                        dims=info.dims)


@dataclass(frozen=True)
class ChangeRate(Transform):
    """The same motion at another frame rate; see `change_rate`."""

    over_time = True

    from_fps: float
    to_fps: float

    def _change(self, joints, info, generator):
        return temporal.change_rate(joints, self.from_fps, self.to_fps)


@dataclass(frozen=True)
class Stream(Transform):
    """What the network looks at; see `skelact.transforms.streams.take_stream`.

    Args:
        name: ``joint``, ``bone``, ``joint_motion`` or ``bone_motion``.
        bones: Those of the ``"layout"``, or ``"pyskl"``'s.
        zero_first: Put 0 for missing joints before differences are taken, as published code does.
    """

    name: StreamName = "joint"
    bones: Literal["layout", "pyskl"] = "layout"
    zero_first: bool = False

    def __post_init__(self) -> None:
        check_choice(self.name, STREAMS, "stream")
        check_choice(self.bones, ("layout", "pyskl"), "bones")

    def _change(self, joints, info, generator):
        layout = streams.pyskl_layout(info.layout) if self.bones == "pyskl" else info.layout
        joints = spatial.fill_missing(joints) if self.zero_first else joints
        if info.pairs and self.name.endswith("motion"):
            joints = streams.bones(joints, layout, info.dims) if "bone" in self.name else joints
            return streams.difference(*reversed(joints.chunk(2, dim=-1)), info.dims)
        return streams.take_stream(joints, layout, self.name, info.dims)

    def leaves(self, info: ClipInfo) -> ClipInfo:
        """Of every pair of frames a motion stream makes one."""
        pairs = info.pairs and not self.name.endswith("motion")
        return replace(super().leaves(info), pairs=pairs)


@dataclass(frozen=True)
class Angles(Transform):
    """Angles between bones instead of coordinates, ``[..., N, 1, T]``; see `angles`."""

    def _change(self, joints, info, generator):
        return streams.angles(joints, info.layout, info.dims)

"""Transforms as values: printable, comparable, one after another.

A transform is a small frozen dataclass that holds the parameters of a function of this room. It
is called with a batch ``[B, M, N, C, T]`` (or any leading axes, for those without chance), what
is known of the batch, and the source of chance; it gives a new tensor.

    transform = Compose(CanonicalView(), Distort3D(rotate=17), Stream("bone"))
    clips = transform(joints, ClipInfo("ntu25", dims=3), Generator().manual_seed(0))
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Generator, Tensor

from skelact.checks import check_choice
from skelact.errors import ChoiceError, ShapeError
from skelact.graph.layouts import Layout, check_joints, get_layout


@dataclass(frozen=True)
class ClipInfo:
    """What a transform has to know of the clips it is given.

    Args:
        layout: Their skeleton.
        dims: 2 (channels x, y, confidence) or 3 (x, y, z).
        image_size: ``[B, 2]`` width and height in pixels of each clip, 0 where unknown, or None.
        opening: ``[B, M, N, C, 1]`` the frame of the whole clip in which its first person is first
            seen, whatever frames were sampled; None where unknown.
        pairs: The frames of the second half follow those of the first half in the clip (see
            `skelact.datasets.sampling.FramePairs`); a motion stream makes one of each two.
    """

    layout: Layout
    dims: int = 2
    image_size: Tensor | None = None
    opening: Tensor | None = None
    pairs: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "layout", get_layout(self.layout))
        check_choice(self.dims, (2, 3), "dims")

    def part(self, span: slice) -> "ClipInfo":
        """What is known of some of the clips."""
        size = None if self.image_size is None else self.image_size[span]
        opening = None if self.opening is None else self.opening[span]
        return replace(self, image_size=size, opening=opening)


class PartedGenerator(Generator):
    """Chance for a batch of which every part has its own, whoever the other parts are with.

    Random transforms draw for each part from its generator; whatever else is called with it
    draws from it as from the generator of the first part.

    Args:
        seeds: One a part.
        edges: ``len(seeds) + 1`` numbers of clips at which parts begin and end; parts may be
            empty.
    """

    def __new__(cls, seeds: Sequence[int], edges: Sequence[int]) -> "PartedGenerator":
        """A generator on the CPU."""
        return super().__new__(cls)

    def __init__(self, seeds: Sequence[int], edges: Sequence[int]) -> None:
        self.parts = [
            (slice(start, end), Generator().manual_seed(seed))
            for start, end, seed in zip(edges[:-1], edges[1:], seeds, strict=True) if start < end
        ]
        self.manual_seed(seeds[0])


@dataclass(frozen=True)
class Transform:
    """One change of clips; the subclasses are in `skelact.transforms.steps` and `.random_steps`."""

    over_time: ClassVar[bool] = False
    """Frames are taken as neighbours in time."""

    def __call__(
        self, joints: Tensor, info: ClipInfo, generator: Generator | None = None
    ) -> Tensor:
        """The changed clips, a new tensor.

        Args:
            joints: ``[..., N, C, T]`` with NaN where a joint is missing.
            info: What is known of them.
            generator: The source of chance, for a random transform.

        Raises:
            LayoutError: The joints are not of the layout that ``info`` names.
            ChoiceError: A change is random and there is no generator, or it is not made for
                clips of these dimensions.
        """
        if self.over_time and info.pairs:
            raise ChoiceError(f"{type(self).__name__} needs frames one after another, not pairs "
                              "of frames; put it after the motion stream or leave out FramePairs")
        return self._change(joints, info, generator)

    def _change(self, joints: Tensor, info: ClipInfo, generator: Generator | None) -> Tensor:
        raise NotImplementedError

    def leaves(self, info: ClipInfo) -> ClipInfo:
        """What is known of the clips after this change; the opening was not changed with them."""
        return info if info.opening is None else replace(info, opening=None)


@dataclass(frozen=True)
class RandomTransform(Transform):
    """A change that needs chance; the first axis of ``joints`` is the batch."""

    def __call__(
        self, joints: Tensor, info: ClipInfo, generator: Generator | None = None
    ) -> Tensor:
        """The changed clips, a new tensor.

        Raises:
            ChoiceError: There is no generator.
            ShapeError: There is no axis before the joints; ``clip[None]`` makes a batch of one.
        """
        if joints.dim() < 4:
            raise ShapeError(f"expected a batch [B, ..., N, C, T] for {type(self).__name__}, got "
                             f"{list(joints.shape)}; clip[None] makes a batch of one")
        if generator is None:
            raise ChoiceError(f"{type(self).__name__} is random: call it with a torch.Generator")
        if not isinstance(generator, PartedGenerator):
            return super().__call__(joints, info, generator)
        changed = []
        for span, chance in generator.parts:
            changed.append(super().__call__(joints[span], info.part(span), chance))
        return torch.cat(changed)


@dataclass(frozen=True, init=False, repr=False)
class Compose(Transform):
    """Transforms one after another; `print` it to read it.

    Args:
        steps: Any number of transforms.
    """

    steps: tuple[Transform, ...]

    def __init__(self, *steps: Transform) -> None:
        for step in steps:
            if not callable(step):
                raise ChoiceError(f"expected transforms to compose, got {step!r}")
        object.__setattr__(self, "steps", steps)

    def _change(self, joints: Tensor, info: ClipInfo, generator: Generator | None) -> Tensor:
        check_joints(joints, info.layout)
        for step in self.steps:
            joints = step(joints, info, generator)
            info = step.leaves(info)
        return joints

    def leaves(self, info: ClipInfo) -> ClipInfo:
        """What is known of the clips after the last step."""
        for step in self.steps:
            info = step.leaves(info)
        return info

    def __repr__(self) -> str:
        inside = "".join(f"\n    {repr(step).replace(chr(10), chr(10) + '    ')}," for step in
                         self.steps)
        return f"Compose({inside}\n)" if inside else "Compose()"

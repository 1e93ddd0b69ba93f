"""Layers without frames of zeros before the first and after the last."""

import torch
from torch import Tensor, nn

from skelact.errors import ChoiceError
from skelact.nn.ctr_gc import CTRGraphConv
from skelact.nn.ctrgcn import CTRGCN
from skelact.nn.multi_scale_temporal import POOLED_FRAMES, TemporalBranches
from skelact.nn.stgcn import STGCN
from skelact.nn.stgcn_pp import STGCNPP

STREAMABLE = (STGCN, STGCNPP, CTRGCN)
"""Layers that look at a number of frames only, or at means over frames."""


def check_streamable(layer: nn.Module) -> None:
    """Refuse other layers than `STREAMABLE`; also subclasses, which may look at more frames.

    Raises:
        ChoiceError: The layer is another one.
    """
    if type(layer) not in STREAMABLE:
        known = ", ".join(kind.__name__ for kind in STREAMABLE)
        raise ChoiceError(f"expected a network of layers that can take one frame at a time "
                          f"({known}), got {type(layer).__name__}; score windows of frames with "
                          f"the network itself")


def extent(layer: nn.Module) -> tuple[int, int]:
    """Frames under one answer of a layer's convolution over frames, and its stride.

    Raises:
        ChoiceError: See `check_streamable`.
    """
    check_streamable(layer)
    if isinstance(layer, STGCN):
        conv = layer.temporal[2]
        return 2 * _reach(conv) + 1, conv.stride[0]
    reaches = [_reach(conv) for conv in layer.temporal.dilated]
    return 2 * max([*reaches, POOLED_FRAMES // 2]) + 1, layer.temporal.pointwise.stride


def unpad(layer: nn.Module, last: int | None = None) -> None:
    """Take the padding over time from a layer, in place; its weights keep their names.

    Its convolutions over frames answer only where their kernel is full; branches of a shorter
    reach and residuals are cropped to stay aligned. The mean over time by which CTR-GCN refines
    its topology is taken over the frames so far.

    Args:
        layer: Of ST-GCN, ST-GCN++ or CTR-GCN.
        last: Take that mean over so many last frames; None for all so far.

    Raises:
        ChoiceError: See `check_streamable`.
    """
    check_streamable(layer)
    if isinstance(layer, STGCN):
        margin = _unpad_conv(layer.temporal[2])
    else:
        margin = _unpad_branches(layer.temporal)
    if isinstance(layer, CTRGCN):
        layer.graph_conv = CausalCTRGraphConv(layer.graph_conv, last)
    if layer.shortcut is not None:
        layer.shortcut.register_forward_pre_hook(Crop(margin))


class Crop:
    """A hook that leaves out the first and last frames of what goes into a module.

    Args:
        margin: How many at each end.
        axis: The axis of frames.
    """

    def __init__(self, margin: int, axis: int = 3):
        self.margin = margin
        self.axis = axis

    def __call__(self, module: nn.Module, inputs: tuple[Tensor]) -> Tensor:
        """The frames between."""
        frames = inputs[0].shape[self.axis] - 2 * self.margin
        return inputs[0].narrow(self.axis, self.margin, frames)


class CausalCTRGraphConv(CTRGraphConv):
    """`CTRGraphConv` in which a frame's topology is that of the mean over the frames so far.

    Args:
        conv: Whose parameters it takes over.
        last: Take the mean over so many last frames; None for all so far.
    """

    def __init__(self, conv: CTRGraphConv, last: int | None = None):
        nn.Module.__init__(self)
        for name, parameter in conv.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        self.compare = conv.compare
        self.train(conv.training)
        self.last = last

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over joints; ``[B, N, C_in, T]`` to ``[B, N, C_out, T]``."""
        batch, _, _, frames = features.shape
        sums = features.cumsum(dim=3)
        terms = torch.arange(1, frames + 1, device=features.device)
        if self.last is not None:
            before = nn.functional.pad(sums, (self.last, 0))[..., :frames]
            sums, terms = sums - before, terms.clamp(max=self.last)
        means = (sums / terms).permute(0, 3, 1, 2).flatten(0, 1)
        by_frame = features.permute(0, 3, 1, 2).flatten(0, 1)[..., None]
        convolved = self.aggregate(by_frame, *self.refine(means))
        return convolved[..., 0].unflatten(0, (batch, frames)).permute(0, 2, 3, 1)


def _reach(conv: nn.Conv2d) -> int:
    """Frames under a kernel on each side of its middle."""
    return conv.kernel_size[0] // 2 * conv.dilation[0]


def _unpad_conv(conv: nn.Conv2d) -> int:
    """No padding any more; gives what it was."""
    margin = conv.padding[0]
    conv.padding = (0, 0)
    return margin


def _unpad_branches(temporal: TemporalBranches) -> int:
    """Every branch as far from the ends as the one of the widest reach; gives that reach."""
    margins = [_unpad_conv(conv) for conv in temporal.dilated]
    near = temporal.pool.padding[0]
    margin = max([*margins, near])
    for own, conv in zip(margins, temporal.dilated, strict=True):
        conv.register_forward_pre_hook(Crop(margin - own))
    temporal.pool.padding = (0, 0)
    temporal.pool.register_forward_pre_hook(Crop(margin - near, axis=2))  # on [B, C, T, N]
    temporal.pointwise.register_forward_pre_hook(Crop(margin))
    return margin

"""Batch norms of a trained network folded into the convolutions before them."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from skelact.nn.aagcn import AAGCN, AdaptiveGraphConv
from skelact.nn.ctr_gc import CTRGraphConv
from skelact.nn.ctrgcn import CTRGCN
from skelact.nn.dgstgcn import DGSTGCN, DynamicGraphConv, DynamicTemporalConv
from skelact.nn.disentangled_graph_conv import DisentangledGraphConv
from skelact.nn.folded import FoldedCTRGraphConv, FoldedGraphConv
from skelact.nn.graph_conv import GraphConv
from skelact.nn.msg3d import MSG3D, WindowGraphConv
from skelact.nn.multi_scale_temporal import (
    MultiScaleTemporalConv,
    NormedTemporalBranches,
    TemporalBranches,
)
from skelact.nn.pointwise_conv import PointwiseConv
from skelact.nn.product import affine
from skelact.nn.stgcn import STGCN
from skelact.nn.stgcn_pp import STGCNPP, LearnedGraphConv
from skelact.nn.temporal_conv import BatchNorm, TemporalConv

_AFTER_GRAPH = ("graph_conv", "graph_norm")
_AFTER_REDUCE = ("reduce", "reduce_norm")
_PAIRS = {
    STGCN: [("graph_conv", "temporal.0")],
    STGCNPP: [_AFTER_GRAPH],
    AAGCN: [_AFTER_GRAPH],
    CTRGCN: [_AFTER_GRAPH],
    DGSTGCN: [("graph_conv.merge", "graph_norm")],
    DynamicGraphConv: [("split", "split_norm")],
    DynamicTemporalConv: [_AFTER_REDUCE],
    MSG3D: [_AFTER_GRAPH],
    WindowGraphConv: [_AFTER_GRAPH, ("collapse", "norm")],
    MultiScaleTemporalConv: [_AFTER_REDUCE, ("", "mix.0")],
    NormedTemporalBranches: [_AFTER_REDUCE, ("", "norm")],
}
"""Convolutions and the norms behind them, by name, in the layers that we know; "" is the layer
itself, whose branches the norm follows. In an `nn.Sequential` a norm follows what is before it."""


_SCALED = (PointwiseConv, TemporalConv, AdaptiveGraphConv, DisentangledGraphConv)
"""Convolutions that can take up a norm in their own weights."""


@torch.no_grad()
def fold_norms(layers: nn.Module) -> None:
    """Fold every norm that follows a linear map into it, in place; exact up to rounding.

    Layers that we do not know, subclasses of ours included, keep their norms, and so does a norm
    that follows something else. Those that we know compute in place afterwards.

    Args:
        layers: Layers in eval mode; best in float64.
    """
    for layer in list(layers.modules()):
        pairs = _PAIRS.get(type(layer), [])
        if type(layer) is nn.Sequential:
            pairs = list(pairwise(name for name, _ in layer.named_children()))
        for conv_name, norm_name in pairs:
            conv, norm = layer.get_submodule(conv_name), layer.get_submodule(norm_name)
            folded = _fold(conv, norm) if type(norm) is BatchNorm else None
            if folded is not None:
                layer.set_submodule(norm_name, nn.Identity())
            if folded not in (None, conv):
                layer.set_submodule(conv_name, folded)
        if type(layer) in _PAIRS:
            for module in layer.modules():
                if isinstance(module, nn.ReLU):
                    module.inplace = True  # in all of these, what comes in is nobody else's


def _fold(conv: nn.Module, norm: BatchNorm) -> nn.Module | None:
    """What takes the place of a convolution and the norm behind it; None where nothing can."""
    scale, shift = (value.to(norm.weight.dtype) for value in affine(norm))
    if type(conv) in (GraphConv, LearnedGraphConv):
        return FoldedGraphConv(conv, scale, shift)
    if type(conv) is CTRGraphConv:
        return FoldedCTRGraphConv(conv, scale, shift)
    if type(conv) in (MultiScaleTemporalConv, NormedTemporalBranches):
        _fold_branches(conv, scale, shift)
    elif type(conv) in _SCALED:
        _scale(conv, scale, shift)
    else:
        return None
    return conv


def _scale(conv: nn.Module, scale: Tensor, shift: Tensor) -> None:
    """Scale and shift what a convolution gives, by its own weights."""
    weight = conv.weight
    channels_first = not isinstance(conv, DisentangledGraphConv)  # else [K, C_out, C_in]
    weight.mul_(scale.view(-1, *[1] * (weight.dim() - 1)) if channels_first else scale[:, None])
    conv.bias.mul_(scale)
    (conv.bias[0] if conv.bias.dim() > 1 else conv.bias).add_(shift)  # partitions are summed


def _fold_branches(conv: TemporalBranches, scale: Tensor, shift: Tensor) -> None:
    """Each branch takes its channels of the norm; the max-pool keeps them, in a norm behind it."""
    widths = [*conv.widths, conv.pointwise.out_features]
    *dilated, pooled, pointwise = zip(scale.split(widths), shift.split(widths), strict=True)
    for branch, values in zip([*conv.dilated, conv.pointwise], [*dilated, pointwise], strict=True):
        _scale(branch, *values)
    rest = nn.BatchNorm2d(len(pooled[0]), eps=0.0).to(scale).eval()  # channels are axis 1 here
    rest.weight.copy_(pooled[0])
    rest.bias.copy_(pooled[1])
    conv.pool = nn.Sequential(conv.pool, rest)

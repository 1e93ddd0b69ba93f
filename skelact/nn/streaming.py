"""Layers that take one frame at a time, ``[P, N, C]``, and answer as they would for a whole clip.

What a kernel over frames needs of earlier frames is kept (`FrameBuffer`), so every frame is
convolved once. There are no frames before the first: nothing is padded, and an answer comes when
the kernel is full. Batch norms, as in eval mode, are folded into the products before them.

Source: Hedegaard et al., "Continual Spatio-Temporal Graph Convolutional Networks", Pattern
Recognition 2023; theirs sets temporal strides to 1, here a strided layer answers every
``stride``-th frame.
"""

import copy
import math

import torch
from torch import Tensor, nn

from skelact.nn.ctr_gc import CTRGraphConv
from skelact.nn.ctrgcn import CTRGCN
from skelact.nn.frame_buffer import FrameBuffer
from skelact.nn.graph_conv import GraphConv
from skelact.nn.multi_scale_temporal import POOLED_FRAMES, TemporalBranches
from skelact.nn.product import Product, affine, fold, join
from skelact.nn.running_mean import RunningMean
from skelact.nn.stgcn import STGCN
from skelact.nn.stgcn_pp import STGCNPP
from skelact.nn.unpadded import check_streamable, extent


class StreamedLayer(nn.Module):
    """A graph convolution, a convolution over frames, and a residual that waits for it.

    Args:
        graph: Maps a frame ``[P, N, C_in]`` to ``[P, N, C_out]``.
        temporal: Maps a frame to ``[P, N, C_out]``, or to None where it has no answer.
        shortcut: The residual's convolution and norm, `nn.Identity`, or None for no residual.
        span: Frames under the convolution over frames.

    Attributes:
        memory: How many of its last frames an answer depends on; may be infinite.

    Shapes:
        input ``[P, N, C_in]``; output ``[P, N, C_out]``, or None where there is no answer.
    """

    def __init__(self, graph: nn.Module, temporal: nn.Module, shortcut: nn.Module | None,
                 span: int):
        super().__init__()
        self.graph = graph
        self.temporal = temporal
        self.shortcut = None if shortcut is None else _fold_shortcut(shortcut)
        self.waiting = None if shortcut is None else FrameBuffer(span // 2 + 1)
        self.memory = span - 1 + graph.memory

    def forward(self, frame: Tensor) -> Tensor | None:
        """Take one frame."""
        if self.waiting is not None:
            self.waiting.push(frame)
        answer = self.temporal(self.graph(frame))
        if answer is None:
            return None
        if self.shortcut is not None:
            answer += self.shortcut(self.waiting.window()[:, :, 0])
        return answer.relu_()


class StreamedGraphConv(nn.Module):
    """``relu(norm(graph(x)) + shortcut(x))`` of one frame.

    A shortcut that convolves is one partition more, each joint linked to itself, so that one
    product mixes all channels.

    Args:
        conv: The graph convolution.
        norm: Its norm.
        shortcut: A convolution and its norm, `nn.Identity`, or None for no residual.
    """

    memory = 1

    def __init__(self, conv: GraphConv, norm: nn.BatchNorm2d, shortcut: nn.Module | None = None):
        super().__init__()
        adjacency = conv.weighted_adjacency().detach().double()
        scale, shift = affine(norm)
        weight = conv.weight.detach().double().transpose(1, 2) * scale  # [K, C_in, C_out]
        offset = adjacency.sum(dim=1).T @ conv.bias.detach().double() * scale + shift
        self.identity = isinstance(shortcut, nn.Identity)
        if shortcut is not None and not self.identity:
            own = fold(*shortcut)
            itself = torch.eye(adjacency.shape[1]).to(adjacency)
            adjacency = torch.cat([adjacency, itself[None]])
            weight, offset = torch.cat([weight, own.weight[None].double()]), offset + own.bias
        rows = adjacency.permute(2, 0, 1).flatten(0, 1)  # [N K, N], as in GraphConv
        self.register_buffer("rows", rows.to(conv.weight.dtype, copy=True))
        self.register_buffer("mixer", weight.flatten(0, 1).to(conv.weight.dtype))
        self.register_buffer("offset", offset.to(conv.weight.dtype))

    def forward(self, frame: Tensor) -> Tensor:
        """Convolve over joints; ``[P, N, C_in]`` to ``[P, N, C_out]``."""
        people, joints, _ = frame.shape
        aggregated = torch.bmm(self.rows.expand(people, -1, -1), frame)
        mixed = torch.mm(aggregated.view(people * joints, len(self.mixer)), self.mixer)
        mixed = mixed.view(people, joints, self.mixer.shape[1]).add_(self.offset)
        if self.identity:
            mixed += frame
        return mixed.relu_()


class StreamedRefinedGraphConv(nn.Module):
    """`StreamedGraphConv` whose topology every frame refines.

    Args:
        conv: The graph convolution. For clips it takes the mean over all frames; here, over those
            so far.
        norm: Its norm.
        shortcut: A convolution and its norm, or `nn.Identity`.
        last: Take the mean over so many last frames; None for all.
    """

    def __init__(self, conv: CTRGraphConv, norm: nn.BatchNorm2d, shortcut: nn.Module,
                 last: int | None):
        super().__init__()
        self.conv = copy.deepcopy(conv).requires_grad_(False)
        self.mean = RunningMean(last)
        self.memory = last or math.inf
        scale, shift = affine(norm)
        self.register_buffer("scale", scale.to(conv.weight.dtype))
        self.register_buffer("shift", shift.to(conv.weight.dtype))
        self.shortcut = _fold_shortcut(shortcut)

    def forward(self, frame: Tensor) -> Tensor:
        """Convolve over joints; ``[P, N, C_in]`` to ``[P, N, C_out]``."""
        topologies, offset = self.conv.refine(self.mean.push(frame))
        convolved = self.conv.aggregate(frame[..., None], topologies, offset)[..., 0]
        normed = torch.addcmul(self.shift, convolved, self.scale)
        return normed.add_(self.shortcut(frame)).relu_()


class StreamedTemporalConv(nn.Module):
    """A convolution over frames and its norm.

    Args:
        conv: The convolution.
        norm: Its norm.
        span: Frames under it.
        stride: Answer every ``stride``-th frame.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d, span: int, stride: int):
        super().__init__()
        self.dilation = conv.dilation[0]
        self.kept = FrameBuffer(span, stride)
        self.mix = fold(conv, norm)

    def forward(self, frame: Tensor) -> Tensor | None:
        """Take one frame ``[P, N, C]``."""
        if not self.kept.push(frame):
            return None
        return self.mix(self.kept.window()[:, :, :: self.dilation])


class StreamedBranches(nn.Module):
    """Several convolutions over frames, side by side, and the norm behind them.

    All branches begin with one product. What it gives is kept until the widest kernel is full; the
    others look at the middle of it.

    Args:
        clip: What they do for clips.
        norm: The norm behind them.
        relu: Whether a relu follows it.
        span: Frames under the widest.
        stride: Answer every ``stride``-th frame.
        mix: A product behind that.
    """

    def __init__(self, clip: TemporalBranches, norm: nn.BatchNorm2d, relu: bool, span: int,
                 stride: int, mix: Product | None = None):
        super().__init__()
        self.widths = [*clip.widths, clip.pointwise.out_features]
        self.under = [_under(conv.kernel_size[0], conv.dilation[0], span)
                      for conv in clip.dilated]
        self.pooled = _under(POOLED_FRAMES, 1, span)
        self.kept = FrameBuffer(span, stride)
        self.reduce = join(fold(clip.reduce, clip.reduce_norm), fold(clip.pointwise))
        self.dilated = nn.ModuleList(fold(conv) for conv in clip.dilated)
        scale, shift = affine(norm)
        self.register_buffer("scale", scale.to(clip.reduce.weight.dtype))
        self.register_buffer("shift", shift.to(clip.reduce.weight.dtype))
        self.relu = relu
        self.mix = mix

    def forward(self, frame: Tensor) -> Tensor | None:
        """Take one frame ``[P, N, C]``."""
        reduced = self.reduce(frame)
        reduced[..., : -self.widths[-1]].relu_()  # all branches but the 1x1
        if not self.kept.push(reduced):
            return None
        *dilated, pooled, pointwise = self.kept.window().split(self.widths, dim=3)
        branches = [conv(part[:, :, under])
                    for conv, part, under in zip(self.dilated, dilated, self.under, strict=True)]
        branches.append(pooled[:, :, self.pooled].amax(dim=2))
        branches.append(pointwise[:, :, self.kept.span // 2])
        joined = torch.addcmul(self.shift, torch.cat(branches, dim=2), self.scale)
        if self.relu:
            joined.relu_()
        return joined if self.mix is None else self.mix(joined)


def stream(layer: nn.Module, last: int | None = None) -> StreamedLayer:
    """A layer's weights, as they are now, at work on one frame at a time.

    Args:
        layer: Of ST-GCN, ST-GCN++ or CTR-GCN.
        last: Where it takes a mean over time: over so many last frames, None for all.

    Raises:
        ChoiceError: There is no such form of the layer.
    """
    check_streamable(layer)
    span, stride = extent(layer)
    if isinstance(layer, STGCN):
        norm, _, conv, conv_norm, _ = layer.temporal
        graph = StreamedGraphConv(layer.graph_conv, norm)
        temporal = StreamedTemporalConv(conv, conv_norm, span, stride)
    elif isinstance(layer, STGCNPP):
        norm, _, mix, mix_norm, _ = layer.temporal.mix
        graph = StreamedGraphConv(layer.graph_conv, layer.graph_norm, layer.graph_shortcut)
        temporal = StreamedBranches(layer.temporal, norm, True, span, stride, fold(mix, mix_norm))
    elif isinstance(layer, CTRGCN):
        graph = StreamedRefinedGraphConv(layer.graph_conv, layer.graph_norm,
                                         layer.graph_shortcut, last)
        temporal = StreamedBranches(layer.temporal, layer.temporal.norm,
                                    isinstance(layer.temporal_relu, nn.ReLU), span, stride)
    return StreamedLayer(graph, temporal, layer.shortcut, span)


def _fold_shortcut(shortcut: nn.Module) -> nn.Module:
    return nn.Identity() if isinstance(shortcut, nn.Identity) else fold(*shortcut)


def _under(kernel_size: int, dilation: int, span: int) -> slice:
    """The frames under a kernel in the middle of ``span`` frames."""
    reach = kernel_size // 2 * dilation
    return slice(span // 2 - reach, span // 2 + reach + 1, dilation)

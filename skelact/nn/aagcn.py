"""The layer of AAGCN, and without its attention that of 2s-AGCN."""

import math

import torch
from torch import Tensor, nn

from skelact.graph.graph import Graph
from skelact.nn.layer import SkeletonLayer
from skelact.nn.pointwise_conv import PointwiseConv, mix_channels
from skelact.nn.shortcut import FIRST_SCALE, make_shortcut
from skelact.nn.temporal_conv import BatchNorm, TemporalConv

ATTENDED_FRAMES = 9
"""Frames under the kernel of the attention over frames."""


class AdaptiveGraphConv(nn.Module):
    """Graph convolution whose adjacency is learned, and adapts to each person's motion.

    ``y = sum over k of W_k x (A_k + alpha tanh(q_k(x)^T r_k(x) / (E T))) + b_k`` with a learned
    adjacency A that starts as the graph's, and the similarity of any two joints over all frames,
    in E channels that 1x1 convolutions q_k and r_k give.

    alpha starts at 0, so ``embed`` has no gradient in the very first step.

    Joints are aggregated before channels are mixed, as in `GraphConv`; the 1x1 convolutions of all
    partitions are one product, and so are the two sides' embeddings.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        graph: The skeleton with its K partitions.
        adaptive: Learn A and add the similarity; otherwise A is the graph's, and stays.
        reduction: E is ``out_channels / reduction``, at least 1.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, T]``.

    Source: Shi et al., "Two-Stream Adaptive Graph Convolutional Networks for Skeleton-Based Action
    Recognition", CVPR 2019, equation 3; tanh and alpha are those of Shi et al., TIP 2020.
    """

    def __init__(
        self, in_channels: int, out_channels: int, graph: Graph, adaptive: bool = True,
        reduction: int = 4,
    ):
        super().__init__()
        adjacency = torch.from_numpy(graph.adjacency.copy()).to(torch.get_default_dtype())
        self.weight = nn.Parameter(torch.empty(out_channels, len(adjacency) * in_channels))
        self.bias = nn.Parameter(torch.zeros(len(adjacency), out_channels))
        nn.init.kaiming_uniform_(self.weight, math.sqrt(5))  # as torch's own 1x1 convolution
        if not adaptive:
            self.register_buffer("adjacency", adjacency)
            self.embed = None
            return
        self.adjacency = nn.Parameter(adjacency)
        self.alpha = nn.Parameter(torch.zeros(1))
        width = max(out_channels // reduction, 1)
        self.embed = PointwiseConv(in_channels, 2 * len(adjacency) * width)
        nn.init.normal_(self.embed.weight, std=math.sqrt(2 / width))
        nn.init.zeros_(self.embed.bias)

    def adapted_adjacency(self, features: Tensor) -> Tensor:
        """``[B, K, N, N]``, or ``[K, N, N]`` for all, as [.., partition, source, target]."""
        if self.embed is None:
            return self.adjacency
        embedded = self.embed(features).permute(0, 3, 1, 2)  # [B, T, N, 2 K E], as it lies
        split = embedded.unflatten(3, (2, len(self.adjacency), -1))
        sources, targets = split.permute(3, 0, 4, 2, 1, 5).flatten(4)  # each [B, K, N, T E]
        similarity = torch.matmul(sources, targets.transpose(2, 3)) / sources.shape[3]
        return self.adjacency + self.alpha * torch.tanh(similarity)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over joints; ``[B, N, C_in, T]`` to ``[B, N, C_out, T]``."""
        by_frame = features.permute(0, 3, 1, 2)
        frames = by_frame.flatten(0, 1)
        # rows ordered target-major, so that the product is [.., N, K C] without a copy
        rows = self.adapted_adjacency(features).movedim(-1, -3).flatten(-3, -2)
        rows = rows.to(features.dtype).unsqueeze(-3)
        rows = rows.expand(*by_frame.shape[:2], -1, -1).flatten(0, 1)
        aggregated = torch.bmm(rows, frames).view(*by_frame.shape[:3], self.weight.shape[1])
        return mix_channels(aggregated.permute(0, 2, 3, 1), self.weight, self.bias.sum(dim=0))


class GatedAttention(nn.Module):
    """Attention to joints, then to frames, then to channels.

    Each multiplies by ``1 + sigmoid(f(mean of x over all else))``; f is a convolution along the
    joints in their order, one over frames, and two linear layers for channels. The last layers for
    frames and channels start at 0, so the first for channels has no gradient in the very first
    step; with very few channels its ReLU may let none through at all.

    Args:
        channels: C.
        num_joints: N.

    Shapes:
        input and output ``[B, N, C, T]``.

    Source: Shi et al., "Skeleton-Based Action Recognition With Multi-Stream Adaptive Graph
    Convolutional Networks", TIP 2020, section III-D.
    """

    def __init__(self, channels: int, num_joints: int):
        super().__init__()
        kernel_size = num_joints - 1 + num_joints % 2  # odd, and as wide as that allows
        hidden = max(channels // 2, 1)
        self.joints = nn.Conv1d(channels, 1, kernel_size, padding=kernel_size // 2)
        self.frames = nn.Conv1d(channels, 1, ATTENDED_FRAMES, padding=ATTENDED_FRAMES // 2)
        self.channels = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(),
                                      nn.Linear(hidden, channels))
        nn.init.xavier_normal_(self.joints.weight)
        nn.init.zeros_(self.joints.bias)
        for last in (self.frames, self.channels[-1]):  # at first, all frames and channels alike
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Weigh joints, frames and channels; the shape stays."""
        by_frame = features.permute(0, 3, 1, 2)
        joints = 1 + torch.sigmoid(self.joints(by_frame.mean(dim=1).transpose(1, 2)))
        by_frame = by_frame * joints.transpose(1, 2).unsqueeze(1)
        # what follows is the same for all joints, so only their mean is needed
        pooled = by_frame.mean(dim=2)  # [B, T, C]
        frames = 1 + torch.sigmoid(self.frames(pooled.transpose(1, 2)).transpose(1, 2))
        channels = 1 + torch.sigmoid(self.channels((pooled * frames).mean(dim=1)))
        gate = frames * channels.unsqueeze(1)
        return (by_frame * gate.unsqueeze(2)).permute(0, 2, 3, 1)


class AAGCN(SkeletonLayer):
    """One AAGCN layer: adaptive graph convolution, attention, temporal convolution, residuals.

    ``z = attention(relu(bn(graph(x)) + residual(x)))``, ``y = relu(bn(temporal(z)) + residual(x))``

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        graph: The skeleton; its partitions are the first values of the learned adjacency.
        kernel_size: Frames under the temporal kernel, odd.
        stride: Answer every ``stride``-th frame.
        residual: Add the input to the output; through a strided 1x1 convolution where its shape
            differs. The residual of the graph convolution is always there.
        adaptive: Learn the adjacency and let it depend on the motion; see `AdaptiveGraphConv`.
        attention: Weigh joints, frames and channels; without it, this is 2s-AGCN's layer.
        reduction: How many times fewer channels compare joints.
        dropout: Share of features zeroed in training.

    Shapes:
        input ``[..., N, C_in, T]`` with any leading axes, also none; output
        ``[..., N, C_out, ceil(T / stride)]``.

    Raises:
        LayoutError: The input has another number of joints than the graph.
        ShapeError: The input has another number of channels than ``in_channels``.
        ChoiceError: ``kernel_size`` is even or not positive.

    Source: Shi et al., TIP 2020, section III; without attention Shi et al., CVPR 2019.

    Example:
        >>> layer = AAGCN(3, 64, Graph("coco17", "inward_outward"))
        >>> layer(torch.randn(17, 3, 64)).shape
        torch.Size([17, 64, 64])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        graph: Graph,
        kernel_size: int = 9,
        stride: int = 1,
        residual: bool = True,
        adaptive: bool = True,
        attention: bool = True,
        reduction: int = 4,
        dropout: float = 0.0,
    ):
        super().__init__(graph.layout, in_channels)
        self.graph_conv = AdaptiveGraphConv(in_channels, out_channels, graph, adaptive, reduction)
        self.graph_norm = BatchNorm(out_channels)
        nn.init.constant_(self.graph_norm.weight, FIRST_SCALE)
        self.graph_shortcut = make_shortcut(in_channels, out_channels)
        self.attention = GatedAttention(out_channels, graph.num_joints) if attention else None
        self.temporal = nn.Sequential(
            TemporalConv(out_channels, out_channels, kernel_size, stride),
            BatchNorm(out_channels),
            nn.Dropout(dropout),
        )
        self.shortcut = make_shortcut(in_channels, out_channels, stride) if residual else None
        self.relu = nn.ReLU()  # in place on a view is slow backward

    def convolve(self, features: Tensor) -> Tensor:
        """Run the layer; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        mixed = self.relu(self.graph_norm(self.graph_conv(features))
                          + self.graph_shortcut(features))
        convolved = self.temporal(mixed if self.attention is None else self.attention(mixed))
        if self.shortcut is not None:
            convolved = convolved + self.shortcut(features)
        return self.relu(convolved)

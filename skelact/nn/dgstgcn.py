"""The layer of DG-STGCN: topologies that are learned and that follow the clip."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skelact.graph.layouts import Layout
from skelact.nn.layer import SkeletonLayer
from skelact.nn.multi_scale_temporal import MultiScaleTemporalConv
from skelact.nn.pointwise_conv import PointwiseConv
from skelact.nn.shortcut import make_shortcut
from skelact.nn.temporal_conv import BatchNorm

TOPOLOGY_MEAN, TOPOLOGY_STD = 0.04, 0.02
"""Of the entries of a fresh topology, as published."""


class DynamicGraphConv(nn.Module):
    """Graph convolution in K groups of channels, each with a topology of its own (DG-GCN).

    No skeleton graph is given. With ``p, q = relate(mean of x over time)`` split into K groups of
    channels c, the topology of a clip's channel is

    ``A_kc[source, target] = A_k[source, target]
    + channel_strength * tanh(p_kc[source] - q_kc[target])
    + joint_strength * softmax over source (sum over c of p_kc[source] q_kc[target])``

    and ``y = merge(cat over k, c of sum over source of A_kc[source] * relu(bn(split(x)))_kc)``.

    The strengths start at 0: until they have moved, no gradient reaches ``relate``.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        num_joints: N.
        topologies: K.
        ratio: Channels of a group, as a share of ``out_channels``; at least one channel.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, T]``.

    Source: Duan et al., "DG-STGCN: Dynamic Spatial-Temporal Modeling for Skeleton-based Action
    Recognition", arXiv 2210.05895, 2022, section 3.3.
    """

    def __init__(
        self, in_channels: int, out_channels: int, num_joints: int, topologies: int = 8,
        ratio: float = 0.125,
    ):
        super().__init__()
        width = topologies * group_width(out_channels, ratio)
        self.topology = nn.Parameter(torch.empty(topologies, num_joints, num_joints))
        self.channel_strength = nn.Parameter(torch.zeros(1))
        self.joint_strength = nn.Parameter(torch.zeros(1))
        self.relate = PointwiseConv(in_channels, 2 * width)
        self.split = PointwiseConv(in_channels, width)
        self.split_norm = BatchNorm(width)
        self.merge = PointwiseConv(width, out_channels)
        self.relu = nn.ReLU()
        nn.init.normal_(self.topology, TOPOLOGY_MEAN, TOPOLOGY_STD)

    def topologies(self, features: Tensor) -> Tensor:
        """``[B, K, C / K, N, N]`` topology of every channel, as [source, target]."""
        groups = len(self.topology)
        related = self.relate(features.mean(dim=3, keepdim=True))
        # [B, N, 2 K c, 1] to two of [B, K, c, N]
        pair = related[..., 0].unflatten(2, (2, groups, -1)).permute(2, 0, 3, 4, 1)
        source, target = pair[0], pair[1]
        by_channel = torch.tanh(source.unsqueeze(4) - target.unsqueeze(3))
        affinity = source.transpose(2, 3).flatten(0, 1) @ target.flatten(0, 1)
        by_joint = affinity.unflatten(0, pair.shape[1:3]).unsqueeze(2).softmax(dim=3)
        shared = self.topology.unsqueeze(1) + self.joint_strength * by_joint
        return torch.addcmul(shared, self.channel_strength, by_channel)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over joints; ``[B, N, C_in, T]`` to ``[B, N, C_out, T]``."""
        joints, frames = features.shape[1], features.shape[3]
        # Every channel has its own topology, so for once the joints must be innermost: products
        # with one factor transposed go to [B, C, T, N] and back without a copy.
        by_frame = features.permute(0, 3, 1, 2).flatten(1, 2)  # [B, T N, C]
        split = _product(self.split, by_frame, channels_first=True)
        split = split.unflatten(2, (frames, joints)).permute(0, 3, 1, 2)
        split = self.relu(self.split_norm(split)).permute(0, 2, 3, 1)  # [B, K c, T, N]
        topologies = self.topologies(features).to(split.dtype).flatten(1, 2)
        aggregated = torch.bmm(split.flatten(0, 1), topologies.flatten(0, 1))
        merged = _product(self.merge, aggregated.view(split.shape).flatten(2).mT)
        return merged.unflatten(1, (frames, joints)).permute(0, 2, 3, 1)


class JointFusion(nn.Module):
    """Add the last of N + 1 joints, which stands for them all, to each of the others.

    Args:
        num_joints: N.

    Shapes:
        input ``[B, N + 1, C, T]``, output ``[B, N, C, T]``.
    """

    def __init__(self, num_joints: int):
        super().__init__()
        self.coefficients = nn.Parameter(torch.zeros(num_joints))

    def forward(self, features: Tensor) -> Tensor:
        """Fuse; ``[B, N + 1, C, T]`` to ``[B, N, C, T]``."""
        # taken apart in the order of memory, [B, T, N, C], so that gradients keep it
        by_frame = features.permute(0, 3, 1, 2)
        joints, everyone = by_frame.split([len(self.coefficients), 1], dim=2)
        return torch.addcmul(joints, self.coefficients[:, None], everyone).permute(0, 2, 3, 1)


class DynamicTemporalConv(MultiScaleTemporalConv):
    """Multi-scale temporal convolution that sees the whole skeleton at every joint (DG-TCN).

    The mean of the joints is convolved as one more joint, and what comes out is added to that of
    every joint, times a coefficient that the joint learns (first 0), before the branches are mixed.

    Args:
        num_joints: N.
        in_channels: C of the input.
        out_channels: C of the output.
        kernel_size: Frames under each dilated kernel, odd.
        stride: Answer every ``stride``-th frame.
        dilations: Steps between the frames under the kernels, one branch each.
        dropout: Share of features zeroed in training.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, ceil(T / stride)]``.

    Raises:
        ChoiceError: ``kernel_size`` is even or not positive.

    Source: Duan et al., arXiv 2210.05895, 2022, section 3.4.
    """

    def __init__(
        self, num_joints: int, in_channels: int, out_channels: int, kernel_size: int = 3,
        stride: int = 1, dilations: Sequence[int] = (1, 2, 3, 4), dropout: float = 0.0,
    ):
        super().__init__(in_channels, out_channels, kernel_size, stride, tuple(dilations), dropout)
        self.mix.insert(0, JointFusion(num_joints))

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over frames; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        by_frame = features.permute(0, 3, 1, 2)
        extended = torch.cat([by_frame, by_frame.mean(dim=2, keepdim=True)], dim=2)
        return super().forward(extended.permute(0, 2, 3, 1))


class DGSTGCN(SkeletonLayer):
    """One DG-STGCN layer: graph convolution with a residual, temporal convolution, residual.

    ``z = relu(bn(graph(x)) + residual(x))``, ``y = relu(temporal(z) + residual(x))``

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        layout: The skeleton; only its number of joints matters.
        topologies: Number of learned topologies K.
        ratio: Channels that share a topology, as a share of ``out_channels``.
        kernel_size: Frames under each temporal kernel, odd.
        stride: Answer every ``stride``-th frame.
        dilations: Steps between the frames under the temporal kernels, one branch each.
        residual: Add the input to the output; through a strided 1x1 convolution where its shape
            differs. The residual of the graph convolution is always there.
        dropout: Share of features zeroed in training.

    Shapes:
        input ``[..., N, C_in, T]`` with any leading axes, also none; output
        ``[..., N, C_out, ceil(T / stride)]``.

    Raises:
        LayoutError: The input has another number of joints than the layout.
        ShapeError: The input has another number of channels than ``in_channels``.
        ChoiceError: ``kernel_size`` is even or not positive.

    Source: Duan et al., "DG-STGCN: Dynamic Spatial-Temporal Modeling for Skeleton-based Action
    Recognition", arXiv 2210.05895, 2022.

    Example:
        >>> layer = DGSTGCN(3, 64, "coco17")
        >>> layer(torch.randn(17, 3, 64)).shape
        torch.Size([17, 64, 64])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        layout: str | Layout,
        topologies: int = 8,
        ratio: float = 0.125,
        kernel_size: int = 3,
        stride: int = 1,
        dilations: Sequence[int] = (1, 2, 3, 4),
        residual: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__(layout, in_channels)
        joints = self.layout.num_joints
        self.graph_conv = DynamicGraphConv(in_channels, out_channels, joints, topologies, ratio)
        self.graph_norm = BatchNorm(out_channels)
        self.graph_shortcut = make_shortcut(in_channels, out_channels)
        self.temporal = DynamicTemporalConv(joints, out_channels, out_channels, kernel_size,
                                            stride, dilations, dropout)
        self.shortcut = make_shortcut(in_channels, out_channels, stride) if residual else None
        self.relu = nn.ReLU()  # in place on a view is slow backward

    def convolve(self, features: Tensor) -> Tensor:
        """Run the layer; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        mixed = self.graph_norm(self.graph_conv(features)) + self.graph_shortcut(features)
        convolved = self.temporal(self.relu(mixed))
        if self.shortcut is not None:
            convolved = convolved + self.shortcut(features)
        return self.relu(convolved)


def group_width(out_channels: int, ratio: float) -> int:
    """Channels that share a learned topology: a share of all, rounded down, at least one."""
    return max(int(ratio * out_channels + 1e-6), 1)  # 7 / 60 * 60 may be 6.999...


def _product(conv: PointwiseConv, values: Tensor, channels_first: bool = False) -> Tensor:
    """A 1x1 convolution of ``[B, T N, C_in]``, in any order of memory, to new memory.

    Returns:
        ``[B, T N, C_out]``; with ``channels_first``, ``[B, C_out, T N]``.
    """
    # cast before it is expanded, or autocast would cast it once a person
    weight = conv.weight.to(values.dtype).expand(values.shape[0], -1, -1)
    if channels_first:
        return torch.baddbmm(conv.bias.to(values.dtype)[:, None], weight, values.mT)
    return torch.baddbmm(conv.bias.to(values.dtype), values, weight.mT)

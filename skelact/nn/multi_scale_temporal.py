"""Convolution over frames at several scales at once."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skelact.errors import ChoiceError
from skelact.nn.pointwise_conv import PointwiseConv
from skelact.nn.temporal_conv import BatchNorm, TemporalConv

POOLED_FRAMES = 3
"""Frames under the window of the max-pool branch."""


class TemporalBranches(nn.Module):
    """Temporal convolutions of several dilations, a max-pool and a 1x1, side by side.

    ``y = cat(branches(x))`` with the branches ``conv_d(relu(bn(reduce_d(x))))`` for every
    dilation d, ``maxpool(relu(bn(reduce(x))))`` over 3 frames, and ``reduce(x)``. Every
    ``reduce`` is a 1x1 convolution; those that a norm follows are one product and one norm here,
    which gives the same numbers.

    Args:
        in_channels: C of the input.
        widths: Channels of each dilated branch, then of the max-pool branch.
        pointwise_width: Channels of the 1x1 branch.
        kernel_size: Frames under each dilated kernel, odd.
        stride: Answer every ``stride``-th frame.
        dilations: Steps between the frames under the kernels, one branch each.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, sum of all widths, ceil(T / stride)]``.

    Raises:
        ChoiceError: ``kernel_size`` is even or not positive.

    Source: Liu et al., "Disentangling and Unifying Graph Convolutions for Skeleton-Based Action
    Recognition" (MS-G3D), CVPR 2020, section 3.4.
    """

    def __init__(
        self, in_channels: int, widths: Sequence[int], pointwise_width: int, kernel_size: int,
        stride: int, dilations: Sequence[int],
    ):
        super().__init__()
        self.widths = list(widths)  # of the branches behind the norm
        self.reduce = PointwiseConv(in_channels, sum(self.widths))
        self.reduce_norm = BatchNorm(sum(self.widths))
        self.dilated = nn.ModuleList(
            TemporalConv(channels, channels, kernel_size, stride, dilation)
            for channels, dilation in zip(self.widths, dilations, strict=False)
        )
        self.pool = nn.MaxPool2d((POOLED_FRAMES, 1), (stride, 1), (POOLED_FRAMES // 2, 0))
        self.pointwise = PointwiseConv(in_channels, pointwise_width, stride)
        self.relu = nn.ReLU()  # in place on a view is slow backward

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over frames; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        reduced = self.relu(self.reduce_norm(self.reduce(features)))
        # split and joined in the order of memory, [B, T, N, C], so that gradients keep it
        parts = reduced.permute(0, 3, 1, 2).split(self.widths, dim=3)
        *dilated, pooled = (part.permute(0, 2, 3, 1) for part in parts)
        branches = [conv(part) for conv, part in zip(self.dilated, dilated, strict=True)]
        branches.append(self.pool(pooled.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))
        branches.append(self.pointwise(features))
        joined = torch.cat([branch.permute(0, 3, 1, 2) for branch in branches], dim=3)
        return joined.permute(0, 2, 3, 1)


class MultiScaleTemporalConv(TemporalBranches):
    """`TemporalBranches` whose channels are mixed in the end, as in ST-GCN++.

    ``y = dropout(bn(mix(relu(bn(branches(x))))))``; every branch has about
    ``out_channels / branches`` channels, the first one what is left over.

    Args:
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

    Source: Duan et al., "PYSKL: Towards Good Practices for Skeleton Action Recognition", ACM MM
    2022, section 3.2.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1,
        dilations: tuple[int, ...] = (1, 2, 3, 4), dropout: float = 0.0,
    ):
        first, width = branch_widths(out_channels, len(dilations) + 2)
        widths = [first] + [width] * len(dilations)
        super().__init__(in_channels, widths, width, kernel_size, stride, dilations)
        self.mix = nn.Sequential(
            BatchNorm(sum(widths) + width),
            nn.ReLU(),
            PointwiseConv(sum(widths) + width, out_channels),
            BatchNorm(out_channels),
            nn.Dropout(dropout),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over frames; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        return self.mix(super().forward(features))


class NormedTemporalBranches(TemporalBranches):
    """`TemporalBranches` with a norm after each, as in MS-G3D and CTR-GCN; nothing mixes them.

    ``y = bn(branches(x))``; one norm over the joined channels is that of every branch. Every
    branch has about ``out_channels / branches`` channels, the 1x1 one what is left over.

    Args:
        in_channels: C of the input.
        out_channels: C of the output, at least one a branch.
        kernel_size: Frames under each dilated kernel, odd.
        stride: Answer every ``stride``-th frame.
        dilations: Steps between the frames under the kernels, one branch each.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, ceil(T / stride)]``.

    Raises:
        ChoiceError: ``kernel_size`` is even or not positive, or there are fewer channels than
            branches.

    Source: Liu et al., CVPR 2020, section 3.4, with the max-pool and 1x1 branches of the released
    code.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 5, stride: int = 1,
        dilations: Sequence[int] = (1, 2),
    ):
        branches = len(dilations) + 2
        if out_channels < branches:
            raise ChoiceError(f"expected at least {branches} channels, one for each branch over "
                              f"frames, got {out_channels}")
        last, width = branch_widths(out_channels, branches)
        super().__init__(in_channels, [width] * (branches - 1), last, kernel_size, stride,
                         dilations)
        self.norm = BatchNorm(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over frames; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        return self.norm(super().forward(features))


def branch_widths(channels: int, branches: int) -> tuple[int, int]:
    """Channels of one branch and of every other one; together ``channels``.

    Fewer channels than branches give one channel each.
    """
    width = max(channels // branches, 1)
    return max(channels - (branches - 1) * width, 1), width

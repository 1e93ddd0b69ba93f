"""Convolution over frames at several scales at once."""

import torch
from torch import Tensor, nn

from skelact.nn.pointwise_conv import PointwiseConv
from skelact.nn.temporal_conv import BatchNorm, TemporalConv

POOLED_FRAMES = 3
"""Frames under the window of the max-pool branch."""


class MultiScaleTemporalConv(nn.Module):
    """Temporal convolutions of several dilations, a max-pool and a 1x1, side by side.

    ``y = dropout(bn(mix(relu(bn(cat(branches(x)))))))`` with the branches
    ``conv_d(relu(bn(reduce_d(x))))`` for every dilation d, ``maxpool(relu(bn(reduce(x))))`` over
    3 frames, and ``reduce(x)``. Every ``reduce`` is a 1x1 convolution to about
    ``out_channels / branches`` channels; those that a norm follows are one product and one norm
    here, which gives the same numbers.

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
    2022, section 3.2; the branches come from Liu et al., CVPR 2020 (MS-G3D).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1,
        dilations: tuple[int, ...] = (1, 2, 3, 4), dropout: float = 0.0,
    ):
        super().__init__()
        first, width = branch_widths(out_channels, len(dilations) + 2)
        self.widths = [first] + [width] * len(dilations)  # of the branches behind the norm
        self.reduce = PointwiseConv(in_channels, sum(self.widths))
        self.reduce_norm = BatchNorm(sum(self.widths))
        self.dilated = nn.ModuleList(
            TemporalConv(channels, channels, kernel_size, stride, dilation)
            for channels, dilation in zip(self.widths, dilations, strict=False)
        )
        self.pool = nn.MaxPool2d((POOLED_FRAMES, 1), (stride, 1), (POOLED_FRAMES // 2, 0))
        self.pointwise = PointwiseConv(in_channels, width, stride)
        self.relu = nn.ReLU()  # in place on a view is slow backward
        self.mix = nn.Sequential(
            BatchNorm(sum(self.widths) + width),
            nn.ReLU(),
            PointwiseConv(sum(self.widths) + width, out_channels),
            BatchNorm(out_channels),
            nn.Dropout(dropout),
        )

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
        return self.mix(joined.permute(0, 2, 3, 1))


def branch_widths(channels: int, branches: int) -> tuple[int, int]:
    """Channels of the first branch and of every other one; together ``channels``.

    Fewer channels than branches give one channel each.
    """
    width = max(channels // branches, 1)
    return max(channels - (branches - 1) * width, 1), width

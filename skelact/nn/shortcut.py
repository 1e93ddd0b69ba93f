"""The residual path beside a layer."""

from torch import nn

from skelact.nn.pointwise_conv import PointwiseConv
from skelact.nn.temporal_conv import BatchNorm

FIRST_SCALE = 1e-6
"""Of a fresh norm of the graph convolution, so that training starts from its residual."""


def make_shortcut(in_channels: int, out_channels: int, stride: int = 1) -> nn.Module:
    """The input as it is; a strided 1x1 convolution and a norm where the output's shape differs.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        stride: The layer answers every ``stride``-th frame.
    """
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    return nn.Sequential(
        PointwiseConv(in_channels, out_channels, stride),
        BatchNorm(out_channels),
    )

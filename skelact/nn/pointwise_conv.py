"""The 1x1 convolution: channels mixed alike in every joint and frame."""

import torch
from torch import Tensor, nn


class PointwiseConv(nn.Linear):
    """Mix the channels of every joint and frame.

    A convolution with a 1x1 kernel; written as a product because the library's convolutions take
    longer for it.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        stride: Answer every ``stride``-th frame.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, ceil(T / stride)]``.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1):
        super().__init__(in_channels, out_channels)
        self.stride = stride

    def forward(self, features: Tensor) -> Tensor:
        """Mix channels; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        return mix_channels(features, self.weight, self.bias, self.stride)


def mix_channels(features: Tensor, weight: Tensor, bias: Tensor, stride: int = 1) -> Tensor:
    """One product over the channels of every ``stride``-th frame.

    Args:
        features: ``[B, N, C_in, T]``.
        weight: ``[C_out, C_in]``.
        bias: ``[C_out]``.
        stride: Step between frames.

    Returns:
        ``[B, N, C_out, ceil(T / stride)]``.
    """
    by_frame = features.permute(0, 3, 1, 2)
    if stride > 1:
        # chosen after the permutation, so that gradients keep the order of memory; and by number,
        # because torch.export cannot tell that a slice is as long as a convolution
        kept = 1 + (by_frame.shape[1] - 1) // stride
        by_frame = by_frame.index_select(1, torch.arange(kept, device=features.device) * stride)
    # contiguous: one product whether gradients are needed or not, so the same rounding
    return nn.functional.linear(by_frame.contiguous(), weight, bias).permute(0, 2, 3, 1)

"""The 1x1 convolution: channels mixed alike in every joint and frame."""

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
        by_frame = features.permute(0, 3, 1, 2)  # sliced thereafter: gradients keep this order
        return super().forward(by_frame[:, :: self.stride]).permute(0, 2, 3, 1)

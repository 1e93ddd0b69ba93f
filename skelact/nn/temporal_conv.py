"""Convolution over the frames of each joint, and what goes with it."""

from torch import Tensor, nn

from skelact.errors import ChoiceError
from skelact.nn.pointwise_conv import mix_channels


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation of C on ``[B, N, C, T]`` (over B, N and T)."""

    def forward(self, features: Tensor) -> Tensor:
        """Normalise; the shape stays."""
        return super().forward(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class TemporalConv(nn.Conv2d):
    """Convolution over frames, the same for every joint.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        kernel_size: Frames under the kernel, odd, so that it has a middle.
        stride: Answer every ``stride``-th frame.
        dilation: Step between the frames under the kernel.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, ceil(T / stride)]``.

    Raises:
        ChoiceError: ``kernel_size`` is even or not positive.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1,
        dilation: int = 1,
    ):
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ChoiceError(f"expected an odd kernel_size (it needs a middle), got {kernel_size}")
        super().__init__(
            in_channels, out_channels, (kernel_size, 1), stride=(stride, 1),
            padding=((kernel_size - 1) * dilation // 2, 0), dilation=(dilation, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over frames; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        if self.kernel_size[0] == 1:
            # not by torch's convolution: the backward pass of its strided 1x1 one writes beyond
            # its memory on CPUs (2.15, channels-last, few channels)
            return mix_channels(features, self.weight[:, :, 0, 0], self.bias, self.stride[0])
        # the view [B, C, T, N] of node-major memory is what torch calls channels-last
        return super().forward(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

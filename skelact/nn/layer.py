"""What the layers of all networks have in common: their door."""

import math

from torch import Tensor, nn

from skelact.checks import check_shape
from skelact.graph.layouts import Layout, check_joints, get_layout


class SkeletonLayer(nn.Module):
    """A layer on joints with any leading axes; what it does stands in ``convolve``.

    Args:
        layout: The skeleton.
        in_channels: C of the input.

    Shapes:
        input ``[..., N, C_in, T]``, output ``[..., N, C_out, T']``.

    Raises:
        LayoutError: The input has another number of joints than the layout.
        ShapeError: The input has another number of channels than ``in_channels``.
    """

    def __init__(self, layout: str | Layout, in_channels: int):
        super().__init__()
        self.layout = get_layout(layout)
        self.in_channels = in_channels

    def forward(self, joints: Tensor) -> Tensor:
        """Run the layer; ``[..., N, C_in, T]`` to ``[..., N, C_out, T']``."""
        check_joints(joints, self.layout)
        check_shape(joints, ("...", "N", self.in_channels, "T"), "joints")
        leading = joints.shape[:-3]
        features = joints.reshape(math.prod(leading), *joints.shape[-3:])
        output = self.convolve(features)
        return output.reshape(*leading, *output.shape[1:])

    def convolve(self, features: Tensor) -> Tensor:
        """What the layer does; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        raise NotImplementedError

"""The block of MS-G3D: joints at many distances, at one frame and over windows of frames."""

from collections.abc import Sequence

from torch import Tensor, nn

from skelact.graph.layouts import Layout
from skelact.nn.disentangled_graph_conv import DisentangledGraphConv
from skelact.nn.layer import SkeletonLayer
from skelact.nn.multi_scale_temporal import NormedTemporalBranches
from skelact.nn.pointwise_conv import PointwiseConv
from skelact.nn.shortcut import make_shortcut
from skelact.nn.temporal_conv import BatchNorm

WINDOWS = (3, 5)
DILATIONS = (1, 2, 3, 4)


class WindowGraphConv(nn.Module):
    """Graph convolution over a window of frames, which is then collapsed to one frame (G3D).

    ``y = bn(collapse(relu(bn(graph(x)))))``; ``collapse`` mixes all frames and channels of a joint.

    Args:
        in_channels: C of the input.
        hidden_channels: Channels of every joint at every frame of the window.
        out_channels: C of the output.
        layout: The skeleton.
        scales: Number of distances told apart.
        window: Frames under a window, odd.
        stride: Answer every ``stride``-th frame.
        normalise: Of the graph, see `disentangled`.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, ceil(T / stride)]``.

    Raises:
        ChoiceError: ``window`` is even or not positive, or no such normalisation.

    Source: Liu et al., CVPR 2020, section 3.3.
    """

    def __init__(
        self, in_channels: int, hidden_channels: int, out_channels: int, layout: Layout,
        scales: int, window: int, stride: int = 1, normalise: str = "columns",
    ):
        super().__init__()
        self.window = window
        self.graph_conv = DisentangledGraphConv(in_channels, hidden_channels, layout, scales,
                                                window, stride, normalise)
        self.graph_norm = BatchNorm(hidden_channels)
        self.relu = nn.ReLU()
        self.collapse = PointwiseConv(window * hidden_channels, out_channels)
        self.norm = BatchNorm(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        hidden = self.relu(self.graph_norm(self.graph_conv(features)))
        by_frame = hidden.permute(0, 3, 1, 2).unflatten(2, (-1, self.window))  # [B, T, N, W, C]
        return self.norm(self.collapse(by_frame.flatten(3).permute(0, 2, 3, 1)))


class MSG3D(SkeletonLayer):
    """One block of MS-G3D.

    ``z = relu(bn(graph(x)))``, ``y = relu(f2(relu(f1(z))) + sum over windows of g3d(x))``,
    ``out = dropout(relu(f3(y)))`` where every f is `NormedTemporalBranches` and a residual.

    Branches of a temporal convolution have one channel at least: with fewer channels than
    branches, the largest dilations are left out.

    Args:
        in_channels: C of the input.
        out_channels: C of the output, at least 3.
        layout: The skeleton, or its name.
        hidden_channels: Channels of both graph convolutions; by default (None) ``in_channels``.
        stride: Answer every ``stride``-th frame.
        graph_scales: Number of distances told apart at one frame.
        window_scales: Number of distances told apart over windows.
        windows: Frames under each window, odd.
        kernel_size: Frames under each temporal kernel, odd.
        dilations: Steps between the frames under the temporal kernels, one branch each.
        normalise: Of the graphs, see `disentangled`.
        dropout: Share of features zeroed in training.

    Shapes:
        input ``[..., N, C_in, T]`` with any leading axes, also none; output
        ``[..., N, C_out, ceil(T / stride)]``.

    Raises:
        LayoutError: No such layout, or the input has another number of joints.
        ShapeError: The input has another number of channels than ``in_channels``.
        ChoiceError: A window or ``kernel_size`` is even or not positive, there are too few
            channels, or no such normalisation.

    Source: Liu et al., "Disentangling and Unifying Graph Convolutions for Skeleton-Based Action
    Recognition", CVPR 2020, section 3.4.

    Example:
        >>> block = MSG3D(3, 96, "coco17", hidden_channels=96)
        >>> block(torch.randn(17, 3, 64)).shape
        torch.Size([17, 96, 64])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        layout: str | Layout,
        hidden_channels: int | None = None,
        stride: int = 1,
        graph_scales: int = 13,
        window_scales: int = 6,
        windows: Sequence[int] = WINDOWS,
        kernel_size: int = 3,
        dilations: Sequence[int] = DILATIONS,
        normalise: str = "columns",
        dropout: float = 0.0,
    ):
        super().__init__(layout, in_channels)
        hidden = hidden_channels or in_channels
        self.graph_conv = DisentangledGraphConv(in_channels, hidden, self.layout, graph_scales,
                                                normalise=normalise)
        self.graph_norm = BatchNorm(hidden)
        steps = ((hidden, stride), (out_channels, 1), (out_channels, 1))
        self.temporal = nn.ModuleList(
            NormedTemporalBranches(before, out_channels, kernel_size, step,
                                   dilations[: max(out_channels - 2, 1)])
            for before, step in steps
        )
        self.shortcuts = nn.ModuleList(
            make_shortcut(before, out_channels, step) for before, step in steps
        )
        self.windows = nn.ModuleList(
            WindowGraphConv(in_channels, hidden, out_channels, self.layout, window_scales, window,
                            stride, normalise)
            for window in windows
        )
        self.relu = nn.ReLU()  # in place on a view is slow backward
        self.dropout = nn.Dropout(dropout)

    def convolve(self, features: Tensor) -> Tensor:
        """Run the block; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        hidden = self.relu(self.graph_norm(self.graph_conv(features)))
        summed = self._convolve_frames(1, self.relu(self._convolve_frames(0, hidden)))
        for window in self.windows:
            summed = summed + window(features)
        return self.dropout(self.relu(self._convolve_frames(2, self.relu(summed))))

    def _convolve_frames(self, step: int, features: Tensor) -> Tensor:
        """Convolve over frames with a residual, for the ``step``-th time."""
        return self.temporal[step](features) + self.shortcuts[step](features)

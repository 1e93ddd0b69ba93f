"""The spatiotemporal graph convolution layer."""

from torch import Tensor, nn

from skelact.graph.graph import Graph
from skelact.nn.graph_conv import GraphConv
from skelact.nn.layer import SkeletonLayer
from skelact.nn.temporal_conv import BatchNorm, TemporalConv


class STGCN(SkeletonLayer):
    """One ST-GCN layer: graph convolution, temporal convolution, residual.

    ``y = relu(dropout(bn(temporal(relu(bn(graph(x)))))) + residual(x))``

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        graph: The skeleton with its partitions.
        kernel_size: Frames under the temporal kernel, odd.
        stride: Answer every ``stride``-th frame.
        dilation: Step between the frames under the temporal kernel.
        residual: Add the input; through a strided 1x1 convolution where its shape differs.
        edge_importance: Learn a factor for every edge.
        dropout: Share of features zeroed in training.

    Shapes:
        input ``[..., N, C_in, T]`` with any leading axes, also none; output
        ``[..., N, C_out, ceil(T / stride)]``.

    Raises:
        LayoutError: The input has another number of joints than the graph.
        ShapeError: The input has another number of channels than ``in_channels``.
        ChoiceError: ``kernel_size`` is even.

    Source: Yan et al., "Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action
    Recognition", AAAI 2018, section 3.

    Example:
        >>> layer = STGCN(3, 64, Graph("coco17"))
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
        dilation: int = 1,
        residual: bool = True,
        edge_importance: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__(graph.layout, in_channels)
        self.graph = graph
        self.graph_conv = GraphConv(in_channels, out_channels, graph, edge_importance)
        # nothing in place: what goes in is a view, whose gradient would be copied, out of order
        self.temporal = nn.Sequential(
            BatchNorm(out_channels),
            nn.ReLU(),
            TemporalConv(out_channels, out_channels, kernel_size, stride, dilation),
            BatchNorm(out_channels),
            nn.Dropout(dropout),
        )
        self.shortcut = self._shortcut(in_channels, out_channels, stride) if residual else None
        self.relu = nn.ReLU()

    @staticmethod
    def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
        if in_channels == out_channels and stride == 1:
            return nn.Identity()
        return nn.Sequential(
            TemporalConv(in_channels, out_channels, kernel_size=1, stride=stride),
            BatchNorm(out_channels),
        )

    def convolve(self, features: Tensor) -> Tensor:
        """Run the layer; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        convolved = self.temporal(self.graph_conv(features))
        if self.shortcut is not None:
            convolved = convolved + self.shortcut(features)
        return self.relu(convolved)

"""The layer of ST-GCN++."""

from torch import Tensor, nn

from skelact.graph.graph import Graph
from skelact.nn.graph_conv import GraphConv
from skelact.nn.layer import SkeletonLayer
from skelact.nn.multi_scale_temporal import MultiScaleTemporalConv
from skelact.nn.shortcut import make_shortcut
from skelact.nn.temporal_conv import BatchNorm


class LearnedGraphConv(GraphConv):
    """Graph convolution whose adjacency is learned, starting from the graph's.

    Every entry may grow, also between joints that no bone links.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        graph: The skeleton with its K partitions.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, T]``.
    """

    def __init__(self, in_channels: int, out_channels: int, graph: Graph):
        super().__init__(in_channels, out_channels, graph, edge_importance=False)
        adjacency = self.adjacency
        del self.adjacency  # a buffer cannot become a parameter
        self.adjacency = nn.Parameter(adjacency)


class STGCNPP(SkeletonLayer):
    """One ST-GCN++ layer: graph convolution with a residual, temporal convolution, residual.

    ``z = relu(bn(graph(x)) + residual(x))``, ``y = relu(temporal(z) + residual(x))``

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        graph: The skeleton; its partitions are the first values of the learned adjacency.
        kernel_size: Frames under each temporal kernel, odd.
        stride: Answer every ``stride``-th frame.
        residual: Add the input to the output; through a strided 1x1 convolution where its shape
            differs. The residual of the graph convolution is always there.
        dropout: Share of features zeroed in training.

    Shapes:
        input ``[..., N, C_in, T]`` with any leading axes, also none; output
        ``[..., N, C_out, ceil(T / stride)]``.

    Raises:
        LayoutError: The input has another number of joints than the graph.
        ShapeError: The input has another number of channels than ``in_channels``.
        ChoiceError: ``kernel_size`` is even or not positive.

    Source: Duan et al., "PYSKL: Towards Good Practices for Skeleton Action Recognition", ACM MM
    2022, section 3.2.

    Example:
        >>> layer = STGCNPP(3, 64, Graph("coco17", "inward_outward"))
        >>> layer(torch.randn(17, 3, 64)).shape
        torch.Size([17, 64, 64])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        graph: Graph,
        kernel_size: int = 3,
        stride: int = 1,
        residual: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__(graph.layout, in_channels)
        self.graph = graph
        self.graph_conv = LearnedGraphConv(in_channels, out_channels, graph)
        self.graph_norm = BatchNorm(out_channels)
        self.graph_shortcut = make_shortcut(in_channels, out_channels)
        self.temporal = MultiScaleTemporalConv(out_channels, out_channels, kernel_size, stride,
                                               dropout=dropout)
        self.shortcut = make_shortcut(in_channels, out_channels, stride) if residual else None
        self.relu = nn.ReLU()  # in place on a view is slow backward

    def convolve(self, features: Tensor) -> Tensor:
        """Run the layer; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        mixed = self.graph_norm(self.graph_conv(features)) + self.graph_shortcut(features)
        convolved = self.temporal(self.relu(mixed))
        if self.shortcut is not None:
            convolved = convolved + self.shortcut(features)
        return self.relu(convolved)

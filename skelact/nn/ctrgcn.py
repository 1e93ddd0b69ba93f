"""The layer of CTR-GCN."""

from collections.abc import Sequence

from torch import Tensor, nn

from skelact.graph.graph import Graph
from skelact.nn.ctr_gc import CTRGraphConv
from skelact.nn.layer import SkeletonLayer
from skelact.nn.multi_scale_temporal import NormedTemporalBranches
from skelact.nn.shortcut import FIRST_SCALE, make_shortcut
from skelact.nn.temporal_conv import BatchNorm


class CTRGCN(SkeletonLayer):
    """One CTR-GCN layer: refined graph convolution, temporal convolution, residuals.

    ``z = relu(bn(graph(x)) + residual(x))``, ``y = relu(dropout(relu(temporal(z))) +
    residual(x))``; the inner relu of y is pyskl's, the authors' own code does without.

    Args:
        in_channels: C of the input.
        out_channels: C of the output, at least one for each branch over frames.
        graph: The skeleton; its partitions are the first values of the learned adjacency.
        kernel_size: Frames under each temporal kernel, odd.
        stride: Answer every ``stride``-th frame.
        dilations: Steps between the frames under the temporal kernels, one branch each.
        residual: Add the input to the output; through a strided 1x1 convolution where its shape
            differs. The residual of the graph convolution is always there.
        compared_channels: Channels in which joints are compared; by default (None) an eighth of
            ``in_channels``, or 8 where these are 16 or fewer.
        temporal_relu: Whether the inner relu is there.
        dropout: Share of features zeroed in training.

    Shapes:
        input ``[..., N, C_in, T]`` with any leading axes, also none; output
        ``[..., N, C_out, ceil(T / stride)]``.

    Raises:
        LayoutError: The input has another number of joints than the graph.
        ShapeError: The input has another number of channels than ``in_channels``.
        ChoiceError: ``kernel_size`` is even or not positive, or there are fewer channels than
            branches.

    Source: Chen et al., "Channel-wise Topology Refinement Graph Convolution for Skeleton-Based
    Action Recognition", ICCV 2021, section 3.4.

    Example:
        >>> layer = CTRGCN(3, 64, Graph("coco17", "inward_outward"))
        >>> layer(torch.randn(17, 3, 64)).shape
        torch.Size([17, 64, 64])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        graph: Graph,
        kernel_size: int = 5,
        stride: int = 1,
        dilations: Sequence[int] = (1, 2),
        residual: bool = True,
        compared_channels: int | None = None,
        temporal_relu: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__(graph.layout, in_channels)
        compared_channels = compared_channels or default_compared_channels(in_channels)
        self.graph_conv = CTRGraphConv(in_channels, out_channels, graph, compared_channels)
        self.graph_norm = BatchNorm(out_channels)
        nn.init.constant_(self.graph_norm.weight, FIRST_SCALE)
        self.graph_shortcut = make_shortcut(in_channels, out_channels)
        self.temporal = NormedTemporalBranches(out_channels, out_channels, kernel_size, stride,
                                               dilations)
        self.temporal_relu = nn.ReLU() if temporal_relu else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.shortcut = make_shortcut(in_channels, out_channels, stride) if residual else None
        self.relu = nn.ReLU()  # in place on a view is slow backward

    def convolve(self, features: Tensor) -> Tensor:
        """Run the layer; ``[B, N, C_in, T]`` to ``[B, N, C_out, T']``."""
        mixed = self.graph_norm(self.graph_conv(features)) + self.graph_shortcut(features)
        convolved = self.dropout(self.temporal_relu(self.temporal(self.relu(mixed))))
        if self.shortcut is not None:
            convolved = convolved + self.shortcut(features)
        return self.relu(convolved)


def default_compared_channels(in_channels: int) -> int:
    """Channels in which joints are compared: an eighth, but 8 of 16 or fewer."""
    return 8 if in_channels <= 16 else in_channels // 8

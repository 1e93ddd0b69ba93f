"""Graph convolution over the joints of one frame."""

import math

import torch
from torch import Tensor, nn

from skelact.graph.graph import Graph


class GraphConv(nn.Module):
    """Partitioned spatial graph convolution.

    ``y[target] = sum over k, source of (A_k * E_k)[source, target] (W_k x[source] + b_k)`` with
    the graph's adjacency A, learned edge importance E and one weight W_k a partition.

    Joints are aggregated before channels are mixed: one batched product with ``[N K, N]``, then
    one with ``[K C_in, C_out]``. That is the published order turned round (exact up to rounding)
    and needs K times fewer products where channels do not shrink.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        graph: The skeleton with its K partitions.
        edge_importance: Learn a factor for every entry of the adjacency, initially 1.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, T]``.

    Source: Yan et al., AAAI 2018, equation 10.
    """

    def __init__(
        self, in_channels: int, out_channels: int, graph: Graph, edge_importance: bool = True
    ):
        super().__init__()
        partitions = graph.num_partitions
        adjacency = torch.from_numpy(graph.adjacency.copy()).to(torch.get_default_dtype())
        self.register_buffer("adjacency", adjacency)
        self.weight = nn.Parameter(torch.empty(partitions, out_channels, in_channels))
        self.bias = nn.Parameter(torch.empty(partitions, out_channels))
        self.edge_importance = nn.Parameter(torch.ones_like(adjacency)) if edge_importance else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise as torch initialises a 1x1 convolution."""
        bound = 1 / math.sqrt(self.weight.shape[2])
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """Sizes for ``print(layer)``."""
        partitions, out_channels, in_channels = self.weight.shape
        return f"{in_channels}, {out_channels}, partitions={partitions}"

    def weighted_adjacency(self) -> Tensor:
        """``[K, N, N]`` adjacency times edge importance, as [partition, source, target]."""
        if self.edge_importance is None:
            return self.adjacency
        return self.adjacency * self.edge_importance

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over joints; ``[B, N, C_in, T]`` to ``[B, N, C_out, T]``."""
        adjacency = self.weighted_adjacency()
        partitions, joints, _ = adjacency.shape
        out_channels, in_channels = self.weight.shape[1:]
        by_frame = features.permute(0, 3, 1, 2)  # [B, T, N, C], contiguous after the first layer
        # rows ordered target-major, so that the product is [.., N, K C] without a copy; cast
        # before they are expanded, or autocast would cast them once a frame
        rows = adjacency.permute(2, 0, 1).reshape(joints * partitions, joints).to(features.dtype)
        frames = by_frame.flatten(0, 1)
        # matmul would transpose the features to make one flat product of it
        aggregated = torch.bmm(rows.expand(frames.shape[0], -1, -1), frames)
        aggregated = aggregated.view(*by_frame.shape[:3], partitions * in_channels)
        mixer = self.weight.permute(1, 0, 2).reshape(out_channels, partitions * in_channels)
        mixed = nn.functional.linear(aggregated, mixer)
        offset = adjacency.sum(dim=1).T @ self.bias  # [N, C_out]: each b_k enters by its edges
        return (mixed + offset).permute(0, 2, 3, 1)

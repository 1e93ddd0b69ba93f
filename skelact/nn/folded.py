"""Graph convolutions of trained layers, with the norm behind them folded in."""

import torch
from torch import Tensor, nn

from skelact.nn.ctr_gc import CTRGraphConv
from skelact.nn.graph_conv import GraphConv


class FoldedGraphConv(nn.Module):
    """`GraphConv` and a norm of fixed statistics: what does not depend on the joints, done once.

    ``y[target] = offset[target] + sum over k, source of A_k[source, target] W_k x[source]``; the
    biases and the norm's shift are in the offset, its scale is in W.

    Args:
        conv: The graph convolution; `LearnedGraphConv` too.
        scale: ``[C_out]`` of the norm.
        shift: ``[C_out]`` of the norm.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, T]``.
    """

    def __init__(self, conv: GraphConv, scale: Tensor, shift: Tensor):
        super().__init__()
        adjacency = conv.weighted_adjacency().detach()
        weight, bias = conv.weight.detach() * scale[:, None], conv.bias.detach() * scale
        # as GraphConv orders them: targets, then partitions; channels in the same order
        self.register_buffer("rows", adjacency.permute(2, 0, 1).flatten(0, 1).contiguous())
        self.register_buffer("weight", weight.permute(1, 0, 2).flatten(1).contiguous())
        self.register_buffer("offset", adjacency.sum(dim=1).T @ bias + shift)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over joints; ``[B, N, C_in, T]`` to ``[B, N, C_out, T]``."""
        by_frame = features.permute(0, 3, 1, 2)
        frames = by_frame.flatten(0, 1)
        aggregated = torch.bmm(self.rows.expand(frames.shape[0], -1, -1), frames)
        aggregated = aggregated.view(*by_frame.shape[:3], self.weight.shape[1])
        return nn.functional.linear(aggregated, self.weight).add_(self.offset).permute(0, 2, 3, 1)


class FoldedCTRGraphConv(nn.Module):
    """`CTRGraphConv` and a norm of fixed statistics.

    Args:
        conv: The graph convolution; its weights are changed in place.
        scale: ``[C_out]`` of the norm.
        shift: ``[C_out]`` of the norm.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, T]``.
    """

    def __init__(self, conv: CTRGraphConv, scale: Tensor, shift: Tensor):
        super().__init__()
        conv.weight.mul_(scale[:, None])
        conv.bias.mul_(scale)
        self.conv = conv
        self.register_buffer("shift", shift[:, None])

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over joints; ``[B, N, C_in, T]`` to ``[B, N, C_out, T]``."""
        topologies, offset = self.conv.refine(features.mean(dim=3))
        return self.conv.aggregate(features, topologies, offset + self.shift)

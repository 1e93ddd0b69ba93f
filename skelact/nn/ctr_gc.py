"""Graph convolution that refines the topology for every channel."""

import torch
from torch import Tensor, nn

from skelact.graph.graph import Graph


class CTRGraphConv(nn.Module):
    """Channel-wise topology refinement graph convolution, all K partitions together.

    With m the mean of x over time, every clip and channel c gets a topology of its own,

    ``A_kc[source, target] = A_k[source, target] + strength (refine_k tanh(p_k[source]
    - q_k[target]))_c`` with ``p_k, q_k = compare_k(m)``,

    and ``y_c[target] = sum over k, source of A_kc[source, target] (W_k x[source] + b_k)_c``. A is
    learned, starting from the graph's. ``strength`` starts at 0: until it has moved, no gradient
    reaches ``compare`` and ``refinement``.

    Published code compares before it takes the mean; the mean of a linear map is the map of the
    mean, which costs T times less. The constant part of a topology (A and the bias of ``refine``)
    is two more rows in the product that refines.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        graph: The skeleton with its K partitions.
        compared_channels: Channels in which joints are compared.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N, C_out, T]``.

    Source: Chen et al., "Channel-wise Topology Refinement Graph Convolution for Skeleton-Based
    Action Recognition", ICCV 2021, section 3.2.
    """

    def __init__(self, in_channels: int, out_channels: int, graph: Graph, compared_channels: int):
        super().__init__()
        partitions = graph.num_partitions
        adjacency = torch.from_numpy(graph.adjacency.copy()).to(torch.get_default_dtype())
        self.adjacency = nn.Parameter(adjacency)
        self.strength = nn.Parameter(torch.zeros(1))
        self.compare = nn.Linear(in_channels, 2 * partitions * compared_channels)
        self.refinement = nn.Parameter(torch.empty(partitions, out_channels, compared_channels))
        self.refinement_bias = nn.Parameter(torch.empty(partitions, out_channels))
        self.weight = nn.Parameter(torch.empty(partitions, out_channels, in_channels))
        self.bias = nn.Parameter(torch.empty(partitions, out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise all 1x1 convolutions as published: by their fan out, without bias."""
        _, out_channels, compared_channels = self.refinement.shape
        nn.init.normal_(self.compare.weight, std=(2 / compared_channels) ** 0.5)
        for weight in (self.refinement, self.weight):
            nn.init.normal_(weight, std=(2 / out_channels) ** 0.5)
        for bias in (self.compare.bias, self.refinement_bias, self.bias):
            nn.init.zeros_(bias)

    def extra_repr(self) -> str:
        """Sizes for ``print(layer)``."""
        partitions, out_channels, in_channels = self.weight.shape
        return f"{in_channels}, {out_channels}, partitions={partitions}"

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over joints; ``[B, N, C_in, T]`` to ``[B, N, C_out, T]``."""
        return self.aggregate(features, *self.refine(features.mean(dim=3)))

    def refine(self, means: Tensor) -> tuple[Tensor, Tensor]:
        """The topologies of clips.

        Args:
            means: ``[B, N, C_in]`` features, averaged over time.

        Returns:
            ``[K, B, C_out, N, N]`` as [partition, clip, channel, source, target], and what the
            biases give by them: ``[B, C_out, N]``.
        """
        batch, joints, _ = means.shape
        partitions, _, compared_channels = self.refinement.shape
        compared = self.compare(means).view(batch, joints, 2, partitions, compared_channels)
        source, target = compared.permute(2, 3, 0, 4, 1)  # each [K, B, R, N]
        differences = torch.tanh(source[..., None] - target[..., None, :])
        constant = torch.stack([torch.ones_like(self.adjacency), self.adjacency], dim=1)
        constant = constant.to(differences.dtype)[:, None].expand(-1, batch, -1, -1, -1)
        basis = torch.cat([differences, constant], dim=2)  # [K, B, R + 2, N, N]
        mixer = torch.cat([
            self.strength * self.refinement,
            (self.strength * self.refinement_bias)[..., None],
            torch.ones_like(self.refinement_bias)[..., None],
        ], dim=2)
        topologies = torch.matmul(mixer[:, None], basis.flatten(3))
        biased = self.bias[..., None] * mixer
        offset = torch.matmul(biased[:, None], basis.sum(dim=3)).sum(dim=0)
        return topologies.unflatten(3, (joints, joints)), offset

    def aggregate(self, features: Tensor, topologies: Tensor, offset: Tensor) -> Tensor:
        """Convolve by topologies that are known.

        Args:
            features: ``[B, N, C_in, T]``.
            topologies: As `refine` gives them.
            offset: As `refine` gives it.

        Returns:
            ``[B, N, C_out, T]``.
        """
        batch, joints, _, frames = features.shape
        pixels = features.permute(0, 2, 3, 1).flatten(2)  # [B, C_in, T N], a view of [B, T, N, C]
        output = offset[:, :, None].repeat(1, 1, frames, 1).flatten(0, 1)
        # one partition after the other, so that only one is in the cache; by channel, because
        # every channel has its own product over joints
        for weight, topology in zip(self.weight, topologies, strict=True):
            mixed = torch.bmm(weight.expand(batch, -1, -1), pixels)
            output.baddbmm_(mixed.view(-1, frames, joints), topology.flatten(0, 1))
        by_channel = output.view(batch, self.weight.shape[1], frames, joints)
        return by_channel.permute(0, 2, 3, 1).contiguous().permute(0, 2, 3, 1)

"""The partitioned spatiotemporal graph that the convolutions run on."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from skelact.checks import check_choice
from skelact.errors import ChoiceError
from skelact.graph.layouts import Layout, get_layout
from skelact.graph.partition import PARTITIONS

if TYPE_CHECKING:
    from torch_geometric.data import Data


class Graph:
    """A skeleton's graph with its neighbourhoods split into K partitions.

    Args:
        layout: A `Layout`, the name of a built-in one, or a layout YAML file.
        partition: ``uniform``, ``distance``, ``spatial`` (as in the ST-GCN paper),
            ``spatial_released`` (as in the code that the published weights were trained with)
            or ``inward_outward`` (pyskl, 2s-AGCN, CTR-GCN).
        max_hop: Neighbourhood radius in bones, at least 1.

    Raises:
        LayoutError: No such layout.
        ChoiceError: No such partition, or ``max_hop`` below 1.

    Source: Yan et al., AAAI 2018, section 3.
    """

    def __init__(self, layout: str | Layout, partition: str = "spatial", max_hop: int = 1):
        self.layout = get_layout(layout)
        self.partition = check_choice(partition, PARTITIONS, "partition")
        if not isinstance(max_hop, int) or max_hop < 1:
            raise ChoiceError(f"expected max_hop as a whole number from 1, got {max_hop!r}")
        self.max_hop = max_hop

    def __repr__(self) -> str:
        return f"Graph({self.layout.name!r}, partition={self.partition!r}, max_hop={self.max_hop})"

    @property
    def num_joints(self) -> int:
        """N, the number of joints."""
        return self.layout.num_joints

    @property
    def num_partitions(self) -> int:
        """K, the number of neighbourhood subsets."""
        return len(self.adjacency)

    @cached_property
    def adjacency(self) -> np.ndarray:
        """``[K, N, N]`` float64 as [partition, source, target].

        Columns sum to 1 over K and sources; for ``inward_outward`` within each k (or to 0 where
        a joint has no such neighbour).
        """
        adjacency = PARTITIONS[self.partition](self.layout, self.max_hop)
        adjacency.setflags(write=False)
        return adjacency

    def to_pyg(self, frames: int | None = None) -> "Data":
        """The graph as a `torch_geometric.data.Data`.

        Args:
            frames: None for the graph of one frame, node ``n`` = joint n. A number for the full
                spatiotemporal graph, node ``t * N + n``, in which each joint is also linked to
                itself in the next and in the previous frame.

        Returns:
            ``edge_index`` ``[2, E]`` int64, ``edge_type`` ``[E]`` int64 (the partition k; K for
            an edge forward in time, K + 1 for one backward) and ``edge_weight`` ``[E]`` float32
            (the adjacency entry; 1 in time). ``num_nodes`` is N or N * frames.

        Raises:
            ChoiceError: ``frames`` below 1.
        """
        import torch
        from torch_geometric.data import Data

        partition, source, target = np.nonzero(self.adjacency)
        weight = self.adjacency[partition, source, target]
        if frames is None:
            edges, types, num_nodes = np.stack([source, target]), partition, self.num_joints
        else:
            edges, types, weight = self._unroll(source, target, partition, weight, frames)
            num_nodes = self.num_joints * frames
        return Data(
            edge_index=torch.from_numpy(edges),
            edge_type=torch.from_numpy(types),
            edge_weight=torch.from_numpy(weight.astype(np.float32)),
            num_nodes=num_nodes,
        )

    def _unroll(self, source, target, partition, weight, frames: int):
        """One copy of the spatial edges a frame, then the temporal edges both ways."""
        if not isinstance(frames, int) or frames < 1:
            raise ChoiceError(f"expected frames as a whole number from 1, got {frames!r}")
        offset = self.num_joints * np.arange(frames)[:, None]
        spatial = np.stack([(source + offset).ravel(), (target + offset).ravel()])
        earlier = np.arange(self.num_joints * (frames - 1))
        later = earlier + self.num_joints
        edges = np.concatenate([spatial, [earlier, later], [later, earlier]], axis=1)
        forward, backward = (np.full(len(earlier), self.num_partitions + i) for i in (0, 1))
        types = np.concatenate([np.tile(partition, frames), forward, backward])
        weights = np.concatenate([np.tile(weight, frames), np.ones(2 * len(earlier))])
        return edges, types, weights

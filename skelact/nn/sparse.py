"""The ST-GCN layer as message passing: for batches that mix skeletons.

A batch of different skeletons is one graph of ΣN nodes with features ``[ΣN, C, T]``; every edge
carries its partition (``edge_type``) and its entry of the adjacency (``edge_weight``). Dense
(`skelact.nn.stgcn`) is the fast path for one skeleton; both compute the same.

Sources: Yan et al., AAAI 2018 (the layer); Schlichtkrull et al., "Modeling Relational Data with
Graph Convolutional Networks", ESWC 2018 (one weight an edge type).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data
from torch_geometric.nn import MessagePassing

from skelact.checks import check_shape
from skelact.errors import LayoutError, ShapeError
from skelact.graph.graph import Graph
from skelact.graph.layouts import check_joints
from skelact.nn.graph_conv import GraphConv
from skelact.nn.stgcn import STGCN


def skeleton_data(joints: Tensor, graph: Graph) -> Data:
    """One clip as a graph.

    Args:
        joints: ``[N, C, T]`` of one person or ``[M, N, C, T]`` of several, who are not linked.
        graph: The skeleton with its partitions.

    Returns:
        ``x`` ``[M N, C, T]``; ``edge_index`` ``[2, E]``, ``edge_type`` ``[E]``, ``edge_weight``
        ``[E]`` (see `Graph.to_pyg`); ``edge_entry`` ``[E]``, the place of the edge in the
        flattened ``[K, N, N]`` adjacency; ``layout``, its name.

    Raises:
        LayoutError: Another number of joints than the layout's.
    """
    check_joints(joints, graph.layout)
    people = joints.reshape(-1, *joints.shape[-3:])
    edges = graph.to_pyg()
    source, target = edges.edge_index
    size = graph.num_joints
    offset = size * torch.arange(len(people)).repeat_interleave(edges.num_edges)
    return Data(
        x=people.flatten(0, 1),
        edge_index=(edges.edge_index.repeat(1, len(people)) + offset).to(joints.device),
        edge_type=edges.edge_type.repeat(len(people)).to(joints.device),
        edge_weight=edges.edge_weight.repeat(len(people)).to(joints.device),
        edge_entry=((edges.edge_type * size + source) * size + target)
        .repeat(len(people)).to(joints.device),
        layout=graph.layout.name,
    )


def batch_skeletons(clips: Sequence[Tensor], graphs: Sequence[Graph]) -> Batch:
    """Clips of different skeletons as one batch.

    Args:
        clips: Each ``[N, C, T]`` or ``[M, N, C, T]``; N and M may differ, C and T may not.
        graphs: The skeleton of each.

    Returns:
        What `skeleton_data` gives, joined; ``layout`` is the list of names, ``batch`` ``[ΣN]``
        the clip of every node.

    Raises:
        LayoutError: A clip has another number of joints than its layout.
        ShapeError: No clip, not one graph a clip, or C or T differ.
    """
    if not clips or len(clips) != len(graphs):
        raise ShapeError(f"expected one graph a clip and at least one clip, got {len(clips)} "
                         f"clips and {len(graphs)} graphs")
    data = [skeleton_data(clip, graph) for clip, graph in zip(clips, graphs, strict=True)]
    sizes = {tuple(clip.shape[-2:]) for clip in clips}
    if len(sizes) > 1:
        raise ShapeError(f"expected clips of the same channels and frames [..., C, T], "
                         f"got {sorted(sizes)}; cut or resample them to one length")
    return Batch.from_data_list(data)


class SparseGraphConv(MessagePassing):
    """`GraphConv` over typed edges; it shares weight and bias with the dense one.

    ``y[target] = sum over edges into it of edge_weight (W_type x[source] + b_type)``. Every joint
    gathers once for each partition, then one product mixes partitions and channels.

    Args:
        dense: Where weight and bias live.

    Shapes:
        ``x`` ``[ΣN, C_in, T]``, ``edge_index`` ``[2, E]``, ``edge_type`` ``[E]``,
        ``edge_weight`` ``[E]``; output ``[ΣN, C_out, T]``.
    """

    def __init__(self, dense: GraphConv):
        super().__init__(aggr="add", node_dim=0)
        self.weight = dense.weight
        self.bias = dense.bias

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_type: Tensor, edge_weight: Tensor
    ) -> Tensor:
        """Convolve over joints; ``[ΣN, C_in, T]`` to ``[ΣN, C_out, T]``."""
        partitions, out_channels, in_channels = self.weight.shape
        source, target = edge_index
        slots = torch.stack([source, target * partitions + edge_type])  # node x partition
        gathered = self.propagate(
            slots, x=(x, None), weight=edge_weight, size=(len(x), partitions * len(x))
        )
        gathered = gathered.view(len(x), partitions * in_channels, -1)
        mixer = self.weight.permute(1, 0, 2).reshape(out_channels, partitions * in_channels)
        inflow = edge_weight.new_zeros(partitions * len(x)).index_add(0, slots[1], edge_weight)
        return mixer @ gathered + (inflow.view(-1, partitions) @ self.bias)[..., None]

    def message(self, x_j: Tensor, weight: Tensor) -> Tensor:
        """What one edge carries: ``[E, C, T]``."""
        return weight[:, None, None] * x_j


class SparseSTGCN(nn.Module):
    """`STGCN` for batches that mix skeletons.

    Convolutions and batch normalisation are those of ``dense``, the same parameters, shared by
    all skeletons. Edge importance belongs to a skeleton: that of ``dense`` for its own, a new
    one, initially 1, for each further graph. In training, batch normalisation takes its
    statistics over the whole batch, all skeletons together.

    Args:
        dense: The layer to share weights with.
        graphs: Further skeletons, partitioned as that of ``dense``.

    Shapes:
        ``x`` ``[ΣN, C_in, T]``; output ``[ΣN, C_out, ceil(T / stride)]``.

    Raises:
        LayoutError: Two graphs have the same layout name, or are partitioned differently.

    Sources: Yan et al., AAAI 2018, section 3; Schlichtkrull et al., ESWC 2018, equation 2.

    Example:
        >>> coco, ntu = Graph("coco17"), Graph("ntu25")
        >>> layer = SparseSTGCN(STGCN(3, 64, coco), ntu)
        >>> batch = batch_skeletons([torch.randn(17, 3, 30), torch.randn(25, 3, 30)], [coco, ntu])
        >>> layer(batch.x, batch).shape
        torch.Size([42, 64, 30])
    """

    def __init__(self, dense: STGCN, *graphs: Graph):
        super().__init__()
        self.graphs = check_graphs([dense.graph, *graphs])
        self.graph_conv = SparseGraphConv(dense.graph_conv)
        self.temporal = dense.temporal
        self.shortcut = dense.shortcut
        self.relu = dense.relu
        self.edge_importance = None
        if (own := dense.graph_conv.edge_importance) is not None:
            new = [nn.Parameter(own.new_ones(graph.adjacency.shape)) for graph in graphs]
            keys = map(module_key, self.graphs)
            self.edge_importance = nn.ParameterDict(zip(keys, [own, *new], strict=True))
        self.train(dense.training)

    def forward(self, x: Tensor, batch: Data) -> Tensor:
        """Run the layer.

        Args:
            x: Features ``[ΣN, C_in, T]``.
            batch: From `batch_skeletons` or `skeleton_data`; only its edges are used.

        Raises:
            LayoutError: The batch has a skeleton that the layer does not.
        """
        check_shape(x, (batch.num_nodes, self.graph_conv.weight.shape[2], "T"), "x")
        weight = batch.edge_weight.to(x.dtype)
        if self.edge_importance is not None:
            table = torch.cat([entry.flatten() for entry in self.edge_importance.values()])
            weight = weight * table[self._entries(batch)]
        convolved = self.graph_conv(x, batch.edge_index, batch.edge_type, weight)
        convolved = self.temporal(convolved[None])  # the dense modules see one big skeleton
        if self.shortcut is not None:
            convolved = convolved + self.shortcut(x[None])
        return self.relu(convolved)[0]

    def dense(self, layout: str) -> STGCN:
        """The dense layer for one of the skeletons; it shares all its parameters.

        Raises:
            LayoutError: The layer has no such skeleton.
        """
        check_layouts([layout], self.graphs)
        _, out_channels, in_channels = self.graph_conv.weight.shape
        twin = STGCN(in_channels, out_channels, self.graphs[layout], residual=False,
                     edge_importance=False).to(self.graph_conv.weight)
        twin.graph_conv.weight = self.graph_conv.weight
        twin.graph_conv.bias = self.graph_conv.bias
        if self.edge_importance is not None:
            twin.graph_conv.edge_importance = self.edge_importance[module_key(layout)]
        twin.temporal, twin.shortcut, twin.relu = self.temporal, self.shortcut, self.relu
        return twin.train(self.training)

    def _entries(self, batch: Data) -> Tensor:
        """``[E]`` place of every edge in the flattened importances of all skeletons."""
        names = check_batch(batch, self.graphs)
        start, starts = 0, {}
        for name, graph in self.graphs.items():
            starts[name] = start
            start += graph.adjacency.size
        of_clip = torch.tensor([starts[name] for name in names], device=batch.edge_entry.device)
        clip = 0 if batch.batch is None else batch.batch[batch.edge_index[0]]
        return batch.edge_entry + of_clip[clip]


def check_graphs(graphs: Sequence[Graph]) -> dict[str, Graph]:
    """The graphs by the name of their layout.

    Raises:
        LayoutError: Two have the same name, or are partitioned differently.
    """
    by_name = {graph.layout.name: graph for graph in graphs}
    if len({module_key(name) for name in by_name}) < len(graphs):
        raise LayoutError("expected skeletons of different names, got "
                          + ", ".join(graph.layout.name for graph in graphs))
    if len({(graph.partition, graph.max_hop) for graph in graphs}) > 1:
        raise LayoutError("expected graphs partitioned in the same way (they share weights), got "
                          + ", ".join(map(repr, graphs)))
    return by_name


def check_layouts(names: Sequence[str], graphs: dict[str, Graph]) -> None:
    """Raise a LayoutError that names both if a batch has skeletons that a network does not."""
    if unknown := sorted(set(names) - set(graphs)):
        raise LayoutError(f"expected skeletons out of {', '.join(graphs)}; got "
                          f"{', '.join(unknown)}; build the network with their graphs too, or "
                          f"remap the recordings")


def check_batch(batch: Data, graphs: dict[str, Graph]) -> list[str]:
    """The layout of every clip of a batch.

    Raises:
        LayoutError: One is unknown, or has another number of joints than the graph of its name.
    """
    single = isinstance(batch.layout, str)
    names = [batch.layout] if single else batch.layout
    check_layouts(names, graphs)
    sizes = [batch.num_nodes] if single else batch.ptr.diff().tolist()
    for name, size in zip(names, sizes, strict=True):
        if size % graphs[name].num_joints:
            raise LayoutError(f"expected clips of N={graphs[name].num_joints} joints a person for "
                              f"layout {name!r}, got one of {size} nodes")
    return names


def module_key(layout: str) -> str:
    """A layout's name as torch allows it in the name of a parameter."""
    return layout.replace(".", "_")

"""ST-GCN for batches that mix skeletons, sharing the weights of the dense network."""

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch
from torch_geometric.nn import global_mean_pool

from skelact.errors import SkelactError
from skelact.graph.graph import Graph
from skelact.graph.layouts import Layout
from skelact.models.classifier import InputNorm, SkeletonClassifier
from skelact.nn.sparse import SparseSTGCN, check_batch, check_layouts, module_key
from skelact.nn.stgcn import STGCN


class SparseClassifier(nn.Module):
    """A network of `STGCN` layers that classifies clips of several skeletons at once.

    Convolutions, batch normalisation and classes are those of ``dense``, the same parameters;
    input normalisation and edge importance are kept per skeleton, new for each further layout.
    Everybody in a clip is convolved: leave out who is absent.

    Args:
        dense: The network to share weights with, such as `skelact.models.st_gcn.stgcn` gives.
        layouts: Further skeletons.

    Shapes:
        input a `Batch` of B clips (`skelact.nn.sparse.batch_skeletons`), each ``[M, N, C, T]`` or
        ``[N, C, T]`` of its own skeleton; output ``[B, num_classes]`` scores before softmax.

    Raises:
        SkelactError: ``dense`` has layers that are not `STGCN`.
        LayoutError: No such layout, or one twice.

    Example:
        >>> network = SparseClassifier(stgcn("ntu25", 60), "coco17", "openpose18")
        >>> clips = [torch.randn(2, 25, 3, 64), torch.randn(1, 17, 3, 64)]
        >>> batch = batch_skeletons(clips, [network.graphs[n] for n in ("ntu25", "coco17")])
        >>> network(batch).shape
        torch.Size([2, 60])
    """

    def __init__(self, dense: SkeletonClassifier, *layouts: str | Layout):
        super().__init__()
        layers = list(dense.layers)
        if not layers or not all(isinstance(layer, STGCN) for layer in layers):
            kinds = sorted({type(layer).__name__ for layer in layers})
            raise SkelactError(f"expected a network of STGCN layers, got {kinds}; only these have "
                               f"a sparse twin")
        own = layers[0].graph
        graphs = [Graph(layout, own.partition, own.max_hop) for layout in layouts]
        self.in_channels = dense.in_channels
        self.layers = nn.ModuleList(SparseSTGCN(layer, *graphs) for layer in layers)
        norms = [InputNorm(graph.num_joints, dense.in_channels).to(dense.head.weight)
                 for graph in graphs]
        keys = map(module_key, self.graphs)
        self.input_norms = nn.ModuleDict(zip(keys, [dense.input_norm, *norms], strict=True))
        self.head = dense.head
        self.absent = dense.absent
        self.train(dense.training)

    @property
    def graphs(self) -> dict[str, Graph]:
        """The graph of every skeleton, by the name of its layout."""
        return self.layers[0].graphs

    def forward(self, batch: Batch) -> Tensor:
        """Scores ``[B, num_classes]``; the mean over joints, frames and persons decides."""
        features = self._normalise(batch)
        for layer in self.layers:
            features = layer(features, batch)
        return self.head(global_mean_pool(features.mean(dim=2), batch.batch, batch.num_graphs))

    def dense(self, layout: str) -> SkeletonClassifier:
        """The dense network for one of the skeletons; it shares all its parameters.

        Raises:
            LayoutError: The network has no such skeleton.
        """
        check_layouts([layout], self.graphs)
        layers = nn.Sequential(*(layer.dense(layout) for layer in self.layers))
        twin = SkeletonClassifier(self.graphs[layout].layout, self.in_channels, layers,
                                  self.head.in_features, self.head.out_features,
                                  self.absent)
        twin.input_norm, twin.head = self.input_norms[module_key(layout)], self.head
        return twin.train(self.training)

    def _normalise(self, batch: Batch) -> Tensor:
        """Input normalisation, by the statistics of each node's own skeleton."""
        layouts, names = check_batch(batch, self.graphs), list(self.graphs)
        of_clip = torch.tensor([names.index(name) for name in layouts], device=batch.x.device)
        of_node = of_clip[batch.batch]
        features = torch.empty_like(batch.x)
        for name in sorted(set(layouts)):
            nodes = of_node == names.index(name)
            joints = batch.x[nodes].unflatten(0, (-1, self.graphs[name].num_joints))
            features[nodes] = self.input_norms[module_key(name)](joints).flatten(0, 1)
        return features

"""The sparse network: one set of weights for clips of several skeletons."""

import pytest
import torch
from weights import shake

from skelact.errors import LayoutError, SkelactError
from skelact.graph import Graph
from skelact.models.sparse_st_gcn import SparseClassifier
from skelact.models.st_gcn import stgcn
from skelact.nn.sparse import batch_skeletons

NAMES = ("coco17", "ntu25", "openpose18")


def clips(people=2, frames=12) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {name: torch.randn(people, Graph(name).num_joints, 3, frames) for name in NAMES}


def batched(layer, tensors: dict[str, torch.Tensor]):
    return batch_skeletons(list(tensors.values()), [layer.graphs[name] for name in tensors])


@pytest.fixture(scope="module")
def network() -> SparseClassifier:
    torch.manual_seed(0)
    net = SparseClassifier(stgcn("coco17", 6, base_channels=8), "ntu25", "openpose18")
    shake(net)
    return net.eval()


def test_a_network_on_a_mixed_batch_equals_the_dense_one_on_each_skeleton(network):
    inputs = clips(people=2, frames=32)
    inputs["openpose18"] = inputs["openpose18"][:1]  # the number of people may differ
    scores = network(batched(network, inputs))
    assert scores.shape == (3, 6)
    for row, name in zip(scores, NAMES, strict=True):
        expected = network.dense(name)(inputs[name][None])[0]
        assert (row - expected).norm() <= 1e-5 * expected.norm()
    assert (scores[0] - scores[1]).norm() > 1e-3 * scores[0].norm()


def test_a_network_shares_all_but_what_belongs_to_a_skeleton():
    dense = stgcn("ntu25", 4, base_channels=8)
    network = SparseClassifier(dense, "coco17")
    sizes, own = ({id(p): p.numel() for p in n.parameters()} for n in (network, dense))
    assert set(own) <= set(sizes)
    assert sum(sizes.values()) - sum(own.values()) == 10 * 3 * 17 * 17 + 2 * 17 * 3
    assert network.dense("ntu25").layers[3].graph_conv.weight is dense.layers[3].graph_conv.weight


def test_one_network_trains_on_mixed_skeletons():
    """Up or down? Three skeletons in every batch; the loss falls for all of them."""
    torch.manual_seed(0)
    network = SparseClassifier(stgcn("coco17", 2, base_channels=4), "ntu25", "openpose18").train()
    names = list(NAMES) * 2
    labels = torch.tensor([0, 1] * 3)
    drift = torch.linspace(-1, 1, 16)
    inputs = [
        torch.randn(1, network.graphs[name].num_joints, 3, 16) * 0.3 + drift * (2 * label - 1)
        for name, label in zip(names, labels, strict=True)
    ]
    batch = batch_skeletons(inputs, [network.graphs[name] for name in names])
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    losses = []
    for _ in range(12):
        loss = torch.nn.functional.cross_entropy(network(batch), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    assert (network(batch).argmax(1) == labels).all()
    assert all(norm.running_mean.abs().sum() > 0 for norm in network.input_norms.values())


def test_only_stgcn_layers_have_a_sparse_twin():
    dense = stgcn("coco17", 2, base_channels=4)
    dense.layers.append(torch.nn.ReLU())
    with pytest.raises(SkelactError, match="ReLU"):
        SparseClassifier(dense, "ntu25")


def test_skeletons_that_a_network_does_not_know_are_refused(network):
    with pytest.raises(LayoutError, match=r"coco17, ntu25, openpose18; got penn13"):
        network(batch_skeletons([torch.randn(1, 13, 3, 8)], [Graph("penn13")]))
    with pytest.raises(LayoutError, match="penn13"):
        network.dense("penn13")
    with pytest.raises(LayoutError, match="different names"):
        SparseClassifier(stgcn("coco17", 2, base_channels=4), "coco17")


def test_state_round_trips(network):
    other = SparseClassifier(stgcn("coco17", 6, base_channels=8), "ntu25", "openpose18").eval()
    other.load_state_dict(network.state_dict())
    batch = batched(network, clips())
    torch.testing.assert_close(other(batch), network(batch))

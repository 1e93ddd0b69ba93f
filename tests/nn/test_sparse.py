"""The sparse layer: equal to the dense one, on batches that mix skeletons."""

import pytest
import torch
from weights import shake

from skelact.errors import LayoutError, ShapeError
from skelact.graph import Graph, Layout
from skelact.nn.sparse import SparseGraphConv, SparseSTGCN, batch_skeletons, skeleton_data
from skelact.nn.stgcn import STGCN

NAMES = ("coco17", "ntu25", "openpose18")


def mixed_layer(partition="spatial", max_hop=1, **kwargs) -> SparseSTGCN:
    torch.manual_seed(0)
    first, *others = (Graph(name, partition, max_hop) for name in NAMES)
    layer = SparseSTGCN(STGCN(3, 8, first, **kwargs), *others)
    shake(layer)
    return layer


def clips(people=2, frames=12) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {name: torch.randn(people, Graph(name).num_joints, 3, frames) for name in NAMES}


def batched(layer, tensors: dict[str, torch.Tensor]):
    return batch_skeletons(list(tensors.values()), [layer.graphs[name] for name in tensors])


def assert_close(actual, expected) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"stride": 2, "kernel_size": 3},
        {"dilation": 2, "kernel_size": 3, "residual": False},
        {"edge_importance": False},
        {"partition": "inward_outward", "max_hop": 2},
        {"partition": "uniform"},
        {"partition": "distance", "max_hop": 3},
        {"partition": "spatial_released"},
    ],
)
def test_a_mixed_batch_equals_the_dense_layer_on_each_skeleton(kwargs):
    layer = mixed_layer(**kwargs).eval()
    inputs = clips()
    batch = batched(layer, inputs)
    assert sorted(set(batch.layout)) == sorted(NAMES)
    out = layer(batch.x, batch)
    for i, name in enumerate(NAMES):
        expected = layer.dense(name)(inputs[name])
        assert expected.std() > 0.1
        assert_close(out[batch.batch == i].view_as(expected), expected)


def test_equal_channels_and_stacked_layers():
    torch.manual_seed(0)
    first, *others = map(Graph, NAMES)
    layers = [SparseSTGCN(STGCN(3, 8, first), *others), SparseSTGCN(STGCN(8, 8, first), *others)]
    inputs = clips(people=1)
    batch = batched(layers[0], inputs)
    features = batch.x
    for layer in layers:
        shake(layer.eval())
        features = layer(features, batch)
    for i, name in enumerate(NAMES):
        expected = torch.nn.Sequential(*(layer.dense(name) for layer in layers))(inputs[name])
        assert_close(features[batch.batch == i], expected[0])


@pytest.mark.parametrize("name", NAMES)
def test_training_on_one_skeleton_equals_dense_statistics_and_gradients_included(name):
    layer, twin = mixed_layer().double().train(), mixed_layer().double().train()
    inputs = clips()[name].double()
    batch = batch_skeletons([inputs], [layer.graphs[name]])
    out = layer(batch.x, batch)
    dense = twin.dense(name)
    expected = dense(inputs)
    torch.testing.assert_close(out.view_as(expected), expected, rtol=1e-6, atol=1e-6)
    weight = torch.randn_like(expected)
    (out.view_as(expected) * weight).sum().backward()
    (expected * weight).sum().backward()
    theirs = dict(twin.named_parameters())
    for key, parameter in layer.named_parameters():
        if "edge_importance" in key and name not in key:
            assert parameter.grad is None or not parameter.grad.any()
        else:
            torch.testing.assert_close(parameter.grad, theirs[key].grad, rtol=1e-5, atol=1e-5)
    for ours, other in zip(layer.temporal.buffers(), twin.temporal.buffers(), strict=True):
        torch.testing.assert_close(ours, other)


def test_weights_are_shared_and_importance_is_not():
    coco, ntu = Graph("coco17"), Graph("ntu25")
    dense = STGCN(3, 8, coco)
    layer = SparseSTGCN(dense, ntu)
    ours = {id(parameter) for parameter in layer.parameters()}
    assert {id(parameter) for parameter in dense.parameters()} <= ours
    assert len(ours) == len(list(dense.parameters())) + 1
    assert layer.edge_importance["ntu25"].shape == (3, 25, 25)
    assert layer.dense("ntu25").graph_conv.weight is dense.graph_conv.weight
    assert layer.dense("coco17").graph_conv.edge_importance is dense.graph_conv.edge_importance

    inputs = {"coco17": torch.randn(17, 3, 5), "ntu25": torch.randn(25, 3, 5)}
    batch = batched(layer, inputs)
    layer(batch.x, batch).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in dense.parameters()
               if parameter is not dense.graph_conv.bias)
    assert layer.edge_importance["ntu25"].grad.abs().sum() > 0


def test_the_convolution_is_the_sum_over_edges_of_the_formula():
    torch.manual_seed(0)
    graph = Graph("penn13", "spatial", 2)
    dense = STGCN(3, 4, graph).graph_conv
    data = skeleton_data(torch.randn(13, 3, 2), graph)
    out = SparseGraphConv(dense)(data.x, data.edge_index, data.edge_type, data.edge_weight)
    expected = torch.zeros_like(out)
    for (source, target), k, a in zip(data.edge_index.T, data.edge_type, data.edge_weight,
                                      strict=True):
        expected[target] += a * (dense.weight[k] @ data.x[source] + dense.bias[k][:, None])
    assert_close(out, expected)


def test_state_round_trips():
    layer, other = mixed_layer(), mixed_layer()
    shake(layer)
    batch = batched(layer, clips())
    other.load_state_dict(layer.state_dict())
    torch.testing.assert_close(other.eval()(batch.x, batch), layer.eval()(batch.x, batch))


def test_people_are_not_linked_and_one_person_needs_no_batch():
    layer = mixed_layer().eval()
    two = clips()["ntu25"]
    data = skeleton_data(two, layer.graphs["ntu25"])
    assert data.validate()
    assert data.x.shape == (50, 3, 12)
    source, target = data.edge_index
    assert (source // 25 == target // 25).all()
    alone = skeleton_data(two[1], layer.graphs["ntu25"])
    assert_close(layer(alone.x, alone), layer(data.x, data)[25:])


def test_what_does_not_fit_is_refused():
    layer = mixed_layer()
    graphs = [layer.graphs[name] for name in NAMES]
    penn = Graph("penn13")
    stranger = skeleton_data(torch.randn(13, 3, 4), penn)
    with pytest.raises(LayoutError, match=r"coco17, ntu25, openpose18; got penn13"):
        layer(stranger.x, stranger)
    with pytest.raises(LayoutError, match="penn13"):
        layer.dense("penn13")
    with pytest.raises(LayoutError, match="ntu25"):
        skeleton_data(torch.randn(17, 3, 4), graphs[1])
    with pytest.raises(ShapeError, match="same channels and frames"):
        batch_skeletons([torch.randn(17, 3, 4), torch.randn(25, 3, 5)], graphs[:2])
    with pytest.raises(ShapeError, match="one graph a clip"):
        batch_skeletons([torch.randn(17, 3, 4)], graphs)
    with pytest.raises(ShapeError, match="one graph a clip"):
        batch_skeletons([], [])
    with pytest.raises(LayoutError, match="different names"):
        SparseSTGCN(STGCN(3, 4, graphs[0]), Graph("coco17"))
    with pytest.raises(LayoutError, match="partitioned in the same way"):
        SparseSTGCN(STGCN(3, 4, graphs[0]), Graph("ntu25", "uniform"))
    batch = batched(layer, clips())
    with pytest.raises(ShapeError, match=r"expected x \[120, 3, T\], got \[120, 2, 12\]"):
        layer(batch.x[:, :2], batch)
    impostor = skeleton_data(torch.randn(2, 3, 4), Graph(Layout("coco17", ("a", "b"), (0, 0))))
    with pytest.raises(LayoutError, match="N=17 joints"):
        layer(impostor.x, impostor)


def test_layout_names_that_torch_would_not_take():
    own = Graph(Layout("my.dog", ("a", "left_b", "right_b"), (0, 0, 0)))
    layer = SparseSTGCN(STGCN(3, 4, Graph("coco17")), own).eval()
    joints = torch.randn(3, 3, 5)
    data = skeleton_data(joints, own)
    assert_close(layer(data.x, data), layer.dense("my.dog")(joints))

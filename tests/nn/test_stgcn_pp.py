"""The ST-GCN++ layer: the formula, a graph that is learned, any leading axes."""

import pytest
import torch
from weights import shake

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.graph import Graph
from skelact.nn.graph_conv import GraphConv
from skelact.nn.stgcn_pp import STGCNPP, LearnedGraphConv

GRAPH = Graph("coco17", "inward_outward")


def build(in_channels=3, out_channels=12, **kwargs) -> STGCNPP:
    torch.manual_seed(0)
    layer = STGCNPP(in_channels, out_channels, GRAPH, **kwargs)
    shake(layer)
    return layer.eval()


def joints(*leading, channels=3, frames=10) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*leading, 17, channels, frames, generator=generator)


def test_the_adjacency_starts_as_that_of_the_graph():
    torch.manual_seed(0)
    learned = LearnedGraphConv(3, 4, GRAPH)
    fixed = GraphConv(3, 4, GRAPH, edge_importance=False)
    fixed.load_state_dict(learned.state_dict())
    assert learned.adjacency.requires_grad
    torch.testing.assert_close(learned.adjacency.detach().double(),
                               torch.from_numpy(GRAPH.adjacency.copy()))
    torch.testing.assert_close(learned(joints(2)), fixed(joints(2)))


def test_any_two_joints_may_be_linked():
    learned = LearnedGraphConv(3, 4, GRAPH)
    learned(joints(2)).square().sum().backward()
    assert (learned.adjacency.grad.abs() > 0).all()


@pytest.mark.parametrize("kwargs", [{}, {"stride": 2}, {"residual": False}])
def test_the_layer_is_its_formula(kwargs):
    net, features = build(**kwargs).double(), joints(2).double()
    graph = net.graph_conv
    mixed = torch.einsum("kst,koc,bscf->btof", graph.adjacency, graph.weight, features)
    mixed = mixed + torch.einsum("kst,ko->to", graph.adjacency, graph.bias)[..., None]
    mixed = torch.relu(net.graph_norm(mixed) + net.graph_shortcut(features))
    expected = net.temporal(mixed)
    if net.shortcut is not None:
        expected = expected + net.shortcut(features)
    torch.testing.assert_close(net(features), torch.relu(expected))


def test_residuals_keep_what_fits_and_convolve_what_does_not():
    def kinds(**kwargs):
        net = build(**kwargs)
        return type(net.graph_shortcut).__name__, type(net.shortcut).__name__

    assert kinds(in_channels=12) == ("Identity", "Identity")
    assert kinds(in_channels=12, stride=2) == ("Identity", "Sequential")
    assert kinds() == ("Sequential", "Sequential")
    assert kinds(residual=False) == ("Sequential", "NoneType")


@pytest.mark.parametrize(("kwargs", "frames"), [({}, 10), ({"stride": 2}, 5), ({"stride": 3}, 4)])
def test_any_leading_axes_give_the_same(kwargs, frames):
    net, many = build(**kwargs), joints(2, 3)
    out = net(many)
    assert out.shape == (2, 3, 17, 12, frames)
    torch.testing.assert_close(net(many[1, 2]), out[1, 2])
    torch.testing.assert_close(net(many[0]), out[0])
    assert net(many[:, :0]).shape == (2, 0, 17, 12, frames)


@pytest.mark.parametrize("channels", [3, 12])
def test_the_input_is_left_alone(channels):
    net, given = build(channels).train(), joints(2, channels=channels)
    before = given.clone()
    net(given)
    assert torch.equal(given, before)


def test_it_compiles_and_exports_for_any_number_of_frames():
    net = build(stride=2)
    compiled = torch.compile(net, fullgraph=True, backend="eager")
    free = torch.export.Dim.DYNAMIC
    program = torch.export.export(net, (joints(2),), dynamic_shapes=({0: free, 3: free},))
    for given in (joints(5, frames=31), joints(1, frames=4)):
        torch.testing.assert_close(compiled(given), net(given))
        torch.testing.assert_close(program.module()(given), net(given))


def test_half_precision_stays_close():
    net, given = build(), joints(2)
    with torch.autocast("cpu", torch.bfloat16):
        near = net(given).float()
    assert (near - net(given)).norm() < 0.03 * net(given).norm()


def test_what_does_not_fit_is_refused():
    net = build()
    with pytest.raises(LayoutError, match=r"N=17.*got \[25, 3, 10\]"):
        net(torch.zeros(25, 3, 10))
    with pytest.raises(ShapeError, match=r"\[\.\.\., N, 3, T\], got \[17, 2, 10\]"):
        net(joints(channels=2))
    with pytest.raises(ChoiceError, match="odd kernel_size"):
        build(kernel_size=2)

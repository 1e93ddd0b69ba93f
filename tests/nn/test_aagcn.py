"""The AAGCN layer: the published formula, a graph that follows the motion, gates."""

import pytest
import torch
from weights import shake

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.graph import Graph, Layout
from skelact.nn.aagcn import AAGCN, AdaptiveGraphConv, GatedAttention

GRAPH = Graph("coco17", "inward_outward")


def build(in_channels=3, out_channels=12, **kwargs) -> AAGCN:
    torch.manual_seed(0)
    layer = AAGCN(in_channels, out_channels, GRAPH, **kwargs)
    shake(layer)
    return layer.eval().double()


def joints(*leading, channels=3, frames=10) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*leading, 17, channels, frames, generator=generator, dtype=torch.float64)


def convolve_as_published(conv: AdaptiveGraphConv, features: torch.Tensor) -> torch.Tensor:
    """Partition by partition: compare, aggregate, mix, sum."""
    output, partitions, channels = 0, len(conv.adjacency), features.shape[2]
    if conv.embed is not None:
        weights = conv.embed.weight.view(2, partitions, -1, channels)
        biases = conv.embed.bias.view(2, partitions, -1)
    for k in range(partitions):
        adjacency = conv.adjacency[k].expand(len(features), -1, -1)
        if conv.embed is not None:
            first, second = (
                torch.einsum("ec,bnct->bnet", weights[side, k], features)
                + biases[side, k][:, None] for side in (0, 1)
            )
            alike = torch.einsum("bset,bnet->bsn", first, second) / first[0, 0].numel()
            adjacency = adjacency + conv.alpha * torch.tanh(alike)
        gathered = torch.einsum("bsct,bsn->bnct", features, adjacency)
        mixer = conv.weight.view(-1, partitions, channels)[:, k]
        output = output + torch.einsum("oc,bnct->bnot", mixer, gathered) + conv.bias[k][:, None]
    return output


def gate_as_published(gates: GatedAttention, y: torch.Tensor) -> torch.Tensor:
    """On ``[B, C, T, N]``, each step adding a share of what came in."""
    y = y.permute(0, 2, 3, 1)
    y = y * torch.sigmoid(gates.joints(y.mean(2))).unsqueeze(2) + y
    y = y * torch.sigmoid(gates.frames(y.mean(3))).unsqueeze(3) + y
    y = y * torch.sigmoid(gates.channels(y.mean((2, 3))))[:, :, None, None] + y
    return y.permute(0, 3, 1, 2)


@pytest.mark.parametrize("adaptive", [True, False])
@pytest.mark.parametrize("channels", [3, 12])
def test_the_graph_convolution_is_its_formula(adaptive, channels):
    conv, given = build(channels, adaptive=adaptive).graph_conv, joints(2, channels=channels)
    torch.testing.assert_close(conv(given), convolve_as_published(conv, given))


def test_attention_is_its_formula():
    gates, given = build().attention, joints(2, channels=12)
    torch.testing.assert_close(gates(given), gate_as_published(gates, given))


@pytest.mark.parametrize("kwargs", [{}, {"stride": 2}, {"residual": False}, {"attention": False}])
def test_the_layer_is_its_formula(kwargs):
    net, given = build(**kwargs), joints(2)
    mixed = convolve_as_published(net.graph_conv, given)
    mixed = torch.relu(net.graph_norm(mixed) + net.graph_shortcut(given))
    expected = net.temporal(gate_as_published(net.attention, mixed) if net.attention else mixed)
    if net.shortcut is not None:
        expected = expected + net.shortcut(given)
    torch.testing.assert_close(net(given), torch.relu(expected))


def test_at_first_the_graph_is_the_skeleton_and_motion_does_not_change_it():
    torch.manual_seed(0)
    conv, given = AdaptiveGraphConv(3, 8, GRAPH).double(), joints(2)
    expected = torch.from_numpy(GRAPH.adjacency.copy())
    torch.testing.assert_close(conv.adapted_adjacency(given), expected.expand(2, -1, -1, -1),
                               atol=1e-6, rtol=0)
    with torch.no_grad():
        conv.alpha.fill_(0.5)
    change = conv.adapted_adjacency(given) - expected
    assert (change[0] - change[1]).abs().max() > 0.01  # each person has a graph
    assert change.abs().max() <= 0.5 + 1e-6


def test_without_adapting_the_graph_is_no_parameter():
    learned = dict(build(adaptive=False).graph_conv.named_parameters())
    assert set(learned) == {"weight", "bias"}


@pytest.mark.parametrize("num_joints", [1, 2, 3, 6])
def test_attention_takes_any_number_of_joints(num_joints):
    names = tuple(f"joint{i}" for i in range(num_joints))
    graph = Graph(Layout("chain", names, (0, *range(num_joints - 1))), "inward_outward")
    layer = AAGCN(3, 4, graph).eval()
    given = torch.randn(2, num_joints, 3, 5)
    assert layer(given).shape == (2, num_joints, 4, 5)


def test_every_parameter_has_a_say():
    net = build()
    net(joints(2)).square().sum().backward()
    assert all(parameter.grad.abs().max() > 1e-9 for parameter in net.parameters())


@pytest.mark.parametrize(("kwargs", "frames"), [({}, 10), ({"stride": 2}, 5), ({"stride": 3}, 4)])
def test_any_leading_axes_give_the_same(kwargs, frames):
    net, many = build(**kwargs), joints(2, 3)
    out = net(many)
    assert out.shape == (2, 3, 17, 12, frames)
    torch.testing.assert_close(net(many[1, 2]), out[1, 2])
    torch.testing.assert_close(net(many[0]), out[0])
    assert net(many[:, :0]).shape == (2, 0, 17, 12, frames)


def test_what_does_not_fit_is_refused():
    net = build()
    with pytest.raises(LayoutError, match=r"N=17.*got \[25, 3, 10\]"):
        net(torch.zeros(25, 3, 10))
    with pytest.raises(ShapeError, match=r"\[\.\.\., N, 3, T\], got \[17, 2, 10\]"):
        net(joints(channels=2))
    with pytest.raises(ChoiceError, match="odd kernel_size"):
        build(kernel_size=2)

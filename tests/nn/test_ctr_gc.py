"""Refined graph convolution: the published formula, and what it reduces to."""

import pytest
import torch
from torch import Tensor
from weights import shake

from skelact.graph import Graph
from skelact.nn.ctr_gc import CTRGraphConv
from skelact.nn.stgcn_pp import LearnedGraphConv

GRAPH = Graph("coco17", "inward_outward")


def build(channels: int = 5, out_channels: int = 6) -> CTRGraphConv:
    torch.manual_seed(0)
    layer = CTRGraphConv(channels, out_channels, GRAPH, compared_channels=4).double()
    shake(layer)
    return layer


@pytest.fixture
def features() -> Tensor:
    return torch.randn(2, 17, 5, 7, dtype=torch.float64, generator=torch.manual_seed(1))


def by_partition(layer: CTRGraphConv, features: Tensor) -> Tensor:
    """The published order: compare every frame, take the mean, one partition after the other."""
    x, total = features.permute(0, 2, 3, 1), 0  # [B, C, T, N]
    weights = layer.compare.weight.view(2, 3, 4, -1)
    biases = layer.compare.bias.view(2, 3, 4)
    for k in range(3):
        source, target = (
            (torch.einsum("rc,bctn->brtn", weights[role, k], x)
             + biases[role, k][:, None, None]).mean(2) for role in (0, 1)
        )
        differences = torch.tanh(source.unsqueeze(-1) - target.unsqueeze(-2))
        refined = torch.einsum("cr,bruv->bcuv", layer.refinement[k], differences)
        refined = refined + layer.refinement_bias[k][:, None, None]
        topology = refined * layer.strength + layer.adjacency[k]
        mixed = torch.einsum("oc,bctn->botn", layer.weight[k], x) + layer.bias[k][:, None, None]
        total = total + torch.einsum("bcuv,bctu->bctv", topology, mixed)
    return total.permute(0, 3, 1, 2)


def test_it_is_the_published_formula(features):
    layer = build()
    torch.testing.assert_close(layer(features), by_partition(layer, features))


def test_without_strength_it_is_a_learned_graph(features):
    layer = build()
    with torch.no_grad():
        layer.strength.zero_()
    learned = LearnedGraphConv(5, 6, GRAPH).double()
    learned.load_state_dict({name: getattr(layer, name).detach()
                             for name in ("adjacency", "weight", "bias")})
    torch.testing.assert_close(layer(features), learned(features))


def test_a_fresh_layer_starts_from_the_graph():
    layer = CTRGraphConv(3, 4, GRAPH, compared_channels=8)
    torch.testing.assert_close(layer.adjacency.double(), torch.tensor(GRAPH.adjacency),
                               atol=1e-7, rtol=0)
    assert layer.strength.item() == 0


def test_only_the_mean_over_time_decides_on_a_topology(features):
    layer = build()
    topologies, offset = layer.refine(features.mean(dim=3))
    assert topologies.shape == (3, 2, 6, 17, 17)
    shuffled = features[..., torch.tensor([3, 1, 6, 0, 5, 2, 4])]
    again, _ = layer.refine(shuffled.mean(dim=3))
    torch.testing.assert_close(again, topologies)
    # so frames are convolved alike wherever they lie, given the topologies
    alone = layer.aggregate(features[..., 2:3], topologies, offset)
    torch.testing.assert_close(alone, layer(features)[..., 2:3])
    other, _ = layer.refine(features[..., :3].mean(dim=3))
    assert (other - topologies).abs().max() > 1e-3


def test_every_clip_has_its_own_topology(features):
    layer = build()
    torch.testing.assert_close(layer(features[1:]), layer(features)[1:])


def test_the_gradient_is_right(features):
    layer = build(2, 3)
    inputs = features[:1, :, :2, :2].clone().requires_grad_()
    names, values = zip(*layer.named_parameters(), strict=True)

    def run(joints, *parameters):
        weights = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(layer, weights, (joints,)).sum(dim=(0, 1, 3))

    assert torch.autograd.gradcheck(run, (inputs, *values), fast_mode=True)


def test_nobody_is_a_batch_too(features):
    assert build()(features[:0]).shape == (0, 17, 6, 7)

"""CTR-GCN: its table, its arguments, and what every network of ours promises."""

import numpy as np
import pytest
import torch
from plain_ctr_gcn import PlainCTRGCN
from weights import shake

from skelact.config import ClipConfig
from skelact.errors import ChoiceError
from skelact.graph import Graph, get_layout
from skelact.models import ctrgcn
from skelact.models.checkpoint import ActionModel, build_network, load_model, save_model

SMALL = {"base_channels": 6, "rows": ((1, 1), (2, 2), (2, 1))}


def build(num_classes=3, **arguments):
    torch.manual_seed(0)
    network = ctrgcn("penn13", num_classes, **SMALL | arguments)
    shake(network)
    return network.eval()


@pytest.fixture
def clips() -> torch.Tensor:
    return torch.randn(4, 2, 13, 3, 9, generator=torch.Generator().manual_seed(0))


def test_it_has_the_published_shape():
    network = ctrgcn("ntu25", 60, norm_slots=2)
    widths = [layer.graph_conv.weight.shape[1] for layer in network.layers]
    assert widths == [64] * 4 + [128] * 3 + [256] * 3
    strides = [layer.temporal.pointwise.stride for layer in network.layers]
    assert strides == [1, 1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert [layer.shortcut is None for layer in network.layers] == [True] + [False] * 9
    assert [[conv.dilation[0] for conv in layer.temporal.dilated]
            for layer in network.layers] == [[1, 2]] * 10
    # the plain network holds the graph once more, as a buffer
    plain = PlainCTRGCN(torch.zeros(3, 25, 25), 64, 60)
    published = sum(p.numel() for p in plain.parameters())
    assert sum(p.numel() for p in network.parameters()) == published == 1_446_672


@pytest.mark.parametrize(
    ("layout", "arguments", "frames"),
    [
        ("coco17", {}, 13),
        ("ntu25", {"in_channels": 6, "partition": "spatial", "absent": "zeros"}, 7),
        ("hand21", {"in_channels": 2, "kernel_size": 3, "dropout": 0.5, "norm_slots": 3}, 1),
        ("openpose18", {"dilations": (1, 2, 3, 4), "base_channels": 6, "temporal_relu": False}, 8),
    ],
)
def test_every_argument_makes_a_network_that_scores(layout, arguments, frames):
    torch.manual_seed(0)
    network = ctrgcn(layout, 7, **{"base_channels": 4, "rows": SMALL["rows"]} | arguments)
    shake(network)
    shape = (2, 3, Graph(layout).num_joints, arguments.get("in_channels", 3), frames)
    scores = network.eval()(torch.randn(shape))
    assert scores.shape == (2, 7)
    assert scores.isfinite().all()
    assert (scores[0] - scores[1]).abs().max() > 1e-6


def test_the_graph_is_inward_outward_unless_told_otherwise():
    for partition in (None, "", "inward_outward"):
        for layer in ctrgcn("penn13", 2, partition=partition, **SMALL).layers:
            learned = layer.graph_conv.adjacency.detach()
            assert np.allclose(learned, Graph("penn13", "inward_outward").adjacency)
    spatial = ctrgcn("penn13", 2, partition="spatial", **SMALL).layers[0].graph_conv.adjacency
    assert np.allclose(spatial.detach(), Graph("penn13", "spatial").adjacency)


def test_dropout_spares_the_first_layer():
    network = ctrgcn("penn13", 2, dropout=0.3, **SMALL)
    assert [layer.dropout.p for layer in network.layers] == [0.0, 0.3, 0.3]


def test_compared_channels_are_those_of_the_layers():
    network = ctrgcn("penn13", 2, compared_channels=[3, 4, 5], **SMALL)
    assert [layer.graph_conv.refinement.shape[2] for layer in network.layers] == [3, 4, 5]
    with pytest.raises(ChoiceError, match="compared_channels of 3 layers, got 2"):
        ctrgcn("penn13", 2, compared_channels=[3, 4], **SMALL)


def test_the_gradient_reaches_every_parameter(clips):
    network = build().double().train()
    network(clips.double()).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        # batch normalisation takes away what a constant would add before it
        constant = name.endswith(("reduce.bias", "shortcut.0.bias", "pointwise.bias"))
        constant = constant or (".dilated." in name and name.endswith("bias"))
        assert parameter.grad.abs().sum() > 1e-9 or constant, name


def test_who_is_absent_is_skipped_or_counts_as_zeros(clips):
    with_absent = clips * torch.tensor([1.0, 0.0])[:, None, None, None]
    skipping, zeros = build(), build(absent="zeros")
    torch.testing.assert_close(skipping(with_absent), skipping(clips[:, :1]))
    torch.testing.assert_close(zeros(clips), skipping(clips))
    assert (zeros(with_absent) - skipping(with_absent)).abs().max() > 1e-3


def test_it_learns(clips):
    torch.manual_seed(0)
    network = ctrgcn("penn13", 2, **SMALL).train()
    labels = torch.tensor([0, 1, 0, 1])
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(network(clips), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    assert all(layer.graph_conv.strength.abs() > 0 for layer in network.layers)


def test_a_checkpoint_rebuilds_it(clips, tmp_path):
    arguments = {"num_classes": 3, "compared_channels": [8, 2, 3], "dilations": [1, 3]} | SMALL
    architecture = {"name": "ctrgcn", "arguments": arguments}
    network = build_network(architecture, get_layout("penn13"))
    shake(network)
    model = ActionModel(network.eval(), ("a", "b", "c"), ClipConfig(layout="penn13", frames=9),
                        architecture)
    restored = load_model(save_model(model, tmp_path / "model.pt"))
    with torch.no_grad():
        assert torch.equal(restored.network(clips), network(clips))

"""ST-GCN++: its table, and what every network of ours promises."""

import pytest
import torch
from weights import shake

from skelact.config import ClipConfig
from skelact.errors import ChoiceError, LayoutError
from skelact.graph import Graph, Layout
from skelact.models import stgcnpp
from skelact.models.checkpoint import ActionModel, build_network, load_model, save_model
from skelact.nn.stgcn_pp import STGCNPP

SMALL = {"base_channels": 6, "rows": ((1, 1), (2, 2), (2, 1))}


def build(num_classes=3, **arguments):
    torch.manual_seed(0)
    network = stgcnpp("penn13", num_classes, **SMALL | arguments)
    shake(network)
    return network.eval()


@pytest.fixture
def clips() -> torch.Tensor:
    return torch.randn(4, 2, 13, 3, 9, generator=torch.Generator().manual_seed(0))


def test_it_has_the_published_shape():
    network = stgcnpp("ntu25", 60)
    assert all(isinstance(layer, STGCNPP) for layer in network.layers)
    widths = [layer.graph_conv.weight.shape[1] for layer in network.layers]
    assert widths == [64] * 4 + [128] * 3 + [256] * 3
    strides = [layer.temporal.pointwise.stride for layer in network.layers]
    assert strides == [1, 1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert [layer.shortcut is None for layer in network.layers] == [True] + [False] * 9
    assert sum(p.numel() for p in network.parameters()) == count_parameters(25, 60) == 1_403_144
    # the published 1.39 M is that of COCO-17; no more than the adjacencies and the norm differ
    assert count_parameters(17, 60) == 1_393_016


def count_parameters(n: int, classes: int, k: int = 3) -> int:
    """By hand from the description in the paper."""
    total, before = 2 * n * 3, 3
    for i, width in enumerate([64] * 4 + [128] * 3 + [256] * 3):
        mid = width // 6
        first = width - 5 * mid
        total += k * n * n + k * width * (before + 1) + 2 * width  # graph convolution, norm
        total += (width - mid) * (width + 3) + mid * (width + 1)  # entries of branches, norms
        total += first * (3 * first + 1) + 3 * mid * (3 * mid + 1)  # dilated kernels
        total += width * (width + 1) + 4 * width  # mix, norms around it
        if before != width:
            total += (width * (before + 1) + 2 * width) * (2 if i else 1)  # residuals
        before = width
    return total + 256 * classes + classes


@pytest.mark.parametrize(
    ("layout", "arguments", "frames"),
    [
        ("coco17", {}, 13),
        ("ntu25", {"in_channels": 6, "partition": "spatial", "absent": "zeros"}, 7),
        ("hand21", {"in_channels": 2, "kernel_size": 5, "dropout": 0.5}, 1),
        ("openpose18", {"partition": "", "base_channels": 2}, 8),
    ],
)
def test_every_argument_makes_a_network_that_scores(layout, arguments, frames):
    torch.manual_seed(0)
    network = stgcnpp(layout, 7, **{"base_channels": 4} | arguments)
    shake(network)
    shape = (2, 3, Graph(layout).num_joints, arguments.get("in_channels", 3), frames)
    scores = network.eval()(torch.randn(shape))
    assert scores.shape == (2, 7)
    assert scores.isfinite().all()
    assert (scores[0] - scores[1]).abs().max() > 1e-6


def test_the_graph_is_inward_outward_unless_told_otherwise():
    for partition in (None, "", "inward_outward"):
        network = stgcnpp("penn13", 2, partition=partition, **SMALL)
        assert all(layer.graph.partition == "inward_outward" for layer in network.layers)
    assert stgcnpp("penn13", 2, partition="spatial", **SMALL).layers[0].graph.partition == "spatial"


def test_dropout_spares_the_first_layer():
    network = stgcnpp("penn13", 2, base_channels=4, dropout=0.3)
    assert [layer.temporal.mix[-1].p for layer in network.layers] == [0.0] + [0.3] * 9


def test_an_own_layout():
    layout = Layout("dog", ("chest", "head", "left_paw", "right_paw"), (0, 0, 0, 0))
    network = stgcnpp(layout, 3, base_channels=4).eval()
    assert network.layout is layout
    assert network(torch.randn(1, 1, 4, 3, 8)).shape == (1, 3)


def test_the_gradient_reaches_every_parameter(clips):
    network = build().train()
    network(clips).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        # batch normalisation takes away what a constant would add before it
        constant = name.endswith((".reduce.bias", ".mix.2.bias", "shortcut.0.bias",
                                  "pointwise.bias"))
        constant = constant or (".dilated." in name and name.endswith("bias"))
        assert parameter.grad.abs().sum() > 1e-6 or constant, name


def test_persons_have_no_order_and_scoring_no_chance(clips):
    network = build(dropout=0.5)
    assert torch.equal(network(clips), network(clips))
    torch.testing.assert_close(network(clips.flip(1)), network(clips))
    torch.testing.assert_close(network(clips[2:3]), network(clips)[2:3])


def test_who_is_absent_is_skipped_or_counts_as_zeros(clips):
    with_absent = clips * torch.tensor([1.0, 0.0])[:, None, None, None]
    skipping, zeros = build(), build(absent="zeros")
    zeros.load_state_dict(skipping.state_dict())
    torch.testing.assert_close(skipping(with_absent), skipping(clips[:, :1]))
    torch.testing.assert_close(zeros(clips), skipping(clips))
    assert (zeros(with_absent) - skipping(with_absent)).abs().max() > 1e-3


def test_it_learns(clips):
    torch.manual_seed(0)
    network = stgcnpp("penn13", 2, **SMALL).train()
    labels = torch.tensor([0, 1, 0, 1])
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    losses = []
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(network(clips), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_a_checkpoint_rebuilds_it(clips, tmp_path):
    architecture = {"name": "stgcnpp", "arguments": {"num_classes": 3, "partition": None} | SMALL}
    network = build_network(architecture, build().layout)
    shake(network)
    model = ActionModel(network.eval(), ("a", "b", "c"), ClipConfig(layout="penn13", frames=9),
                        architecture)
    restored = load_model(save_model(model, tmp_path / "model.pt"))
    with torch.no_grad():
        assert torch.equal(restored.network(clips), network(clips))
    assert restored.network.state_dict().keys() == network.state_dict().keys()


def test_wrong_names_are_refused():
    with pytest.raises(LayoutError, match="ntu26"):
        stgcnpp("ntu26", 5)
    with pytest.raises(ChoiceError, match="spacial"):
        stgcnpp("ntu25", 5, partition="spacial")
    with pytest.raises(ChoiceError, match="absent"):
        stgcnpp("ntu25", 5, absent="ignore")

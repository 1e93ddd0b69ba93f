"""The ten-layer network."""

import pytest
import torch

from skelact.errors import ChoiceError, LayoutError
from skelact.graph import Graph, Layout
from skelact.models import stgcn
from skelact.nn.stgcn import STGCN


def test_it_has_the_published_shape():
    network = stgcn("ntu25", 60)
    assert all(isinstance(layer, STGCN) for layer in network.layers)
    widths = [layer.graph_conv.weight.shape[1] for layer in network.layers]
    assert widths == [64] * 4 + [128] * 3 + [256] * 3
    strides = [layer.temporal[2].stride[0] for layer in network.layers]
    assert strides == [1, 1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert network.layers[0].shortcut is None
    assert sum(p.numel() for p in network.parameters()) == count_parameters()


def count_parameters(k=3, n=25, classes=60) -> int:
    """By hand from the table of the paper."""
    total, before = 2 * n * 3, 3
    for i, width in enumerate([64] * 4 + [128] * 3 + [256] * 3):
        total += k * width * (before + 1) + k * n * n  # graph convolution, importance
        total += 9 * width * width + width + 4 * width  # temporal convolution, two norms
        if i and before != width:
            total += width * (before + 1) + 2 * width  # shortcut
        before = width
    return total + 256 * classes + classes


@pytest.mark.parametrize(
    ("layout", "arguments"),
    [
        ("coco17", {}),
        ("ntu25", {"in_channels": 6, "partition": "inward_outward"}),
        ("penn13", {"max_hop": 2, "kernel_size": 5, "edge_importance": False}),
        ("openpose18", {"partition": "uniform", "dropout": 0.5}),
    ],
)
def test_every_argument_makes_a_network_that_scores(layout, arguments):
    network = stgcn(layout, 7, base_channels=4, **arguments).eval()
    clips = torch.randn(2, 3, Graph(layout).num_joints, arguments.get("in_channels", 3), 12)
    scores = network(clips)
    assert scores.shape == (2, 7)
    assert scores.isfinite().all()
    assert (scores[0] - scores[1]).abs().max() > 1e-6


def test_dropout_spares_the_first_layer():
    network = stgcn("penn13", 2, base_channels=4, dropout=0.3)
    assert [layer.temporal[4].p for layer in network.layers] == [0.0] + [0.3] * 9


def test_an_own_layout():
    layout = Layout("dog", ("chest", "head", "left_paw", "right_paw"), (0, 0, 0, 0))
    network = stgcn(layout, 3, base_channels=4).eval()
    assert network.layout is layout
    assert network(torch.randn(1, 1, 4, 3, 8)).shape == (1, 3)


def test_wrong_names_are_refused():
    with pytest.raises(LayoutError, match="ntu26"):
        stgcn("ntu26", 5)
    with pytest.raises(ChoiceError, match="spatial"):
        stgcn("ntu25", 5, partition="spacial")

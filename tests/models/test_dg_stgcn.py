"""DG-STGCN: its table."""

import pytest
import torch

from skelact.errors import ChoiceError, LayoutError
from skelact.graph import Layout
from skelact.models import dgstgcn
from skelact.nn.dgstgcn import DGSTGCN


def test_it_has_the_published_shape():
    network = dgstgcn("ntu25", 60)
    assert all(isinstance(layer, DGSTGCN) for layer in network.layers)
    widths = [layer.graph_conv.merge.out_features for layer in network.layers]
    assert widths == [64] * 4 + [128] * 3 + [256] * 3
    strides = [layer.temporal.pointwise.stride for layer in network.layers]
    assert strides == [1, 1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert [layer.shortcut is None for layer in network.layers] == [True] + [False] * 9
    dilations = [conv.dilation[0] for conv in network.layers[3].temporal.dilated]
    assert dilations == [1, 2, 3, 4]
    assert sum(p.numel() for p in network.parameters()) == count_parameters(25, 60) == 1_701_032


def count_parameters(n: int, classes: int, k: int = 8) -> int:
    """By hand from the description in the paper; the groups of channels together are the width."""
    total, before = 2 * n * 3, 3
    for i, width in enumerate([64] * 4 + [128] * 3 + [256] * 3):
        mid = width // 6
        first = width - 5 * mid
        total += k * n * n + 2 + n  # topologies, strengths, coefficients of joints
        total += 3 * width * (before + 1) + 2 * width  # relate (two of them), split, its norm
        total += width * (width + 1) + 2 * width  # merge, norm
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
        ("coco17", {"topologies": 3, "ratio": 1 / 3}, 13),
        ("ntu25", {"in_channels": 6, "absent": "zeros", "norm_slots": 2}, 7),
        ("hand21", {"in_channels": 2, "kernel_size": 5, "dilations": [1, 2], "dropout": 0.5}, 1),
        ("openpose18", {"base_channels": 2}, 8),
    ],
)
def test_every_argument_makes_a_network_that_scores(layout, arguments, frames):
    torch.manual_seed(0)
    network = dgstgcn(layout, 7, **{"base_channels": 4} | arguments).eval()
    shape = (2, 2, network.layout.num_joints, arguments.get("in_channels", 3), frames)
    scores = network(torch.randn(shape))
    assert scores.shape == (2, 7)
    assert scores.isfinite().all()
    first = network.layers[0]
    assert len(first.graph_conv.topology) == arguments.get("topologies", 8)
    assert len(first.temporal.dilated) == len(arguments.get("dilations", (1, 2, 3, 4)))
    assert first.temporal.dilated[0].kernel_size[0] == arguments.get("kernel_size", 3)


def test_dropout_spares_the_first_layer():
    network = dgstgcn("penn13", 2, base_channels=4, dropout=0.3)
    assert [layer.temporal.mix[-1].p for layer in network.layers] == [0.0] + [0.3] * 9


def test_the_bones_of_a_layout_do_not_matter():
    """Only the number of joints does: the topologies are learned."""
    star = Layout("star", ("a", "b", "c", "d"), (0, 0, 0, 0))
    chain = Layout("chain", ("a", "b", "c", "d"), (0, 0, 1, 2))
    clips, scores = torch.randn(2, 1, 4, 3, 8), []
    for layout in (star, chain):
        torch.manual_seed(0)
        network = dgstgcn(layout, 3, base_channels=4, rows=((1, 1), (2, 2))).eval()
        assert network.layout is layout
        scores.append(network(clips))
    assert torch.equal(*scores)


def test_wrong_names_are_refused():
    with pytest.raises(LayoutError, match="ntu26"):
        dgstgcn("ntu26", 5)
    with pytest.raises(ChoiceError, match="absent"):
        dgstgcn("ntu25", 5, absent="ignore")

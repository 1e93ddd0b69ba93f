"""AAGCN and 2s-AGCN: their table; what every network keeps is in test_contract."""

import numpy as np
import pytest
import torch

from skelact.errors import ChoiceError
from skelact.graph import Graph
from skelact.models import aagcn


def count_parameters(n: int, classes: int, attention: bool, k: int = 3) -> int:
    """By hand from the description in the papers."""
    total, before = 2 * n * 3, 3
    for row, width in enumerate([64] * 4 + [128] * 3 + [256] * 3):
        shortcut = width * (before + 1) + 2 * width if before != width else 0
        total += k * n * n + 1 + 2 * k * (width // 4) * (before + 1)  # graph, alpha, comparison
        total += k * width * (before + 1) + 2 * width  # mixing, norm
        total += width * (9 * width + 1) + 2 * width  # frames, norm
        total += shortcut * (2 if row else 1)
        if attention:
            total += (width * 9 + 1) + (width * (n - 1 + n % 2) + 1)  # frames, joints
            total += (width // 2) * (width + 1) + width * (width // 2 + 1)  # channels
        before = width
    return total + 256 * classes + classes


@pytest.mark.parametrize(("attention", "millions"), [(True, 3.78), (False, 3.47)])
def test_it_has_the_published_shape(attention, millions):
    network = aagcn("ntu25", 60, attention=attention)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert parameters == count_parameters(25, 60, attention)
    assert round(parameters / 1e6, 2) == millions
    assert [layer.graph_conv.weight.shape[0] for layer in network.layers] == (
        [64] * 4 + [128] * 3 + [256] * 3)
    assert [layer.temporal[0].stride[0] for layer in network.layers] == [1] * 4 + [2, 1, 1, 2, 1, 1]
    assert [layer.shortcut is None for layer in network.layers] == [True] + [False] * 9
    assert all((layer.attention is not None) == attention for layer in network.layers)


def test_the_graph_is_inward_outward_unless_told_otherwise():
    small = {"base_channels": 4, "rows": [(1, 1)]}
    for partition in (None, "", "inward_outward"):
        learned = aagcn("penn13", 2, partition=partition, **small).layers[0].graph_conv.adjacency
        assert np.allclose(learned.detach(), Graph("penn13", "inward_outward").adjacency)
    spatial = aagcn("penn13", 2, partition="spatial", **small).layers[0].graph_conv.adjacency
    assert np.allclose(spatial.detach(), Graph("penn13", "spatial").adjacency)
    with pytest.raises(ChoiceError, match="spacial"):
        aagcn("penn13", 2, partition="spacial", **small)


def test_dropout_spares_the_first_layer():
    network = aagcn("penn13", 2, base_channels=4, dropout=0.3)
    assert [layer.temporal[2].p for layer in network.layers] == [0.0] + [0.3] * 9


def test_it_learns():
    """From its own first weights, of which many are nearly 0."""
    torch.manual_seed(0)
    network = aagcn("penn13", 2, base_channels=6, rows=[(1, 1), (2, 2)]).train()
    clips, labels = torch.randn(4, 2, 13, 3, 9), torch.tensor([0, 1, 0, 1])
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    losses = []
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(network(clips), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    assert all(layer.graph_conv.alpha.abs() > 0 for layer in network.layers)

"""The transformer: its table; what every network keeps is in test_contract."""

import pytest
import torch

from skelact.errors import ChoiceError
from skelact.models import transformer


def test_it_has_the_sizes_that_it_names():
    network, width = transformer("ntu25", 60), 128
    layer = 12 * width**2 + 4 * width + 2 * width + 4 * width  # products, biases, norms
    tokens = 3 * 3 * width + width + 25 * width
    expected = 2 * 75 + tokens + 8 * layer + 4 * width + 60 * (width + 1)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected == 1_595_986


def test_arguments_make_the_table():
    network = transformer("coco17", 5, in_channels=2, base_channels=6, spatial_layers=1,
                          temporal_layers=2, heads=3, kernel_size=5, stride=4, dropout=0.3)
    assert [getattr(layer, "axis", None) for layer in network.layers] == [
        None, "joints", None, "frames", "frames", None]
    assert all(layer.heads == 3 and layer.dropout.p == layer.mlp[-1].p == 0.3
               for layer in network.layers if hasattr(layer, "axis"))
    clips = torch.randn(2, 3, 17, 2, 9)
    assert network.eval().features(clips).shape == (2, 3, 1, 12, 3)
    assert network(clips[..., :1]).shape == (2, 5)


def test_joints_and_frames_have_their_places():
    torch.manual_seed(0)
    network = transformer("penn13", 3, base_channels=4).eval()
    clips = torch.randn(2, 1, 13, 3, 9)
    with torch.no_grad():
        network.layers[0].joint.mul_(20)
    for moved in (clips.flip(4), clips.flip(2)):
        assert (network(moved) - network(clips)).abs().max() > 1e-4


def test_heads_have_to_divide_the_width():
    with pytest.raises(ChoiceError, match="divides the width 10, got 4"):
        transformer("penn13", 3, base_channels=5)
    with pytest.raises(ChoiceError, match="odd kernel_size"):
        transformer("penn13", 3, kernel_size=2)


def test_it_learns():
    torch.manual_seed(0)
    network = transformer("penn13", 2, base_channels=4, spatial_layers=1, temporal_layers=1).train()
    clips, labels = torch.randn(4, 2, 13, 3, 9), torch.tensor([0, 1, 0, 1])
    optimizer = torch.optim.AdamW(network.parameters(), 0.01)
    losses = []
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(network(clips), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]

"""The LSTM baseline: its sizes; what every network keeps is in test_contract."""

import torch

from skelact.models import lstm


def test_it_has_the_sizes_that_it_names():
    network = lstm("ntu25", 60)
    width, expected = 256, 2 * 75 + 60 * 257
    for entering in (75, width, width):
        expected += 4 * width * (entering + width + 2)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected == 1_409_234


def test_arguments_reach_the_layers():
    network = lstm("coco17", 5, in_channels=2, base_channels=4, num_layers=2, dropout=0.3)
    layer = network.layers[0]
    assert (layer.input_size, layer.hidden_size) == (34, 16)
    assert (layer.num_layers, layer.dropout) == (2, 0.3)
    assert network.eval()(torch.randn(2, 3, 17, 2, 1)).shape == (2, 5)


def test_the_order_of_frames_matters():
    torch.manual_seed(0)
    network = lstm("penn13", 3, base_channels=4).eval()
    clips = torch.randn(2, 1, 13, 3, 9)
    assert (network(clips.flip(4)) - network(clips)).abs().max() > 1e-4


def test_it_learns():
    torch.manual_seed(0)
    network = lstm("penn13", 2, base_channels=4, num_layers=2).train()
    clips, labels = torch.randn(4, 2, 13, 3, 9), torch.tensor([0, 1, 0, 1])
    optimizer = torch.optim.AdamW(network.parameters(), 0.02)
    losses = []
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(network(clips), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]

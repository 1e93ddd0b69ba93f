"""The network: its size as published, and what can be chosen."""

import torch

from skelact.models import msg3d


def test_the_published_size():
    network = msg3d("ntu25", num_classes=60, norm_slots=2)
    assert sum(value.numel() for value in network.parameters()) == 3_194_595
    widths = [(block.in_channels, block.graph_conv.weight.shape[1],
               block.windows[0].norm.num_features) for block in network.layers]
    assert widths == [(3, 96, 96), (96, 96, 192), (192, 192, 384)]


def test_what_can_be_chosen_reaches_the_layers():
    network = msg3d("penn13", 4, in_channels=2, base_channels=6, graph_scales=4, window_scales=2,
                    windows=[7], kernel_size=5, dilations=[1, 2], dropout=0.25,
                    rows=[[1, 2], [2, 1]])
    first, second = network.layers
    assert first.graph_conv.adjacency.shape == (4, 13, 13)
    assert [window.graph_conv.adjacency.shape for window in first.windows] == [(2, 91, 91)]
    assert [conv.kernel_size[0] for conv in second.temporal[2].dilated] == [5, 5]
    assert second.dropout.p == 0.25
    assert network.features(torch.randn(2, 1, 13, 2, 9)).shape == (2, 1, 13, 12, 5)


def test_the_graph_can_be_that_of_the_paper():
    ours, paper = (msg3d("penn13", 4, base_channels=6, normalise=normalise).layers[0]
                   for normalise in ("columns", "symmetric"))
    assert torch.equal(paper.graph_conv.adjacency, paper.graph_conv.adjacency.mT)
    assert not torch.equal(ours.graph_conv.adjacency, ours.graph_conv.adjacency.mT)
    torch.testing.assert_close(ours.graph_conv.adjacency.sum(1), torch.ones(13, 13))

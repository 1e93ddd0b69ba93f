"""SlowFast: the shapes of the published table, the lateral connections, parameters."""

import pytest
import torch

from skelact.errors import ChoiceError
from skelact.rgb.slowfast import SlowFast, slowfast

STAGES = [  # slow, fast, as in table 1 of the paper with alpha = 8, beta = 1/8, 4 slow frames
    ([64, 4, 56, 56], [8, 32, 56, 56]),
    ([256, 4, 56, 56], [32, 32, 56, 56]),
    ([512, 4, 28, 28], [64, 32, 28, 28]),
    ([1024, 4, 14, 14], [128, 32, 14, 14]),
    ([2048, 4, 7, 7], [256, 32, 7, 7]),
]


@pytest.mark.parametrize(("doubled", "joined"), [(True, [80, 320, 640, 1280]),
                                                 (False, [72, 288, 576, 1152])])
def test_shapes_of_every_stage(doubled, joined):
    with torch.device("meta"):
        network = SlowFast(doubled=doubled)
        features = network.pathways(torch.empty(1, 3, 32, 224, 224))
        fused = [network.join(i, *features[i]) for i in range(4)]
    assert [(list(slow.shape[1:]), list(fast.shape[1:])) for slow, fast in features] == STAGES
    assert [f.shape[1] for f in fused] == joined
    assert [f.shape[2] for f in fused] == [4] * 4
    assert network.dim == 2304


def test_lateral_kernels_and_parameters():
    with torch.device("meta"):
        network = SlowFast()
    for lateral, channels in zip(network.network["lateral"], (8, 32, 64, 128), strict=True):
        conv = lateral[0]
        assert conv.weight.shape == (2 * channels, channels, 5, 1, 1)
        assert conv.stride == (8, 1, 1)
    parameters = sum(p.numel() for p in network.parameters()) + 400 * (network.dim + 1)
    assert parameters == pytest.approx(34.48e6, rel=0.001)


@torch.no_grad()
def test_any_number_of_frames_and_what_each_pathway_sees():
    torch.manual_seed(0)
    network = slowfast("random", alpha=4).eval()
    for frames in (1, 3, 4, 9):
        assert network(torch.randn(2, 3, frames, 32, 32)).shape == (2, 2304)
    clip = torch.randn(1, 3, 8, 64, 64)
    blinking = clip.clone()
    blinking[:, :, 2] = 0  # a frame that the slow pathway skips
    slow, fast = network.pathways(clip)[0]
    slow_blinking, fast_blinking = network.pathways(blinking)[0]
    assert torch.equal(slow, slow_blinking)
    assert not torch.equal(fast, fast_blinking)
    assert not torch.equal(network(clip)[:, :2048], network(blinking)[:, :2048])  # laterally


@torch.no_grad()
def test_the_vector_is_the_mean_of_both_pathways():
    torch.manual_seed(0)
    network = slowfast("random", alpha=2).eval()
    clip = torch.randn(2, 3, 6, 64, 64)
    slow, fast = network.pathways(clip)[-1]
    wanted = torch.cat([slow.mean(dim=(2, 3, 4)), fast.mean(dim=(2, 3, 4))], dim=1)
    torch.testing.assert_close(network(clip), wanted, rtol=1e-4, atol=1e-5)


def test_numbers_that_make_no_slowfast():
    for arguments in ({"depth": 18}, {"alpha": 0}, {"beta": 7}):
        with pytest.raises(ChoiceError, match="depth of 50 or 101"):
            slowfast("random", **arguments)

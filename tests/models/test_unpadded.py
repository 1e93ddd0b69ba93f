"""Networks without padding: the middle of what they answer with it, and weights that pass over."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from weights import shake

from skelact.errors import ChoiceError, ShapeError
from skelact.models import ctrgcn, dgstgcn, stgcn, stgcnpp
from skelact.models.classifier import SkeletonClassifier
from skelact.models.unpadded import find_extents, receptive_field, unpadded
from skelact.nn.unpadded import CausalCTRGraphConv

ROWS = ((1, 1), (2, 2), (2, 1))


def build(function, **arguments) -> SkeletonClassifier:
    torch.manual_seed(0)
    network = function("penn13", 3, **{"base_channels": 6} | arguments)
    shake(network)
    return network.double().eval()


def clip_of(frames: int, people: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(1, people, 13, 3, frames, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("function", [stgcn, stgcnpp])
def test_published_networks_answer_as_with_padding_where_it_does_not_reach(function):
    network = build(function, base_channels=4)
    assert find_extents(network)[-1] == (153, 4)  # 76 frames at each end, 19 answers
    twin, clip = unpadded(network), clip_of(181)
    with torch.no_grad():
        padded, cropped = network.features(clip), twin.features(clip)
    assert cropped.shape[-1] == (181 - 153) // 4 + 1 == 8
    torch.testing.assert_close(cropped, padded[..., 19:27])
    assert (cropped[..., 0] - padded[..., 0]).abs().max() > 1e-3


@pytest.mark.parametrize(("function", "arguments", "expected"), [
    (ctrgcn, {"dilations": (1, 3), "rows": ROWS, "base_channels": 16}, (1 + 12 + 12 + 24, 2)),
    (stgcnpp, {"rows": ROWS}, (33, 2)),
    (stgcnpp, {"rows": ROWS, "kernel_size": 5, "base_channels": 18}, (65, 2)),
    (stgcn, {"kernel_size": 3}, (1 + 5 * 2 + 3 * 4 + 2 * 8, 4)),
    (stgcn, {"kernel_size": 1}, (1, 4)),
])
def test_the_receptive_field_is_that_of_the_answers(function, arguments, expected):
    network = build(function, **arguments)
    frames, stride = expected
    assert find_extents(network)[-1] == expected
    twin = unpadded(network)
    assert receptive_field(network) == receptive_field(twin) == frames
    clip = clip_of(frames + stride)
    with torch.no_grad():
        answers = twin.features(clip)
        assert answers.shape[-1] == 2
        if function is not ctrgcn:  # whose means over time see more
            torch.testing.assert_close(twin.features(clip[..., stride:]), answers[..., 1:])
        clip[..., -1] += 1.0
        changed = (twin.features(clip) - answers).abs().amax(dim=(0, 1, 2, 3))
    assert changed[0] < 1e-12 < 1e-6 < changed[1]


@pytest.mark.parametrize("function", [stgcn, stgcnpp, ctrgcn])
def test_weights_keep_their_names_and_the_network_its_padding(function):
    network = build(function)
    before = network(clip_of(12))
    twin = unpadded(network)
    assert torch.equal(network(clip_of(12)), before)
    assert twin.state_dict().keys() == network.state_dict().keys()
    clip = clip_of(receptive_field(network) + 5)
    scores = twin(clip)
    torch.testing.assert_close(unpadded(twin)(clip), scores)  # once is enough
    twin.load_state_dict(build(function, absent="zeros").state_dict())
    torch.testing.assert_close(twin(clip), scores)


@pytest.mark.parametrize("function", [stgcnpp, ctrgcn])
def test_it_can_be_trained(function):
    twin = unpadded(build(function, rows=ROWS)).train()
    assert unpadded(twin).training
    twin(clip_of(40)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in twin.parameters())


@settings(max_examples=15)
@given(st.integers(1, 12), st.one_of(st.none(), st.integers(1, 12)))
def test_a_topology_is_refined_by_the_mean_so_far(frames, last):
    conv = build(ctrgcn, rows=ROWS).layers[1].graph_conv
    features = torch.randn(2, 13, 6, frames, dtype=torch.float64)
    with torch.no_grad():
        answers = CausalCTRGraphConv(conv, last)(features)
        for t in range(frames):
            seen = features[..., max(0, t + 1 - (last or frames)) : t + 1]
            torch.testing.assert_close(answers[..., t], conv(seen)[..., -1])


def test_what_does_not_fit_is_refused():
    network = build(stgcnpp, rows=ROWS)
    with pytest.raises(ShapeError, match=r"at least 33 frames.*got 32"):
        unpadded(network)(clip_of(32))
    with pytest.raises(ChoiceError, match=r"STGCN, STGCNPP, CTRGCN.*got DGSTGCN"):
        unpadded(build(dgstgcn, base_channels=12))
    with pytest.raises(ChoiceError, match=r"at least 33 frames.*got 20"):
        unpadded(network, window=20)
    network.layers = torch.nn.Identity()
    with pytest.raises(ChoiceError, match="one after another, got Identity"):
        unpadded(network)

"""The layer of CTR-GCN: what it is made of, shapes, refusals."""

import pytest
import torch
from weights import shake

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.graph import Graph
from skelact.nn.ctrgcn import CTRGCN, default_compared_channels

GRAPH = Graph("coco17", "inward_outward")


def build(*sizes, **arguments) -> CTRGCN:
    torch.manual_seed(0)
    layer = CTRGCN(*sizes, GRAPH, **arguments)
    shake(layer)
    return layer.eval()


@pytest.mark.parametrize("temporal_relu", [True, False])
@pytest.mark.parametrize(("sizes", "arguments"), [
    ((8, 8), {}), ((8, 8), {"stride": 2}), ((4, 9), {}), ((4, 9), {"residual": False})])
def test_it_is_the_published_sum(sizes, arguments, temporal_relu):
    layer = build(*sizes, **arguments, temporal_relu=temporal_relu)
    joints = torch.randn(2, 17, sizes[0], 9)
    with torch.no_grad():
        z = torch.relu(layer.graph_norm(layer.graph_conv(joints)) + layer.graph_shortcut(joints))
        y = layer.temporal(z)
        assert (y < 0).any()
        y = y.clamp_min(0) if temporal_relu else y
        if arguments.get("residual", True):
            same = sizes[0] == sizes[1] and "stride" not in arguments
            y = y + (joints if same else layer.shortcut(joints))
        torch.testing.assert_close(layer(joints), y.clamp_min(0))


@pytest.mark.parametrize("leading", [(), (3,), (2, 0), (2, 1, 2)])
def test_leading_axes_are_free(leading):
    layer = build(3, 4, stride=2)
    joints = torch.randn(*leading, 17, 3, 5)
    assert layer(joints).shape == (*leading, 17, 4, 3)


def test_it_takes_odd_frames_and_single_ones():
    layer = build(3, 4, stride=2)
    for frames in (1, 2, 7):
        assert layer(torch.randn(1, 17, 3, frames)).shape[-1] == -(-frames // 2)


def test_the_published_numbers_of_compared_channels():
    assert [default_compared_channels(c) for c in (2, 3, 9, 16, 32, 64, 128)] == [
        8, 8, 8, 8, 4, 8, 16]
    assert build(32, 32).graph_conv.refinement.shape == (3, 32, 4)
    assert build(32, 32, compared_channels=5).graph_conv.refinement.shape == (3, 32, 5)


def test_a_fresh_layer_passes_its_residual_on():
    layer = CTRGCN(8, 8, GRAPH).eval()
    joints = torch.randn(1, 17, 8, 5)
    z = torch.relu(layer.graph_norm(layer.graph_conv(joints)) + joints)
    torch.testing.assert_close(z, torch.relu(joints), atol=1e-4, rtol=0)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ChoiceError, match=r"at least 4 channels, one for each branch .* got 3"):
        CTRGCN(3, 3, GRAPH)
    with pytest.raises(ChoiceError, match="odd kernel_size"):
        CTRGCN(3, 8, GRAPH, kernel_size=4)
    layer = build(3, 4)
    with pytest.raises(LayoutError, match="coco17"):
        layer(torch.zeros(1, 25, 3, 5))
    with pytest.raises(ShapeError, match="3"):
        layer(torch.zeros(1, 17, 2, 5))

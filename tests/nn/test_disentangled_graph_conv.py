"""Graph convolution over windows: the formula, in whichever order; clips do not touch."""

import pytest
import torch
from torch import Tensor

from skelact.errors import ChoiceError
from skelact.graph import get_layout
from skelact.nn.disentangled_graph_conv import DisentangledGraphConv

LAYOUT = get_layout("penn13")
SIZES = [(3, 8, 1, 1, 6), (8, 8, 1, 1, 6), (3, 8, 5, 1, 7), (8, 8, 5, 1, 7), (8, 4, 3, 2, 10),
         (8, 8, 5, 2, 9), (3, 8, 5, 2, 8), (8, 8, 5, 3, 11), (8, 8, 5, 2, 1), (3, 8, 3, 2, 1)]
"""Channels in and out, window, stride, frames."""


def build(in_channels: int, out_channels: int, window: int, stride: int) -> DisentangledGraphConv:
    torch.manual_seed(0)
    conv = DisentangledGraphConv(in_channels, out_channels, LAYOUT, 4, window, stride).double()
    torch.nn.init.normal_(conv.adjacency_offset)
    return conv


def by_definition(conv: DisentangledGraphConv, features: Tensor) -> Tensor:
    """Windows cut out one by one, then the sum over scales, frames and joints."""
    half, joints = conv.window // 2, features.shape[1]
    padded = torch.nn.functional.pad(features, (half, half))
    windows = torch.stack([padded[..., start : start + conv.window]
                           for start in range(0, features.shape[-1], conv.stride)], dim=-1)
    adjacency = (conv.adjacency + conv.adjacency_offset).view(
        -1, conv.window, joints, conv.window, joints)
    out = torch.einsum("kwnvm,koc,bncwt->bmvot", adjacency, conv.weight, windows)
    return (out + conv.bias[:, None]).flatten(1, 2)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("aggregate_first", [True, False])
@pytest.mark.parametrize("in_graph", [True, False])
def test_it_is_its_formula_in_whichever_order(monkeypatch, sizes, aggregate_first, in_graph):
    *sizes, frames = sizes
    conv = build(*sizes)
    conv.aggregate_first = aggregate_first
    features = torch.randn(3, 13, sizes[0], frames, dtype=torch.float64)
    expected = by_definition(conv, features)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: in_graph)
    torch.testing.assert_close(conv(features), expected)
    assert conv(features[:0]).shape == (0, *expected.shape[1:])


@pytest.mark.parametrize("sizes", [(3, 8, 3, 1), (8, 8, 5, 2)])
def test_gradients_are_those_of_the_formula(sizes):
    conv = build(*sizes)
    features = torch.randn(2, 13, sizes[0], 9, dtype=torch.float64, requires_grad=True)
    given = [features, *conv.parameters()]
    actual, expected = (torch.autograd.grad(output.square().sum(), given)
                        for output in (conv(features), by_definition(conv, features)))
    torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize(("in_channels", "window", "stride", "first"), [
    (3, 1, 1, True), (3, 5, 1, True), (96, 1, 1, False), (96, 3, 2, False), (192, 5, 2, False),
])
def test_the_cheaper_order_is_taken(in_channels, window, stride, first):
    conv = DisentangledGraphConv(in_channels, 96, LAYOUT, 2, window, stride)
    assert conv.aggregate_first == first


def test_windows_stay_within_their_clip():
    conv = build(8, 8, 5, 2)
    features = torch.randn(3, 13, 8, 9, dtype=torch.float64)
    alone = conv(features)
    features[1] = torch.nan
    beside = conv(features)
    assert beside[1].isnan().all()
    torch.testing.assert_close(beside[[0, 2]], alone[[0, 2]])


@pytest.mark.parametrize("window", [0, 4])
def test_a_window_needs_a_middle(window):
    with pytest.raises(ChoiceError, match=f"expected an odd window .*got {window}"):
        DisentangledGraphConv(3, 8, LAYOUT, 2, window)

"""Temporal convolution at several scales: the formula, branch by branch and frame by frame."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from weights import shake

from skelact.errors import ChoiceError
from skelact.nn.multi_scale_temporal import (
    MultiScaleTemporalConv,
    NormedTemporalBranches,
    TemporalBranches,
    branch_widths,
)


def build(*sizes, kind: type[TemporalBranches] = MultiScaleTemporalConv,
          **kwargs) -> TemporalBranches:
    torch.manual_seed(0)
    layer = kind(*sizes, **kwargs).double()
    shake(layer)
    return layer.eval()


def normalise(values: Tensor, norm: torch.nn.Module, channels: slice) -> Tensor:
    """One branch of a batch norm in eval mode, ``[B, N, C, T]``."""
    weight, bias, mean, var = (
        tensor[channels][:, None]
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    return (values - mean) / torch.sqrt(var + norm.eps) * weight + bias


def by_branch(layer: TemporalBranches, features: Tensor, stride: int) -> Tensor:
    """The branches of the published form, each for itself, with loops over frames."""
    frames, start, outputs = features.shape[-1], 0, []
    for branch, width in enumerate(layer.widths):
        rows = slice(start, start + width)
        start += width
        reduced = torch.einsum("oc,bnct->bnot", layer.reduce.weight[rows], features)
        reduced = reduced + layer.reduce.bias[rows][:, None]
        reduced = torch.relu(normalise(reduced, layer.reduce_norm, rows))
        out = []
        for centre in range(0, frames, stride):
            if branch == len(layer.dilated):
                out.append(reduced[..., max(centre - 1, 0) : centre + 2].amax(-1))
                continue
            conv = layer.dilated[branch]
            total = conv.bias.expand(*reduced.shape[:2], -1)
            for k in range(conv.kernel_size[0]):
                frame = centre + (k - conv.kernel_size[0] // 2) * conv.dilation[0]
                if 0 <= frame < frames:
                    total = total + reduced[..., frame] @ conv.weight[:, :, k, 0].T
            out.append(total)
        outputs.append(torch.stack(out, dim=-1))
    last = torch.einsum("oc,bnct->bnot", layer.pointwise.weight, features[..., ::stride])
    return torch.cat([*outputs, last + layer.pointwise.bias[:, None]], dim=2)


def mix_branches(layer: MultiScaleTemporalConv, joined: Tensor) -> Tensor:
    """What ST-GCN++ does with the branches."""
    norm, _, mix, out_norm, _ = layer.mix
    hidden = torch.relu(normalise(joined, norm, slice(None)))
    mixed = torch.einsum("oc,bnct->bnot", mix.weight, hidden) + mix.bias[:, None]
    return normalise(mixed, out_norm, slice(None))


@pytest.mark.parametrize("kernel_size", [3, 5])
@pytest.mark.parametrize(("channels", "frames", "stride"),
                         [((6, 14), 12, 1), ((14, 14), 11, 2), ((5, 3), 2, 2), ((3, 12), 1, 1)])
def test_it_is_the_sum_of_its_branches(channels, frames, stride, kernel_size):
    layer = build(*channels, kernel_size=kernel_size, stride=stride)
    features = torch.randn(2, 5, channels[0], frames, dtype=torch.float64)
    out = layer(features)
    assert out.shape == (2, 5, channels[1], -(-frames // stride))
    joined = by_branch(layer, features, stride)
    torch.testing.assert_close(out, mix_branches(layer, joined))
    assert [conv.dilation[0] for conv in layer.dilated] == [1, 2, 3, 4]


@pytest.mark.parametrize("dilations", [(1, 2), (1, 3, 4)])
@pytest.mark.parametrize(("channels", "frames", "stride"),
                         [((6, 14), 12, 1), ((14, 14), 11, 2), ((5, 5), 2, 2), ((3, 12), 1, 1)])
def test_the_branches_can_stay_apart(channels, frames, stride, dilations):
    layer = build(*channels, kind=NormedTemporalBranches, stride=stride, dilations=dilations)
    features = torch.randn(2, 5, channels[0], frames, dtype=torch.float64)
    out = layer(features)
    assert out.shape == (2, 5, channels[1], -(-frames // stride))
    joined = by_branch(layer, features, stride)
    torch.testing.assert_close(out, normalise(joined, layer.norm, slice(None)))
    assert [conv.dilation[0] for conv in layer.dilated] == list(dilations)


def test_what_is_left_over_goes_to_the_pointwise_branch():
    layer = NormedTemporalBranches(64, 66)
    assert (layer.widths, layer.pointwise.out_features) == ([16, 16, 16], 18)


def test_fewer_channels_than_branches_are_refused():
    with pytest.raises(ChoiceError, match=r"at least 4 channels, one for each branch .* got 3"):
        NormedTemporalBranches(8, 3)


@given(st.integers(1, 300), st.integers(2, 9))
def test_the_branches_share_the_channels(channels, branches):
    first, width = branch_widths(channels, branches)
    assert first >= 1
    assert width >= 1
    assert width == channels // branches or channels < branches
    if channels >= branches:
        assert first + (branches - 1) * width == channels
        assert first >= width


def test_the_published_widths():
    assert branch_widths(64, 6) == (14, 10)
    assert MultiScaleTemporalConv(64, 64).widths == [14, 10, 10, 10, 10]
    assert MultiScaleTemporalConv(64, 64).pointwise.out_features == 10


def test_nobody_is_a_batch_too():
    assert build(6, 12, stride=2)(torch.zeros(0, 5, 6, 9, dtype=torch.float64)).shape == (
        0, 5, 12, 5)


def test_an_even_kernel_is_refused():
    with pytest.raises(ChoiceError, match="odd kernel_size"):
        MultiScaleTemporalConv(6, 12, kernel_size=4)

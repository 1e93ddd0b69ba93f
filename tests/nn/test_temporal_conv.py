"""Convolution over frames against torch's own, and where torch's own may not be used."""

import pytest
import torch
from torch import nn

from skelact.errors import ChoiceError
from skelact.nn.temporal_conv import TemporalConv


@pytest.mark.parametrize("kernel_size", [1, 3, 9])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("frames", [1, 7, 100])
def test_it_is_a_convolution_over_frames(kernel_size, stride, frames):
    torch.manual_seed(kernel_size + stride)
    layer = TemporalConv(4, 8, kernel_size, stride).double()
    features = torch.randn(2, 5, 4, frames, dtype=torch.float64, requires_grad=True)
    out = layer(features)
    assert out.shape == (2, 5, 8, -(-frames // stride))
    plain = features.detach().clone().requires_grad_()
    expected = nn.functional.conv2d(plain.permute(0, 2, 1, 3), layer.weight.transpose(2, 3),
                                    layer.bias, (1, stride), (0, kernel_size // 2))
    torch.testing.assert_close(out, expected.permute(0, 2, 1, 3))
    weight = torch.randn_like(out)
    (out * weight).sum().backward()
    (expected.permute(0, 2, 1, 3) * weight).sum().backward()
    torch.testing.assert_close(features.grad, plain.grad)


def test_a_strided_1x1_kernel_stays_within_its_memory():
    """torch 2.15's own convolution writes beyond it here, in the backward pass on a CPU."""
    layer = TemporalConv(4, 8, kernel_size=1, stride=2)
    by_frame = torch.randn(2, 100, 25, 4)
    for _ in range(3):
        layer(by_frame.permute(0, 2, 3, 1)).square().sum().backward()
    assert layer.weight.shape == (8, 4, 1, 1)  # as checkpoints have it
    assert layer.weight.grad.isfinite().all()


@pytest.mark.parametrize("kernel_size", [0, 2, -1])
def test_a_kernel_needs_a_middle(kernel_size):
    with pytest.raises(ChoiceError, match="odd kernel_size"):
        TemporalConv(2, 2, kernel_size)

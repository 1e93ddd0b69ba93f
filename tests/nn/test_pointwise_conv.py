"""The 1x1 convolution."""

import pytest
import torch

from skelact.nn.pointwise_conv import PointwiseConv


@pytest.mark.parametrize(("stride", "frames"), [(1, 9), (2, 9), (2, 8), (3, 1)])
def test_it_is_the_convolution_with_a_1x1_kernel(stride, frames):
    torch.manual_seed(0)
    mixer = PointwiseConv(5, 4, stride).double()
    features = torch.randn(2, 7, 5, frames, dtype=torch.float64, requires_grad=True)
    expected = torch.conv2d(features.permute(0, 2, 3, 1), mixer.weight[..., None, None],
                            mixer.bias, stride=(stride, 1)).permute(0, 3, 1, 2)
    out = mixer(features)
    torch.testing.assert_close(out, expected)
    for ours, theirs in zip(torch.autograd.grad(out.square().sum(), [features, mixer.weight]),
                            torch.autograd.grad(expected.square().sum(),
                                                [features, mixer.weight]), strict=True):
        torch.testing.assert_close(ours, theirs)

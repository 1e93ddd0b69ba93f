"""The residual path keeps what fits and convolves what does not."""

import pytest
import torch

from skelact.nn.shortcut import make_shortcut


def test_what_fits_is_kept():
    features = torch.randn(2, 5, 4, 9)
    assert make_shortcut(4, 4)(features) is features


@pytest.mark.parametrize("sizes", [(4, 6, 1), (4, 4, 2), (4, 6, 3)])
def test_what_does_not_fit_is_convolved_and_normed(sizes):
    torch.manual_seed(0)
    features, path = torch.randn(2, 5, 4, 9), make_shortcut(*sizes)
    convolved = torch.einsum("oc,bnct->bnot", path[0].weight, features[..., ::sizes[2]])
    convolved = convolved + path[0].bias[:, None]
    mean, variance = convolved.mean((0, 1, 3)), convolved.var((0, 1, 3), correction=0)
    expected = (convolved - mean[:, None]) / (variance[:, None] + 1e-5).sqrt()
    torch.testing.assert_close(path(features), expected)

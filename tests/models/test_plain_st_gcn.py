"""Our network against the plain formulation that the speed of training is compared with."""

import numpy as np
import pytest
import torch
from plain_st_gcn import PlainSTGCN, convert, load_plain
from torch import nn


@pytest.fixture(scope="module")
def reference(shared):
    return shared / "reference" / "pyskl_stgcn_ntu25"


@pytest.mark.shared
@pytest.mark.parametrize("name", ["io", "io_absent"])
def test_both_give_what_the_original_gives(reference, name):
    plain = load_plain(reference / "checkpoint.pth")
    ours = convert(plain, absent="zeros")
    with np.load(reference / f"{name}.npz") as file, torch.inference_mode():
        clips, logits = (torch.from_numpy(file[key]).double() for key in ("x", "logits"))
        assert (plain(clips) - logits).abs().max() <= 1e-9 * logits.abs().max()
        assert (ours(clips.permute(0, 1, 3, 4, 2)) - logits).abs().max() <= (
            1e-9 * logits.abs().max())
        if "features" in file:  # stored in float32
            features = torch.from_numpy(file["features"]).double()
            assert (plain.features(clips) - features).abs().max() <= 1e-6 * features.abs().max()


def test_a_training_step_is_the_same():
    """Loss, gradients and batch statistics, on clips where everybody is there."""
    torch.manual_seed(0)
    plain = PlainSTGCN(width=4, num_classes=7).double()
    with torch.no_grad():
        for block in plain.gcn:
            block.gcn.PA.add_(0.2 * torch.randn_like(block.gcn.PA))
    ours = convert(plain)
    clips, labels = torch.randn(3, 2, 25, 3, 12, dtype=torch.float64), torch.tensor([0, 4, 6])
    losses = [nn.functional.cross_entropy(network(given), labels)
              for network, given in ((plain, clips.permute(0, 1, 4, 2, 3)), (ours, clips))]
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-12, atol=0)
    for loss in losses:
        loss.backward()
    for parameter in plain.parameters():  # so that convert carries the gradients over
        parameter.data = parameter.grad
    expected = dict(convert(plain).named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name].data, rtol=1e-7, atol=1e-12,
                                   msg=name)
    statistics = convert(plain).state_dict()
    for name, value in ours.named_buffers():
        torch.testing.assert_close(value, statistics[name], rtol=1e-9, atol=1e-12, msg=name)

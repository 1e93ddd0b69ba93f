"""Our DG-STGCN against the plain formulation that its speed is compared with."""

import numpy as np
import pytest
import torch
from plain_dg_stgcn import PlainDGSTGCN
from torch import nn
from weights import shake

from skelact.models import dgstgcn
from skelact.models.classifier import SkeletonClassifier
from skelact.models.published import dg_stgcn


def convert(plain: PlainDGSTGCN, layout: str) -> SkeletonClassifier:
    """Our network with the weights of the plain one."""
    reading = dg_stgcn.read(plain.state_dict())
    network = dgstgcn(layout, **reading.arguments).double()
    network.load_state_dict(reading.weights)
    return network.train(plain.training)


@pytest.mark.shared
def test_the_plain_one_gives_what_the_original_gives(shared):
    folder = shared / "reference" / "pyskl_dgstgcn_ntu25"
    state = torch.load(folder / "checkpoint.pth", weights_only=True)
    plain = PlainDGSTGCN(25, width=32, num_classes=10)
    plain.load_state_dict(state.get("state_dict", state))
    plain.double().eval()
    with np.load(folder / "io.npz") as file, torch.inference_mode():
        clips, logits, features = (
            torch.from_numpy(file[key]).double() for key in ("x", "logits", "features"))
        assert (plain(clips) - logits).abs().max() <= 1e-9 * logits.abs().max()
        # stored in float32
        assert (plain.features(clips) - features).abs().max() <= 1e-6 * features.abs().max()


@pytest.mark.parametrize(("layout", "channels", "frames"), [("penn13", 2, 11), ("ntu25", 3, 6)])
def test_a_training_step_is_the_same(layout, channels, frames):
    """Loss, gradients and batch statistics, on clips where everybody is there."""
    torch.manual_seed(0)
    joints = {"penn13": 13, "ntu25": 25}[layout]
    plain = PlainDGSTGCN(joints, 8, 7, channels, rows=((1, 1), (1, 1), (2, 2))).double()
    shake(plain)
    ours = convert(plain, layout)
    clips = torch.randn(3, 2, joints, channels, frames, dtype=torch.float64)
    labels = torch.tensor([0, 4, 6])
    losses = [nn.functional.cross_entropy(network(given), labels)
              for network, given in ((plain, clips.permute(0, 1, 4, 2, 3)), (ours, clips))]
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-12, atol=0)
    for loss in losses:
        loss.backward()
    statistics = convert(plain, layout).state_dict()
    for name, value in ours.named_buffers():
        torch.testing.assert_close(value, statistics[name], rtol=1e-9, atol=1e-12, msg=name)
    for parameter in plain.parameters():  # so that convert carries the gradients over
        parameter.data = parameter.grad
    expected = dict(convert(plain, layout).named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name].data, rtol=1e-7, atol=1e-11,
                                   msg=name)

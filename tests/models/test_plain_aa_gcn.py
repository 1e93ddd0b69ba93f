"""Our AAGCN against the plain formulation that its speed is compared with."""

import numpy as np
import pytest
import torch
from plain_aa_gcn import PlainAAGCN
from torch import nn
from weights import shake

from skelact.models import aagcn
from skelact.models.classifier import SkeletonClassifier
from skelact.models.published import aa_gcn


def convert(plain: PlainAAGCN, layout: str) -> SkeletonClassifier:
    """Our network with the weights of the plain one."""
    reading = aa_gcn.read(plain.state_dict())
    network = aagcn(layout, **reading.arguments).double()
    network.load_state_dict(reading.weights)
    return network.train(plain.training)


@pytest.mark.shared
def test_the_plain_one_gives_what_the_original_gives(shared):
    folder = shared / "reference" / "pyskl_aagcn_coco17"
    plain = PlainAAGCN("coco17", width=16, num_classes=10)
    plain.load_state_dict(torch.load(folder / "checkpoint.pth", weights_only=True)["state_dict"])
    plain.double().eval()
    with np.load(folder / "io.npz") as file, torch.inference_mode():
        clips, logits, features = (
            torch.from_numpy(file[key]).double() for key in ("x", "logits", "features"))
        assert (plain(clips) - logits).abs().max() <= 1e-9 * logits.abs().max()
        # stored in float32
        assert (plain.features(clips) - features).abs().max() <= 1e-6 * features.abs().max()


@pytest.mark.parametrize("form", [{}, {"attention": False, "persons": 0, "adaptive": False}])
def test_a_training_step_is_the_same(form):
    """Loss, gradients and batch statistics, on clips where everybody is there."""
    torch.manual_seed(0)
    plain = PlainAAGCN("penn13", 8, 7, rows=((1, 1), (1, 1), (2, 2)), **form).double()
    shake(plain)
    ours = convert(plain, "penn13")
    clips, labels = torch.randn(3, 2, 13, 3, 11, dtype=torch.float64), torch.tensor([0, 4, 6])
    losses = [nn.functional.cross_entropy(network(given), labels)
              for network, given in ((plain, clips.permute(0, 1, 4, 2, 3)), (ours, clips))]
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-12, atol=0)
    for loss in losses:
        loss.backward()
    statistics = convert(plain, "penn13").state_dict()
    for name, value in ours.named_buffers():
        torch.testing.assert_close(value, statistics[name], rtol=1e-9, atol=1e-12, msg=name)
    for parameter in plain.parameters():  # so that convert carries the gradients over
        parameter.data = parameter.grad
    expected = dict(convert(plain, "penn13").named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name].data, rtol=1e-7, atol=1e-11,
                                   msg=name)

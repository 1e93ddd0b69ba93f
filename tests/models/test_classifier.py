"""Input normalisation, pooling and classes around any layers."""

import pytest
import torch
from torch import nn

from skelact.errors import LayoutError, ShapeError
from skelact.graph import get_layout
from skelact.models import stgcn
from skelact.models.classifier import InputNorm, SkeletonClassifier


@pytest.fixture
def clips() -> torch.Tensor:
    return torch.randn(4, 2, 13, 3, 9, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def network() -> SkeletonClassifier:
    """Layers that leave the joints as they are, so that what surrounds them can be seen."""
    torch.manual_seed(0)
    return SkeletonClassifier(get_layout("penn13"), 3, nn.Identity(), 3, 5)


def test_every_joint_and_channel_is_normalised_by_itself(clips):
    norm = InputNorm(13, 3)
    people = 3 + clips.flatten(0, 1) * torch.arange(1, 40).view(13, 3)[..., None]
    out = norm(people)
    assert out.shape == people.shape
    by_joint = out.permute(1, 2, 0, 3).flatten(2)
    torch.testing.assert_close(by_joint.mean(-1), torch.zeros(13, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(by_joint.std(-1, correction=0), torch.ones(13, 3), atol=1e-4, rtol=0)


def test_scores_are_a_linear_map_of_the_mean_over_joints_frames_and_persons(network, clips):
    network.eval()
    norm = network.input_norm(clips.flatten(0, 1)).view_as(clips)
    pooled = norm.permute(0, 3, 1, 2, 4).flatten(2).mean(-1)
    torch.testing.assert_close(network(clips), network.head(pooled))


def test_features_keep_persons_apart(clips):
    network = stgcn("penn13", 2, base_channels=4).eval()
    features = network.features(clips)
    assert features.shape == (4, 2, 13, 16, 3)
    torch.testing.assert_close(network.features(clips[:, 1:])[:, 0], features[:, 1])
    swapped = network(clips.flip(1))
    torch.testing.assert_close(swapped, network(clips))


def test_what_does_not_fit_is_refused(network, clips):
    with pytest.raises(LayoutError, match=r"clips \[\.\.\., N=13, C, T\] for layout 'penn13'"):
        network(torch.zeros(1, 1, 17, 3, 4))
    with pytest.raises(ShapeError, match=r"\[B, M, 13, 3, T\], got \[2, 13, 3, 9\]"):
        network(clips[0])
    with pytest.raises(ShapeError, match=r"got \[4, 2, 13, 2, 9\]"):
        network(clips[:, :, :, :2])


def test_training_moves_what_a_network_knows(clips):
    torch.manual_seed(0)
    network = stgcn("penn13", 2, base_channels=4).train()
    labels = torch.tensor([0, 1, 0, 1])
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    losses = []
    for _ in range(15):
        loss = nn.functional.cross_entropy(network(clips), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    assert (network(clips).argmax(1) == labels).all()

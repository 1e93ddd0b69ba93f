"""Input normalisation, pooling and classes around any layers."""

import copy
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from weights import shake

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.graph import Graph, get_layout
from skelact.models import stgcn
from skelact.models.classifier import InputNorm, SkeletonClassifier
from skelact.nn.stgcn import STGCN


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


def keep(clips: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """The clips with everybody removed who is not present."""
    return clips * present[..., None, None, None]


def build(absent: str = "skip") -> SkeletonClassifier:
    torch.manual_seed(0)
    network = stgcn("penn13", 5, base_channels=4, absent=absent)
    shake(network)
    return network


@settings(max_examples=20)
@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_clip_scores_as_the_mean_of_its_present_persons_each_alone(rows):
    network, present = build().eval(), torch.tensor(rows)
    clips = keep(torch.randn(*present.shape, 13, 3, 8), present)
    for clip, score, there in zip(clips, network(clips), present, strict=True):
        alone = [network.features(person[None, None]).mean((0, 1, 2, 4)) for person in clip[there]]
        pooled = sum(alone) / len(alone) if alone else torch.zeros(16)
        torch.testing.assert_close(score, network.head(pooled), atol=1e-5, rtol=1e-4)


def test_feature_maps_of_the_absent_are_zero(clips):
    network, present = build().eval(), torch.tensor([[1, 0], [1, 1], [0, 0], [0, 1]])
    features, everybody = network.features(keep(clips, present)), network.features(clips)
    assert features.shape == (4, 2, 13, 16, 3)
    torch.testing.assert_close(features, keep(everybody, present))
    assert everybody.flatten(2).abs().sum(2).min() > 1


def test_the_absent_change_neither_statistics_nor_gradients(clips):
    """One person a clip, now in the first slot and now in the second, as in a batch of one slot."""
    with_absent, alone = build().train(), build().train()
    place = torch.tensor([0, 1, 1, 0])
    present = nn.functional.one_hot(place, 2)
    labels = torch.tensor([0, 1, 2, 3])
    for network, batch in ((with_absent, keep(clips, present)),
                           (alone, clips[torch.arange(4), place][:, None])):
        nn.functional.cross_entropy(network(batch), labels).backward()
    before = dict(build().named_buffers())
    for (name, ours), theirs in zip(with_absent.named_buffers(), alone.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs, msg=name)
        assert name.endswith("adjacency") or not torch.equal(ours, before[name])
    for (name, ours), theirs in zip(with_absent.named_parameters(), alone.parameters(),
                                    strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, msg=name)


@pytest.mark.parametrize("training", [False, True])
def test_a_clip_with_nobody_scores_as_the_bias(clips, training):
    network = build().train(training)
    present = torch.tensor([[1, 1], [0, 0], [1, 0], [0, 0]])
    scores = network(keep(clips, present))
    for nobody in (1, 3):
        assert torch.equal(scores[nobody], network.head.bias)
    assert scores.isfinite().all()
    assert (scores[0] - network.head.bias).abs().max() > 1e-3


@pytest.mark.parametrize("training", [False, True])
def test_a_batch_with_nobody_teaches_nothing_but_the_bias(training):
    network = build().train(training)
    before = copy.deepcopy(network.state_dict())
    scores = network(torch.zeros(3, 2, 13, 3, 9))
    assert torch.equal(scores, network.head.bias.expand(3, 5))
    nn.functional.cross_entropy(scores, torch.tensor([0, 1, 1])).backward()
    for name, parameter in network.named_parameters():
        assert bool(parameter.grad.any()) == (name == "head.bias"), name
    for name, value in network.state_dict().items():
        assert "num_batches" in name or torch.equal(value, before[name]), name


def test_the_order_of_persons_does_not_matter(clips):
    network, present = build().eval(), torch.tensor([[1, 0], [1, 1], [0, 0], [0, 1]])
    batch = keep(clips, present)
    torch.testing.assert_close(network(batch.flip(1)), network(batch))


def test_zeros_are_convolved_where_published_code_does(clips):
    batch = keep(clips, torch.tensor([[1, 0], [1, 1], [1, 0], [0, 1]]))
    published, ours = build("zeros").eval(), build().eval()
    expected = published.head(published.features(batch).mean((1, 2, 4)))
    torch.testing.assert_close(published(batch), expected)
    assert (published(batch) - ours(batch))[[0, 2, 3]].abs().max() > 1e-3
    torch.testing.assert_close(published(batch)[1], ours(batch)[1])
    assert published.features(batch)[0, 1].abs().max() > 1e-3


def test_a_person_of_which_one_number_is_known_is_present():
    network, clips = build().eval(), torch.zeros(1, 2, 13, 3, 9)
    clips[0, 1, 4, 1, 7] = torch.nan  # what is not a number must show, not count as absent
    assert network(clips).isnan().all()


def build_short() -> SkeletonClassifier:
    """Two layers: what is compiled or exported takes seconds otherwise."""
    torch.manual_seed(0)
    graph = Graph("penn13")
    layers = nn.Sequential(STGCN(3, 4, graph), STGCN(4, 8, graph, stride=2))
    return SkeletonClassifier(graph.layout, 3, layers, 8, 5)


def test_a_graph_without_choices_scores_the_same(clips):
    network = build_short().eval()
    batch = keep(clips, torch.tensor([[1, 0], [1, 1], [0, 0], [0, 1]]))
    shapes = {"clips": {0: torch.export.Dim("batch", min=1, max=64)}}
    exported = torch.export.export(network, (batch,), dynamic_shapes=shapes).module()
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    for part in (batch, batch[:3], clips[1:3]):
        for form in (exported, compiled):
            torch.testing.assert_close(form(part), network(part), atol=1e-5, rtol=1e-4)


def test_compiled_training_still_skips_the_absent(clips):
    batch = keep(clips, torch.tensor([[1, 0], [1, 1], [0, 0], [0, 1]]))
    plain, whole, layers = (build_short().train() for _ in range(3))
    torch._dynamo.reset()
    layers.layers.compile(backend="eager", fullgraph=True, dynamic=True)
    scores = [plain(batch), torch.compile(whole, backend="eager")(batch), layers(batch)]
    for network, other in pairwise([plain, whole, layers]):
        torch.testing.assert_close(network.state_dict(), other.state_dict())
    for one, other in pairwise(scores):
        torch.testing.assert_close(one, other)


def test_another_treatment_of_the_absent_is_refused():
    with pytest.raises(ChoiceError, match="absent to be one of skip, zeros; got 'ignore'"):
        stgcn("penn13", 2, base_channels=4, absent="ignore")

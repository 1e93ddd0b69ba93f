"""Attribution: on networks whose answer is known, and on the shipped one with real clips."""

import pytest
import torch
from archives import unpack
from torch import Tensor, nn
from weights import shake

from skelact.datasets.readers.penn_action import read_penn_action
from skelact.errors import ChoiceError, LayoutError, ShapeError, SkelactError
from skelact.graph import get_layout
from skelact.models import stgcn
from skelact.models.attribution import class_activation, integrated_gradients
from skelact.models.checkpoint import load_model
from skelact.models.classifier import SkeletonClassifier
from skelact.recognition.windows import cut_windows

JOINT, FRAME, CLASSES = 4, 6, 5


class Planted(nn.Module):
    """Hears one joint in one frame, by any function of it."""

    def __init__(self, change=lambda joints: joints):
        super().__init__()
        self.change = change

    def forward(self, people: Tensor) -> Tensor:
        heard = torch.zeros_like(people)
        heard[:, JOINT, :, FRAME] = 1
        return self.change(people) * heard


class Pairs(nn.Module):
    """The mean of every two frames."""

    def forward(self, people: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(people, (1, 2), ceil_mode=True)


class OnePlace(nn.Module):
    """Features of the whole body."""

    def forward(self, people: Tensor) -> Tensor:
        return people.mean(dim=1, keepdim=True).tanh()


def build(*layers: nn.Module, absent: str = "skip") -> SkeletonClassifier:
    torch.manual_seed(0)
    network = SkeletonClassifier(get_layout("penn13"), 3, nn.Sequential(*layers), 3, CLASSES,
                                 absent)
    return network.double().eval()


@pytest.fixture
def clips() -> Tensor:
    """Three clips of two persons; the second one is absent from one of them."""
    clips = torch.randn(3, 2, 13, 3, 9, generator=torch.Generator().manual_seed(0)).double()
    clips[1, 1] = 0
    return clips


def changes(network, clips, classes) -> Tensor:
    """What each clip's class scores above a clip of missing joints, by the same persons."""
    picked = (network(clips) - network(1e-9 * clips)).gather(1, classes[:, None])
    return picked[:, 0].detach()


@pytest.mark.parametrize("absent", ["skip", "zeros"])
@pytest.mark.parametrize("attribute", [class_activation, integrated_gradients])
def test_only_the_joint_and_frame_that_matter_are_named(attribute, absent, clips):
    network = build(Planted(), absent=absent)
    classes = torch.tensor([0, 3, 2])
    attribution = attribute(network, clips, classes)
    assert attribution.shape == (3, 2, 13, 9)
    expected = torch.zeros_like(attribution)
    heard = clips[..., JOINT, :, FRAME] / (1 + network.input_norm.eps) ** 0.5
    people = torch.tensor([2.0, 2.0 if absent == "zeros" else 1.0, 2.0]).double()
    expected[..., JOINT, FRAME] = torch.einsum(
        "bmc,bc,b->bm", heard, network.head.weight[classes], 1 / (13 * 9 * people))
    torch.testing.assert_close(attribution, expected.detach())


def test_class_activation_adds_up_to_the_score(clips):
    torch.manual_seed(0)
    network = stgcn("penn13", CLASSES, base_channels=4, kernel_size=3)
    shake(network)
    network.double().eval()
    classes = torch.tensor([1, 4, 0])
    scores = network(clips).gather(1, classes[:, None])[:, 0] - network.head.bias[classes]
    attribution = class_activation(network, clips, classes)
    assert attribution.shape == (3, 2, 13, 9)  # of features of 3 frames
    torch.testing.assert_close(attribution.sum(dim=(1, 2, 3)), scores.detach())
    assert not attribution[1, 1].any()


@pytest.mark.parametrize("frames", [9, 12])
def test_features_of_fewer_frames_are_spread_around_their_time(frames):
    network = build(Planted(), Pairs())
    clips = torch.zeros(1, 1, 13, 3, frames).double()
    clips[:, :, JOINT, :, FRAME] = 1
    by_frame = class_activation(network, clips, 0)[0, 0].abs()
    assert by_frame[JOINT].argmax() in (FRAME, FRAME + 1)
    assert by_frame[JOINT, FRAME - 2 : FRAME + 4].sum() == pytest.approx(by_frame.sum().item())


@pytest.mark.parametrize("absent", ["skip", "zeros"])
def test_integrated_gradients_add_up_to_the_change_of_the_score(absent, clips):
    network = build(OnePlace(), absent=absent)
    classes = network(clips).argmax(dim=1)
    attribution = integrated_gradients(network, clips)
    torch.testing.assert_close(attribution.sum(dim=(1, 2, 3)), changes(network, clips, classes),
                               rtol=2e-3, atol=1e-6)
    assert not attribution[1, 1].any()


def test_integrated_gradients_are_against_the_baseline(clips):
    network = build(Planted())
    still = clips.mean(dim=4, keepdim=True)
    attribution = integrated_gradients(network, clips, 2, baseline=still)
    both = [integrated_gradients(network, given, 2) for given in (clips, still.expand_as(clips))]
    torch.testing.assert_close(attribution, both[0] - both[1])


def test_too_few_steps_are_refused(clips):
    network = build(Planted(lambda joints: joints**3))
    with pytest.raises(SkelactError, match="1 steps are too few; pass more"):
        integrated_gradients(network, clips, 0, steps=1)
    exact = integrated_gradients(network, clips, 0, steps=64)
    torch.testing.assert_close(exact.sum(dim=(1, 2, 3)),
                               changes(network, clips, torch.zeros(3).long()), rtol=1e-3, atol=0)


def test_nothing_is_left_behind(clips):
    network = build(nn.BatchNorm2d(13), OnePlace())
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.inference_mode():
        integrated_gradients(network, torch.zeros_like(clips) + clips, steps=4, tolerance=1)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not clips.requires_grad
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key])


def test_recurrent_layers_are_explained(clips):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(39, 3, batch_first=True)

        def forward(self, people):
            return self.lstm(people.flatten(1, 2).mT)[0].mT[:, None]

    network = build(Recurrent())
    attribution = integrated_gradients(network, clips, 1)
    torch.testing.assert_close(attribution.sum(dim=(1, 2, 3)),
                               changes(network, clips, torch.ones(3).long()), rtol=1e-2, atol=1e-5)


def test_what_cannot_be_explained_is_refused(clips):
    network = build(OnePlace())
    with pytest.raises(SkelactError, match=r"keep the 13 joints apart, got 1 .*integrated_gradien"):
        class_activation(network, clips)
    for attribute in (class_activation, integrated_gradients):
        network = build(Planted())
        with pytest.raises(ChoiceError, match="class_index to be one of 0, 1, 2, 3, 4; got 5"):
            attribute(network, clips, 5)
        with pytest.raises(ShapeError, match=r"one number or \[B=3\] of them, got \[2\]"):
            attribute(network, clips, torch.tensor([0, 1]))
        with pytest.raises(LayoutError, match="N=13"):
            attribute(network, clips[:, :, :4])
        with pytest.raises(SkelactError, match=r"call network\.eval\(\) first"):
            attribute(network.train(), clips)
    network.eval()
    with pytest.raises(SkelactError, match="without NaN"):
        integrated_gradients(network, clips.log())
    with pytest.raises(ShapeError, match=r"expands to the clips \[3, 2, 13, 3, 9\], got \[4\]"):
        integrated_gradients(network, clips, baseline=torch.zeros(4))
    with pytest.raises(ChoiceError, match="steps of at least 1, got 0"):
        integrated_gradients(network, clips, steps=0)


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory):
    """The shipped network, a clip of each of twelve recordings, and their classes."""
    model = load_model()
    folder = unpack(shared / "datasets" / "penn_action.tar.xz", tmp_path_factory.mktemp("penn"), 12)
    clips, classes = [], []
    for recording in read_penn_action(folder):
        _, cut = next(cut_windows(recording, model.layout, model.clip, 0.5))
        clips.append(cut.clips[0])
        classes.append(model.classes.index(recording.labels["label"]))
    return model.network, torch.stack(clips), torch.tensor(classes)


@pytest.mark.shared
@pytest.mark.parametrize("attribute", [class_activation,
                                       lambda *given: integrated_gradients(*given, steps=10)])
def test_without_its_top_joints_a_clip_scores_lower_than_without_others(real, attribute):
    network, clips, classes = real
    by_frame = attribute(network, clips, classes)[:, 0]  # [B, N, T]
    generator = torch.Generator().manual_seed(0)

    def score_without(values: Tensor, count: int) -> float:
        """The mean score when the entries with the highest values, so many a clip, are missing."""
        top = values.flatten(1).topk(count).indices
        kept = torch.ones_like(values).flatten(1).scatter(1, top, 0.0).view_as(values)
        with torch.inference_mode():
            scores = network(clips * kept[:, None, :, None])
        return scores.gather(1, classes[:, None]).mean().item()

    for values, count in ((by_frame.sum(dim=2, keepdim=True), 3), (by_frame, 40)):
        at_random = [score_without(torch.rand(values.shape, generator=generator), count)
                     for _ in range(4)]
        assert score_without(values, count) < min(at_random) - 0.2

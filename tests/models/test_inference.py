"""Networks made ready for inference: the same scores, less work."""

from dataclasses import replace
from inspect import signature

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from weights import shake

from skelact.config import ClipConfig
from skelact.errors import ChoiceError, LayoutError, SkelactError
from skelact.graph import get_layout
from skelact.models.checkpoint import NETWORKS, ActionModel, build_network, load_model
from skelact.models.classifier import SkeletonClassifier
from skelact.models.inference import for_inference
from skelact.nn.pointwise_conv import PointwiseConv
from skelact.nn.temporal_conv import BatchNorm

CLASSES = ("wave", "jump", "sit")


def build(name: str, **arguments) -> SkeletonClassifier:
    """A small network in which every weight counts."""
    arguments = {"num_classes": len(CLASSES), "base_channels": 8} | arguments
    if "rows" in signature(NETWORKS[name]).parameters:
        arguments["rows"] = [[1, 1], [1, 1], [2, 2]]
    torch.manual_seed(0)
    network = build_network({"name": name, "arguments": arguments}, get_layout("penn13"))
    shake(network)
    return network.eval()


def make_clips(people: int = 2, frames: int = 11) -> Tensor:
    """Four clips: everybody, the first person only, the last one only, nobody."""
    clips = torch.randn(4, people, 13, 3, frames, generator=torch.Generator().manual_seed(0))
    clips[1, 1:] = 0
    clips[2, :-1] = 0
    clips[3] = 0
    return clips


@pytest.mark.parametrize(("absent", "slots"), [("skip", 0), ("zeros", 0), ("zeros", 2)])
@pytest.mark.parametrize("name", NETWORKS)
@torch.inference_mode()
def test_the_scores_are_the_same(name, absent, slots):
    network = build(name, absent=absent, norm_slots=slots).double()
    fast = for_inference(network)
    clips = make_clips().double()
    for given in (clips, clips[:1], clips[3:], clips[:, :1], clips[..., :5], clips):
        torch.testing.assert_close(fast(given), network(given), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(fast.features(clips), network.features(clips), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", NETWORKS)
def test_norms_are_folded_wherever_a_linear_map_is_before_them(name):
    fast = for_inference(build(name))
    left = [path for path, module in fast.layers.named_modules() if type(module) is BatchNorm]
    # in DG-STGCN one follows the fusion of joints
    assert all(path.endswith("mix.1") for path in left)
    assert bool(left) == (name == "dgstgcn")


def test_the_network_stays_as_it_is():
    network = build("stgcnpp").train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    fast = for_inference(network)
    assert not fast.training
    assert network.training
    assert not any(module.inplace for module in network.modules() if isinstance(module, nn.ReLU))
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key])
    assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("name", NETWORKS)
@torch.inference_mode()
def test_half_precision_only_rounds(name):
    network, clips = build(name), make_clips(frames=16)
    half = for_inference(network, torch.bfloat16)
    assert {value.dtype for value in half.head.parameters()} == {torch.float32}
    scores = network(clips)
    assert half(clips).dtype == torch.float32
    assert (half(clips) - scores).norm() < 0.05 * scores.norm()
    assert not torch.equal(half(clips), for_inference(network)(clips))


@torch.inference_mode()
def test_the_absent_are_computed_once():
    network = build("stgcn", absent="zeros")
    fast, people = for_inference(network), []
    fast.layers.register_forward_hook(lambda _, given, __: people.append(len(given[0])))
    clips = make_clips()
    for _ in range(2):
        torch.testing.assert_close(fast(clips), network(clips), rtol=1e-4, atol=1e-5)
    assert people == [4, 1, 4]


class Own(nn.Module):
    """A layer of somebody else's: its relu may not work in place, and its map is not linear."""

    class Squared(PointwiseConv):
        def forward(self, features: Tensor) -> Tensor:
            return super().forward(features).square()

    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU()
        self.path = nn.Sequential(self.Squared(3, 3), BatchNorm(3), PointwiseConv(3, 3),
                                  nn.BatchNorm2d(13))

    def forward(self, features: Tensor) -> Tensor:
        mixed = self.path(features)
        return self.relu(mixed) + mixed


@torch.inference_mode()
def test_unknown_layers_are_left_alone():
    torch.manual_seed(0)
    network = SkeletonClassifier(get_layout("penn13"), 3, Own(), 3, 3).eval()
    shake(network)
    torch.testing.assert_close(for_inference(network)(make_clips()), network(make_clips()))


@pytest.mark.parametrize("name", ["stgcn", "ctrgcn"])
def test_the_layers_are_compiled(name, monkeypatch):
    compile, asked = torch.compile, []

    def trace(layers, mode):
        asked.append(mode)
        return compile(layers, backend="eager", fullgraph=True)

    monkeypatch.setattr(torch, "compile", trace)
    network, clips = build(name), make_clips()
    for mode in (True, "reduce-overhead"):
        fast = for_inference(network, compile=mode)
        with torch.inference_mode():
            torch.testing.assert_close(fast(clips), network(clips), rtol=1e-4, atol=1e-5)
    assert asked == [None, "reduce-overhead"]
    torch._dynamo.reset()


def test_a_model_takes_it_in_place_of_its_network():
    model = ActionModel(build("stgcnpp"), CLASSES, ClipConfig(), {})
    fast = replace(model, network=for_inference(model.network))
    assert fast.layout == model.layout
    torch.testing.assert_close(*(torch.from_numpy(each.probabilities(make_clips()))
                                 for each in (fast, model)), rtol=1e-4, atol=1e-5)


def test_what_does_not_fit_is_refused():
    network = build("stgcn")
    fast = for_inference(network)
    with pytest.raises(SkelactError, match="cannot be trained"):
        fast.train()
    with pytest.raises(SkelactError, match="got one that for_inference made"):
        for_inference(fast)
    with pytest.raises(ChoiceError, match=r"expected dtype as one of torch\.float16"):
        for_inference(network, torch.int8)
    with pytest.raises(LayoutError, match="N=13"):
        fast(torch.zeros(1, 1, 17, 3, 8))


def test_a_model_is_made_ready_as_a_whole():
    model = load_model()
    fast = model.for_inference()
    clips = torch.randn(2, 1, 13, 3, 64)
    np.testing.assert_allclose(fast.probabilities(clips), model.probabilities(clips), atol=1e-5)
    assert fast.classes == model.classes
    with pytest.raises(SkelactError, match=r"of a model, take model.for_inference\(\)"):
        for_inference(model)

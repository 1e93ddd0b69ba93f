"""What every network keeps, whatever its layers: one function a promise.

Used by the tests on small networks, and by `benchmarks/model_contract.py` on every network and
skeleton.
"""

from inspect import signature

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from weights import shake

from skelact.config import ClipConfig
from skelact.graph import get_layout
from skelact.models.checkpoint import (
    NETWORKS,
    ActionModel,
    build_network,
    load_model,
    save_model,
)
from skelact.models.classifier import SkeletonClassifier

CLASSES = ("wave", "jump", "sit")


def build(name: str, layout: str, short: bool = False, **arguments) -> SkeletonClassifier:
    """A narrow network whose every parameter counts; ``short`` of two layers where it can be.

    Its batch norms know the features that arrive, so nothing saturates.
    """
    arguments = {"num_classes": len(CLASSES), "base_channels": 24} | arguments
    if short and "rows" in signature(NETWORKS[name]).parameters:
        arguments["rows"] = [[1, 1], [2, 2]]
    torch.manual_seed(0)
    network = build_network({"name": name, "arguments": arguments}, get_layout(layout))
    shake(network)
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    network(make_clips(network, 2, max(network.input_norm.slots, 1), 16))
    for norm in norms:
        norm.momentum = 0.1
    return network.eval()


def make_clips(network: SkeletonClassifier, batch=3, people=2, frames=13) -> Tensor:
    """``[B, M, N, C, T]`` of people who are all there."""
    generator = torch.Generator().manual_seed(batch)
    return torch.randn(batch, people, network.layout.num_joints, network.in_channels, frames,
                       generator=generator)


def check_shapes(network: SkeletonClassifier) -> None:
    """Scores for any batch, people and frames; feature maps of every person."""
    for batch, people, frames in ((1, 1, 5), (2, 3, 8), (3, 2, 13)):
        clips = make_clips(network, batch, people, frames)
        with torch.inference_mode():
            scores, features = network(clips), network.features(clips)
        assert scores.shape == (batch, len(CLASSES))
        assert features.shape[:2] == (batch, people)
        assert features.shape[2] in (1, network.layout.num_joints)
        assert features.shape[3] == network.head.in_features
        pooled = features.float().mean((1, 2, 4))
        torch.testing.assert_close(network.head(pooled), scores, atol=1e-4, rtol=1e-4)


def check_gradients(network: SkeletonClassifier) -> None:
    """Every parameter has a say, in eval mode (a batch norm cancels biases in training)."""
    scores = network(make_clips(network, 2, 2, 16))
    torch.nn.functional.cross_entropy(scores, torch.tensor([0, 2])).backward()
    unused = [name for name, parameter in network.named_parameters()
              if parameter.grad is None or not parameter.grad.any()]
    assert not unused, unused
    network.zero_grad()


@torch.inference_mode()
def check_order(network: SkeletonClassifier) -> None:
    """Clips are scored apart; who comes first among the people does not matter."""
    clips = make_clips(network, 3, 3)
    scores = network(clips)
    torch.testing.assert_close(network(clips[[2, 0, 1]]), scores[[2, 0, 1]], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(network(clips[:, [1, 2, 0]]), scores, atol=1e-5, rtol=1e-4)
    for row in range(3):
        torch.testing.assert_close(network(clips[row:row + 1])[0], scores[row],
                                   atol=1e-5, rtol=1e-4)
    assert (scores[0] - scores[1]).abs().max() > 1e-3


@torch.inference_mode()
def check_absent(network: SkeletonClassifier) -> None:
    """Empty slots change nothing, in eval mode; nobody at all is scored by the bias."""
    clips = make_clips(network, 3, 2)
    clips[1, 1] = 0
    padded = torch.cat([torch.zeros_like(clips), clips], dim=1)
    scores = network(clips)
    torch.testing.assert_close(network(padded), scores, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(network(clips[1:2, :1])[0], scores[1], atol=1e-5, rtol=1e-4)
    nobody = network(torch.zeros_like(clips))
    assert torch.equal(nobody, network.head.bias.expand_as(nobody))


def check_absent_in_training(network: SkeletonClassifier) -> None:
    """Empty slots change no statistic and no gradient."""
    clips = make_clips(network, 3, 1)
    results = []
    for batch in (clips, torch.cat([torch.zeros_like(clips), clips], dim=1)):
        twin = build_network(network.architecture, network.layout).train()
        twin.load_state_dict(network.state_dict())
        twin(batch).square().sum().backward()
        results.append((twin.state_dict(), {n: p.grad for n, p in twin.named_parameters()}))
    torch.testing.assert_close(results[0], results[1], atol=1e-4, rtol=1e-3)


@torch.inference_mode()
def check_determinism(network: SkeletonClassifier) -> None:
    """The same clips, the same bits."""
    clips = make_clips(network)
    assert torch.equal(network(clips), network(clips))


def check_round_trip(network: SkeletonClassifier, folder) -> None:
    """A checkpoint gives the same network back, bit for bit."""
    model = ActionModel(network, CLASSES, ClipConfig(layout=network.layout.name),
                        network.architecture)
    back = load_model(save_model(model, folder / "model.pt")).network
    clips = make_clips(network)
    with torch.inference_mode():
        assert torch.equal(back(clips), network(clips))


@torch.inference_mode()
def check_half(network: SkeletonClassifier) -> None:
    """bf16 differs by its rounding, no more."""
    clips = make_clips(network)
    with torch.autocast("cpu", torch.bfloat16):
        half = network(clips).float()
    scores = network(clips)
    assert (half - scores).norm() < 0.1 * scores.norm()
    assert not torch.equal(half, scores)


def check_compile(network: SkeletonClassifier, backend: str = "eager") -> None:
    """Compiled without a break, it scores the same."""
    torch._dynamo.reset()
    clips = make_clips(network)
    clips[0, 1] = 0
    compiled = torch.compile(network, backend=backend, fullgraph=True)
    with torch.inference_mode():
        torch.testing.assert_close(compiled(clips), network(clips), atol=1e-4, rtol=1e-3)
    torch._dynamo.reset()


def check_absent_in_training_of_slots(network: SkeletonClassifier) -> None:
    """A slot that is empty keeps its statistics; the others learn theirs from who is there."""
    twin = build_network(network.architecture, network.layout).train()
    twin.load_state_dict(network.state_dict())
    clips = make_clips(network, 4, 2)
    clips[:, 1] = 0
    twin(clips)
    before, after = (norm.running_mean.view(2, -1)
                     for norm in (network.input_norm, twin.input_norm))
    expected = 0.9 * before[0] + 0.1 * clips[:, 0].mean((0, 3)).flatten()
    torch.testing.assert_close(after[0], expected)
    assert torch.equal(after[1], before[1])

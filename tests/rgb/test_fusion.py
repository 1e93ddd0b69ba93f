"""Fusion of features: the arithmetic, and clips without pixels, left to the skeleton alone."""

import pytest
import torch
from torch import nn

from skelact.errors import ChoiceError, ShapeError
from skelact.models import stgcn
from skelact.rgb.encoder import VideoEncoder
from skelact.rgb.fusion import (
    FUSIONS,
    ConcatFusion,
    CrossAttentionFusion,
    FusedClassifier,
    GatedFusion,
)

SKELETON = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
TOKENS = torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(1))
PRESENT = torch.tensor([True, False, True, False])


def fusion(name: str) -> nn.Module:
    torch.manual_seed(0)
    return FUSIONS[name](8, 6)


def alone(module: nn.Module) -> torch.Tensor:
    """What comes out of the skeleton alone, by hand."""
    zeros = torch.zeros(4, 6)
    return torch.cat([SKELETON, zeros], 1) if isinstance(module, ConcatFusion) else SKELETON


@pytest.mark.parametrize("name", FUSIONS)
@pytest.mark.parametrize("rubbish", [0.0, 1e30, float("nan"), float("inf")])
def test_absent_pixels_change_nothing_at_all(name, rubbish):
    module = fusion(name)
    whole = module(SKELETON, TOKENS)
    assert whole.shape == (4, module.dim)
    assert not torch.equal(whole, alone(module))
    assert torch.equal(module(SKELETON), alone(module))
    tokens = torch.where(PRESENT[:, None, None], TOKENS, rubbish).requires_grad_()
    skeleton = SKELETON.clone().requires_grad_()
    fused = module(skeleton, tokens, PRESENT)
    assert torch.equal(fused[~PRESENT], alone(module)[~PRESENT])
    torch.testing.assert_close(fused[PRESENT], whole[PRESENT])
    nobody = torch.zeros(4, dtype=torch.bool)
    assert torch.equal(module(SKELETON, tokens.detach(), nobody), alone(module))
    fused.square().sum().backward()
    assert tokens.grad[~PRESENT].eq(0).all()
    assert tokens.grad[PRESENT].ne(0).any()
    assert skeleton.grad.isfinite().all()
    torch.testing.assert_close(skeleton.grad[~PRESENT], 2 * SKELETON[~PRESENT])
    assert all(weight.grad.isfinite().all() for weight in module.parameters())


def test_the_gate_by_hand():
    module = fusion("gated")
    pixels = TOKENS.mean(dim=1)
    gate = torch.sigmoid(torch.cat([SKELETON, pixels], 1) @ module.gate.weight.T + module.gate.bias)
    wanted = SKELETON + gate * (pixels @ module.project.weight.T + module.project.bias)
    torch.testing.assert_close(module(SKELETON, TOKENS), wanted)
    with torch.no_grad():
        module.gate.bias.fill_(-200)  # shut
    assert torch.equal(module(SKELETON, TOKENS), SKELETON)


def test_concatenation_by_hand():
    wanted = torch.cat([SKELETON, TOKENS.mean(dim=1)], dim=1)
    assert torch.equal(fusion("concat")(SKELETON, TOKENS), wanted)


def test_the_attention_against_a_plain_loop():
    module = fusion("attention")
    attention = module.attention
    query = module.norm_skeleton(SKELETON) @ attention.q_proj_weight.T
    keys = module.norm_rgb(TOKENS) @ attention.k_proj_weight.T
    values = module.norm_rgb(TOKENS) @ attention.v_proj_weight.T
    wanted = SKELETON.clone()
    for b in range(4):
        answer = []
        for head in range(4):
            part = slice(2 * head, 2 * head + 2)
            shares = (keys[b, :, part] @ query[b, part] / 2**0.5).softmax(dim=0)
            answer.append(shares @ values[b, :, part])
        wanted[b] += attention.out_proj(torch.cat(answer))
    torch.testing.assert_close(module(SKELETON, TOKENS), wanted)


def test_the_attention_with_several_questions():
    module = fusion("attention")
    several = torch.stack([SKELETON, 2 * SKELETON, SKELETON - 1], dim=1)
    together = module(several, TOKENS, PRESENT)
    for q in range(3):
        torch.testing.assert_close(together[:, q], module(several[:, q], TOKENS, PRESENT))
    assert torch.equal(together[~PRESENT], several[~PRESENT])
    order = torch.tensor([3, 1, 0, 4, 2])  # tokens are a set
    torch.testing.assert_close(module(SKELETON, TOKENS[:, order]), module(SKELETON, TOKENS))


def test_features_that_do_not_fit():
    for name in FUSIONS:
        module = fusion(name)
        for arguments, message in (
            ((SKELETON[:, :7], TOKENS), "features of the skeleton"),
            ((SKELETON, TOKENS[:3]), r"tokens of the pixels \[4, L, 6\]"),
            ((SKELETON, TOKENS.mean(dim=1)), "tokens of the pixels"),
            ((SKELETON, TOKENS, PRESENT[:3]), "present"),
            ((SKELETON, TOKENS, PRESENT.float()), "as bool"),
        ):
            with pytest.raises(ShapeError, match=message):
                module(*arguments)
    with pytest.raises(ChoiceError, match="heads that divide 8"):
        CrossAttentionFusion(8, 6, heads=3)
    assert GatedFusion(8, 6).dim == 8


class Colours(VideoEncoder):
    """The mean colour of every frame, through a layer; fails on what is not finite."""

    def __init__(self):
        super().__init__(6, (4, 8, 8), min_size=8)
        self.network = nn.Linear(3, 6)
        self.seen = 0

    def encode(self, clips):
        assert clips.isfinite().all()
        self.seen += len(clips)
        return self.network(clips.mean(dim=(3, 4)).transpose(1, 2))


def classifier(name: str) -> FusedClassifier:
    torch.manual_seed(0)
    skeleton = stgcn("coco17", 3, base_channels=4)
    return FusedClassifier(skeleton, Colours(), 3, name).eval()


@pytest.mark.parametrize("name", FUSIONS)
def test_one_call_with_and_without_pixels(name):
    network = classifier(name)
    clips, pixels = torch.randn(4, 1, 17, 3, 16), torch.randn(4, 3, 4, 8, 8)
    without, whole = network(clips), network(clips, pixels)
    assert network.encoder.seen == 4
    pixels[~PRESENT] = float("nan")
    some = network(clips, pixels, PRESENT)
    assert network.encoder.seen == 6  # pixels that are not there cost nothing
    torch.testing.assert_close(some[PRESENT], whole[PRESENT])
    torch.testing.assert_close(some[~PRESENT], without[~PRESENT], rtol=0, atol=1e-6)
    assert not torch.allclose(whole, without, atol=1e-4)
    nobody = network(clips, pixels, torch.zeros(4, dtype=torch.bool))
    assert torch.equal(nobody, without)
    network.train()(clips, pixels, PRESENT).sum().backward()
    assert network.encoder.network.weight.grad.isfinite().all()
    if name != "concat":  # the skeleton alone: its own features under the head
        plain = network.eval().head(network.skeleton.embed(clips))
        assert torch.equal(network(clips), plain)


def test_pixels_that_do_not_belong_to_the_clips():
    network = classifier("gated")
    clips, pixels = torch.randn(4, 1, 17, 3, 16), torch.randn(4, 3, 4, 8, 8)
    with pytest.raises(ShapeError, match=r"pixels of 4 clips, .* got \[3, 3"):
        network(clips, pixels[:3])
    with pytest.raises(ShapeError, match="present"):
        network(clips, pixels, PRESENT[:3])
    with pytest.raises(ChoiceError, match="concat, gated, attention"):
        FusedClassifier(stgcn("coco17", 3, base_channels=4), Colours(), 3, "late")

"""A skeleton network and an encoder as one network, and what a model keeps of it."""

import numpy as np
import pytest
import torch
from tiny_encoder import TinyEncoder, random_clips, tiny

from skelact.config import ClipConfig
from skelact.errors import ShapeError, WeightsError
from skelact.evaluation.modality_fusion import LogisticFusion, fuse_present
from skelact.models.checkpoint import ActionModel, build_network, load_model, save_model
from skelact.models.classifier import action_probabilities
from skelact.pixel_config import PixelCut
from skelact.rgb.encoders import ENCODERS
from skelact.rgb.two_stream import (
    build_two_stream,
    check_look,
    join_pixels,
    split_pixels,
)
from skelact.rgb.video_encoders import mvit_v2_s

CUT = PixelCut("hands", frames=4, size=32)
FUSIONS = ("late", "logistic", "concat", "gated", "attention")


def two_stream(fusion: str, rejects: bool = False) -> torch.nn.Module:
    torch.manual_seed(0)
    architecture = {"name": "stgcn", "arguments": {"num_classes": 3 + rejects, "base_channels": 4}}
    skeleton = build_network(architecture, "coco17")
    return build_two_stream(skeleton, TinyEncoder(), 3, fusion).eval()


def some_pixels(batch: int = 3) -> torch.Tensor:
    return torch.randint(0, 256, (batch, 2, 3, 4, 32, 32), dtype=torch.uint8,
                         generator=torch.Generator().manual_seed(1))


def as_model(network, fusion: str) -> ActionModel:
    skeleton, part = split_pixels(network, CUT, "tsn", {}, fusion)
    return ActionModel(skeleton, ("a", "b", "c"), ClipConfig("coco17", dims=2, frames=8),
                       network.architecture, pixels=part,
                       rejects=skeleton.head.out_features == 4)


def test_late_fusion_is_the_mean_of_probabilities():
    network, clips, pixels = two_stream("late"), random_clips(), some_pixels()
    present = torch.tensor([[True, True], [True, False], [False, False]])
    network.weights.copy_(torch.tensor([0.3, 0.7]))
    fused = action_probabilities(network(clips, pixels, present), 3)
    alone = network.skeleton(clips)
    skeleton, rgb, seen = network.train()(clips, pixels, present)
    parts = [alone.softmax(1), rgb.softmax(1)]
    assert seen.tolist() == [True, True, False]
    expected = fuse_present([part.detach().numpy() for part in parts],
                            np.stack([np.ones(3, bool), seen.numpy()]), (0.3, 0.7))
    np.testing.assert_allclose(fused.detach(), expected, atol=1e-6)
    assert skeleton.shape == rgb.shape == (3, 3)


def test_logistic_fusion_is_that_of_the_scores():
    network, clips, pixels = two_stream("logistic"), random_clips(), some_pixels()
    random = np.random.default_rng(0)
    logistic = LogisticFusion(random.normal(size=(6, 3)), random.normal(size=3))
    network.coefficients.copy_(torch.from_numpy(logistic.coefficients))
    network.intercepts.copy_(torch.from_numpy(logistic.intercepts))
    present = torch.tensor([True, True, False])[:, None].expand(3, 2)
    tokens, _ = network.look(pixels, present)
    parts = [network.skeleton(clips).softmax(1), network.head(tokens.mean(1)).softmax(1)]
    expected = logistic.fuse([part.detach().numpy() for part in parts],
                             np.stack([np.ones(3, bool), present[:, 0].numpy()]))
    fused = action_probabilities(network(clips, pixels, present), 3)
    np.testing.assert_allclose(fused.detach(), expected, atol=1e-5)


def test_no_known_action_is_the_skeletons():
    network, clips = two_stream("late", rejects=True), random_clips()
    scores = network(clips, some_pixels())
    assert scores.shape == (3, 4)
    torch.testing.assert_close(scores[:, 3], network.skeleton(clips)[:, 3])


@pytest.mark.parametrize("fusion", FUSIONS)
def test_without_pixels_the_skeleton_alone(fusion):
    network, clips, pixels = two_stream(fusion), random_clips(), some_pixels()
    alone = network(clips)
    absent = torch.zeros(3, 2, dtype=torch.bool)
    torch.testing.assert_close(network(clips, pixels, absent), alone, rtol=0, atol=0)
    some = network(clips, pixels, torch.tensor([[True, True], [False, False], [False, True]]))
    probabilities = [action_probabilities(scores, 3) for scores in (some, alone)]
    torch.testing.assert_close(probabilities[0][1], probabilities[1][1])
    assert not torch.allclose(probabilities[0][0], probabilities[1][0])
    # what a model keeps as its skeleton network says just that
    model = as_model(network, fusion)
    torch.testing.assert_close(model.network.eval()(clips), alone)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_checkpoint_holds_both_streams(tmp_path, monkeypatch, fusion):
    monkeypatch.setitem(ENCODERS, "tsn", tiny)
    network, clips, pixels = two_stream(fusion), random_clips(), some_pixels()
    save_model(as_model(network, fusion), tmp_path / "model.pt")
    model = load_model(tmp_path / "model.pt")
    assert (model.pixels.cut, model.pixels.encoder, model.pixels.fusion) == (CUT, "tsn", fusion)
    torch.testing.assert_close(join_pixels(model)(clips, pixels), network(clips, pixels))
    np.testing.assert_allclose(model.probabilities(clips),
                               network(clips).softmax(1).detach(), atol=1e-6)


def test_absent_hands_do_not_count():
    network, clips, pixels = two_stream("attention"), random_clips(), some_pixels()
    left_only = torch.tensor([[True, False]] * 3)
    pixels[:, 1] = 7
    first = network(clips, pixels, left_only)
    pixels[:, 1] = 200
    torch.testing.assert_close(network(clips, pixels, left_only), first, rtol=0, atol=0)
    torch.testing.assert_close(network(clips, pixels[:, 0]), first)  # one view by itself


def test_views_that_share_pixels_are_looked_at_once():
    network, clips, pixels = two_stream("gated"), random_clips(4), some_pixels(2)
    tokens, seen = network.look(pixels, torch.ones(2, 2, dtype=torch.bool))
    looks = network.encoder.looks
    once = network.judge(clips, tokens.repeat_interleave(2, dim=0), seen.repeat_interleave(2))
    assert network.encoder.looks == looks
    torch.testing.assert_close(once, network(clips, pixels.repeat_interleave(2, dim=0)))


def test_what_does_not_fit(tmp_path, monkeypatch):
    monkeypatch.setitem(ENCODERS, "tsn", tiny)
    model = as_model(two_stream("late"), "late")
    model.pixels.weights.pop("encoder.network.0.bias")
    with pytest.raises(WeightsError, match=r"1 weights differ, such as encoder\.network"):
        join_pixels(model)
    plain = load_model()
    with pytest.raises(WeightsError, match="looks at skeletons only"):
        join_pixels(plain)
    with pytest.raises(ShapeError, match=r"--rgb\.frames 16 --rgb\.size 224"):
        check_look(mvit_v2_s("random"), CUT)
    for fusion in ("late", "gated"):
        for network in (two_stream(fusion), two_stream(fusion).train()):
            with pytest.raises(ShapeError, match=r"pixels of 3 clips, .* got \[2, 2, 3"):
                network(random_clips(), some_pixels(2))
    encoder = TinyEncoder()
    encoder.min_size = 64
    with pytest.raises(ShapeError, match=r"--rgb\.size of at least 64"):
        check_look(encoder, PixelCut(size=16))

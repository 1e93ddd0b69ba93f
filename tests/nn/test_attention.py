"""Attention along one axis, tokens of joints and of frames."""

import pytest
import torch
from torch import nn
from weights import shake

from skelact.errors import ChoiceError
from skelact.nn.attention import AttentionLayer, FeatureNorm, FrameTokens, JointTokens


def build(axis="joints", **kwargs) -> AttentionLayer:
    torch.manual_seed(0)
    layer = AttentionLayer(8, 2, axis, **kwargs)
    shake(layer)
    return layer.eval()


def features(batch=2, joints=5, frames=7) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, joints, 8, frames, generator=generator)


def as_library(layer: AttentionLayer) -> nn.TransformerEncoderLayer:
    """The same layer of torch's, with the same weights; it takes ``[rows, tokens, D]``."""
    library = nn.TransformerEncoderLayer(8, 2, 32, dropout=0.0, activation="gelu",
                                         batch_first=True, norm_first=True)
    own = layer.state_dict()
    names = {"self_attn.in_proj_weight": "embed.weight", "self_attn.out_proj": "mix",
             "norm1": "norm", "norm2": "mlp.0", "linear1": "mlp.1", "linear2": "mlp.3"}
    weights = {key.replace(theirs, ours): key for key in library.state_dict()
               for theirs, ours in names.items() if key.startswith(theirs)}
    library.load_state_dict({key: own[name] for name, key in weights.items()}
                            | {"self_attn.in_proj_bias": torch.zeros(24)})
    return library


@pytest.mark.parametrize(("axis", "order"), [("joints", (0, 3, 1, 2)), ("frames", (0, 1, 3, 2))])
def test_it_is_the_library_s_layer_along_its_axis(axis, order):
    layer, given = build(axis), features()
    rows = given.permute(order)
    expected = as_library(layer)(rows.flatten(0, 1)).view_as(rows)
    torch.testing.assert_close(layer(given).permute(order), expected)


def test_rows_are_apart():
    given = features()
    changed = given.clone()
    changed[..., 3] += 1
    difference = (build("joints")(changed) - build("joints")(given)).abs().amax((0, 1, 2))
    assert (difference > 1e-3).tolist() == [frame == 3 for frame in range(7)]
    changed = given.clone()
    changed[:, 3] += 1
    difference = (build("frames")(changed) - build("frames")(given)).abs().amax((0, 2, 3))
    assert (difference > 1e-3).tolist() == [joint == 3 for joint in range(5)]


def test_every_parameter_has_a_say():
    layer = build()
    layer(features()).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 1e-6 for parameter in layer.parameters())


def test_nobody_is_no_trouble():
    for axis in ("joints", "frames"):
        assert build(axis)(features(0)).shape == (0, 5, 8, 7)


def test_tokens_of_joints_know_their_joint():
    torch.manual_seed(0)
    tokens = JointTokens(5, 3, 8, kernel_size=3, stride=2)
    alike = tokens(torch.ones(2, 5, 3, 7))
    assert alike.shape == (2, 5, 8, 4)
    torch.testing.assert_close(alike[:, 1] - alike[:, 0],
                               (tokens.joint[1] - tokens.joint[0]).expand(2, 8, 4))


@pytest.mark.parametrize("frames", [1, 2, 700])
def test_tokens_of_frames_know_their_place(frames):
    tokens = FrameTokens(8).double()
    with torch.no_grad():
        tokens.norm.weight.zero_()
    places = tokens(features(1, frames=frames).double())
    assert places.shape == (1, 1, 8, frames)
    sines, cosines = places[0, 0].split(4)
    pace = 10_000.0 ** (-torch.arange(4) / 4)[:, None] * torch.arange(frames)
    torch.testing.assert_close(sines, pace.sin().double(), atol=1e-4, rtol=0)
    torch.testing.assert_close(cosines, pace.cos().double(), atol=1e-4, rtol=0)


def test_tokens_of_frames_are_means_of_joints():
    tokens, given = FrameTokens(8), features()
    torch.testing.assert_close(tokens(given[:, [3, 1, 0, 2, 4]]), tokens(given))
    normed = nn.functional.layer_norm(given.transpose(2, 3), (8,)).mean(1, keepdim=True)
    bare = tokens(given).transpose(2, 3) - normed
    torch.testing.assert_close(bare[0], bare[1])  # the place alone


def test_the_norm_is_over_channels():
    normed = FeatureNorm(8)(features() * 5 + 2)
    torch.testing.assert_close(normed.mean(2), torch.zeros(2, 5, 7), atol=1e-5, rtol=0)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ChoiceError, match=r"divides the width 8, got 3"):
        AttentionLayer(8, 3, "joints")
    with pytest.raises(ChoiceError, match="axis to be one of joints, frames"):
        AttentionLayer(8, 2, "people")

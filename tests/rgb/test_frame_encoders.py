"""Encoders of single frames: TSN and TSM against plain loops, the LSTM, the stream of flow."""

import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st

from skelact.errors import ChoiceError
from skelact.rgb.frame_encoders import Backbone, TemporalShift, cnn_lstm, flow_stream, tsm, tsn


def clip(frames: int = 3, size: int = 64, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 3, frames, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["resnet18", "convnext_tiny"])
@torch.no_grad()
def test_tsn_is_the_mean_over_frames_of_torchvisions_features(name):
    torch.manual_seed(0)
    network = torchvision.models.get_model(name, weights=None).eval()
    encoder = tsn(name, "random").eval()
    encoder.network = Backbone(name, network.state_dict()).eval()
    if name == "resnet18":
        network.fc = torch.nn.Identity()
    else:
        network.classifier[2] = torch.nn.Identity()
    wanted = torch.stack([network(clip()[:, :, t]) for t in range(3)], dim=1)
    torch.testing.assert_close(encoder.tokens(clip()), wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(encoder(clip()), wanted.mean(dim=1), rtol=1e-4, atol=1e-5)


@given(st.integers(1, 3), st.integers(1, 5), st.integers(2, 20), st.integers(2, 9))
def test_the_shift_against_a_plain_loop(batch, frames, channels, share):
    shift = TemporalShift(share)
    shift.frames = frames
    features = torch.randn(batch * frames, channels, 2, 2)
    wanted, count = torch.zeros_like(features), channels // share
    for b in range(batch):
        for t in range(frames):
            for c in range(channels):
                source = t + 1 if c < count else t - 1 if c < 2 * count else t
                if 0 <= source < frames:
                    wanted[b * frames + t, c] = features[b * frames + source, c]
    assert torch.equal(shift(features), wanted)


@torch.no_grad()
def test_the_shift_stands_in_every_residual_branch():
    torch.manual_seed(0)
    encoder = tsm("resnet18", "random").eval()
    assert len(encoder.shifts) == 8
    backbone = encoder.network.body
    block, inner = backbone.layer1[0], torch.randn(3, 64, 8, 8)
    shift = block.conv1[0]
    shift.frames = 3
    plain = block.bn2(block.conv2(block.relu(block.bn1(block.conv1[1](shift(inner))))))
    torch.testing.assert_close(block(inner), torch.relu(plain + inner))  # the residual unshifted


@torch.no_grad()
def test_tsm_mixes_time_within_a_clip_only():
    torch.manual_seed(0)
    encoder = tsm("resnet18", "random").eval()
    changed = clip(4)
    changed[0, :, 0] += 1
    off = (encoder.tokens(changed) - encoder.tokens(clip(4))).abs().amax(dim=-1)
    assert (off[0] > 1e-6).all()  # eight shifts reach all four frames
    assert (off[1] == 0).all()
    before = encoder(clip(4))
    encoder(clip(2))  # another number of frames in between changes nothing
    torch.testing.assert_close(encoder(clip(4)), before)


@torch.no_grad()
def test_a_single_frame_is_shifted_from_nothing():
    torch.manual_seed(0)
    shifted, plain = tsm("resnet18", "random").eval(), tsn("resnet18", "random").eval()
    assert shifted(clip(1)).shape == plain(clip(1)).shape == (2, 512)
    for share in (1, 0):
        with pytest.raises(ChoiceError, match="at least 2"):
            tsm("resnet18", "random", share=share)
    with pytest.raises(ChoiceError, match="backbone of TSM"):
        tsm("convnext_tiny", "random")


@torch.no_grad()
def test_the_lstm_knows_the_order_of_frames():
    torch.manual_seed(0)
    encoder, frames = cnn_lstm("resnet18", "random", hidden=16).eval(), clip(4)
    assert encoder.tokens(frames).shape == (2, 4, 16)
    assert not torch.allclose(encoder(frames), encoder(frames.flip(2)), atol=1e-6)
    prefix = encoder.tokens(frames[:, :, :2])
    torch.testing.assert_close(prefix, encoder.tokens(frames)[:, :2])  # it sees no future


@pytest.mark.parametrize("name", ["resnet18", "convnext_tiny"])
@torch.no_grad()
def test_the_flow_stream_starts_from_the_mean_over_colours(name):
    torch.manual_seed(0)
    state = torchvision.models.get_model(name, weights=None).state_dict()
    wide, narrow = Backbone(name, state, channels=20).eval(), Backbone(name, state).eval()
    grey = torch.randn(2, 1, 64, 64)
    # all flow alike in 20 channels is 20/3 times as much as alike in three colours
    torch.testing.assert_close(wide(grey.repeat(1, 20, 1, 1) * 3 / 20),
                               narrow(grey.repeat(1, 3, 1, 1)), rtol=1e-3, atol=1e-4)


def test_the_flow_stream_takes_stacks():
    encoder = flow_stream("resnet18", "random", length=5)
    assert encoder.channels == 10
    assert encoder(torch.randn(1, 10, 1, 64, 64)).shape == (1, 512)
    with pytest.raises(ChoiceError, match="resnet18"):
        flow_stream("resnet9", "random")

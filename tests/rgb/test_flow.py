"""Optical flow: a known motion, units and signs; stacks of flow against a plain loop."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from skelact.errors import ChoiceError, MissingDependencyError, ShapeError
from skelact.rgb import flow as flow_module
from skelact.rgb.encoders import build_encoder
from skelact.rgb.flow import METHODS, optical_flow, stack_flow


def moving(right: int, down: int, frames: int = 3) -> np.ndarray:
    """A blurred random pattern that moves by whole pixels a frame; ``[T, 64, 80, 3]``."""
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(160, 160)), 2)
    noise = (255 * (noise - noise.min()) / np.ptp(noise)).astype(np.uint8)
    crops = [noise[40 - down * t :][:64, 40 - right * t :][:, :80] for t in range(frames)]
    return np.repeat(np.stack(crops)[..., None], 3, axis=-1)


@pytest.mark.parametrize("method", METHODS)
def test_a_known_motion(method):
    flow = optical_flow(moving(right=3, down=-2), method, bound=10)
    assert (flow.shape, flow.dtype) == ((2, 2, 64, 80), np.float32)
    inside = flow[:, :, 12:-12, 12:-12]
    np.testing.assert_allclose(np.median(inside[:, 0]), 0.3, atol=0.03)
    np.testing.assert_allclose(np.median(inside[:, 1]), -0.2, atol=0.03)


def test_what_moves_farther_than_the_bound_is_cut():
    flow = optical_flow(moving(right=4, down=0), bound=2)
    assert flow.max() == 1
    assert np.median(flow[:, 0]) == 1
    still = optical_flow(moving(0, 0))
    assert np.abs(still).max() < 0.01


def test_frames_that_have_no_flow():
    frames = moving(1, 1)
    for wrong in (frames[:1], frames.astype(np.float32), frames[:, :8], frames[..., 0]):
        with pytest.raises(ShapeError, match="frames"):
            optical_flow(wrong)
    with pytest.raises(ChoiceError, match="dis, tvl1"):
        optical_flow(frames, "farneback")
    for bound in (0, -1, float("nan")):
        with pytest.raises(ChoiceError, match="above 0"):
            optical_flow(frames, bound=bound)


def test_opencv_without_its_contributed_modules(monkeypatch):
    class Plain:
        """An OpenCV without ``optflow``."""

    with pytest.raises(MissingDependencyError, match="opencv-contrib-python"):
        flow_module._make_estimator(Plain, "tvl1")


@pytest.mark.parametrize(("frames", "length", "moments", "starts"), [
    (30, 10, 3, (0, 10, 20)), (25, 10, 1, (8,)), (12, 10, 4, (0, 0, 2, 2)), (10, 10, 2, (0, 0)),
])
def test_stacks_against_a_plain_loop(frames, length, moments, starts):
    flow = np.random.default_rng(0).normal(size=(frames, 2, 3, 4)).astype(np.float32)
    stacks = stack_flow(flow, length, moments)
    assert stacks.shape == (2 * length, moments, 3, 4)
    for moment, start in enumerate(starts):
        for i in range(length):
            for axis in range(2):
                np.testing.assert_array_equal(stacks[2 * i + axis, moment], flow[start + i, axis])


def test_short_clips_are_stretched():
    flow = np.arange(2, dtype=np.float32)[:, None, None, None] * np.ones((2, 2, 3, 3), np.float32)
    assert stack_flow(flow, 5)[::2, 0, 0, 0].tolist() == [0, 0, 0, 1, 1]
    with pytest.raises(ShapeError, match="at least one pair"):
        stack_flow(flow[:0])
    for numbers in ({"length": 0}, {"moments": 0}):
        with pytest.raises(ChoiceError, match="at least one"):
            stack_flow(flow, **numbers)


@torch.no_grad()
def test_from_frames_to_features():
    flow = optical_flow(moving(2, 1, frames=14))
    encoder = build_encoder("flow", "random", backbone="resnet18").eval()
    clips = encoder.normalise(torch.from_numpy(stack_flow(flow, 10, 2))[None])
    assert encoder(clips).shape == (1, 512)

"""Time: gaps bridged by hand cases, resampling exact on straight lines."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.errors import ChoiceError, ShapeError
from skelact.transforms.temporal import (
    bridge_gaps,
    change_rate,
    resample,
    smooth_one_euro,
    smooth_savgol,
)

NAN = math.nan


def one_joint(*values) -> torch.Tensor:
    """``[1, 1, T]``."""
    return torch.tensor(values, dtype=torch.float64)[None, None]


def seconds(*values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize(
    ("seen", "bridged"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, NAN, 3], [1, 2, 3]),
        ([0, NAN, NAN, NAN, 8], [0, 2, 4, 6, 8]),
        ([NAN, NAN, 5, NAN], [5, 5, 5, 5]),
        ([1, NAN, NAN], [1, 1, 1]),
        ([NAN, 1, NAN, 3, NAN, 1, NAN], [1, 1, 2, 3, 2, 1, 1]),
        ([NAN, NAN], [NAN, NAN]),
        ([4], [4]),
        ([NAN], [NAN]),
        ([], []),
    ],
)
def test_gaps_by_hand(seen, bridged):
    times = seconds(*range(len(seen)))
    torch.testing.assert_close(bridge_gaps(one_joint(*seen), times), one_joint(*bridged),
                               equal_nan=True)


def test_gaps_are_bridged_by_time_and_not_by_frame():
    times = seconds(0, 1, 4)
    assert bridge_gaps(one_joint(0, NAN, 8), times).flatten().tolist() == [0, 2, 8]


def test_a_joint_is_missing_in_all_channels_or_in_none():
    joints = torch.tensor([[[0.0, NAN, 2]], [[1, 1, 1]]]).transpose(0, 1)  # [1, 2, 3]
    out = bridge_gaps(joints, seconds(0, 1, 2))
    assert out.tolist() == [[[0, 1, 2], [1, 1, 1]]]
    joints = torch.tensor([[[0.0, 5, 2], [0, NAN, 2]]])  # x known, y not: neither counts
    assert bridge_gaps(joints, seconds(0, 1, 2))[0, 0].tolist() == [0, 1, 2]


@given(st.integers(0, 10_000), st.floats(0, 0.9))
@settings(max_examples=40, deadline=None)
def test_bridging_keeps_what_was_seen_and_agrees_with_numpy(seed, gaps):
    random = np.random.default_rng(seed)
    frames = random.integers(1, 20)
    joints = random.normal(size=(4, 3, frames))
    joints[np.broadcast_to(random.random((4, 1, frames)) < gaps, joints.shape)] = NAN
    times = np.cumsum(random.uniform(0.01, 1, frames))
    given_ = torch.from_numpy(joints.copy())
    out = bridge_gaps(given_, torch.from_numpy(times)).numpy()
    np.testing.assert_array_equal(given_.numpy(), joints)  # the input stays
    for n in range(4):
        seen = ~np.isnan(joints[n, 0])
        for c in range(3):
            expected = (np.interp(times, times[seen], joints[n, c, seen]) if seen.any()
                        else np.full(frames, NAN))
            np.testing.assert_allclose(out[n, c], expected, atol=1e-9)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_straight_motion_is_resampled_exactly_whatever_the_frame_rate(seed):
    random = np.random.default_rng(seed)
    start, speed = random.normal(size=(2, 5, 3, 1))
    at = np.sort(random.uniform(0, 2, 9))

    def film(times):
        return torch.from_numpy(start + speed * times)

    for fps in (5, 24, 60):
        times = np.arange(0, 2 * fps + 1) / fps
        torch.testing.assert_close(
            resample(film(times), torch.from_numpy(times), torch.from_numpy(at)), film(at))
    uneven = np.concatenate([[0.0], np.sort(random.uniform(0, 2, 7)), [2.0]])
    torch.testing.assert_close(
        resample(film(uneven), torch.from_numpy(uneven), torch.from_numpy(at)), film(at))


def test_instants_outside_take_the_nearest_frame():
    out = resample(one_joint(1, 2), seconds(0, 1), seconds(-3, 0, 1, 9))
    assert out.flatten().tolist() == [1, 1, 2, 2]
    assert resample(one_joint(7), seconds(0.5), seconds(0, 0.5, 1)).flatten().tolist() == [7] * 3


def test_a_missing_joint_spreads_to_the_next_frames_and_no_further():
    out = resample(one_joint(0, NAN, 2, 3), seconds(0, 1, 2, 3),
                   seconds(0, 0.5, 1, 1.5, 2, 2.5)).flatten()
    assert out.isnan().tolist() == [False, True, True, True, False, False]
    assert out[5] == 2.5


def test_leading_axes_and_mixed_precision_of_times():
    joints = torch.randn(2, 3, 5, 3, 7)
    times = torch.arange(7).double() / 30
    out = resample(joints, times, torch.linspace(0, 0.2, 4))  # float32 instants
    assert out.shape == (2, 3, 5, 3, 4)
    assert out.dtype == torch.float32
    torch.testing.assert_close(resample(joints[1, 2], times, torch.linspace(0, 0.2, 4)), out[1, 2])


@pytest.mark.parametrize(("frames", "times"), [(0, 0), (3, 2), (2, 3)])
def test_no_frames_or_another_number_of_times_is_refused(frames, times):
    with pytest.raises(ShapeError, match=f"{times} times for {frames} frames"):
        resample(torch.zeros(1, 1, frames), torch.arange(times).double(), seconds(0))


@pytest.mark.parametrize(
    ("seen", "longest", "bridged"),
    [
        ([1, NAN, 3, NAN, NAN, 6], 2, [1, 2, 3, NAN, NAN, 6]),
        ([1, NAN, 3, NAN, NAN, 6], 3, [1, 2, 3, 4, 5, 6]),
        ([NAN, NAN, 5, NAN, NAN], 1, [NAN, 5, 5, 5, NAN]),
        ([NAN, NAN, 5, NAN, NAN], 0, [NAN, NAN, 5, NAN, NAN]),
        ([NAN, NAN], 9, [NAN, NAN]),
    ],
)
def test_long_gaps_stay_open(seen, longest, bridged):
    out = bridge_gaps(one_joint(*seen), seconds(*range(len(seen))), longest)
    torch.testing.assert_close(out, one_joint(*bridged), equal_nan=True)


def test_gaps_of_a_batch_are_those_of_its_clips():
    joints = torch.randn(2, 3, 5, 2, 8).masked_fill(torch.rand(2, 3, 5, 1, 8) < 0.4, NAN)
    times = torch.arange(8).double()
    out = bridge_gaps(joints, times, 3)
    for i, j in np.ndindex(2, 3):
        torch.testing.assert_close(out[i, j], bridge_gaps(joints[i, j], times, 3), equal_nan=True)


def test_another_frame_rate():
    joints = torch.arange(7.0)[None, None]  # 30 fps: 0.2 s
    assert change_rate(joints, 30, 15).flatten().tolist() == [0, 2, 4, 6]
    torch.testing.assert_close(change_rate(joints, 30, 60).flatten(), torch.arange(13) / 2)
    torch.testing.assert_close(change_rate(joints, 30, 20).flatten(), torch.arange(5) * 1.5)
    assert change_rate(joints, 30, 25).shape[-1] == 6  # the last at 0.2 s
    assert torch.equal(change_rate(joints, 29.97, 29.97), joints)
    for rates in ((0, 30), (30, -1), (NAN, 30), (30, math.inf)):
        with pytest.raises(ChoiceError, match="above 0"):
            change_rate(joints, *rates)


@given(st.integers(0, 10_000), st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_savgol_keeps_polynomials_and_hides_what_was_hidden(seed, degree):
    random = np.random.default_rng(seed)
    time = torch.linspace(-1, 1, 20, dtype=torch.float64)
    factors = torch.from_numpy(random.normal(size=(4, 2, 1, degree + 1)))
    joints = (factors * time[:, None] ** torch.arange(degree + 1)).sum(dim=-1)
    joints = torch.cat([joints, torch.rand(4, 1, 20, dtype=torch.float64)], dim=1)
    before = joints.clone()
    torch.testing.assert_close(smooth_savgol(joints, 7, degree), joints)
    hidden = joints.masked_fill(torch.from_numpy(random.random((4, 1, 20)) < 0.3), NAN)
    hidden[0, :2] = NAN  # never seen
    out = smooth_savgol(hidden, 7, degree)
    assert torch.equal(out.isnan(), hidden.isnan())
    assert torch.equal(joints, before)
    noisy = joints + 0.1 * torch.from_numpy(random.normal(size=joints.shape))
    smooth = smooth_savgol(noisy, 9, degree)
    assert (smooth - joints)[:, :2].square().sum() < (noisy - joints)[:, :2].square().sum()
    assert torch.equal(smooth[:, 2], noisy[:, 2])


def test_savgol_of_short_clips_and_senseless_windows():
    for frames in range(5):
        joints = torch.randn(2, 3, frames)
        assert smooth_savgol(joints, 7, 2).shape == joints.shape
    straight = torch.arange(4.0).expand(1, 2, 4)
    torch.testing.assert_close(smooth_savgol(straight, 7, 1), straight)
    for window, degree in ((6, 2), (3, 3), (5, -1)):
        with pytest.raises(ChoiceError, match="window"):
            smooth_savgol(straight, window, degree)


def one_euro_by_hand(values, times, min_cutoff, beta, speed_cutoff=1.0):
    """The published algorithm for one signal; an absence lengthens the time step."""
    def weight(elapsed, cutoff):
        return 1 / (1 + 1 / (2 * math.pi * cutoff) / elapsed)

    out, last, speed, seen_at = [], None, 0.0, None
    for value, time in zip(values, times, strict=True):
        if math.isnan(value):
            out.append(NAN)
            continue
        if last is None:
            last = value
        else:
            elapsed = time - seen_at
            share = weight(elapsed, speed_cutoff)
            speed = share * (value - last) / elapsed + (1 - share) * speed
            share = weight(elapsed, min_cutoff + beta * abs(speed))
            last = share * value + (1 - share) * last
        seen_at = time
        out.append(last)
    return out


@given(st.integers(0, 10_000), st.floats(0.1, 5), st.floats(0, 2))
@settings(max_examples=25, deadline=None)
def test_one_euro_as_published(seed, min_cutoff, beta):
    random = np.random.default_rng(seed)
    times = np.cumsum(random.uniform(0.01, 0.1, 15))
    values = np.where(random.random((4, 1, 15)) < 0.2, NAN, random.normal(size=(4, 2, 15)))
    joints = torch.from_numpy(np.concatenate([values, random.random((4, 1, 15))], axis=1))
    out = smooth_one_euro(joints, torch.from_numpy(times), min_cutoff, beta)
    for n, c in np.ndindex(4, 2):
        expected = one_euro_by_hand(values[n, c], times, min_cutoff, beta)
        np.testing.assert_allclose(out[n, c], expected, atol=1e-9)
    assert torch.equal(out[:, 2], joints[:, 2])
    torch.testing.assert_close(smooth_one_euro(joints[..., :8], torch.from_numpy(times[:8]),
                                               min_cutoff, beta), out[..., :8], equal_nan=True)


def test_one_euro_at_rest_of_nothing_and_with_senseless_numbers():
    still = torch.full((3, 2, 6), 4.0)
    times = torch.arange(6) / 30
    assert torch.equal(smooth_one_euro(still, times), still)
    assert smooth_one_euro(still[..., :0], times[:0]).shape == (3, 2, 0)
    for fields in ({"min_cutoff": 0}, {"beta": -1}, {"speed_cutoff": 0}):
        with pytest.raises(ChoiceError, match="cut-offs"):
            smooth_one_euro(still, times, **fields)

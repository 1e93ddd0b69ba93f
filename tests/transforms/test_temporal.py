"""Time: gaps bridged by hand cases, resampling exact on straight lines."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.errors import ShapeError
from skelact.transforms.temporal import bridge_gaps, resample

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

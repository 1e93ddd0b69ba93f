import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelact.pose.video_clock import FrameClock

MS = Fraction(1, 1000)


def times(pts, fps=25.0, trusted=True):
    clock = FrameClock(fps, trusted)
    return [clock.time_of(p, MS, i) for i, p in enumerate(pts)], clock.repaired


def test_good_times_stay():
    assert times([80, 120, 200, 1000]) == ([0.08, 0.12, 0.2, 1.0], 0)


def test_missing_times_are_filled_at_the_frame_rate():
    got, repaired = times([None, 40, None, None, 160])
    assert got == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16])
    assert repaired == 3


def test_a_repeated_time_moves_no_other():
    got, repaired = times([0, 40, 40, 80, 120])
    assert got[:2] + got[3:] == [0.0, 0.04, 0.08, 0.12]
    assert 0.04 < got[2] < 0.08
    assert repaired == 1


def test_a_clock_that_starts_anew_goes_on():
    got, _ = times([5000, 5040, 0, 40, 80])
    assert got == pytest.approx([5.0, 5.04, 5.08, 5.12, 5.16])


def test_untrusted_times_are_counted():
    assert times([7, 7, 3], fps=10.0, trusted=False)[0] == pytest.approx([0.0, 0.1, 0.2])


@given(st.lists(st.none() | st.integers(-10**7, 10**9), max_size=40), st.floats(1, 240))
def test_times_always_rise(pts, fps):
    got, _ = times(pts, fps)
    assert all(a < b for a, b in itertools.pairwise(got))

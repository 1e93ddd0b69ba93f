"""Intervals: what they do by construction, and by simulation whether they cover."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interval_cases import Condition, measure_coverage

from skelact.errors import ChoiceError, ShapeError, SkelactError
from skelact.evaluation.intervals import (
    Interval,
    bootstrap,
    class_intervals,
    mcnemar,
    paired_bootstrap,
    wilson,
)

RIGHT = np.random.default_rng(0).random(200) < 0.7


def accuracy(rows):
    return RIGHT[rows].mean()


@pytest.mark.parametrize("condition", [
    Condition(0.6), Condition(0.85), Condition(0.7, 20, 20), Condition(0.7, 40, 5),
    Condition(0.7, metric="difference"),
])
def test_intervals_hold_the_truth_as_often_as_they_say(condition):
    share, _ = measure_coverage(condition, repeats=200, draws=200)
    assert 0.915 <= share <= 0.985


def test_clips_of_people_that_differ_need_the_people():
    """Taken for independent, the clips of twenty people promise far too much."""
    condition = Condition(0.7, 20, 20, likeness=0.3)
    with_people, width = measure_coverage(condition, repeats=100, draws=150)
    random = np.random.default_rng(1)
    held, widths = [], []
    for _ in range(100):
        skill = random.beta(0.7 * (1 / 0.3 - 1), 0.3 * (1 / 0.3 - 1), 20)
        right = random.random(400) < skill.repeat(20)
        found = bootstrap(lambda rows, right=right: right[rows].mean(), 400, draws=150)
        held.append(found.low <= 0.7 <= found.high)
        widths.append(found.high - found.low)
    assert with_people > 0.9 > 0.7 > np.mean(held)
    assert width > 2 * np.mean(widths)


def test_one_seed_gives_one_interval():
    first = bootstrap(accuracy, 200, draws=300)
    assert first == bootstrap(accuracy, 200, draws=300)
    assert first != bootstrap(accuracy, 200, draws=300, seed=1)
    assert first.low < first.value == RIGHT.mean() < first.high


def test_it_is_about_that_of_theory():
    found = bootstrap(accuracy, 200)
    error = math.sqrt(found.value * (1 - found.value) / 200)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.08)
    narrow = bootstrap(accuracy, 200, level=0.5)
    assert narrow.high - narrow.low == pytest.approx(2 * 0.674 * error, rel=0.15)


def test_groups_are_drawn_whole():
    groups = np.array(["ann", "ben", "ann", "cleo", "ben", "ann", "ann", "ben", "ann"])
    seen = []
    bootstrap(lambda rows: seen.append(np.sort(rows)) or 0.5, 9, groups, draws=50)
    members = {name: np.flatnonzero(groups == name).tolist() for name in set(groups.tolist())}
    for rows in seen:
        counts = np.bincount(rows, minlength=9)
        assert sum(counts[one[0]] for one in members.values()) == 3
        for one in members.values():
            assert len(set(counts[one].tolist())) == 1


def test_a_group_for_each_clip_is_no_grouping():
    assert bootstrap(accuracy, 200, np.arange(200), draws=100) == bootstrap(accuracy, 200,
                                                                            draws=100)


@given(st.integers(0, 1000), st.integers(2, 12), st.integers(1, 4))
@settings(max_examples=30)
def test_an_interval_holds_its_value_and_keeps_to_the_limits(seed, count, people):
    random = np.random.default_rng(seed)
    right, groups = random.random(count) < 0.8, random.integers(0, people, count)
    found = bootstrap(lambda rows: right[rows].mean(), count, groups, draws=40)
    if len(set(groups.tolist())) == 1:
        assert math.isnan(found.low)
        assert math.isnan(found.high)
    else:
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_where_nothing_is_known_nothing_is_claimed():
    assert str(bootstrap(accuracy, 200, ["one"] * 200)) == f"{RIGHT.mean():.3f} [interval unknown]"
    single = bootstrap(accuracy, 1)
    assert math.isnan(single.low)
    empty = bootstrap(lambda rows: float("nan"), 0)
    assert math.isnan(empty.value)
    assert math.isnan(empty.high)
    assert str(Interval(0.5, 0.4, 0.62)) == "0.500 [0.400, 0.620]"


def test_draws_without_a_value_are_left_out():
    found = bootstrap(lambda rows: RIGHT[rows].mean() if 0 in rows else math.nan, 200, draws=300)
    assert 0.55 < found.low < found.value < found.high < 0.72


def test_a_metric_outside_its_limits_is_refused():
    with pytest.raises(SkelactError, match="from 0 to 1, got values from"):
        bootstrap(lambda rows: 100 * accuracy(rows), 200, draws=20)
    percent = bootstrap(lambda rows: 100 * accuracy(rows), 200, draws=100, limits=(0, 100))
    share = bootstrap(accuracy, 200, draws=100)
    assert percent.low == pytest.approx(100 * share.low)


def test_all_right_is_not_certainty():
    found = bootstrap(lambda rows: 1.0, 50, draws=50)
    assert found.high == 1
    assert found.low == pytest.approx(0.025 ** (1 / 50))  # Clopper and Pearson
    few = bootstrap(lambda rows: 0.0, 50, groups=np.arange(50) % 4, draws=50)
    assert few.low == 0
    assert few.high == pytest.approx(1 - 0.025 ** (1 / 4), abs=0.01)


def test_two_models_are_compared_on_the_same_clips():
    random = np.random.default_rng(3)
    first = random.random(300) < 0.7
    second = first.copy()
    second[np.flatnonzero(first)[:15]] = False
    same = paired_bootstrap(lambda r: first[r].mean(), lambda r: first[r].mean(), 300, draws=100)
    assert same.value == 0
    assert same.high == -same.low == pytest.approx(1 - 0.025 ** (1 / 300))
    better = paired_bootstrap(lambda r: first[r].mean(), lambda r: second[r].mean(), 300)
    assert better.value == pytest.approx(0.05)
    assert 0 < better.low < 0.05 < better.high < 0.1
    worse = paired_bootstrap(lambda r: second[r].mean(), lambda r: first[r].mean(), 300)
    assert (worse.low, worse.high) == pytest.approx((-better.high, -better.low))


def test_mcnemar_by_hand():
    first, second = np.array([True] * 8 + [False] * 4), np.array([True] * 2 + [False] * 10)
    assert mcnemar(first, second) == pytest.approx(2 / 2**6)  # six against none
    assert mcnemar(second, first) == pytest.approx(2 / 2**6)
    assert mcnemar(first, first) == 1
    assert mcnemar(np.array([True, False]), np.array([False, True])) == 1
    with pytest.raises(ShapeError, match="two bool arrays"):
        mcnemar(np.array([1, 0]), np.array([0, 1]))
    with pytest.raises(ShapeError, match="two bool arrays"):
        mcnemar(first, second[:3])


def test_shares_of_few_and_of_all():
    assert wilson(8, 10).low == pytest.approx(0.4901625)  # Newcombe 1998, method 3
    assert wilson(8, 10).high == pytest.approx(0.9433178)
    every = wilson(20, 20)
    assert every.value == every.high == 1
    assert 0.8 < every.low < 0.9
    assert math.isnan(wilson(0, 0).value)


def test_recall_of_classes():
    found = class_intervals(np.array([[8, 2, 0], [0, 0, 0], [1, 1, 2]]))
    assert found[0] == wilson(8, 10)
    assert math.isnan(found[1].value)
    assert found[2].value == 0.5


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"groups \[200\], got \[3\]"):
        bootstrap(accuracy, 200, [1, 2, 3])
    with pytest.raises(ChoiceError, match="level"):
        bootstrap(accuracy, 200, level=95)
    with pytest.raises(ChoiceError, match="one draw"):
        bootstrap(accuracy, 200, draws=0)
    with pytest.raises(ShapeError, match="confusion"):
        class_intervals(np.ones((2, 3)))

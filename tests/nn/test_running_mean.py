"""Means that are kept up: over all values or the last, for people who come later, for hours."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.nn.running_mean import RunningMean


def begin(last: int | None, rest: float = 5.0, people: int = 1) -> RunningMean:
    mean = RunningMean(last)
    assert torch.equal(mean.push(torch.full((1, 2), rest)), torch.full((1, 2), rest))
    mean.clear()
    mean.take(torch.zeros(people, dtype=torch.long))
    return mean


@settings(max_examples=40)
@given(st.one_of(st.none(), st.integers(1, 7)),
       st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=30))
def test_it_is_the_mean_of_the_last_values(last, values):
    mean = begin(last)
    for count, value in enumerate(values, start=1):
        pushed = mean.push(torch.full((1, 2), value))
        kept = torch.tensor(values[:count][-(last or count):], dtype=torch.float64)
        torch.testing.assert_close(pushed[0].double(), kept.mean().expand(2), atol=1e-4, rtol=1e-6)


def test_who_is_taken_in_later_has_been_at_rest():
    for last in (None, 4):
        mean = begin(last, people=2)
        for value in range(6):
            mean.push(torch.tensor([[value, value], [10.0, 10.0]]))
        mean.take(torch.tensor([2, 1]))
        assert torch.equal(mean.mean(), torch.tensor([[5.0, 5.0], [10.0, 10.0]]))
        terms = 7 if last is None else 4
        pushed = mean.push(torch.tensor([[0.0, 5.0], [10.0, 10.0]]))
        expected = torch.tensor([[5 * (terms - 1) / terms, 5.0], [10.0, 10.0]])
        torch.testing.assert_close(pushed, expected)


def test_what_comes_late_is_not_rounded_away():
    mean = begin(None)
    mean.restore({"count": torch.tensor(2 ** 26), "kept": torch.zeros(1, 0, 2),
                  "total": torch.full((1, 2), 2.0 ** 26, dtype=torch.float64)})
    for _ in range(1000):  # each would be lost in a float32 sum of this size
        mean.push(torch.full((1, 2), 3.0))
    assert torch.equal(mean.total, torch.full((1, 2), 2.0 ** 26 + 3000).double())


def test_a_large_value_leaves_no_trace_in_a_window():
    mean = begin(3)
    for value in (1.0, 1e30, 1.0, 1.0, 2.0, 3.0):
        pushed = mean.push(torch.full((1, 2), value))
    assert torch.equal(pushed, torch.full((1, 2), 2.0))


def test_a_copy_goes_on_alike():
    for last in (None, 3):
        mean, other = begin(last), begin(last)
        for value in range(5):
            mean.push(torch.full((1, 2), float(value)))
        state = mean.state()
        expected = mean.push(torch.full((1, 2), 9.0))
        other.restore(state)
        assert torch.equal(other.push(torch.full((1, 2), 9.0)), expected)

import threading
import time

import pytest

from skelact.pose.read_ahead import read_ahead


def running() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "skelact-read-ahead"]


def test_items_come_in_order_and_the_thread_ends():
    assert list(read_ahead(range(1000), depth=3)) == list(range(1000))
    assert running() == []


def test_an_empty_source():
    assert list(read_ahead([])) == []


def test_an_exception_comes_after_the_items_before_it():
    def source():
        yield 1
        yield 2
        raise ValueError("broken")

    got = []
    with pytest.raises(ValueError, match="broken"):
        got.extend(read_ahead(source()))
    items = read_ahead(source())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(items)
    assert running() == []


def test_an_exception_in_the_loop_ends_the_thread():
    def consume():
        for zero in read_ahead(iter(int, 1)):
            1 / zero

    with pytest.raises(ZeroDivisionError):
        consume()
    assert running() == []


def test_stopping_early_ends_the_thread_and_closes_the_source():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    items = read_ahead(endless(), depth=2)
    next(items)
    assert running() == ["skelact-read-ahead"]
    items.close()
    assert running() == []
    assert closed.is_set()


def test_it_runs_ahead_but_not_farther_than_depth():
    taken = []

    def source():
        for i in range(100):
            taken.append(i)
            yield i

    items = read_ahead(source(), depth=4)
    next(items)
    deadline = time.monotonic() + 5
    while len(taken) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(taken) == 6  # one used, four waiting, one in hand
    items.close()


def test_nothing_starts_before_the_first_item_is_asked_for():
    read_ahead(range(3))
    assert running() == []

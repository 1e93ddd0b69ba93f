"""Running an iterator in a thread ahead of its consumer."""

import contextlib
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def read_ahead(iterable: Iterable[Item], depth: int = 8) -> Iterator[Item]:
    """Iterate in a background thread, at most ``depth`` items ahead of the consumer.

    Frames decode while the model works on those before (libav gives Python's lock free). The
    thread starts with the first item asked for and ends with the iteration: at the last item, at
    an exception, or when the consumer stops early (``close()``, garbage collection).

    Args:
        iterable: What to iterate; used by the background thread alone.
        depth: How many finished items may wait; they cost memory (6 MB a 1080p frame).

    Yields:
        The items, in order.

    Raises:
        Exception: Whatever the iterable raises, after the items before it.
    """
    waiting: queue.Queue = queue.Queue(maxsize=max(1, depth))
    stop = threading.Event()
    thread = threading.Thread(target=_produce, args=(iterable, waiting, stop),
                              name="skelact-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = waiting.get()
            if kind == "item":
                yield value
            elif kind == "error":
                raise value
            else:
                return
    finally:
        stop.set()
        with contextlib.suppress(queue.Empty):  # wakes a producer that waits for room
            while True:
                waiting.get_nowait()
        thread.join()


def _produce(iterable: Iterable, waiting: queue.Queue, stop: threading.Event) -> None:
    iterator = None
    try:
        iterator = iter(iterable)
        for item in iterator:
            _put(waiting, ("item", item), stop)
            if stop.is_set():
                break
    except BaseException as error:
        _put(waiting, ("error", error), stop)
    finally:
        # Close a generator here: files that it holds must not outlive the iteration.
        close = getattr(iterator, "close", None)
        if close is not None:
            close()
    _put(waiting, ("end", None), stop)


def _put(waiting: queue.Queue, entry: tuple, stop: threading.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(queue.Full):
            waiting.put(entry, timeout=0.1)
            return

"""Reading functions that behave well or badly; tests run them in child processes."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from skelact.errors import FileFormatError


def arrays_of_all_kinds(path: str, count: int = 1):
    for i in range(count):
        yield {"i": i, "text": "Zoë", "none": None}, {
            "big_endian": np.arange(6, dtype=">f4").reshape(2, 3),
            "turned": np.arange(6, dtype=np.int16).reshape(2, 3).T,
            "nothing": np.zeros((0, 4), np.float16), "number": np.array(3.5),
            "flag": np.ones(2, bool),
        }


def objects(path: str):
    yield {}, {"a": np.array([object()], object)}


def talkative(path: str):
    print("a library says something")
    os.write(1, b"and C code too")
    yield {"said": True}, {}


def greedy(path: str):
    yield {"step": 1}, {}
    hoard = [np.zeros(2**26, np.uint8) + 1 for _ in range(64)]
    yield {"step": len(hoard)}, {}


def busy(path: str):
    yield {"step": 1}, {}
    while True:
        pass


def sleepy(path: str):
    yield {"step": 1, "process": os.getpid()}, {}
    time.sleep(600)


def crashing(path: str):
    yield {"step": 1}, {}
    os.kill(os.getpid(), signal.SIGSEGV)
    yield {"step": 2}, {}


def mistaken(path: str):
    yield {"step": 1}, {}
    raise FileFormatError("byte 7: strange")


def buggy(path: str):
    yield {"step": 1}, {}
    raise ZeroDivisionError("of no use")


def lying(path: str):
    """Speaks to the parent directly, as a child under foreign control could."""
    content = Path(path).read_bytes()
    for pipe in range(3, 10):
        try:
            os.write(pipe, content)
        except OSError:
            continue
        os._exit(0)
    yield {}, {}


def modules(path: str):
    import sys

    yield {"modules": sorted(sys.modules)}, {}


def writing(path: str):
    with open(path, "ab") as file:
        file.write(b"x" * 10_000)
    yield {}, {}

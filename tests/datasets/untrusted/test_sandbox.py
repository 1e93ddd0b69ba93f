"""A child process that reads, and everything that may happen to it."""

import json
import os
import struct
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import sandboxed

from skelact.datasets.untrusted import sandbox
from skelact.datasets.untrusted.sandbox import read_in_child
from skelact.errors import FileFormatError

linux_only = pytest.mark.xfail(sys.platform != "linux", reason="the limit is one of Linux")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data.pkl"
    path.write_bytes(b"content")
    return path


def test_values_and_arrays_arrive_as_they_were(file):
    messages = list(read_in_child(sandboxed.arrays_of_all_kinds, file, count=3))
    assert [facts["i"] for facts, _ in messages] == [0, 1, 2]
    facts, arrays = messages[2]
    assert facts == {"i": 2, "text": "Zoë", "none": None}
    expected = dict(next(sandboxed.arrays_of_all_kinds("", 1))[1])
    assert set(arrays) == set(expected)
    for name, array in expected.items():
        assert arrays[name].shape == array.shape
        assert arrays[name].dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(arrays[name], array)


def test_prints_do_not_get_among_the_messages(file):
    assert [facts for facts, _ in read_in_child(sandboxed.talkative, file)] == [{"said": True}]


def test_the_child_starts_without_torch_and_scipy(file):
    (facts, _), = read_in_child(sandboxed.modules, file)
    assert not {"torch", "scipy", "pyarrow", "matplotlib"} & set(facts["modules"])


@pytest.mark.parametrize(("function", "message"), [
    ("crashing", "crashed the process that tried \\(signal 11\\)"),
    ("mistaken", "byte 7: strange"),
    ("buggy", "ZeroDivisionError: of no use"),
])
def test_whatever_happens_is_one_error_that_names_the_file(file, function, message):
    messages = read_in_child(getattr(sandboxed, function), file)
    assert next(messages)[0] == {"step": 1}
    with pytest.raises(FileFormatError, match=message) as error:
        next(messages)
    assert str(error.value).startswith(f"{file}: ")


@linux_only
def test_memory_is_limited(file):
    messages = read_in_child(sandboxed.greedy, file, memory=2**29)
    assert next(messages)[0] == {"step": 1}
    with pytest.raises(FileFormatError, match=r"takes more than 0\.5 GiB of memory"):
        next(messages)


@pytest.mark.parametrize("function", [sandboxed.busy, sandboxed.sleepy])
def test_time_is_limited(file, function):
    with pytest.raises(FileFormatError, match="took too long"):
        list(read_in_child(function, file, seconds=1))  # wherever the child is by then


def test_time_that_the_reader_takes_elsewhere_does_not_count(file, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(sandbox, "time", SimpleNamespace(monotonic=lambda: now[0]))
    messages = read_in_child(sandboxed.arrays_of_all_kinds, file, count=3000)  # more than a pipe
    next(messages)
    now[0] = 1e9
    time.sleep(1.2)  # so that the clock would be looked at, were it running
    assert len(list(messages)) == 2999


@linux_only
def test_the_child_can_write_no_files(file):
    with pytest.raises(FileFormatError, match="OSError"):
        list(read_in_child(sandboxed.writing, file))
    assert file.read_bytes() == b"content"


def test_arrays_of_objects_do_not_pass(file):
    with pytest.raises(FileFormatError):
        list(read_in_child(sandboxed.objects, file))


def head(**content) -> bytes:
    text = json.dumps(content).encode()
    return struct.pack("<I", len(text)) + text


@pytest.mark.parametrize(("content", "message"), [
    (b"", "crashed"),
    (b"\xff\xff\xff\xff", "take 4294967295 bytes"),
    (struct.pack("<I", 7) + b"nothing", "nonsense"),
    (struct.pack("<I", 2) + b"[]", "nonsense"),
    (head(facts={}), "nonsense"),
    (head(facts=3, arrays=[]), "nonsense"),
    (head(facts={}, arrays=[["a", "|O", [1]]]), "nonsense"),
    (head(facts={}, arrays=[["a", "<f4", [-1]]]), "nonsense"),
    (head(facts={}, arrays=[["a", "<f4", [2.5]]]), "nonsense"),
    (head(facts={}, arrays=[["a", "<f4", [2**40]]]), "at most"),
    (head(facts={}, arrays=[["a", "<f4", [2]]]) + b"short", "crashed"),
])
def test_what_a_child_under_foreign_control_may_send(tmp_path, content, message):
    path = tmp_path / "lies"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message):
        list(read_in_child(sandboxed.lying, path))


def test_a_reader_that_stops_early_leaves_no_child(file):
    messages = read_in_child(sandboxed.sleepy, file)
    process = next(messages)[0]["process"]
    os.kill(process, 0)  # it is there
    messages.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileFormatError, match="no file at"):
        list(read_in_child(sandboxed.talkative, tmp_path / "gone.pkl"))


def test_a_function_of_the_main_program_is_refused(file):
    def read(path):
        yield {}, {}

    read.__module__ = "__main__"
    with pytest.raises(ValueError, match="module that the child can import"):
        list(read_in_child(read, file))

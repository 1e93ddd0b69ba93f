"""The pickle machine: what it reads equals what Python reads, and it reads nothing else."""

import contextlib
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from skelact.datasets.untrusted.plain_pickle import parse_pickle, read_pickle
from skelact.errors import FileFormatError

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
numbers = st.integers(-(2**100), 2**100) | st.floats(allow_nan=False) | st.booleans() | st.none()
arrays = arrays_of.arrays(
    st.sampled_from(["<f2", "<f4", ">f8", "|i1", "<i8", ">u2", "|b1"]),
    arrays_of.array_shapes(min_dims=0, max_dims=4, max_side=4))
plain = st.recursive(
    numbers | texts | arrays,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        texts | st.integers(-5, 2**40) | st.floats(0, 1), inner, max_size=4)
    | st.tuples(inner, inner),
    max_leaves=12)


def same(first, second) -> bool:
    if isinstance(second, np.ndarray) and second.ndim:
        return first.shape == second.shape and np.array_equal(first, second, equal_nan=True)
    if isinstance(second, np.ndarray | np.generic):
        return np.array_equal(first, second, equal_nan=second.dtype.kind == "f")
    if isinstance(second, list | tuple):
        return type(first) is type(second) and len(first) == len(second) and all(
            map(same, first, second))
    if isinstance(second, dict):
        return list(first) == list(second) and all(map(same, first.values(), second.values()))
    return first == second


@settings(max_examples=75, deadline=None)
@given(plain, st.integers(0, 5))
def test_plain_values_come_back_from_every_protocol(value, protocol):
    assert same(parse_pickle(pickle.dumps(value, protocol)), value)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content):
    with contextlib.suppress(FileFormatError):
        parse_pickle(content)


@pytest.mark.parametrize("protocol", range(6))
def test_numpy_of_either_name_and_order(protocol):
    value = {"turned": np.asfortranarray(np.arange(6, dtype=np.float16).reshape(2, 3)),
             "scalar": np.float32(2.5), "whole": np.int64(-7), "text": np.str_("Zoë"),
             "empty": np.zeros((0, 3)), "ordered": OrderedDict(a=1)}
    content = pickle.dumps(value, protocol)
    for part in (content, content.replace(b"numpy.core.mul", b"numpy._core.mu")):
        if b"numpy._core" in part:  # as numpy 2 writes it
            part = content.replace(b"cnumpy.core.", b"cnumpy._core.")
        assert same(parse_pickle(part), value)


def test_pickles_of_python_2(tmp_path):
    # cPickle.dump((['a.skeleton'], [3]), f, 2) and an array of two float32, protocol 1
    labels = b"\x80\x02]U\na.skeletonq\x01a]K\x03a\x86q\x02."
    assert parse_pickle(labels) == (["a.skeleton"], [3])
    array = (b"cnumpy.core.multiarray\n_reconstruct\nq\x01(cnumpy\nndarray\nq\x02(K\x00tU\x01b"
             b"tR(K\x01(K\x02tcnumpy\ndtype\nq\x03(U\x02f4K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff"
             b"\xff\xffJ\xff\xff\xff\xffK\x00tbI00\nU\x08\x00\x00\x80?\x00\x00\x00\xc0tb.")
    np.testing.assert_array_equal(parse_pickle(array), [1.0, -2.0])
    assert parse_pickle(b"S'it\\'s'\np1\n.") == "it's"


def test_arrays_stay_in_the_file(tmp_path):
    big = np.arange(2**18, dtype=np.float32)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"a": big}, 4))
    array = read_pickle(tmp_path / "a.pkl")["a"]
    np.testing.assert_array_equal(array, big)
    assert not array.flags.owndata
    assert not array.flags.writeable


def test_empty_and_missing_files(tmp_path):
    (tmp_path / "a.pkl").touch()
    with pytest.raises(FileFormatError, match="empty"):
        read_pickle(tmp_path / "a.pkl")


CONTENT = pickle.dumps(np.zeros((2, 3), np.float32), 4)


@pytest.mark.parametrize(("content", "message"), [
    (CONTENT[:-30], "truncated|missing"),
    (CONTENT.replace(b"K\x02K\x03\x86", b"K\x02K\x04\x86"), r"\[2, 4\] float32 = 32 bytes, got 24"),
    (CONTENT.replace(b"f4", b"O8"), "expected an array of numbers, got type 'O8'"),
    (pickle.dumps(np.array([{}]), 4), "one of list|got type 'O8'"),
    (pickle.dumps(np.zeros(2, [("a", "f4"), ("b", "i4")]), 4), "structured|type 'V8'"),
    (pickle.dumps(np.zeros(2, complex), 4), "type 'c16'"),
    (pickle.dumps({1, 2}, 4), "EMPTY_SET"),
    (pickle.dumps(ValueError("x"), 4), "calls for builtins.ValueError"),
    (pickle.dumps(np.random.default_rng(0), 4), "calls for numpy.random"),
    (b"\x80\x04}(]K\x01u.", "as a key, got list"),
    (b"\x80\x04K\x01K\x02.", "values left over"),
    (b"\x80\x04h\x07.", "used before it is given"),
    (b"\x80\x04N\xff.", "0xff is no pickle operation"),
    (b"\x80\x04X\x02\x00\x00\x00\xff\xff.", "damaged"),
    (b"V\\ud800\n.", "damaged"),
    (b"no pickle at all", "byte 0"),
])
def test_refusals_name_the_place(content, message):
    with pytest.raises(FileFormatError, match=message) as error:
        parse_pickle(content)
    assert str(error.value).startswith("byte ")

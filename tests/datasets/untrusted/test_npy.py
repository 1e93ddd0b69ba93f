"""The header of .npy arrays, sound, damaged and hostile."""

import io

import numpy as np
import pytest

from skelact.datasets.untrusted.npy import read_header
from skelact.errors import FileFormatError


def saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "|b1", "<u2"])
def test_shape_and_type(dtype):
    stream = io.BytesIO(saved(np.zeros((3, 0, 5), dtype)))
    assert read_header(stream, "x") == ((3, 0, 5), np.dtype(dtype))
    assert stream.read() == b""


@pytest.mark.parametrize("array", [
    np.zeros(2, complex), np.array([{}]), np.array(["a"]), np.zeros(2, [("a", "f4")]),
    np.asfortranarray(np.zeros((2, 3))), np.zeros(2, "M8[s]"), np.zeros(2, np.longdouble),
])
def test_other_arrays_are_refused_by_name(array):
    with pytest.raises(FileFormatError, match="x: expected numbers, rows first"):
        read_header(io.BytesIO(saved(array)), "x")


def test_damaged_headers_are_refused_or_read():
    random = np.random.default_rng(0)
    content = saved(np.zeros((3, 5), np.float32))[:128]
    refused = 0
    for _ in range(2000):
        damaged = bytearray(content)
        for place in random.integers(len(content), size=random.integers(1, 4)):
            damaged[place] = random.integers(256)
        try:
            shape, dtype = read_header(io.BytesIO(damaged), "x")
        except FileFormatError:
            refused += 1
        else:
            assert all(side >= 0 for side in shape)
            assert dtype.kind in "biuf"
    assert 1000 < refused < 2000


@pytest.mark.parametrize("header", [
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os').getpid(),)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 3000 + "}",
    "[" * 9000,
])
def test_hostile_headers(header):
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    with pytest.raises(FileFormatError):
        read_header(io.BytesIO(content), "x")


def test_a_header_that_claims_gigabytes_is_not_read():
    stream = io.BytesIO(b"\x93NUMPY\x02\x00" + (2**32 - 1).to_bytes(4, "little") + b" " * 20_000)
    with pytest.raises(FileFormatError, match="claims more than 10000 bytes"):
        read_header(stream, "x")
    assert stream.tell() == 12

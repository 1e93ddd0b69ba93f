"""MATLAB files, which may unpack to a thousand times their size: measured before they load."""

import math
import struct
import zlib
from pathlib import Path

import scipy.io

from skelact.datasets.readers.each_clip import describe
from skelact.errors import FileFormatError

MAX_BYTES = 2**26
"""That a file may unpack to."""
_HEADER = 128
_COMPRESSED = 15
_CHUNK = 2**20


def load_matlab(file: Path, *names: str) -> dict:
    """Some variables of a ``.mat`` file.

    Raises:
        FileFormatError: It is damaged, no MATLAB file, or unpacks to more than `MAX_BYTES`.
    """
    try:
        # in this order: scipy unpacks a good part of a variable even to tell its shape
        _check_size(_unpacked_bytes(file))
        for name, shape, _ in scipy.io.whosmat(file):
            if name in names:
                _check_size(8 * math.prod(shape))
        return scipy.io.loadmat(file, variable_names=names)
    except Exception as error:  # scipy raises many kinds for damaged MATLAB files
        raise FileFormatError(f"no readable MATLAB file ({describe(error)})") from error


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise FileFormatError(f"expected at most {MAX_BYTES} bytes unpacked, got {size} or more; "
                              "is it the published file?")


def _unpacked_bytes(file: Path) -> int:
    """The size of the file and of all that its compressed elements unpack to, as far as needed."""
    total = file.stat().st_size
    with open(file, "rb") as stream:
        head = stream.read(_HEADER)
        if 0 in head[:4]:  # version 4 does not compress
            return total
        order = "<" if head.endswith(b"IM") else ">"
        while total <= MAX_BYTES and len(tag := stream.read(8)) == 8:
            kind, size = struct.unpack(f"{order}II", tag)
            end = stream.tell() + size
            if kind == _COMPRESSED:
                total += _inflated_bytes(stream.read(size))
            stream.seek(end)
    return total


def _inflated_bytes(content: bytes) -> int:
    unpacker, total = zlib.decompressobj(), 0
    while content and not unpacker.eof and total <= MAX_BYTES:
        total += len(unpacker.decompress(content, _CHUNK))
        content = unpacker.unconsumed_tail
    return total

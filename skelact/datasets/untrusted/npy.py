"""The header of numpy's own format, checked before anything is read by it."""

import io

import numpy as np

from skelact.errors import FileFormatError

_MAX_HEADER = 10_000
"""Bytes; numpy checks this only after it has read them, of which version 2 may claim 4 GiB."""


def read_header(stream, what: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an ``.npy`` array of numbers, rows first; nothing is unpickled.

    Args:
        stream: At the start of the array; stands at the first number afterwards.
        what: What it is called in messages.

    Raises:
        FileFormatError: It is no such array.
    """
    try:
        version = np.lib.format.read_magic(stream)
        read, width = {(1, 0): (np.lib.format.read_array_header_1_0, 2),
                       (2, 0): (np.lib.format.read_array_header_2_0, 4)}[version]
        length = stream.read(width)
        if int.from_bytes(length, "little") > _MAX_HEADER:
            raise ValueError(f"its header claims more than {_MAX_HEADER} bytes")
        header = io.BytesIO(length + stream.read(int.from_bytes(length, "little")))
        shape, fortran, dtype = read(header)
    except KeyError as error:
        raise FileFormatError(f"{what} is of an unknown .npy version {error}") from error
    except Exception as error:  # the header is a Python expression; errors of many kinds
        raise FileFormatError(f"{what} is no .npy array: {error}") from error
    if dtype.kind not in "biuf" or dtype.itemsize > 8 or fortran or any(n < 0 for n in shape):
        raise FileFormatError(f"{what}: expected numbers, rows first; got {list(shape)} {dtype}"
                              f"{', columns first' if fortran else ''}")
    return shape, dtype

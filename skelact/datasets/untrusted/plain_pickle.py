"""Pickles of plain data, read without running anything in them.

A pickle is a program for a small stack machine. This is such a machine without the dangerous
half: it knows the operations that lay out numbers, text, lists, tuples, dicts and numpy arrays,
and takes names of Python objects for mere words, of which it understands the eight that numpy
writes. Nothing is imported and nothing is called, so there is nothing that a file could abuse;
and no array is made before its type, shape and number of bytes are found to agree (Python's own
unpickler, limited to numpy's names, crashes the process when a byte of a header is flipped).

Array contents stay where they are in the file: `read_pickle` maps it, so that a pickle of 10 GB
takes as much memory as its lists and dicts do.

Source: the operations are those of protocols 0 to 5 as ``pickletools`` of Python documents them.
"""

import mmap
import struct
from pathlib import Path

from skelact.datasets.untrusted.pickle_machine import Machine
from skelact.errors import FileFormatError


def read_pickle(path: str | Path):
    """The plain data in a pickle file.

    Args:
        path: The file, of any protocol and of numpy 1 or 2.

    Returns:
        Numbers, text, None, lists, tuples, dicts with text or numbers as keys, and numpy
        arrays of numbers (read-only, contents still in the file). Bytes come as memoryviews.

    Raises:
        FileFormatError: The file is empty or damaged, or holds anything but plain data. The
            message names the byte and what stood there, not the file.
    """
    with open(path, "rb") as file:
        try:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:  # an empty file cannot be mapped
            raise FileFormatError("the file is empty") from error
    return parse_pickle(content)


def parse_pickle(content):
    """The plain data in the bytes of a pickle; see `read_pickle`.

    Args:
        content: Bytes, or anything like them.
    """
    machine = Machine(memoryview(content).cast("B"))
    try:
        return machine.run()
    except FileFormatError as error:
        raise FileFormatError(f"byte {machine.start}: {error}") from None
    except IndexError:
        raise FileFormatError(f"byte {machine.start}: a value is missing (file damaged)") from None
    except (ValueError, TypeError, KeyError, struct.error, OverflowError) as error:
        raise FileFormatError(f"byte {machine.start}: damaged ({error})") from None

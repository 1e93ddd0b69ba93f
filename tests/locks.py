"""Files and folders without permission, for root too."""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

_VERSION = 0x20080522  # of Linux' capget and capset: two words a set
_READ_ANYTHING = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Take all permissions away for a while."""
    mode = path.stat().st_mode
    with _without_privilege() if os.geteuid() == 0 else contextlib.nullcontext():
        path.chmod(0)
        try:
            yield
        finally:
            path.chmod(mode)


@contextlib.contextmanager
def _without_privilege() -> Iterator[None]:
    """Root of Linux obeys permissions for a while."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    held = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; then the higher halves
    assert libc.capget(header, held) == 0
    fewer = (ctypes.c_uint32 * 6)(*held)
    fewer[0] &= ~_READ_ANYTHING & 0xFFFFFFFF
    assert libc.capset(header, fewer) == 0
    try:
        yield
    finally:
        assert libc.capset(header, held) == 0

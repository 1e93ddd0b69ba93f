"""Files and folders without permission."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Take all permissions away for a while; skips the test where that stops nobody (root)."""
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        if os.access(path, os.R_OK):
            pytest.skip("this user may read everything")
        yield
    finally:
        path.chmod(mode)

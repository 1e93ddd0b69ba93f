"""Writing files so that nothing is ever half written or lost."""

import contextlib
import json
import math
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from skelact.errors import OutputExistsError, SkelactError


def check_writable(path: str | Path, overwrite: bool = False) -> Path:
    """Return ``path`` as a Path if it may be written, before any work is spent on it.

    Raises:
        OutputExistsError: It exists and ``overwrite`` is false.
        SkelactError: It is a folder, or its parent is not a folder or may not be written.
    """
    path = Path(path)
    if path.is_dir():
        raise SkelactError(f"expected a file to write, got the folder {path}; add a file name")
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path} exists; pass --overwrite (overwrite=True) to replace it")
    ancestor = next(parent for parent in path.absolute().parents if parent.exists())
    if not ancestor.is_dir():
        raise SkelactError(f"cannot write {path}: {ancestor} is a file, not a folder")
    if not os.access(ancestor, os.W_OK):
        raise SkelactError(f"cannot write {path}: no permission to write in {ancestor}")
    return path


@contextlib.contextmanager
def atomic_write(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; move it there once it is whole and on disk.

    The temporary file keeps the suffix of ``path`` (writers choose a format by it). On an
    exception it is removed and ``path`` stays as it was.

    Args:
        path: The file to write; missing parent folders are made.
        overwrite: Replace an existing file.

    Raises:
        OutputExistsError: ``path`` exists and ``overwrite`` is false.
    """
    path = check_writable(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        check_writable(path, overwrite)  # somebody else may have written it in the meantime
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str, overwrite: bool = False) -> Path:
    """Write ``text`` (UTF-8) atomically; see `atomic_write`."""
    with atomic_write(path, overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Path(path)


def write_json(path: str | Path, content, overwrite: bool = False) -> Path:
    """Write names and plain values as JSON, atomically; null for what is no finite number."""
    text = json.dumps(without_nan(content), indent=1, ensure_ascii=False)
    return write_text(path, text + "\n", overwrite)


def without_nan(value):
    """The same with None for NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {name: without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def remove_leftovers(*folders: str | Path) -> None:
    """Remove temporary files of `atomic_write` whose writers were killed; none may be at work."""
    for path in (path for folder in folders for path in Path(folder).glob(".*.part*")):
        if re.fullmatch(r"\..+\.[0-9a-f]{8}\.part(\.\w+)?", path.name) and path.is_file():
            path.unlink()


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the platform lets a folder be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

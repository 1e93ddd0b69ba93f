"""Whole folders, put in place at once or not at all."""

import contextlib
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from skelact.errors import OutputExistsError, SkelactError
from skelact.output import check_writable

_MARKER = ".skelact_scratch"
"""A file in every scratch folder of ours; no other folder is ever emptied."""


def check_folder(folder: str | Path, overwrite: bool = False) -> Path:
    """Return ``folder`` if it may be made, before any work is spent on it.

    Raises:
        OutputExistsError: It exists and ``overwrite`` is false.
        SkelactError: It is a file, a folder that holds other things than a store, or its parent
            may not be written.
    """
    folder = Path(folder)
    if folder.is_file():
        raise SkelactError(f"expected a folder for the store, got the file {folder}")
    if not folder.is_dir():
        return check_writable(folder, overwrite)
    if not any(folder.iterdir()):
        return folder
    if not (folder / "dataset.json").is_file():
        raise OutputExistsError(f"{folder} holds other things than a dataset store; name a folder "
                                "that does not exist yet")
    if not overwrite:
        raise OutputExistsError(f"{folder} exists; pass --overwrite (overwrite=True) to replace it")
    return folder


def replace_folder(source: Path, target: Path, overwrite: bool = False) -> None:
    """Move a finished folder to its place; a store that stands there goes only then.

    The old store waits beside its place and is put back if the new one cannot be moved there.

    Args:
        source: The folder, on the same file system.
        target: Where it belongs.
        overwrite: Replace a store that is there.

    Raises:
        OutputExistsError: See `check_folder`.
    """
    check_folder(target, overwrite)
    if not target.is_dir():
        os.rename(source, target)
        return
    stale = f".{glob.escape(target.name)}.{'[0-9a-f]' * 8}.old"
    for old in target.parent.glob(stale):  # of a run that was killed after its store was in place
        shutil.rmtree(old, ignore_errors=True)
    old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    os.rename(target, old)
    try:
        os.rename(source, target)
    except BaseException:
        os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def parts_folder(output: Path) -> Path:
    """Where the scratch files of a store go: ``OUTPUT.parts``.

    Raises:
        OutputExistsError: Something of somebody else's stands there.
    """
    folder = output.with_name(output.name + ".parts")
    foreign = folder.is_symlink() or (folder.exists() and not folder.is_dir())
    if foreign or (folder.is_dir() and any(folder.iterdir()) and not (folder / _MARKER).is_file()):
        raise OutputExistsError(f"{folder} is needed for scratch files, but holds something that "
                                "skelact did not put there; move it away or name another output")
    return folder


def make_parts_folder(output: Path) -> Path:
    """Make `parts_folder`, or take over that of an earlier run.

    Raises:
        OutputExistsError: See `parts_folder`.
    """
    folder = parts_folder(output)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).touch()
    return folder


@contextlib.contextmanager
def no_empty_parts(folder: Path) -> Iterator[None]:
    """Leave no empty scratch folder behind on an error; parts that can be taken over stay."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            if [path.name for path in folder.iterdir()] == [_MARKER]:
                (folder / _MARKER).unlink()
                folder.rmdir()
        raise

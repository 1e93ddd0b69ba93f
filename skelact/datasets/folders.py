"""Whole folders, put in place at once or not at all."""

import os
import shutil
from pathlib import Path

from skelact.errors import OutputExistsError, SkelactError
from skelact.output import check_writable


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
    old = source.with_name(source.name + ".old")
    os.rename(target, old)
    os.rename(source, target)
    shutil.rmtree(old)

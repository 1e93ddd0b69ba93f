"""Every byte of a store is checked before all of it is used."""

import numpy as np
import pytest
from stores import captures, walkers, write_store

from skelact.datasets.convert import convert
from skelact.datasets.store import Store
from skelact.datasets.validation.integrity import check_whole
from skelact.errors import FileFormatError


def flip_a_joint(store: Store) -> None:
    """Change one bit of a coordinate; the file keeps its size and stays a sound table."""
    file = store.folder / "tracks.arrow"
    content = bytearray(file.read_bytes())
    place = content.index(np.ascontiguousarray(store.joints(0)).tobytes())
    content[place + 2] ^= 1
    file.unlink()
    file.write_bytes(content)


def test_a_sound_store_passes_and_none_is_said_to_be_none(tmp_path):
    check_whole(write_store(tmp_path / "store", walkers(2)).folder)
    with pytest.raises(FileFormatError, match="no dataset store"):
        check_whole(tmp_path)


def test_a_changed_coordinate_is_found_and_not_converted(tmp_path):
    store = write_store(tmp_path / "store", captures(2))
    flip_a_joint(store)
    Store(store.folder)  # opening reads no coordinates
    with pytest.raises(FileFormatError, match=r"tracks\.arrow was changed after"):
        check_whole(store.folder)
    with pytest.raises(FileFormatError, match=r"tracks\.arrow was changed after"):
        convert(store.folder, tmp_path / "a.pkl")
    assert not (tmp_path / "a.pkl").exists()


def test_strange_files_in_the_folder_do_no_harm(tmp_path):
    store = write_store(tmp_path / "store", walkers(2))
    (store.folder / "notes.txt").write_text("mine")
    check_whole(store.folder)

"""Whole folders change places; nothing is lost on the way, whenever a run ends."""

import os
import shutil
from pathlib import Path

import pytest

from skelact.datasets.folders import make_parts_folder, parts_folder, replace_folder
from skelact.errors import OutputExistsError


def store(folder: Path, content: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "dataset.json").write_text(content)
    return folder


def content(folder: Path) -> str:
    return (folder / "dataset.json").read_text()


def test_a_run_killed_after_the_swap_does_not_stop_the_next(tmp_path, monkeypatch):
    target, scratch = store(tmp_path / "s", "first"), tmp_path / "s.parts" / "store"
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # as if killed just before
        replace_folder(store(scratch, "second"), target, overwrite=True)
    assert len(list(tmp_path.glob(".s.*.old"))) == 1
    for text in ("third", "fourth"):
        replace_folder(store(scratch, text), target, overwrite=True)
        assert content(target) == text
    assert {path.name for path in tmp_path.iterdir()} == {"s", "s.parts"}


def test_the_old_store_is_put_back_if_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    target, source = store(tmp_path / "s", "old"), store(tmp_path / "new", "new")
    rename = os.rename

    def fail(one, other):
        if one == source:
            raise PermissionError("in use")
        rename(one, other)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(PermissionError):
        replace_folder(source, target, overwrite=True)
    assert (content(target), content(source)) == ("old", "new")
    assert {path.name for path in tmp_path.iterdir()} == {"s", "new"}


def test_only_stale_stores_of_this_target_are_removed(tmp_path):
    target = store(tmp_path / "s", "old")
    stale = store(tmp_path / ".s.0123abcd.old", "stale")
    others = [store(tmp_path / name, "x") for name in (".t.0123abcd.old", ".s.old", "s.old")]
    replace_folder(store(tmp_path / "new", "new"), target, overwrite=True)
    assert not stale.exists()
    assert [content(other) for other in others] == ["x"] * 3


def test_scratch_is_taken_over_only_if_it_is_ours(tmp_path):
    folder = make_parts_folder(tmp_path / "s")
    (folder / "part").mkdir()
    assert make_parts_folder(tmp_path / "s") == parts_folder(tmp_path / "s") == folder
    (tmp_path / "t.parts").mkdir()
    assert parts_folder(tmp_path / "t") == tmp_path / "t.parts"  # empty: nobody's
    (tmp_path / "t.parts" / "mine.txt").write_text("")
    (tmp_path / "u.parts").write_text("a file")
    for name in ("t", "u"):
        with pytest.raises(OutputExistsError, match="move it away or name another"):
            make_parts_folder(tmp_path / name)

"""Writing: whole or not at all, and never over what the user did not give up."""

import json
import os
import subprocess
import sys
import time

import pytest

from skelact.errors import OutputExistsError, SkelactError
from skelact.output import atomic_write, check_writable, remove_leftovers, write_json, write_text


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text_lands_in_new_folders(tmp_path):
    path = tmp_path / "a" / "b" / "note.txt"
    assert write_text(path, "ä\n") == path
    assert path.read_bytes() == "ä\n".encode()
    assert names(path.parent) == ["note.txt"]


def test_the_temporary_file_has_the_suffix_and_the_folder(tmp_path):
    with atomic_write(tmp_path / "clip.mp4") as temporary:
        assert temporary.suffix == ".mp4"
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        temporary.write_bytes(b"x")
        assert names(tmp_path) == [temporary.name]
    assert names(tmp_path) == ["clip.mp4"]


def test_an_existing_file_stays_unless_given_up(tmp_path):
    path = write_text(tmp_path / "a.txt", "old")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_text(path, "new")
    assert path.read_text() == "old"
    write_text(path, "new", overwrite=True)
    assert path.read_text() == "new"


def test_a_file_that_appears_meanwhile_stays(tmp_path):
    path = tmp_path / "a.txt"

    def race():
        with atomic_write(path) as temporary:
            temporary.write_text("ours")
            path.write_text("theirs")

    with pytest.raises(OutputExistsError):
        race()
    assert path.read_text() == "theirs"
    assert names(tmp_path) == ["a.txt"]


def test_a_failing_writer_leaves_the_old_file_and_no_rest(tmp_path):
    path = write_text(tmp_path / "a.txt", "old")

    def fail():
        with atomic_write(path, overwrite=True) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    path = write_text(tmp_path / "a.txt", "old")
    program = (
        "import time\nfrom skelact.output import atomic_write\n"
        f"with atomic_write({str(path)!r}, overwrite=True) as temporary:\n"
        "    temporary.write_text('half')\n    print('writing', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"writing\n"
        process.kill()
    assert path.read_text() == "old"
    kept = [".a.0123456.part.txt", ".a.part.txt", "a.01234567.part.txt", "a.txt"]
    for name in kept[:-1]:  # nearly such names
        (tmp_path / name).write_text("mine")
    assert len(names(tmp_path)) == 5
    remove_leftovers(tmp_path / "absent", tmp_path)
    assert names(tmp_path) == kept


def test_impossible_targets_are_refused_before_any_work(tmp_path):
    with pytest.raises(SkelactError, match="add a file name"):
        check_writable(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(SkelactError, match="is a file, not a folder"):
        check_writable(tmp_path / "file" / "deeper" / "a.txt")
    assert check_writable(str(tmp_path / "new" / "a.txt")) == tmp_path / "new" / "a.txt"
    assert names(tmp_path) == ["file"]


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(SkelactError, match="no permission"):
        check_writable(tmp_path / "a.txt")


def test_a_relative_path_is_taken_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_text("a.txt", "here")
    assert (tmp_path / "a.txt").read_text() == "here"
    assert time.time() - os.stat("a.txt").st_mtime < 60


def test_json_has_null_for_what_is_no_number(tmp_path):
    content = {"a": [1.5, float("nan")], "b": {"c": (float("inf"), "é", True, None)}}
    path = write_json(tmp_path / "out.json", content)
    assert json.loads(path.read_text(), parse_constant=pytest.fail) == {
        "a": [1.5, None], "b": {"c": [None, "é", True, None]}}
    with pytest.raises(OutputExistsError):
        write_json(path, content)

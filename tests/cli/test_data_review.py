"""`skelact data review`, `skelact data apply` and contact sheets from the command line."""

import json
import subprocess
import sys

import pytest
from stores import walkers, write_store

from skelact.cli.main import main
from skelact.datasets.corrections import Correction, Corrections
from skelact.datasets.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_store(tmp_path_factory.mktemp("store") / "walkers.store", walkers())


@pytest.fixture
def said(store, tmp_path):
    """A file of corrections."""
    corrections = Corrections(store.header.fingerprint, (
        Correction("clip0", label=("run", "walk")), Correction("clip1", drop=True)))
    path = tmp_path / "said.json"
    path.write_text(json.dumps(corrections.to_dict()))
    return path


def test_review_and_apply_in_processes_of_their_own(store, said, tmp_path):
    def run(*words):
        return subprocess.run([sys.executable, "-m", "skelact", "data", *map(str, words)],
                              capture_output=True, text=True, check=False)

    page, new = tmp_path / "page.html", tmp_path / "new.store"
    done = run("review", store.folder, "-o", page)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"8 clips, 0 findings -> {page} (0.1 MB)\nnext: ")
    done = run("apply", store.folder, said, "-o", new)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("relabelled    1: run -> walk 1\n"
                           f"dropped       1: 7 of 8 clips are left\n-> {new}\n")
    assert len(Store(new)) == 7


def test_some_of_the_clips(store, tmp_path, capsys):
    for words, shown in ((["--split", "test"], "2 clips"), (["--classes", "run"], "4 clips"),
                         (["--clips", "1"], "2 of 8 clips"), (["--classes", "run", "walk"],
                                                              "8 clips")):
        assert main(["data", "review", str(store.folder), "-o", str(tmp_path / "a.html"),
                     "--overwrite", *words]) == 0
        assert capsys.readouterr().out.startswith(f"{shown}, 0 findings")


def test_a_contact_sheet(store, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    assert main(["show", str(store.folder), "--contact-sheet", "-o", str(sheet)]) == 0
    assert capsys.readouterr().out == f"-> {sheet}\n"
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert main(["show", str(store.folder), "-o", str(tmp_path / "sheet.html")]) == 0
    page = (tmp_path / "sheet.html").read_text()
    assert "8 clips of 2 classes" in page
    assert "Up to 3 clips of each class" in page


@pytest.mark.parametrize(("words", "message"), [
    (["data", "review", "STORE", "-o", "page.png"], "one of .html"),
    (["data", "review", "STORE", "-o", "page.html", "--split", "xsub/test"], "expected a split"),
    (["data", "review", "STORE", "-o", "page.html", "--classes", "swim"], "a class to be one of"),
    (["data", "review", "STORE", "-o", "page.html", "--clips", "0"], "--clips from 1"),
    (["data", "review", "nowhere", "-o", "page.html"], "no dataset store at nowhere"),
    (["data", "review", "STORE", "-o", "said.json", "--overwrite"], "one of .html"),
    (["data", "apply", "STORE", "gone.json", "-o", "new"], "no file of corrections at gone.json"),
    (["data", "apply", "STORE", "said.json", "-o", "STORE"], "--overwrite"),
    (["data", "apply", "STORE", "said.json", "-o", "STORE", "--overwrite"], "beside the store"),
    (["show", "STORE", "-o", "sheet.mp4"], ".png, .html"),
    (["show", "STORE", "--video", "a.mp4"], "for one recording"),
    (["show", "said.json", "--contact-sheet"], "expected the store"),
    (["show", "nowhere", "--contact-sheet"], "nowhere"),
])
def test_wrong_words_end_in_one_line(store, said, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert main([str(store.folder) if word == "STORE" else word for word in words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["said.json"]
    assert len(Store(store.folder)) == 8


def test_a_damaged_store_is_not_reviewed(tmp_path, capsys):
    damaged = write_store(tmp_path / "damaged.store", walkers(3)).folder
    content = bytearray((damaged / "tracks.arrow").read_bytes())
    content[len(content) // 2] ^= 1
    (damaged / "tracks.arrow").write_bytes(content)
    assert main(["data", "review", str(damaged), "-o", str(tmp_path / "page.html")]) == 2
    assert "was changed" in capsys.readouterr().err

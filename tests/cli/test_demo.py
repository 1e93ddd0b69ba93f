import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from PIL import Image

from skelact.cli import demo
from skelact.cli.examples import EXAMPLES
from skelact.cli.main import main
from skelact.errors import MissingDependencyError
from skelact.pose.files import load_recording
from skelact.pose.video import VideoReader

NO_NETWORK = """
import socket

def refuse(*arguments, **options):
    raise SystemExit("the demo asked for the network")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
"""


class Links(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found += [unquote(v) for k, v in attrs if k in ("href", "src", "srcset")]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The real command, once, where nothing but the package and its libraries is at hand."""
    root = tmp_path_factory.mktemp("demo")
    for name in ("cwd", "home", "site", "fonts"):
        (root / name).mkdir()
    (root / "site" / "sitecustomize.py").write_text(NO_NETWORK)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SKELACT_", "XDG_"))}
    environment |= {"HOME": str(root / "home"), "PYTHONPATH": str(root / "site"),
                    "MPLCONFIGDIR": str(root / "fonts")}
    done = subprocess.run([sys.executable, "-m", "skelact", "demo"], cwd=root / "cwd",
                          env=environment, capture_output=True, text=True, check=False)
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr, root=root,
                           folder=root / "cwd" / "skelact-demo")


def test_it_runs_and_leaves_nothing_elsewhere(ran):
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    assert [p.name for p in (ran.root / "cwd").iterdir()] == ["skelact-demo"]
    assert list((ran.root / "home").iterdir()) == []


def test_every_recording_has_its_files(ran):
    names = {p.name for p in ran.folder.iterdir()}
    assert names == {"index.html", "CREDITS.md", "photo", *(e.name for e in EXAMPLES)}
    for example in EXAMPLES:
        place = ran.folder / example.name
        assert {p.name for p in place.iterdir()} == {"animation.gif", "sheet.png", "poses.npz",
                                                     "recognition.json"}
        assert Image.open(place / "animation.gif").n_frames > 20
        assert load_recording(place / "poses.npz").tracks
    assert {p.name for p in (ran.folder / "photo").iterdir()} == {
        "video.mp4", "overlay.mp4", "poses.npz", "recognition.json"}


def test_the_pose_stage_finds_people_on_the_photo(ran):
    recording = load_recording(ran.folder / "photo" / "poses.npz")
    assert recording.num_frames == len(list(VideoReader(ran.folder / "photo" / "overlay.mp4"))) > 30
    assert recording.tracks
    assert max(map(len, recording.tracks)) > recording.num_frames / 2


def test_the_results_are_valid_and_squats_are_squats(ran):
    for file in ran.folder.glob("*/recognition.json"):
        result = json.loads(file.read_text())
        assert len(result["classes"]) == 15
        assert result["tracks"]
    squats = json.loads((ran.folder / "squats" / "recognition.json").read_text())
    labels = [s["label"] for s in squats["tracks"][0]["segments"]]
    assert "squat" in labels
    assert demo.judge(squats, "squat")[0]


def test_the_page_needs_nothing_but_the_folder(ran):
    page = (ran.folder / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|<script|@import|url\(", page)
    links = Links(page).found
    assert len(links) > 20
    for link in links:
        if link.startswith("#"):
            assert f'id="{link[1:]}"' in page
        else:
            assert (ran.folder / link).is_file(), link
    assert str(ran.root) not in page


def test_it_says_what_it_did_found_and_what_to_type_next(ran):
    for words in ("bus.jpg", "squat", "recordings named as they should be",
                  os.path.join("skelact-demo", "index.html"), "What to type next",
                  "skelact recognize VIDEO", "skelact pose VIDEO"):
        assert words in ran.out
    for example in EXAMPLES:
        assert f"{example.name}: {example.shows}" in ran.out


def test_a_folder_in_use_is_refused(tmp_path, capsys):
    (tmp_path / "precious.txt").write_text("kept")
    assert main(["demo", "-o", str(tmp_path)]) == 2
    assert "not empty; pass --overwrite" in capsys.readouterr().err
    assert main(["demo", "-o", str(tmp_path / "precious.txt"), "--overwrite"]) == 2
    assert "expected a folder" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]


def test_without_an_estimator_the_rest_runs_and_the_exit_code_tells(tmp_path, capsys, monkeypatch):
    def nothing_installed(*arguments, **options):
        raise MissingDependencyError("no pose estimator can be used")

    monkeypatch.setattr("skelact.pose.estimators.choice.decide_estimator", nothing_installed)
    monkeypatch.setattr(demo, "EXAMPLES", EXAMPLES[1:2])
    (tmp_path / "mine.txt").write_text("kept")
    (tmp_path / "index.html").write_text("of an earlier demo")
    assert main(["demo", "-o", str(tmp_path), "--overwrite"]) == 1
    assert "LEFT OUT: no pose estimator can be used" in capsys.readouterr().out
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "The pose stage was left out: no pose estimator can be used" in page
    assert "right hand wave" in page
    assert (tmp_path / "mine.txt").read_text() == "kept"
    assert not (tmp_path / "photo").exists()


@pytest.mark.parametrize("arguments", [["--bogus"], ["somewhere"]])
def test_usage_errors_exit_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["demo", *arguments])
    assert exit_.value.code == 2
    assert "skelact demo" in capsys.readouterr().err

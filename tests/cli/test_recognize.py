"""``skelact recognize``: the real command on a pose file, and everything that may go wrong."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from recordings import walking
from videos import make_video

from skelact.cli.main import main
from skelact.cli.recognize import format_table
from skelact.config import ClipConfig
from skelact.graph import get_layout
from skelact.models.checkpoint import ActionModel, build_network, load_model, save_model
from skelact.pose.files import save_recording
from skelact.pose.recording import Recording
from skelact.recognition.recognizer import Recognition, TrackActions
from skelact.recognition.segments import Segment


@pytest.fixture
def poses(tmp_path):
    return save_recording(walking(frames=80, people=2, source="gone.mp4"), tmp_path / "walk.npz")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network that is sure of its second class, whatever it sees."""
    architecture = {"name": "stgcn", "arguments": {"num_classes": 3, "base_channels": 2}}
    network = build_network(architecture, get_layout("penn13"))
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.copy_(torch.tensor([0.0, 3.0, -4.0]))
    clip = ClipConfig(dims=2, frames=8, window=2.0)
    made = ActionModel(network, ("run", "walk"), clip, architecture, rejects=True, threshold=0.5)
    return save_model(made, tmp_path_factory.mktemp("model") / "sure.pt")


@pytest.fixture(scope="module")
def deep(model, tmp_path_factory):
    """The same for joints in metres."""
    made = load_model(model)
    made = replace(made, clip=replace(made.clip, dims=3))
    return save_model(made, tmp_path_factory.mktemp("model") / "deep.pt")


@pytest.fixture(scope="module")
def hands(tmp_path_factory):
    """A network for hands."""
    architecture = {"name": "stgcn", "arguments": {"num_classes": 2, "base_channels": 2,
                                                   "in_channels": 2}}
    clip = ClipConfig(dims=2, layout="hand21", frames=8, confidence=False)
    made = ActionModel(build_network(architecture, get_layout("hand21")), ("fist", "palm"), clip,
                       architecture)
    return save_model(made, tmp_path_factory.mktemp("model") / "hands.pt")


def test_the_command_on_a_pose_file(poses, model, tmp_path):
    words = ["recognize", str(poses), "--model", str(model), "-o", str(tmp_path / "out.json")]
    done = subprocess.run([sys.executable, "-m", "skelact", *words], text=True,
                          capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["model"] == "sure"
    assert content["classes"] == ["run", "walk"]
    assert [track["track_id"] for track in content["tracks"]] == [1, 2]
    (segment,) = content["tracks"][0]["segments"]
    expected = np.exp(3) / (1 + np.exp(3)) / (1 + np.exp(-4))
    assert segment["score"] == pytest.approx(expected, abs=1e-3)
    assert (segment["start"], segment["end"], segment["label"]) == (0, pytest.approx(3.2), "walk")
    header, first, *_ = done.stdout.splitlines()
    assert header.split() == ["person", "from", "to", "action", "score"]
    assert first.split() == ["1", "0.0", "s", "3.2", "s", "walk", f"{expected:.2f}"]
    assert done.stdout.splitlines()[-1] == f"wrote {tmp_path / 'out.json'}"


def test_the_model_that_ships_names_nothing_in_people_who_slide_by(poses, capsys):
    assert main(["recognize", str(poses)]) == 0
    assert capsys.readouterr().out.count("(no known action)") == 2


def test_thresholds_and_overwriting(poses, model, tmp_path, capsys):
    out = tmp_path / "out.json"
    words = ["recognize", str(poses), "--model", str(model), "-o", str(out)]
    assert main([*words, "--threshold", "0.99"]) == 0
    assert "(no known action)" in capsys.readouterr().out
    before = out.read_text()
    assert main(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert out.read_text() == before
    assert main([*words, "--overwrite"]) == 0
    assert json.loads(out.read_text())["tracks"][0]["segments"]


def test_an_overlay_without_the_video(poses, model, tmp_path, capsys):
    overlay = tmp_path / "out.mp4"
    words = ["recognize", str(poses), "--model", str(model), "--overlay", str(overlay)]
    assert main(words) == 2
    assert "gone.mp4, is not here; pass --skeleton-only" in capsys.readouterr().err
    assert main([*words, "--skeleton-only"]) == 0
    assert overlay.stat().st_size > 1000


def test_nobody(tmp_path, model, capsys):
    nobody = Recording((), np.arange(5) / 5, "coco17", source="empty.mp4", image_size=(64, 48))
    path = save_recording(nobody, tmp_path / "nobody.npz")
    out = tmp_path / "out.json"
    assert main(["recognize", str(path), "--model", str(model), "-o", str(out)]) == 0
    assert "nobody was seen in empty.mp4" in capsys.readouterr().out
    assert json.loads(out.read_text())["tracks"] == []


def test_a_model_of_hands_has_hands_followed_in_a_video(hands, tmp_path, capsys):
    video = make_video(tmp_path / "dark.mp4", [np.zeros((48, 64, 3), np.uint8)] * 3)
    assert main(["recognize", str(video), "--model", str(hands)]) == 0
    captured = capsys.readouterr()
    assert "pose estimator mediapipe-hands" in captured.err
    assert captured.out.startswith("nobody was seen in")


@pytest.mark.parametrize(("words", "message"), [
    ([], "the following arguments are required"),
    (["absent.npz"], "no pose file at absent.npz"),
    (["absent.mp4"], "absent.mp4"),
    (["notes.txt"], "notes.txt does not open as a video"),
    (["POSES", "--model", "absent.pt"], "no model at absent.pt"),
    (["POSES", "--model", "notes.txt"], "notes.txt is damaged"),
    (["POSES", "--threshold", "1.5"], "expected a threshold in 0..1, got 1.5"),
    (["POSES", "--threshold", "high"], "--threshold: expected a number; got high"),
    (["POSES", "--step", "0"], "expected a step above 0"),
    (["POSES", "--device", "abacus"], "got 'abacus'"),
    (["POSES", "--estimator", "guess"], "guess"),
    (["POSES", "--bogus"], "unrecognized arguments: --bogus"),
    (["POSES", "-o", "notes.txt"], "notes.txt exists; pass --overwrite"),
    (["POSES", "--overlay", "out.avi"], "expected an overlay ending in .mp4, got out.avi"),
    (["POSES", "--skeleton-only"], "pass --overlay OUT.mp4"),
    (["POSES", "--model", "DEEP"], "expected a 3-D recording"),
    (["VIDEO", "--overlay", "clip.mp4"], "clip.mp4 exists"),
    (["VIDEO", "--model", "HANDS", "--estimator", "mediapipe"],
     "gives joints of mediapipe33, which this model of hand21 cannot take"),
    (["VIDEO", "--estimator", "mediapipe-hands"], "gives joints of hand21, which this model of"),
])
def test_wrong_use_is_one_line_and_exit_code_2(
    poses, model, deep, hands, tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("not a video")
    names = {
        "POSES": str(poses), "DEEP": str(deep), "HANDS": str(hands),
        "VIDEO": str(make_video(tmp_path / "clip.mp4", [np.zeros((48, 64, 3), np.uint8)])),
    }
    words = [names.get(word, word) for word in words]
    if "--model" not in words:
        words += ["--model", str(model)]
    before = sorted(path.name for path in tmp_path.iterdir())
    try:
        code = main(["recognize", *words])
    except SystemExit as exit_:
        code = exit_.code
    assert code == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("skelact recognize: ")
    assert len(error.splitlines()) == 1
    assert message in error
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_the_table():
    segment = Segment(1.0, 12.25, "squat", 0.876, (("squat", 0.876),))
    tracks = (TrackActions(3, 0.5, 13.0, (segment,), 12.0), TrackActions(12, 0.0, 0.4, (), 0.0),
              TrackActions(7, 2.0, 9.0, (), 7.0))
    table = format_table(Recognition("a.mp4", 25.0, 13.0, "m", ("squat",), tracks))
    assert table.splitlines() == [
        "person   from      to  action                               score",
        "     3  1.0 s  12.2 s  squat                                 0.88",
        "    12  0.0 s   0.4 s  (seen too briefly or too partially)",
        "     7  2.0 s   9.0 s  (no known action)",
    ]

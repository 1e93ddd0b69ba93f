"""``skelact models convert``: from a published file to the names of what hands do."""

import json
import subprocess
import sys

import pytest
import torch
from hands import FOUR, held_up

from skelact.cli.main import main
from skelact.models.checkpoint import load_model
from skelact.pose.files import save_recording


@pytest.fixture
def words(shared, tmp_path):
    return ["models", "convert", str(shared / "weights" / "stgcnpp_hand_gestures_pyskl.pth"),
            "--layout", "hand21", "-o", str(tmp_path / "model.pt")]


@pytest.mark.shared
def test_from_a_published_file_to_gestures_that_are_named(words, tmp_path, capsys):
    assert main([*words, "--classes", "hand-gestures", "--threshold", "0.3"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    first, *lines, last = captured.out.splitlines()
    assert first.endswith("stgcnpp as pyskl published it, 197,478 parameters")
    assert lines[0].startswith("network: num_classes 40, in_channels 2, base_channels 64")
    assert lines[1] == "classes: 40 (Doing other things, Drumming Fingers, No gesture, ...)"
    assert "normalise image_corner" in lines[2]
    assert "assumed: its dilations are 1, 2, 3, 4" in lines
    assert "model.pt; next: skelact recognize VIDEO" in last
    poses = save_recording(held_up(*FOUR, thumb="out"), tmp_path / "palm.npz")
    done = subprocess.run([sys.executable, "-m", "skelact", "recognize", str(poses), "--model",
                           str(tmp_path / "model.pt"), "-o", str(tmp_path / "out.json")],
                          text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["tracks"][0]["segments"][0]["label"] == "Palm"


@pytest.mark.shared
def test_what_is_said_of_the_clip_stands_over_what_was_published(words, tmp_path, capsys):
    names = tmp_path / "names.txt"
    names.write_text("\n".join(f"gesture {number}" for number in range(40)) + "\n\n")
    assert main([*words, "--classes", str(names), "--clip.window", "2", "--clip.stream",
                 "bone_motion", "--clip.normalise", "auto", "--absent", "skip", "--network",
                 "dropout=0.25"]) == 0
    out = capsys.readouterr().out
    assert "assumed: it looks at the stream bone_motion" in out
    assert "assumed: motion is taken between frames of the clip" in out
    assert "the classes have no names" not in out
    model = load_model(tmp_path / "model.pt")
    assert (model.clip.window, model.clip.stream, model.clip.frames) == (2, "bone_motion", 10)
    assert model.clip.normalise == "image_corner"
    assert model.architecture["arguments"]["dropout"] == 0.25
    assert (model.classes[39], model.network.absent) == ("gesture 39", "skip")


@pytest.mark.shared
@pytest.mark.parametrize(("more", "message"), [
    (["--classes", "wave,grab"], "expected the names of 40 classes, got 2"),
    (["--classes", "nowhere.txt"], "expected --classes as a file of names"),
    (["--layout", "ntu25"], "is for a skeleton of 21 joints (hand21), 'ntu25' has 25"),
    (["--layout", "paw"], "expected a layout out of"),
    (["--clip.dims", "3"], "canonical_z needs 3-D joints with pelvis"),
    (["--clip.confidence", "true"], "for this network, got 3"),
    (["--clip.dims", "4"], "expected dims to be one of 0, 2, 3"),
    (["--clip.normalise", "canonical"], "needs 3-D joints"),
    (["--clip.colour", "red"], "colour"),
    (["--network", "kernel_size"], "expected --network NAME=VALUE"),
    (["--network", "rows=[[1"], "expected --network NAME=VALUE"),
    (["--network", "colour=red"], "takes no colour"),
    (["--network", "rows=red"], "cannot be built with absent='zeros', rows='red'"),
    (["--network", "threshold=1"], "takes no threshold"),
    (["--network", "base_channels=0"], "cannot be built with absent='zeros', base_channels=0"),
    (["--network", "kernel_size=5"], "does not fit a network on 'hand21'"),
])
def test_what_cannot_be_is_one_line_and_no_file(words, tmp_path, capsys, more, message):
    try:
        code = main([*words, *more])
    except SystemExit as exit_:
        code = exit_.code
    assert code == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("skelact models")
    assert len(error.splitlines()) == 1
    assert message in error
    assert not (tmp_path / "model.pt").exists()


def test_a_file_that_holds_something_else(tmp_path, capsys):
    torch.save({"weight": torch.ones(2, 2)}, tmp_path / "other.pth")
    words = ["models", "convert", str(tmp_path / "other.pth"), "--layout", "ntu25", "-o"]
    assert main([*words, str(tmp_path / "model.pt")]) == 2
    assert "its first keys are weight" in capsys.readouterr().err
    (tmp_path / "model.pt").write_text("mine")
    assert main([*words, str(tmp_path / "model.pt")]) == 2
    assert "pass --overwrite" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["models", "convert"])
    assert "skelact models convert --help" in capsys.readouterr().err

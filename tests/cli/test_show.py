import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from recordings import walking
from videos import make_video

from skelact.cli.main import main
from skelact.pose.files import save_recording
from skelact.pose.recording import Recording
from skelact.pose.video import VideoReader


@pytest.fixture
def poses(tmp_path):
    return save_recording(walking(people=2), tmp_path / "walk.npz")


def test_the_command_writes_a_contact_sheet_beside_the_file(poses):
    command = [sys.executable, "-m", "skelact", "show", str(poses)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == f"2 people in 30 frames -> {poses.with_suffix('.png')}"
    assert Image.open(poses.with_suffix(".png")).width > 500
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    assert "Traceback" not in again.stderr
    assert main(["show", str(poses), "--overwrite"]) == 0


@pytest.mark.parametrize("with_video", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".gif", ".mp4"])
def test_every_suffix(poses, tmp_path, suffix, with_video):
    arguments = ["show", str(poses), "-o", str(tmp_path / f"out{suffix}")]
    if with_video:
        images = [np.full((200, 320, 3), 200, np.uint8)] * 30
        arguments += ["--video", str(make_video(tmp_path / "walk.mp4", images))]
    assert main(arguments) == 0
    if suffix == ".mp4":
        assert len(list(VideoReader(tmp_path / "out.mp4"))) == 30
    else:
        assert Image.open(tmp_path / f"out{suffix}").width > 300


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_trails_are_drawn(poses, tmp_path, suffix):
    plain, trails = tmp_path / f"plain{suffix}", tmp_path / f"trails{suffix}"
    assert main(["show", str(poses), "-o", str(plain)]) == 0
    assert main(["show", str(poses), "-o", str(trails), "--trails", "10"]) == 0
    if suffix == ".mp4":
        first, *_, last = (frame.image for frame in VideoReader(trails))
        assert len(list(VideoReader(trails))) == 30
        assert (last.max(axis=2) > 60).sum() > 1.1 * (first.max(axis=2) > 60).sum()
    else:
        with Image.open(plain) as one, Image.open(trails) as other:
            assert one.n_frames == other.n_frames


def test_nobody_is_drawn_as_nobody(tmp_path, capsys):
    nobody = Recording((), np.arange(5) / 5, "coco17", image_size=(64, 48))
    path = save_recording(nobody, tmp_path / "nobody.npz")
    assert main(["show", str(path)]) == 0
    assert "no people in 5 frames" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "message"), [
    (["missing.npz"], "no pose file at missing.npz"),
    (["POSES", "-o", "out.svg"], "one of .png, .gif, .mp4, .html"),
    (["VIDEO"], "expected a pose file"),
    (["POSES", "-o", "out.png", "--trails", "5"], "--trails is for a .gif or .mp4"),
    (["POSES", "-o", "out.mp4", "--trails", "-5"], "trails of 0 or more"),
    (["POSES", "--video", "missing.mp4", "-o", "out.png"], "not there"),
])
def test_wrong_use_is_explained(poses, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    video = make_video(tmp_path / "clip.mp4", [np.zeros((48, 64, 3), np.uint8)])
    names = {"POSES": str(poses), "VIDEO": str(video)}
    assert main(["show", *(names.get(a, a) for a in arguments)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not list(tmp_path.glob("out.*"))


@pytest.mark.parametrize("arguments", [[], ["FILE", "--bogus"]])
def test_usage_errors_exit_with_2(arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["show", *arguments])
    assert exit_.value.code == 2

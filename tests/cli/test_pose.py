import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from dots import SIZE, DotEstimator, dots_video
from videos import grey_images, make_video

from skelact.cli import pose
from skelact.cli.main import main
from skelact.errors import WeightsError
from skelact.pose.estimators import choice
from skelact.pose.files import load_recording, read_options
from skelact.pose.video import VideoReader


@dataclass(frozen=True)
class DotChoice:
    """Stands for a decided estimator; the option --weights tells two of them apart."""

    weights: str | None = None
    layout = "coco17"

    def __str__(self) -> str:
        return "pose estimator dots"

    @property
    def identity(self) -> dict:
        return {"estimator": "dots", "weights": self.weights}

    def load(self) -> DotEstimator:
        if self.weights == "broken":
            raise WeightsError("broken does not load")
        return DotEstimator()


@pytest.fixture(autouse=True)
def _dots(monkeypatch, tmp_path):
    monkeypatch.setattr(choice, "decide_estimator", lambda name, weights, *_: DotChoice(weights))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def walkers(tmp_path) -> Path:
    return dots_video(tmp_path / "walkers.mp4")


def run(*words) -> int:
    return main(["pose", *map(str, words)])


def test_a_video_becomes_a_pose_file_beside_it(walkers, capsys):
    assert run(walkers) == 0
    recording = load_recording(walkers.with_suffix(".npz"))
    assert recording.num_frames == 12
    assert [len(track) for track in recording] == [12, 12]
    printed = capsys.readouterr()
    assert "walkers.mp4: 12 frames, 2 tracks, " in printed.out
    assert "-> " in printed.out
    assert "walkers.npz" in printed.out
    assert "pose estimator dots" in printed.err


def test_nobody_in_view_is_a_valid_result(tmp_path, capsys):
    video = make_video(tmp_path / "empty.mp4", grey_images(4))
    assert run(video) == 0
    assert load_recording(tmp_path / "empty.npz").tracks == ()
    assert "0 tracks" in capsys.readouterr().out


def test_frames_layout_and_folder_can_be_chosen(walkers):
    assert run(walkers, "-o", "out/deep", "--start", 2, "--stop", 11, "--stride", 3,
               "--layout", "openpose18") == 0
    recording = load_recording("out/deep/walkers.npz")
    assert recording.num_frames == 3
    assert recording.layout.name == "openpose18"


def test_a_second_run_leaves_the_file_as_it_is(walkers, capsys):
    run(walkers)
    output = walkers.with_suffix(".npz")
    before = output.stat().st_mtime_ns
    capsys.readouterr()
    assert run(walkers) == 0
    printed = capsys.readouterr()
    assert "up to date, skipped" in printed.out
    assert printed.err == ""  # the estimator is not even loaded
    assert output.stat().st_mtime_ns == before


@pytest.mark.parametrize("words", [["--stop", 5], ["--weights", "other"], ["--stride", 2],
                                   ["--layout", "penn13"], ["--strict"], ["--start", 1]])
def test_other_options_never_replace_a_file_unasked(walkers, words, capsys):
    run(walkers)
    before = walkers.with_suffix(".npz").read_bytes()
    assert run(walkers, *words) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert walkers.with_suffix(".npz").read_bytes() == before
    assert run(walkers, *words, "--overwrite") == 0
    assert read_options(walkers.with_suffix(".npz")) != json.loads("{}")
    assert run(walkers, *words) == 0
    assert "skipped" in capsys.readouterr().out


def test_another_source_or_a_foreign_file_is_never_replaced_unasked(tmp_path, walkers, capsys):
    run(walkers, "-o", "out")
    dots_video(tmp_path / "new" / "walkers.mp4", starts=(40,))
    assert run("new/walkers.mp4", "-o", "out") == 1
    assert len(load_recording("out/walkers.npz").tracks) == 2
    Path("out/walkers.npz").write_text("something of the user's")
    assert run(walkers, "-o", "out") == 1
    assert Path("out/walkers.npz").read_text() == "something of the user's"
    assert run(walkers, "-o", "out", "--overwrite") == 0
    assert len(load_recording("out/walkers.npz").tracks) == 2


def test_a_moved_source_with_the_same_content_is_the_same(walkers, capsys):
    run(walkers, "-o", "out")
    Path("elsewhere").mkdir()
    walkers.rename("elsewhere/walkers.mp4")
    assert run("elsewhere/walkers.mp4", "-o", "out") == 0
    assert "skipped" in capsys.readouterr().out


def test_folders_and_globs_and_one_broken_file(tmp_path, capsys):
    dots_video(tmp_path / "in" / "a.mp4")
    dots_video(tmp_path / "in" / "sub" / "a.mp4", starts=(50,))
    (tmp_path / "in" / "broken.mp4").write_bytes(b"no video at all" * 100)
    assert run("in", "-o", "out") == 1
    printed = capsys.readouterr()
    assert "broken.mp4" in printed.err
    assert "2 of 3 done, 1 failed" in printed.out
    assert len(load_recording("out/a.npz").tracks) == 2
    assert len(load_recording("out/sub/a.npz").tracks) == 1
    assert not Path("out/broken.npz").exists()
    assert run("in/*.mp4", "nothing.mp4", "-o", "out") == 1
    assert "no video at nothing.mp4" in capsys.readouterr().err
    assert run("in/s*/*.mp4", "-o", "out/sub") == 0


@pytest.mark.parametrize("words", [
    [], ["nothing.mp4"], ["--bogus"], ["walkers.mp4", "--start", "-1"],
    ["walkers.mp4", "--stride", "0"], ["walkers.mp4", "--start", "5", "--stop", "5"],
    ["walkers.mp4", "--stop", "many"], ["walkers.mp4", "--estimator", "magic"],
    ["walkers.mp4", "--overlay=blurred"], ["walkers.mp4", "--layout", "centaur"],
    ["walkers.mp4", "--weights", "broken"], ["walkers.mp4", "-o", "walkers.mp4"],
])
def test_wrong_usage_is_exit_code_2_and_writes_nothing(walkers, words, capsys):
    try:
        code = run(*words)
    except SystemExit as leaving:
        code = leaving.code
    assert code == 2
    printed = capsys.readouterr().err
    assert printed
    assert "Traceback" not in printed
    assert [path.name for path in walkers.parent.iterdir()] == ["walkers.mp4"]


def test_two_videos_with_one_output_are_refused_before_any_work(tmp_path, walkers, capsys):
    dots_video(tmp_path / "sub" / "walkers.mp4")
    assert run("walkers.mp4", "sub/walkers.mp4", "-o", "out") == 2
    assert "would both be written" in capsys.readouterr().err
    assert not Path("out").exists()


def test_overlay_stands_before_a_file_or_alone(walkers):
    assert run("--overlay", walkers) == 0
    reader = VideoReader("walkers.overlay.mp4")
    assert reader.size == SIZE
    assert sum(1 for _ in reader) == 12
    assert run(walkers, "--overlay", "skeleton-only") == 0  # from the pose file that is there
    brightest = max(frame.image[40, 20:24].max() for frame in VideoReader("walkers.overlay.mp4"))
    assert brightest > 200
    assert Path("walkers.skeleton.mp4").exists()
    assert run(".", "--overlay") == 0  # overlays are no input


def test_the_skeleton_video_shows_no_pixel_of_the_source(tmp_path):
    grey = [np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)] * 4
    video = make_video(tmp_path / "grey.mp4", grey)
    assert run(video, "--overlay", "skeleton-only") == 0
    assert run(video, "--overlay", "full") == 0
    means = [np.mean([frame.image.mean() for frame in VideoReader(f"grey.{kind}.mp4")])
             for kind in ("skeleton", "overlay")]
    assert means[0] < 50
    assert means[1] == pytest.approx(110, abs=5)


def test_an_overlay_is_neither_lost_nor_left_stale(walkers, capsys):
    Path("walkers.overlay.mp4").write_text("something of the user's")
    assert run(walkers, "--overlay") == 1
    assert not Path("walkers.npz").exists()  # told before the work, not after
    assert run(walkers, "--overlay", "--overwrite") == 0
    run(walkers, "--overwrite", "--stop", 6)
    os.utime("walkers.overlay.mp4", (0, 0))
    assert run(walkers, "--overlay", "--stop", 6) == 1
    assert "older" in capsys.readouterr().err


def test_a_killed_run_leaves_no_file_and_the_next_one_starts_cleanly(walkers):
    program = (
        "import sys, time\nfrom skelact.cli.main import main\n"
        "from skelact.pose.estimators import choice\nfrom test_pose import DotChoice\n"
        "from dots import DotEstimator\n"
        "class Slow(DotEstimator):\n"
        "    def estimate(self, images):\n"
        "        print('working', flush=True); time.sleep(60)\n"
        "DotChoice.load = lambda self: Slow()\n"
        "choice.decide_estimator = lambda *_: DotChoice()\n"
        "main(['pose', 'walkers.mp4'])\n"
    )
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE,
                          env={**os.environ, "PYTHONPATH": paths}) as process:
        assert process.stdout.readline() == b"working\n"
        process.send_signal(signal.SIGKILL)
    assert [path.name for path in walkers.parent.iterdir()] == ["walkers.mp4"]
    assert run(walkers) == 0


def test_help_is_quick_and_complete():
    began = time.perf_counter()
    result = subprocess.run([sys.executable, "-X", "importtime", "-m", "skelact", "pose", "--help"],
                            capture_output=True, text=True, check=True)
    assert time.perf_counter() - began < 20
    for name in pose.PoseOptions.__dataclass_fields__:
        assert f"--{name}" in result.stdout
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert loaded.isdisjoint({"torch", "numpy", "av", "cv2", "ultralytics", "mediapipe"})


@pytest.mark.shared
def test_the_real_command_on_a_real_video_with_yolo(shared, tmp_path):
    video = shared / "videos" / "two_people_1080p_vfr.mp4"
    result = skelact("pose", video, "-o", tmp_path / "out", "--stop", 12, "--device", "cpu",
                     "--weights", shared / "weights" / "yolo11n-pose.pt", "--offline")
    assert result.returncode == 0, result.stderr
    assert "12 frames, 2 tracks" in result.stdout
    assert result.stderr.count("\n") == 1  # which estimator, and no noise of any library
    recording = load_recording(tmp_path / "out" / "two_people_1080p_vfr.npz")
    assert [len(track) for track in recording] == [12, 12]
    np.testing.assert_allclose(recording.timestamps,
                               [frame.time for frame in VideoReader(video, stop=12)])
    with np.load(tmp_path / "out" / "two_people_1080p_vfr.npz") as arrays:
        assert arrays["joints"].shape == (17, 3, 24)


@pytest.mark.shared
def test_the_real_command_on_a_real_video_with_mediapipe(shared, tmp_path):
    video = shared / "videos" / "labelled" / "squats.mp4"
    result = skelact("pose", video, "-o", tmp_path / "out", "--stop", 8,
                     "--estimator", "mediapipe")
    assert result.returncode == 0, result.stderr
    assert "8 frames, 1 track," in result.stdout
    assert "ONE person only" in result.stderr
    assert result.stderr.count("\n") == 1
    recording = load_recording(tmp_path / "out" / "squats.npz")
    assert recording.layout.name == "mediapipe33"
    assert "one person" in recording.estimator


def skelact(*words) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "skelact", *map(str, words)],
                          capture_output=True, text=True, timeout=300)

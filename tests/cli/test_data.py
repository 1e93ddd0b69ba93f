"""`skelact data`: the four actions from the command line."""

import shutil

import numpy as np
import pytest
from archives import write_penn_action, write_utd_mhad
from dots import DotEstimator, dots_video
from scipy.io import savemat

from skelact.cli.main import main
from skelact.pose.estimators import choice


@pytest.fixture
def store(tmp_path, capsys):
    raw = write_penn_action(tmp_path / "raw", train=8, test=4)
    assert main(["data", "prepare", "penn_action", "--raw", str(raw), "-o",
                 str(tmp_path / "store"), "--jobs", "1"]) == 0
    assert "12 clips" in capsys.readouterr().out
    return tmp_path / "store"


def test_info_prints_and_plots(store, capsys):
    plot = store.parent / "overview.png"
    assert main(["data", "info", str(store), "--plot", str(plot)]) == 0
    out = capsys.readouterr().out
    assert "jumping_jacks  6" in out
    assert "official: train" in out
    assert plot.is_file()


def test_validate_tells_by_its_exit_code(store, capsys):
    assert main(["data", "validate", str(store)]) == 0
    assert "error" not in capsys.readouterr().out
    content = bytearray((store / "tracks.arrow").read_bytes())
    content[len(content) // 2] ^= 1
    (store / "tracks.arrow").write_bytes(content)
    assert main(["data", "validate", str(store)]) == 1
    assert "tracks.arrow was changed" in capsys.readouterr().out


def test_convert_writes_by_suffix(store, capsys):
    output = store.parent / "a.pkl"
    assert main(["data", "convert", str(store), "-o", str(output)]) == 0
    assert str(output) in capsys.readouterr().out
    assert main(["data", "convert", str(output), "-o", str(store.parent / "back")]) == 0
    assert (store.parent / "back" / "dataset.json").is_file()
    assert main(["data", "convert", str(store), "-o", str(output)]) == 2
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "message"), [
    (["eat"], "expected one of prepare, info, validate, convert"),
    (["prepare", "mine", "-o", "store"], "expected --raw DIR"),
    (["prepare", "mine", "-o", "store", "--videos", "a"], "--annotations DIR"),
    (["prepare", "mine", "-o", "store", "--raw", "a", "--from-videos", "b"], "expected --raw"),
    (["prepare", "mine", "-o", "store", "--raw", "nowhere"], "no file or folder at nowhere"),
    (["info", "nowhere"], "no dataset store at nowhere"),
    (["info", "."], "--from-videos DIR one of videos"),
])
def test_wrong_words_end_in_one_line(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(["data", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_help_lists_the_actions(capsys):
    assert main(["data"]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("prepare", "info", "validate", "convert"))


def test_what_was_dropped_is_said(tmp_path, capsys):
    raw = write_utd_mhad(tmp_path / "raw")
    (raw / "a2_s1_t1_skeleton.mat").write_bytes(b"no MATLAB")
    assert main(["data", "prepare", "mine", "--raw", str(raw), "-o", str(tmp_path / "store"),
                 "--jobs", "1"]) == 1
    out = capsys.readouterr().out
    assert f"1 dropped (1 failed), listed with the reason in {tmp_path / 'store'}" in out
    assert "  failed: " in out
    pickle = str(tmp_path / "a.pkl")
    assert main(["data", "convert", str(raw), "-o", pickle]) == 1
    captured = capsys.readouterr()
    assert "a2_s1_t1_skeleton.mat is not a UTD-MHAD skeleton" in captured.err
    assert captured.out == f"-> {pickle}\n"


def test_recordings_of_nobody_are_listed_and_no_failure(tmp_path, capsys):
    raw = write_utd_mhad(tmp_path / "raw")
    savemat(raw / "a2_s1_t1_skeleton.mat", {"d_skel": np.zeros((20, 3, 5))})
    words = ["data", "prepare", "mine", "--raw", str(raw), "--jobs", "1"]
    assert main([*words, "-o", str(tmp_path / "store")]) == 0
    assert "1 dropped (1 showing nobody), listed" in capsys.readouterr().out
    assert main(["data", "convert", str(raw), "-o", str(tmp_path / "a.pkl")]) == 0
    assert "a2_s1_t1_skeleton.mat: all its 5 frames are zeros" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--raw", "--from-videos", "--videos"])
def test_published_data_that_is_not_there_comes_with_a_way_to_get_it(tmp_path, capsys, option):
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "absent"):
        words = ["data", "prepare", "ucf101", option, str(tmp_path / folder), "-o",
                 str(tmp_path / "store")]
        words += ["--annotations", str(tmp_path)] if option == "--videos" else []
        assert main(words) == 2
        error = capsys.readouterr().err
        assert str(tmp_path / folder) in error
        assert "Get it from https://www.crcv.ucf.edu/data/UCF101.php" in error


def test_a_changed_video_needs_overwrite_and_gets_new_poses(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(choice, "decide_estimator", lambda *_: DotEstimator())
    video = tmp_path / "mine" / "walk" / "a.mp4"
    dots_video(video, frames=6)
    words = ["data", "prepare", "mine", "--from-videos", str(tmp_path / "mine"), "-o",
             str(tmp_path / "store")]
    assert main(words) == 0
    shutil.rmtree(tmp_path / "store")
    video.unlink()
    dots_video(video, frames=9)
    assert main(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
    assert "1 clip of 1 video, 2 tracks, 18 frames, 1 class," in capsys.readouterr().out


@pytest.mark.shared
def test_own_videos_in_one_command(shared, tmp_path, capsys):
    (tmp_path / "mine" / "clap").mkdir(parents=True)
    shutil.copyfile(shared / "videos" / "labelled" / "both_hands_clap.mp4",
                    tmp_path / "mine" / "clap" / "one.mp4")
    store = tmp_path / "store"
    words = ["data", "prepare", "mine", "--from-videos", str(tmp_path / "mine"), "-o", str(store),
             "--estimator", "mediapipe", "--offline"]
    assert main(words) == 0
    assert "1 clip of 1 video, 1 track," in capsys.readouterr().out
    assert (tmp_path / "store.poses").is_dir()
    assert main(["data", "validate", str(store)]) == 0


def test_image_size_and_dims_reach_the_reader(tmp_path, capsys):
    (tmp_path / "raw" / "labels").mkdir(parents=True)
    row = "0 0.5 0.5 0.4 0.8 " + "0.5 0.5 0.9 " * 17
    for frame in (1, 2, 3):
        (tmp_path / "raw" / "labels" / f"walk_{frame}.txt").write_text(row + "\n")
    words = ["--format", "ultralytics", "-o", str(tmp_path / "store")]
    raw = str(tmp_path / "raw")
    assert main(["data", "prepare", "mine", "--raw", raw, *words]) == 2
    assert "--image-size W H" in capsys.readouterr().err
    assert main(["data", "prepare", "mine", "--raw", raw, *words, "--image-size", "640",
                 "480"]) == 0
    pickle = str(tmp_path / "a.pkl")
    assert main(["data", "convert", str(tmp_path / "store"), "-o", pickle]) == 0
    assert main(["data", "convert", pickle, "-o", str(tmp_path / "back"), "--dims", "2"]) == 0
    assert main(["data", "convert", raw, "-o", str(tmp_path / "b.json"), *words[:2],
                 "--image-size", "640", "480"]) == 0

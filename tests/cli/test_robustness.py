"""`skelact robustness`: the command around `skelact.evaluation.robustness`."""

import json
import shutil
import subprocess
import sys

import pytest
from actions import settings, write_actions, write_others

from skelact.cli.main import main
from skelact.cli.robustness import parse_severities
from skelact.datasets.store import Store
from skelact.errors import ChoiceError
from skelact.evaluation import evaluate, robustness
from skelact.evaluation.scoring import score_model
from skelact.training.loop import train


@pytest.fixture(scope="module")
def gym(tmp_path_factory):
    """Words for a trained model and its data."""
    folder = tmp_path_factory.mktemp("gym")
    store = write_actions(folder / "gym.store", clips=16)
    train(settings(store.folder), folder / "run")
    return [str(folder / "run" / "model.pt"), "--data", str(store.folder), "--device", "cpu"]


def test_the_command_says_and_writes_what_it_found(gym, tmp_path):
    out = tmp_path / "out"
    words = [*gym, "--corruptions", "joint_jitter,camera_yaw", "--severities", "joint_jitter=5,50",
             "--seeds", "2", "-o", str(out)]
    done = subprocess.run([sys.executable, "-m", "skelact", "robustness", *words],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "4 clips as they are: top1" in done.stdout
    assert "camera_yaw  not measured: a camera elsewhere" in done.stdout
    assert "mean corruption accuracy" in done.stdout
    summary = json.loads((out / "robustness.json").read_text())
    levels = summary["corruptions"]["joint_jitter"]["levels"]
    assert [level["severity"] for level in levels] == [5, 50]
    assert (summary["seeds"], summary["num_clips"], summary["data"]) == (2, 4, "gym")
    assert {path.name for path in out.iterdir()} == {
        "report.md", "robustness.csv", "robustness.json", "robustness.png"}


def test_earlier_files_are_kept_before_anything_is_read(tmp_path, capsys):
    (tmp_path / "report.md").write_text("mine")
    words = ["robustness", "none.pt", "--data", str(tmp_path / "none"), "-o", str(tmp_path)]
    assert main(words) == 2
    assert "pass --overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 2
    assert "no dataset store at" in capsys.readouterr().err
    assert (tmp_path / "report.md").read_text() == "mine"


@pytest.mark.parametrize(("words", "said"), [
    (["--corruptions", "fog"], "expected a corruption to be one of joint_jitter"),
    (["--severities", "joint_jitter"], "CORRUPTION=NUMBER,NUMBER"),
    (["--severities", "speed=0"], "severity in 0.05..20 (times as fast), got 0"),
    (["--severities", "frame_rate=2,2.5"], "whole number in 1..1000 (every n-th frame), got 2.5"),
    (["--seeds", "0"], "seeds from 1"),
    (["--max-clips", "-1"], "--max-clips from 0"),
    (["--corruptions", "camera_yaw"], "nothing could be measured"),
])
def test_what_cannot_be_done_is_said_in_a_line(gym, tmp_path, capsys, words, said):
    assert main(["robustness", *gym, *words, "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("skelact robustness: ")
    assert not (tmp_path / "out").exists()


def test_a_few_clips_are_a_quick_look(gym, tmp_path, capsys, monkeypatch):
    scored = []

    def count(model, arrays, *words, **fields):
        scored.append(len(arrays))
        return score_model(model, arrays, *words, **fields)

    monkeypatch.setattr(robustness, "score_model", count)
    monkeypatch.setattr(evaluate, "score_model", count)
    assert main(["robustness", *gym, "--split", "train", "--max-clips", "5", "--corruptions",
                 "speed", "-o", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("5 clips as they are")
    assert set(scored) == {5}  # never all of the split


def test_a_damaged_store_is_refused(gym, tmp_path, capsys):
    shutil.copytree(gym[2], tmp_path / "gym.store")
    damaged = tmp_path / "gym.store" / "tracks.arrow"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    words = ["robustness", gym[0], "--data", str(tmp_path / "gym.store"), "-o"]
    assert main([*words, str(tmp_path / "out")]) == 2
    assert "tracks.arrow" in capsys.readouterr().err


def test_clips_of_other_classes_are_refused_or_left_out(gym, tmp_path, capsys):
    others = write_others(tmp_path / "others.store")
    assert len(Store(others)) == 6
    assert main(["robustness", gym[0], "--data", others, "--split", "all", "-o",
                 str(tmp_path / "out")]) == 2
    assert "no class of others is known to the model" in capsys.readouterr().err


def test_severities_as_words():
    assert parse_severities(["a=1,2.5", "b=3"]) == {"a": [1, 2.5], "b": [3]}
    assert parse_severities(None) == {}
    for words in (["a"], ["a="], ["a=x"]):
        with pytest.raises(ChoiceError, match="CORRUPTION=NUMBER"):
            parse_severities(words)
    with pytest.raises(ChoiceError, match="twice"):
        parse_severities(["a=1", "a=2"])

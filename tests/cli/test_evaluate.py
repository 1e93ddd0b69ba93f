"""``skelact evaluate``: the figure of the training run again, and what is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from actions import settings, write_actions
from archives import unpack

from skelact.cli.main import main
from skelact.config import AugmentConfig
from skelact.evaluation.scores import read_scores
from skelact.models.checkpoint import load_model
from skelact.training.loop import train


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> str:
    return str(write_actions(tmp_path_factory.mktemp("data") / "gym.store", clips=32).folder)


@pytest.fixture(scope="module")
def run(store, tmp_path_factory) -> Path:
    """A training run whose test averages four views of each clip."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    train(settings(store, test_clips=4, augment=AugmentConfig(flip=0.5, crop=0.5)), folder)
    return folder


def test_the_figure_is_that_of_the_training_run(run, store, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["evaluate", f"{run}/model.pt", "--data", store, "--clips", "4", "-o",
                 str(out), "--against", str(run)]) == 0
    content = json.loads((out / "metrics.json").read_text())
    told = load_model(run / "model.pt").metrics
    for name in ("top1", "top5", "mean_class_accuracy"):
        assert content[name]["value"] == told[name]
    assert (read_scores(out).scores == read_scores(run).scores).all()
    assert content["conditions"]["views"] == 4
    assert content["against"]["difference"]["value"] == 0
    shown = capsys.readouterr().out
    assert f"{run}/model.pt on gym" in shown
    assert f"top-1 accuracy  {told['top1']:.4f}  (95 % interval" in shown
    assert "does not tell them apart" in shown
    assert f"wrote {out}/report.html" in shown


def test_without_an_output_nothing_is_written(run, store, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", f"{run}/model.pt", "--data", store, "--split", "all"]) == 0
    assert list(tmp_path.iterdir()) == []
    shown = capsys.readouterr().out
    assert "32 clips, 1 view each" in shown
    assert "24 of 32 clips are in the train or val part" in shown
    assert "pass -o DIR" in shown


def test_several_models_are_fused(run, store, tmp_path):
    out = tmp_path / "out"
    models = [f"{run}/model.pt", f"{run}/last.pt"]
    assert main(["evaluate", *models, "--data", store, "--fusion", "3:1", "-o", str(out)]) == 0
    conditions = json.loads((out / "metrics.json").read_text())["conditions"]
    assert conditions["model"] == ", ".join(models)
    assert conditions["fusion"] == "3:1"


@pytest.mark.parametrize(("words", "message"), [
    (["{run}/model.pt", "--fusion", "2:1"], "--fusion weighs several checkpoints; got one"),
    (["{run}/model.pt", "{run}/last.pt", "--fusion", "2"], "expected 2 weights"),
    (["{run}/model.pt", "--split", "xview/test"], "expected a split of gym"),
    (["{run}/model.pt", "--clips", "0"], "expected views a clip (--clips) from 1"),
    (["{run}/model.pt", "-o", "{run}"], "holds a training run"),
    (["{run}/model.pt", "--against", "nowhere"], "no scores at nowhere"),
    (["nowhere.pt"], "no model at nowhere.pt"),
    ([], "no class of gym is known to the model penn_action_stgcn, which knows baseball_pitch"),
    (["{run}/model.pt", "--device", "tpu"], "expected a device"),
])
def test_wrong_requests_are_one_line(run, store, capsys, words, message):
    assert main(["evaluate", *(word.format(run=run) for word in words), "--data", store]) == 2
    error = capsys.readouterr().err
    assert error.startswith("skelact evaluate: ")
    assert error.count("\n") == 1
    assert message in error


def test_words_that_it_does_not_know(run, store, capsys):
    for words in ([], ["--data", store, "--precision", "fp8"], ["--data", store, "--speed", "1"]):
        with pytest.raises(SystemExit, match="2"):
            main(["evaluate", f"{run}/model.pt", *words])
        assert capsys.readouterr().err.count("\n") == 1


def test_an_earlier_evaluation_is_kept_unless_told(run, store, tmp_path, capsys):
    (tmp_path / "report.md").write_text("precious")
    words = ["evaluate", f"{run}/model.pt", "--data", store, "-o", str(tmp_path)]
    assert main(words) == 2
    assert "report.md exists; pass --overwrite" in capsys.readouterr().err
    assert (tmp_path / "report.md").read_text() == "precious"
    assert main([*words, "--overwrite"]) == 0
    assert (tmp_path / "report.md").read_text().startswith(f"# {run}/model.pt on gym")


@pytest.mark.shared
def test_the_shipped_model_on_real_clips(shared, tmp_path):
    raw = unpack(shared / "datasets" / "penn_action.tar.xz", tmp_path / "raw", first=30)
    assert main(["data", "prepare", "penn_action", "--raw", str(raw), "-o",
                 str(tmp_path / "penn.store")]) == 0
    done = subprocess.run(
        [sys.executable, "-m", "skelact", "evaluate", "--data", str(tmp_path / "penn.store"),
         "--split", "all", "-o", str(tmp_path / "out")],
        capture_output=True, text=True, check=False, timeout=240,
        env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert content["top1"]["value"] > 0.9
    assert content["rejection"]["accepted"] > 0.8
    assert content["conditions"]["model"] == "penn_action_stgcn"
    assert any("trained by" in note for note in content["notes"])

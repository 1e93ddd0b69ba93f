"""The run folder: settings that load again, a log without doubles, and an honest report."""

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import yaml
from jsonargparse import ArgumentParser
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from skelact.config import AugmentConfig, ClipConfig, OptimConfig, TrainConfig
from skelact.errors import FileFormatError, SkelactError
from skelact.evaluation.scores import read_scores
from skelact.training import run_folder
from skelact.training.result import RunResult
from skelact.training.run_folder import (
    begin_run,
    finish_run,
    lock_run,
    log_epoch,
    read_history,
    read_precision,
)

CONFIG = TrainConfig(dataset="nw_ucla", data="stores/nw_ucla", protocol="xview-3", seed=4,
                     precision="fp32", device="cpu", clip=ClipConfig(layout="kinect20", dims=3),
                     optim=OptimConfig(epochs=6, schedule="step", milestones=[3, 5],
                                       weight_decay=1e-5),
                     augment=AugmentConfig(flip=0.5))


def row(epoch: int, **fields) -> dict:
    return {"epoch": epoch, "step": 8 * epoch, "loss": 2 / epoch, "train_accuracy": 1 - 1 / epoch,
            "val_loss": 2.5 / epoch, "val_accuracy": 0.9 - 0.5 / epoch, "lr": 0.1 / epoch,
            "seconds": 25.0, "data_share": 0.02} | fields


HISTORY = [row(epoch) for epoch in range(1, 7)]


def some_result(**fields):
    labels = np.array([0, 0, 0, 1, 1, 2])
    found = np.array([0, 1, 1, 1, 1, 0])
    scores = np.full((6, 4), 0.1)
    scores[np.arange(6), found] = 0.7
    result = {"scores": scores, "labels": labels, "clip_ids": [f"clip{i}" for i in range(6)],
              "classes": ("sit", "stand", "pick|up", "throw"), "metrics": {"top1": 0.5},
              "chosen_epoch": 5, "data": {"name": "nw_ucla", "train_clips": 90, "val_clips": 10}}
    return RunResult(**(result | fields))


def points(folder) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows."""
    shown = EventAccumulator(str(folder / "tensorboard"))
    shown.Reload()
    return {tag: [(event.step, event.value) for event in shown.Scalars(tag)]
            for tag in shown.Tags()["scalars"]}


def test_settings_load_again_as_the_same(tmp_path):
    assert begin_run(tmp_path, CONFIG, resume=False) == CONFIG
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--config", action="config")
    parser.add_class_arguments(TrainConfig, as_group=False)
    options = parser.parse_args(["--config", str(tmp_path / "config.yaml")])
    again = parser.instantiate_classes(options)
    assert TrainConfig(**{name: again[name] for name in asdict(CONFIG)}) == CONFIG


def test_the_settled_arithmetic_is_read_back(tmp_path):
    assert read_precision(tmp_path) is None
    begin_run(tmp_path, CONFIG, resume=False)
    assert read_precision(tmp_path) == "fp32"
    (tmp_path / "config.yaml").write_text("seed: 4\n")
    with pytest.raises(FileFormatError, match=r"config\.yaml is damaged"):
        read_precision(tmp_path)


def test_every_start_leaves_its_environment(tmp_path):
    begin_run(tmp_path, CONFIG, resume=False)
    begin_run(tmp_path, CONFIG, resume=True)
    starts = json.loads((tmp_path / "environment.json").read_text())
    assert len(starts) == 2
    assert starts[1]["torch"]
    begin_run(tmp_path, CONFIG, resume=False)
    assert len(json.loads((tmp_path / "environment.json").read_text())) == 1


def test_only_the_main_process_writes(tmp_path):
    assert begin_run(tmp_path, CONFIG, resume=False, is_main=False) == CONFIG
    assert not list(tmp_path.iterdir())


def test_a_run_is_not_resumed_with_other_settings(tmp_path):
    begin_run(tmp_path, CONFIG, resume=False)
    moved = replace(CONFIG, data="elsewhere", device="cuda", workers=2, save_steps=9)
    assert begin_run(tmp_path, moved, resume=True) == moved
    other = replace(CONFIG, seed=5, optim=replace(CONFIG.optim, lr=0.5))
    for is_main in (True, False):
        with pytest.raises(SkelactError, match=r"optim\.lr 0\.1, now 0\.5; seed 4, now 5"):
            begin_run(tmp_path, other, resume=True, is_main=is_main)
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["seed"] == 4
    begin_run(tmp_path, other, resume=False)
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["seed"] == 5


def test_a_setting_that_is_newer_than_the_run_had_its_default(tmp_path):
    begin_run(tmp_path, CONFIG, resume=False)
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text().replace("  confidence: true\n", ""))
    assert "  bones: layout" in path.read_text()
    assert begin_run(tmp_path, CONFIG, resume=True) == CONFIG
    other = replace(CONFIG, clip=replace(CONFIG.clip, confidence=False))
    with pytest.raises(SkelactError, match=r"clip\.confidence True, now False"):
        begin_run(tmp_path, other, resume=True)


@pytest.mark.parametrize("text", ["", "[1, 2", "- a\n- b\n", "just words"])
def test_damaged_settings_are_said(tmp_path, text):
    begin_run(tmp_path, CONFIG, resume=False)
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(FileFormatError, match=r"config\.yaml is damaged .*--overwrite"):
        begin_run(tmp_path, CONFIG, resume=True)


def test_an_epoch_is_one_line_and_one_point(tmp_path):
    begin_run(tmp_path, CONFIG, resume=False)
    for count in range(1, 4):
        log_epoch(tmp_path, HISTORY[:count])
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == HISTORY[:3] == read_history(tmp_path)
    shown = points(tmp_path)
    assert shown["loss/train"] == [(e, pytest.approx(2 / e)) for e in (1, 2, 3)]
    assert shown["accuracy/val"][2] == (3, pytest.approx(0.9 - 0.5 / 3))
    assert len(list((tmp_path / "tensorboard").iterdir())) == 1


@pytest.mark.parametrize("known", [2, 3, 4])
def test_a_resumed_run_has_every_epoch_once(tmp_path, known):
    """The checkpoint may know less or more than what was logged before the run was killed."""
    begin_run(tmp_path, CONFIG, resume=False)
    for count in range(1, 4):
        log_epoch(tmp_path, HISTORY[:count])
    with next((tmp_path / "tensorboard").iterdir()).open("ab") as file:
        file.write(b"\x18torn")  # killed within a record
    again = [row(e, loss=9.0) for e in range(1, 7)]
    begin_run(tmp_path, CONFIG, resume=True)
    for count in range(known + 1, 7):
        log_epoch(tmp_path, again[:count])
    assert read_history(tmp_path) == again
    assert points(tmp_path)["loss/train"] == [(e, 9.0) for e in range(1, 7)]


def test_a_run_that_is_over_is_left_alone(tmp_path):
    begin_run(tmp_path, CONFIG, resume=False)
    for count in range(1, 7):
        log_epoch(tmp_path, HISTORY[:count])
    finish_run(tmp_path, CONFIG, some_result())
    (tmp_path / "model.pt").write_bytes(b"weights")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    begin_run(tmp_path, CONFIG, resume=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    with pytest.raises(SkelactError, match="other settings"):
        begin_run(tmp_path, replace(CONFIG, seed=8), resume=True)
    begin_run(tmp_path, CONFIG, resume=False)  # what an earlier run found is not this one's
    names = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert names == ["config.yaml", "environment.json", "model.pt"]


def test_what_is_not_finite_is_null(tmp_path):
    log_epoch(tmp_path, [row(1, val_loss=math.nan, val_accuracy=None, loss=math.inf)])
    text = (tmp_path / "metrics.jsonl").read_text()
    assert text.count("null") == 3
    assert json.loads(text, parse_constant=pytest.fail)["loss"] is None
    assert "loss/val" not in points(tmp_path)
    assert "accuracy/train" in points(tmp_path)


def test_curves_are_drawn_every_two_minutes_of_training(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(run_folder, "draw_learning_curves",
                        lambda rows, path, chosen=None: drawn.append(len(rows)))
    history = [row(epoch, seconds=50.0) for epoch in range(1, 7)]
    for count in range(1, 7):
        log_epoch(tmp_path, history[:count])
    assert drawn == [3, 5]
    log_epoch(tmp_path, [row(1, seconds=300.0)])
    assert drawn == [3, 5, 1]


def test_a_finished_run_holds_scores_predictions_curves_and_report(tmp_path):
    begin_run(tmp_path, CONFIG, resume=False)
    for count in range(1, 7):
        log_epoch(tmp_path, HISTORY[:count])
    result = some_result(metrics={"split": "xview-3 test", "top1": 0.5, "num_clips": 6,
                                  "accepted_val": None})
    finish_run(tmp_path, CONFIG, result)
    np.testing.assert_array_equal(read_scores(tmp_path).scores, result.scores)
    assert (tmp_path / "predictions.csv").read_text().splitlines()[2].startswith("clip1,sit,stand,")
    with Image.open(tmp_path / "curves.png") as image:
        assert min(image.size) > 500
        assert len(image.convert("RGB").getcolors(100_000)) > 20
    report = (tmp_path / "report.md").read_text()
    for words in ("90 train, 10 validation, 6 test", "| top1 | 0.5000 |", "| accepted_val | – |",
                  "epoch 5 of 6, which did best on validation", "scored once, at the end",
                  "| sit | stand | 2 of 3 |", "| pick\\|up | sit | 1 of 1 |",
                  "| sit | 3 | 0.333 | 0.06 to 0.79 | 0.500 | 0.400 | stand (2) |",
                  "Without a test clip: throw",
                  "2.5 minutes, 25.0 s an epoch", "2.0 %", "(curves.png)",
                  f"skelact recognize POSE_FILE --model {tmp_path}/model.pt",
                  f"skelact models export {tmp_path}/model.pt"):
        assert words in report, words
    worst_first = [report.index(f"| {name} |", report.index("## Every class"))
                   for name in ("pick\\|up", "sit", "stand")]
    assert worst_first == sorted(worst_first)


def test_a_run_that_is_no_better_than_a_guess_says_so(tmp_path, caplog):
    log_epoch(tmp_path, HISTORY)  # epoch 5: 0.8 of the validation clips
    labels, names = np.arange(40) % 4, ("sit", "stand", "pick|up", "throw")
    fields = {"labels": labels, "clip_ids": [f"clip{i}" for i in range(40)], "classes": names,
              "scores": np.tile([0.7, 0.1, 0.1, 0.1], (40, 1)), "val_labels": np.arange(10) % 4}
    finish_run(tmp_path, CONFIG, some_result(**fields))
    [warning] = caplog.messages
    warning = warning.removeprefix(f"{tmp_path}: ")
    assert warning.startswith("On these 40 clips the model is not better than a guess beyond doubt")
    report = (tmp_path / "report.md").read_text()
    assert f"## What to know\n\n- {warning}" in report
    assert report.index("## What to know") < report.index("## Settings")
    caplog.clear()
    finish_run(tmp_path, CONFIG, some_result(**fields | {"val_labels": np.repeat([0, 1], [9, 1])}))
    assert "The epoch was chosen by 8 right out of 10 validation clips" in caplog.messages[1]
    choice = caplog.messages[1].removeprefix(f"{tmp_path}: ")
    assert f"- {choice}" in (tmp_path / "report.md").read_text()
    caplog.clear()
    finish_run(tmp_path, CONFIG, some_result(**fields | {"scores": np.eye(4)[labels]}))
    assert caplog.messages == []
    assert "What to know" not in (tmp_path / "report.md").read_text()


def test_a_report_says_what_was_not_done(tmp_path):
    config = replace(CONFIG, optim=replace(CONFIG.optim, epochs=50))
    rows = [{name: value for name, value in r.items() if not name.startswith("val")}
            for r in HISTORY]
    log_epoch(tmp_path, rows)
    finish_run(tmp_path, config, some_result(scores=np.eye(4)[[0, 0, 0, 1, 1, 2]], chosen_epoch=6))
    report = (tmp_path / "report.md").read_text()
    assert "the last epoch (6); nothing was held out" in report
    assert "50 epochs were planned, 6 were run" in report
    assert "No test clip was taken for another class." in report


def test_a_second_run_on_all_of_train_has_its_own_log(tmp_path):
    config = replace(CONFIG, retrain=True)
    begin_run(tmp_path, config, resume=False)
    log_epoch(tmp_path, HISTORY)
    log_epoch(tmp_path / "retrain", HISTORY[:5])
    begin_run(tmp_path, config, resume=True)  # killed after the last epoch: nothing is logged again
    finish_run(tmp_path, config, some_result())
    assert len(points(tmp_path)["loss/train"]) == 6
    assert len(points(tmp_path / "retrain")["loss/train"]) == 5
    assert (tmp_path / "retrain" / "curves.png").is_file()
    report = (tmp_path / "report.md").read_text()
    assert "trained anew on all of train for 5 epochs" in report
    assert "(retrain/curves.png)" in report
    assert "4.6 minutes, 25.0 s an epoch" in report  # of both
    begin_run(tmp_path, config, resume=False)
    assert not list((tmp_path / "retrain").rglob("*.*"))


@pytest.mark.parametrize("text", ["", "{", '{"epoch": 2}\n', "[]\n"])
def test_a_damaged_log_is_said(tmp_path, text):
    (tmp_path / "metrics.jsonl").write_text(text)
    with pytest.raises(FileFormatError, match=r"metrics\.jsonl is not the log of a run"):
        finish_run(tmp_path, CONFIG, some_result())


def test_a_folder_is_for_one_process_and_free_afterwards(tmp_path):
    with lock_run(tmp_path / "run"):
        with (pytest.raises(SkelactError, match=r"another process is training in .*run"),
              lock_run(tmp_path / "run")):
            pass
        with lock_run(tmp_path / "other"):
            pass
    with lock_run(tmp_path / "run"):
        pass
    assert not any((tmp_path / "run").iterdir())

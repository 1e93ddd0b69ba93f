"""The training loop, on made-up data of two actions."""

import json
import logging
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
import yaml
from actions import settings, swinging, write_actions, write_others
from PIL import Image
from stores import write_store

from skelact.config import AugmentConfig, ClipConfig, NetworkConfig, OptimConfig
from skelact.errors import (
    ChoiceError,
    FileFormatError,
    OutputExistsError,
    SkelactError,
    WeightsError,
)
from skelact.evaluation.scores import read_scores
from skelact.models.checkpoint import load_model
from skelact.recognition.recognizer import Recognizer
from skelact.training import loop, scoring
from skelact.training.loop import TrainingStopped, train

pytestmark = pytest.mark.usefixtures("no_curves")

LEARNING = {
    "network": NetworkConfig(base_channels=8),
    "optim": OptimConfig(epochs=2, repeat=6, batch_size=8, lr=0.05, warmup_epochs=0.2),
}
"""Enough steps for a tiny network to learn, and for its running statistics to settle."""


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> str:
    return str(write_actions(tmp_path_factory.mktemp("data") / "store", clips=32).folder)


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> str:
    return write_others(tmp_path_factory.mktemp("data") / "others", dims=3)


def weights(model) -> dict[str, torch.Tensor]:
    return model.network.state_dict()


def same(one, other) -> bool:
    return all(torch.equal(value, weights(other)[name]) for name, value in weights(one).items())


def rows(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").open()]


@pytest.mark.parametrize(("made", "clip"), [
    ({}, {"stream": "joint"}),
    ({}, {"stream": "bone", "sampling": "uniform", "normalise": "image"}),
    ({"layout": "kinect20", "dims": 3}, {"dims": 3, "normalise": "canonical",
                                         "stream": "joint_motion"}),
    ({"people": 2}, {"people": 2, "stream": "bone_motion"}),
])
def test_two_actions_are_learned(tmp_path, made, clip):
    """In pictures and in space, of one and of two people, from every stream."""
    folder = write_actions(tmp_path / "store", clips=64, **made).folder
    config = settings(folder, **LEARNING, clip=ClipConfig(layout="auto", frames=12, **clip))
    model = train(config, tmp_path / "run")
    assert model.metrics["num_clips"] == 16
    assert model.metrics["top1"] >= 0.85
    history = rows(tmp_path / "run")
    assert [row["epoch"] for row in history] == [1, 2]
    assert history[-1]["loss"] < 0.6 * history[0]["loss"]
    assert history[-1]["train_accuracy"] > 0.85
    assert not model.rejects
    assert model.threshold == 0


@pytest.mark.usefixtures("curves")
def test_a_run_folder_holds_all_that_is_needed(store, others, tmp_path):
    run = tmp_path / "some" / "run"
    model = train(settings(store, background=[others]), run)
    assert {path.name for path in run.iterdir()} == {
        "config.yaml", "environment.json", "metrics.jsonl", "tensorboard", "curves.png",
        "last.pt", "best.pt", "model.pt", "test_scores.npz", "predictions.csv", "report.md"}
    assert Image.open(run / "curves.png").size[0] > 400
    restored = load_model(run / "model.pt")
    assert same(restored, model)
    assert restored.classes == ("arms", "legs")
    assert restored.rejects
    assert restored.network.head.out_features == 3
    assert 0 < restored.threshold <= 1
    assert restored.metrics == model.metrics
    assert restored.metrics["split"] == "default test"
    assert restored.metrics["accepted_other_val"] <= 0.25
    assert restored.data["name"] == "gym"
    assert restored.data["train_clips"] + restored.data["val_clips"] == 24
    assert restored.data["background_clips"] == 4
    assert len(restored.data["fingerprint"]) == 64
    assert restored.clip.frames == 8
    assert restored.clip.layout == "penn13"
    # a checkpoint does not tell where the data lay
    assert restored.training["data"] == "store"
    assert restored.training["background"] == ["others"]
    assert str(tmp_path) not in repr(restored.training)
    assert yaml.safe_load((run / "config.yaml").read_text())["data"] == store
    scores = read_scores(run)
    assert scores.accuracies()["top1"] == model.metrics["top1"]
    assert len(scores.labels) == 8


def test_a_table_of_parts_is_named_without_its_folder(store, tmp_path):
    table = tmp_path / "parts.csv"
    table.write_text("clip_id,split\n" + "".join(
        f"clip{i:02},{('train', 'test')[i // 2 % 2]}\n" for i in range(24)))
    config = settings(store, protocol=str(table), validate=False,
                      optim=OptimConfig(epochs=1, batch_size=12, lr=0.02))
    train(config, tmp_path / "run")
    model = load_model(tmp_path / "run" / "model.pt")
    assert model.training["protocol"] == "parts.csv"
    assert model.metrics["split"] == "parts.csv test"
    assert str(tmp_path) not in repr((model.training, model.metrics))


def test_every_checkpoint_is_a_whole_model(store, tmp_path):
    run = tmp_path / "run"
    model = train(settings(store), run)
    best = model.metrics["protocol"].split(",")[0]
    clips = torch.randn(3, 1, 13, 3, 8)
    for name in ("last", "best", "model"):
        loaded = load_model(run / f"{name}.pt")
        assert loaded.probabilities(clips).shape == (3, 2)
        assert loaded.classes == model.classes
        assert loaded.clip == model.clip
    assert same(load_model(run / "best.pt"), model)
    assert best in ("epoch 1", "epoch 2")


def test_a_seed_gives_the_same_weights_and_another_seed_others(store, others, tmp_path):
    config = settings(store, background=[others], augment=AugmentConfig(flip=0.5, mixup=0.3))
    first = train(config, tmp_path / "a")
    torch.manual_seed(99)
    torch.randn(7)
    assert same(train(replace(config, workers=2), tmp_path / "b"), first)
    other = train(replace(config, seed=1), tmp_path / "c")
    assert not torch.equal(weights(first)["head.weight"], weights(other)["head.weight"])


class Validations:
    """Stands in for validation and remembers which rows the network was scored on."""

    def __init__(self, monkeypatch, accuracies=()):
        self.rows, self.accuracies, self.tests = [], list(accuracies), []
        self.score = scoring.score_clips
        monkeypatch.setattr(scoring, "score_clips", self._score_clips)
        if accuracies:
            monkeypatch.setattr(loop, "validate", self._validate)

    def _score_clips(self, network, config, data, wanted, world, views=1):
        self.rows.append((wanted.tolist(), views))
        return self.score(network, config, data, wanted, world, views)

    def _validate(self, network, config, data, world):
        if not len(data.val):
            return {}
        return {"val_loss": 1.0, "val_accuracy": self.accuracies.pop(0)}


def test_validation_chooses_and_the_test_is_looked_at_once_at_the_end(store, tmp_path, monkeypatch):
    calls = Validations(monkeypatch)
    config = settings(store, test_clips=4)
    config, data = loop.open_data(config)
    train(config, tmp_path / "run")
    val, test = data.val.tolist(), data.test.tolist()
    assert calls.rows == [(val, 1), (val, 1), (test, 1), (test, 4)]


def test_the_best_epoch_is_kept(store, tmp_path, monkeypatch):
    Validations(monkeypatch, [0.2, 0.9, 0.9, 0.5])
    optim = OptimConfig(epochs=4, batch_size=12, lr=0.05)
    model = train(settings(store, optim=optim), tmp_path / "run")
    assert model.metrics["protocol"].startswith("epoch 2, chosen on val; 1 views a clip")
    assert same(load_model(tmp_path / "run" / "best.pt"), model)
    assert not same(load_model(tmp_path / "run" / "last.pt"), model)
    two = train(settings(store, optim=optim, validate=False), tmp_path / "whole")
    assert two.metrics["protocol"].startswith("the last epoch")


def test_training_stops_when_nothing_gets_better(store, tmp_path, monkeypatch):
    Validations(monkeypatch, [0.5, 0.7, 0.6, 0.7, 0.9])
    optim = OptimConfig(epochs=9, batch_size=24, lr=0.01, patience=2)
    model = train(settings(store, optim=optim), tmp_path / "run")
    assert len(rows(tmp_path / "run")) == 4
    assert model.metrics["protocol"].startswith("epoch 2")


def test_a_second_run_learns_from_all_of_train_for_as_long(store, tmp_path, monkeypatch):
    Validations(monkeypatch, [0.5, 0.8, 0.6])
    optim = OptimConfig(epochs=3, batch_size=12, lr=0.05)
    run = tmp_path / "run"
    model = train(settings(store, optim=optim, retrain=True), run)
    assert len(rows(run)) == 3
    again = rows(run / "retrain")
    assert [row["epoch"] for row in again] == [1, 2]
    assert "val_accuracy" not in again[0]
    assert [row["lr"] for row in again] != [0, 0]
    assert same(load_model(run / "retrain" / "last.pt"), model)
    assert not same(load_model(run / "best.pt"), model)
    assert (model.data["train_clips"], model.data["val_clips"]) == (24, 0)
    assert "retrained on all of train" in model.metrics["protocol"]


def test_without_validation_the_last_epoch_of_all_of_train_is_the_model(store, tmp_path):
    run = tmp_path / "run"
    model = train(settings(store, validate=False), run)
    assert same(load_model(run / "last.pt"), model)
    assert not (run / "best.pt").exists()
    assert model.data["train_clips"] == 24
    assert all("val_accuracy" not in row for row in rows(run))


def test_the_average_of_the_weights_is_the_model(store, tmp_path):
    optim = OptimConfig(epochs=2, batch_size=8, lr=0.05, warmup_epochs=0)
    plain = train(settings(store, optim=optim, validate=False), tmp_path / "a")
    averaged = train(settings(store, optim=replace(optim, ema=0.9), validate=False), tmp_path / "b")
    assert not same(plain, averaged)
    progress = torch.load(tmp_path / "b" / "last.pt", weights_only=True)["progress"]
    assert all(torch.equal(value, weights(plain)[name])
               for name, value in progress["network"].items())


def test_rates_of_the_schedule_are_logged(store, tmp_path):
    optim = OptimConfig(epochs=3, batch_size=12, lr=0.1, lr_batch=24, warmup_epochs=0,
                        schedule="step", milestones=[1.0, 2.0])
    train(settings(store, optim=optim), tmp_path / "run")
    assert [row["lr"] for row in rows(tmp_path / "run")] == pytest.approx([0.05, 0.005, 0.0005])


def test_fine_tuning_keeps_the_body_and_learns_a_new_head(store, tmp_path):
    first = train(settings(store), tmp_path / "first")
    other = write_others(tmp_path / "other", ("bow", "stand"), subjects=tuple(range(1, 9)))
    init = str(tmp_path / "first" / "model.pt")
    network = NetworkConfig(base_channels=4, freeze_layers=10)
    optim = OptimConfig(epochs=1, batch_size=6, lr=0.05)
    tuned = train(settings(other, init=init, network=network, optim=optim), tmp_path / "tuned")
    assert tuned.classes == ("bow", "stand")
    for name, value in weights(first).items():
        if not name.startswith("head."):
            assert torch.equal(weights(tuned)[name], value), name
    assert tuned.training["init"] == "model.pt"
    slow = settings(store, init=init, optim=replace(optim, body_lr=0.0),
                    network=replace(network, freeze_layers=0, freeze_norm=True))
    kept = train(slow, tmp_path / "kept")
    changed = {name for name, value in weights(first).items()
               if not torch.equal(weights(kept)[name], value)}
    assert changed == {"head.weight", "head.bias"}
    with pytest.raises(ChoiceError, match="freeze_layers from 0 to 10"):
        train(settings(store, init=init, network=replace(network, freeze_layers=11)),
              tmp_path / "no")
    with pytest.raises(WeightsError, match="absent"):
        train(settings(store, init=str(tmp_path / "absent.pt")), tmp_path / "no")


def test_all_other_options_together_make_a_run(store, tmp_path):
    optim = OptimConfig(optimizer="adamw", lr=1e-3, epochs=2, batch_size=10, accumulate=3,
                        label_smoothing=0.1, class_weights="balanced", clip_norm=1.0, ema=0.5,
                        weight_decay=0.05, patience=5, repeat=2)
    augment = AugmentConfig(crop=0.5, flip=0.5, rotate=10, scale=0.1, stretch=0.1, jitter=0.01,
                            bias=0.01, confidence=0.5, camera=0.3, swap_sides=0.1, low_rate=0.3,
                            speed=0.2, drop_joint=0.1, drop_part=0.3, drop_span=0.3, mixup=0.2)
    model = train(settings(
        store, optim=optim, augment=augment, precision="bf16", test_clips=6, save_steps=2,
        network=NetworkConfig(name="stgcnpp", base_channels=12, dropout=0.1)), tmp_path / "run")
    assert "6 views a clip" in model.metrics["protocol"]
    history = rows(tmp_path / "run")
    assert all(np.isfinite(row["loss"]) for row in history)
    assert history[-1]["step"] == 2 * -(-2 * model.data["train_clips"] // 10)


def test_a_background_teaches_to_say_none(tmp_path):
    folder = write_actions(tmp_path / "store", clips=64).folder
    still = [swinging("arms", 100 + i, label="rest", clip_id=f"r{i}", subject=i % 4)
             for i in range(24)]
    for recording in still:
        recording.tracks[0].joints[:] = recording.tracks[0].joints[:, :, :1]
    rest = write_store(tmp_path / "rest", still, "rest").folder
    model = train(settings(folder, background=[str(rest)], **LEARNING,
                           clip=ClipConfig(layout="auto", frames=12)), tmp_path / "run")
    assert model.metrics["top1"] >= 0.85
    assert model.metrics["accepted_other_val"] <= 0.05
    assert model.metrics["accepted_val"] > 0.6
    moving, resting = swinging("legs", 7, frames=50), swinging("legs", 8, frames=50)
    resting.tracks[0].joints[:] = resting.tracks[0].joints[:, :, :1]
    best = [Recognizer(model, threshold=0).recognize(recording).tracks[0].segments[0].score
            for recording in (moving, resting)]
    assert best[0] > 0.5 > best[1]


def test_a_trained_model_recognizes_what_it_can_take(tmp_path):
    deep = write_actions(tmp_path / "deep", clips=24, layout="kinect20", dims=3).folder
    clip = ClipConfig(layout="auto", frames=8, dims=3, normalise="canonical")
    train(settings(deep, clip=clip), tmp_path / "deep_run")
    model = load_model(tmp_path / "deep_run" / "model.pt")
    with pytest.raises(SkelactError, match=r"expected a 3-D recording .* --clip\.dims 2"):
        Recognizer(model).recognize(swinging("arms", 1, frames=40))
    space = swinging("arms", 1, frames=40, layout="kinect20", dims=3)
    assert Recognizer(model, threshold=0).recognize(space).tracks[0].watched > 1
    flat = write_actions(tmp_path / "flat", clips=24).folder
    train(settings(flat, clip=ClipConfig(layout="auto", frames=8, stream="bone")),
          tmp_path / "flat_run")
    model = load_model(tmp_path / "flat_run" / "model.pt")
    assert model.clip.stream == "bone"
    for recording in (swinging("arms", 1, frames=40), space):
        (track,) = Recognizer(model, threshold=0).recognize(recording).tracks
        assert track.segments[0].label in ("arms", "legs")


def test_an_earlier_run_is_kept_unless_asked(store, tmp_path):
    run = tmp_path / "run"
    train(settings(store, retrain=True), run)
    before = (run / "model.pt").read_bytes()
    with pytest.raises(OutputExistsError, match=r"holds a finished run; pass --resume .*--overwr"):
        train(settings(store), run)
    assert (run / "model.pt").read_bytes() == before
    (run / "model.pt").unlink()
    with pytest.raises(OutputExistsError, match="holds an unfinished run"):
        train(settings(store), run)
    with pytest.raises(SkelactError, match="pass one of them"):
        train(settings(store), run, overwrite=True, resume=True)
    train(settings(store, seed=5), run, overwrite=True)
    assert load_model(run / "model.pt").training["seed"] == 5
    assert not (run / "retrain" / "last.pt").exists()


def test_a_loss_that_explodes_is_said_and_the_last_good_checkpoint_stays(store, tmp_path):
    run = tmp_path / "run"
    config = settings(store, save_steps=1, optim=OptimConfig(epochs=2, batch_size=6, lr=0.01))
    original, steps = loop.learning_rate, []

    def explode(step, *rest):
        steps.append(step)
        return 1e30 if step >= 5 else original(step, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "learning_rate", explode)
        with pytest.raises(SkelactError, match=r"no longer finite.*; lower --optim\.lr"):
            train(config, run)
    assert not (run / "model.pt").exists()
    kept = load_model(run / "last.pt")
    assert all(value.isfinite().all() for value in weights(kept).values())
    assert same(train(config, run, resume=True), train(config, tmp_path / "calm"))


def test_what_cannot_be_trained_on_is_refused_before_anything_is_written(store, tmp_path):
    run = tmp_path / "run"
    for config, kind, message in (
        (settings(tmp_path / "absent"), FileFormatError, "expected a store"),
        (settings(store, device="abacus"), ChoiceError, "abacus"),
        (settings(store, background=[str(tmp_path / "absent")]), FileFormatError, "absent"),
        (settings(store, clip=ClipConfig(layout="auto", dims=3)), ChoiceError, "3-D data"),
    ):
        with pytest.raises(kind, match=message):
            train(config, run)
    assert not run.exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(SkelactError, match="is a file, not a folder"):
        train(settings(store), tmp_path / "file")


def test_training_prints_no_warnings(store, others, tmp_path, recwarn, caplog):
    with caplog.at_level(logging.WARNING):
        train(settings(store, background=[others], precision="bf16"), tmp_path / "run")
    assert [str(w.message) for w in recwarn if issubclass(w.category, (UserWarning,
                                                                       RuntimeWarning))] == []
    assert all("every time makes" in line for line in caplog.messages)  # no better than a guess
    assert len(caplog.messages) <= 2


def test_the_settings_of_a_run_are_those_that_it_used(store, tmp_path):
    config = settings(store, precision="auto", clip=ClipConfig(layout="auto", dims=0,
                                                               normalise="auto", frames=8))
    train(config, tmp_path / "run")
    found = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert found["precision"] in ("fp32", "bf16")
    assert found["clip"] == asdict(replace(config.clip, layout="penn13", dims=2,
                                           normalise="image"))
    assert issubclass(TrainingStopped, KeyboardInterrupt)

"""The training loop, on a made-up data set of two actions."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from archives import swinging, write_penn_action, write_penn_clip, write_utd_mhad

from skelact.config import AugmentConfig, ClipConfig, NetworkConfig, OptimConfig, TrainConfig
from skelact.datasets.penn_action import CLASSES
from skelact.datasets.readers.penn_action import read_penn_action
from skelact.datasets.store import StoreWriter
from skelact.errors import (
    ChoiceError,
    FileFormatError,
    LayoutError,
    OutputExistsError,
    SkelactError,
)
from skelact.models.checkpoint import load_model
from skelact.training.data import draw_batch, hold_out, setup
from skelact.training.loop import loss_of, train
from skelact.transforms.remap import remap


@pytest.fixture(scope="module")
def penn(tmp_path_factory):
    return write_penn_action(tmp_path_factory.mktemp("penn"))


@pytest.fixture(scope="module")
def background(tmp_path_factory):
    return write_utd_mhad(tmp_path_factory.mktemp("utd"), subjects=3)


def settings(data, background=(), epochs=1, **fields) -> TrainConfig:
    """A network small enough for a second."""
    return TrainConfig(
        data=str(data), background=[str(folder) for folder in background], precision="fp32",
        device="cpu", **({
            "held_out": 0.25,
            "network": NetworkConfig(base_channels=4, dropout=0.0),
            "clip": ClipConfig(frames=12),
            "optim": OptimConfig(epochs=epochs, batch_size=9, warmup_epochs=1.0, lr=0.05),
        } | fields))


def weights(model) -> dict[str, torch.Tensor]:
    return model.network.state_dict()


def test_two_actions_are_learned(tmp_path):
    write_penn_action(tmp_path, train=48, test=16)
    gentle = AugmentConfig(drop_part=0, swap_sides=0, rotate=5, drop_joint=0, low_rate=0, crop=0.8,
                           camera=0)
    optim = OptimConfig(epochs=16, batch_size=8, warmup_epochs=4.0, lr=0.02, label_smoothing=0.0)
    config = settings(tmp_path, held_out=0.1, augment=gentle, clip=ClipConfig(frames=16),
                      network=NetworkConfig(base_channels=8, dropout=0.0), optim=optim)
    model = train(config, tmp_path / "run")
    assert model.metrics["num_clips"] == 16
    assert model.metrics["top1"] > 0.9
    assert model.metrics["mean_class_accuracy"] > 0.9
    assert not model.rejects
    assert model.threshold == 0
    history = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    assert [row["epoch"] for row in history] == list(range(1, 17))
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert history[-1]["train_accuracy"] > 0.8
    assert history[-1]["held_out_accuracy"] > 0.8


def test_a_run_folder_holds_settings_history_and_model(penn, background, tmp_path):
    run = tmp_path / "some" / "run"
    model = train(settings(penn, [background], epochs=2), run)
    assert sorted(path.name for path in run.iterdir()) == ["config.json", "metrics.jsonl",
                                                           "model.pt"]
    config = json.loads((run / "config.json").read_text())
    assert config["data"] == str(penn)
    assert config["augment"]["still"] == AugmentConfig().still
    restored = load_model(run / "model.pt")
    assert restored.classes == CLASSES
    assert restored.rejects
    assert restored.network.head.out_features == 16
    assert 0 < restored.threshold <= 1
    assert restored.metrics == model.metrics
    assert restored.metrics["accepted_other_held_out"] <= 0.05
    assert restored.data["train_clips"] == 18
    assert restored.data["other_clips"] == 4
    assert restored.clip.frames == 12
    # a checkpoint does not tell where the data lay
    assert restored.training["data"] == penn.name
    assert restored.training["background"] == [background.name]
    clips = torch.randn(3, 1, 13, 3, 12)
    np.testing.assert_array_equal(restored.probabilities(clips), model.probabilities(clips))


def test_a_seed_gives_the_same_weights_and_another_seed_others(penn, background, tmp_path):
    config = settings(penn, [background])
    first = weights(train(config, tmp_path / "a"))
    torch.manual_seed(99)
    torch.randn(7)
    again = weights(train(config, tmp_path / "b"))
    assert all(torch.equal(first[key], again[key]) for key in first)
    other = weights(train(settings(penn, [background], seed=1), tmp_path / "c"))
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_an_earlier_run_is_kept_unless_asked(penn, tmp_path):
    config = settings(penn)
    train(config, tmp_path / "run")
    before = (tmp_path / "run" / "model.pt").read_bytes()
    with pytest.raises(OutputExistsError, match="--overwrite"):
        train(config, tmp_path / "run")
    assert (tmp_path / "run" / "model.pt").read_bytes() == before
    train(settings(penn, seed=5), tmp_path / "run", overwrite=True)
    assert (tmp_path / "run" / "model.pt").read_bytes() != before


def test_without_clips_held_out(penn, tmp_path):
    model = train(settings(penn, held_out=0.0), tmp_path / "run")
    assert model.metrics["accepted_held_out"] is None
    row = json.loads((tmp_path / "run" / "metrics.jsonl").read_text())
    assert row["held_out_accuracy"] is None


def test_a_loss_that_explodes_is_said(penn, tmp_path):
    wild = OptimConfig(epochs=3, batch_size=9, lr=1e30, clip_norm=0.0, warmup_epochs=0.0)
    with pytest.raises(SkelactError, match=r"no longer finite in epoch \d; lower --optim.lr"):
        train(settings(penn, optim=wild), tmp_path / "run")
    assert not (tmp_path / "run" / "model.pt").exists()


def test_what_cannot_be_trained_on_is_refused(penn, tmp_path):
    run = tmp_path / "run"
    for data, message in ((tmp_path / "absent", "expected a store"),
                          (None, "pass --data FOLDER")):
        config = settings("", held_out=0.1)
        with pytest.raises(SkelactError, match=message):
            train(TrainConfig(**(vars(config) | {"data": data})), run)
    with pytest.raises(FileFormatError, match="which is no folder"):
        train(settings(penn, [tmp_path / "absent"]), run)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileFormatError, match="neither UTD-MHAD nor NW-UCLA"):
        train(settings(penn, [tmp_path / "empty"]), run)
    lonely = write_utd_mhad(tmp_path / "lonely", subjects=1)
    with pytest.raises(SkelactError, match="at least two subjects"):
        train(settings(penn, [lonely]), run)
    with pytest.raises(LayoutError, match="penn14"):
        train(settings(penn, clip=ClipConfig(layout="penn14")), run)
    with pytest.raises(ChoiceError, match="abacus"):
        train(TrainConfig(**(vars(settings(penn)) | {"device": "abacus"})), run)
    assert not run.exists()


@pytest.mark.parametrize(("label", "in_train", "message"), [
    ("squat", True, "no clip of the test split"),
    ("squat", False, "no clip of the train split"),
    ("moonwalk", True, "none of Penn Action's: moonwalk"),
])
def test_a_part_of_a_data_set_is_refused(tmp_path, label, in_train, message):
    for i in range(2):
        write_penn_clip(tmp_path / f"{i:04}.mat", label, in_train, *swinging(0))
    with pytest.raises(SkelactError, match=message):
        setup(settings(tmp_path))


def test_held_out_clips_are_a_share_of_every_class_and_always_the_same():
    labels = torch.tensor([0] * 40 + [1] * 10 + [2] * 3)
    kept, held = hold_out(labels, 0.2)
    assert sorted(torch.cat([kept, held]).tolist()) == list(range(53))
    assert labels[held].bincount().tolist() == [8, 2, 1]
    torch.manual_seed(4)
    assert torch.equal(hold_out(labels, 0.2)[1], held)
    assert len(hold_out(labels, 0.0)[1]) == 0


def test_a_store_brings_its_skeleton_its_classes_and_its_parts(penn, tmp_path):
    with StoreWriter(tmp_path / "store") as writer:
        for recording in read_penn_action(penn):
            writer.add(remap(recording, "coco17"))
        writer.finish(name="gym")
    config = settings(tmp_path / "store", clip=ClipConfig(layout="auto", frames=12))
    model = train(config, tmp_path / "run")
    assert model.layout.name == model.clip.layout == "coco17"
    assert model.classes == ("jumping_jacks", "squat")
    assert model.data["name"] == "gym"
    assert model.metrics["num_clips"] == 8
    assert model.data["train_clips"] == 22  # of 24, one of each class is held back
    drawn = replace(config, protocol="drawn")
    assert train(drawn, tmp_path / "drawn").metrics["split"] == "drawn test, last epoch"
    with pytest.raises(ChoiceError, match="expected a split of gym"):
        train(replace(config, protocol="xsub"), tmp_path / "no")


def test_other_actions_and_people_at_rest_are_no_known_action(penn, background):
    config = settings(penn, [background], augment=AugmentConfig(others=0.5, still=1.0, jitter=0,
                                                                drop_span=0, camera=0))
    data = setup(config)
    assert len(data.other) == 4
    assert len(data.other_held_out) == 2
    rows = torch.arange(8)
    clips, labels = draw_batch(config, data, rows, torch.Generator().manual_seed(0))
    assert clips.shape == (8 + 4 + 8, 1, 13, 3, 12)
    assert torch.equal(labels[:8], data.train.labels[:8])
    assert (labels[8:] == len(CLASSES)).all()
    moved = clips[:, 0, :, :2].diff(dim=-1).abs().sum(dim=-1).amax((1, 2))
    assert moved[12:].median() < 0.5 * moved[:8].median()  # an instant of a clip, stretched
    alone = setup(settings(penn))
    clips, labels = draw_batch(config, alone, rows, torch.Generator().manual_seed(0))
    assert clips.shape[0] == len(labels) == 8


def test_the_loss_asks_which_action_and_whether_any():
    scores = torch.zeros(3, len(CLASSES) + 1)
    scores[:, 4], scores[0, -1], scores[2, -1] = 20.0, -20.0, 20.0
    labels = torch.tensor([4, 2, len(CLASSES)])
    which = (0 + 20) / 2  # the first is right, the second wrong by 20
    whether = (0 + np.log(2) + 0) / 3
    both = loss_of(scores, labels, len(CLASSES), 0.0)
    assert both.item() == pytest.approx(which + whether, rel=1e-4)
    known = loss_of(scores[:2, :-1], labels[:2], len(CLASSES), 0.0)
    assert known.item() == pytest.approx(which, rel=1e-4)


def test_training_prints_no_warnings(penn, tmp_path, recwarn, caplog):
    with caplog.at_level(logging.WARNING):
        train(settings(penn), tmp_path / "run")
    assert [str(w.message) for w in recwarn if issubclass(w.category, (UserWarning,
                                                                       RuntimeWarning))] == []
    assert not caplog.records


def test_a_damaged_store_is_not_trained_on(penn, tmp_path):
    with StoreWriter(tmp_path / "store") as writer:
        for recording in read_penn_action(penn):
            writer.add(recording)
        writer.finish(name="gym")
    file = tmp_path / "store" / "tracks.arrow"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"tracks\.arrow was changed after it was written"):
        train(settings(tmp_path / "store"), tmp_path / "run")
    assert not (tmp_path / "run").exists()

"""Several runs in one command, with a stand-in for training that writes made-up scores."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import yaml
from actions import settings, write_actions

from skelact.config import ClipConfig, OptimConfig, TrainConfig
from skelact.errors import ChoiceError, OutputExistsError, SkelactError
from skelact.evaluation.fusion import fuse_scores
from skelact.evaluation.metrics import top_k_accuracy
from skelact.evaluation.scores import SCORES, ClipScores, read_scores, write_scores
from skelact.training import loop
from skelact.training.campaign import train_many
from skelact.training.run_folder import read_precision, write_settings
from skelact.transforms.streams import STREAMS

CONFIG = TrainConfig(dataset="nw_ucla", protocol="xview-3", clip=ClipConfig(stream="bone"),
                     optim=OptimConfig(lr=0.1))
LABELS = np.arange(40) % 4


class Trainer:
    """Stands in for `skelact.training.loop.train` and remembers its calls."""

    def __init__(self) -> None:
        self.calls, self.stop_at, self.clips = [], None, 40

    def __call__(self, config, folder, overwrite=False, resume=False):
        self.calls.append((config.seed, config.clip.stream, folder, overwrite, resume))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "last.pt").write_bytes(b"")
        if len(self.calls) == self.stop_at:
            raise loop.TrainingStopped("stopped at step 3")
        random = np.random.default_rng([config.seed, STREAMS.index(config.clip.stream)])
        scores = random.dirichlet(np.ones(4), self.clips)
        scores[np.arange(self.clips), LABELS[:self.clips]] += 0.3
        result = ClipScores(scores / scores.sum(1, keepdims=True), LABELS[:self.clips],
                            [f"clip{i}" for i in range(self.clips)], ("a", "b", "c", "d"))
        write_scores(result, folder / SCORES, overwrite=True)
        (folder / "model.pt").write_bytes(b"")


@pytest.fixture
def trainer(monkeypatch):
    stand_in = Trainer()
    monkeypatch.setattr(loop, "train", stand_in)
    return stand_in


def test_seeds_and_streams_are_ordinary_runs_and_their_fusion(trainer, tmp_path, capsys):
    config = replace(CONFIG, seed=5)
    summary = train_many(config, tmp_path, seeds=3, streams=STREAMS)
    assert [call[:3] for call in trainer.calls] == [
        (seed, stream, tmp_path / f"seed{seed}" / stream) for seed in (5, 6, 7)
        for stream in STREAMS]
    assert summary.weights == (2, 2, 1, 1)
    top1 = []
    for seed in (5, 6, 7):
        parts = [read_scores(tmp_path / f"seed{seed}" / stream).scores for stream in STREAMS]
        top1.append(top_k_accuracy(fuse_scores(parts, (2, 2, 1, 1)), LABELS))
    found = summary.statistics()["fused"]["top1"]
    assert found["mean"] == pytest.approx(sum(top1) / 3)
    spread = math.sqrt(sum((value - sum(top1) / 3) ** 2 for value in top1) / 2)
    assert found["std"] == pytest.approx(spread)
    assert list(summary.accuracies) == [*STREAMS, "fused"]
    assert summary.accuracies["bone"][1]["top1"] == top_k_accuracy(
        read_scores(tmp_path / "seed6" / "bone").scores, LABELS)
    assert "run 12 of 12" in capsys.readouterr().out
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["seed"] == 5


def test_the_summary_is_written_as_numbers_and_as_words(trainer, tmp_path):
    summary = train_many(CONFIG, tmp_path, 2, ("joint", "bone"))
    numbers = json.loads((tmp_path / "summary.json").read_text())
    assert numbers["statistics"] == summary.statistics()
    assert numbers["seeds"] == [0, 1]
    assert numbers["num_clips"] == 40
    assert numbers["folders"] == ["seed0/joint", "seed0/bone", "seed1/joint", "seed1/bone"]
    report = (tmp_path / "report.md").read_text()
    figure = summary.statistics()["fused"]["top1"]
    shown = f"{figure['mean']:.4f} ± {figure['std']:.4f}"
    assert "top-5" not in report  # of four classes
    for words in ("# nw_ucla xview-3, stgcn: 2 seeds, 2 streams", f"| fused | {shown} | ",
                  "over 2 seeds (0, 1)", "weighted 2:2 (joint, bone)",
                  "the usual weights, not tuned on the test split", "scored the test split once",
                  "(seed1/bone/report.md)",
                  f"| 1 | {summary.accuracies['joint'][1]['top1']:.4f} |"):
        assert words in report, words
    assert shown in str(summary)
    assert str(summary).startswith("nw_ucla xview-3, stgcn: 40 test clips, 2 seeds")


@pytest.mark.parametrize(("seeds", "streams", "folders"), [
    (2, (), ["seed0", "seed1"]),
    (1, ("joint", "bone"), ["joint", "bone"]),
    (1, ("joint_motion",), ["joint_motion"]),
])
def test_only_the_levels_that_are_needed(trainer, tmp_path, seeds, streams, folders):
    summary = train_many(CONFIG, tmp_path, seeds, streams)
    assert [call[2] for call in trainer.calls] == [tmp_path / folder for folder in folders]
    assert [call[1] for call in trainer.calls] == list(streams or ("bone", "bone"))
    assert ("fused" in summary.accuracies) == (len(streams) > 1)
    values = [figure["std"] for figure in summary.statistics()[summary.streams[0]].values()]
    assert all((value is None) == (seeds == 1) for value in values)
    assert ("±" in (tmp_path / "report.md").read_text()) == (seeds > 1)


def test_weights_may_be_given_and_depend_on_the_streams(trainer, tmp_path):
    chosen = train_many(CONFIG, tmp_path / "a", 1, ("joint", "bone"), weights=(2, 1))
    assert chosen.weights == (2, 1)
    parts = [read_scores(tmp_path / "a" / stream).scores for stream in ("joint", "bone")]
    assert chosen.accuracies["fused"][0]["top1"] == top_k_accuracy(
        fuse_scores(parts, (2, 1)), LABELS)
    report = (tmp_path / "a" / "report.md").read_text()
    assert "only if they were chosen before the test split was looked at" in report
    assert train_many(CONFIG, tmp_path / "b", 1, ("bone_motion", "joint")).weights == (1, 2)


def test_resuming_leaves_finished_runs_and_goes_on_with_others(trainer, tmp_path):
    trainer.stop_at = 3
    with pytest.raises(loop.TrainingStopped, match=r"run 3 of 4, .*seed1/joint; .*--resume"):
        train_many(CONFIG, tmp_path, 2, ("joint", "bone"))
    assert not (tmp_path / "summary.json").exists()
    with pytest.raises(OutputExistsError, match=r"seed0/joint holds a run; pass --resume"):
        train_many(CONFIG, tmp_path, 2, ("joint", "bone"))
    trainer.calls.clear()
    trainer.stop_at = None
    train_many(CONFIG, tmp_path, 2, ("joint", "bone"), resume=True)
    assert [call[:2] for call in trainer.calls] == [(1, "joint"), (1, "bone")]
    assert all(call[4] and not call[3] for call in trainer.calls)
    trainer.calls.clear()
    summary = train_many(replace(CONFIG, device="cpu"), tmp_path, 3, ("joint", "bone"),
                         resume=True)
    assert [call[:2] for call in trainer.calls] == [(2, "joint"), (2, "bone")]
    assert len(summary.accuracies["fused"]) == 3


def test_other_settings_are_not_mixed_into_a_campaign(trainer, tmp_path):
    train_many(CONFIG, tmp_path, 2, ("joint", "bone"))
    trainer.calls.clear()
    other = replace(CONFIG, optim=replace(CONFIG.optim, lr=0.05))
    with pytest.raises(SkelactError, match=r"optim\.lr 0\.1, now 0\.05"):
        train_many(other, tmp_path, 2, ("joint", "bone"), resume=True)
    assert not trainer.calls
    trainer.stop_at = 1
    with pytest.raises(loop.TrainingStopped):
        train_many(other, tmp_path, 1, ("joint", "bone"), overwrite=True)
    trainer.stop_at = None
    trainer.calls.clear()  # what the first campaign found for other seeds is not this one's
    train_many(other, tmp_path, 2, ("joint", "bone"), resume=True)
    assert len(trainer.calls) == 4


def test_a_campaign_that_is_begun_anew_can_be_interrupted_and_resumed(tmp_path, monkeypatch):
    """Whatever an earlier campaign left, with these settings or others, is trained again."""
    store = write_actions(tmp_path / "store").folder
    original, output = loop.train, tmp_path / "runs"
    once = OptimConfig(epochs=1, batch_size=12, lr=0.02)

    def stop_second(config, folder, **how):
        if config.seed == 1:
            raise loop.TrainingStopped("stopped")
        return original(config, folder, **how)

    train_many(settings(store, optim=once), output, 3)
    for config in (settings(store, optim=once), settings(store, optim=replace(once, lr=0.03))):
        with monkeypatch.context() as patch:
            patch.setattr(loop, "train", stop_second)
            with pytest.raises(loop.TrainingStopped, match=r"--resume instead of --overwrite$"):
                train_many(config, output, 2, overwrite=True)
        assert sorted(path.parent.name for path in output.rglob("*.pt")) == ["seed0"] * 3
        assert train_many(config, output, 2, resume=True).seeds == (0, 1)


def test_runs_of_other_seeds_and_streams_are_not_replaced_unasked(trainer, tmp_path):
    train_many(CONFIG, tmp_path, 2)
    for fields in ({"config": replace(CONFIG, seed=7)}, {"streams": ("joint", "bone")}):
        with pytest.raises(OutputExistsError, match=r"seed0 holds a run; pass --resume"):
            train_many(**{"config": CONFIG, "output": tmp_path, "seeds": 2} | fields)
    assert read_scores(tmp_path / "seed1").accuracies()


def test_all_runs_have_the_arithmetic_of_the_first(tmp_path, monkeypatch):
    """The probe of a busy machine may find fp32 one time and bf16 the next."""
    stand_in, found, asked = Trainer(), iter(("bf16", "fp32", "fp32", "fp32")), []

    def train(config, folder, **fields):
        asked.append(config.precision)
        settled = next(found) if config.precision == "auto" else config.precision
        write_settings(replace(config, precision=settled), folder / "config.yaml")
        stand_in(config, folder, **fields)

    monkeypatch.setattr(loop, "train", train)
    train_many(CONFIG, tmp_path, 2)
    train_many(CONFIG, tmp_path, 3, resume=True)
    assert asked == ["auto", "bf16", "bf16"]
    assert [read_precision(tmp_path / f"seed{seed}") for seed in range(3)] == ["bf16"] * 3
    train_many(replace(CONFIG, precision="fp32"), tmp_path, 1, ("joint",), overwrite=True)
    assert asked[3:] == ["fp32"]


def test_runs_that_saw_other_clips_are_not_summed_up(trainer, tmp_path):
    trainer.stop_at = 2
    with pytest.raises(loop.TrainingStopped):
        train_many(CONFIG, tmp_path, 2)
    trainer.clips, trainer.stop_at = 39, None  # the store was prepared again
    with pytest.raises(SkelactError, match="not tested on the same clips"):
        train_many(CONFIG, tmp_path, 2, resume=True)
    assert not (tmp_path / "summary.json").exists()


def test_what_cannot_be_done_is_said_before_anything_is_trained(trainer, tmp_path):
    for fields, message in (
        ({"seeds": 0}, "seeds from 1"),
        ({"streams": ("joint", "skin")}, "a stream to be one of"),
        ({"streams": ("joint", "joint")}, "every stream once"),
        ({"streams": ("joint", "bone"), "weights": (1,)}, "expected 2 weights"),
        ({"streams": ("joint", "bone"), "weights": (1, 0)}, "weights above 0"),
    ):
        with pytest.raises(ChoiceError, match=message):
            train_many(CONFIG, tmp_path / "run", **fields)
    with pytest.raises(SkelactError, match="pass one of them"):
        train_many(CONFIG, tmp_path / "run", 2, overwrite=True, resume=True)
    assert not (tmp_path / "run").exists()
    (tmp_path / "model.pt").write_bytes(b"")
    with pytest.raises(OutputExistsError, match="holds a single run"):
        train_many(CONFIG, tmp_path, 2, overwrite=True)
    assert not trainer.calls


def test_only_the_main_process_writes(trainer, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    assert train_many(CONFIG, tmp_path, 2) is None
    assert len(trainer.calls) == 2
    assert not [name for name in ("summary.json", "report.md", "config.yaml")
                if (tmp_path / name).exists()]
    assert capsys.readouterr().out == ""

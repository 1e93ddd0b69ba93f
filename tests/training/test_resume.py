"""A run that is interrupted anywhere ends with the bits of one that is not."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from actions import settings, write_actions, write_others

from skelact.cli.main import main
from skelact.config import AugmentConfig, ClipConfig, NetworkConfig, OptimConfig
from skelact.errors import SkelactError, WeightsError
from skelact.models.checkpoint import load_model
from skelact.training import loop, scoring
from skelact.training.loop import TrainingStopped, train

pytestmark = pytest.mark.usefixtures("no_curves")

STEPS = 3
"""Of an epoch."""


@pytest.fixture(autouse=True)
def _listening():
    """Ctrl-C is heard also where the tests were started in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> str:
    return str(write_actions(tmp_path_factory.mktemp("data") / "store", clips=32).folder)


@pytest.fixture(scope="module")
def config(store, tmp_path_factory):
    """Everything that has a state or draws by chance, in two epochs and a second run."""
    others = write_others(tmp_path_factory.mktemp("data") / "others", ("wave", "bow"),
                          tuple(range(1, 7)))
    return settings(
        store, background=[others], retrain=True, workers=0,
        network=NetworkConfig(base_channels=4, dropout=0.3),
        optim=OptimConfig(epochs=2, batch_size=6, lr=0.02, warmup_epochs=1.0, ema=0.8),
        augment=AugmentConfig(mixup=0.3, flip=0.5, jitter=0.02, crop=0.6, others=0.5, still=0.2))


@pytest.fixture(scope="module")
def uninterrupted(config, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "whole"
    train(config, run)
    return run


def content(run) -> dict:
    """All tensors of a finished run, and its log but for the time it took."""
    found = {}
    for path in ("model.pt", "best.pt", "last.pt", "retrain/last.pt"):
        checkpoint = torch.load(run / path, weights_only=True)
        found |= {f"{path} {name}": value for name, value in checkpoint["weights"].items()}
        progress = checkpoint.get("progress") or {"network": {}}
        found |= {f"{path} network {name}": v for name, v in progress["network"].items()}
        found[f"{path} of"] = {name: checkpoint[name] for name in ("threshold", "metrics")}
    for path in ("metrics.jsonl", "retrain/metrics.jsonl"):
        rows = [json.loads(line) for line in (run / path).open()]
        found[path] = [{name: value for name, value in row.items()
                        if name not in ("seconds", "data_share")} for row in rows]
    return found


def assert_same_end(run, other) -> None:
    found, expected = content(run), content(other)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        same = (torch.equal(found[name], value) if isinstance(value, torch.Tensor)
                else found[name] == value)
        assert same, name


def interrupted(monkeypatch, at: int, how) -> None:
    """Let ``how`` happen after so many steps of this process."""
    original, steps = loop.take_step, []

    def take_step(*arguments):
        original(*arguments)
        steps.append(1)
        if len(steps) == at:
            how()

    monkeypatch.setattr(loop, "take_step", take_step)


class Killed(BaseException):
    """Stands for SIGKILL: nothing is saved."""


def die():
    raise Killed


def ask_to_stop():
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(("at", "workers"), [
    ((2, 1), 2), ((5,), 0), ((6, 2), 0), ((8,), 2)])
def test_stopped_and_resumed(config, uninterrupted, tmp_path, monkeypatch, at, workers):
    """Within an epoch, at the last step of one, of the first run and of the second."""
    run, config, done = tmp_path / "run", replace(config, workers=workers), 0
    for number, steps in enumerate(at):
        with monkeypatch.context() as patch:
            interrupted(patch, steps, ask_to_stop)
            with pytest.raises(TrainingStopped) as stop:
                train(config, run, resume=number > 0)
        done += steps
        step = done if done <= 2 * STEPS else done - 2 * STEPS  # of the second run
        assert str(stop.value).startswith(f"stopped at step {step}, in epoch ")
        command = f"go on with: skelact train {run}/config.yaml -o {run} --resume"
        assert str(stop.value).endswith(command)
        assert not (run / "model.pt").exists()
        load_model(run / "last.pt")
    train(config, run, resume=True)
    assert_same_end(run, uninterrupted)


@pytest.mark.parametrize(("at", "saved"), [((5, 2), 2), ((8,), 100)])
def test_killed_and_resumed(config, uninterrupted, tmp_path, monkeypatch, at, saved):
    """From the last checkpoint, however old it is, or anew where there is none."""
    run = tmp_path / "run"
    for number, steps in enumerate(at):
        with monkeypatch.context() as patch:
            interrupted(patch, steps, die)
            with pytest.raises(Killed):
                train(replace(config, save_steps=saved), run, resume=number > 0)
    train(config, run, resume=True)
    assert_same_end(run, uninterrupted)


def test_a_stop_during_validation_or_test_is_kept_too(config, uninterrupted, tmp_path, monkeypatch):
    run = tmp_path / "run"
    for name, module in (("validate", loop), ("score_test", loop)):
        with monkeypatch.context() as patch:
            original = getattr(module, name)

            def stopping(*arguments, original=original):
                ask_to_stop()
                return original(*arguments)

            patch.setattr(module, name, stopping)
            with pytest.raises(TrainingStopped, match=r"go on with: skelact train .* --resume$"):
                train(config, run, resume=run.exists())
    train(config, run, resume=True)
    assert_same_end(run, uninterrupted)


def test_a_finished_run_is_only_read(config, uninterrupted, monkeypatch):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns)
              for path in uninterrupted.rglob("*") if path.is_file()}
    monkeypatch.setattr(scoring, "score_clips", None)
    monkeypatch.setattr(loop, "take_step", None)
    model = train(config, uninterrupted, resume=True)
    assert model.metrics == load_model(uninterrupted / "model.pt").metrics
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns)
                      for path in uninterrupted.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def stopped(config, tmp_path_factory):
    """A run that was stopped after its first step."""
    run = tmp_path_factory.mktemp("runs") / "stopped"
    with pytest.MonkeyPatch.context() as patch:
        interrupted(patch, 1, ask_to_stop)
        with pytest.raises(TrainingStopped):
            train(config, run)
    return run


def test_other_settings_or_other_data_are_refused(config, stopped, store, tmp_path):
    before = (stopped / "last.pt").read_bytes()
    other = replace(config, optim=replace(config.optim, lr=0.5))
    with pytest.raises(SkelactError, match=r"optim\.lr 0\.02, now 0\.5"):
        train(other, stopped, resume=True)
    another = str(write_actions(tmp_path / "store", clips=32, first=500).folder)
    with pytest.raises(SkelactError, match=r"data, or its division, is another .*--overwrite"):
        train(replace(config, data=another), stopped, resume=True)
    background = write_others(tmp_path / "others", ("wave", "kick"), tuple(range(1, 7)))
    with pytest.raises(SkelactError, match=r"data, or its division, is another .*--overwrite"):
        train(replace(config, background=[background]), stopped, resume=True)
    assert (stopped / "last.pt").read_bytes() == before


def test_a_damaged_checkpoint_is_said(config, stopped):
    content = (stopped / "last.pt").read_bytes()
    try:
        for damaged in (content[: len(content) // 2], b"", b"no torch file"):
            (stopped / "last.pt").write_bytes(damaged)
            with pytest.raises(WeightsError, match=r"last\.pt is damaged"):
                train(config, stopped, resume=True)
    finally:
        (stopped / "last.pt").write_bytes(content)


def test_nothing_to_resume_is_a_beginning(store, tmp_path):
    plain = settings(store, optim=OptimConfig(epochs=1, batch_size=12, lr=0.02))
    one, other = (train(plain, tmp_path / name, resume=resume)
                  for name, resume in (("a", True), ("b", False)))
    assert all(torch.equal(value, other.network.state_dict()[name])
               for name, value in one.network.state_dict().items())


def start(store, run, *words) -> subprocess.Popen:
    """``skelact train`` in a process of its own, once it has written a checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "skelact", "train", store, "-o", str(run), "--device", "cpu",
         "--precision", "fp32", "--clip.frames", "8", "--network.base_channels", "4",
         "--optim.epochs", "6", "--optim.batch_size", "8", "--optim.min_steps", "0",
         "--optim.repeat", "4", "--save_steps", "1", "--test_clips", "1",
         *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"})
    end = time.monotonic() + 120
    while not (run / "last.pt").exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.005)
    return process


def test_a_process_that_is_interrupted_and_one_that_is_killed(store, tmp_path, capsys):
    """Ctrl-C names the command that goes on; SIGKILL leaves a checkpoint to go on from."""
    polite, killed = tmp_path / "my run", tmp_path / "killed"
    process = start(store, polite)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    last = error.strip().splitlines()[-1]
    assert last.startswith("skelact train: stopped at step ")
    assert "Traceback" not in error
    command = shlex.split(last.partition("go on with: ")[2])
    assert command[:2] == ["skelact", "train"]

    process = start(store, killed)
    process.kill()
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert not (killed / "model.pt").exists()
    assert load_model(killed / "last.pt").classes == ("arms", "legs")

    assert main(command[1:]) == 0
    assert main(["train", str(killed / "config.yaml"), "-o", str(killed), "--resume"]) == 0
    assert not list(killed.glob(".*"))
    one, other = (load_model(run / "model.pt").network.state_dict() for run in (polite, killed))
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert "next: skelact recognize" in capsys.readouterr().out


def test_the_form_of_a_clip_is_settled_again_from_the_settings_of_the_run(store, tmp_path):
    """``config.yaml`` has no "auto" left, and resumes the run whose settings had."""
    auto = settings(store, precision="auto", optim=OptimConfig(epochs=1, batch_size=12, lr=0.02),
                    clip=ClipConfig(layout="auto", dims=0, normalise="auto", frames=8))
    run = tmp_path / "run"
    train(auto, run)
    assert main(["train", str(run / "config.yaml"), "-o", str(run), "--resume"]) == 0
    train(auto, run, resume=True)

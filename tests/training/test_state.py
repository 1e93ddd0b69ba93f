"""Where a run stands: captured, written, read back, and stopped at the right moment."""

import os
import signal
import threading

import pytest
import torch
from actions import settings, write_actions

from skelact.config import NetworkConfig, OptimConfig
from skelact.errors import SkelactError, WeightsError
from skelact.training.data import open_data
from skelact.training.distributed import World
from skelact.training.loop import make_network
from skelact.training.state import Stopper, TrainState, catch_stops, read_progress
from skelact.training.step import take_step


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_actions(tmp_path_factory.mktemp("data") / "store").folder


def begin(store, **fields) -> tuple:
    config, data = open_data(settings(store, **({
        "network": NetworkConfig(base_channels=4, dropout=0.2),
        "optim": OptimConfig(batch_size=3, lr=0.01, ema=0.9)} | fields)))
    state = TrainState(config, data, make_network(config, data, World()), World())
    state.network.train()
    return config, state


def go(config, state, steps: int) -> None:
    for _, mixture in zip(range(steps), state.batches, strict=False):
        take_step(config, state, mixture, 2)


@pytest.mark.parametrize("fields", [
    {}, {"precision": "fp16"}, {"precision": "bf16"},
    {"optim": OptimConfig(optimizer="adamw", batch_size=3, lr=0.01, class_weights="balanced")},
])
def test_what_is_captured_goes_on_to_the_same_bits(store, tmp_path, fields):
    config, state = begin(store, **fields)
    source = iter(state.batches)
    for _ in range(2):
        take_step(config, state, next(source), 2)
    state.seconds, state.waited = 4.0, 1.0
    torch.save({"progress": state.capture()}, tmp_path / "last.pt")
    for _ in range(2):
        take_step(config, state, next(source), 2)
    _, again = begin(store, **fields)
    again.restore(read_progress(tmp_path / "last.pt"))
    assert (again.step, again.seconds, again.waited) == (2, 4.0, 1.0)
    go(config, again, 2)
    assert again.step == state.step == 4
    assert torch.equal(again.sums, state.sums)
    for found, expected in ((again.network, state.network), (again.judged, state.judged)):
        for name, value in expected.state_dict().items():
            assert torch.equal(found.state_dict()[name], value), name


def test_other_data_is_refused(store, tmp_path):
    _, state = begin(store)
    progress = state.capture()
    other = write_actions(tmp_path / "other", first=100).folder
    with pytest.raises(SkelactError, match=r"data, or its division, is another .*--overwrite"):
        begin(other)[1].restore(progress)


def test_only_a_run_that_is_under_way_can_be_read(tmp_path):
    path = tmp_path / "last.pt"
    assert read_progress(path) is None
    for content in ({"weights": {}}, torch.ones(3)):
        torch.save(content, path)
        with pytest.raises(SkelactError, match=r"no state to resume from; .*--overwrite"):
            read_progress(path)
    torch.save({"progress": {"step": 3}}, path)
    assert read_progress(path) == {"step": 3}
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(WeightsError, match="damaged"):
        read_progress(path)


def test_the_best_epoch_is_most_accurate_then_least_wrong_then_first(store):
    _, state = begin(store)
    assert state.best_epoch() == 0
    for epoch, (accuracy, loss) in enumerate([(0.5, 1.0), (0.75, 0.9), (0.75, 0.8), (0.75, 0.8),
                                              (0.6, 0.1)], 1):
        state.epoch = epoch
        state.history.append({"epoch": epoch, "val_accuracy": accuracy, "val_loss": loss})
    assert state.best_epoch() == 3
    state.history = [{"epoch": epoch} for epoch in range(1, 6)]
    assert state.best_epoch() == 5


def test_sums_that_are_not_finite_are_said(store):
    _, state = begin(store)
    for bad in (float("nan"), float("inf")):
        state.sums = torch.tensor([bad, 1.0, 2.0], dtype=torch.float64)
        with pytest.raises(SkelactError, match=r"no longer finite in epoch 1; lower --optim\.lr"):
            state.capture()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_is_held_back_once(number):
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    with catch_stops(World()) as stopper:
        assert not stopper.wanted()
        os.kill(os.getpid(), number)
        assert stopper.wanted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert {n: signal.getsignal(n) for n in before} == before


def test_handlers_are_put_back_after_an_error():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), catch_stops(World()):
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_nobody_is_caught():
    found = []

    def work():
        with catch_stops(World()) as stopper:
            found.append(stopper.wanted())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
    assert not Stopper(World()).wanted()

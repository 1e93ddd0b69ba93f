"""Runs that were killed at awkward moments come to the same end."""

import pytest
import torch
from stores import walkers, write_store

from skelact.config import ClipConfig, NetworkConfig, OptimConfig, TrainConfig
from skelact.training import loop
from skelact.training.run_folder import read_history

pytestmark = pytest.mark.usefixtures("no_curves")


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the package may catch it."""


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> TrainConfig:
    store = write_store(tmp_path_factory.mktemp("data") / "store", walkers(20)).folder
    return TrainConfig(
        data=str(store), precision="fp32", device="cpu", test_clips=1, retrain=True,
        clip=ClipConfig(layout="auto", frames=8), network=NetworkConfig(base_channels=4),
        optim=OptimConfig(epochs=2, batch_size=8, lr=0.01))


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory) -> dict[str, torch.Tensor]:
    """The weights of a run that nobody interrupts."""
    return weights(loop.train(config, tmp_path_factory.mktemp("runs") / "whole"))


def weights(model) -> dict[str, torch.Tensor]:
    return model.network.state_dict()


@pytest.mark.parametrize("function", ["log_epoch", "save_state", "finish_run"])
@pytest.mark.parametrize("before", [True, False])
def test_killed_around_every_write(config, whole, tmp_path, monkeypatch, function, before):
    original, model = getattr(loop, function), None
    for start in range(1, 9):  # the first start dies at its first such call, the second at ...
        calls = iter(range(start - 1))

        def write(*arguments, calls=calls):
            dies = next(calls, None) is None
            if not (dies and before):
                original(*arguments)
            if dies:
                raise Killed

        monkeypatch.setattr(loop, function, write)
        try:
            model = loop.train(config, tmp_path, resume=start > 1)
            break
        except Killed:
            assert not (tmp_path / "model.pt").exists()
            (tmp_path / ".last.01234567.part.pt").touch()  # what a killed writer leaves
    assert start > 1
    assert all(torch.equal(value, whole[key]) for key, value in weights(model).items())
    assert len(read_history(tmp_path)) == 2
    assert read_history(tmp_path / "retrain")
    assert not list(tmp_path.rglob(".*"))

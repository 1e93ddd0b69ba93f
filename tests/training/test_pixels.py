"""Training with pixels beside the skeleton, on videos that only colours tell apart."""

import signal
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
import yaml
from actions import settings
from held_things import write_things
from stores import walkers, write_store
from tiny_encoder import tiny

from skelact.config import AugmentConfig, NetworkConfig, OptimConfig
from skelact.errors import ChoiceError, SkelactError, WeightsError
from skelact.models.checkpoint import load_model
from skelact.pixel_config import RgbConfig
from skelact.rgb.encoders import ENCODERS
from skelact.rgb.two_stream import join_pixels
from skelact.training import loop
from skelact.training.data import open_data
from skelact.training.distributed import World
from skelact.training.loop import TrainingStopped, train
from skelact.training.network import make_network

pytestmark = pytest.mark.usefixtures("no_curves")

RGB = RgbConfig(encoder="tsn", frames=2, size=16)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> str:
    return str(write_things(tmp_path_factory.mktemp("data")).folder)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setitem(ENCODERS, "tsn", tiny)


def run_of(store, rgb=RGB, **fields):
    optim = OptimConfig(epochs=2, batch_size=4, lr=0.05, warmup_epochs=0.5)
    return settings(store, rgb=rgb, optim=optim, **fields)


def weights(run, name: str = "model.pt") -> dict[str, torch.Tensor]:
    content = torch.load(run / name, weights_only=True)
    pixels = content.get("pixels", {"weights": {}})["weights"]
    return content["weights"] | {f"pixels {name}": value for name, value in pixels.items()}


def assert_same(run, other, name: str = "model.pt") -> None:
    found, expected = weights(run, name), weights(other, name)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.equal(found[key], value), key


def test_late_fusion_leaves_the_skeleton_as_it_would_be_alone(store, tmp_path, monkeypatch):
    def chancy(**arguments):
        encoder = tiny(**arguments)
        encoder.network.append(torch.nn.Dropout(0.5))
        return encoder

    monkeypatch.setitem(ENCODERS, "tsn", chancy)
    network = NetworkConfig(base_channels=4, dropout=0.3)
    optim = OptimConfig(epochs=2, batch_size=4, lr=0.05, clip_norm=0.1)
    for name, rgb in (("plain", RgbConfig()), ("late", RGB)):
        train(replace(run_of(store, rgb, validate=False, network=network), optim=optim),
              tmp_path / name)
    plain, late = weights(tmp_path / "plain"), weights(tmp_path / "late")
    for name, value in plain.items():
        assert torch.equal(late[name], value), name
    assert any(name.startswith("pixels encoder.") for name in late)


@pytest.mark.parametrize(("fusion", "at"), [("late", 3), ("attention", 2)])
def test_an_interrupted_run_ends_with_the_same_bits(store, tmp_path, monkeypatch, fusion, at):
    config = run_of(store, replace(RGB, fusion=fusion, tune=fusion == "late", drop=0.4),
                    retrain=fusion == "late", augment=AugmentConfig(flip=0.5, jitter=0.02))
    train(config, tmp_path / "whole")
    original, steps = loop.take_step, []

    def take_step(*arguments):
        original(*arguments)
        steps.append(1)
        if len(steps) == at:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "take_step", take_step)
        with pytest.raises(TrainingStopped):
            train(replace(config, save_steps=1), tmp_path / "parts")
    moved = replace(config.rgb, cache=str(tmp_path / "cache"))
    train(replace(config, rgb=moved, workers=2), tmp_path / "parts", resume=True)
    assert_same(tmp_path / "parts", tmp_path / "whole")
    assert_same(tmp_path / "parts", tmp_path / "whole", "last.pt")
    assert list((tmp_path / "cache").rglob("*.npy"))


def test_what_late_fusion_learns_of_validation_is_kept(store, tmp_path):
    config = replace(run_of(store, replace(RGB, tune=True)), optim=OptimConfig(
        epochs=3, repeat=8, batch_size=8, lr=0.1, warmup_epochs=0.5))
    metrics = train(config, tmp_path / "tuned").metrics
    assert metrics["top1_skeleton_alone_whole"] <= 0.75 < metrics["top1"]
    report = (tmp_path / "tuned" / "report.md").read_text()
    assert "| pixels | tsn (official weights), 2 frames of the person, 16 x 16, late" in report
    tuned = join_pixels(load_model(tmp_path / "tuned" / "model.pt"))
    assert tuned.weights.sum() == pytest.approx(1)
    assert tuned.weights[1] > tuned.weights[0]  # only the pixels tell
    train(run_of(store, replace(RGB, fusion="logistic")), tmp_path / "logistic")
    assert join_pixels(load_model(tmp_path / "logistic" / "model.pt")).coefficients.any()


def test_slowfast_is_built_for_the_rates_that_it_is_shown(store, monkeypatch):
    asked = {}

    def remembered(alpha: int = 8, **arguments):
        asked["alpha"] = alpha
        return tiny(**arguments)

    monkeypatch.setitem(ENCODERS, "slowfast", remembered)
    rgb = replace(RGB, encoder="slowfast", sampling="two_rates", frames=1, alpha=4)
    config, data = open_data(run_of(store, rgb))
    make_network(config, data, World())
    assert asked == {"alpha": 4}


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_an_encoder_keeps_its_weights_if_asked(store, tmp_path, monkeypatch, rate):
    begun = {}

    def remembered(**arguments):
        encoder = tiny(**arguments)
        begun.update({name: value.clone() for name, value in encoder.state_dict().items()})
        return encoder

    monkeypatch.setitem(ENCODERS, "tsn", remembered)
    train(run_of(store, replace(RGB, lr=rate)), tmp_path / "run")
    found = weights(tmp_path / "run")
    kept = [torch.equal(found[f"pixels encoder.{name}"], value) for name, value in begun.items()]
    assert all(kept) == (rate == 0.0)


def test_a_checkpoint_tells_no_folders(store, tmp_path):
    rgb = replace(RGB, videos=store.replace("store", "things"), cache=str(tmp_path / "cache"))
    train(run_of(store, rgb), tmp_path / "run")
    said = load_model(tmp_path / "run" / "model.pt").training["rgb"]
    assert (said["videos"], said["cache"], said["encoder"]) == ("things", "cache", "tsn")
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["rgb"]["cache"] == str(
        tmp_path / "cache")


def test_weights_that_are_not_there(store, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match="no weights of resnet18 at"):
        train(run_of(store, replace(RGB, backbone="resnet18", size=32)), tmp_path / "run")
    with pytest.raises(WeightsError, match=r"no model file at .*mine\.pt"):
        train(run_of(store, replace(RGB, weights=str(tmp_path / "mine.pt"), size=32)),
              tmp_path / "run2")


def test_several_processes_are_refused_before_anything_is_removed(store, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "joined", lambda device: nullcontext(World(size=2)))
    (tmp_path / "model.pt").write_bytes(b"an earlier run")
    with pytest.raises(SkelactError, match="by one process as yet; start without torchrun"):
        train(run_of(store), tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


def test_a_store_without_videos(tmp_path):
    plain = write_store(tmp_path / "store", walkers(12)).folder
    with pytest.raises(SkelactError, match="knows the videos of its clips"):
        train(run_of(str(plain), validate=False), tmp_path / "run")


@pytest.mark.parametrize(("rgb", "fields", "message"), [
    ({"fusion": "logistic"}, {"validate": False}, "validation part"),
    ({"tune": True}, {"validate": False}, "validation part"),
    ({"fusion": "gated"}, {"background": ["others"]}, "no pixels, and that would give them away"),
    ({}, {"augment": AugmentConfig(mixup=0.2)}, "pixels are not blended"),
    ({"tune": True, "fusion": "gated"}, {}, r"rgb\.tune weighs late fusion"),
    ({"drop": 1.0}, {}, r"rgb\.drop in 0\.\.0\.99"),
    ({"encoder": "flow"}, {}, r"rgb\.encoder"),
    ({"encoder": "", "region": "hands"}, {}, "nothing looks at them"),
])
def test_settings_that_do_not_go_together(rgb, fields, message):
    with pytest.raises(ChoiceError, match=message):
        run_of("store", replace(RGB, **rgb), **fields)

"""Pixels end to end: from a folder of videos, whose classes only colours tell apart, to names."""

import json
import shlex
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from dots import DotEstimator
from held_things import coloured_video, write_videos
from tiny_encoder import tiny

from skelact.cli.main import main
from skelact.models.checkpoint import load_model
from skelact.pose.estimators import choice
from skelact.rgb.encoders import ENCODERS

pytestmark = pytest.mark.usefixtures("no_curves")

TRAIN = ("train custom --data store --network.base_channels 4 --clip.frames 8 --optim.repeat 8 "
         "--optim.min_steps 0 --optim.epochs 3 --optim.warmup_epochs 0.5 --optim.batch_size 8 "
         "--optim.lr 0.1 --device cpu --precision fp32 --test_clips 1 --rgb.encoder tsn "
         "--rgb.size 16 --rgb.frames 2 -o ")


def run(command: str) -> int:
    return main(shlex.split(command))


class Choice:
    """Stands for a decided estimator."""

    name, layout, identity = "yolo", "coco17", {"estimator": "dots"}

    def __str__(self) -> str:
        return "a decided estimator"

    def load(self) -> DotEstimator:
        return DotEstimator()


@pytest.fixture
def small(monkeypatch, prepared) -> Path:
    """In a folder with a store and its videos; the encoder tsn is a small one."""
    monkeypatch.setattr(choice, "decide_estimator", lambda *_: Choice())
    monkeypatch.setitem(ENCODERS, "tsn", tiny)
    monkeypatch.chdir(prepared)
    return prepared


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("things")
    write_videos(folder / "things")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(choice, "decide_estimator", lambda *_: Choice())
        monkeypatch.chdir(folder)
        assert run("data prepare things --from-videos things -o store") == 0
    return folder


@pytest.fixture(scope="module")
def trained():
    """Trains once for each fusion, in the folder that `small` gives; gives the checkpoint."""
    @cache
    def train(fusion: str) -> str:
        assert run(f"{TRAIN} run_{fusion} --rgb.fusion {fusion}") == 0
        return f"run_{fusion}/model.pt"

    return train


def figures(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


def named(out: Path) -> str:
    (track,) = json.loads(out.read_text())["tracks"]
    return max(track["curves"]["labels"],
               key=lambda label: np.mean(track["curves"]["scores"][
                   track["curves"]["labels"].index(label)]))


@pytest.mark.parametrize("fusion", ["late", "logistic", "attention"])
def test_only_the_pixels_tell(small, trained, fusion, capsys):
    checkpoint = trained(fusion)
    model = load_model(checkpoint)
    assert (model.pixels.fusion, model.pixels.cut.size) == (fusion, 16)
    assert model.metrics["top1"] == 1.0

    assert run(f"evaluate {checkpoint} --data store --split all -o seen_{fusion}") == 0
    assert figures(small / f"seen_{fusion}")["top1"]["value"] == 1.0
    capsys.readouterr()
    assert run(f"evaluate {checkpoint} --data store --split all --no-rgb") == 0
    assert "asked by the skeleton alone" in capsys.readouterr().out

    for colour in ("lemon", "plum"):  # a walk that was in no training clip
        coloured_video(small / f"{fusion}_{colour}.mp4", colour, start=17, frames=32)
        assert run(f"recognize {fusion}_{colour}.mp4 --model {checkpoint} -o {fusion}_{colour}.json"
                   ) == 0
        assert named(small / f"{fusion}_{colour}.json") == colour


def test_a_pose_file_and_its_video(small, trained, capsys):
    checkpoint = trained("late")
    command = f"recognize store.poses/lemon/0.npz --model {checkpoint} -o"
    assert run(f"{command} with.json") == 0
    assert run(f"{command} without.json --no-rgb") == 0
    capsys.readouterr()
    shutil.move(small / "things", small / "elsewhere")
    try:
        assert run(f"{command} gone.json") == 0
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "is not here: the skeleton alone decides" in said
        assert run(f"{command} asked.json --rgb") == 2
        assert "pass the video itself" in capsys.readouterr().err
        # where they are can be said
        assert run(f"evaluate {checkpoint} --data store --split all") == 0
        assert "no clip has its video here" in capsys.readouterr().out
        assert run(f"evaluate {checkpoint} --data store --split all --videos elsewhere -o moved"
                   ) == 0
        assert figures(small / "moved")["top1"]["value"] == 1.0
        assert run(f"{TRAIN} run2") == 2
        assert "pass the folder of the videos (--rgb.videos DIR" in capsys.readouterr().err
        assert run(f"{TRAIN} run2 --rgb.videos elsewhere --optim.epochs 1") == 0
    finally:
        shutil.move(small / "elsewhere", small / "things")
    assert named(small / "with.json") == "lemon"
    gone, alone = (json.loads((small / name).read_text()) for name in ("gone.json", "without.json"))
    assert gone["tracks"] == alone["tracks"] != json.loads(
        (small / "with.json").read_text())["tracks"]


def test_a_model_of_skeletons_looks_at_no_pixels(small, capsys):
    coloured_video(small / "one.mp4", "plum")
    assert run("recognize one.mp4 --rgb") == 2
    assert "looks at skeletons; train one with --rgb.encoder" in capsys.readouterr().err

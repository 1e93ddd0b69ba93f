"""``skelact train``: presets, overrides, several runs, and a real one."""

import json
import os
import subprocess
import sys
from dataclasses import asdict

import pytest
import yaml
from actions import write_actions, write_others

from skelact.cli.main import main
from skelact.cli.train import parse
from skelact.config import TrainConfig
from skelact.evaluation.fusion import fuse_runs
from skelact.models.checkpoint import load_model
from skelact.presets import find_preset

QUICK = ["--optim.epochs", "1", "--optim.batch_size", "12", "--clip.frames", "8",
         "--network.base_channels", "4", "--precision", "fp32", "--device", "cpu",
         "--test_clips", "1", "--optim.min_steps", "0", "--optim.repeat", "1"]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> str:
    return str(write_actions(tmp_path_factory.mktemp("data") / "store").folder)


def test_the_preset_may_stand_anywhere_and_words_override_it():
    order = parse(["penn_action"])
    assert (order.output, order.overwrite, order.resume) == ("runs/penn_action", False, False)
    assert (order.seeds, order.streams, order.fusion) == (1, (), ())
    values = yaml.safe_load(find_preset("penn_action")[0].read_text())
    assert order.config.optim.epochs == values["optim"]["epochs"]
    order = parse(["--optim.lr", "0.05", "-o", "run", "penn_action", "--overwrite", "--seed=3"])
    assert (order.config.optim.lr, order.config.seed) == (0.05, 3)
    assert (order.output, order.overwrite) == ("run", True)
    assert parse(["penn_action", "--resume"]).resume


def test_a_recipe_comes_over_the_preset_and_words_over_both():
    order = parse(["nw_ucla", "--optim.lr", "0.3", "--recipe", "ctrgcn"])
    assert order.config.dataset == "nw_ucla"
    assert order.config.optim.schedule == "step"
    assert order.config.optim.milestones == [35, 55]
    assert order.config.optim.lr == 0.3
    given = parse(["nw_ucla", "--recipe", "ctrgcn", "--optim.milestones", "[10, 20]",
                   "--validate", "false"])
    assert given.config.optim.milestones == [10, 20]
    assert given.config.validate is False


def test_files_of_values(tmp_path):
    preset, more = tmp_path / "mine.yaml", tmp_path / "more.yaml"
    preset.write_text("seed: 4\noptim:\n  lr: 0.3\n  epochs: 5\n")
    more.write_text("optim:\n  lr: 0.2\n")
    order = parse([str(preset)])
    assert (order.config.seed, order.config.optim.lr, order.config.optim.epochs) == (4, 0.3, 5)
    assert order.output == "runs/mine"
    config = parse(["--config", str(more), str(preset), "--seed", "9"]).config
    assert (config.seed, config.optim.lr, config.optim.epochs) == (9, 0.2, 5)
    everything = tmp_path / "all.yaml"
    everything.write_text(yaml.safe_dump(asdict(config)))
    assert parse([str(everything)]).config == config


def test_a_store_needs_no_preset(store, tmp_path):
    order = parse([store])
    assert order.config.data == store
    assert order.config.clip == parse(["custom"]).config.clip
    assert order.output == "runs/store"
    named = write_actions(tmp_path / "here.store", clips=4, name="utd_mhad").folder
    order = parse([str(named), "--seed", "2"])
    assert (order.config.dataset, order.config.data) == ("utd_mhad", str(named))
    assert order.config.optim == parse(["utd_mhad"]).config.optim


@pytest.mark.parametrize("words", [
    ["--background", "a", "--background", "b"], ["--background=a", "--background=b"],
    ["--background", "[a, b]"],
])
def test_background_stores_once_each_or_as_a_list(words):
    assert parse(["penn_action", *words]).config.background == ["a", "b"]


def test_streams_seeds_and_weights():
    order = parse(["custom", "--streams", "joint,bone", "--fusion", "2:1", "--seeds", "3"])
    assert (order.streams, order.fusion, order.seeds) == (("joint", "bone"), (2.0, 1.0), 3)


@pytest.mark.parametrize(("words", "message"), [
    ([], "the following arguments are required: preset"),
    (["pen_action"], "expected a preset out of"),
    (["absent.store"], "got 'absent.store'; there is no folder absent.store"),
    (["videos"], "skelact data prepare videos --from-videos videos -o videos.store"),
    (["clip.mp4"], "a file; put videos into one folder a class"),
    (["absent.yaml"], "no preset file absent.yaml"),
    (["penn_action", "--recipe", "ctr"], "expected a recipe to be one of ctrgcn"),
    (["penn_action", "--optim.lr", "fast"], "--optim.lr: expected a number; got fast"),
    (["custom", "--rgb.encoder", "tns"], "--rgb.encoder: expected one of '', 'tsn', 'tsm'"),
    (["penn_action", "--optim.lr", "-1"], "expected lr from 0, got -1.0"),
    (["penn_action", "--optim.speed", "1"], "unrecognized arguments: --optim.speed"),
    (["penn_action", "--network.name", "resnet"], "resnet"),
    (["penn_action", "--validate", "false", "--retrain", "true"], "pass --validate true"),
    (["unknown.yaml"], "does not accept option 'speed'"),
    (["wrong.yaml"], "expected a whole number; got many"),
    (["broken.yaml"], "Problems parsing config"),
    (["custom"], "pass --data STORE"),
    (["ntu60"], "expected a store at ntu60.store; there is none. ntu60 is NTU RGB+D, 3-D, 60 "
     "actions. Get it from https://rose1.ntu.edu.sg/dataset/actionRecognition"),
    (["ntu60"], "Then: skelact data prepare ntu60 --raw DIR -o ntu60.store"),
    (["penn_action", "--data", "absent"], "expected a store at absent; there is none. penn_action"),
    (["penn_action", "--data", "absent", "--device", "abacus"], "got 'abacus'"),
    (["penn_action", "--data", "absent", "-o", "broken.yaml"], "broken.yaml is a file"),
    (["penn_action", "--overwrite", "--resume"], "pass one of them"),
    (["custom", "--streams", "joint,bones"], "a stream"),
    (["custom", "--streams", "joint,joint"], "every stream once"),
    (["custom", "--streams", "joint,bone", "--fusion", "1"], "one weight a stream"),
    (["custom", "--fusion", "2:1"], "one weight a stream"),
    (["custom", "--streams", "joint,bone", "--fusion", "a:b"], "2:2:1:1, got 'a:b'"),
    (["custom", "--seeds", "0"], "seeds from 1"),
])
def test_wrong_use_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SKELACT_DATA", raising=False)
    (tmp_path / "videos" / "clap").mkdir(parents=True)
    (tmp_path / "clip.mp4").touch()
    (tmp_path / "unknown.yaml").write_text("optim:\n  speed: 1\n")
    (tmp_path / "wrong.yaml").write_text("optim:\n  epochs: many\n")
    (tmp_path / "broken.yaml").write_text("optim: [1\n")
    before = sorted(os.listdir())
    try:
        code = main(["train", *words])
    except SystemExit as exit_:
        code = exit_.code
    assert code == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("skelact train: ")
    assert message in line
    assert sorted(os.listdir()) == before


def test_the_help_explains_every_setting(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["train", "--help"])
    assert exit_.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for words in ("--background", "give it once a store, or as a list", "Highest learning rate",
                  "run folder (default: runs/PRESET)", "holding a pose is none", "--streams",
                  "--recipe", "good_practices", "train N times from --seed on", "--resume"):
        assert words in text
    for name in TrainConfig.__dataclass_fields__:
        assert f"--{name}" in text


def test_a_real_run_on_a_store_of_ones_own(store, tmp_path):
    others = write_others(tmp_path / "others")
    done = subprocess.run(
        [sys.executable, "-m", "skelact", "train", store, "--background", others, "-o", "run",
         *QUICK], cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "wrote run/model.pt and report.md; next: skelact recognize VIDEO" in done.stdout
    doubt = "and naming the most frequent class, arms, every time makes 3 right."
    assert doubt in done.stderr  # after one epoch of a tiny network
    assert doubt in (tmp_path / "run" / "report.md").read_text()
    settings = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert settings["clip"]["frames"] == 8
    assert settings["data"] == store
    assert load_model(tmp_path / "run" / "model.pt").rejects


def test_two_seeds_and_two_streams_are_four_runs_fused_and_summed_up(store, tmp_path, capsys):
    run = tmp_path / "run"
    words = ["train", store, "-o", str(run), "--seeds", "2", "--streams", "joint,bone",
             "--fusion", "1:3", *QUICK]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "2 seeds" in said
    summary = json.loads((run / "summary.json").read_text())
    assert summary["folders"] == [f"seed{seed}/{stream}" for seed in (0, 1)
                                  for stream in ("joint", "bone")]
    for folder in summary["folders"]:
        model = load_model(run / folder / "model.pt")
        assert folder == f"seed{model.training['seed']}/{model.clip.stream}"
    fused = fuse_runs([run / "seed1" / stream for stream in ("joint", "bone")], (1, 3))
    assert summary["accuracies"]["fused"][1]["top1"] == fused.accuracies()["top1"]
    assert summary["num_clips"] == 6
    assert main([*words, "--resume"]) == 0  # nothing is left to do
    assert main(words) == 2
    assert "pass --resume to go on" in capsys.readouterr().err

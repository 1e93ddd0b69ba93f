"""``skelact train``: presets, overrides, and a real run."""

import json
import os
import subprocess
import sys

import pytest
import yaml
from archives import write_penn_action, write_utd_mhad

from skelact.cli.main import main
from skelact.cli.train import parse
from skelact.config import find_preset


def test_the_preset_may_stand_anywhere_and_words_override_it():
    config, output, overwrite = parse(["penn_action"])
    assert (output, overwrite) == ("runs/latest", False)
    assert config.optim.epochs == yaml.safe_load(
        find_preset("penn_action").read_text())["optim"]["epochs"]
    config, output, overwrite = parse(["--optim.lr", "0.05", "-o", "run", "penn_action",
                                       "--overwrite", "--seed=3"])
    assert (config.optim.lr, config.seed, output, overwrite) == (0.05, 3, "run", True)


def test_files_of_values(tmp_path):
    preset, more = tmp_path / "mine.yaml", tmp_path / "more.yaml"
    preset.write_text("seed: 4\noptim:\n  lr: 0.3\n  epochs: 5\n")
    more.write_text("optim:\n  lr: 0.2\n")
    config, *_ = parse([str(preset)])
    assert (config.seed, config.optim.lr, config.optim.epochs) == (4, 0.3, 5)
    config, *_ = parse(["--config", str(more), str(preset), "--seed", "9"])
    assert (config.seed, config.optim.lr, config.optim.epochs) == (9, 0.2, 5)


@pytest.mark.parametrize("words", [
    ["--background", "a", "--background", "b"], ["--background=a", "--background=b"],
    ["--background", "[a, b]"],
])
def test_background_folders_once_each_or_as_a_list(words):
    config, *_ = parse(["penn_action", *words])
    assert config.background == ["a", "b"]


@pytest.mark.parametrize(("words", "message"), [
    ([], "the following arguments are required: preset"),
    (["pen_action"], "expected a preset out of"),
    (["absent.yaml"], "no preset file absent.yaml"),
    (["penn_action", "--optim.lr", "fast"], '"optim.lr": Expected a float. Got value: fast'),
    (["penn_action", "--optim.lr", "-1"], "expected lr from 0, got -1.0"),
    (["penn_action", "--optim.speed", "1"], "unrecognized arguments: --optim.speed"),
    (["penn_action", "--network.name", "resnet"], "resnet"),
    (["unknown.yaml"], "does not accept option 'speed'"),
    (["wrong.yaml"], "Expected a int. Got value: many"),
    (["broken.yaml"], "Problems parsing config"),
    (["penn_action"], "pass --data FOLDER"),
    (["penn_action", "--data", "absent"], "at absent; found neither. penn_action is Penn "
     "Action, 2-D, 15 actions. Get it from https://"),
    (["penn_action", "--data", "absent", "--device", "abacus"], "got 'abacus'"),
    (["penn_action", "--data", "absent", "-o", "broken.yaml"], "broken.yaml is a file"),
])
def test_wrong_use_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
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
    for words in ("--background", "give it once a folder, or as a list", "Highest learning rate",
                  "run folder (default: runs/latest)", "holding a pose is none"):
        assert words in text


def test_a_real_run(tmp_path):
    penn = write_penn_action(tmp_path / "penn", train=24, test=4)
    others = write_utd_mhad(tmp_path / "utd")
    words = ["train", "penn_action", "--data", str(penn), "--background", str(others), "-o", "run",
             "--optim.epochs", "1", "--optim.batch_size", "12", "--clip.frames", "8",
             "--network.base_channels", "4", "--precision", "fp32", "--device", "cpu"]
    done = subprocess.run([sys.executable, "-m", "skelact", *words], cwd=tmp_path, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "next: skelact recognize VIDEO --model run/model.pt" in done.stdout
    assert json.loads((tmp_path / "run" / "config.json").read_text())["clip"]["frames"] == 8
    assert (tmp_path / "run" / "model.pt").is_file()

"""Presets and recipes: found anywhere, values only, and those that were published."""

import subprocess
import sys
import zipfile
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest
import yaml
from stores import walkers, write_store

from skelact.cli.train import parse
from skelact.config import AugmentConfig, TrainConfig
from skelact.datasets.catalog import CATALOG
from skelact.datasets.splits import protocols
from skelact.errors import ChoiceError
from skelact.presets import find_preset, find_recipe, presets, recipes

ROOT = Path(__file__).parents[1]
NAMED = {"ntu60", "ntu120", "kinetics_skeleton", "nw_ucla", "utd_mhad", "msr_action3d",
         "penn_action", "precog16", "custom", "transfer"}


def read(*words: str) -> TrainConfig:
    return parse(list(words)).config


def test_there_is_a_preset_for_every_data_set_that_is_named():
    assert set(presets()) == NAMED
    assert set(presets()) == {path.stem for path in (ROOT / "configs").glob("*.yaml")}
    assert set(recipes()) == {"good_practices", "ctrgcn", "stgcn_vanilla", "robust"}
    assert find_preset("penn_action") == (ROOT / "configs" / "penn_action.yaml", None)
    assert find_recipe("ctrgcn") == ROOT / "configs" / "recipes" / "ctrgcn.yaml"


@pytest.mark.parametrize("name", sorted(NAMED))
def test_presets_are_settings_of_their_data_set(name):
    config = read(name)
    assert config.data is None  # a preset knows no folder of anybody's machine
    assert config.seed == 0
    if name not in ("custom", "transfer"):
        assert config.dataset == name
        assert name in CATALOG
        assert not config.protocol or config.protocol.startswith("kfold") or (
            config.protocol in protocols(name))
    assert config.clip.layout in ("auto", "penn13")


@pytest.mark.parametrize("name", ["ntu60", "ntu120"])
def test_ntu_presets_are_the_recipe_of_good_practices(name):
    assert read(name) == read(name, "--recipe", "good_practices")


@pytest.mark.parametrize("recipe", sorted(["good_practices", "ctrgcn", "stgcn_vanilla"]))
def test_a_recipe_is_the_same_over_any_preset(recipe):
    """Nothing of the preset's own way to train is left: else it is not what was published."""
    over = [asdict(read(name, "--recipe", recipe)) for name in sorted(NAMED)]
    own = {"others", "still", "max_frame_step"}  # of a background, and of what happens to nobody
    for config in over[1:]:
        assert config["optim"] == over[0]["optim"]
        assert config["network"]["dropout"] == over[0]["network"]["dropout"]
        for name, value in config["augment"].items():
            assert name in own or value == over[0]["augment"][name], name
        for name in ("frames", "sampling", "people"):
            assert config["clip"][name] == over[0]["clip"][name]
        assert config["test_clips"] == over[0]["test_clips"]


@pytest.mark.parametrize("name", sorted(NAMED))
def test_robust_is_the_preset_with_damage(name):
    plain, robust = read(name), read(name, "--recipe", "robust")
    assert robust.augment.damage > plain.augment.damage == 0
    assert replace(robust, augment=replace(robust.augment, damage=0.0)) == plain


@pytest.mark.parametrize("recipe", sorted(["good_practices", "ctrgcn", "stgcn_vanilla"]))
def test_a_recipe_leaves_nothing_of_a_file_that_uses_everything(recipe, tmp_path):
    own = {"others", "still", "max_frame_step"}
    augment = {field.name: 0.3 for field in fields(AugmentConfig) if field.name not in own}
    optim = {"schedule": "step", "milestones": [3], "class_weights": "balanced", "ema": 0.9,
             "clip_norm": 2.0, "label_smoothing": 0.2, "optimizer": "adamw", "nesterov": False}
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({"optim": optim, "augment": augment}))
    mine, plain = read(str(file), "--recipe", recipe), read("custom", "--recipe", recipe)
    assert mine.optim == plain.optim
    assert mine.augment == plain.augment


@pytest.mark.parametrize(("recipe", "values"), [
    ("good_practices", {
        "optim": {"optimizer": "sgd", "lr": 0.1, "lr_batch": 128, "batch_size": 128,
                  "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4, "epochs": 16,
                  "repeat": 5, "warmup_epochs": 0, "schedule": "cosine", "clip_norm": 0},
        "clip": {"frames": 100, "sampling": "uniform", "people": 2, "normalise": "auto"},
        "augment": {"crop": 1, "flip": 0, "rotate": 0, "jitter": 0, "mixup": 0},
        "test_clips": 10}),
    ("ctrgcn", {
        "optim": {"optimizer": "sgd", "lr": 0.1, "batch_size": 64, "weight_decay": 4e-4,
                  "epochs": 65, "warmup_epochs": 5, "schedule": "step", "milestones": [35, 55],
                  "repeat": 1, "nesterov": True},
        "clip": {"frames": 64, "sampling": "resize", "people": 2},
        "augment": {"crop": 0.5, "rotate": pytest.approx(17.2, abs=0.02), "flip": 0, "scale": 0},
        "test_clips": 1}),
    ("stgcn_vanilla", {
        "optim": {"optimizer": "sgd", "lr": 0.1, "weight_decay": 1e-4, "nesterov": False,
                  "schedule": "step", "epochs": 80, "milestones": [80 * 2 / 16, 80 * 10 / 16],
                  "warmup_epochs": 0},
        "clip": {"frames": 300, "sampling": "pad"},
        "network": {"dropout": 0.5, "absent": "zeros", "name": "stgcn"},
        "augment": {"crop": 1, "flip": 0, "rotate": 0}}),
])
def test_recipes_hold_the_published_values(recipe, values):
    config = asdict(read("ntu60", "--recipe", recipe))
    for name, value in values.items():
        if isinstance(value, dict):
            assert {key: config[name][key] for key in value} == value
        else:
            assert config[name] == value


def test_a_file_of_values_may_lie_anywhere(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("seed: 4\n")
    assert find_preset(str(file)) == (file, None)
    with pytest.raises(ChoiceError, match=r"no preset file .*absent\.yml"):
        find_preset(str(tmp_path / "absent.yml"))
    with pytest.raises(ChoiceError, match=r"a preset out of .*penn_action.* got 'pen_action'"):
        find_preset("pen_action")
    with pytest.raises(ChoiceError, match=r"a recipe .*ctrgcn.* got 'ctr_gcn'"):
        find_recipe("ctr_gcn")


@pytest.mark.parametrize(("name", "preset"), [("gym", "custom"), ("utd_mhad", "utd_mhad"),
                                              ("custom", "custom")])
def test_a_store_takes_the_preset_of_its_data_set(tmp_path, name, preset):
    store = write_store(tmp_path / "store", walkers(4), name)
    assert find_preset(str(store.folder)) == (presets()[preset], str(store.folder))


def test_a_damaged_header_is_left_to_who_opens_the_store(tmp_path):
    for text in ("{", "[]", '{"name": 3}', ""):
        (tmp_path / "dataset.json").write_text(text)
        assert find_preset(str(tmp_path)) == (presets()["custom"], str(tmp_path))


def test_presets_and_recipes_are_values_of_settings_only():
    for file in (*presets().values(), *recipes().values()):
        values = yaml.safe_load(file.read_text())
        assert set(values) <= set(TrainConfig.__dataclass_fields__)
        assert file.read_text().startswith("#"), f"{file} says where its values are from"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    program = ("import hatchling.build, os, sys; os.chdir(sys.argv[1]); "
               "hatchling.build.build_wheel(sys.argv[2])")
    done = subprocess.run([sys.executable, "-c", program, str(ROOT), str(folder)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_a_wheel_holds_presets_layouts_and_weights(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    configs = {path.relative_to(ROOT) for path in (ROOT / "configs").rglob("*.yaml")}
    assert {f"skelact/{path.as_posix()}" for path in configs} <= names
    layouts = ROOT / "skelact" / "graph" / "builtin"
    assert {f"skelact/graph/builtin/{path.name}" for path in layouts.glob("*.yaml")} <= names
    assert "skelact/models/weights/penn_action_stgcn.pt" in names
    assert "skelact/models/weights/LICENSE" in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]


def test_presets_are_found_from_an_installed_wheel(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = ("import sys; sys.path.insert(0, sys.argv[1]); import skelact.presets as p; "
               "print(p.__file__); print(p.find_preset('penn_action')[0]); "
               "print(p.find_recipe('ctrgcn'))")
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "site")], cwd=tmp_path,
                          capture_output=True, text=True, check=True)
    module, preset, recipe = map(Path, done.stdout.splitlines())
    package = tmp_path / "site" / "skelact"
    assert module == package / "presets.py"
    assert preset == package / "configs" / "penn_action.yaml"
    assert recipe == package / "configs" / "recipes" / "ctrgcn.yaml"
    assert preset.is_file()
    assert recipe.is_file()

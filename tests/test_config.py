"""Settings, presets, and what an installed wheel holds of them."""

import subprocess
import sys
import zipfile
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from skelact.config import (
    AugmentConfig,
    ClipConfig,
    NetworkConfig,
    OptimConfig,
    TrainConfig,
    find_preset,
    presets,
)
from skelact.errors import ChoiceError

ROOT = Path(__file__).parents[1]


def test_presets_are_found_from_a_checkout():
    assert set(presets()) == {path.stem for path in (ROOT / "configs").glob("*.yaml")}
    assert find_preset("penn_action").read_bytes() == (
        ROOT / "configs" / "penn_action.yaml").read_bytes()


@pytest.mark.parametrize("name", presets())
def test_presets_hold_values_of_settings_only(name):
    kinds = {"clip": ClipConfig, "network": NetworkConfig, "optim": OptimConfig,
             "augment": AugmentConfig}
    values = yaml.safe_load(find_preset(name).read_text())
    config = TrainConfig(**{key: kinds[key](**value) if key in kinds else value
                            for key, value in values.items()})
    assert config.data is None  # a preset knows no folder of anybody's machine


def test_a_file_of_values_may_lie_anywhere(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("seed: 4\n")
    assert find_preset(str(file)) == file
    with pytest.raises(ChoiceError, match=r"no preset file .*absent\.yml"):
        find_preset(str(tmp_path / "absent.yml"))
    with pytest.raises(ChoiceError, match=r"a preset out of .*penn_action.* got 'pen_action'"):
        find_preset("pen_action")


@pytest.mark.parametrize(("kind", "name", "bad"), [
    (OptimConfig, "lr", (0.0, -1.0, float("nan"), float("inf"))),
    (OptimConfig, "epochs", (0,)),
    (OptimConfig, "batch_size", (0,)),
    (OptimConfig, "momentum", (0.0, 1.0)),
    (OptimConfig, "label_smoothing", (-0.1, 1.0)),
    (AugmentConfig, "crop", (0.0, 1.1)),
    (AugmentConfig, "max_frame_step", (1,)),
    (AugmentConfig, "flip", (-0.1, 1.1, float("nan"))),
    (AugmentConfig, "scale", (1.0,)),
    (AugmentConfig, "others", (-1.0, float("inf"))),
    (ClipConfig, "frames", (0, 1)),
    (ClipConfig, "min_confidence", (2.0,)),
    (ClipConfig, "window", (0.0,)),
    (NetworkConfig, "dropout", (1.0,)),
    (NetworkConfig, "base_channels", (0,)),
    (TrainConfig, "held_out", (1.0, -0.1)),
    (TrainConfig, "seed", (-1,)),
    (TrainConfig, "precision", ("fp8",)),
    (TrainConfig, "background", ("folder",)),
])
def test_values_out_of_range_are_refused_by_name(kind, name, bad):
    for value in bad:
        with pytest.raises(ChoiceError, match=name):
            kind(**{name: value})


def test_every_setting_is_documented():
    source = (ROOT / "skelact" / "config.py").read_text().splitlines()
    for kind in (OptimConfig, AugmentConfig, ClipConfig, NetworkConfig, TrainConfig):
        for field in fields(kind):
            line = next(i for i, text in enumerate(source)
                        if text.startswith(f"    {field.name}: "))
            assert source[line + 1].startswith('    """'), field.name


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
    assert {f"skelact/configs/{path.name}" for path in (ROOT / "configs").iterdir()} <= names
    layouts = ROOT / "skelact" / "graph" / "builtin"
    assert {f"skelact/graph/builtin/{path.name}" for path in layouts.glob("*.yaml")} <= names
    assert "skelact/models/weights/penn_action_stgcn.pt" in names
    assert "skelact/models/weights/LICENSE" in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]


def test_presets_are_found_from_an_installed_wheel(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = ("import sys; sys.path.insert(0, sys.argv[1]); import skelact.config as c; "
               "print(c.__file__); print(c.find_preset('penn_action'))")
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "site")], cwd=tmp_path,
                          capture_output=True, text=True, check=True)
    module, preset = map(Path, done.stdout.splitlines())
    assert module == tmp_path / "site" / "skelact" / "config.py"
    assert preset == tmp_path / "site" / "skelact" / "configs" / "penn_action.yaml"
    assert preset.is_file()

"""The presets and recipes in ``configs/``: YAML files of values.

A preset has the values for one data set, a recipe those of one way to train. They are
found from a checkout and from an installed wheel alike.
"""

import json
from importlib import resources
from pathlib import Path

from skelact.checks import check_choice, closest
from skelact.errors import ChoiceError


def presets() -> dict[str, Path]:
    """Names and files of the presets that ship with skelact."""
    return {path.stem: path for path in sorted(_folder().glob("*.yaml"))}


def recipes() -> dict[str, Path]:
    """Names and files of the recipes that ship with skelact."""
    return {path.stem: path for path in sorted((_folder() / "recipes").glob("*.yaml"))}


def find_preset(word: str) -> tuple[Path, str | None]:
    """The YAML file that a word means, and the store if the word is one.

    Args:
        word: A name, a ``.yaml`` file, or the folder of a store: that takes the preset named like
            its data set, or ``custom``.

    Raises:
        ChoiceError: It is none of them.
    """
    known = presets()
    if word in known:
        return known[word], None
    if word.endswith((".yaml", ".yml")):
        if Path(word).is_file():
            return Path(word), None
        raise ChoiceError(f"no preset file {word}")
    header = Path(word) / "dataset.json"
    if header.is_file():
        return known.get(_name_of(header), known["custom"]), word
    raise ChoiceError(f"expected a preset out of {', '.join(known)}, a .yaml file, or the folder "
                      f"of a store that `skelact data prepare` made; got {word!r}"
                      f"{_why_no_store(word)}")


def _why_no_store(word: str) -> str:
    """What a path is that was given for a store, and what makes a store of it."""
    path = Path(word)
    if path.is_dir():
        name = path.name or "mydata"
        return (f", a folder that is no store. Of videos in one folder a class, `skelact data "
                f"prepare {name} --from-videos {word} -o {name}.store` makes one")
    if path.is_file():
        return ", a file; put videos into one folder a class, DIR/CLASS/*.mp4, and pass DIR to " \
               "`skelact data prepare NAME --from-videos DIR -o NAME.store`"
    return f"; there is no folder {word}" if word.endswith(".store") else ""


def find_recipe(name: str) -> Path:
    """The YAML file of a recipe.

    Raises:
        ChoiceError: There is no such recipe.
    """
    known = recipes()
    check_choice(name, tuple(known), "a recipe")
    return known[name]


def find_label_map(word: str | Path) -> Path:
    """The YAML file of a label map, by its name in ``configs/label_maps`` or by its path.

    Raises:
        ChoiceError: There is no such label map.
    """
    if str(word).endswith((".yaml", ".yml")):
        if Path(word).is_file():
            return Path(word)
        beside = [path.name for path in Path(word).parent.glob("*.y*ml")]
        raise ChoiceError(f"no label map file {word}{closest(Path(word).name, beside)}")
    known = {path.stem: path for path in sorted((_folder() / "label_maps").glob("*.yaml"))}
    check_choice(str(word), tuple(known), "a label map (or a .yaml file)")
    return known[str(word)]


def detector_noise_file() -> Path:
    """The YAML file of measured detector noise that ships with skelact."""
    return _folder() / "detector_noise" / "yolo11n.yaml"


def _name_of(header: Path) -> str:
    """The data set that a store says it is; a damaged one is refused when it is opened."""
    try:
        return json.loads(header.read_text(encoding="utf-8")).get("name", "")
    except (OSError, ValueError, AttributeError):
        return ""


def _folder() -> Path:
    inside = Path(str(resources.files("skelact"))) / "configs"  # in an installed wheel
    return inside if inside.is_dir() else inside.parents[1] / "configs"  # in a checkout

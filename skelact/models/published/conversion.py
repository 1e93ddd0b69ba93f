"""Making a checkpoint of ours from published weights: the form of clip they were trained on.

Weights do not say how their clips were made. Each publisher has one way, which follows here from
the publisher, the skeleton and the channels; every part of it can be overridden.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from skelact.checks import check_choice
from skelact.config import ClipConfig
from skelact.errors import ChoiceError, WeightsError, one_line
from skelact.graph.layouts import Layout, get_layout
from skelact.models.checkpoint import ActionModel
from skelact.models.published import build_published, read_state
from skelact.models.published.reading import Reading
from skelact.transforms.clip_form import settle_form

IN_METRES = ("ntu25", "kinect20", "utd20", "msr20", "smpl24", "h36m17")
"""Skeletons of which published weights were trained on 3-D joints."""
_PYSKL = {"sampling": "uniform", "frames": 100, "people": 2}
_PADDED = {"sampling": "pad", "frames": 300, "people": 2, "window": 10.0}
_FORMS = {
    ("pyskl", 3): _PYSKL | {"normalise": "canonical_z"},
    ("pyskl", 2): _PYSKL | {"normalise": "image", "bones": "pyskl"},
    ("st-gcn", 3): _PADDED | {"normalise": "none"},
    ("st-gcn", 2): _PADDED | {"normalise": "image_half"},
    ("2s-agcn", 3): _PADDED | {"normalise": "canonical_z"},
    ("2s-agcn", 2): _PADDED | {"normalise": "image_half"},
    ("ctr-gcn", 3): {"frames": 64, "people": 2, "normalise": "spine"},
}
"""What differs from the defaults of `ClipConfig`, by publisher and dimensions."""
_GESTURES = {"sampling": "uniform", "frames": 10, "people": 1, "window": 1.0,
             "normalise": "image_corner"}
"""pyskl's demonstration of hand gestures: parts of the image, ten frames, one hand."""
_SURE = 0.01
"""pyskl takes joints of less confidence for missing."""


def find_publisher(path: str | Path, reading: Reading) -> str:
    """Whose code wrote a file of weights, by how it names them.

    Args:
        path: The file.
        reading: What `read_published` gave for it.

    Returns:
        ``pyskl``, ``st-gcn``, ``ctr-gcn``, or ``2s-agcn`` for it and for MS-G3D, which takes the
        same data.
    """
    first = next(iter(read_state(path))).partition(".")[0]
    if first in ("backbone", "cls_head"):
        return "pyskl"
    if reading.network == "stgcn":
        return "st-gcn"
    return "ctr-gcn" if reading.network == "ctrgcn" else "2s-agcn"


def published_clip(
    publisher: str, channels: int, layout: Layout | str, dims: int = 0
) -> ClipConfig:
    """The form of clip that published weights were trained on, as far as is known.

    Args:
        publisher: See `find_publisher`.
        channels: C of the network's input.
        layout: The skeleton that they were trained on.
        dims: 2 or 3, or 0 for what was published with this skeleton.

    Raises:
        ChoiceError: Their clips have channels that no recording gives, or are of a kind that the
            publisher did not train on.
    """
    layout = get_layout(layout)
    check_choice(dims, (0, 2, 3), "dims")
    if channels not in (2, 3):
        raise ChoiceError(f"expected a network of 2 or 3 channels (x, y and confidence, or x, y, "
                          f"z), got one of {channels}; load_published gives it for clips of your "
                          "own making")
    dims = dims or (3 if channels == 3 and layout.name in IN_METRES else 2)
    form = _FORMS.get((publisher, dims))
    if publisher == "pyskl" and layout.name == "hand21" and dims == 2:
        form = _GESTURES
    if form is None:
        raise ChoiceError(f"{publisher} published no {dims}-D weights; pass --clip.dims "
                          f"{5 - dims}")
    seen = {"confidence": channels == 3, "min_confidence": _SURE} if dims == 2 else {}
    return ClipConfig(layout=layout.name, dims=dims, **form, **seen)


def convert_published(
    path: str | Path, reading: Reading, clip: ClipConfig, classes: Sequence[str] = (),
    threshold: float = 0.0, /, **overrides,
) -> ActionModel:
    """A model for `skelact.models.checkpoint.save_model` from published weights.

    Args:
        path: Where they come from.
        reading: What `read_published` gave.
        clip: The form of a clip; see `published_clip`.
        classes: Names of the classes; by default ``class_0``, ``class_1``, ...
        threshold: Least probability that names an action. Published networks know no "none of
            these", so with 0 everything gets a name.
        overrides: Arguments of the network's function.

    Raises:
        ChoiceError: The names are not as many as the classes or not different, or the form of
            the clips contradicts itself or does not fit the network.
        WeightsError: As for `load_published`.
    """
    try:
        network = build_published(path, reading, clip.layout, **overrides)
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError) as error:
        given = ", ".join(f"{name}={value!r}" for name, value in overrides.items())
        raise WeightsError(f"{reading.network} cannot be built with {given} "
                           f"({one_line(error)})") from error
    clip = settle_form(clip, network.layout, clip.dims, images=True)
    classes = _check_classes(classes, network.head.out_features)
    if clip.channels != network.in_channels:
        raise ChoiceError(f"expected clips of {network.in_channels} channels for this network, got "
                          f"{clip.channels}; --clip.confidence tells x, y from x, y, confidence, "
                          "and --clip.dims 2-D from 3-D")
    slots = network.input_norm.slots
    if 0 < slots < clip.people:
        raise ChoiceError(f"expected at most {slots} people: this network normalises each person "
                          f"slot apart; got --clip.people {clip.people}")
    if not 0 <= threshold <= 1:
        raise ChoiceError(f"expected a threshold in 0..1, got {threshold}")
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return ActionModel(
        network=network, classes=classes, clip=clip, architecture=network.architecture,
        threshold=threshold, training={"assumptions": list(reading.assumptions)},
        data={"name": f"as {find_publisher(path, reading)} published", "file": Path(path).name,
              "sha256": digest},
    )


def _check_classes(classes: Sequence[str], count: int) -> tuple[str, ...]:
    """The names, made up where there are none.

    Raises:
        ChoiceError: They are not as many as the scores of the network, or not different.
    """
    if not classes:
        return tuple(f"class_{number}" for number in range(count))
    if len(classes) != count:
        raise ChoiceError(f"expected the names of {count} classes, got {len(classes)}: "
                          f"{', '.join(classes[:3])}, ...")
    if len(set(classes)) < count:
        twice = next(name for name in classes if list(classes).count(name) > 1)
        raise ChoiceError(f"expected {count} different class names, got {twice!r} twice")
    return tuple(classes)

"""Settings as frozen dataclasses, and the presets that fill them.

A field's docstring is its ``--help``. Presets are YAML files of values in ``configs/``; they are
found from a checkout and from an installed wheel alike.
"""

import math
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Literal

from skelact.checks import check_choice
from skelact.errors import ChoiceError


@dataclass(frozen=True)
class OptimConfig:
    """SGD with Nesterov momentum, linear warm-up and a cosine to zero."""

    lr: float = 0.1
    """Highest learning rate, for the batch size given here."""
    momentum: float = 0.9
    """Nesterov momentum."""
    weight_decay: float = 5e-4
    """L2 penalty on weights (not on biases, norms and edge importances)."""
    batch_size: int = 64
    """Labelled clips a step."""
    epochs: int = 60
    """Passes over the training clips."""
    warmup_epochs: float = 2.0
    """Epochs of linear warm-up."""
    label_smoothing: float = 0.1
    """Share of the target spread over all classes."""
    clip_norm: float = 5.0
    """Longest gradient; 0 for no limit."""

    def __post_init__(self) -> None:
        _check_range(self, ("batch_size", "epochs"), 1)
        _check_range(self, ("lr", "weight_decay", "warmup_epochs", "clip_norm"), 0)
        _check_range(self, ("momentum", "label_smoothing"), 0, 0.999)
        if not self.lr > 0 or not self.momentum > 0:
            raise ChoiceError(f"expected lr and momentum above 0, got {self.lr}, {self.momentum}")


@dataclass(frozen=True)
class AugmentConfig:
    """What may happen to a training clip, so that detected joints look familiar."""

    crop: float = 0.5
    """Shortest time crop, as a share of the clip."""
    max_frame_step: int = 6
    """Coarsest frame rate: keep every n-th frame, n up to this (30 fps / 6 = 5 fps)."""
    low_rate: float = 0.3
    """Share of clips that get a lower frame rate."""
    flip: float = 0.5
    """Share of clips mirrored, left and right swapped."""
    swap_sides: float = 0.1
    """Share of clips whose left and right joints are exchanged without a mirror."""
    rotate: float = 15.0
    """Largest rotation in the image, degrees."""
    scale: float = 0.25
    """Largest change of size, as a share."""
    stretch: float = 0.15
    """Largest change of width against height, as a share."""
    jitter: float = 0.03
    """Largest standard deviation of joint noise, in body sizes."""
    bias: float = 0.03
    """Largest standard deviation, in body sizes, of a shift that each joint keeps for a whole clip:
    detectors, sensors and annotators do not agree where a joint is."""
    camera: float = 0.3
    """Share of clips seen by a camera that pans and zooms."""
    drop_joint: float = 0.05
    """Chance of every joint to be missing for a whole clip."""
    drop_part: float = 0.2
    """Share of clips that lose an arm, a leg, both legs or the head."""
    drop_span: float = 0.2
    """Share of clips that lose all joints for a short while."""
    others: float = 0.4
    """Clips from `background` a labelled clip; without a background, none."""
    still: float = 0.15
    """Share of the labelled clips of which an instant is shown once more, stretched to a whole
    clip, as "no known action": holding a pose is none. Only with a background."""

    def __post_init__(self) -> None:
        shares = ("low_rate", "flip", "swap_sides", "drop_joint", "drop_part", "drop_span", "still",
                  "camera")
        _check_range(self, shares, 0, 1)
        _check_range(self, ("crop",), 0.01, 1)
        _check_range(self, ("max_frame_step",), 2)
        _check_range(self, ("scale", "stretch"), 0, 0.99)
        _check_range(self, ("rotate", "jitter", "bias", "others"), 0)


@dataclass(frozen=True)
class ClipConfig:
    """The form in which joints enter the network."""

    layout: str = "penn13"
    """The skeleton of the network; auto for that of the data."""
    frames: int = 64
    """Frames of a clip; any window is resampled by time to this number."""
    min_confidence: float = 0.1
    """Joints found with less confidence count as missing."""
    window: float = 2.5
    """Seconds of one window when an untrimmed recording is recognized."""

    def __post_init__(self) -> None:
        _check_range(self, ("frames",), 2)
        _check_range(self, ("min_confidence",), 0, 1)
        _check_range(self, ("window",), 0.1)


@dataclass(frozen=True)
class NetworkConfig:
    """The network and its sizes."""

    name: Literal["stgcn"] = "stgcn"
    """Which network of `skelact.models`."""
    base_channels: int = 64
    """Width of the first layers."""
    partition: str = "spatial"
    """Partition of the graph."""
    dropout: float = 0.2
    """Share of features zeroed in training."""

    def __post_init__(self) -> None:
        _check_range(self, ("base_channels",), 1)
        _check_range(self, ("dropout",), 0, 0.99)


@dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    data: str | None = None
    """Folder of the labelled data: a store that `skelact data prepare` made, or the published
    `labels` folder of Penn Action."""
    protocol: str = ""
    """Which protocol of a store divides it into train, val and test (xsub, xview, kfold5-1, ...;
    `skelact data info` lists them); by default its first."""
    background: list[str] = field(default_factory=list)
    """Folders of other data sets (UTD-MHAD, NW-UCLA), whose clips of other actions teach the
    network to say "no known action"; give it once a folder, or as a list."""
    held_out: float = 0.06
    """Share of the training clips kept back, stratified, to set the rejection threshold; a store
    keeps its own val part back."""
    seed: int = 0
    """Seed of the weights, the order and the augmentation."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Arithmetic of the products; auto takes bf16 where it is native."""
    device: str = "auto"
    """cpu, cuda or auto."""
    clip: ClipConfig = field(default_factory=ClipConfig)
    """The form of a clip."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """The network."""
    optim: OptimConfig = field(default_factory=OptimConfig)
    """The optimisation."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    """The augmentation."""

    def __post_init__(self) -> None:
        if isinstance(self.background, str):
            raise ChoiceError(f"expected background as a list of folders, got {self.background!r}")
        check_choice(self.precision, ("auto", "fp32", "bf16"), "precision")
        _check_range(self, ("held_out",), 0, 0.9)
        _check_range(self, ("seed",), 0)


def _check_range(config, names: tuple[str, ...], low: float, high: float = math.inf) -> None:
    """Refuse values outside ``low``..``high``, NaN and infinity included.

    Raises:
        ChoiceError: A value is outside.
    """
    for name in names:
        value = getattr(config, name)
        if not low <= value <= high or value == math.inf:
            limits = f"from {low}" if high == math.inf else f"in {low}..{high}"
            raise ChoiceError(f"expected {name} {limits}, got {value}")


def presets() -> dict[str, Path]:
    """Names and files of the presets that ship with skelact."""
    inside = Path(str(resources.files("skelact"))) / "configs"  # in an installed wheel
    folder = inside if inside.is_dir() else inside.parents[1] / "configs"  # in a checkout
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def find_preset(name: str) -> Path:
    """The YAML file of a preset, by name or by path.

    Raises:
        ChoiceError: There is no such preset or file.
    """
    if name.endswith((".yaml", ".yml")):
        if Path(name).is_file():
            return Path(name)
        raise ChoiceError(f"no preset file {name}")
    known = presets()
    if name not in known:
        raise ChoiceError(f"expected a preset out of {', '.join(known)} or a .yaml file; "
                          f"got {name!r}")
    return known[name]

"""Settings as frozen dataclasses, and the presets that fill them.

A field's docstring is its ``--help``. Presets are YAML files of values in ``configs/``; they are
found from a checkout and from an installed wheel alike.
"""

from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Literal

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
    drop_joint: float = 0.05
    """Chance of every joint to be missing for a whole clip."""
    drop_part: float = 0.2
    """Share of clips that lose an arm, a leg, both legs or the head."""
    drop_span: float = 0.2
    """Share of clips that lose all joints for a short while."""


@dataclass(frozen=True)
class ClipConfig:
    """The form in which joints enter the network."""

    layout: str = "penn13"
    """The skeleton of the network."""
    frames: int = 64
    """Frames of a clip; any window is resampled by time to this number."""
    min_confidence: float = 0.1
    """Joints found with less confidence count as missing."""
    window: float = 2.5
    """Seconds of one window when an untrimmed recording is recognized."""


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


@dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    data: str | None = None
    """Folder of the labelled data set."""
    dataset: Literal["penn_action"] = "penn_action"
    """What the folder holds."""
    background: list[str] = field(default_factory=list)
    """Folders of other data sets whose clips show none of the classes (UTD-MHAD, NW-UCLA);
    they teach the network to say "no known action"."""
    held_out: float = 0.06
    """Share of the training clips kept back, stratified, to set the rejection threshold."""
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

"""Fine-tuning: weights of another network to start from, and layers that keep them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from inspect import signature
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from skelact.config import ClipConfig
from skelact.errors import ChoiceError, WeightsError
from skelact.models.checkpoint import NETWORKS, ActionModel, load_model
from skelact.models.classifier import SkeletonClassifier
from skelact.models.published import load_published, read_published
from skelact.models.torch_file import read_torch_file

_READS_CHANNELS = ("input_norm.", "layers.0.")
"""Where weights have a shape that follows from the channels of the clips."""


@dataclass(frozen=True)
class Transfer:
    """What a network took over; `print` it.

    Args:
        source: The file.
        taken: Names of the weights and statistics that were taken.
        fresh: Names of those that stay as they were initialised.
        notes: What differs between then and now without being in the way.
    """

    source: str
    taken: tuple[str, ...]
    fresh: tuple[str, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        head = "head.weight" in self.taken
        text = (f"started from {self.source}: {len(self.taken)} tensors taken, the head "
                f"{'included' if head else 'is new'}")
        if others := [name for name in self.fresh if not name.startswith("head.")]:
            text += f"; also new: {', '.join(others)}"
        return "\n".join([text, *(f"  {note}" for note in self.notes)])


def init_from(
    network: SkeletonClassifier, path: str | Path, classes: Sequence[str] = (),
    rejects: bool = False, clip: ClipConfig | None = None,
) -> Transfer:
    """Give a fresh network the weights of a checkpoint.

    The head is taken where the checkpoint is ours and its classes have the same names (in any
    order), else it is new: published weights do not name their classes. Where the clips have
    another number of channels, the input norm and what reads them are new too.

    Args:
        network: As the run built it; changed in place.
        path: One of our checkpoints, or what `load_published` reads.
        classes: Names of the run's classes.
        rejects: Whether the run's network has a score more, for "no known action".
        clip: The form of the run's clips, to note how that of the checkpoint differs.

    Raises:
        WeightsError: The file cannot be used, or is for another network, width, graph or skeleton;
            the message names both sides, and the options that would make the run fit.
    """
    model = _load(path, network)
    source = model.network if isinstance(model, ActionModel) else model
    _check_same_network(source, network, path)
    ours, theirs = network.state_dict(), source.state_dict()
    body = {name: value for name, value in theirs.items() if not name.startswith("head.")}
    if source.in_channels != network.in_channels:
        body = {name: value for name, value in body.items() if name not in ours
                or ours[name].shape == value.shape or not name.startswith(_READS_CHANNELS)}
    weights = body | _head(model, classes, rejects)
    _check_fit(weights, ours, path)
    network.load_state_dict(ours | weights)
    # an edge without an importance of its own counts as 1, which is what the fresh ones are
    fresh = [name for name in ours if name not in weights and "edge_importance" not in name]
    return Transfer(str(path), tuple(weights), tuple(fresh), tuple(_notes(model, network, clip)))


def read_architecture(path: str | Path) -> dict:
    """Which network a checkpoint is for: ``{"name": ..., "arguments": ...}``.

    Args:
        path: One of our checkpoints, or what `load_published` reads.

    Raises:
        WeightsError: The file cannot be used.
    """
    content = read_torch_file(path)
    if isinstance(content, dict) and "architecture" in content:
        return content["architecture"]
    reading = read_published(path)
    return {"name": reading.network, "arguments": reading.arguments}


def freeze(
    network: SkeletonClassifier, layers: int = 0, norm: bool = False, fresh: Collection[str] = ()
) -> None:
    """Say which weights training leaves alone; `train_mode` does the same for statistics.

    Args:
        network: Its frozen parameters no longer require gradients.
        layers: The input norm and so many layers, from the first, are frozen; 0 for none.
        norm: Every batch norm keeps its statistics. Its scale and shift are learned nevertheless
            (but for those of frozen layers): with fixed statistics they are an affine map like any
            other.
        fresh: Names of weights that were not initialised from anything; see `Transfer`.

    Raises:
        ChoiceError: The network has fewer layers, or weights to be frozen are fresh.
    """
    depth = len(network.layers)
    if not 0 <= layers <= depth:
        raise ChoiceError(f"expected --network.freeze_layers from 0 to {depth}, the layers of this "
                          f"network; got {layers}")
    frozen = ("input_norm.", *(f"layers.{layer}." for layer in range(layers)))
    if layers and (random := [name for name in fresh if name.startswith(frozen)]):
        raise ChoiceError(f"--network.freeze_layers {layers} would freeze weights that the "
                          f"checkpoint does not have: {', '.join(random)}; leave it out")
    for module in _frozen_modules(network, layers):
        module.requires_grad_(False)


def train_mode(network: SkeletonClassifier, layers: int = 0, norm: bool = False) -> None:
    """``network.train()`` for a network that is partly frozen; call it instead, every epoch.

    Frozen layers stay in eval mode: fixed statistics, no dropout.

    Args:
        network: The network, not wrapped for distributed training.
        layers: As for `freeze`.
        norm: As for `freeze`.
    """
    network.train()
    for module in _frozen_modules(network, layers):
        module.eval()
    if norm:
        for module in network.modules():
            if isinstance(module, _BatchNorm):
                module.eval()


def _frozen_modules(network: SkeletonClassifier, layers: int) -> Iterator[nn.Module]:
    if layers:
        yield network.input_norm
        yield from list(network.layers)[:layers]


def _load(path: str | Path, network: SkeletonClassifier) -> ActionModel | SkeletonClassifier:
    content = read_torch_file(path)
    if isinstance(content, dict) and "architecture" in content:
        return load_model(path)
    try:
        published = load_published(path, network.layout)
    except WeightsError as error:
        raise WeightsError(f"{error}; this run is on {network.layout.name} (--clip.layout names "
                           "another skeleton)") from error
    if not all(torch.isfinite(value).all() for value in published.state_dict().values()):
        raise WeightsError(f"some weights in {path} are not finite")
    return published


def _check_same_network(
    source: SkeletonClassifier, network: SkeletonClassifier, path: str | Path
) -> None:
    """Refuse what differs in one of the options of a run."""
    theirs, ours = _options(source), _options(network)
    different = [option for option in theirs
                 if option in ours and theirs[option] != ours[option]]
    if different:
        raise WeightsError("{} cannot start this run: it has {}, the run has {}; pass {}".format(
            path, *(", ".join(f"{option} {side[option]}" for option in different)
                    for side in (theirs, ours)),
            " ".join(f"--{option} {theirs[option]}" for option in different)))
    if source.layout.joints != network.layout.joints:
        raise WeightsError(f"{path} cannot start this run: its layout {source.layout.name!r} has "
                           f"the joints {', '.join(source.layout.joints)}, the run's has "
                           f"{', '.join(network.layout.joints)}")


def _options(network: SkeletonClassifier) -> dict[str, str | int | None]:
    """What a run can choose about a network, by the name of the option."""
    options = {"clip.layout": network.layout.name}
    if network.architecture is None:  # built by hand: only shapes can tell
        return options
    name, arguments = network.architecture["name"], network.architecture["arguments"]
    for option, parameter in signature(NETWORKS[name]).parameters.items():
        value = arguments.get(option, parameter.default)
        if option in ("partition", "base_channels") and value:  # empty: the network's own
            options[f"network.{option}"] = value
    return {"network.name": name, **options}


def _check_fit(weights: dict[str, Tensor], ours: dict[str, Tensor], path: str | Path) -> None:
    """Refuse a variant that no option of a run can name (another depth, kernel, ...)."""
    for name, value in weights.items():
        if name not in ours or ours[name].shape != value.shape:
            here = list(ours[name].shape) if name in ours else "no such weight"
            raise WeightsError(f"{path} is for another variant of the network: its {name} is "
                               f"{list(value.shape)}, the run's {here}")
    if lacking := _layers(ours) - _layers(weights):
        raise WeightsError(f"{path} is for another variant of the network: it lacks the layers "
                           f"{', '.join(map(str, sorted(lacking)))}")


def _layers(names: Iterable[str]) -> set[int]:
    return {int(name.split(".")[1]) for name in names if name.startswith("layers.")}


def _head(
    model: ActionModel | SkeletonClassifier, classes: Sequence[str], rejects: bool
) -> dict[str, Tensor]:
    """Its head, in the order of these classes; nothing where the classes are others."""
    if not isinstance(model, ActionModel) or model.rejects != rejects or (
            sorted(model.classes) != sorted(classes)):
        return {}
    order = [model.classes.index(name) for name in classes] + [len(classes)] * rejects
    return {f"head.{name}": value[order]
            for name, value in model.network.head.state_dict().items()}


def _notes(
    model: ActionModel | SkeletonClassifier, network: SkeletonClassifier, clip: ClipConfig | None
) -> Iterator[str]:
    theirs = model.network if isinstance(model, ActionModel) else model
    if theirs.absent != network.absent:
        yield (f"it was trained with --network.absent {theirs.absent}, this run has "
               f"{network.absent}")
    if isinstance(model, ActionModel) and clip is not None:
        for option in (field.name for field in fields(clip)):
            then, now = getattr(model.clip, option), getattr(clip, option)
            if then != now and option in ("dims", "normalise", "stream", "sampling", "bones",
                                          "confidence"):
                yield f"it was trained with --clip.{option} {then}, this run has {now}"

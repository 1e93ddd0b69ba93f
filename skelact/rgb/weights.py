"""Where weights of encoders come from: published ones, a file, or nowhere, and then asked for.

Nothing is downloaded that was not asked for, and no network is left untrained in silence.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from skelact.errors import MissingDependencyError, WeightsError, one_line
from skelact.models.torch_file import read_torch_file
from skelact.pose.estimators.weights import is_offline
from skelact.rgb.encoder import VideoEncoder

State = dict[str, Tensor]
HEADS = ("fc.", "classifier.", "head.")
"""How the classifying layers of torchvision's networks begin; an encoder has none."""


def import_torchvision() -> ModuleType:
    """torchvision, whose networks the encoders are made of.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        import torchvision
    except ImportError as error:
        raise MissingDependencyError(
            f"encoders of video need the package {error.name}: pip install 'skelact[rgb]' (take "
            "torch and torchvision from the same index)"
        ) from error
    return torchvision


def build_filled(
    build: Callable[[State | None], VideoEncoder], weights: str | Path, name: str | None,
    download: bool = False,
) -> VideoEncoder:
    """An encoder with the weights that were asked for.

    Args:
        build: Makes the encoder of the state of its published network; None leaves it random.
        weights: ``official``, ``random``, or a file: the state dict of an encoder, or of the
            network that it is made of (whose classifying layer is left out).
        name: The network as torchvision calls it; None where it publishes no weights.
        download: Fetch official weights that are not in torch's cache.

    Raises:
        WeightsError: The weights are not there, or are those of something else.
    """
    if weights == "random":
        return build(None)
    if weights == "official":
        return build(read_official(name, download))
    state = read_state(weights)
    try:
        if not any(key.startswith("network.") for key in state):
            return build(state)
        encoder = build(None)
        fill(encoder, state)
    except WeightsError as error:
        raise WeightsError(f"{weights} does not fit: {error}") from error
    return encoder


def read_official(name: str | None, download: bool = False) -> State:
    """The weights that torchvision publishes for a network, out of torch's cache.

    Args:
        name: Of the network.
        download: Let torchvision fetch them where they are not there.

    Raises:
        WeightsError: They are not there, or damaged, or there are none.
    """
    if name is None:
        raise WeightsError("this encoder has no published weights that skelact can find; pass "
                           "weights=FILE with a state dict, or weights='random' to train it from "
                           "nothing")
    published = import_torchvision().models.get_model_weights(name).DEFAULT
    path = Path(torch.hub.get_dir(), "checkpoints", published.url.rsplit("/", 1)[-1])
    if not path.is_file():
        _fetch(published, name, path, download)
    wanted = re.search(r"-([0-9a-f]{8,})\.", path.name)
    found = _sha256(path)
    if wanted and not found.startswith(wanted[1]):
        raise WeightsError(f"{path} is damaged: expected a SHA-256 that begins with {wanted[1]}, "
                           f"got {found[:8]}; remove it and fetch {published.url} again")
    return read_torch_file(path)


def read_state(path: str | Path) -> State:
    """The state dict in a file; nothing in it is executed.

    Raises:
        WeightsError: The file is missing, damaged, unsafe, or holds no state dict.
    """
    content = read_torch_file(path)
    for key in ("state_dict", "model_state", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()
    ):
        raise WeightsError(f"{path} holds no state dict (names and tensors); save one by "
                           "torch.save(network.state_dict(), path)")
    return {key.removeprefix("module."): value for key, value in content.items()}


def fill(network: nn.Module, state: State, heads: tuple[str, ...] = ()) -> None:
    """Load a state dict, all of it, apart from classifying layers.

    Args:
        network: Where to.
        state: The weights.
        heads: How the names of the layers begin that are left as they are.

    Raises:
        WeightsError: A name is missing or too many, a shape differs, or a weight is not finite.
    """
    own = network.state_dict()
    wanted = {k for k in own if not k.startswith(heads)} if heads else set(own)
    given = {k for k in state if not k.startswith(heads)} if heads else set(state)
    missing = sorted(k for k in wanted - given if not k.endswith("num_batches_tracked"))
    extra = sorted(given - wanted)
    other = sorted(k for k in wanted & given if own[k].shape != state[k].shape)
    if missing or extra or other:
        example = (missing or extra or other)[0]
        raise WeightsError(f"expected the weights of {type(network).__name__}, got others: "
                           f"{len(missing)} are missing, {len(extra)} too many and {len(other)} of "
                           f"another shape, such as {example}")
    if not all(state[k].isfinite().all() for k in wanted & given):
        raise WeightsError("some weights are not finite")
    network.load_state_dict({k: state[k] for k in wanted & given}, strict=False)


def _fetch(published, name: str, path: Path, download: bool) -> None:
    """Have torchvision download weights into torch's cache."""
    otherwise = ("weights=FILE takes a state dict, and weights='random' starts untrained "
                 "(in commands: --rgb.weights FILE or random)")
    if not download or is_offline():
        how = ("SKELACT_OFFLINE forbids downloading" if download
               else "download=True fetches it")
        raise WeightsError(f"no weights of {name} at {path}: put {published.url} there, or "
                           f"{how}; {otherwise}")
    try:
        published.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        raise WeightsError(f"cannot download {published.url} ({one_line(error)}); put it at "
                           f"{path}; {otherwise}") from error


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

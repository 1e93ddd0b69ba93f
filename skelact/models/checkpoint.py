"""Self-contained checkpoints: everything that recognizing and evaluating need, in one file."""

import platform
from dataclasses import asdict, dataclass, field, replace
from inspect import signature
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from skelact.config import ClipConfig
from skelact.device import choose_device
from skelact.errors import SkelactError, WeightsError, one_line
from skelact.graph.layouts import Layout
from skelact.models.aa_gcn import aagcn
from skelact.models.classifier import SkeletonClassifier, action_probabilities
from skelact.models.ctr_gcn import ctrgcn
from skelact.models.dg_stgcn import dgstgcn
from skelact.models.inference import for_inference
from skelact.models.joint_lstm import lstm
from skelact.models.joint_transformer import transformer
from skelact.models.ms_g3d import msg3d
from skelact.models.st_gcn import stgcn
from skelact.models.st_gcn_pp import stgcnpp
from skelact.models.torch_file import read_torch_file
from skelact.output import atomic_write
from skelact.pixel_config import PixelCut
from skelact.version import __version__

FORMAT_VERSION = 1
NETWORKS = {
    "stgcn": stgcn,
    "stgcnpp": stgcnpp,
    "dgstgcn": dgstgcn,
    "ctrgcn": ctrgcn,
    "aagcn": aagcn,
    "msg3d": msg3d,
    "lstm": lstm,
    "transformer": transformer,
}
"""The functions that build a network, by the name that a checkpoint stores."""
DEFAULT_MODEL = Path(__file__).parent / "weights" / "penn_action_stgcn.pt"


@dataclass(frozen=True, eq=False)
class PixelPart:
    """What a model has beside its skeleton network, to look at pixels with.

    It is kept as weights: what sees a skeleton alone needs no encoder of video.
    `skelact.rgb.two_stream.join_pixels` builds it.

    Args:
        cut: Which pixels it wants.
        encoder: Name of the encoder.
        arguments: Those of its function.
        fusion: How the two are fused.
        weights: All but those of the skeleton network.
    """

    cut: PixelCut
    encoder: str
    arguments: dict
    fusion: str
    weights: dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class ActionModel:
    """A trained network with all that is needed to use it.

    Args:
        network: Scores ``[B, M, N, C, T]`` clips.
        classes: Names of the actions. With ``rejects``, the network has one score more, the last,
            for "no known action".
        clip: The form in which joints enter the network.
        architecture: ``{"name": ..., "arguments": ...}``; rebuilds the network.
        rejects: Whether the network has that last score.
        threshold: An action is named only when its probability reaches this.
        metrics: How well it does, with conditions.
        training: The settings that it was trained with.
        data: What it was trained on (name, counts, fingerprint, terms).
        name: What to call it in results; the name of its file.
        pixels: What looks at pixels beside the skeleton; None for a model of skeletons. Without
            pixels ``network`` scores by the skeleton alone.
    """

    network: SkeletonClassifier
    classes: tuple[str, ...]
    clip: ClipConfig
    architecture: dict
    rejects: bool = False
    threshold: float = 0.0
    metrics: dict = field(default_factory=dict)
    training: dict = field(default_factory=dict)
    data: dict = field(default_factory=dict)
    name: str = ""
    pixels: PixelPart | None = None

    @property
    def layout(self) -> Layout:
        """The skeleton that the network takes."""
        return self.network.layout

    def for_inference(
        self, dtype: torch.dtype | None = None, compile: bool | str = False
    ) -> "ActionModel":
        """The same model with a faster network; see `skelact.models.inference.for_inference`."""
        return replace(self, network=for_inference(self.network, dtype, compile))

    @torch.inference_mode()
    def probabilities(self, clips: Tensor) -> np.ndarray:
        """``[B, classes]`` probability of every action (without that of "no known action").

        Args:
            clips: ``[B, M, N, C, T]`` in the form that ``clip`` says.
        """
        device = next(self.network.parameters()).device
        scores = self.network.eval()(clips.to(device))
        return action_probabilities(scores, len(self.classes)).cpu().numpy()


def build_network(architecture: dict, layout: Layout) -> SkeletonClassifier:
    """The network that an architecture names, with fresh weights; it remembers the architecture.

    Raises:
        WeightsError: This skelact has no such network, or it takes other arguments.
    """
    name = architecture.get("name")
    if name not in NETWORKS:
        raise WeightsError(f"expected a network out of {', '.join(NETWORKS)}; got {name!r}")
    build, arguments = NETWORKS[name], architecture["arguments"]
    if unknown := set(arguments) - set(signature(build).parameters):
        raise WeightsError(f"this skelact's {name} takes no {', '.join(sorted(unknown))}; it takes "
                           f"{', '.join(signature(build).parameters)}")
    try:
        network = build(layout, **arguments)
    except TypeError as error:
        raise WeightsError(f"the checkpoint does not fit this skelact's {name}: {error}") from error
    network.architecture = architecture
    return network


def save_model(
    model: ActionModel, path: str | Path, overwrite: bool = False,
    dtype: torch.dtype | None = None, progress: dict | None = None,
) -> Path:
    """Write a model as one self-contained file, atomically.

    Args:
        model: What to save.
        path: The ``.pt`` to write.
        overwrite: Replace an existing file.
        dtype: Store floating-point weights in this type (``torch.float16`` halves the file).
        progress: Where its training stands, of tensors and plain values; kept beside the model.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
        WeightsError: The weights do not fit ``dtype``, or a field holds values (such as numpy's)
            that could not be read back safely.
    """
    content = _describe(model, dtype)
    if progress is not None:
        content["progress"] = progress
    if not all(torch.isfinite(value).all() for value in _all_weights(content)):
        raise WeightsError(f"some weights are not finite{f' as {dtype}' if dtype else ''}; "
                           "nothing was written")
    with atomic_write(path, overwrite) as temporary:
        torch.save(content, temporary)
        read_torch_file(temporary)
    return Path(path)


def _describe(model: ActionModel, dtype: torch.dtype | None) -> dict:
    """All of a model as tensors and plain values."""
    layout = model.layout
    return {
        "format_version": FORMAT_VERSION,
        "architecture": model.architecture,
        "layout": {
            "name": layout.name, "joints": list(layout.joints), "parents": list(layout.parents),
            "flip_pairs": [list(pair) for pair in layout.flip_pairs],
        },
        "classes": list(model.classes),
        "clip": asdict(model.clip),
        "rejects": model.rejects,
        "threshold": model.threshold,
        "metrics": model.metrics,
        "training": model.training,
        "data": model.data,
        "versions": {"skelact": __version__, "torch": str(torch.__version__),
                     "python": platform.python_version()},
        "weights": _stored(model.network.state_dict(), dtype),
        **({} if model.pixels is None else {"pixels": {
            **vars(model.pixels), "cut": asdict(model.pixels.cut),
            "weights": _stored(model.pixels.weights, dtype)}}),
    }


def _stored(weights: dict[str, Tensor], dtype: torch.dtype | None) -> dict[str, Tensor]:
    return {key: value.to("cpu", dtype if value.is_floating_point() else None)
            for key, value in weights.items()}


def _all_weights(content: dict) -> list[Tensor]:
    """Those of the skeleton network, and of what looks at pixels."""
    return [*content["weights"].values(), *content.get("pixels", {}).get("weights", {}).values()]


def load_model(path: str | Path | None = None, device: str = "cpu") -> ActionModel:
    """Read a checkpoint; nothing in it is executed.

    Args:
        path: The file; None for the model that ships with skelact (15 actions of Penn Action).
        device: Where to put the network: ``cpu``, ``cuda``, ... or ``auto``.

    Returns:
        The model in eval mode, in float32.

    Raises:
        WeightsError: The file is missing, damaged, unsafe, or no skelact checkpoint.
        ChoiceError: This machine has no such device.
    """
    path = Path(path or DEFAULT_MODEL)
    target = choose_device(device)
    if not path.is_file():
        inside = path / "model.pt"
        raise WeightsError(f"no model at {path}; " + (
            f"in that folder there is {inside}" if inside.is_file() else
            "`skelact train` writes one"))
    content = read_torch_file(path)
    if not isinstance(content, dict) or "architecture" not in content:
        raise WeightsError(f"{path} is no skelact checkpoint; of published weights, `skelact "
                           f"models convert {path} --layout LAYOUT -o model.pt` makes one (in "
                           "Python: skelact.models.published.load_published)")
    version = content.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise WeightsError(f"{path} has checkpoint format {version!r}, this skelact reads up to "
                           f"{FORMAT_VERSION}; update skelact")
    try:
        return _restore(content, path.stem, target)
    except KeyError as error:
        raise WeightsError(f"{path} is not a whole skelact checkpoint: it lacks {error}") from error
    except (TypeError, ValueError, RuntimeError, AttributeError, SkelactError) as error:
        raise WeightsError(f"{path} is not a whole skelact checkpoint: "
                           f"{one_line(error)}") from error


def _restore(content: dict, name: str, device: torch.device) -> ActionModel:
    stored = content["layout"]
    layout = Layout(stored["name"], stored["joints"], stored["parents"],
                    tuple(map(tuple, stored["flip_pairs"])))
    network = build_network(content["architecture"], layout)
    network.load_state_dict(content["weights"])
    if not all(torch.isfinite(value).all() for value in _all_weights(content)):
        raise WeightsError("some weights are not finite")
    scores = len(content["classes"]) + bool(content["rejects"])
    if network.head.out_features != scores:
        raise WeightsError(f"expected a network of {scores} scores for "
                           f"{len(content['classes'])} classes, got {network.head.out_features}")
    return ActionModel(
        network=_freeze(network).to(device),
        classes=tuple(content["classes"]),
        clip=ClipConfig(**{"dims": 2} | content["clip"]),  # the first checkpoints were all 2-D
        architecture=content["architecture"],
        rejects=bool(content["rejects"]),
        threshold=float(content["threshold"]),
        metrics=content["metrics"],
        training=content["training"],
        data=content["data"],
        name=name,
        pixels=_restore_pixels(content["pixels"]) if "pixels" in content else None,
    )


def _restore_pixels(stored: dict) -> PixelPart:
    weights = {name: value.float() if value.is_floating_point() else value
               for name, value in stored["weights"].items()}
    return PixelPart(**stored | {"cut": PixelCut(**stored["cut"]), "weights": weights})


def _freeze(network: nn.Module) -> nn.Module:
    return network.eval().requires_grad_(False)

"""What a figure depends on: whether clips fit a model, what it may have seen before, versions."""

import hashlib
import platform
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from skelact.config import BY_IMAGE
from skelact.datasets.arrays import ClipArrays
from skelact.datasets.splits import select_rows
from skelact.datasets.store import Store
from skelact.errors import SkelactError
from skelact.models.checkpoint import ActionModel
from skelact.transforms.remap import plan_remap
from skelact.version import __version__


def check_form(model: ActionModel, arrays: ClipArrays) -> None:
    """Refuse clips that lack what the model looks at.

    Raises:
        SkelactError: 2-D clips for a 3-D model, or none in an image for one that needs it.
    """
    if model.clip.dims == 3 and arrays.dims == 2:
        raise SkelactError(f"the model {model.name or ''} takes 3-D joints, and these clips are "
                           "2-D, which have no depth; take a model that was trained on 2-D joints "
                           "(--clip.dims 2 trains one on 3-D data, too)")
    sized = arrays.image_size is not None and bool((arrays.image_size > 0).all())
    if model.clip.normalise in BY_IMAGE and not (arrays.dims == 2 and sized):
        raise SkelactError(f"the model {model.name or ''} places joints in the image "
                           f"(clip.normalise {model.clip.normalise}), and these clips are in none "
                           "of known size; take a model that was trained with --clip.normalise "
                           "body")


def find_leaks(model: ActionModel, store: Store, columns: Mapping, rows: np.ndarray) -> list[str]:
    """Say where a model was trained, or its epoch chosen, on what judges it now.

    Args:
        model: The model.
        store: The data set.
        columns: Its facts, as `Store.columns` gives them.
        rows: The clips that judge.

    Returns:
        Sentences for the reader of the figures, also where that cannot be told.
    """
    training, name = model.training, _plain(store.header.name)
    backgrounds = {_plain(Path(str(path)).stem) for path in training.get("background") or ()}
    if name in backgrounds:
        return ["This data set taught the model what to reject (its background): what it rejects "
                "here says nothing about new data."]
    if not set(store.header.classes) <= set(model.classes):
        return []
    if unknown := explain_unknown(model, store.header.name, columns):
        return [unknown]
    seen = np.isin(rows, find_learned(model, store.header.name, columns)).sum()
    if not seen:
        return []
    return [f"{seen} of {len(rows)} clips are in the train or val part of the protocol "
            f"{training.get('protocol') or 'of the data set'} that the model was trained by: these "
            "figures say how well it remembers, not how well it recognizes."]


def find_learned(model: ActionModel, dataset: str, columns: Mapping) -> np.ndarray:
    """Clips of a data set that a model was trained on, or its epoch chosen by.

    Args:
        model: The model.
        dataset: Name of the data set; only that of the model's training has any.
        columns: Its facts, as `Store.columns` gives them.

    Returns:
        ``[K]`` rows; those of a protocol whose table is gone are not found.
    """
    if _plain(dataset) != _plain(str(model.data.get("name", ""))):
        return np.empty(0, np.int64)
    protocol, rows = model.training.get("protocol") or "", []
    for part in ("train", "val"):
        try:
            split = f"{protocol}/{part}" if protocol else part
            rows.append(select_rows(columns, split, dataset=dataset))
        except SkelactError:
            continue  # the protocol has no such part
    return np.concatenate([np.empty(0, np.int64), *rows])


def explain_unknown(model: ActionModel, dataset: str, columns: Mapping) -> str:
    """Why it cannot be told which clips of a data set a model has seen; empty if it can.

    Args:
        model: The model.
        dataset: Name of the data set.
        columns: Its facts, as `Store.columns` gives them.
    """
    trained = str(model.data.get("name", ""))
    if not trained:
        return (f"The model does not say which data set it was trained on: whether it has seen "
                f"clips of {dataset} is not known.")
    if _plain(trained) == _plain(dataset) and not len(find_learned(model, dataset, columns)):
        protocol = model.training.get("protocol") or "of the data set"
        return (f"The model was trained on {dataset}, but the train part of its protocol "
                f"({protocol}) cannot be found here: which of these clips it has seen is not "
                "known.")
    return ""


def describe_form(model: ActionModel, arrays: ClipArrays) -> list[str]:
    """Sentences on how the clips are brought into the form of the model."""
    notes = []
    if model.layout.joints != arrays.layout.joints:
        notes.append("The skeleton is another than the model's: "
                     f"{plan_remap(arrays.layout, model.layout).summary()}.")
    if model.clip.dims == 2 and arrays.dims == 3:
        notes.append("The clips are 3-D and the model is 2-D: it sees them from the front, as the "
                     "sensor did, and takes every joint for sure.")
    return notes


def describe_conditions(
    model: ActionModel, store: Store, split: str, views: int, precision: str,
    device: torch.device,
) -> dict[str, object]:
    """Names and plain values for ``metrics.json``: model, data, split, arithmetic, versions."""
    return {
        "model": model.name or "model",
        "model_sha256": fingerprint_model(model),
        "network": model.architecture.get("name", ""),
        "stream": model.clip.stream,
        "trained_on": model.data.get("name", ""),
        "data": store.header.name,
        "data_sha256": store.header.fingerprint,
        "split": split,
        "views": views,
        "layout": f"{store.header.layout.name}, {store.header.dims}-D",
        "precision": precision,
        "device": device.type,
        "versions": {"skelact": __version__, "torch": str(torch.__version__),
                     "numpy": np.__version__, "python": platform.python_version()},
    }


def fingerprint_model(model: ActionModel) -> str:
    """SHA-256 over the weights of a model, its classes and the form of its clips and pixels."""
    digest = hashlib.sha256(repr((model.classes, model.clip, model.threshold)).encode())
    weights = [*sorted(model.network.state_dict().items())]
    if part := model.pixels:
        digest.update(repr((part.cut, part.encoder, part.arguments, part.fusion)).encode())
        weights += sorted(part.weights.items())
    for name, value in weights:
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        raw = value.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(raw.numpy().tobytes())
    return digest.hexdigest()


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()

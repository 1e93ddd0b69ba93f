"""The door for weights that others published."""

from pathlib import Path
from typing import Literal

from torch import Tensor

from skelact.errors import WeightsError, one_line
from skelact.graph.layouts import Layout, get_layout
from skelact.models.classifier import SkeletonClassifier
from skelact.models.pyskl_weights import (
    build_pyskl,
    is_pyskl,
    rename,
    split_partitions,
)
from skelact.models.st_gcn import stgcn
from skelact.models.torch_file import read_torch_file

_TARGETS = {
    r"data_bn\.(.+)": r"input_norm.\1",
    r"st_gcn_networks\.(\d+)\.gcn\.conv\.(weight|bias)": r"layers.\1.graph_conv.\2",
    r"st_gcn_networks\.(\d+)\.tcn\.(\d)\.(.+)": r"layers.\1.temporal.\2.\3",
    r"st_gcn_networks\.(\d+)\.residual\.(\d)\.(.+)": r"layers.\1.shortcut.\2.\3",
    r"edge_importance\.(\d+)": r"layers.\1.graph_conv.edge_importance",
    r"fcn\.(weight|bias)": r"head.\1",
}
_SIZES = {"A": 3, "data_bn.weight": 1, "fcn.weight": 4, "st_gcn_networks.0.gcn.conv.weight": 4,
          "st_gcn_networks.0.tcn.2.weight": 4, "st_gcn_networks.9.gcn.conv.weight": 4}
"""Entries that every st-gcn checkpoint has, with their number of axes."""


def load_published(
    path: str | Path, layout: str = "ntu25", absent: Literal["skip", "zeros"] = "zeros"
) -> SkeletonClassifier:
    """A network with the weights of a published checkpoint (a torch state dict).

    It knows ST-GCN as st-gcn and as pyskl published it, and pyskl's ST-GCN++. Widths, classes and
    channels come from the weights; the adjacency is the one stored with them.

    Args:
        path: The file; read without executing anything in it.
        layout: The skeleton that it was trained on.
        absent: Persons who are absent were convolved as ``zeros`` when these weights were
            trained; ``skip`` leaves them out, see `SkeletonClassifier`.

    Returns:
        A network on ``[B, M, N, C, T]`` in eval mode.

    Raises:
        WeightsError: The file is missing, cannot be read safely, or is for another network.
        LayoutError: No such layout.
        ChoiceError: No such treatment of the absent.
    """
    state = read_state(path)
    build = build_pyskl if is_pyskl(state) else _build_st_gcn
    try:
        network, weights = build(state, layout, absent)
        network.load_state_dict(weights)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit a network on {get_layout(layout).name!r}: "
                           f"{one_line(error)}") from error
    return network.eval()


def read_state(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a torch file, loaded without executing anything in it.

    Raises:
        WeightsError: The file is missing, damaged, or holds more than tensors.
    """
    content = read_torch_file(path)
    content = content.get("state_dict", content) if isinstance(content, dict) else content
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise WeightsError(f"{path} holds no state dict (a table of named tensors)")
    return content


def _build_st_gcn(
    state: dict[str, Tensor], layout: str | Layout, absent: str
) -> tuple[SkeletonClassifier, dict[str, Tensor]]:
    """The network that st-gcn's weights are for, and the weights under our names."""
    if missing := set(_SIZES) - set(state):
        raise WeightsError(f"this is not an st-gcn checkpoint: it lacks "
                           f"{', '.join(sorted(missing))}; its first keys are "
                           f"{', '.join(list(state)[:4]) or 'none'}")
    for key, axes in _SIZES.items():
        if state[key].ndim != axes:
            raise WeightsError(f"this is not an st-gcn checkpoint: {key} has the axes "
                               f"{list(state[key].shape)}, expected {axes} of them")
    partitions = len(state["A"])
    width, in_channels = state["st_gcn_networks.0.gcn.conv.weight"].shape[:2]
    network = stgcn(
        layout, num_classes=len(state["fcn.weight"]), in_channels=in_channels,
        base_channels=width // partitions, partition="spatial_released",
        max_hop=(partitions - 1) // 2, kernel_size=state["st_gcn_networks.0.tcn.2.weight"].shape[2],
        edge_importance="edge_importance.0" in state, absent=absent,
    )
    return network, _translate(state, partitions)


def _translate(state: dict[str, Tensor], partitions: int) -> dict[str, Tensor]:
    """Our names and shapes for the weights of st-gcn."""
    translated = {}
    for key, value in state.items():
        if key == "A":
            continue
        name = rename(key, _TARGETS)
        if ".gcn.conv." in key:
            value = split_partitions(value, partitions)
        elif key.startswith("fcn.weight"):
            value = value.flatten(1)
        translated[name] = value
    layers = {name.split(".")[1] for name in translated if name.startswith("layers.")}
    translated |= {f"layers.{layer}.graph_conv.adjacency": state["A"] for layer in layers}
    return translated

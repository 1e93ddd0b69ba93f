"""Weights in the form of pyskl: which network they are for, and our names for them."""

import re

import torch
from torch import Tensor

from skelact.errors import WeightsError
from skelact.graph.layouts import Layout
from skelact.models.classifier import SkeletonClassifier
from skelact.models.st_gcn import stgcn
from skelact.models.st_gcn_pp import stgcnpp

_BLOCK = r"backbone\.gcn\.(\d+)\."
_SHARED = {
    r"backbone\.data_bn\.(.+)": r"input_norm.\1",
    _BLOCK + r"gcn\.conv\.(weight|bias)": r"layers.\1.graph_conv.\2",
    _BLOCK + r"gcn\.A": r"layers.\1.graph_conv.adjacency",
    _BLOCK + r"residual\.conv\.(.+)": r"layers.\1.shortcut.0.\2",
    _BLOCK + r"residual\.bn\.(.+)": r"layers.\1.shortcut.1.\2",
    r"cls_head\.fc_cls\.(weight|bias)": r"head.\1",
}
_STGCN = _SHARED | {
    _BLOCK + r"gcn\.PA": r"layers.\1.graph_conv.edge_importance",
    _BLOCK + r"gcn\.bn\.(.+)": r"layers.\1.temporal.0.\2",
    _BLOCK + r"tcn\.conv\.(.+)": r"layers.\1.temporal.2.\2",
    _BLOCK + r"tcn\.bn\.(.+)": r"layers.\1.temporal.3.\2",
}
_STGCNPP = _SHARED | {
    _BLOCK + r"gcn\.bn\.(.+)": r"layers.\1.graph_norm.\2",
    _BLOCK + r"gcn\.down\.([01])\.(.+)": r"layers.\1.graph_shortcut.\2.\3",
    _BLOCK + r"tcn\.branches\.[0-4]\.0\.(.+)": r"layers.\1.temporal.reduce.\2",
    _BLOCK + r"tcn\.branches\.[0-4]\.1\.(.+)": r"layers.\1.temporal.reduce_norm.\2",
    _BLOCK + r"tcn\.branches\.([0-3])\.3\.conv\.(.+)": r"layers.\1.temporal.dilated.\2.\3",
    _BLOCK + r"tcn\.branches\.5\.(weight|bias)": r"layers.\1.temporal.pointwise.\2",
    _BLOCK + r"tcn\.transform\.([02])\.(.+)": r"layers.\1.temporal.mix.\2.\3",
    _BLOCK + r"tcn\.bn\.(.+)": r"layers.\1.temporal.mix.3.\2",
}
_SIZES = {"backbone.data_bn.weight": 1, "backbone.gcn.0.gcn.A": 3,
          "backbone.gcn.0.gcn.conv.weight": 4, "cls_head.fc_cls.weight": 2}
"""Entries that every checkpoint of these networks has, with their number of axes."""
_STGCN_KEY, _STGCNPP_KEY = (
    f"backbone.gcn.0.tcn.{name}.weight" for name in ("conv", "branches.0.3.conv")
)
"""Temporal kernels, by which the two networks are told apart; 4 axes."""


def is_pyskl(state: dict[str, Tensor]) -> bool:
    """Whether these are weights of one of pyskl's graph networks."""
    return any(key.startswith("backbone.") for key in state)


def build_pyskl(
    state: dict[str, Tensor], layout: str | Layout, absent: str
) -> tuple[SkeletonClassifier, dict[str, Tensor]]:
    """The network that pyskl's weights are for, and the weights under our names.

    The two networks have the same blocks in front: ST-GCN (``tcn.conv``) and ST-GCN++
    (``tcn.branches``). Widths, depth, classes and channels come from the shapes. Shapes do not
    tell a stride: a block that has a 1x1 convolution as residual answers every second frame, as
    in all that pyskl published.

    Args:
        state: The published state dict.
        layout: The skeleton that it was trained on.
        absent: See `SkeletonClassifier`.

    Raises:
        WeightsError: Another network, or a variant that ours do not have.
        LayoutError, ChoiceError: No such layout or treatment of the absent.
    """
    for key, axes in _SIZES.items():
        _check_axes(state, key, axes)
    partitions = len(state["backbone.gcn.0.gcn.A"])
    out_channels, in_channels = state["backbone.gcn.0.gcn.conv.weight"].shape[:2]
    shared = {"num_classes": len(state["cls_head.fc_cls.weight"]), "in_channels": in_channels,
              "base_channels": out_channels // partitions, "absent": absent}
    if in_channels == shared["base_channels"]:
        raise WeightsError(f"its first block keeps {in_channels} channels: pyskl then adds its "
                           "input to it, our first layer does not")
    if _STGCNPP_KEY in state:
        _check_axes(state, _STGCNPP_KEY, 4)
        rows = _infer_rows(state, shared["base_channels"])
        kernel_size = state[_STGCNPP_KEY].shape[2]
        network = stgcnpp(layout, **shared, kernel_size=kernel_size, rows=rows)
        return network, _translate(state, _STGCNPP, partitions)
    _check_axes(state, _STGCN_KEY, 4)
    network = stgcn(layout, **shared, partition="spatial_released",
                    max_hop=max((partitions - 1) // 2, 1), kernel_size=state[_STGCN_KEY].shape[2],
                    edge_importance="backbone.gcn.0.gcn.PA" in state)
    return network, _translate(state, _STGCN, partitions)


def _check_axes(state: dict[str, Tensor], key: str, axes: int) -> None:
    if key not in state:
        raise WeightsError(f"neither pyskl's ST-GCN nor its ST-GCN++: it lacks {key}; its first "
                           f"keys are {', '.join(list(state)[:4])}")
    if state[key].ndim != axes or not state[key].numel():
        raise WeightsError(f"{key} has the axes {list(state[key].shape)}, expected {axes} of them, "
                           "none empty")


def _infer_rows(state: dict[str, Tensor], base_channels: int) -> list[tuple[int, int]]:
    """Width, as a multiple of the base width, and stride of every block."""
    rows = []
    while (norm := state.get(f"backbone.gcn.{len(rows)}.gcn.bn.weight")) is not None:
        width, rest = divmod(norm.numel(), base_channels)
        if rest or not width:
            raise WeightsError(f"block {len(rows)} has {norm.numel()} channels, expected a "
                               f"multiple of the first one's {base_channels}")
        strided = f"backbone.gcn.{len(rows)}.residual.conv.weight" in state
        rows.append((width, 2 if strided else 1))
    return rows


def _translate(
    state: dict[str, Tensor], targets: dict[str, str], partitions: int
) -> dict[str, Tensor]:
    """Our names and shapes; what we hold as one tensor is joined from that of the branches."""
    parts: dict[str, list[Tensor]] = {}
    for key in sorted(state):  # branches in their order
        value, name = state[key], rename(key, targets)
        if ".gcn.conv." in key:
            value = split_partitions(value, partitions)
        elif targets is _STGCNPP and value.shape[2:] == (1, 1):
            value = value.flatten(1)
        parts.setdefault(name, []).append(value)
    # num_batches_tracked has no axis to join along, and is the same in all branches
    return {name: torch.cat(values) if len(values) > 1 and values[0].ndim else values[0]
            for name, values in parts.items()}


def rename(key: str, targets: dict[str, str]) -> str:
    """Our name for a key of a foreign checkpoint, by patterns and what they become.

    Raises:
        WeightsError: No pattern fits the key.
    """
    for pattern, target in targets.items():
        if re.fullmatch(pattern, key):
            return re.sub(pattern, target, key)
    raise WeightsError(f"the checkpoint has the unknown key {key!r}")


def split_partitions(value: Tensor, partitions: int) -> Tensor:
    """One graph convolution's ``[K C_out, ...]`` as ``[K, C_out, C_in]`` or ``[K, C_out]``."""
    return value.reshape(partitions, -1, *value.shape[1:2])

"""pyskl's AAGCN, with and without attention (``.pth``)."""

import torch
from torch import Tensor

from skelact.errors import WeightsError
from skelact.models.published.reading import (
    STRIDES,
    Reading,
    check_axes,
    check_first_block,
    infer_rows,
    infer_slots,
    rename,
)

_BLOCK = r"backbone\.gcn\.(\d+)\."
_TARGETS = {
    r"backbone\.data_bn\.(.+)": r"input_norm.\1",
    _BLOCK + r"gcn\.(alpha)": r"layers.\1.graph_conv.\2",
    _BLOCK + r"gcn\.A": r"layers.\1.graph_conv.adjacency",
    _BLOCK + r"gcn\.conv_[ab]\.\d\.(weight|bias)": r"layers.\1.graph_conv.embed.\2",
    _BLOCK + r"gcn\.conv_d\.\d\.(weight|bias)": r"layers.\1.graph_conv.\2",
    _BLOCK + r"gcn\.conv_sa\.(weight|bias)": r"layers.\1.attention.joints.\2",
    _BLOCK + r"gcn\.conv_ta\.(weight|bias)": r"layers.\1.attention.frames.\2",
    _BLOCK + r"gcn\.fc1c\.(weight|bias)": r"layers.\1.attention.channels.0.\2",
    _BLOCK + r"gcn\.fc2c\.(weight|bias)": r"layers.\1.attention.channels.2.\2",
    _BLOCK + r"gcn\.down\.([01])\.(.+)": r"layers.\1.graph_shortcut.\2.\3",
    _BLOCK + r"gcn\.bn\.(.+)": r"layers.\1.graph_norm.\2",
    _BLOCK + r"tcn\.conv\.(weight|bias)": r"layers.\1.temporal.0.\2",
    _BLOCK + r"tcn\.bn\.(.+)": r"layers.\1.temporal.1.\2",
    _BLOCK + r"residual\.conv\.(weight|bias)": r"layers.\1.shortcut.0.\2",
    _BLOCK + r"residual\.bn\.(.+)": r"layers.\1.shortcut.1.\2",
    r"cls_head\.fc_cls\.(weight|bias)": r"head.\1",
}
_KEY = "backbone.gcn.0."
_MIX, _EMBED = _KEY + "gcn.conv_d.0.weight", _KEY + "gcn.conv_a.0.weight"
_SIZES = {"backbone.data_bn.weight": 1, _KEY + "gcn.A": 3, _MIX: 4, _KEY + "gcn.bn.weight": 1,
          _KEY + "tcn.conv.weight": 4, "cls_head.fc_cls.weight": 2}


def recognise(state: dict[str, Tensor]) -> bool:
    """Whether these are weights of pyskl's AAGCN."""
    return any(key.startswith(_KEY + "gcn.conv_d.") for key in state)


def read(state: dict[str, Tensor]) -> Reading:
    """Our arguments and names for them.

    Raises:
        WeightsError: A variant that ours does not have.
    """
    adaptive = _KEY + "gcn.alpha" in state
    check_axes(state, _SIZES | ({_EMBED: 4} if adaptive else {}), "pyskl's AAGCN")
    base_channels, in_channels = state[_MIX].shape[:2]
    check_first_block(in_channels, base_channels)
    arguments = {
        "num_classes": len(state["cls_head.fc_cls.weight"]),
        "in_channels": in_channels,
        "base_channels": base_channels,
        "kernel_size": state[_KEY + "tcn.conv.weight"].shape[2],
        "adaptive": adaptive,
        "attention": _KEY + "gcn.conv_sa.weight" in state,
        "rows": infer_rows(state, "backbone.gcn.{}.gcn.bn.weight",
                           "backbone.gcn.{}.residual.conv.weight", base_channels),
        "norm_slots": infer_slots(state["backbone.data_bn.weight"],
                                  state[_KEY + "gcn.A"].shape[1], in_channels),
    }
    if adaptive:
        arguments["reduction"] = _infer_reduction(state, len(arguments["rows"]))
    return Reading("aagcn", arguments, _translate(state), (STRIDES,))


def _infer_reduction(state: dict[str, Tensor], depth: int) -> int:
    """How many times fewer channels compare joints than a block gives, in all blocks alike."""
    blocks = [f"backbone.gcn.{block}.gcn." for block in range(depth)]
    widths = [state[block + "bn.weight"].numel() for block in blocks]
    compared = [state.get(block + "conv_a.0.bias", torch.empty(0)).numel() for block in blocks]
    for reduction in range(1, min(widths) + 1):
        if [width // reduction for width in widths] == compared:
            return reduction
    raise WeightsError(f"this looks like pyskl's AAGCN, but it compares joints in {compared} "
                       f"channels, expected the same part of {widths}")


def _translate(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our names and shapes; what a product of ours does for all partitions is joined."""
    parts: dict[str, list[Tensor]] = {}
    for key in sorted(state):  # partitions in their order, conv_a before conv_b
        if key == "backbone.A":  # each block has its own
            continue
        value = state[key]
        parts.setdefault(rename(key, _TARGETS), []).append(
            value.flatten(1) if value.shape[2:] == (1, 1) else value)
    return {name: _join(name, values) for name, values in parts.items()}


def _join(name: str, values: list[Tensor]) -> Tensor:
    """One tensor of those that are known by one name."""
    if len({value.shape for value in values}) > 1:
        raise WeightsError("this looks like pyskl's AAGCN, but its partitions differ in shape: "
                           f"{name} is made of {', '.join(str(list(v.shape)) for v in values)}")
    if name.endswith("graph_conv.bias"):
        return torch.stack(values)
    if name.endswith("graph_conv.weight") and values[0].ndim == 2:
        return torch.cat(values, dim=1)
    return torch.cat(values) if len(values) > 1 and values[0].ndim else values[0]

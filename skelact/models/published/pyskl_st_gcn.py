"""pyskl's ST-GCN and ST-GCN++ (``.pth``)."""

from torch import Tensor

from skelact.models.published.reading import (
    STRIDES,
    Reading,
    check_axes,
    check_first_block,
    in_order,
    infer_rows,
    infer_slots,
    join_parts,
    rename,
    split_partitions,
)

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
_KEY = "backbone.gcn.0."
_SIZES = {"backbone.data_bn.weight": 1, _KEY + "gcn.A": 3, _KEY + "gcn.conv.weight": 4,
          _KEY + "gcn.bn.weight": 1, "cls_head.fc_cls.weight": 2}
_STGCN_KEY, _STGCNPP_KEY = _KEY + "tcn.conv.weight", _KEY + "tcn.branches.0.3.conv.weight"
"""Temporal kernels, by which the two networks are told apart."""


def recognise(state: dict[str, Tensor]) -> bool:
    """Whether these are weights of pyskl's ST-GCN or ST-GCN++."""
    return any(key.startswith(_KEY + "gcn.conv.") for key in state)


def read(state: dict[str, Tensor]) -> Reading:
    """Our arguments and names for them.

    The two networks have the same blocks in front: ST-GCN (``tcn.conv``) and ST-GCN++
    (``tcn.branches``).

    Raises:
        WeightsError: A variant that ours do not have.
    """
    plus = _STGCNPP_KEY in state
    kernel = _STGCNPP_KEY if plus else _STGCN_KEY
    check_axes(state, _SIZES | {kernel: 4}, "pyskl's ST-GCN++" if plus else "pyskl's ST-GCN")
    partitions, joints = state[_KEY + "gcn.A"].shape[:2]
    in_channels = state[_KEY + "gcn.conv.weight"].shape[1]
    base_channels = state[_KEY + "gcn.bn.weight"].numel()
    check_first_block(in_channels, base_channels)
    arguments = {
        "num_classes": len(state["cls_head.fc_cls.weight"]),
        "in_channels": in_channels,
        "base_channels": base_channels,
        "kernel_size": state[kernel].shape[2],
        "rows": infer_rows(state, "backbone.gcn.{}.gcn.bn.weight",
                           "backbone.gcn.{}.residual.conv.weight", base_channels),
        "norm_slots": infer_slots(state["backbone.data_bn.weight"], joints, in_channels),
    }
    if not plus:
        arguments |= {"partition": "spatial_released", "max_hop": max((partitions - 1) // 2, 1),
                      "edge_importance": _KEY + "gcn.PA" in state}
    weights = _translate(state, _STGCNPP if plus else _STGCN, partitions)
    assumptions = (STRIDES,) + ("its dilations are 1, 2, 3, 4",) * plus
    return Reading("stgcnpp" if plus else "stgcn", arguments, weights, assumptions)


def _translate(
    state: dict[str, Tensor], targets: dict[str, str], partitions: int
) -> dict[str, Tensor]:
    """Our names and shapes; what we hold as one tensor is joined from that of the branches."""
    parts: dict[str, list[Tensor]] = {}
    for key in in_order(state):
        value, name = state[key], rename(key, targets)
        if ".gcn.conv." in key:
            value = split_partitions(value, partitions)
        elif targets is _STGCNPP and value.shape[2:] == (1, 1):
            value = value.flatten(1)
        parts.setdefault(name, []).append(value)
    return join_parts(parts)

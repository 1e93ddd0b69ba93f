"""ST-GCN as its authors released it (st-gcn, ``.pt``)."""

from torch import Tensor

from skelact.models.published.reading import (
    STRIDES,
    Reading,
    check_axes,
    infer_rows,
    infer_slots,
    rename,
    split_partitions,
)

_LAYER = r"st_gcn_networks\.(\d+)\."
_TARGETS = {
    r"data_bn\.(.+)": r"input_norm.\1",
    _LAYER + r"gcn\.conv\.(weight|bias)": r"layers.\1.graph_conv.\2",
    _LAYER + r"tcn\.(\d)\.(.+)": r"layers.\1.temporal.\2.\3",
    _LAYER + r"residual\.(\d)\.(.+)": r"layers.\1.shortcut.\2.\3",
    r"edge_importance\.(\d+)": r"layers.\1.graph_conv.edge_importance",
    r"fcn\.(weight|bias)": r"head.\1",
}
_KEY = "st_gcn_networks.0."
_SIZES = {"A": 3, "data_bn.weight": 1, "fcn.weight": 4, _KEY + "gcn.conv.weight": 4,
          _KEY + "tcn.0.weight": 1, _KEY + "tcn.2.weight": 4}


def recognise(state: dict[str, Tensor]) -> bool:
    """Whether these are weights of st-gcn."""
    return any(key.startswith("st_gcn_networks.") for key in state)


def read(state: dict[str, Tensor]) -> Reading:
    """Our arguments and names for them.

    Raises:
        WeightsError: They are no whole st-gcn checkpoint.
    """
    check_axes(state, _SIZES, "st-gcn's ST-GCN")
    adjacency = state["A"]
    partitions, joints = adjacency.shape[:2]
    in_channels = state[_KEY + "gcn.conv.weight"].shape[1]
    base_channels = state[_KEY + "tcn.0.weight"].numel()
    rows = infer_rows(state, "st_gcn_networks.{}.tcn.0.weight",
                      "st_gcn_networks.{}.residual.0.weight", base_channels)
    arguments = {
        "num_classes": len(state["fcn.weight"]),
        "in_channels": in_channels,
        "base_channels": base_channels,
        "partition": "spatial_released",
        "max_hop": max((partitions - 1) // 2, 1),
        "kernel_size": state[_KEY + "tcn.2.weight"].shape[2],
        "edge_importance": "edge_importance.0" in state,
        "rows": rows,
        "norm_slots": infer_slots(state["data_bn.weight"], joints, in_channels),
    }
    weights = {}
    for key, value in state.items():
        if key == "A":
            continue
        if ".gcn.conv." in key:
            value = split_partitions(value, partitions)
        elif key == "fcn.weight":
            value = value.flatten(1)
        weights[rename(key, _TARGETS)] = value
    weights |= {f"layers.{layer}.graph_conv.adjacency": adjacency for layer in range(len(rows))}
    return Reading("stgcn", arguments, weights, (STRIDES,))

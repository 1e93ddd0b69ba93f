"""MS-G3D: pyskl's (``.pth``), and as its authors released it (``.pt``)."""

import re

from torch import Tensor

from skelact.errors import WeightsError
from skelact.models.published.reading import (
    STRIDES,
    Reading,
    check_axes,
    in_order,
    infer_rows,
    infer_slots,
    join_parts,
    rename,
)

_SPELLINGS = {r"^backbone\.": "", r"^cls_head\.fc_cls\.": "fc.", r"\.A_res$": ".PA"}
"""How the two differ in their names."""
_WINDOW, _GRAPH = r"gcn3d(\d+)\.gcn3d\.(\d+)\.", r"sgcn(\d+)\.0\."
_TARGETS = {
    r"data_bn\.(.+)": r"input_norm.\1",
    _WINDOW + r"gcn3d\.1\.A": r"layers.\1.windows.\2.graph_conv.adjacency",
    _WINDOW + r"gcn3d\.1\.PA": r"layers.\1.windows.\2.graph_conv.adjacency_offset",
    _WINDOW + r"gcn3d\.1\.mlp\.layers\.0\.(.+)": r"layers.\1.windows.\2.graph_conv.\3",
    _WINDOW + r"gcn3d\.1\.mlp\.layers\.1\.(.+)": r"layers.\1.windows.\2.graph_norm.\3",
    _WINDOW + r"out_conv\.(.+)": r"layers.\1.windows.\2.collapse.\3",
    _WINDOW + r"out_bn\.(.+)": r"layers.\1.windows.\2.norm.\3",
    _GRAPH + "A": r"layers.\1.graph_conv.adjacency",
    _GRAPH + "PA": r"layers.\1.graph_conv.adjacency_offset",
    _GRAPH + r"mlp\.layers\.0\.(.+)": r"layers.\1.graph_conv.\2",
    _GRAPH + r"mlp\.layers\.1\.(.+)": r"layers.\1.graph_norm.\2",
    r"fc\.(weight|bias)": r"head.\1",
}
_TEMPORAL = (r"sgcn(\d+)\.1\.", r"sgcn(\d+)\.2\.", r"tcn(\d+)\.")
"""The temporal convolutions of a block, in our order."""
_KEY, _WINDOW_KEY = "sgcn1.0.", "gcn3d1.gcn3d.0."
_KERNEL = "sgcn1.1.branches.0.3.conv.weight"
_SIZES = {"data_bn.weight": 1, _KEY + "mlp.layers.0.weight": 4, _WINDOW_KEY + "out_bn.weight": 1,
          _KERNEL: 4, "fc.weight": 2}
_FROM_LAYOUT = ("its graphs, which are not stored, follow from the bones of the layout and are "
                "normalised symmetrically")


def recognise(state: dict[str, Tensor]) -> bool:
    """Whether these are weights of MS-G3D."""
    return any(re.match(r"(backbone\.)?" + _WINDOW, key) for key in state)


def read(state: dict[str, Tensor]) -> Reading:
    """Our arguments and names for them.

    Raises:
        WeightsError: A variant that ours does not have.
    """
    released = any(key.endswith(".A_res") for key in state)
    state = {_respell(key): value for key, value in state.items() if key != "backbone.A"}
    windows = _count(state, r"gcn3d1\.gcn3d\.(\d+)\.out_conv\.weight")
    collapses = [f"gcn3d1.gcn3d.{window}.out_conv.weight" for window in range(windows or 1)]
    graphs = {_KEY + "PA", _WINDOW_KEY + "gcn3d.1.PA"}
    check_axes(state, _SIZES | dict.fromkeys(collapses, 5)
               | dict.fromkeys(graphs, 2 if released else 3),
               "the released MS-G3D" if released else "pyskl's MS-G3D")
    graphs = {key.removesuffix("PA"): _split_graph(value)
              for key, value in state.items() if key.endswith(".PA")}
    branches = _count(state, r"sgcn1\.1\.branches\.(\d+)\.0\.weight")
    arguments = _infer_arguments(state, graphs) | {
        "windows": [state[key].shape[3] for key in collapses],
        "dilations": list(range(1, branches - 1)),
        "normalise": "symmetric" if released else "columns",
    }
    lengths = [*arguments["windows"], arguments["kernel_size"]]
    if any(length % 2 == 0 for length in lengths):
        raise WeightsError(f"its windows and temporal kernels have {lengths} frames, expected odd "
                           "numbers")
    weights = _translate(state, graphs, branches - 1)
    unsaid = (f"its dilations are {', '.join(map(str, arguments['dilations']))}",
              "the frames of its windows follow one another")
    if not released:
        return Reading("msg3d", arguments, weights, (STRIDES, *unsaid))
    from_layout = tuple(name.removesuffix("_offset") for name in weights
                        if name.endswith("adjacency_offset"))
    return Reading("msg3d", arguments, weights, (STRIDES, *unsaid, _FROM_LAYOUT), from_layout)


def _infer_arguments(state: dict[str, Tensor], graphs: dict[str, Tensor]) -> dict:
    """What shapes of the first block, the norms and the head say."""
    scales, joints = graphs[_KEY].shape[:2]
    in_channels = state[_KEY + "mlp.layers.0.weight"].shape[1] // scales
    base_channels = state[_WINDOW_KEY + "out_bn.weight"].numel()
    return {
        "num_classes": len(state["fc.weight"]),
        "in_channels": in_channels,
        "base_channels": base_channels,
        "graph_scales": scales,
        "window_scales": len(graphs[_WINDOW_KEY + "gcn3d.1."]),
        "kernel_size": state[_KERNEL].shape[2],
        "rows": infer_rows({_count_from_zero(key): value for key, value in state.items()},
                           "gcn3d{}.gcn3d.0.out_bn.weight", "sgcn{}.1.residual.conv.weight",
                           base_channels),
        "norm_slots": infer_slots(state["data_bn.weight"], joints, in_channels),
    }


def _respell(key: str) -> str:
    for theirs, common in _SPELLINGS.items():
        key = re.sub(theirs, common, key)
    return key


def _count_from_zero(key: str) -> str:
    """The key with blocks that count from 0, as ours do."""
    return re.sub(r"^(gcn3d|sgcn|layers\.)(\d+)", lambda found: f"{found[1]}{int(found[2]) - 1}",
                  key)


def _count(state: dict[str, Tensor], pattern: str) -> int:
    return sum(re.fullmatch(pattern, key) is not None for key in state)


def _split_graph(value: Tensor) -> Tensor:
    """``[K, source, target]`` of what one stores so and the other as ``[K target, source]``."""
    if value.ndim == 3:
        return value
    joints = value.shape[-1]
    if value.ndim != 2 or value.shape[0] % joints:
        raise WeightsError(f"this looks like the released MS-G3D, but a graph of its has the axes "
                           f"{list(value.shape)}, expected [a multiple of N, N]")
    return value.reshape(-1, joints, joints).transpose(1, 2)


def _translate(
    state: dict[str, Tensor], graphs: dict[str, Tensor], last: int
) -> dict[str, Tensor]:
    """Our names and shapes; what we hold as one tensor is joined from that of the branches."""
    targets = _TARGETS | _temporal_targets(last)
    parts: dict[str, list[Tensor]] = {}
    for key in in_order(state):
        value, name = state[key], _count_from_zero(rename(key, targets))
        before = key.removesuffix("mlp.layers.0.weight").removesuffix("PA")
        if key.endswith(".PA"):
            value = graphs[before]
        elif before in graphs:
            value = _split_scales(key, value, len(graphs[before]))
        elif name.endswith("collapse.weight"):
            value = value.flatten(2).transpose(1, 2).flatten(1)  # frames of the window first
        elif value.shape[2:] == (1, 1):
            value = value.flatten(1)
        parts.setdefault(name, []).append(value)
    return join_parts(parts)


def _temporal_targets(last: int) -> dict[str, str]:
    """Our names for the temporal convolutions, whose 1x1 branch has the number ``last``."""
    targets = {}
    for step, where in enumerate(_TEMPORAL):
        ours = rf"layers.\1.temporal.{step}."
        targets |= {
            where + r"residual\.conv\.(.+)": rf"layers.\1.shortcuts.{step}.0.\2",
            where + r"residual\.bn\.(.+)": rf"layers.\1.shortcuts.{step}.1.\2",
            where + rf"branches\.{last}\.0\.(.+)": ours + r"pointwise.\2",
            where + rf"branches\.{last}\.1\.(.+)": ours + r"norm.\2",
            where + r"branches\.\d+\.0\.(.+)": ours + r"reduce.\2",
            where + r"branches\.\d+\.1\.(.+)": ours + r"reduce_norm.\2",
            where + r"branches\.(\d+)\.3\.conv\.(.+)": ours + r"dilated.\2.\3",
            where + r"branches\.\d+\.(?:3\.bn|4)\.(.+)": ours + r"norm.\2",
        }
    return targets


def _split_scales(key: str, value: Tensor, scales: int) -> Tensor:
    """``[K, C_out, C_in]`` of a convolution's ``[C_out, K C_in, 1, 1]``."""
    if value.ndim != 4 or value.shape[1] % scales:
        raise WeightsError(f"{key} has the axes {list(value.shape)}, expected [C_out, a multiple "
                           f"of its {scales} scales, 1, 1]")
    return value.reshape(len(value), scales, -1).transpose(0, 1)

"""pyskl's DG-STGCN (``.pth``)."""

import re

from torch import Tensor

from skelact.errors import WeightsError
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
)

_BLOCK = r"backbone\.gcn\.(\d+)\."
_TARGETS = {
    r"backbone\.data_bn\.(.+)": r"input_norm.\1",
    _BLOCK + r"gcn\.A": r"layers.\1.graph_conv.topology",
    _BLOCK + r"gcn\.alpha": r"layers.\1.graph_conv.channel_strength",
    _BLOCK + r"gcn\.beta": r"layers.\1.graph_conv.joint_strength",
    _BLOCK + r"gcn\.conv[12]\.(.+)": r"layers.\1.graph_conv.relate.\2",
    _BLOCK + r"gcn\.pre\.0\.(.+)": r"layers.\1.graph_conv.split.\2",
    _BLOCK + r"gcn\.pre\.1\.(.+)": r"layers.\1.graph_conv.split_norm.\2",
    _BLOCK + r"gcn\.post\.(.+)": r"layers.\1.graph_conv.merge.\2",
    _BLOCK + r"gcn\.bn\.(.+)": r"layers.\1.graph_norm.\2",
    _BLOCK + r"gcn\.down\.([01])\.(.+)": r"layers.\1.graph_shortcut.\2.\3",
    _BLOCK + r"tcn\.add_coeff": r"layers.\1.temporal.mix.0.coefficients",
    _BLOCK + r"tcn\.branches\.\d\.0\.(.+)": r"layers.\1.temporal.reduce.\2",
    _BLOCK + r"tcn\.branches\.\d\.1\.(.+)": r"layers.\1.temporal.reduce_norm.\2",
    _BLOCK + r"tcn\.branches\.(\d)\.3\.conv\.(.+)": r"layers.\1.temporal.dilated.\2.\3",
    _BLOCK + r"tcn\.branches\.\d\.(weight|bias)": r"layers.\1.temporal.pointwise.\2",
    _BLOCK + r"tcn\.transform\.0\.(.+)": r"layers.\1.temporal.mix.1.\2",
    _BLOCK + r"tcn\.transform\.2\.(.+)": r"layers.\1.temporal.mix.3.\2",
    _BLOCK + r"tcn\.bn\.(.+)": r"layers.\1.temporal.mix.4.\2",
    _BLOCK + r"residual\.conv\.(.+)": r"layers.\1.shortcut.0.\2",
    _BLOCK + r"residual\.bn\.(.+)": r"layers.\1.shortcut.1.\2",
    r"cls_head\.fc_cls\.(weight|bias)": r"head.\1",
}
_KEY = "backbone.gcn.0."
_KERNEL = _KEY + "tcn.branches.0.3.conv.weight"
_SIZES = {"backbone.data_bn.weight": 1, _KEY + "gcn.A": 3, _KEY + "gcn.pre.0.weight": 4,
          _KEY + "gcn.conv1.weight": 4, _KEY + "gcn.bn.weight": 1, _KEY + "tcn.add_coeff": 1,
          _KERNEL: 4, "cls_head.fc_cls.weight": 2}
_ASSUMPTIONS = (
    STRIDES,
    "its topologies follow the mean over time (gcn_ctr and gcn_ada are T), and the first of its "
    "strengths holds for all of them (subset_wise is off)",
)


def recognise(state: dict[str, Tensor]) -> bool:
    """Whether these are weights of pyskl's DG-STGCN."""
    return any(key.startswith(_KEY + "gcn.pre.") for key in state)


def read(state: dict[str, Tensor]) -> Reading:
    """Our arguments and names for them.

    Raises:
        WeightsError: A variant that ours does not have.
    """
    check_axes(state, _SIZES, "pyskl's DG-STGCN")
    topologies, joints = state[_KEY + "gcn.A"].shape[:2]
    in_channels = state[_KEY + "gcn.pre.0.weight"].shape[1]
    base_channels = state[_KEY + "gcn.bn.weight"].numel()
    check_first_block(in_channels, base_channels)
    rows = infer_rows(state, "backbone.gcn.{}.gcn.bn.weight",
                      "backbone.gcn.{}.residual.conv.weight", base_channels)
    dilated = _count_dilated(state)
    arguments = {
        "num_classes": len(state["cls_head.fc_cls.weight"]),
        "in_channels": in_channels,
        "base_channels": base_channels,
        "topologies": topologies,
        "ratio": _infer_ratio(state, topologies, len(rows)),
        "kernel_size": state[_KERNEL].shape[2],
        "dilations": list(range(1, dilated + 1)),
        "rows": rows,
        "norm_slots": infer_slots(state["backbone.data_bn.weight"], joints, in_channels),
    }
    dilations = ", ".join(map(str, arguments["dilations"]))
    return Reading("dgstgcn", arguments, _translate(state, joints),
                   (*_ASSUMPTIONS, f"its dilations are {dilations}"))


def _count_dilated(state: dict[str, Tensor]) -> int:
    """Number of dilated kernels; behind them, one pooled branch and one 1x1 are expected."""
    branches = [re.escape(_KEY + "tcn.branches.") + rf"(\d+)\.{name}weight"
                for name in (r"3\.conv\.", r"0\.", "")]
    kernels, reductions, pointwise = (
        sorted(int(found[1]) for key in state if (found := re.fullmatch(pattern, key)))
        for pattern in branches
    )
    count = len(kernels)
    if (kernels, reductions, pointwise) != (
            list(range(count)), list(range(count + 1)), [count + 1]):
        raise WeightsError(f"its temporal branches are {len(reductions) + len(pointwise)}, "
                           f"of which {kernels} have kernels and {pointwise} are 1x1; expected "
                           "the kernels first, then one pooled, then one 1x1")
    return count


def _infer_ratio(state: dict[str, Tensor], topologies: int, layers: int) -> float:
    """Channels of a group as a share of the width, from the widest layer, which tells it best."""
    widths = [state[f"backbone.gcn.{layer}.gcn.bn.weight"].numel() for layer in range(layers)]
    widest = widths.index(max(widths))
    key = f"backbone.gcn.{widest}.gcn.pre.0.weight"
    if key not in state:
        raise WeightsError(f"this looks like pyskl's DG-STGCN, but it lacks {key}")
    return len(state[key]) / topologies / widths[widest]


def _translate(state: dict[str, Tensor], joints: int) -> dict[str, Tensor]:
    """Our names and shapes; what we hold as one tensor is joined from that of the branches."""
    parts: dict[str, list[Tensor]] = {}
    for key in in_order(state):
        value, name = state[key], rename(key, _TARGETS)
        if value.shape[2:] == (1, 1) and "dilated" not in name:
            value = value.flatten(1)
        elif name.endswith("strength"):
            value = value[:1]  # one a topology is stored, the first is used
        elif name.endswith("coefficients"):
            value = value[:joints]  # stored for 25 joints, whatever the skeleton
        parts.setdefault(name, []).append(value)
    return join_parts(parts)

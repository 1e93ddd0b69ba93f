"""CTR-GCN, as pyskl (``.pth``) and as its authors (``.pt``) publish it."""

import re

from torch import Tensor

from skelact.models.published.reading import (
    STRIDES,
    Reading,
    check_axes,
    infer_rows,
    infer_slots,
    join_parts,
    rename,
)
from skelact.nn.ctrgcn import default_compared_channels

_PYSKL, _AUTHORS = "backbone.net.0.", "l1."
"""What the keys of the first layer begin with."""
_TARGETS = {
    r"data_bn\.(.+)": r"input_norm.\1",
    r"(\d+)\.gcn1\.A": r"layers.\1.graph_conv.adjacency",
    r"(\d+)\.gcn1\.alpha": r"layers.\1.graph_conv.strength",
    r"(\d+)\.gcn1\.convs\.\d+\.conv[12]\.(weight|bias)": r"layers.\1.graph_conv.compare.\2",
    r"(\d+)\.gcn1\.convs\.\d+\.conv3\.(weight|bias)": r"layers.\1.graph_conv.\2",
    r"(\d+)\.gcn1\.convs\.\d+\.conv4\.weight": r"layers.\1.graph_conv.refinement",
    r"(\d+)\.gcn1\.convs\.\d+\.conv4\.bias": r"layers.\1.graph_conv.refinement_bias",
    r"(\d+)\.gcn1\.bn\.(.+)": r"layers.\1.graph_norm.\2",
    r"(\d+)\.gcn1\.down\.([01])\.(.+)": r"layers.\1.graph_shortcut.\2.\3",
    r"(\d+)\.residual\.conv\.(.+)": r"layers.\1.shortcut.0.\2",
    r"(\d+)\.residual\.bn\.(.+)": r"layers.\1.shortcut.1.\2",
    r"fc\.(weight|bias)": r"head.\1",
}
_STACKED = r".*\.convs\.\d+\.conv[34]\..*"
"""What we hold with an axis for the partition; the rest that has several parts is joined."""


def recognise(state: dict[str, Tensor]) -> bool:
    """Whether these are weights of CTR-GCN."""
    return any(key.startswith((_PYSKL + "gcn1.convs.", _AUTHORS + "gcn1.convs.")) for key in state)


def read(state: dict[str, Tensor]) -> Reading:
    """Our arguments and names for them.

    Raises:
        WeightsError: A variant that ours do not have.
    """
    pyskl = any(key.startswith(_PYSKL) for key in state)
    _check(state, pyskl)
    state = _from_pyskl(state) if pyskl else _from_authors(state)
    joints = state["0.gcn1.A"].shape[1]
    base_channels, in_channels = state["0.gcn1.convs.0.conv3.weight"].shape[:2]
    dilated = len([key for key in state
                   if re.fullmatch(r"0\.tcn1\.branches\.\d+\.3\.conv\.weight", key)])
    dilations = list(range(1, dilated + 1))
    rows = infer_rows(state, "{}.gcn1.bn.weight", "{}.residual.conv.weight", base_channels)
    arguments = {
        "num_classes": len(state["fc.weight"]),
        "in_channels": in_channels,
        "base_channels": base_channels,
        "kernel_size": state["0.tcn1.branches.0.3.conv.weight"].shape[2],
        "dilations": dilations,
        "compared_channels": _infer_compared(state, len(rows)),
        "temporal_relu": pyskl,
        "rows": rows,
        "norm_slots": infer_slots(state["data_bn.weight"], joints, in_channels),
    }
    assumptions = (
        STRIDES,
        f"its dilations are {', '.join(map(str, dilations))}",
        f"{'a' if pyskl else 'no'} relu lies between temporal convolution and residual, as in "
        f"{'pyskl' if pyskl else 'the code of its authors'}",
    )
    return Reading("ctrgcn", arguments, _translate(state, dilated), assumptions)


def _check(state: dict[str, Tensor], pyskl: bool) -> None:
    """Make sure that every layer has what sizes are read from, and what is turned."""
    norm, head, graph = (("backbone.data_bn", "cls_head.fc_cls", "A") if pyskl
                         else ("data_bn", "fc", "PA"))
    sizes = {norm + ".weight": 1, head + ".weight": 2}
    for layer in {_PYSKL if pyskl else _AUTHORS} | {
        key[: key.index("gcn1.")] for key in state if ".gcn1." in key
    }:
        sizes |= {layer + f"gcn1.{graph}": 3, layer + "gcn1.bn.weight": 1,
                  layer + "gcn1.convs.0.conv1.weight": 4, layer + "gcn1.convs.0.conv3.weight": 4,
                  layer + "tcn1.branches.0.3.conv.weight": 4}
    check_axes(state, sizes, "pyskl's CTR-GCN" if pyskl else "the CTR-GCN of its authors")


def _from_pyskl(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Keys that begin with the number of the layer, as both will have them."""
    names = {r"backbone\.(data_bn\..+)": r"\1", r"backbone\.net\.(.+)": r"\1",
             r"cls_head\.fc_cls\.(.+)": r"fc.\1"}
    # the graph that all layers start from is none of the weights
    return {rename(key, names): value for key, value in state.items() if key != "backbone.A"}


def _from_authors(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same for the authors' form, which lets features flow the other way.

    Their topologies are [target, source], pyskl's and ours are [source, target]; so the graph is
    turned, and tanh(p[target] - q[source]) = -tanh(q[source] - p[target]).
    """
    turned = {}
    for key, value in state.items():
        if match := re.fullmatch(r"l(\d+)\.(.+)", key):
            key = f"{int(match[1]) - 1}.{match[2]}"
        key = re.sub(r"\.conv([12])\.", lambda role: f".conv{3 - int(role[1])}.", key)
        if key.endswith(".conv4.weight"):
            value = -value
        elif key.endswith(".gcn1.PA"):
            key, value = key[:-2] + "A", value.transpose(-1, -2)
        turned[key] = value
    return turned


def _infer_compared(state: dict[str, Tensor], layers: int) -> list[int] | None:
    """Channels in which joints are compared in every layer; None where they are as published."""
    shapes = [state[f"{layer}.gcn1.convs.0.conv1.weight"].shape[:2] for layer in range(layers)]
    if all(compared == default_compared_channels(channels) for compared, channels in shapes):
        return None
    return [compared for compared, _ in shapes]


def _translate(state: dict[str, Tensor], dilated: int) -> dict[str, Tensor]:
    """Our names and shapes; what we hold as one tensor is joined from its parts."""
    branch = r"(\d+)\.tcn1\.branches\."
    kernels = "|".join(map(str, range(dilated)))
    targets = _TARGETS | {
        branch + rf"(?:{kernels}|{dilated})\.0\.(.+)": r"layers.\1.temporal.reduce.\2",
        branch + rf"(?:{kernels}|{dilated})\.1\.(.+)": r"layers.\1.temporal.reduce_norm.\2",
        branch + rf"({kernels})\.3\.conv\.(.+)": r"layers.\1.temporal.dilated.\2.\3",
        branch + rf"{dilated + 1}\.0\.(.+)": r"layers.\1.temporal.pointwise.\2",
        branch + rf"(?:(?:{kernels})\.3\.bn|{dilated}\.4|{dilated + 1}\.1)\.(.+)":
            r"layers.\1.temporal.norm.\2",
    }
    parts: dict[str, list[Tensor]] = {}
    stacked = set()
    for key in sorted(state, key=_order):
        name, value = rename(key, targets), state[key]
        if re.fullmatch(_STACKED, key):
            stacked.add(name)
        if value.ndim == 4 and ".dilated." not in name:
            value = value.flatten(1)
        parts.setdefault(name, []).append(value)
    return join_parts(parts, stacked)


def _order(key: str) -> list[int]:
    """Branches and partitions in their order, but all of ``conv1`` before all of ``conv2``."""
    numbers = [int(number) for number in re.findall(r"\d+", key)]
    return numbers[:1] + numbers[:0:-1] if ".convs." in key else numbers

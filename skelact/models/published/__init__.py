"""The door for weights that others published."""

from pathlib import Path
from typing import Literal

from torch import Tensor

from skelact.errors import WeightsError, one_line
from skelact.graph.layouts import Layout, get_layout, layouts_with
from skelact.models.checkpoint import build_network
from skelact.models.classifier import SkeletonClassifier
from skelact.models.published import aa_gcn, ctr_gcn, dg_stgcn, ms_g3d, pyskl_st_gcn, st_gcn
from skelact.models.published.reading import Reading
from skelact.models.torch_file import read_torch_file

FAMILIES = (st_gcn, pyskl_st_gcn, dg_stgcn, ctr_gcn, aa_gcn, ms_g3d)
"""The readers, one a family of checkpoints."""
WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Under which of these names training scripts put the state dict."""
_PARALLEL = "module."
"""What DataParallel puts before every name."""
_AVERAGES = "ema_"
"""What mmcv puts before what its moving average swapped with the weights when it saved them; the
weights themselves are the average then."""


def load_published(
    path: str | Path, layout: str = "ntu25", absent: Literal["skip", "zeros"] = "zeros",
    **overrides,
) -> SkeletonClassifier:
    """A network with the weights of a published checkpoint (a torch state dict).

    It knows ST-GCN as st-gcn published it; pyskl's ST-GCN, ST-GCN++, AAGCN, CTR-GCN, MS-G3D and
    DG-STGCN; CTR-GCN and MS-G3D as their authors did. Widths, depth, classes and channels come
    from the weights; what these do not say is as published, see `read_published`. The adjacency
    is the one stored with them, where one is.

    Args:
        path: The file; read without executing anything in it.
        layout: The skeleton that it was trained on.
        absent: Persons who are absent were convolved as ``zeros`` when these weights were
            trained; ``skip`` leaves them out, see `SkeletonClassifier`.
        overrides: Arguments of the network's function, in place of what was inferred or assumed.

    Returns:
        A network on ``[B, M, N, C, T]`` in eval mode; its ``assumptions`` say what was assumed.

    Raises:
        WeightsError: The file is missing, cannot be read safely, is for another network, or an
            override is none of the network's arguments.
        LayoutError: No such layout.
        ChoiceError: No such treatment of the absent.
    """
    return build_published(path, read_published(path), layout, absent=absent, **overrides)


def read_published(path: str | Path) -> Reading:
    """Which network a published checkpoint is for, with what sizes, and what had to be assumed.

    Args:
        path: The file; read without executing anything in it.

    Raises:
        WeightsError: As for `load_published`.
    """
    state = read_state(path)
    try:
        for family in FAMILIES:
            if family.recognise(state):
                return family.read(state)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    raise WeightsError(f"{path}: these are weights of no network known here; its first keys are "
                       f"{', '.join(list(state)[:4]) or 'none'}. Known are st-gcn's files, "
                       "pyskl's, and those of the authors of CTR-GCN and MS-G3D")


def build_published(
    path: str | Path, reading: Reading, layout: str, **overrides
) -> SkeletonClassifier:
    """The network of a reading, with its weights.

    Args:
        path: Where they come from, to name it.
        reading: What `read_published` gave.
        layout: The skeleton that it was trained on.
        overrides: Arguments of the network's function.

    Raises:
        WeightsError, LayoutError, ChoiceError: As for `load_published`.
    """
    layout = get_layout(layout)
    architecture = {"name": reading.network, "arguments": reading.arguments | overrides}
    _check_joints(path, reading, layout)
    try:
        network = build_network(architecture, layout)
        fresh = network.state_dict()
        network.load_state_dict({name: fresh[name] for name in reading.from_layout if name in fresh}
                                | reading.weights)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit a network on {layout.name!r}: "
                           f"{one_line(error)}") from error
    network.assumptions = reading.assumptions
    return network.eval()


def _check_joints(path: str | Path, reading: Reading, layout: Layout) -> None:
    values = reading.weights["input_norm.weight"].numel()
    joints = values // (reading.arguments["in_channels"] * (reading.arguments["norm_slots"] or 1))
    if joints != layout.num_joints:
        fitting = ", ".join(layouts_with(joints)) or "none of the built-in ones"
        raise WeightsError(f"{path} is for a skeleton of {joints} joints ({fitting}), "
                           f"{layout.name!r} has {layout.num_joints}; name the layout it was "
                           "trained on")


def read_state(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a torch file, loaded without executing anything in it.

    Raises:
        WeightsError: The file is missing, damaged, or holds more than tensors.
    """
    content = read_torch_file(path)
    if isinstance(content, dict) and "architecture" in content:
        raise WeightsError(f"{path} is a checkpoint of skelact; load_model reads it, and every "
                           "command takes it as it is")
    if isinstance(content, dict):
        content = next((content[name] for name in WRAPPERS if isinstance(content.get(name), dict)),
                       content)
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        seen = f"a {type(content).__name__}"
        if isinstance(content, dict):
            seen = "a table with " + (", ".join(map(str, list(content)[:6])))
        raise WeightsError(f"{path} holds no state dict (a table of named tensors), but {seen}")
    if all(str(name).startswith(_PARALLEL) for name in content):
        content = {name.removeprefix(_PARALLEL): value for name, value in content.items()}
    return {name: value for name, value in content.items() if not name.startswith(_AVERAGES)}

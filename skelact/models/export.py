"""Trained networks for runtimes without skelact: ONNX, and torch.export's ``.pt2``.

Input ``clips`` ``[B, M, N, C, T]``, the form of clip that the checkpoint names; batch, people and
frames are free. Outputs ``scores`` ``[B, classes]`` (one more, the last, for a network that
rejects) and ``probabilities`` ``[B, classes]`` as `action_probabilities` gives them: an action is
named where its probability reaches ``threshold``. Empty slots for people cost as much as people
here, so pass no more than there are.
"""

import copy
import json
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from skelact.checks import check_choice
from skelact.errors import MissingDependencyError, SkelactError, one_line
from skelact.models.checkpoint import ActionModel
from skelact.models.classifier import SkeletonClassifier, action_probabilities
from skelact.output import atomic_write, check_writable
from skelact.version import __version__

TOLERANCE = 1e-4
"""Largest difference from torch that an exported file may have, in scores and probabilities."""
OUTPUTS = ("scores", "probabilities")
METADATA = "skelact.json"
"""The entry of a ``.pt2`` file that holds what `describe` gives."""
_FEWEST_FRAMES = 5
"""A ``.pt2`` of a network that halves the frames twice refuses clips of fewer."""

_Run = Callable[[Tensor], list[np.ndarray]]


class _Deployed(nn.Module):
    """A network that gives scores and probabilities."""

    def __init__(self, network: SkeletonClassifier, num_classes: int):
        super().__init__()
        self.network = network
        self.num_classes = num_classes

    def forward(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.network(clips)
        return scores, action_probabilities(scores, self.num_classes)


def export_model(model: ActionModel, path: str | Path, overwrite: bool = False) -> float:
    """Write a model for another runtime, once it has been run there and agrees with torch.

    Batches of several sizes, lengths and numbers of people, absent ones included, are scored by
    onnxruntime (or the reloaded ``.pt2``) and by torch before the file is moved into place.

    Args:
        model: What to export; it stays as it is.
        path: ``.onnx``, or ``.pt2`` for torch.export.
        overwrite: Replace an existing file.

    Returns:
        The largest difference from torch that was seen.

    Raises:
        ChoiceError: The file name ends otherwise.
        OutputExistsError: The file exists and ``overwrite`` is false.
        MissingDependencyError: The packages for ONNX are not installed.
        SkelactError: Torch cannot export this network, or the exported one does not run or does
            not agree with torch; nothing was written.
    """
    path = check_writable(path, overwrite)
    formats = {".onnx": (_write_onnx, _open_onnx), ".pt2": (_write_pt2, _open_pt2)}
    write, open_ = formats[check_choice(path.suffix, formats, f"the ending of {path}")]
    network = copy.deepcopy(model.network).cpu().float().eval().requires_grad_(False)
    deployed = _Deployed(network, len(model.classes)).eval()
    with atomic_write(path, overwrite) as temporary:
        try:
            write(deployed, describe(model), temporary)
            difference = _compare(deployed, open_(temporary), model.clip.frames)
        except (MissingDependencyError, OSError):
            raise
        except Exception as error:  # torch and onnxruntime raise many kinds
            raise SkelactError(f"this network cannot be exported as {path.suffix} "
                               f"({one_line(error)}); {path} was not written") from error
        if not difference <= TOLERANCE:
            raise SkelactError(f"the exported network differs from torch by {difference:.1e}, more "
                               f"than {TOLERANCE:.0e}; {path} was not written")
    return difference


def describe(model: ActionModel) -> dict:
    """What a deployer has to know, as plain values; it is stored in the exported file.

    ``classes`` in the order of the scores, ``layout`` (joints in the order of N, parents),
    ``clip`` (the settings that `ClipConfig` explains), ``threshold``, ``rejects``, ``absent``,
    ``name`` and ``skelact`` (version).
    """
    layout = model.layout
    return {
        "name": model.name,
        "classes": list(model.classes),
        "layout": {"name": layout.name, "joints": list(layout.joints),
                   "parents": list(layout.parents)},
        "clip": asdict(model.clip),
        "threshold": model.threshold,
        "rejects": model.rejects,
        "absent": model.network.absent,
        "skelact": __version__,
    }


def _example(network: SkeletonClassifier, batch: int, people: int, frames: int) -> Tensor:
    generator = torch.Generator().manual_seed(batch)
    return torch.randn(batch, people, network.layout.num_joints, network.in_channels, frames,
                       generator=generator)


def _trace(deployed: _Deployed) -> torch.export.ExportedProgram:
    dynamic = torch.export.Dim.DYNAMIC
    return torch.export.export(deployed, (_example(deployed.network, 2, 3, 31),),
                               dynamic_shapes={"clips": {0: dynamic, 1: dynamic, 4: dynamic}})


def _write_pt2(deployed: _Deployed, facts: dict, path: Path) -> None:
    program = _trace(deployed)
    for part in program.graph_module.modules():
        for node in part.graph.nodes if isinstance(part, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)  # names folders of this machine
    with open(path, "wb") as file:  # given the path, torch puts its name inside the file
        torch.export.save(program, file, extra_files={METADATA: json.dumps(facts)})


def _open_pt2(path: Path) -> _Run:
    module = torch.export.load(path).module()
    return lambda clips: [output.numpy() for output in module(clips)]


def _write_onnx(deployed: _Deployed, facts: dict, path: Path) -> None:
    _check_onnx_packages()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about torch's own insides
        program = torch.onnx.export(
            _trace(deployed), dynamo=True, verbose=False, input_names=["clips"],
            output_names=list(OUTPUTS),
            dynamic_shapes={"clips": {0: "batch", 1: "people", 4: "frames"}},
        )
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # they name folders of this machine
    program.model.metadata_props.update(
        {name: json.dumps(value) for name, value in facts.items()})
    program.save(path, external_data=False)


def _open_onnx(path: Path) -> _Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda clips: session.run(list(OUTPUTS), {"clips": clips.numpy()})


def _check_onnx_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(f"exporting to ONNX needs the package {error.name}: pip "
                                     "install 'skelact[export]'; .pt2 needs none") from error


@torch.inference_mode()
def _compare(deployed: _Deployed, run: _Run, frames: int) -> float:
    """The largest difference over clips of several sizes, with persons and whole clips empty."""
    frames = max(frames, _FEWEST_FRAMES)
    differences = []
    for batch, people, length in ((1, 1, frames), (4, 2, frames + 1), (3, 3, 7)):
        clips = _example(deployed.network, batch, people, length)
        clips[0, 1:] = 0
        clips[2:3] = 0
        for expected, output in zip(deployed(clips), run(clips), strict=True):
            differences.append(np.abs(expected.numpy() - output).max())
    return float(np.max(differences))  # NaN if any is

"""What a network consists of and costs: layers, parameters, multiply-adds, receptive field."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from skelact.errors import ChoiceError, SkelactError
from skelact.models.classifier import SkeletonClassifier
from skelact.models.inference import InferenceClassifier

_PROBE_FRAMES = (120, 240, 480)
"""Lengths of clips on which layers are probed; multiples of all usual strides."""


@dataclass(frozen=True)
class LayerSummary:
    """One layer of a network.

    Args:
        name: Its place in the network, as in the names of weights.
        kind: Its class.
        output_shape: Of one clip; its first axis is people, but for the head's.
        parameters: Learned values.
        multiply_adds: Of its products and convolutions for one clip; what is done value by value
            (norms, activations, sums) is not counted.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class ModelSummary:
    """A network, layer by layer and in all.

    Args:
        layers: From the input norm to the head.
        frames: T of the clip whose cost this is.
        people: Its number of persons.
        parameters: Learned values of the network.
        multiply_adds: Of all products and convolutions for the clip, in the order in which the
            network does them: sums over joints may cost less than in a published count.
        receptive_field: How many frames of a clip a frame of the last layer depends on, before
            the mean over all frames; None where that is the whole clip, however long.
    """

    layers: tuple[LayerSummary, ...]
    frames: int
    people: int
    parameters: int
    multiply_adds: int
    receptive_field: int | None


def summarise(network: SkeletonClassifier, frames: int = 100, people: int = 1) -> ModelSummary:
    """Count a network's layers, parameters and multiply-adds, and find its receptive field.

    Args:
        network: A network as it was trained; it stays as it is.
        frames: T of the clip.
        people: Persons in the clip, all of them present.

    Raises:
        ChoiceError: No frames or no people.
        SkelactError: The network is one that `for_inference` made.
        ShapeError: More people than the network has slots for.
    """
    if frames < 1 or people < 1:
        raise ChoiceError(f"expected at least one frame and one person, got frames={frames}, "
                          f"people={people}")
    if isinstance(network, InferenceClassifier):
        raise SkelactError("expected a network as it was trained, got one that for_inference made; "
                           "summarise the one that it was made from")
    layers = _count_layers(network, frames, people)
    return ModelSummary(
        layers=tuple(layers), frames=frames, people=people,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        multiply_adds=sum(layer.multiply_adds for layer in layers),
        receptive_field=find_receptive_field(network),
    )


@torch.inference_mode()
def find_receptive_field(network: SkeletonClassifier) -> int | None:
    """How many frames of a clip a frame of the last layer depends on.

    Nothing is assumed about the layers: one frame before each is filled with NaN, which reaches
    every frame behind it that depends on it, by whatever path and weight, zero included.

    Args:
        network: Any network; it stays as it is.

    Returns:
        A number of frames; None where a layer looks at all frames however many there are
        (attention over frames, a mean over all of them).
    """
    probe = copy.deepcopy(network).eval().to("cpu", torch.float32)
    channels, field, step = network.in_channels, 1, 1
    for layer in _list_layers(probe).values():
        for frames in _PROBE_FRAMES:
            clip = torch.zeros(1, network.layout.num_joints, channels, frames)
            answers = layer(clip)
            stride = max(round(frames / answers.shape[3]), 1)
            reach = _find_reach(layer, clip, stride)
            if reach is not None:
                break
        else:
            return None
        field, step, channels = field + reach * step, step * stride, answers.shape[2]
    return field


def _find_reach(layer: nn.Module, clip: Tensor, stride: int) -> int | None:
    """How many frames beside its own an answer depends on; None if the clip is too short to say."""
    before = after = 0
    middle = clip.shape[3] // 2
    for frame in range(middle, middle + stride):
        poisoned = clip.clone()
        poisoned[..., frame] = torch.nan
        reached = layer(poisoned).isnan().any(dim=2).any(dim=1)[0]
        if reached[0] or reached[-1]:
            return None
        for answer in reached.nonzero()[:, 0].tolist():  # none, if a stride leaves the frame out
            before = max(before, frame - answer * stride)
            after = max(after, answer * stride - frame)
    return before + after


@torch.no_grad()
def _count_layers(network: SkeletonClassifier, frames: int, people: int) -> list[LayerSummary]:
    """Run a clip through a copy that holds no numbers, only shapes."""
    ghost = copy.deepcopy(network).eval().to("meta")
    ghost.absent = "zeros"  # all people count, so none are looked for
    parts = {"input_norm": ghost.input_norm} | _list_layers(ghost) | {"head": ghost.head}
    rows, started = [], {}
    unknown_to_torch = {torch.ops.aten.baddbmm_: _count_product}
    with FlopCounterMode(display=False, custom_mapping=unknown_to_torch) as counter:
        for name, part in parts.items():

            def begin(module: nn.Module, inputs: tuple, name: str = name) -> None:
                started[name] = counter.get_total_flops()

            def end(module: nn.Module, inputs: tuple, output: Tensor, name: str = name) -> None:
                rows.append(LayerSummary(
                    name, type(module).__name__, tuple(output.shape),
                    sum(parameter.numel() for parameter in module.parameters()),
                    (counter.get_total_flops() - started[name]) // 2,
                ))

            part.register_forward_pre_hook(begin)
            part.register_forward_hook(end)
        ghost(torch.empty(1, people, ghost.layout.num_joints, ghost.in_channels, frames,
                          device="meta"))
    return rows


def _count_product(total: list, left: list, right: list, out_shape=None, **factors) -> int:
    """Operations of a product added in place, which torch's counter leaves out; by shapes."""
    return 2 * left[0] * left[1] * left[2] * right[2]


def _list_layers(network: SkeletonClassifier) -> dict[str, nn.Module]:
    """The layers one after another, or all of them as one where they are no sequence."""
    if isinstance(network.layers, nn.Sequential):
        return {f"layers.{name}": layer for name, layer in network.layers.named_children()}
    return {"layers": network.layers}

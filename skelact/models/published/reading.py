"""What is read from a published checkpoint, and what all readers of them need."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from skelact.errors import WeightsError

STRIDES = ("a layer that widens and has a convolution on its residual path answers every second "
           "frame")
"""Said of networks whose keys do not tell strides."""


@dataclass(frozen=True)
class Reading:
    """A published checkpoint in our terms.

    Args:
        network: Name of the function that builds the network; see `build_network`.
        arguments: Its arguments, plain values, but for the layout.
        weights: The weights under our names and in our shapes.
        assumptions: What the keys and shapes do not say and was taken from what was published,
            one sentence each.
        from_layout: Names of the buffers that are not in the checkpoint because they follow from
            the layout.
    """

    network: str
    arguments: dict
    weights: dict[str, Tensor]
    assumptions: tuple[str, ...] = ()
    from_layout: tuple[str, ...] = ()


def check_axes(state: Mapping[str, Tensor], sizes: Mapping[str, int], network: str) -> None:
    """Make sure that entries are there, with their number of axes.

    Args:
        state: The published weights.
        sizes: Number of axes of every entry that must be there.
        network: What the weights seem to be for, to name it.

    Raises:
        WeightsError: One is missing, empty or has another number of axes.
    """
    for key, axes in sizes.items():
        if key not in state:
            raise WeightsError(f"this looks like {network}, but it lacks {key}; its first keys are "
                               f"{', '.join(list(state)[:4])}")
        if state[key].ndim != axes or not state[key].numel():
            raise WeightsError(f"this looks like {network}, but {key} has the axes "
                               f"{list(state[key].shape)}, expected {axes} of them, none empty")


def check_first_block(in_channels: int, base_channels: int) -> None:
    """Refuse a first block of pyskl's that adds its input to its output; ours has no residual.

    Raises:
        WeightsError: It keeps the channels.
    """
    if in_channels == base_channels:
        raise WeightsError(f"its first block keeps {in_channels} channels: pyskl then adds its "
                           "input to it, our first layer does not")


def rename(key: str, targets: Mapping[str, str]) -> str:
    """Our name for a key of a foreign checkpoint, by patterns and what they become.

    Raises:
        WeightsError: No pattern fits the key.
    """
    for pattern, target in targets.items():
        if re.fullmatch(pattern, key):
            return re.sub(pattern, target, key)
    raise WeightsError(f"the checkpoint has the unknown key {key!r}")


def in_order(keys: Iterable[str]) -> list[str]:
    """Keys sorted so that branch 2 comes before branch 10."""
    return sorted(keys, key=lambda key: [(word.isdigit(), int(word) if word.isdigit() else word)
                                         for word in key.split(".")])


def join_parts(
    parts: Mapping[str, list[Tensor]], stacked: Collection[str] = ()
) -> dict[str, Tensor]:
    """One tensor a name, of what the branches of a layer hold.

    Args:
        parts: Name -> tensors in the order of the branches.
        stacked: Names of those that lie along an axis of their own, the first; the others follow
            one another along the axis that they have.

    Raises:
        WeightsError: Their shapes do not go together.
    """
    joined = {}
    for name, values in parts.items():
        # num_batches_tracked has no axis to join along, and is the same in all branches
        if name not in stacked and (len(values) == 1 or not values[0].ndim):
            joined[name] = values[0]
            continue
        if len({value.shape[name not in stacked:] for value in values}) > 1:
            shapes = ", ".join(str(list(value.shape)) for value in values)
            raise WeightsError(f"branches that belong together (our {name}) have the shapes "
                               f"{shapes}")
        joined[name] = torch.stack(values) if name in stacked else torch.cat(values)
    return joined


def split_partitions(value: Tensor, partitions: int) -> Tensor:
    """One graph convolution's ``[K C_out, ...]`` as ``[K, C_out, C_in]`` or ``[K, C_out]``."""
    if len(value) % partitions:
        raise WeightsError(f"a graph convolution has {len(value)} channels, expected a multiple of "
                           f"its {partitions} partitions")
    return value.reshape(partitions, -1, *value.shape[1:2])


def infer_rows(
    state: Mapping[str, Tensor], norm: str, strided: str, base_channels: int
) -> list[tuple[int, int]]:
    """Width, as a multiple of the base width, and stride of every layer.

    Args:
        state: The published weights.
        norm: Key of a layer's norm, with ``{}`` for the number of the layer.
        strided: Key that a layer has only where it answers every second frame.
        base_channels: Width of the first layer.

    Raises:
        WeightsError: A layer is no multiple of the first one's width.
    """
    rows = []
    while (value := state.get(norm.format(len(rows)))) is not None:
        width, rest = divmod(value.numel(), base_channels)
        if rest or not width:
            raise WeightsError(f"block {len(rows)} has {value.numel()} channels, expected a "
                               f"multiple of the first one's {base_channels}")
        rows.append((width, 2 if strided.format(len(rows)) in state else 1))
    return rows


def infer_slots(norm: Tensor, joints: int, channels: int) -> int:
    """Person slots that the input norm tells apart; 0 where it treats all persons alike.

    Args:
        norm: The weight of the norm, ``[N C]`` or ``[M N C]``.
        joints: N.
        channels: C.

    Raises:
        WeightsError: Its size is neither.
    """
    slots, rest = divmod(norm.numel(), joints * channels)
    if rest or not slots:
        raise WeightsError(f"its input norm has {norm.numel()} values, expected a multiple of "
                           f"{joints} joints x {channels} channels")
    return slots if slots > 1 else 0

"""What every network has around its layers: normalisation before, pooling and classes after."""

from typing import Literal

import torch
from torch import Tensor, nn

from skelact.checks import check_choice, check_shape
from skelact.errors import ChoiceError, ShapeError
from skelact.graph.layouts import Layout, check_joints


def action_probabilities(scores: Tensor, num_classes: int) -> Tensor:
    """``[B, num_classes]`` probability of every action.

    A network that rejects has one score more, the last: the log-odds that this is no known
    action. Which action and whether any are judged apart, so that learning to reject costs no
    accuracy: ``softmax(actions) * (1 - sigmoid(none))``.

    Args:
        scores: ``[B, num_classes]`` or ``[B, num_classes + 1]``.
        num_classes: The number of actions.
    """
    probabilities = scores[:, :num_classes].softmax(dim=1)
    if scores.shape[1] > num_classes:
        probabilities = probabilities * torch.sigmoid(-scores[:, num_classes:])
    return probabilities


class InputNorm(nn.BatchNorm1d):
    """Batch normalisation of every joint's every channel; ``[P, N, C, T]``, the shape stays.

    Args:
        num_joints: N.
        channels: C.
        slots: Person slots that are normalised apart, as some published networks do; 0 for
            all persons alike.
    """

    def __init__(self, num_joints: int, channels: int, slots: int = 0):
        super().__init__(max(slots, 1) * num_joints * channels)
        self.slots = slots

    def forward(self, people: Tensor, slot: Tensor | None = None) -> Tensor:
        """Normalise over P and T.

        Args:
            people: ``[P, N, C, T]``.
            slot: ``[P]`` the slot of every person, where slots are told apart.
        """
        if not self.slots:
            return super().forward(people.flatten(1, 2)).view_as(people)
        by_slot = [value.view(self.slots, *people.shape[1:3], 1)
                   for value in (self.running_mean, self.running_var, self.weight, self.bias)]
        if self.training:
            return self._train(people, slot, by_slot)
        mean, variance, weight, bias = (value[slot] for value in by_slot)
        return (people - mean) * (weight * (variance + self.eps).rsqrt()) + bias

    def _train(self, people: Tensor, slot: Tensor, by_slot: list[Tensor]) -> Tensor:
        """Each slot by the statistics of who is in it, which are remembered."""
        self.num_batches_tracked += 1
        output = torch.empty_like(people)
        for number in slot.unique().tolist():
            mean, variance, weight, bias = (value[number].flatten() for value in by_slot)
            rows = (slot == number).nonzero()[:, 0]
            part = people[rows]
            normed = nn.functional.batch_norm(part.flatten(1, 2), mean, variance, weight, bias,
                                              True, self.momentum, self.eps)
            output = output.index_copy(0, rows, normed.view_as(part).to(output.dtype))
        return output


class SkeletonClassifier(nn.Module):
    """Scores action classes for clips of joints.

    A person is present in a clip where any value of ``clips[b, m]`` is not 0. Most slots of most
    data sets are empty, so the persons who are present are packed: only they are convolved and
    only they count in batch statistics. A clip's features are the mean over its present persons;
    a clip with nobody has features 0, so the head's bias scores it.

    A graph that is exported or compiled cannot depend on who is present. In eval mode it convolves
    every slot and takes the same mean, with equal scores. In training, where batch statistics
    would differ, packing breaks the graph: compile ``network.layers`` instead of the network.

    Args:
        layout: The skeleton.
        in_channels: C of the clips.
        layers: Maps ``[P, N, C, T]`` to features ``[P, N, D, T']``; P may be 0.
        feature_channels: D.
        num_classes: Number of scores.
        absent: ``skip`` those who are absent; or convolve their ``zeros`` as people and let them
            count, in batch statistics and in the mean over M, as published code does.
        norm_slots: Person slots whose input is normalised apart, as in some published networks,
            which then take no more persons than that; 0 for all persons alike.

    Attributes:
        architecture: What `build_network` built it from; None where a function was called.
        assumptions: Of published weights, what their file does not say and was taken as published.

    Shapes:
        input ``[B, M, N, C, T]``, 0 where a joint or person is missing; output
        ``[B, num_classes]`` scores before softmax.

    Raises:
        ChoiceError: ``absent`` is neither, a negative ``norm_slots``, or no class.
    """

    def __init__(
        self, layout: Layout, in_channels: int, layers: nn.Module, feature_channels: int,
        num_classes: int, absent: Literal["skip", "zeros"] = "skip", norm_slots: int = 0,
    ):
        super().__init__()
        self.layout = layout
        self.in_channels = in_channels
        self.architecture: dict | None = None
        self.assumptions: tuple[str, ...] = ()
        self.absent = check_choice(absent, ("skip", "zeros"), "absent")
        if norm_slots < 0 or num_classes < 1:
            raise ChoiceError("expected norm_slots of 0 or more and at least one class, got "
                              f"norm_slots={norm_slots}, num_classes={num_classes}")
        self.input_norm = InputNorm(layout.num_joints, in_channels, norm_slots)
        self.layers = layers
        self.head = nn.Linear(feature_channels, num_classes)

    def features(self, clips: Tensor) -> Tensor:
        """Feature maps of every person: ``[B, M, N, D, T']``, 0 for who is skipped.

        Raises:
            LayoutError: Another number of joints than the layout's.
            ShapeError: Not five axes, or another number of channels.
        """
        present = self.find_counted(clips)
        people, rows = self._pack(clips, present)
        return _unpack(self.layers(people), rows, present)

    def forward(self, clips: Tensor) -> Tensor:
        """Scores ``[B, num_classes]``; the mean over joints, frames and persons decides.

        Raises:
            LayoutError: Another number of joints than the layout's.
            ShapeError: Not five axes, or another number of channels.
        """
        return self.head(self.embed(clips))

    def embed(self, clips: Tensor) -> Tensor:
        """``[B, D]`` what the head scores: the mean of the features over joints, frames, persons.

        Raises:
            LayoutError: Another number of joints than the layout's.
            ShapeError: Not five axes, or another number of channels.
        """
        present = self.find_counted(clips)
        people, rows = self._pack(clips, present)
        pooled = self.layers(people).mean(dim=(1, 3))
        by_person = _unpack(pooled, rows, present)
        return by_person.sum(dim=1) / present.sum(dim=1, keepdim=True).clamp_min(1)

    def find_counted(self, clips: Tensor) -> Tensor:
        """``[B, M]`` true where a person takes part in the scores.

        Raises:
            LayoutError: Another number of joints than the layout's.
            ShapeError: Not five axes, or another number of channels, or too many persons.
        """
        check_joints(clips, self.layout, "clips")
        check_shape(clips, ("B", "M", self.layout.num_joints, self.in_channels, "T"), "clips")
        if self.input_norm.slots:
            check_slots(clips.shape[1], self.input_norm.slots)
        if self.absent == "zeros":
            return torch.ones(clips.shape[:2], dtype=torch.bool, device=clips.device)
        return find_present(clips)

    def _pack(self, clips: Tensor, present: Tensor) -> tuple[Tensor, Tensor | None]:
        """Persons ``[P, N, C, T]``, normalised, and their places in ``[B M]``; None for all."""
        people, rows = clips.flatten(0, 1), None
        in_graph = torch.compiler.is_compiling() and not self.training
        if not (self.absent == "zeros" or in_graph or present.all()):
            rows = present.flatten().nonzero()[:, 0]
            people = people[rows]
        if not self.input_norm.slots:
            return self.input_norm(people), rows
        slot = torch.arange(clips.shape[1], device=clips.device).repeat(clips.shape[0])
        return self.input_norm(people, slot if rows is None else slot[rows]), rows


def _unpack(packed: Tensor, rows: Tensor | None, present: Tensor) -> Tensor:
    """``[P, ...]`` to ``[B, M, ...]``, 0 for who is absent."""
    if rows is None:
        mask = present.view(*present.shape, *[1] * (packed.dim() - 1))
        return packed.unflatten(0, present.shape) * mask
    places = packed.new_zeros(present.numel(), *packed.shape[1:])
    return places.index_copy(0, rows, packed).unflatten(0, present.shape)


def find_present(clips: Tensor) -> Tensor:
    """``[B, M]`` true for a person of whom any value in ``[B, M, N, C, T]`` is not 0."""
    return (clips != 0).flatten(2).any(dim=2)


def check_slots(people: int, slots: int) -> None:
    """Refuse more persons than a network has input norms for.

    Raises:
        ShapeError: There are more.
    """
    if people > slots:
        raise ShapeError(f"expected at most {slots} persons: this network normalises the input of "
                         f"each of {slots} person slots apart; got {people}")

"""What every network has around its layers: normalisation before, pooling and classes after."""

from typing import Literal

import torch
from torch import Tensor, nn

from skelact.checks import check_choice, check_shape
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
    """Batch normalisation of every joint's every channel; ``[B, N, C, T]``, the shape stays."""

    def __init__(self, num_joints: int, channels: int):
        super().__init__(num_joints * channels)

    def forward(self, joints: Tensor) -> Tensor:
        """Normalise over B and T."""
        return super().forward(joints.flatten(1, 2)).view_as(joints)


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

    Shapes:
        input ``[B, M, N, C, T]``, 0 where a joint or person is missing; output
        ``[B, num_classes]`` scores before softmax.

    Raises:
        ChoiceError: ``absent`` is neither.
    """

    def __init__(
        self, layout: Layout, in_channels: int, layers: nn.Module, feature_channels: int,
        num_classes: int, absent: Literal["skip", "zeros"] = "skip",
    ):
        super().__init__()
        self.layout = layout
        self.in_channels = in_channels
        self.absent = check_choice(absent, ("skip", "zeros"), "absent")
        self.input_norm = InputNorm(layout.num_joints, in_channels)
        self.layers = layers
        self.head = nn.Linear(feature_channels, num_classes)

    def features(self, clips: Tensor) -> Tensor:
        """Feature maps of every person: ``[B, M, N, D, T']``, 0 for who is skipped.

        Raises:
            LayoutError: Another number of joints than the layout's.
            ShapeError: Not five axes, or another number of channels.
        """
        present = self._find_present(clips)
        people, rows = self._pack(clips, present)
        return _unpack(self.layers(self.input_norm(people)), rows, present)

    def forward(self, clips: Tensor) -> Tensor:
        """Scores ``[B, num_classes]``; the mean over joints, frames and persons decides.

        Raises:
            LayoutError: Another number of joints than the layout's.
            ShapeError: Not five axes, or another number of channels.
        """
        present = self._find_present(clips)
        people, rows = self._pack(clips, present)
        pooled = self.layers(self.input_norm(people)).mean(dim=(1, 3))
        by_person = _unpack(pooled, rows, present)
        return self.head(by_person.sum(dim=1) / present.sum(dim=1, keepdim=True).clamp_min(1))

    def _find_present(self, clips: Tensor) -> Tensor:
        """``[B, M]`` true where a person takes part in the scores."""
        check_joints(clips, self.layout, "clips")
        check_shape(clips, ("B", "M", self.layout.num_joints, self.in_channels, "T"), "clips")
        if self.absent == "zeros":
            return torch.ones(clips.shape[:2], dtype=torch.bool, device=clips.device)
        return (clips != 0).flatten(2).any(dim=2)

    def _pack(self, clips: Tensor, present: Tensor) -> tuple[Tensor, Tensor | None]:
        """Persons ``[P, N, C, T]`` and their places in ``[B M]``; None where all are packed."""
        people = clips.flatten(0, 1)
        in_graph = torch.compiler.is_compiling() and not self.training
        if self.absent == "zeros" or in_graph or present.all():
            return people, None
        rows = present.flatten().nonzero()[:, 0]
        return people[rows], rows


def _unpack(packed: Tensor, rows: Tensor | None, present: Tensor) -> Tensor:
    """``[P, ...]`` to ``[B, M, ...]``, 0 for who is absent."""
    if rows is None:
        mask = present.view(*present.shape, *[1] * (packed.dim() - 1))
        return packed.unflatten(0, present.shape) * mask
    places = packed.new_zeros(present.numel(), *packed.shape[1:])
    return places.index_copy(0, rows, packed).unflatten(0, present.shape)

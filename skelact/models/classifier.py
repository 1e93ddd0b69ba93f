"""What every network has around its layers: normalisation before, pooling and classes after."""

import torch
from torch import Tensor, nn

from skelact.checks import check_shape
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

    Args:
        layout: The skeleton.
        in_channels: C of the clips.
        layers: Maps ``[B, N, C, T]`` to features ``[B, N, D, T']``.
        feature_channels: D.
        num_classes: Number of scores.

    Shapes:
        input ``[B, M, N, C, T]``, 0 where a joint or person is missing; output
        ``[B, num_classes]`` scores before softmax.
    """

    def __init__(
        self, layout: Layout, in_channels: int, layers: nn.Module, feature_channels: int,
        num_classes: int,
    ):
        super().__init__()
        self.layout = layout
        self.in_channels = in_channels
        self.input_norm = InputNorm(layout.num_joints, in_channels)
        self.layers = layers
        self.head = nn.Linear(feature_channels, num_classes)

    def features(self, clips: Tensor) -> Tensor:
        """Feature maps of every person: ``[B, M, N, D, T']``.

        Raises:
            LayoutError: Another number of joints than the layout's.
            ShapeError: Not five axes, or another number of channels.
        """
        check_joints(clips, self.layout, "clips")
        check_shape(clips, ("B", "M", self.layout.num_joints, self.in_channels, "T"), "clips")
        people = clips.flatten(0, 1)
        return self.layers(self.input_norm(people)).unflatten(0, clips.shape[:2])

    def forward(self, clips: Tensor) -> Tensor:
        """Scores ``[B, num_classes]``; the mean over joints, frames and persons decides."""
        return self.head(torch.mean(self.features(clips), dim=(1, 2, 4)))

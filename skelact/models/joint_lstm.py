"""An LSTM over joints: the baseline that has no graph."""

from typing import Literal

from torch import nn

from skelact.graph.layouts import Layout, get_layout
from skelact.models.classifier import SkeletonClassifier
from skelact.nn.lstm import FrameLSTM


def lstm(
    layout: str | Layout,
    num_classes: int,
    in_channels: int = 3,
    base_channels: int = 64,
    num_layers: int = 3,
    dropout: float = 0.0,
    absent: Literal["skip", "zeros"] = "skip",
    norm_slots: int = 0,
) -> SkeletonClassifier:
    """A stack of LSTMs that reads all joints of a person frame by frame.

    It knows no bones: the coordinates of a frame are one long vector. A clip is judged by the mean
    of the answers to all frames, so its features are those of one joint, ``[B, M, 1, D, T]``.

    Args:
        layout: The skeleton.
        num_classes: Number of action classes.
        in_channels: C of the clips; 3 for x, y, confidence or x, y, z.
        base_channels: A quarter of D, the size of each memory (256, as wide as the last layers of
            ST-GCN).
        num_layers: LSTMs, each on the answers of the one before.
        dropout: Share of features zeroed between layers in training.
        absent: Whether persons who are absent are skipped; see `SkeletonClassifier`.
        norm_slots: Person slots with an input norm each; see `SkeletonClassifier`.

    Returns:
        A network on ``[B, M, N, C, T]``; 1.41 M parameters on NTU-25 for 60 classes at the default
        width.

    Raises:
        LayoutError, ChoiceError: No such layout or treatment of the absent.

    Source: Shahroudy et al., "NTU RGB+D: A Large Scale Dataset for 3D Human Activity Analysis",
    CVPR 2016, section 4.1 (deep LSTM, with which the data set was first measured).
    """
    layout = get_layout(layout)
    width = 4 * base_channels
    layers = nn.Sequential(
        FrameLSTM(layout.num_joints, in_channels, width, num_layers, dropout),
    )
    return SkeletonClassifier(layout, in_channels, layers, width, num_classes, absent, norm_slots)

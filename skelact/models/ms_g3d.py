"""MS-G3D, the network."""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from skelact.graph.layouts import Layout, get_layout
from skelact.models.classifier import SkeletonClassifier
from skelact.models.rows import scale_rows
from skelact.nn.msg3d import DILATIONS, MSG3D, WINDOWS

BLOCKS = ((1, 1), (2, 2), (4, 2))
"""One row a block: width, as a multiple of the base width, and stride."""


def msg3d(
    layout: str | Layout,
    num_classes: int,
    in_channels: int = 3,
    base_channels: int = 96,
    graph_scales: int = 13,
    window_scales: int = 6,
    windows: Sequence[int] = WINDOWS,
    kernel_size: int = 3,
    dilations: Sequence[int] = DILATIONS,
    normalise: Literal["columns", "symmetric"] = "columns",
    dropout: float = 0.0,
    absent: Literal["skip", "zeros"] = "skip",
    rows: Sequence[tuple[int, int]] = BLOCKS,
    norm_slots: int = 0,
) -> SkeletonClassifier:
    """The three-block MS-G3D.

    Graph convolutions that tell joints apart by their distance, one over single frames and one
    over each of two lengths of windows of frames, side by side.

    Args:
        layout: The skeleton.
        num_classes: Number of action classes.
        in_channels: C of the clips; 3 for x, y, confidence or x, y, z.
        base_channels: Width of the first block (96 as published), at least 3.
        graph_scales: Number of distances told apart at one frame.
        window_scales: Number of distances told apart over windows.
        windows: Frames under each window, odd.
        kernel_size: Frames under each temporal kernel, odd.
        dilations: Steps between the frames under the temporal kernels, one branch each.
        normalise: Of the graphs, see `disentangled`: ``columns`` as in pyskl, ``symmetric`` as in
            the paper.
        dropout: Share of features zeroed in training at the end of every block.
        absent: Whether persons who are absent are skipped; see `SkeletonClassifier`. Published
            weights were trained with their ``zeros``.
        rows: Width, as a multiple of ``base_channels``, and stride of every block.
        norm_slots: Person slots with an input norm of their own (2 as published); 0 for one norm
            for all persons; see `SkeletonClassifier`.

    Returns:
        A network on ``[B, M, N, C, T]``.

    Raises:
        LayoutError, ChoiceError: No such layout, normalisation or treatment of the absent, fewer
            than 3 channels, or an even window or ``kernel_size``.

    Source: Liu et al., "Disentangling and Unifying Graph Convolutions for Skeleton-Based Action
    Recognition", CVPR 2020, section 3.4.
    """
    layout = get_layout(layout)
    blocks = [
        MSG3D(before, width, layout, hidden_channels=before if block else width, stride=stride,
              graph_scales=graph_scales, window_scales=window_scales, windows=windows,
              kernel_size=kernel_size, dilations=dilations, normalise=normalise, dropout=dropout)
        for block, (before, width, stride)
        in enumerate(scale_rows(rows, in_channels, base_channels))
    ]
    return SkeletonClassifier(layout, in_channels, nn.Sequential(*blocks),
                              rows[-1][0] * base_channels, num_classes, absent, norm_slots)

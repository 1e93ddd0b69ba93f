"""ST-GCN++, the network."""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from skelact.graph.graph import Graph
from skelact.graph.layouts import Layout
from skelact.models.classifier import SkeletonClassifier
from skelact.models.rows import ROWS, scale_rows
from skelact.nn.stgcn_pp import STGCNPP

PARTITION = "inward_outward"


def stgcnpp(
    layout: str | Layout,
    num_classes: int,
    in_channels: int = 3,
    base_channels: int = 64,
    partition: str | None = None,
    kernel_size: int = 3,
    dropout: float = 0.0,
    absent: Literal["skip", "zeros"] = "skip",
    rows: Sequence[tuple[int, int]] = ROWS,
    norm_slots: int = 0,
) -> SkeletonClassifier:
    """The ten-layer ST-GCN++.

    ST-GCN with a learned adjacency, a residual in the graph convolution and temporal convolutions
    of several dilations side by side; under half the parameters.

    Args:
        layout: The skeleton.
        num_classes: Number of action classes.
        in_channels: C of the clips; 3 for x, y, confidence or x, y, z.
        base_channels: Width of the first four layers (64 as published).
        partition: The graph that the learned adjacency starts from, see `Graph`; by default (None
            or empty) ``inward_outward``, as published.
        kernel_size: Frames under each temporal kernel, odd.
        dropout: Share of features zeroed in training in all layers but the first.
        absent: Whether persons who are absent are skipped; see `SkeletonClassifier`. Published
            weights were trained with their ``zeros``.
        rows: Width, as a multiple of ``base_channels``, and stride of every layer.
        norm_slots: Person slots with an input norm each; see `SkeletonClassifier`.

    Returns:
        A network on ``[B, M, N, C, T]``; 1.40 M parameters on NTU-25 (1.39 M on COCO-17) for 60
        classes at the published width.

    Raises:
        LayoutError, ChoiceError: No such layout, partition or treatment of the absent, or an even
            ``kernel_size``.

    Source: Duan et al., "PYSKL: Towards Good Practices for Skeleton Action Recognition", ACM MM
    2022, section 3.2.
    """
    graph = Graph(layout, partition or PARTITION)
    layers = [
        STGCNPP(c_in, c_out, graph, kernel_size, stride, residual=row > 0,
                dropout=dropout if row else 0.0)
        for row, (c_in, c_out, stride) in enumerate(scale_rows(rows, in_channels, base_channels))
    ]
    return SkeletonClassifier(graph.layout, in_channels, nn.Sequential(*layers),
                              rows[-1][0] * base_channels, num_classes, absent, norm_slots)

"""AAGCN and 2s-AGCN, the networks."""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from skelact.graph.graph import Graph
from skelact.graph.layouts import Layout
from skelact.models.classifier import SkeletonClassifier
from skelact.models.rows import ROWS, scale_rows
from skelact.nn.aagcn import AAGCN

PARTITION = "inward_outward"


def aagcn(
    layout: str | Layout,
    num_classes: int,
    in_channels: int = 3,
    base_channels: int = 64,
    partition: str | None = None,
    kernel_size: int = 9,
    adaptive: bool = True,
    attention: bool = True,
    reduction: int = 4,
    dropout: float = 0.0,
    absent: Literal["skip", "zeros"] = "skip",
    rows: Sequence[tuple[int, int]] = ROWS,
    norm_slots: int = 0,
) -> SkeletonClassifier:
    """The ten-layer AAGCN; with ``attention=False``, the network of 2s-AGCN.

    Both learn the adjacency in every layer and add to it how alike any two joints move. The streams
    of 2s-AGCN are two such networks, one on joints and one on bones. Its own code compares joints
    by softmax and without alpha; this is the later form by the same authors.

    Args:
        layout: The skeleton.
        num_classes: Number of action classes.
        in_channels: C of the clips; 3 for x, y, confidence or x, y, z.
        base_channels: Width of the first four layers (64 as published).
        partition: The graph that the learned adjacency starts from, see `Graph`; by default (None
            or empty) ``inward_outward``, as published.
        kernel_size: Frames under the temporal kernel, odd.
        adaptive: Learn the adjacency; otherwise it is the graph's.
        attention: Weigh joints, frames and channels in every layer.
        reduction: How many times fewer channels than a layer gives compare joints.
        dropout: Share of features zeroed in training in all layers but the first.
        absent: Whether persons who are absent are skipped; see `SkeletonClassifier`. Published
            weights were trained with their ``zeros``.
        rows: Width, as a multiple of ``base_channels``, and stride of every layer.
        norm_slots: Person slots with an input norm each; see `SkeletonClassifier`. Published
            weights have 2.

    Returns:
        A network on ``[B, M, N, C, T]``; 3.78 M parameters on NTU-25 for 60 classes at the
        published width, 3.47 M without attention.

    Raises:
        LayoutError, ChoiceError: No such layout, partition or treatment of the absent, or an even
            ``kernel_size``.

    Source: Shi et al., "Skeleton-Based Action Recognition With Multi-Stream Adaptive Graph
    Convolutional Networks", TIP 2020; without attention Shi et al., "Two-Stream Adaptive Graph
    Convolutional Networks for Skeleton-Based Action Recognition", CVPR 2019.
    """
    graph = Graph(layout, partition or PARTITION)
    layers = [
        AAGCN(c_in, c_out, graph, kernel_size, stride, residual=row > 0, adaptive=adaptive,
              attention=attention, reduction=reduction, dropout=dropout if row else 0.0)
        for row, (c_in, c_out, stride) in enumerate(scale_rows(rows, in_channels, base_channels))
    ]
    return SkeletonClassifier(graph.layout, in_channels, nn.Sequential(*layers),
                              rows[-1][0] * base_channels, num_classes, absent, norm_slots)

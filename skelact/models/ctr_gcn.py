"""CTR-GCN, the network."""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from skelact.errors import ChoiceError
from skelact.graph.graph import Graph
from skelact.graph.layouts import Layout
from skelact.models.classifier import SkeletonClassifier
from skelact.models.rows import ROWS, scale_rows
from skelact.nn.ctrgcn import CTRGCN

PARTITION = "inward_outward"


def ctrgcn(
    layout: str | Layout,
    num_classes: int,
    in_channels: int = 3,
    base_channels: int = 64,
    partition: str | None = None,
    kernel_size: int = 5,
    dilations: Sequence[int] = (1, 2),
    compared_channels: Sequence[int] | None = None,
    temporal_relu: bool = True,
    dropout: float = 0.0,
    absent: Literal["skip", "zeros"] = "skip",
    rows: Sequence[tuple[int, int]] = ROWS,
    norm_slots: int = 0,
) -> SkeletonClassifier:
    """The ten-layer CTR-GCN.

    A learned adjacency that every clip refines for every channel, and temporal convolutions of
    several dilations side by side.

    Args:
        layout: The skeleton.
        num_classes: Number of action classes.
        in_channels: C of the clips; 3 for x, y, confidence or x, y, z.
        base_channels: Width of the first four layers (64 as published); at least one for each
            branch over frames, of which there are two more than dilations.
        partition: The graph that the learned adjacency starts from, see `Graph`; by default (None
            or empty) ``inward_outward``, as published.
        kernel_size: Frames under each temporal kernel, odd.
        dilations: Steps between the frames under the temporal kernels, one branch each.
        compared_channels: Channels in which joints are compared, one number a layer; by default
            an eighth of the layer's input, or 8 where that has 16 channels or fewer.
        temporal_relu: A relu between temporal convolution and residual, as in pyskl; the authors'
            own code has none.
        dropout: Share of features zeroed in training in all layers but the first.
        absent: Whether persons who are absent are skipped; see `SkeletonClassifier`. Published
            weights were trained with their ``zeros``.
        rows: Width, as a multiple of ``base_channels``, and stride of every layer.
        norm_slots: Person slots with an input norm each; see `SkeletonClassifier`. Published are
            as many as there are persons.

    Returns:
        A network on ``[B, M, N, C, T]``; 1.45 M parameters on NTU-25 for 60 classes at
        the published width.

    Raises:
        LayoutError, ChoiceError: No such layout, partition or treatment of the absent, an even
            ``kernel_size``, fewer channels than branches, or not one of ``compared_channels`` a
            layer.

    Source: Chen et al., "Channel-wise Topology Refinement Graph Convolution for Skeleton-Based
    Action Recognition", ICCV 2021.
    """
    graph = Graph(layout, partition or PARTITION)
    if compared_channels is not None and len(compared_channels) != len(rows):
        raise ChoiceError(f"expected compared_channels of {len(rows)} layers, got "
                          f"{len(compared_channels)}")
    layers = [
        CTRGCN(c_in, c_out, graph, kernel_size, stride, dilations, residual=row > 0,
               compared_channels=compared_channels[row] if compared_channels else None,
               temporal_relu=temporal_relu, dropout=dropout if row else 0.0)
        for row, (c_in, c_out, stride) in enumerate(scale_rows(rows, in_channels, base_channels))
    ]
    return SkeletonClassifier(graph.layout, in_channels, nn.Sequential(*layers),
                              rows[-1][0] * base_channels, num_classes, absent, norm_slots)

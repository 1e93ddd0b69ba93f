"""ST-GCN, the network."""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from skelact.graph.graph import Graph
from skelact.graph.layouts import Layout
from skelact.models.classifier import SkeletonClassifier
from skelact.models.rows import ROWS, scale_rows
from skelact.nn.stgcn import STGCN


def stgcn(
    layout: str | Layout,
    num_classes: int,
    in_channels: int = 3,
    base_channels: int = 64,
    partition: str = "spatial",
    max_hop: int = 1,
    kernel_size: int = 9,
    edge_importance: bool = True,
    dropout: float = 0.0,
    absent: Literal["skip", "zeros"] = "skip",
    rows: Sequence[tuple[int, int]] = ROWS,
    norm_slots: int = 0,
) -> SkeletonClassifier:
    """The ten-layer ST-GCN.

    Args:
        layout: The skeleton.
        num_classes: Number of action classes.
        in_channels: C of the clips; 3 for x, y, confidence or x, y, z.
        base_channels: Width of the first four layers (64 as published).
        partition: How neighbourhoods are split; see `Graph`. Published weights need
            ``spatial_released``.
        max_hop: Neighbourhood radius in bones.
        kernel_size: Frames under the temporal kernel.
        edge_importance: Learn a factor for every edge in every layer.
        dropout: Share of features zeroed in training in all layers but the first.
        absent: Whether persons who are absent are skipped; see `SkeletonClassifier`. Published
            weights were trained with their ``zeros``.
        rows: Width, as a multiple of ``base_channels``, and stride of every layer.
        norm_slots: Person slots with an input norm each; see `SkeletonClassifier`.

    Returns:
        A network on ``[B, M, N, C, T]``; 3.1 M parameters on NTU-25 at the published width.

    Raises:
        LayoutError, ChoiceError: No such layout, partition or treatment of the absent.

    Source: Yan et al., AAAI 2018, section 3.4; the published code has these widths and strides.
    """
    graph = Graph(layout, partition, max_hop)
    layers = [
        STGCN(c_in, c_out, graph, kernel_size, stride, residual=row > 0,
              edge_importance=edge_importance, dropout=dropout if row else 0.0)
        for row, (c_in, c_out, stride) in enumerate(scale_rows(rows, in_channels, base_channels))
    ]
    return SkeletonClassifier(graph.layout, in_channels, nn.Sequential(*layers),
                              rows[-1][0] * base_channels, num_classes, absent, norm_slots)

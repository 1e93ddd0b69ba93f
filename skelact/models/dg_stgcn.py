"""DG-STGCN, the network."""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from skelact.graph.layouts import Layout, get_layout
from skelact.models.classifier import SkeletonClassifier
from skelact.models.rows import ROWS, scale_rows
from skelact.nn.dgstgcn import DGSTGCN


def dgstgcn(
    layout: str | Layout,
    num_classes: int,
    in_channels: int = 3,
    base_channels: int = 64,
    topologies: int = 8,
    ratio: float = 0.125,
    kernel_size: int = 3,
    dilations: Sequence[int] = (1, 2, 3, 4),
    dropout: float = 0.0,
    absent: Literal["skip", "zeros"] = "skip",
    rows: Sequence[tuple[int, int]] = ROWS,
    norm_slots: int = 0,
) -> SkeletonClassifier:
    """The ten-layer DG-STGCN.

    ST-GCN++ without a prescribed graph: each group of channels has a topology that is learned from
    noise and follows the clip, and the temporal convolutions see the mean of all joints beside
    each joint.

    Args:
        layout: The skeleton; the network takes only its number of joints.
        num_classes: Number of action classes.
        in_channels: C of the clips; 3 for x, y, confidence or x, y, z.
        base_channels: Width of the first four layers (64 as published).
        topologies: Number of learned topologies a layer.
        ratio: Channels that share a learned topology, as a share of the layer's width.
        kernel_size: Frames under each temporal kernel, odd.
        dilations: Steps between the frames under the temporal kernels, one branch each.
        dropout: Share of features zeroed in training in all layers but the first.
        absent: Whether persons who are absent are skipped; see `SkeletonClassifier`. Published
            weights were trained with their ``zeros``.
        rows: Width, as a multiple of ``base_channels``, and stride of every layer.
        norm_slots: Person slots with an input norm each; see `SkeletonClassifier`.

    Returns:
        A network on ``[B, M, N, C, T]``; 1.70 M parameters on NTU-25 for 60 classes at the
        published width.

    Raises:
        LayoutError, ChoiceError: No such layout or treatment of the absent, or an even
            ``kernel_size``.

    Source: Duan et al., "DG-STGCN: Dynamic Spatial-Temporal Modeling for Skeleton-based Action
    Recognition", arXiv 2210.05895, 2022; the published configurations have these values.
    """
    layout = get_layout(layout)
    layers = [
        DGSTGCN(c_in, c_out, layout, topologies, ratio, kernel_size, stride, dilations,
                residual=row > 0, dropout=dropout if row else 0.0)
        for row, (c_in, c_out, stride) in enumerate(scale_rows(rows, in_channels, base_channels))
    ]
    return SkeletonClassifier(layout, in_channels, nn.Sequential(*layers),
                              rows[-1][0] * base_channels, num_classes, absent, norm_slots)

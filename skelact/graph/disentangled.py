"""Neighbourhoods told apart by their distance: the graphs of MS-G3D."""

import numpy as np

from skelact.checks import check_choice
from skelact.graph.layouts import Layout
from skelact.graph.partition import hop_distance

NORMALISATIONS = ("columns", "symmetric")


def disentangled(
    layout: Layout, scales: int, window: int = 1, normalise: str = "columns"
) -> np.ndarray:
    """One subset a distance, each with the joint itself, over a window of frames.

    Scale 0 is the joint itself, scale 1 its neighbours and itself, scale k the joints exactly k
    bones away and itself, so that a far joint counts as much as a near one. Within a window, a
    joint at any frame is as far from another joint at any frame as the skeleton says, and one bone
    from itself at other frames.

    Args:
        layout: The skeleton.
        scales: K, the number of subsets; those beyond the farthest joint hold the joint only.
        window: W, the number of frames that are linked.
        normalise: ``columns``: every column sums to 1, as in pyskl; ``symmetric``: divided by the
            roots of both joints' sums, as in the paper and the code released with it.

    Returns:
        ``[K, W N, W N]`` float64 as [scale, source, target]; entry ``w * N + n`` is joint n at
        frame w of the window.

    Raises:
        ChoiceError: No such normalisation.

    Source: Liu et al., "Disentangling and Unifying Graph Convolutions for Skeleton-Based Action
    Recognition", CVPR 2020, sections 3.2 and 3.3.
    """
    check_choice(normalise, NORMALISATIONS, "normalise")
    hops = hop_distance(layout)
    itself = np.eye(window * layout.num_joints)
    subsets = []
    for scale in range(scales):
        linked = hops <= 1 if scale == 1 else hops == scale
        everywhere = np.tile(linked, (window, window)) if scale else itself
        subset = np.maximum(everywhere, itself)
        total = subset.sum(axis=0)  # of the rows too, distances have no direction
        subsets.append(subset / total if normalise == "columns"
                       else subset / np.sqrt(total[:, None] * total[None, :]))
    return np.stack(subsets)

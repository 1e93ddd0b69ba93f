"""Partitions of a skeleton's neighbourhoods into the subsets that share a weight.

All functions give ``[K, N, N]`` float64 as [partition, source, target]: features flow as
``out[target] = sum over k, source of W_k x[source] * A[k, source, target]``.

Source: Yan et al., "Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action
Recognition", AAAI 2018, section 3.3.
"""

import numpy as np

from skelact.graph.layouts import Layout


def hop_distance(layout: Layout) -> np.ndarray:
    """``[N, N]`` number of bones between every two joints."""
    linked = np.eye(layout.num_joints, dtype=bool)
    for child, parent in layout.bones:
        linked[child, parent] = linked[parent, child] = True
    distance = np.full(linked.shape, layout.num_joints)
    reached = np.eye(layout.num_joints, dtype=bool)
    for hop in range(layout.num_joints):
        distance[reached & (distance > hop)] = hop
        if reached.all():
            break
        reached = reached @ linked
    return distance


def uniform(layout: Layout, max_hop: int = 1) -> np.ndarray:
    """One subset: the whole neighbourhood of radius ``max_hop``. K = 1."""
    return _normalised_neighbourhood(hop_distance(layout), max_hop)[None]


def distance(layout: Layout, max_hop: int = 1) -> np.ndarray:
    """One subset a hop: the joint itself, its neighbours, theirs, ... K = 1 + max_hop."""
    hops = hop_distance(layout)
    weights = _normalised_neighbourhood(hops, max_hop)
    return np.stack([np.where(hops == hop, weights, 0.0) for hop in range(max_hop + 1)])


def spatial(layout: Layout, max_hop: int = 1) -> np.ndarray:
    """Spatial-configuration partition. K = 1 + 2 * max_hop.

    Hop 0 is the joint itself. Every further hop gives two subsets: neighbours farther from the
    centre than the joint (or as far), and neighbours nearer to it.
    """
    hops = hop_distance(layout)
    return _split_by_centre(hops, hops[:, layout.centre], max_hop)


def spatial_released(layout: Layout, max_hop: int = 1) -> np.ndarray:
    """The spatial partition as the released st-gcn and pyskl code computes it.

    That code knows hop distances only up to ``max_hop``, so all joints farther than that from
    the centre count as equally far and crowd the first subset of each hop (40 and 8 entries on
    NTU-25 instead of 24 and 24). Needed for weights trained with it. K = 1 + 2 * max_hop.
    """
    hops = hop_distance(layout)
    clipped = np.where(hops <= max_hop, hops, np.inf)
    return _split_by_centre(hops, clipped[:, layout.centre], max_hop)


def inward_outward(layout: Layout, max_hop: int = 1) -> np.ndarray:
    """The joint itself; its parent; its children.

    What pyskl calls ``spatial`` (2s-AGCN and CTR-GCN use it too): every subset is normalised by
    its own column sums. Each hop beyond the first adds the ancestors and the descendants that
    many bones away. K = 1 + 2 * max_hop.
    """
    subsets = [np.eye(layout.num_joints)]
    for hop in range(1, max_hop + 1):
        from_ancestor = np.zeros((layout.num_joints, layout.num_joints))
        for joint in range(layout.num_joints):
            ancestor = _ancestor(layout, joint, hop)
            if ancestor is not None:
                from_ancestor[ancestor, joint] = 1.0
        subsets += [_normalise_columns(from_ancestor), _normalise_columns(from_ancestor.T)]
    return np.stack(subsets)


PARTITIONS = {
    "uniform": uniform,
    "distance": distance,
    "spatial": spatial,
    "spatial_released": spatial_released,
    "inward_outward": inward_outward,
}


def _normalise_columns(matrix: np.ndarray) -> np.ndarray:
    total = matrix.sum(axis=0, keepdims=True)
    return np.divide(matrix, total, out=np.zeros_like(matrix), where=total > 0)


def _normalised_neighbourhood(hops: np.ndarray, max_hop: int) -> np.ndarray:
    return _normalise_columns((hops <= max_hop).astype(np.float64))


def _split_by_centre(hops: np.ndarray, from_centre: np.ndarray, max_hop: int) -> np.ndarray:
    weights = _normalised_neighbourhood(hops, max_hop)
    nearer = from_centre[:, None] < from_centre[None, :]  # the source than the target
    subsets = [np.where(hops == 0, weights, 0.0)]
    for hop in range(1, max_hop + 1):
        at_hop = np.where(hops == hop, weights, 0.0)
        subsets += [np.where(nearer, 0.0, at_hop), np.where(nearer, at_hop, 0.0)]
    return np.stack(subsets)


def _ancestor(layout: Layout, joint: int, hops: int) -> int | None:
    for _ in range(hops):
        if joint == layout.centre:
            return None
        joint = layout.parents[joint]
    return joint

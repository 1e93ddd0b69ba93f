"""The graph that a network convolves over, as figures: its partitions, and its edges in time."""

from typing import TYPE_CHECKING

import numpy as np

from skelact.checks import check_choice, check_shape
from skelact.errors import ChoiceError
from skelact.graph import Graph
from skelact.graph.layouts import Layout, check_joints
from skelact.visualization.colours import PERSON_COLOURS, unit_colour
from skelact.visualization.rest_pose import rest_pose
from skelact.visualization.scene import project
from skelact.visualization.skeleton_figure import add_lines, check_channels, set_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREY = "0.8"
_SPATIAL, _TEMPORAL, _JOINT = (unit_colour(PERSON_COLOURS[i]) for i in (4, 6, 3))
_ORDER = (0, 3, 4, 6, 1, 5, 2, 7)
"""Colours of the partitions: the joint itself green, then those that differ most."""

_TURN, _AWAY, _GAP = np.deg2rad(50.0), 4.0, 0.95
"""How the spatiotemporal graph is seen: turned around the vertical, from how far, and how far
apart frames are; in heights of a person."""


def plot_partition(graph: Graph, ax: "Axes | None" = None, joint: str | None = None,
                   joints: np.ndarray | None = None):
    """Plot the neighbourhoods of a graph, coloured by the partition of every edge.

    Arrows run the way features flow: from a neighbour to the joint at whose place they are
    summed. The joint's own colour is that of its edge to itself. A ring marks the centre.

    Args:
        graph: With any partition.
        ax: Axes to plot on; by default those of a new figure (free of pyplot).
        joint: The name of one joint, to show its neighbourhood alone, joints coloured too.
        joints: ``[N, 2]`` where the joints are, y down; by default a person who stands.

    Returns:
        ``(figure, axes)``; nothing is shown or saved.

    Raises:
        LayoutError: The layout has no such joint.
        ShapeError: ``joints`` does not match it.

    Source: Yan et al., AAAI 2018, figure 3.
    """
    layout = graph.layout
    targets = range(graph.num_joints) if joint is None else [layout.index(joint)]
    if joints is None:
        joints = rest_pose(layout)
    points = check_shape(np.asarray(joints, np.float64), (graph.num_joints, 2), "joints")
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(5.5, 7.0), layout="constrained").add_subplot()
    set_lines(add_lines(ax, 1.5, 1.0), points[list(layout.bones)], [_GREY] * len(layout.bones),
              np.ones(len(layout.bones)))
    dot = float(np.clip(60 / np.sqrt(graph.num_joints), 4.0, 12.0))
    for number, name in enumerate(partition_names(graph)):
        _draw_subset(ax, points, graph.adjacency[number] > 0, targets, number, name, dot)
    ring = {"mfc": "none", "mec": "0.2", "mew": 1.2, "ls": "none", "marker": "o"}
    ax.plot(*points[layout.centre], ms=1.7 * dot, zorder=4, **ring)
    ax.plot([], [], ms=8, label=f"the centre: {_words(layout, layout.centre)}", **ring)
    ax.set_title(f"{layout.name}: partition {graph.partition!r}"
                 + (f" around the {_words(layout, targets[0])}" if joint else ""), fontsize=11)
    _finish(ax, points)
    return ax.figure, ax


def partition_names(graph: Graph) -> list[str]:
    """What each of the K partitions of a graph holds, in words."""
    if graph.partition == "uniform":
        return ["the neighbourhood"]
    hops = ["" if graph.max_hop == 1 else f", {hop} bone{'s' if hop > 1 else ''} away"
            for hop in range(1, graph.max_hop + 1)]
    if graph.partition == "distance":
        return ["root", *(f"neighbours{hop}" for hop in hops)]
    kinds = ("ancestors" if graph.max_hop > 1 else "parent",
             "descendants" if graph.max_hop > 1 else "children")
    if graph.partition != "inward_outward":
        kinds = ("centrifugal", "centripetal")
    return ["root", *(f"{kind}{hop}" for hop in hops for kind in kinds)]


def plot_spatiotemporal_graph(graph: Graph, frames: int = 3, joints: np.ndarray | None = None,
                              ax: "Axes | None" = None, dims: int = 2):
    """Plot the graph over several frames, in perspective: bones, and each joint's way in time.

    Args:
        graph: Its edges of more than one bone (``max_hop`` above 1) are drawn too.
        frames: Frames side by side.
        joints: ``[N, C, T]`` of one person, of which evenly spaced frames are drawn: as for
            `plot_skeleton`, NaN leaves a gap. By default a person who stands.
        ax: Axes to plot on; by default those of a new figure (free of pyplot).
        dims: 2 or 3, of ``joints``.

    Returns:
        ``(figure, axes)``; nothing is shown or saved.

    Raises:
        ChoiceError: ``frames`` is below 1 or more than ``joints`` has, or ``dims`` is neither.
        LayoutError: ``joints`` are of another layout.

    Source: Yan et al., AAAI 2018, figure 1.
    """
    check_choice(dims, (2, 3), "dims")
    if not isinstance(frames, int | np.integer) or frames < 1:
        raise ChoiceError(f"expected frames as a whole number from 1, got {frames!r}")
    poses = _poses(graph.layout, frames, joints, dims)
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(min(2.5 + 1.5 * frames, 14), 4.5), layout="constrained").add_subplot()
    points = _in_perspective(poses)
    linked = (graph.adjacency > 0).any(axis=0)
    pairs = np.argwhere(np.triu(linked | linked.T, 1))
    spatial = points[:, pairs].reshape(-1, 2, 2)
    temporal = np.stack([points[:-1], points[1:]], axis=2).reshape(-1, 2, 2)
    _draw_edges(ax, temporal, _TEMPORAL, 1.2, "edges in time")
    _draw_edges(ax, spatial, _SPATIAL, 2.2, "edges in space")
    ax.plot(*points.reshape(-1, 2).T, "o", ms=float(np.clip(22 / np.sqrt(graph.num_joints), 2, 5)),
            color=_JOINT, mec="white", mew=0.4, ls="none", zorder=3, label="joints")
    _finish(ax, points.reshape(-1, 2))
    return ax.figure, ax


def _draw_subset(ax: "Axes", points: np.ndarray, linked: np.ndarray, targets, number: int,
                 name: str, dot: float) -> None:
    """Joints and arrows of one partition, those to the targets."""
    from matplotlib.patches import FancyArrowPatch

    ink = unit_colour(PERSON_COLOURS[_ORDER[number % len(_ORDER)]])
    edges = [(source, target) for target in targets for source in np.flatnonzero(linked[:, target])]
    own = [target for source, target in edges if source == target]
    alone = len(targets) == 1  # then the neighbours' places show their partition too
    dots = [source for source, _ in edges] if alone else own
    if dots:
        ax.plot(*points[dots].T, "o", ms=dot, color=ink, mec="0.3", mew=0.6, ls="none", zorder=3)
    for source, target in edges:
        if source != target:
            ax.add_patch(FancyArrowPatch(
                points[source], points[target], arrowstyle="-|>", mutation_scale=0.8 * dot + 2,
                connectionstyle="arc3,rad=0.25", shrinkA=dot / 2, shrinkB=dot / 2, color=ink,
                linewidth=1.4, zorder=2))
    ax.plot([], [], "o" if own else "-", color=ink, label=f"{name} ({len(edges)})")


def _draw_edges(ax: "Axes", segments: np.ndarray, ink, width: float, name: str) -> None:
    lines = add_lines(ax, width)
    set_lines(lines, segments, [ink] * len(segments), np.full(len(segments), 0.9))
    ax.plot([], [], color=ink, lw=width, label=name)


def _poses(layout: Layout, frames: int, joints: np.ndarray | None, dims: int) -> np.ndarray:
    """``[F, N, 2]`` in heights of the person, y down, the middle at 0."""
    if joints is None:
        poses = np.repeat(rest_pose(layout)[None], frames, axis=0)
    else:
        joints = check_joints(np.asarray(joints, np.float64), layout)
        check_shape(joints, (layout.num_joints, "C", "T"), "joints")
        check_channels(joints, dims, joints.shape[1])
        if joints.shape[2] < frames:
            raise ChoiceError(f"expected joints of {frames} or more frames, got {joints.shape[2]}")
        chosen = np.linspace(0, joints.shape[2] - 1, frames).round().astype(int)
        poses = joints[..., chosen].transpose(2, 0, 1)
        poses = project(poses).astype(np.float64) if dims == 3 else poses[..., :2]
    seen = np.isfinite(poses).all(axis=2)
    if not seen.any():
        return poses
    low, high = poses[seen].min(axis=0), poses[seen].max(axis=0)
    return (poses - (low + high) / 2) / max(float((high - low)[1]), 1e-9)


def _in_perspective(poses: np.ndarray) -> np.ndarray:
    """``[F, N, 2]`` on the picture, y down: every frame stands behind the one before."""
    behind = _GAP * np.arange(len(poses))[:, None]
    side = np.cos(_TURN) * poses[..., 0] + np.sin(_TURN) * behind
    depth = np.cos(_TURN) * behind - np.sin(_TURN) * poses[..., 0]
    return np.stack([side, poses[..., 1]], axis=-1) * (_AWAY / (_AWAY + depth))[..., None]


def _words(layout: Layout, joint: int) -> str:
    return layout.joints[joint].replace("_", " ")


def _finish(ax: "Axes", points: np.ndarray) -> None:
    points = points[np.isfinite(points).all(axis=1)]
    points = points if len(points) else np.zeros((1, 2))
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * max(*(high - low), 1e-6)
    ax.set(xlim=(low[0] - margin, high[0] + margin), ylim=(high[1] + margin, low[1] - margin))
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2)

"""Why a network named an action, as a picture."""

from typing import TYPE_CHECKING

import numpy as np

from skelact.checks import check_choice, check_shape
from skelact.errors import ChoiceError
from skelact.graph.layouts import Layout, check_joints, get_layout
from skelact.visualization.scene import project
from skelact.visualization.skeleton_figure import add_lines, draw_bones

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = "RdBu_r"  # red speaks for the class, blue against it; both dark where it matters
_BRIGHTEST = 99.5  # percentile: single spikes would leave all else white
_GREY = "0.6"
_GAP, _SIDE = 0.3, 1.3
"""Inches between the heat map and the skeletons, and the most that a skeleton is high."""


def plot_attribution(joints, attribution, layout: Layout | str, ax: "Axes | None" = None,
                     dims: int = 2, moments: int = 6):
    """Plot what every joint in every frame adds to a score, and the skeleton where it counts.

    Below a heat map of joint and frame; above it the skeleton in the frames with the largest
    attributions, none close to another. Red speaks for the class, blue against it.

    Args:
        joints: ``[N, C, T]`` one person of a clip: x and y (down) first, or with ``dims=3`` x, y
            (up), z. A joint that is 0 or NaN in all channels is missing.
        attribution: ``[N, T]`` of the same person; see `skelact.models.attribution`.
        layout: The skeleton.
        ax: Axes for the heat map; skeletons stand above them (1.9 inches), and the scale
            on their right. By default those of a new figure (free of pyplot) with room for both.
        dims: 2 or 3, of the joints.
        moments: Skeletons to draw, at most.

    Returns:
        ``(figure, axes)``; nothing is shown or saved.

    Raises:
        LayoutError: The joints do not match the layout.
        ShapeError: The attributions do not match the joints.
        ChoiceError: ``dims`` is neither, or ``moments`` is not positive.
    """
    layout = get_layout(layout)
    check_choice(dims, (2, 3), "dims")
    if moments < 1:
        raise ChoiceError(f"expected moments of at least 1, got {moments}")
    joints = check_joints(np.asarray(joints, np.float64), layout)
    check_shape(joints, (layout.num_joints, "C", "T"), "joints")
    attribution = np.asarray(attribution, np.float64)
    check_shape(attribution, (layout.num_joints, joints.shape[2]), "attribution")
    if ax is None:
        ax = _new_axes(layout)
    image = _draw_heat_map(ax, attribution, layout)
    places = _place(joints, dims)
    frames = _choose_moments(places, attribution, moments)
    reach = max((_centre_and_reach(places[frame])[1] for frame in frames), default=1.0)
    for inset, frame in zip(_add_insets(ax, frames), frames, strict=True):
        _draw_moment(inset, places[frame], attribution[:, frame], layout, image.norm, reach)
        inset.set_title(f"frame {frame}", fontsize=8, pad=2)
    return ax.figure, ax


def _new_axes(layout: Layout) -> "Axes":
    from matplotlib.figure import Figure

    names = 0.35 + 0.065 * max(map(len, layout.joints))
    wide, high, below = 7.0, min(max(0.2 * layout.num_joints, 2.6), 9.0), 0.5
    size = (names + wide + 1.0, below + high + _GAP + _SIDE + 0.3)
    return Figure(figsize=size).add_axes(
        (names / size[0], below / size[1], wide / size[0], high / size[1]))


def _draw_heat_map(ax: "Axes", attribution: np.ndarray, layout: Layout):
    """Joints below each other, frames side by side; gives the image."""
    limit = float(np.percentile(np.abs(attribution), _BRIGHTEST)) or 1.0
    image = ax.imshow(attribution, aspect="auto", interpolation="nearest", cmap=_COLOURS,
                      vmin=-limit, vmax=limit)
    step = -(-layout.num_joints // 45)  # names that fit below each other
    rows = range(0, layout.num_joints, step)
    ax.set_yticks(rows, [layout.joints[row].replace("_", " ") for row in rows], fontsize=8)
    ax.set_xlabel("frame")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.figure.colorbar(image, cax=ax.inset_axes((1.02, 0, 0.02, 1)), extend="both",
                       label="added to the score")
    return image


def _place(joints: np.ndarray, dims: int) -> np.ndarray:
    """``[T, N, 2]`` where joints are drawn, y down; NaN for those that are missing."""
    points = joints[:, :dims].transpose(2, 0, 1)
    places = project(points).astype(np.float64) if dims == 3 else points.copy()
    seen = np.any(np.nan_to_num(joints) != 0, axis=1).T
    places[~seen] = np.nan
    return places


def _choose_moments(places: np.ndarray, attribution: np.ndarray, moments: int) -> list[int]:
    """The frames in which most is at stake and the person is seen, none close to another."""
    weights = np.abs(attribution).sum(axis=0)
    weights[np.isnan(places).any(axis=2).all(axis=1)] = -1.0
    apart = max(1, len(weights) // (moments + 2))
    chosen: list[int] = []
    for frame in np.argsort(-weights, kind="stable").tolist():
        near = any(abs(frame - other) < apart for other in chosen)
        if weights[frame] >= 0 and not near and len(chosen) < moments:
            chosen.append(frame)
    return sorted(chosen)


def _centre_and_reach(points: np.ndarray) -> tuple[np.ndarray, float]:
    """The middle of a skeleton, and how far it reaches from there."""
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    return (low + high) / 2, float(max(*(high - low) / 2, 1e-6))


def _add_insets(ax: "Axes", frames: list[int]) -> "list[Axes]":
    """Axes side by side above the heat map, each joined to its frame by a line."""
    box = ax.get_window_extent()
    gap = _GAP * ax.figure.dpi / box.height
    insets = []
    for slot, frame in enumerate(frames):
        left, wide = slot / len(frames), 1 / len(frames)
        high = min(wide * box.width, _SIDE * ax.figure.dpi) / box.height
        insets.append(ax.inset_axes((left, 1 + gap, wide, high)))
        ax.annotate("", (frame, 1), (left + wide / 2, 1 + gap),
                    xycoords=ax.get_xaxis_transform(), textcoords="axes fraction",
                    arrowprops={"arrowstyle": "-", "color": _GREY, "linewidth": 0.8,
                                "shrinkA": 0, "shrinkB": 0}, annotation_clip=False)
    return insets


def _draw_moment(ax: "Axes", points: np.ndarray, values: np.ndarray, layout: Layout, norm,
                 reach: float) -> None:
    """One skeleton; its joints have the colours of the heat map, and the size of what they add."""
    draw_bones(add_lines(ax, 1.2, 1.0), points, layout, np.ones(len(points)),
               [_GREY] * len(layout.drawn_edges))
    size = np.clip(np.abs(values) / norm.vmax, 0, 1)
    order = np.argsort(size)  # what matters on top
    ax.scatter(*points[order].T, s=10 + 70 * size[order], c=values[order], cmap=_COLOURS,
               norm=norm, edgecolors="0.3", linewidths=0.5, zorder=2)
    (x, y), margin = _centre_and_reach(points)[0], 1.12 * reach
    ax.set(xlim=(x - margin, x + margin), ylim=(y + margin, y - margin), aspect="equal")
    ax.set_axis_off()

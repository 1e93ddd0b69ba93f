"""Skeletons on matplotlib's axes, flat or deep: one to look at, or artists to move."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from skelact.checks import check_choice, check_shape
from skelact.errors import ShapeError
from skelact.graph.layouts import Layout, get_layout
from skelact.visualization.colours import MIDDLE, side_colours, unit_colour
from skelact.visualization.draw import joint_opacity
from skelact.visualization.scene import project

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from skelact.visualization.moving_lines import MovingLines

_GREY = (0.55, 0.55, 0.55)
"""The middle of the body on light axes, where that of dark ones cannot be seen."""

_UNMOVED = (30, -60)
"""Where matplotlib's own camera stands: elevation and azimuth."""

_DOT = 1e-3
"""Pixels or metres; nothing is drawn of lines without any length."""


def plot_skeleton(joints: np.ndarray, layout: Layout | str, ax: "Axes | None" = None,
                  dims: int | None = None, colour=None, confidence: np.ndarray | None = None):
    """Plot one skeleton; several on the same axes share one scale.

    Args:
        joints: ``[N, 2]`` pixels (y down), or ``[N, 3]``: with ``dims=2`` pixels and confidence,
            with ``dims=3`` metres (y up). NaN joints are left out with their bones; what is
            less sure is fainter, and left out when very unsure.
        layout: The skeleton.
        ax: Axes to plot on; for 3 dims a 3-D one shows depth, a plain one the view from the
            sensor's side, from which 3-D ones look too unless their camera was moved. By default
            those of a new figure (free of pyplot).
        dims: 2 or 3; by default 2.
        colour: One matplotlib colour; by default left blue, right orange.
        confidence: ``[N]`` of joints that carry none.

    Returns:
        ``(figure, axes)``; nothing is shown or saved.

    Raises:
        ShapeError: The joints or their confidence do not match the layout.
        ChoiceError: ``dims`` is neither 2 nor 3.
    """
    layout = get_layout(layout)
    dims = check_choice(2 if dims is None else dims, (2, 3), "dims")
    joints = check_shape(np.asarray(joints, np.float64), (layout.num_joints, None), "joints")
    check_channels(joints, dims, joints.shape[1])
    if confidence is None:
        sure = joints[:, 2] if dims == 2 and joints.shape[1] == 3 else np.ones(len(joints))
    else:
        sure = check_shape(np.asarray(confidence, np.float64), (layout.num_joints,), "confidence")
    ax = take_axes(ax, dims)
    points = place(joints, dims, ax)
    opacity = np.where(np.isfinite(points).all(axis=1), joint_opacity(sure), 0.0)
    fit_axes(ax, points[opacity > 0])
    bones, dots = bone_inks(layout, ax), side_inks(layout, ax)
    if colour is not None:
        bones, dots = [colour] * len(bones), [colour] * len(dots)
    draw_bones(add_lines(ax, 2.0), points, layout, opacity, bones)
    draw_dots(add_lines(ax, 4.5), points, opacity, dots)
    return ax.figure, ax


def check_channels(joints: np.ndarray, dims: int, channels: int) -> None:
    """Refuse joints that lack a coordinate, or have more than coordinates and confidence.

    Raises:
        ShapeError: There are not 3 channels, nor 2 for 2 dims.
    """
    if channels not in (dims, 3):
        raise ShapeError(f"expected {'2 or 3' if dims == 2 else 3} channels C of joints with "
                         f"dims={dims}, got joints {list(joints.shape)}")


def take_axes(ax: "Axes | None", dims: int) -> "Axes":
    """Axes to plot on: those given, or those of a new figure, flat with y down or 3-D.

    3-D ones whose camera nobody has moved look from the sensor's side.
    """
    from matplotlib.figure import Figure

    if ax is None:
        ax = Figure().add_subplot(projection="3d" if dims == 3 else None)
        if dims == 2:
            ax.invert_yaxis()
    if ax.name == "3d" and (ax.elev, ax.azim) == _UNMOVED:
        _look_from_sensor(ax)
    return ax


def _look_from_sensor(ax: "Axes") -> None:
    """Put the camera where `scene.project` looks from, and name the axes."""
    ax.view_init(elev=10, azim=70)
    ax.locator_params(nbins=3)
    ax.set(xlabel="x, m", ylabel="z, m", zlabel="y, m")
    ax.yaxis.set_major_formatter(lambda value, _: f"{0 - value:g}")  # the axis runs to the viewer


def place(joints: np.ndarray, dims: int, ax: "Axes") -> np.ndarray:
    """Where joints go on axes.

    Args:
        joints: ``[..., 2 or 3]`` as in a recording of ``dims`` dimensions.
        dims: 2 or 3.
        ax: A flat or 3-D axes.

    Returns:
        ``[..., 2]``, or ``[..., 3]`` with the third axis up for 3-D axes.
    """
    if dims == 2:
        return joints[..., :2]
    # The plot's third axis points up; minus keeps left and right as they are.
    return joints[..., [0, 2, 1]] * [1, -1, 1] if ax.name == "3d" else project(joints)


def side_inks(layout: Layout, ax: "Axes") -> list[tuple[float, float, float]]:
    """The colour of every joint by its side of the body, to be seen on what is behind it."""
    from matplotlib.colors import to_rgb

    behind = ax.get_facecolor() if ax.axison else ax.figure.get_facecolor()
    light = np.dot(to_rgb(behind), (0.299, 0.587, 0.114)) > 0.5
    return [_GREY if light and side == MIDDLE else unit_colour(side)
            for side in side_colours(layout)]


def bone_inks(layout: Layout, ax: "Axes") -> list[tuple[float, float, float]]:
    """The colour of every drawn edge: that of its joints, or of the middle where they differ."""
    inks, sides = side_inks(layout, ax), side_colours(layout)
    middle = next((ink for ink, side in zip(inks, sides, strict=True) if side == MIDDLE), _GREY)
    return [inks[a] if sides[a] == sides[b] else middle for a, b in layout.drawn_edges]


def add_lines(ax: "Axes", width: float, zorder: float = 2.0, ends: str = "round"
              ) -> "MovingLines":
    """No lines as yet, on flat or 3-D axes."""
    from skelact.visualization.moving_lines import MovingLines

    look(ax)
    return ax.add_collection(MovingLines(width, ends, zorder), autolim=False)


def set_lines(lines: "MovingLines", segments: np.ndarray, inks, opacity: np.ndarray) -> None:
    """Give a collection its lines anew.

    Args:
        lines: What `add_lines` gave.
        segments: ``[S, 2, D]`` ends of lines.
        inks: S colours.
        opacity: ``[S]``; lines of opacity 0, and those with an end that is NaN, are left out.
    """
    from matplotlib.colors import to_rgba_array

    shown = (opacity > 0) & np.isfinite(segments).all(axis=(1, 2))
    colours = to_rgba_array([ink for ink, show in zip(inks, shown, strict=True) if show])
    if len(colours):
        colours[:, 3] = opacity[shown]
    lines.set_color(colours)
    lines.move(segments[shown])


def look(ax: "Axes") -> None:
    """Tell 3-D axes where their camera is now: matplotlib does so only when it draws them whole."""
    if ax.name == "3d":
        ax.M = ax.get_proj()


def draw_bones(lines: "MovingLines", points: np.ndarray, layout: Layout, opacity: np.ndarray,
               inks: Sequence) -> None:
    """Make lines the bones of people.

    Args:
        lines: What `add_lines` gave.
        points: ``[..., N, D]`` joints on the axes.
        layout: The skeleton.
        opacity: ``[..., N]`` of the joints; a bone has that of its fainter end.
        inks: The colour of every drawn edge, of one person or of all.
    """
    ends = np.asarray(layout.drawn_edges)
    segments = points[..., ends, :].reshape(-1, 2, points.shape[-1])
    fainter = opacity[..., ends].min(axis=-1).ravel()
    set_lines(lines, segments, list(inks) * (len(segments) // len(inks)), fainter)


def draw_dots(lines: "MovingLines", points: np.ndarray, opacity: np.ndarray, inks) -> None:
    """Make lines the joints of people: lines of no length to speak of, whose ends are round.

    Args:
        lines: What `add_lines` gave; its width is the diameter of the dots.
        points: ``[..., N, D]``.
        opacity: ``[..., N]``.
        inks: A colour each joint of everyone.
    """
    flat = points.reshape(-1, 1, points.shape[-1])
    segments = np.concatenate([flat, flat + _DOT], axis=1)
    set_lines(lines, segments, inks, opacity.ravel())


def fit_axes(ax: "Axes", points: np.ndarray) -> None:
    """Make the axes show these ``[P, D]`` points beside what they show, at equal scales."""
    if len(points) and ax.name == "3d":
        ax.auto_scale_xyz(*points.T, had_data=ax.has_data())
        _widen(ax)
    elif len(points):
        ax.update_datalim(points)
        ax.autoscale_view()
    ax.set_aspect("equal")


def _widen(ax: "Axes") -> None:
    """Give a thin scene room beside and before it: half of what it has to the longest side."""
    limits = np.array([ax.get_xlim(), ax.get_ylim()])
    middle, half = limits.mean(axis=1), np.ptp(limits, axis=1) / 2
    half = np.maximum(half, max(*half, np.ptp(ax.get_zlim()) / 2) / 2)
    ax.set(xlim=(middle[0] - half[0], middle[0] + half[0]),
           ylim=(middle[1] - half[1], middle[1] + half[1]))

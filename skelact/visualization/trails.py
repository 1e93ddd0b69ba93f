"""Trails: where joints were in the last frames, fading with their age."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from skelact.checks import check_choice, check_shape
from skelact.errors import ChoiceError
from skelact.graph.layouts import Layout, check_joints, get_layout
from skelact.visualization.skeleton_figure import (
    add_lines,
    check_channels,
    fit_axes,
    place,
    plot_skeleton,
    set_lines,
    side_inks,
    take_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ENDS = ("wrist", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
BELOW = 1.5
"""The order in which trails are drawn: below the skeletons."""


def plot_trails(joints: np.ndarray, layout: Layout | str, ax: "Axes | None" = None, dims: int = 2,
                frame: int = -1, length: int = 30, trailing: Sequence[str] | None = None):
    """Plot one person in a frame, and where chosen joints were in the frames before.

    Args:
        joints: ``[N, C, T]`` as for `plot_skeleton`: C is 2 or 3, y down for 2 dims and up for 3.
            A joint that is NaN leaves a gap.
        layout: The skeleton.
        ax: Axes, as for `plot_skeleton`.
        dims: 2 or 3.
        frame: The frame to show; negative ones count from the end.
        length: Frames that a trail goes back; the older, the fainter.
        trailing: Names of the joints with a trail; by default wrists and ankles (where there
            are none, the joints at which limbs end).

    Returns:
        ``(figure, axes)``; nothing is shown or saved.

    Raises:
        LayoutError: The joints do not match the layout, or it has no joint of such a name.
        ShapeError: The joints are not ``[N, C, T]``.
        ChoiceError: ``dims`` is neither 2 nor 3, ``length`` is below 1, or there is no such frame.
    """
    layout = get_layout(layout)
    check_choice(dims, (2, 3), "dims")
    joints = check_joints(np.asarray(joints, np.float64), layout)
    check_shape(joints, (layout.num_joints, "C", "T"), "joints")
    check_channels(joints, dims, joints.shape[1])
    check_length(length, 1)
    frames = joints.shape[2]
    if not -frames <= frame < frames:
        raise ChoiceError(f"expected a frame of {frames}, got {frame}")
    frame %= frames
    chosen = trailing_joints(layout, trailing)
    ax = take_axes(ax, dims)
    window = joints[..., max(0, frame - length) : frame + 1].transpose(2, 0, 1)
    points = place(window, dims, ax)[:, chosen]
    flat = points.reshape(-1, points.shape[-1])
    fit_axes(ax, flat[np.isfinite(flat).all(axis=1)])
    inks = side_inks(layout, ax)
    lines = trail_lines(points, length, [inks[joint] for joint in chosen])
    set_lines(add_lines(ax, 2.5, BELOW, "butt"), *lines)
    return plot_skeleton(joints[..., frame], layout, ax, dims)


def trailing_joints(layout: Layout, names: Sequence[str] | None) -> list[int]:
    """Indices of the joints with a trail; see `plot_trails`.

    Raises:
        LayoutError: The layout has no joint of such a name.
    """
    if names is not None:
        return [layout.index(name) for name in names]
    ends = [layout.joints.index(name) for name in _ENDS if name in layout.joints]
    return ends or [joint for joint in range(layout.num_joints) if joint not in layout.parents]


def check_length(length: int, least: int) -> int:
    """Return the length of a trail in frames.

    Raises:
        ChoiceError: It is no whole number from ``least`` on.
    """
    if not isinstance(length, int | np.integer) or length < least:
        raise ChoiceError(f"expected trails of {least} or more frames, got {length!r}")
    return int(length)


def trail_lines(points: np.ndarray, length: int, inks: Sequence
                ) -> tuple[np.ndarray, list, np.ndarray]:
    """The lines of trails.

    Args:
        points: ``[F, J, D]`` the joints on the axes in the last F frames, F at most
            ``length + 1``; the last of them is now.
        length: Frames after which nothing is left.
        inks: J colours.

    Returns:
        ``[S, 2, D]`` lines, their S colours, and ``[S]`` how opaque they are.
    """
    count, joints, size = points.shape
    segments = np.stack([points[:-1], points[1:]], axis=2).reshape(-1, 2, size)
    ages = np.arange(count - 2, -1, -1)
    return segments, list(inks) * (count - 1), np.repeat(1 - ages / length, joints)

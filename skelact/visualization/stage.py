"""What moves on the axes of an animation: people, their trails and tags, the video below."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skelact.pose.recording import Recording
from skelact.visualization.colours import CANVAS, person_colour, unit_colour
from skelact.visualization.draw import joint_opacity, line_width
from skelact.visualization.lettering import tag_text
from skelact.visualization.pictures import video_pictures
from skelact.visualization.scene import People, Scene, View
from skelact.visualization.skeleton_figure import (
    add_lines,
    bone_inks,
    draw_bones,
    draw_dots,
    fit_axes,
    look,
    place,
    set_lines,
    side_inks,
)
from skelact.visualization.trails import BELOW, trail_lines

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_DPI = 100
_PANE, _GRID, _WORDS = (0.12, 0.13, 0.16), "0.3", "0.65"


def new_stage_axes(size: tuple[int, int], dims: int) -> "Axes":
    """Dark axes that fill a new figure of (width, height) pixels, 3-D ones a square one."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    dark = unit_colour(CANVAS)
    if dims == 3:
        size = (max(size),) * 2
    figure = Figure(figsize=(size[0] / _DPI, size[1] / _DPI), dpi=_DPI, facecolor=dark)
    if dims == 2:
        ax = figure.add_axes((0, 0, 1, 1), facecolor=dark)
        ax.set_axis_off()
        return ax
    with rc_context({"grid.color": _GRID, "axes.edgecolor": _GRID}):
        ax = figure.add_axes((0.13, 0.05, 0.85, 0.92), projection="3d", facecolor=dark)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color(_PANE)
        axis.label.set(color=_WORDS, fontsize=8)
        axis.set_tick_params(colors=_GRID, labelcolor=_WORDS, labelsize=8)
    return ax


class Stage:
    """Moves people on axes whose limits, scale and camera stay.

    Args:
        recording: The people.
        ax: Flat or 3-D axes.
        times: Seconds of the pictures.
        view: The part of the plane that flat axes show.
        video: Under flat axes; None for none.
        trails: Frames that trails go back; 0 for none.
        trailing: Joints with a trail.
        labels: Gives the action label of (track id, time in seconds), or None.
    """

    def __init__(self, recording: Recording, ax: "Axes", times: list[float], view: View,
                 video: str | Path | None, trails: int, trailing: list[int],
                 labels: Callable[[int, float], str | None] | None) -> None:
        from matplotlib.patheffects import withStroke

        from skelact.visualization.tag_artist import TagArtist

        self._recording, self._ax, self._times = recording, ax, times
        self._trails, self._trailing, self._labels = trails, trailing, labels
        _set_limits(ax, recording, view)
        self._film = None if video is None else _Film(recording, times, view, video, ax)
        width = _width(recording, view) * 72 / _DPI
        self._trail_lines = add_lines(ax, 1.2 * width, BELOW, "butt")
        self._bones, self._dots = add_lines(ax, width, 2.0), add_lines(ax, 1.8 * width, 2.1)
        if video is not None:  # so that bones show on any background
            self._bones.set_path_effects([withStroke(linewidth=width + 1.5, foreground=(0, 0, 0),
                                                     alpha=0.4)])
        self._bone_inks, self._inks = bone_inks(recording.layout, ax), side_inks(recording.layout,
                                                                                 ax)
        self._tags = [TagArtist(ax) for _ in recording.tracks] \
            if labels or len(recording.tracks) > 1 else []
        scene = Scene(recording)
        self._people = functools.lru_cache(trails + 2)(lambda frame: scene.at(times[frame]))

    def show(self, frame: int) -> "list[Artist]":
        """Show a frame; gives all artists that move."""
        people = self._people(frame)
        points, opacity = self._place(people)
        look(self._ax)
        layout = self._recording.layout
        draw_bones(self._bones, points, layout, opacity, self._bone_inks)
        inks = [unit_colour(person_colour(i)) for i in people.ids for _ in layout.joints]
        draw_dots(self._dots, points, opacity, inks)
        moved = [self._bones, self._dots]
        if self._trails:
            self._draw_trails(frame, people.ids)
            moved.append(self._trail_lines)
        if self._tags:
            self._draw_tags(people.ids, points, self._times[frame])
            moved += self._tags
        if self._film is not None:
            moved.append(self._film.show(frame))
        return moved

    def _place(self, people: People) -> tuple[np.ndarray, np.ndarray]:
        """``[M, N, D]`` where joints are on the axes, and how opaque they are."""
        points = place(people.joints, self._recording.dims, self._ax)
        seen = np.isfinite(points).all(axis=-1)
        return points, np.where(seen, joint_opacity(people.confidence), 0.0)

    def _draw_trails(self, frame: int, ids: list[int]) -> None:
        window = [self._people(i) for i in range(max(0, frame - self._trails), frame + 1)]
        deep = 3 if self._ax.name == "3d" else 2
        paths = np.full((len(window), len(ids), len(self._trailing), deep), np.nan)
        for path, people in zip(paths, window, strict=True):
            points, opacity = self._place(people)
            points = np.where(opacity[..., None] > 0, points, np.nan)[:, self._trailing]
            for row, track_id in enumerate(ids):
                if track_id in people.ids:
                    path[row] = points[people.ids.index(track_id)]
        inks = [self._inks[joint] for _ in ids for joint in self._trailing]
        set_lines(self._trail_lines, *trail_lines(paths.reshape(len(window), -1, deep),
                                                  self._trails, inks))

    def _draw_tags(self, ids: list[int], points: np.ndarray, time: float) -> None:
        for tag in self._tags:
            tag.set_visible(False)
        up = -1 if points.shape[-1] == 2 else 1
        for tag, track_id, person in zip(self._tags, ids, points, strict=False):
            seen = person[np.isfinite(person).all(axis=1)]
            if not len(seen):
                continue
            top = seen[np.argmax(up * seen[:, -1])]
            label = self._labels(track_id, time) if self._labels else None
            tag.write(tag_text(track_id, label), track_id, top)


class _Film:
    """The video below: frames in order, from the start again when an earlier one is asked for."""

    def __init__(self, recording: Recording, times: list[float], view: View, video, ax) -> None:
        self._open: Callable[[], Iterator[np.ndarray]] = functools.partial(
            video_pictures, recording, times, view, video)
        self._pictures, self._shown = self._open(), 0
        left, top, right, bottom = np.round(view.window)
        # Alpha is 1 anyhow; where it is not given, matplotlib scales images in double precision.
        self._image = ax.imshow(next(self._pictures), extent=(left, right, bottom, top), alpha=1.0,
                                interpolation="nearest", aspect="equal", zorder=1)

    def show(self, frame: int):
        """The image, with the frame of that number."""
        if frame < self._shown:
            self._pictures.close()
            self._pictures, self._shown = self._open(), -1
        while self._shown < frame:
            picture = next(self._pictures)
            self._shown += 1
            if self._shown == frame:
                self._image.set_data(picture)
        return self._image


def _set_limits(ax: "Axes", recording: Recording, view: View) -> None:
    if ax.name == "3d":
        points = np.concatenate([track.joints.transpose(2, 0, 1).reshape(-1, 3)
                                 for track in recording.tracks] or [np.zeros((0, 3))])
        points = points[np.isfinite(points).all(axis=1)]
        if len(points):  # single stray joints must not make everybody small
            fit_axes(ax, np.percentile(place(points, 3, ax), [0.5, 99.5], axis=0))
    else:
        left, top, right, bottom = view.window
        ax.set(xlim=(left, right), ylim=(bottom, top))
        ax.set_aspect("equal")
    ax.autoscale(False)


def _width(recording: Recording, view: View) -> float:
    """Pixels of a bone, by the largest person, seen in the middle of the track."""
    widths = [1.0]
    for track in recording.tracks:
        points = view(track.joints[None, ..., len(track) // 2])[0, :, :2]
        points = points[np.isfinite(points).all(axis=1)]
        if len(points):
            widths.append(line_width(points, recording.layout, view.size))
    return max(widths)

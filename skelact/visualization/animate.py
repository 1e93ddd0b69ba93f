"""Pictures of recordings: one skeleton, a contact sheet, an animation."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from skelact.checks import check_choice, check_shape
from skelact.errors import SkelactError
from skelact.graph.layouts import Layout, get_layout
from skelact.output import atomic_write, check_writable
from skelact.pose.recording import Recording
from skelact.pose.video import VideoWriter
from skelact.visualization.draw import (
    LEFT,
    RIGHT,
    blank,
    draw_people,
    open_source,
    overlay_video,
    side_colours,
)
from skelact.visualization.scene import Scene, View

SUFFIXES = (".png", ".gif", ".mp4")
"""What `save_picture` can write."""

_GIF_FPS = 12.5
_GIF_FRAMES = 1500


def plot_skeleton(joints: np.ndarray, layout: Layout | str, ax=None, dims: int | None = None,
                  colour=None):
    """Plot one skeleton.

    Args:
        joints: ``[N, 2]`` pixels (y down), or ``[N, 3]``: with ``dims=2`` pixels and confidence,
            with ``dims=3`` metres (y up). NaN joints are left out.
        layout: The skeleton.
        ax: Axes to plot on; for 3 dims a 3-D one shows depth, a plain one the view from the
            sensor's side. By default those of a new figure (free of pyplot).
        dims: 2 or 3; by default 2.
        colour: One matplotlib colour; by default left blue, right orange.

    Returns:
        ``(figure, axes)``; nothing is shown or saved.

    Raises:
        ShapeError: The joints do not match the layout.
    """
    layout = get_layout(layout)
    dims = check_choice(2 if dims is None else dims, (2, 3), "dims")
    joints = check_shape(np.asarray(joints, np.float64), (layout.num_joints, None), "joints")
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure().add_subplot(projection="3d" if dims == 3 else None)
        if dims == 2:
            ax.invert_yaxis()
        else:
            ax.view_init(elev=10, azim=70)  # from the sensor's side
            ax.locator_params(nbins=3)
    deep = ax.name == "3d"
    # The plot's third axis points up; minus keeps left and right as they are.
    columns = joints[:, [0, 2, 1]] * [1, -1, 1] if dims == 3 else joints
    points = columns if deep else joints[:, :2]
    for a, b in layout.drawn_edges:
        sides = side_colours(layout)
        side = sides[a] if sides[a] == sides[b] and sides[a] in (LEFT, RIGHT) else (130, 130, 130)
        ink = colour or tuple(value / 255 for value in side)
        ax.plot(*points[[a, b]].T, "-o", color=ink, markersize=3, linewidth=2)
    ax.set_aspect("equal")
    return ax.figure, ax


def contact_sheet(recording: Recording, path: str | Path, columns: int = 4, rows: int = 3,
                  video: str | Path | None = None, overwrite: bool = False) -> Path:
    """Write a PNG of evenly spaced instants, with everyone who is there.

    Args:
        recording: A 2-D or 3-D recording; one with nobody in it gives a picture that says so.
        path: The ``.png`` to write.
        columns: Instants side by side.
        rows: Instants one below the other.
        video: Draw on the frames of this video; by default on a plain canvas.
        overwrite: Replace an existing file.

    Returns:
        The path written.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
        SkelactError: The video does not belong to the recording.
    """
    from matplotlib.figure import Figure

    check_writable(path, overwrite)
    times = _instants(recording, columns * rows)
    view = View(recording, longest=480, crop=True)
    columns = min(columns, max(len(times), 2))
    rows = max(1, -(-len(times) // columns))
    shape = view.size[0] / view.size[1]
    wide = 2.8 * min(1.5, max(0.6, shape**0.5))
    figure = Figure(figsize=(columns * wide, rows * (wide / shape + 0.25) + 0.4), dpi=120,
                    layout="constrained")
    figure.suptitle(_describe(recording), fontsize=11)
    pictures = _pictures(recording, times, view, video)
    for i, (time, image) in enumerate(zip(times, pictures, strict=True)):
        ax = figure.add_subplot(rows, columns, i + 1)
        ax.imshow(image)
        ax.set_title(f"{time:.2f} s", fontsize=9)
        ax.set_axis_off()
    if not times:
        figure.text(0.5, 0.4, "nobody", ha="center", va="center", fontsize=28, color="grey")
    with atomic_write(path, overwrite) as temporary:
        figure.savefig(temporary, format="png")
    return Path(path)


def animate(recording: Recording, path: str | Path, video: str | Path | None = None,
            overwrite: bool = False, progress: bool = True,
            labels: Callable[[int, float], str | None] | None = None) -> Path:
    """Write an animation of a recording, at its own speed.

    Args:
        recording: A 2-D or 3-D recording.
        path: A ``.gif`` (12.5 frames a second at most) or ``.mp4`` (every frame).
        video: Draw on this video; by default on a plain canvas.
        overwrite: Replace an existing file.
        progress: Show a progress bar on a terminal.
        labels: Gives the action label of (track id, time in seconds), or None; shown beside
            the id.

    Returns:
        The path written.

    Raises:
        SkelactError: Another suffix, a GIF that would be too long, or a video that does not
            belong to the recording.
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    suffix = check_choice(Path(path).suffix.lower(), (".gif", ".mp4"), "the suffix of an animation")
    check_writable(path, overwrite)
    if not recording.num_frames:
        raise SkelactError("the recording has no frames to animate; `.png` gives a picture of it")
    if suffix == ".gif":
        return _write_gif(recording, path, video, overwrite, progress, labels)
    if video is not None:
        return overlay_video(recording, path, video, labels, overwrite=overwrite,
                             progress=progress)
    view = View(recording, longest=960, crop=True)
    times = recording.timestamps.tolist()
    with VideoWriter(path, recording.fps, view.size, overwrite) as writer:
        pictures = _pictures(recording, times, view, labels=labels)
        for time, image in zip(times, _bar(pictures, len(times), path, progress), strict=True):
            writer.write(image, time)
    return Path(path)


def save_picture(recording: Recording, path: str | Path, video: str | Path | None = None,
                 overwrite: bool = False, progress: bool = True) -> Path:
    """Write a contact sheet (``.png``) or an animation (``.gif``, ``.mp4``), by the suffix.

    Raises:
        ChoiceError: Another suffix; see `contact_sheet` and `animate` for the rest.
    """
    suffix = check_choice(Path(path).suffix.lower(), SUFFIXES, f"the suffix of {path}")
    if suffix == ".png":
        return contact_sheet(recording, path, video=video, overwrite=overwrite)
    return animate(recording, path, video, overwrite, progress)


def _write_gif(recording: Recording, path, video, overwrite: bool, progress: bool,
               labels) -> Path:
    from PIL import Image

    step = 1.0 / min(recording.fps, _GIF_FPS)
    count = max(1, round(recording.duration / step))
    if count > _GIF_FRAMES:
        raise SkelactError(f"a GIF of {recording.duration:.0f} s ({count} frames) would be too "
                           f"large to open; write an .mp4")
    times = (recording.timestamps[0] + step * np.arange(count)).tolist()
    view = View(recording, longest=480, crop=True)
    pictures = _pictures(recording, times, view, video, labels)
    frames = [Image.fromarray(image).convert("P", palette=Image.Palette.ADAPTIVE, colors=128)
              for image in _bar(pictures, count, path, progress)]
    # The format counts hundredths of a second; rounding the sum keeps the speed true.
    ends = np.round(100 * step * np.arange(count + 1)).astype(int) * 10
    with atomic_write(path, overwrite) as temporary:
        frames[0].save(temporary, format="GIF", save_all=True, append_images=frames[1:], loop=0,
                       duration=np.diff(ends).tolist())
    return Path(path)


def _pictures(recording: Recording, times: list[float], view: View,
              video: str | Path | None = None, labels=None) -> Iterator[np.ndarray]:
    """One picture a time: the part of the plane that ``view`` shows, with people drawn."""
    if video is not None and recording.dims != 2:
        raise SkelactError("a 3-D recording has no pixels; show it without a video")
    scene = Scene(recording)
    canvas = blank(view.size)
    backgrounds = (canvas for _ in times) if video is None else \
        _video_pictures(recording, times, view, video)
    for time, background in zip(times, backgrounds, strict=True):
        people = scene.at(time)
        names = [labels(i, time) if labels else None for i in people.ids]
        yield draw_people(background, view(people.joints), recording.layout, people.ids, names)


def _video_pictures(recording: Recording, times: list[float], view: View,
                    video: str | Path) -> Iterator[np.ndarray]:
    """The frames shown at ``times``; the last frame serves all times after it."""
    from PIL import Image

    left, top, right, bottom = np.round(view.window).astype(int)
    given, image = 0, None
    with open_source(recording, video) as reader:
        for frame in reader:
            while given < len(times) and image is not None and frame.time > times[given] + 1e-3:
                yield image
                given += 1
            if given == len(times):
                return
            part = Image.fromarray(frame.image[top:bottom, left:right])
            image = np.asarray(part.resize(view.size, Image.Resampling.BILINEAR))
    for _ in range(given, len(times)):
        yield image


def _instants(recording: Recording, count: int) -> list[float]:
    """Up to ``count`` evenly spaced times of frames from the first person to the last."""
    seen = np.concatenate([np.empty(0, int), *(t.frame_index for t in recording.tracks)])
    if not len(seen):
        return []
    frames = np.unique(np.linspace(seen.min(), seen.max(), count).round().astype(int))
    return recording.timestamps[frames].tolist()


def _describe(recording: Recording) -> str:
    people = len(recording.tracks)
    who = "nobody" if not people else "1 person" if people == 1 else f"{people} people"
    name = f"{Path(recording.source).name}: " if recording.source else ""
    return (f"{name}{who} in {recording.num_frames} frames, {recording.duration:.1f} s, "
            f"{recording.layout.name}")


def _bar(items, total: int, path, progress: bool):
    from tqdm import tqdm

    return tqdm(items, total=total, unit="frame", desc=Path(path).name,
                disable=None if progress else True)

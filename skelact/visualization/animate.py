"""Moving pictures: `animate` for a notebook or a window, `save` for a file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skelact.checks import check_choice
from skelact.errors import ChoiceError, SkelactError
from skelact.output import check_writable
from skelact.pose.recording import Recording
from skelact.pose.video import VideoWriter, read_ahead
from skelact.visualization.contact_sheet import contact_sheet
from skelact.visualization.draw import overlay_video
from skelact.visualization.pictures import (
    check_gif_length,
    draw_recording,
    progress_bar,
    write_gif,
)
from skelact.visualization.player import write_player
from skelact.visualization.scene import View
from skelact.visualization.skeleton_figure import plot_skeleton, take_axes
from skelact.visualization.stage import Stage, new_stage_axes
from skelact.visualization.trails import check_length, trailing_joints

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes

__all__ = ["GIF_FPS", "SUFFIXES", "animate", "contact_sheet", "plot_skeleton", "save"]

SUFFIXES = (".png", ".gif", ".mp4", ".html")
"""What `save` can write."""

GIF_FPS = 12.5
"""Pictures a second of a recording's GIF, at most."""


def animate(recording: Recording, trails: int = 0, video: str | Path | None = None,
            dims: int | None = None, fps: float | None = None,
            trailing: Sequence[str] | None = None,
            labels: Callable[[int, float], str | None] | None = None,
            ax: "Axes | None" = None, longest: int = 640) -> "FuncAnimation":
    """Animate a recording with matplotlib, at its own speed and with axes that stand still.

    In a notebook, ``HTML(animation.to_jshtml())`` plays it; `save` writes it to a file.

    Args:
        recording: A 2-D or 3-D recording.
        trails: Frames that trails of joints go back; 0 for none.
        video: Draw on this video; by default on a plain canvas.
        dims: 3 for a scene with depth, seen from the sensor's side; 2 for a flat picture. By
            default the recording's.
        fps: Pictures a second; by default the recording's.
        trailing: Names of the joints with a trail; by default wrists and ankles.
        labels: Gives the action label of (track id, time in seconds), or None; shown beside
            the id.
        ax: Axes to draw on, 3-D ones for 3 dims. By default those of a new figure (free of
            pyplot), filled by them.
        longest: Pixels of the longer side of a new figure.

    Returns:
        The animation. Keep it in a variable while it is shown.

    Raises:
        SkelactError: The recording has no frames, or the video does not belong to it.
        ChoiceError: ``dims`` is 3 for a 2-D recording, or a rate or a number of frames that
            cannot be.
        LayoutError: The layout has no joint to trail of such a name.
    """
    from matplotlib.animation import FuncAnimation
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    _check_frames(recording)
    dims = check_choice(dims or recording.dims, sorted({2, recording.dims}), "dims")
    if fps is not None and not 0 < fps < np.inf:
        raise ChoiceError(f"expected fps above 0, got {fps}")
    check_length(trails, 0)
    chosen = trailing_joints(recording.layout, trailing)
    if longest < 16:
        raise ChoiceError(f"expected longest of 16 pixels or more, got {longest}")
    view = View(recording, longest=longest, crop=video is None)
    if ax is None:
        ax = new_stage_axes(view.size, dims)
    ax = take_axes(ax, dims)
    figure = ax.figure.canvas.figure
    if not figure.canvas.supports_blit:  # a bare Figure's cannot draw what moves alone
        FigureCanvasAgg(figure)
    times = _times(recording, fps)
    stage = Stage(recording, ax, times, view, video, trails, chosen, labels)
    rate = fps or recording.fps
    return FuncAnimation(figure, stage.show, len(times), interval=1000 / rate, blit=True,
                         cache_frame_data=False)


def save(shown: "Recording | FuncAnimation", path: str | Path, video: str | Path | None = None,
         overwrite: bool = False, progress: bool = True,
         labels: Callable[[int, float], str | None] | None = None) -> Path:
    """Write a recording, or a matplotlib animation such as `animate` gives, to a file.

    Args:
        shown: What to write. Recordings are drawn without matplotlib, which is quicker;
            animations as they look, and faster than by their own ``save``.
        path: A ``.gif`` (of a recording, with 12.5 frames a second at most), ``.mp4`` or
            ``.html`` (of a recording, the page of `write_player`); of a recording also a
            ``.png``, which is a contact sheet.
        video: Draw a recording on this video; by default on a plain canvas.
        overwrite: Replace an existing file.
        progress: Show a progress bar on a terminal.
        labels: For ``.gif`` and ``.mp4`` of a recording: gives the action label of (track id,
            time in seconds), or None; shown beside the id.

    Returns:
        The path written.

    Raises:
        ChoiceError: Another suffix.
        SkelactError: There are no frames, a GIF would be too long, the video does not belong to
            the recording, or an option is not for what is written.
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    recorded = isinstance(shown, Recording)
    suffix = check_choice(Path(path).suffix.lower(), SUFFIXES[0 if recorded else 1 :],
                          f"the suffix of {path}")
    check_writable(path, overwrite)
    if not recorded and (video is not None or labels is not None):
        raise SkelactError("expected video and labels in animate(), which draws them; save() has "
                           "only pictures of the animation")
    if labels is not None and suffix in (".png", ".html"):
        raise SkelactError(f"labels are drawn in a .gif or .mp4; got {path} (write_player takes "
                           "a result instead)")
    if not recorded:
        from skelact.visualization.animation_writer import save_animation

        return save_animation(shown, path, overwrite, progress)
    if suffix == ".png":
        return contact_sheet(shown, path, video=video, overwrite=overwrite)
    _check_frames(shown)
    if suffix == ".html":
        return write_player(shown, path, video, overwrite=overwrite).path
    if suffix == ".gif":
        return _save_gif(shown, path, video, overwrite, progress, labels)
    if video is not None:
        return overlay_video(shown, path, video, labels, overwrite=overwrite, progress=progress)
    view = View(shown, longest=960, crop=True)
    times = shown.timestamps.tolist()
    with VideoWriter(path, shown.fps, view.size, overwrite) as writer:
        pictures = draw_recording(shown, times, view, labels=labels)
        ahead = progress_bar(read_ahead(pictures), len(times), path, progress)
        for time, image in zip(times, ahead, strict=True):
            writer.write(image, time)
    return Path(path)


def _save_gif(recording: Recording, path, video, overwrite: bool, progress: bool, labels) -> Path:
    step = 1.0 / min(recording.fps, GIF_FPS)
    count = max(1, round(recording.duration / step))
    check_gif_length(count, recording.duration)
    times = (recording.timestamps[0] + step * np.arange(count)).tolist()
    view = View(recording, longest=480, crop=True)
    pictures = draw_recording(recording, times, view, video, labels)
    return write_gif(progress_bar(pictures, count, path, progress), path, step, overwrite)


def _times(recording: Recording, fps: float | None) -> list[float]:
    """When to show pictures: at the recording's own times if these are even, else evenly."""
    rate = fps or recording.fps
    first = recording.timestamps[0]
    even = first + np.arange(max(1, round(recording.duration * rate))) / rate
    own = recording.timestamps
    if fps is None and len(own) == len(even) and np.abs(own - even).max() < 0.5 / rate:
        return own.tolist()
    return even.tolist()


def _check_frames(recording: Recording) -> None:
    if not recording.num_frames:
        raise SkelactError("the recording has no frames to animate; `.png` gives a picture of it")

"""A contact sheet: a recording at a glance."""

from pathlib import Path

import numpy as np

from skelact.output import atomic_write, check_writable
from skelact.pose.recording import Recording
from skelact.visualization.pictures import draw_recording
from skelact.visualization.scene import View


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
    pictures = draw_recording(recording, times, view, video)
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

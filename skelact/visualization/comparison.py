"""Clips side by side, each with a line above: what was mistaken beside what it was taken for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skelact.errors import ShapeError
from skelact.output import atomic_write
from skelact.pose.recording import Recording
from skelact.visualization.draw import blank, draw_people
from skelact.visualization.lettering import font
from skelact.visualization.scene import Scene, View

_FPS = 12.5
_SECONDS = 6.0
"""The most that is shown of a clip."""
_SIDE, _TITLE, _GAP = 300, 42, 8
"""Pixels: side of a panel, height of its title, space between two."""


def animate_side_by_side(
    recordings: Sequence[Recording], titles: Sequence[str], path: str | Path,
    overwrite: bool = False,
) -> Path:
    """Write a GIF of recordings that run together; shorter ones wait at their end.

    Args:
        recordings: One or more, 2-D or 3-D; at most the first six seconds of each are shown.
        titles: A line or two above each.
        path: The ``.gif`` to write.
        overwrite: Replace an existing file.

    Raises:
        ShapeError: Not one title a recording, or no recording.
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    from PIL import Image

    if not recordings or len(titles) != len(recordings):
        raise ShapeError(f"expected a title for each of one or more recordings, got {len(titles)} "
                         f"for {len(recordings)}")
    panels = [_Panel(*pair) for pair in zip(recordings, titles, strict=True)]
    longest = min(_SECONDS, max(recording.duration for recording in recordings))
    times = np.arange(max(1, round(longest * _FPS))) / _FPS
    frames = [Image.fromarray(_beside([panel.at(time) for panel in panels]))
              .convert("P", palette=Image.Palette.ADAPTIVE, colors=64) for time in times]
    with atomic_write(path, overwrite) as temporary:
        frames[0].save(temporary, format="GIF", save_all=True, append_images=frames[1:], loop=0,
                       duration=round(1000 / _FPS))
    return Path(path)


class _Panel:
    """One recording: its people in the middle of a square, its title above."""

    def __init__(self, recording: Recording, title: str) -> None:
        self._recording, self._scene = recording, Scene(recording)
        self._view = View(recording, longest=_SIDE, crop=True)
        self._empty = _titled(title)

    def at(self, time: float) -> np.ndarray:
        """The picture so many seconds after the first frame."""
        stamps = self._recording.timestamps
        seen = stamps[0] + time if len(stamps) else 0.0
        people = self._scene.at(min(seen, stamps[-1]) if len(stamps) else 0.0)
        width, height = self._view.size
        image = draw_people(blank((width, height)), self._view(people.joints),
                            self._recording.layout, people.ids, tags=False)[:_SIDE, :_SIDE]
        picture = self._empty.copy()
        top, left = _TITLE + (_SIDE - image.shape[0]) // 2, (_SIDE - image.shape[1]) // 2
        picture[top : top + image.shape[0], left : left + image.shape[1]] = image
        return picture


def _titled(title: str) -> np.ndarray:
    """``[H, W, 3]`` an empty panel under its title, which is written as large as fits."""
    from PIL import Image, ImageDraw

    canvas = Image.fromarray(blank((_SIDE, _SIDE + _TITLE)))
    pen = ImageDraw.Draw(canvas)
    lines = title.split("\n")[:2]
    for number, line in enumerate(lines):
        size = next((size for size in range(15, 8, -1)
                     if pen.textlength(line, font=font(size)) <= _SIDE - 8), 8)
        pen.text((_SIDE / 2, _TITLE * (number + 0.5) / len(lines)), line, font=font(size),
                 anchor="mm", fill=(240, 240, 240))
    return np.array(canvas)


def _beside(pictures: Sequence[np.ndarray]) -> np.ndarray:
    gap = np.full((pictures[0].shape[0], _GAP, 3), 110, np.uint8)
    return np.concatenate([part for picture in pictures for part in (gap, picture)][1:], axis=1)

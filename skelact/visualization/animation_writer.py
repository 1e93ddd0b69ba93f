"""Files of a matplotlib animation, whose pictures are drawn once and in part only."""

import base64
import html
import tempfile
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from matplotlib.animation import AbstractMovieWriter, Animation
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg

from skelact.output import write_text
from skelact.pose.video import VideoWriter
from skelact.visualization.pictures import check_gif_length, progress_bar, write_gif

_BROWSERS_FPS = 50.0
"""Browsers play GIFs that are faster slowly."""

_AHEAD = 8
"""Pictures that may wait for the encoder."""

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ margin: 0; min-height: 100vh; display: grid; place-items: center;
background: Canvas; color-scheme: light dark }} video {{ max-width: 100%; max-height: 100vh }}
</style></head><body>{film}</body></html>
"""


def save_animation(animation: Animation, path: str | Path, overwrite: bool = False,
                   progress: bool = True) -> Path:
    """Write a ``.mp4``, ``.gif`` or ``.html`` of an animation; see `animate.save`."""
    path, rate = Path(path), frame_rate(animation)
    if path.suffix.lower() == ".html":
        page = _PAGE.format(title=html.escape(path.stem), film=embed(animation, progress))
        return write_text(path, page, overwrite)
    with progress_bar(None, None, path, progress) as bar:
        if path.suffix.lower() == ".gif":
            return _save_gif(animation, path, rate, overwrite, bar)
        with VideoWriter(path, rate, _size(animation), overwrite) as writer:
            _encode_beside(animation, writer, bar)
    return path


def embed(animation: Animation, progress: bool = False) -> str:
    """An animation as an HTML element: a film with controls that needs no other file.

    In a notebook, ``HTML(embed(animation))`` plays it. It is quicker made and far smaller than
    what ``animation.to_jshtml()`` gives.
    """
    with tempfile.TemporaryDirectory() as folder:
        film = save_animation(animation, Path(folder) / "film.mp4", progress=progress).read_bytes()
    width, height = _size(animation)
    data = base64.b64encode(film).decode("ascii")
    return (f'<video controls autoplay loop muted playsinline width="{width}" height="{height}" '
            f'src="data:video/mp4;base64,{data}"></video>')


def _encode_beside(animation: Animation, writer: VideoWriter, bar) -> None:
    """Draw here and encode in another thread: libav gives Python's lock free."""
    waiting: deque[Future] = deque()

    def take(image: np.ndarray) -> None:
        waiting.append(encoder.submit(writer.write, image.copy()))
        if len(waiting) > _AHEAD:
            waiting.popleft().result()
        bar.update()

    with ThreadPoolExecutor(1) as encoder:
        draw_animation(animation, take)
        for frame in waiting:
            frame.result()


def _save_gif(animation: Animation, path: Path, rate: float, overwrite: bool, bar) -> Path:
    every = -(-rate // _BROWSERS_FPS)
    pictures: list[np.ndarray] = []
    count = 0

    def take(image: np.ndarray) -> None:
        nonlocal count
        if count % every == 0:
            pictures.append(image[..., :3].copy())
            check_gif_length(len(pictures), len(pictures) * every / rate)
        count += 1
        bar.update()

    draw_animation(animation, take)
    return write_gif(pictures, path, every / rate, overwrite)


def draw_animation(animation: Animation, take: Callable[[np.ndarray], object]) -> None:
    """Draw every picture of an animation, at the resolution of its figure.

    What does not move is drawn once: matplotlib's own writers draw the whole figure anew twice a
    picture. That needs an animation with ``blit=True``, as `animate` makes them; others are
    drawn whole, once a picture.

    Args:
        animation: Of one figure.
        take: Gets each picture, ``[H, W, 4]`` uint8 RGBA, valid until it returns.
    """
    figure = animation._fig
    shown_on = figure.canvas
    _StillCanvas(figure)
    try:
        animation.save("unused", writer=_Pictures(take), dpi=figure.dpi)
    finally:
        figure.set_canvas(shown_on)


def frame_rate(animation: Animation) -> float:
    """Pictures a second."""
    return 1000.0 / animation._interval


def _size(animation: Animation) -> tuple[int, int]:
    """(width, height) of its pictures."""
    return tuple(round(side) for side in animation._fig.bbox.size)


class _StillCanvas(FigureCanvasAgg):
    """A canvas that is drawn when asked, not whenever a frame has changed."""

    def draw_idle(self, *args, **kwargs) -> None:
        """Leave it to whoever takes the pictures."""


class _Pictures(AbstractMovieWriter):
    """Hands on pictures; restores what stands still, and draws what matplotlib calls animated."""

    def __init__(self, take: Callable[[np.ndarray], object]) -> None:
        super().__init__()
        self._take = take
        self._moving: list[Artist] = []
        self._still = None

    def setup(self, fig, outfile, dpi=None) -> None:
        """Nothing is opened: see `draw_animation`."""
        self.fig, self.dpi, self.outfile = fig, dpi, outfile

    def grab_frame(self, **savefig_kwargs) -> None:
        """Draw the figure as it is now, and hand it on."""
        canvas = self.fig.canvas
        if self._still is None:
            self._moving = sorted(self.fig.findobj(Artist.get_animated),
                                  key=lambda artist: artist.get_zorder())
            self._draw_still(canvas)
        canvas.restore_region(self._still)
        for artist in self._moving:
            if hasattr(artist, "do_3d_projection") and artist.axes.name == "3d":
                artist.do_3d_projection()
            artist.draw(canvas.get_renderer())
        if not self._moving:
            canvas.draw()
        self._take(np.asarray(canvas.buffer_rgba()))

    def _draw_still(self, canvas: FigureCanvasAgg) -> None:
        shown = [artist for artist in self._moving if artist.get_visible()]
        for artist in shown:
            artist.set_visible(False)
        canvas.draw()
        for artist in shown:
            artist.set_visible(True)
        self._still = canvas.copy_from_bbox(self.fig.bbox)

    def finish(self) -> None:
        """Nothing is left to do."""

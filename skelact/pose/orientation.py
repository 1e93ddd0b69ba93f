"""Turning decoded frames the way the file wants them displayed."""

import itertools
import struct
from fractions import Fraction

import numpy as np

from skelact.pose.libav import load_av


def read_orientation(frame) -> tuple[bool, bool, bool]:
    """How to display a libav frame: (swap rows and columns, then mirror x, then mirror y).

    The display matrix may hold any rotation; the nearest of the eight upright ones is taken.
    """
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = struct.unpack("=5i", bytes(data)[:20])
            # A pixel (x, y) is displayed at (a x + c y, b x + d y).
            if abs(a) + abs(d) >= abs(b) + abs(c):
                return False, a < 0, d < 0
            return True, c < 0, b < 0
    return False, False, False


def displayed_size(frame) -> tuple[int, int]:
    """(width, height) of a libav frame as displayed."""
    swap, _, _ = read_orientation(frame)
    return (frame.height, frame.width) if swap else (frame.width, frame.height)


class Upright:
    """Converts libav frames to upright ``[H, W, 3]`` uint8 RGB images of one size.

    Args:
        size: (width, height) of the images; a frame of another size (a stream may change its
            resolution) is scaled.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._graph, self._made_for = None, None
        # One for all frames: each frame's own would start threads of its own.
        self._reformatter = load_av().video.reformatter.VideoReformatter()
        self._rotation, self._orientation = object(), None

    def __call__(self, frame) -> np.ndarray:
        """The image of one frame."""
        # Asking for side data ties a frame into a reference cycle (PyAV 18), so that its memory
        # waits for the garbage collector: ask only when the rotation changes.
        rotation = getattr(frame, "rotation", None)
        if rotation != self._rotation:
            self._rotation, self._orientation = rotation, read_orientation(frame)
        if any(self._orientation):
            frame = self._turn(frame, self._orientation)
        width, height = self._size
        return self._reformatter.reformat(frame, width, height, "rgb24").to_ndarray()

    def _turn(self, frame, orientation: tuple[bool, bool, bool]):
        # libav's filters turn the small YUV planes, several times faster than numpy turns RGB.
        key = (frame.width, frame.height, frame.format.name, orientation)
        if key != self._made_for:
            self._graph, self._made_for = _build_filters(frame, orientation), key
        self._graph.push(frame)
        return self._graph.pull()


def _build_filters(frame, orientation: tuple[bool, bool, bool]):
    graph = load_av().filter.Graph()
    names = [("transpose", "cclock_flip"), ("hflip", None), ("vflip", None)]
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format,
                              time_base=Fraction(1, 1000))
    chosen = [graph.add(*name) for name, wanted in zip(names, orientation, strict=True) if wanted]
    chain = [source, *chosen, graph.add("buffersink")]
    for before, after in itertools.pairwise(chain):
        before.link_to(after)
    graph.configure()
    return graph

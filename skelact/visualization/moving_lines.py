"""Many short lines that move from picture to picture."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.path import Path
from mpl_toolkits.mplot3d.proj3d import proj_transform


class MovingLines(LineCollection):
    """Lines of two ends each, on flat or 3-D axes.

    matplotlib's own collections make a new path of every line whenever one moves, which takes
    longer than to draw them; here paths stay, and their ends are written over.

    Args:
        width: Of the lines, points.
        shape: Of their ends: "round" or "butt".
        zorder: What is drawn first.

    Attributes:
        ends: ``[S, 2, 2 or 3]`` where they are on the axes.
    """

    def __init__(self, width: float, shape: str, zorder: float) -> None:
        super().__init__([], linewidths=width, capstyle=shape, zorder=zorder)
        self.ends = np.empty((0, 2, 2))
        self._grow(64)

    def move(self, ends: np.ndarray) -> None:
        """Put the lines elsewhere: ``[S, 2, 2 or 3]`` finite points of the axes."""
        self.ends = ends
        if ends.shape[-1] == 3:
            self.do_3d_projection()
        else:
            self._write(ends)

    def do_3d_projection(self) -> float:
        """Put the lines where the camera of 3-D axes sees them; gives how far away they are."""
        x, y, depth = proj_transform(*self.ends.reshape(-1, 3).T, self.axes.M)
        self._write(np.stack([x, y], axis=-1).reshape(-1, 2, 2))
        return float(np.min(depth, initial=np.inf))

    def _write(self, ends: np.ndarray) -> None:
        if len(ends) > len(self._pool):
            self._grow(2 * len(ends))
        self._corners[: len(ends)] = ends
        self._paths = self._pool[: len(ends)]
        self.stale = True

    def _grow(self, number: int) -> None:
        self._corners = np.zeros((number, 2, 2))
        self._pool = [Path(line) for line in self._corners]  # views of the corners

"""A person's tag on axes."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from mpl_toolkits.mplot3d.proj3d import proj_transform

from skelact.visualization.colours import person_colour
from skelact.visualization.lettering import tag_image

_POINTS = 9
"""The size of the letters."""


class TagArtist(Artist):
    """Id and label above a person: text laid out by matplotlib takes longer than all bones."""

    def __init__(self, ax: Axes) -> None:
        super().__init__()
        self.set(zorder=10, visible=False)  # 3-D axes number what they draw from 0 on
        ax.add_artist(self)

    def write(self, text: str, track_id: int, point: np.ndarray) -> None:
        """Show a text above a point of the axes."""
        self.text, self._colour, self.point = text, person_colour(track_id), point
        self.set_visible(True)

    def draw(self, renderer) -> None:
        """Put the picture of the text where the point is now."""
        if not self.get_visible():
            return
        finer = renderer.get_image_magnification()  # of vector formats, for pixels
        size = max(1, round(_POINTS / 72 * self.figure.dpi * finer))
        image = tag_image(self.text, size, self._colour)
        point = self.point
        if len(point) == 3:
            point = proj_transform(*point, self.axes.M)[:2]
        x, y = self.axes.transData.transform(point)
        pen = renderer.new_gc()
        renderer.draw_image(pen, round(x - image.shape[1] / finer / 2), round(y), image[::-1])
        pen.restore()

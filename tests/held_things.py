"""Videos whose actions differ in their colours only: the poses of both are the same."""

from pathlib import Path

import numpy as np
from dots import BODY, SIZE
from videos import make_video

COLOURS = {"lemon": (255, 240, 40), "plum": (255, 40, 240)}
"""What `DotEstimator` sees as people, by their red."""


def coloured_video(path: Path, colour: str, start: float = 10, frames: int = 24,
                   step: float = 2.0, fps: float = 25.0) -> Path:
    """A rectangle of that colour that walks right."""
    images = []
    for i in range(frames):
        image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        left = round(start + i * step)
        image[24 : 24 + BODY[1], left : left + BODY[0]] = COLOURS[colour]
        images.append(image)
    return make_video(path, images, fps)


def write_videos(folder: Path, each: int = 8) -> Path:
    """Folders of both colours; the walks of one are those of the other."""
    for colour in COLOURS:
        for i in range(each):
            coloured_video(folder / colour / f"{i}.mp4", colour, start=10 + 9 * i)
    return folder

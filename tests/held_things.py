"""Videos whose actions differ in their colours only: the poses of both are the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from dots import BODY, SIZE, DotEstimator
from stores import write_store
from videos import make_video

from skelact.datasets.from_videos import read_labelled_videos
from skelact.datasets.store import Store

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


def write_things(folder: Path, each: int = 8) -> Store:
    """A store of such videos; one in four is in the test, one in four in val."""
    recordings = read_labelled_videos(write_videos(folder / "things", each), folder / "poses",
                                      DotEstimator())
    parts = ("train", "train", "val", "test")
    return write_store(folder / "store", (
        replace(recording, labels=recording.labels | {"splits": [parts[i % 4]]})
        for i, recording in enumerate(recordings)), "things")

"""A short video made from a photo that an installed package ships: real pixels, no download."""

import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from skelact.pose.video import VideoWriter

SIZE = (480, 640)
FPS = 25.0
SECONDS = 3.0

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Photo:
    """A photo inside an installed package, and the way of the camera over it.

    Args:
        package: Its name; it is looked up, never imported.
        path: The file below the package's folder.
        shows: What is seen.
        first: Left, top, right, bottom in pixels of the part shown at the start.
        last: The part shown in the end; both have the shape of `SIZE`.
    """

    package: str
    path: str
    shows: str
    first: Box
    last: Box

    @property
    def file(self) -> Path | None:
        """Where it is on this machine; None where the package or the file is missing."""
        spec = find_spec(self.package)
        folders = (spec.submodule_search_locations or []) if spec else []
        return next((f for f in (Path(x) / self.path for x in folders) if f.is_file()), None)


PHOTOS = (
    Photo("ultralytics", "assets/bus.jpg", "people beside a bus",
          (0, 0, 810, 1080), (0, 312, 495, 972)),
    Photo("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "a portrait of Grace Hopper",
          (31, 0, 481, 600), (76, 60, 436, 540)),
)
"""In order of preference. The first ends on two people who are seen from head to foot."""


def find_photo() -> Photo | None:
    """The first of `PHOTOS` that is on this machine."""
    return next((photo for photo in PHOTOS if photo.file), None)


def render_pan(photo: Photo, path: Path, overwrite: bool = False) -> Path:
    """Write a video in which a camera seems to approach the people of a photo.

    Nothing in it moves but the camera.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    from PIL import Image

    with Image.open(photo.file) as file:
        image = file.convert("RGB")
    count = round(SECONDS * FPS)
    with VideoWriter(path, FPS, SIZE, overwrite) as writer:
        for share in np.linspace(0.0, 1.0, count):
            eased = (1 - math.cos(math.pi * share)) / 2
            box = tuple(a + eased * (b - a) for a, b in zip(photo.first, photo.last, strict=True))
            part = image.resize(SIZE, Image.Resampling.BICUBIC, box=box)
            writer.write(np.asarray(part))
    return path

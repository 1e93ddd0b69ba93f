"""Letters on pictures, and the tags beside people: id and label, in the colour of the track."""

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelact.visualization.colours import is_bright, person_colour


def tag_corners(points: np.ndarray, frames: np.ndarray, boxed: bool) -> list[tuple[float, float]]:
    """Where a person's tag goes: on the box, or beside the topmost joint."""
    if boxed:
        return [(float(frame[0]), float(frame[1])) for frame in frames]
    tops = [drawn[np.nanargmin(drawn[:, 1])] if not np.isnan(drawn).all() else (np.nan, np.nan)
            for drawn in points]
    return [(float(x), float(y) - 4) for x, y in tops]


@dataclass(frozen=True)
class Tag:
    """Id and label of a person, and where they are written: x1, y1, x2, y2 in pixels."""

    text: str
    size: int
    colour: tuple[int, int, int]
    box: tuple[float, float, float, float]

    def draw(self, pen, left: int, top: int) -> None:
        """Write it with a Pillow pen, on the part of the picture that begins at left and top."""
        x1, y1, x2, y2 = self.box
        pen.rectangle([x1 - left, y1 - top, x2 - left, y2 - top], fill=(*self.colour, 235))
        pen.text((x1 + 0.3 * self.size - left, (y1 + y2) / 2 - top), self.text,
                 font=font(self.size), anchor="lm",
                 fill=(0, 0, 0) if is_bright(self.colour) else (255, 255, 255))


@functools.lru_cache(maxsize=256)
def tag_image(text: str, size: int, colour: tuple[int, int, int]) -> np.ndarray:
    """``[H, W, 4]`` uint8 RGBA: what is written beside a person, in letters of ``size`` pixels."""
    from PIL import Image, ImageDraw

    wide, high = math.ceil(_text_length(text, size) + 0.6 * size), math.ceil(1.35 * size)
    image = Image.new("RGB", (wide, high))
    Tag(text, size, colour, (0, 0, wide, high)).draw(ImageDraw.Draw(image), 0, 0)
    return np.asarray(image.convert("RGBA"))


def tag_text(track_id: int, label: str | None) -> str:
    """What a tag says, in one line."""
    return " ".join([str(track_id), *(label or "").split()])


def place_tags(corners, ids, labels, shape) -> list[Tag]:
    """The tags of people on a picture ``[H, W, ...]``, none upon another where that can be had."""
    height, width = shape[:2]
    size = max(11, round(max(height, width) / 70))
    tags: list[Tag] = []
    for corner, track_id, label in zip(corners, ids, labels, strict=True):
        if not (-width < corner[0] < width and -height < corner[1] < height):
            continue  # outside of the picture, or nowhere at all
        text = tag_text(track_id, label)
        wide, high = _text_length(text, size) + 0.6 * size, 1.35 * size
        x = float(np.clip(corner[0], 0, max(0, width - wide)))
        y = float(np.clip(corner[1] - high, 0, max(0, height - high)))
        y = _free_place(x, y, wide, high, [tag.box for tag in tags])
        tags.append(Tag(text, size, person_colour(track_id), (x, y, x + wide, y + high)))
    return tags


def _free_place(x: float, y: float, wide: float, high: float, taken) -> float:
    """``y`` moved down until the tag covers no other one (or a few tries are spent)."""
    for _ in range(8):
        below = [bottom for left, top, right, bottom in taken
                 if x < right and left < x + wide and y < bottom and top < y + high]
        if not below:
            break
        y = max(below) + 1
    return y


@functools.lru_cache(maxsize=1024)
def _text_length(text: str, size: int) -> float:
    return font(size).getlength(text)


@functools.cache
def font(size: int):
    """DejaVu Sans of that many pixels; it comes with matplotlib and knows most alphabets."""
    import matplotlib
    from PIL import ImageFont

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"
    return ImageFont.truetype(str(path), size)

"""Objects drawn at random and pasted into the hand of a tracked person; see rgb_objects.py.

Four kinds (cup, book, ball, bottle). Shape, proportions, colours, pattern and light are drawn from
a number, the same palette for all kinds, so that colour does not tell them apart. An object is held
in front of the hand, turns with the forearm, and four fingers in the colour of the hand lie over
it.

    python benchmarks/drawn_objects.py sheet.png
"""

import argparse
import colorsys
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 256
"""Pixels of the canvas that an object is drawn on; its middle is where it is held."""
Colour = tuple[int, int, int]


def draw_object(kind: str, number: int) -> np.ndarray:
    """``[SIDE, SIDE, 4]`` uint8 RGBA, alpha 0 where there is nothing."""
    random = np.random.default_rng([KINDS.index(kind), number])
    canvas = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    _SHAPES[kind](ImageDraw.Draw(canvas), random)
    lit = _light(np.asarray(canvas).astype(np.float32), random)
    return np.asarray(Image.fromarray(lit).filter(ImageFilter.GaussianBlur(random.uniform(0, 1.5))))


def box_of(picture: np.ndarray) -> np.ndarray:
    """``[4]`` x1, y1, x2, y2 of what is not empty, from the middle, in halves of the canvas."""
    rows, columns = np.nonzero(picture[..., 3] > 127)
    edges = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    return edges / (SIDE / 2) - 1


class HeldObject:
    """An object of one size that is pasted into many frames.

    Args:
        picture: Of `draw_object`.
        radius: Pixels from its middle to the edge of its canvas.
        skin: ``[3]`` colour of the fingers over it; None for no fingers.
    """

    def __init__(self, picture: np.ndarray, radius: float, skin: np.ndarray | None):
        held = picture if skin is None else _add_fingers(picture, skin)
        self.size = max(8, round(2 * radius))
        small = cv2.resize(held, (self.size, self.size), interpolation=cv2.INTER_AREA)
        self.small = small.astype(np.float32) / 255
        self.small[..., :3] *= self.small[..., 3:]  # what is empty gives no colour to the edges
        self.reach = box_of(picture) * self.size / 2

    def paste(self, frame: np.ndarray, middle: np.ndarray, angle: float) -> np.ndarray:
        """Paste it into an image, in place.

        Args:
            frame: ``[H, W, 3]`` uint8.
            middle: ``[2]`` x, y in pixels where it is held.
            angle: Radians that its up is turned clockwise.

        Returns:
            ``[4]`` the box of what was pasted, x1, y1, x2, y2 in pixels.
        """
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        low = np.floor(middle - 0.75 * self.size).astype(int).clip(0, frame.shape[1::-1])
        high = np.ceil(middle + 0.75 * self.size).astype(int).clip(0, frame.shape[1::-1])
        if (high > low).all():
            shift = middle - low - turn @ np.full(2, (self.size - 1) / 2)
            placed = cv2.warpAffine(self.small, np.column_stack([turn, shift]),
                                    tuple(map(int, high - low)), flags=cv2.INTER_LINEAR)
            under = frame[low[1] : high[1], low[0] : high[0]]
            under[:] = np.round(255 * placed[..., :3] + (1 - placed[..., 3:]) * under)
        x1, y1, x2, y2 = self.reach
        corners = middle + np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]) @ turn.T
        return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def _light(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Light from one side, and the grain of a camera."""
    turn = random.uniform(0, 2 * np.pi)
    along = np.linspace(-1, 1, SIDE)
    slope = np.cos(turn) * along[None, :] + np.sin(turn) * along[:, None]
    shade = random.uniform(0.75, 1.05) + random.uniform(0, 0.35) * slope
    grain = cv2.resize(random.normal(0, 8, (64, 64)), (SIDE, SIDE))
    lit = picture[..., :3] * shade[..., None] + grain[..., None]
    return np.dstack([np.clip(lit, 0, 255), picture[..., 3]]).astype(np.uint8)


def _add_fingers(picture: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Four fingers from the right edge of the object to its middle."""
    canvas = Image.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    edge = int((box_of(picture)[2] + 1) * SIDE / 2)
    tip = int(0.5 * SIDE - 0.15 * (edge - 0.5 * SIDE))
    for i in range(4):
        top = int(0.36 * SIDE) + i * 20
        colour = tuple(int(value) for value in np.clip(skin * (1 - 0.06 * i), 0, 255))
        draw.rounded_rectangle((tip + 5 * abs(i - 1), top, edge + 6, top + 17), 8,
                               fill=(*colour, 255),
                               outline=(*(int(0.65 * value) for value in colour), 255), width=2)
    return np.asarray(canvas)


def _colour(random: np.random.Generator) -> Colour:
    rgb = colorsys.hsv_to_rgb(random.random(), random.uniform(0.0, 0.95), random.uniform(0.3, 1))
    return tuple(int(255 * value) for value in rgb)


def _darker(colour: Colour, share: float) -> Colour:
    return tuple(int(np.clip(share * value, 0, 255)) for value in colour)


def _cup(draw: ImageDraw.ImageDraw, random: np.random.Generator) -> None:
    body, mark = _colour(random), _colour(random)
    top, bottom = random.uniform(0.42, 0.62), random.uniform(0.3, 0.42)
    high = random.uniform(0.5, 0.65)
    x, y = SIDE / 2 * np.array([1, 1]), SIDE / 2
    left, right = x[0] - top * y, x[0] + top * y
    upper, lower = y - high * y, y + high * y
    side = random.choice([-1, 1])
    ring = left if side < 0 else right
    reach = random.uniform(0.25, 0.36) * y
    draw.ellipse((ring - reach, upper + 0.2 * y, ring + reach, upper + 0.2 * y + 1.9 * reach),
                 outline=_darker(body, 0.85), width=int(0.11 * y))
    draw.polygon([(left, upper), (right, upper), (y + bottom * y, lower), (y - bottom * y, lower)],
                 fill=body)
    draw.ellipse((y - bottom * y, lower - 0.1 * y, y + bottom * y, lower + 0.1 * y), fill=body)
    for _ in range(random.integers(0, 5)):
        at = random.uniform(-0.3, 0.25, 2) * y + y
        draw.ellipse((*(at - 0.09 * y), *(at + 0.09 * y)), fill=mark)
    draw.ellipse((left, upper - 0.14 * y, right, upper + 0.14 * y), fill=_darker(body, 1.15),
                 outline=_darker(body, 0.7), width=3)
    draw.ellipse((left + 8, upper - 0.09 * y, right - 8, upper + 0.11 * y),
                 fill=_darker(_colour(random), 0.5))


def _book(draw: ImageDraw.ImageDraw, random: np.random.Generator) -> None:
    cover, mark = _colour(random), _colour(random)
    half = SIDE / 2
    wide, high = random.uniform(0.5, 0.62) * half, random.uniform(0.68, 0.8) * half
    thick = random.uniform(0.06, 0.14) * half
    draw.rectangle((half - wide, half - high, half + wide + thick, half + high + thick),
                   fill=(235, 230, 215))
    for i in range(3):
        shift = thick * (i + 1) / 4
        draw.line((half + wide + shift, half - high + shift, half + wide + shift,
                   half + high + shift), fill=(180, 175, 160), width=1)
    draw.rectangle((half - wide, half - high, half + wide, half + high), fill=cover,
                   outline=_darker(cover, 0.6), width=3)
    draw.rectangle((half - wide, half - high, half - 0.8 * wide, half + high),
                   fill=_darker(cover, 0.75))
    line = half - random.uniform(0.55, 0.7) * high
    for _ in range(random.integers(2, 5)):
        reach = random.uniform(0.2, 0.7) * wide
        draw.rectangle((half - reach, line, half + reach, line + 0.09 * high), fill=mark)
        line += 0.19 * high
    if random.random() < 0.6:
        draw.rectangle((half - 0.5 * wide, half + 0.2 * high, half + 0.6 * wide, half + 0.8 * high),
                       fill=_colour(random))


def _ball(draw: ImageDraw.ImageDraw, random: np.random.Generator) -> None:
    base, mark = _colour(random), _colour(random)
    half = SIDE / 2
    radius = random.uniform(0.6, 0.75) * half
    draw.ellipse((half - radius, half - radius, half + radius, half + radius), fill=base,
                 outline=_darker(base, 0.6), width=4)
    style = random.integers(3)
    if style == 0:  # seams of a basketball
        for shift in (-1.1, 0, 1.1):
            draw.arc((half + shift * radius - radius, half - 1.0 * radius,
                      half + shift * radius + radius, half + 1.0 * radius),
                     300 if shift < 0 else 120, 60 if shift < 0 else 240, fill=mark, width=6)
        draw.line((half - radius, half, half + radius, half), fill=mark, width=6)
    elif style == 1:  # spots of a football
        for turn in np.arange(6) * np.pi / 3 + random.uniform(0, 1):
            at = half + 0.62 * radius * np.array([np.cos(turn), np.sin(turn)])
            draw.regular_polygon((*at, 0.24 * radius), 5, fill=mark)
        draw.regular_polygon((half, half, 0.26 * radius), 5, fill=mark)
    else:  # a beach ball
        colours = [mark, base, _colour(random)]
        begin = random.uniform(0, 360)
        for i in range(6):
            draw.pieslice((half - radius, half - radius, half + radius, half + radius),
                          begin + 60 * i, begin + 60 * i + 60, fill=colours[i % 3])


def _bottle(draw: ImageDraw.ImageDraw, random: np.random.Generator) -> None:
    glass, cap, label = _colour(random), _colour(random), _colour(random)
    half = SIDE / 2
    wide, neck = random.uniform(0.24, 0.32) * half, random.uniform(0.09, 0.12) * half
    top, bottom = half - 0.9 * half, half + 0.85 * half
    shoulder = half - random.uniform(0.15, 0.4) * half
    draw.rounded_rectangle((half - wide, shoulder, half + wide, bottom), 12, fill=glass)
    draw.polygon([(half - wide, shoulder + 12), (half - neck, shoulder - 0.22 * half),
                  (half + neck, shoulder - 0.22 * half), (half + wide, shoulder + 12)], fill=glass)
    draw.rectangle((half - neck, top, half + neck, shoulder), fill=glass)
    draw.rectangle((half - 1.25 * neck, top, half + 1.25 * neck, top + 0.14 * half), fill=cap)
    high = random.uniform(0.3, 0.5) * half
    draw.rectangle((half - wide, half + 0.15 * half, half + wide, half + 0.15 * half + high),
                   fill=label)
    draw.line((half - 0.6 * wide, shoulder + 10, half - 0.6 * wide, bottom - 10),
              fill=_darker(glass, 1.4), width=5)


_SHAPES: dict[str, Callable[[ImageDraw.ImageDraw, np.random.Generator], None]] = {
    "cup": _cup, "book": _book, "ball": _ball, "bottle": _bottle}
KINDS = [*_SHAPES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", help="picture to write: eight objects of each kind")
    output = parser.parse_args().output
    sheet = np.full((len(KINDS) * SIDE, 8 * SIDE, 3), 200, np.uint8)
    for row, kind in enumerate(KINDS):
        for number in range(8):
            middle = np.array([(number + 0.5) * SIDE, (row + 0.5) * SIDE])
            skin = np.array([215, 170, 140]) if number % 2 else None
            held = HeldObject(draw_object(kind, number), SIDE / 2, skin)
            held.paste(sheet, middle, 0.3 * (number - 4))
    Image.fromarray(sheet).save(output)


if __name__ == "__main__":
    main()

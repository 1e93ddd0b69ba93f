"""Objects drawn at random and pasted into the hand of a tracked person; see rgb_objects.py.

Four kinds (cup, book, ball, bottle). Shape, proportions, colours, pattern and light are drawn from
a number, the same palette for all kinds, so that colour does not tell them apart. Four fingers in
the colour of the hand lie over an object that is held.

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
SMALL = 64
"""Pixels of the canvas that is pasted."""
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
    """An object, and four white fingers over it that take the colour of a hand.

    Args:
        kind: One of `KINDS`.
        number: Which object of this kind.
    """

    def __init__(self, kind: str, number: int):
        picture = draw_object(kind, number)
        self.box = box_of(picture)
        self.layers = [_shrink(layer) for layer in (picture, _draw_fingers(self.box))]

    def grip(self, skin: np.ndarray) -> np.ndarray:
        """``[SMALL, SMALL, 4]`` float32 in a hand of this colour ``[3]``, alpha multiplied in."""
        thing, fingers = self.layers
        held = (1 - fingers[..., 3:]) * thing
        held[..., :3] += fingers[..., :3] * (skin / 255).astype(np.float32)
        held[..., 3] += fingers[..., 3]
        return held

    def box_in(self, place: np.ndarray) -> np.ndarray:
        """``[4]`` x1, y1, x2, y2 of the object where `paste` puts it."""
        x1, y1, x2, y2 = (self.box + 1) * SMALL / 2
        corners = place @ np.array([[x1, x2, x2, x1], [y1, y1, y2, y2], [1, 1, 1, 1]])
        return np.concatenate([corners.min(axis=1), corners.max(axis=1)])


def place_held(middle: np.ndarray, radius: float, angle: float) -> np.ndarray:
    """``[2, 3]`` from the canvas of `HeldObject.grip` to an image.

    Args:
        middle: ``[2]`` x, y in pixels where it is held.
        radius: Pixels from there to the edge of the canvas.
        angle: Radians that its up is turned clockwise.
    """
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn *= 2 * radius / SMALL
    return np.column_stack([turn, middle - turn @ np.full(2, (SMALL - 1) / 2)])


def paste(image: np.ndarray, held: np.ndarray, place: np.ndarray) -> float:
    """Lay something held over an image, in place; which share of it lies inside.

    Args:
        image: ``[H, W, 3]`` uint8.
        held: Of `HeldObject.grip`.
        place: ``[2, 3]`` from its pixels to those of the image.
    """
    size = float(np.sqrt(abs(np.linalg.det(place[:, :2])))) * SMALL
    whole = held[..., 3].sum() * (size / SMALL) ** 2
    if size < 0.75 * SMALL:  # averaged first, since it is sampled with single pixels
        side = max(4, round(size))
        held = cv2.resize(held, (side, side), interpolation=cv2.INTER_AREA)
        grow = SMALL / side
        place = np.column_stack([grow * place[:, :2],
                                 place[:, 2] + place[:, :2] @ np.full(2, (grow - 1) / 2)])
    corners = place @ np.array([[0, held.shape[1], 0, held.shape[1]],
                                [0, 0, held.shape[0], held.shape[0]], [1, 1, 1, 1]])
    low = np.floor(corners.min(axis=1) - 1).astype(int).clip(0, image.shape[1::-1])
    high = np.ceil(corners.max(axis=1) + 1).astype(int).clip(0, image.shape[1::-1])
    if not (high > low).all():
        return 0.0
    shifted = place - np.array([[0, 0, low[0]], [0, 0, low[1]]])
    laid = cv2.warpAffine(held, shifted, tuple(map(int, high - low)), flags=cv2.INTER_LINEAR)
    under = image[low[1] : high[1], low[0] : high[0]]
    under[:] = np.clip(np.rint(255 * laid[..., :3] + (1 - laid[..., 3:]) * under), 0, 255)
    return float(laid[..., 3].sum() / whole)


def _shrink(picture: np.ndarray) -> np.ndarray:
    """``[SMALL, SMALL, 4]`` in [0, 1]; what is empty gives no colour to the edges."""
    layer = picture.astype(np.float32) / 255
    layer[..., :3] *= layer[..., 3:]
    return cv2.resize(layer, (SMALL, SMALL), interpolation=cv2.INTER_AREA)


def _light(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Light from one side, and the grain of a camera."""
    turn = random.uniform(0, 2 * np.pi)
    along = np.linspace(-1, 1, SIDE)
    slope = np.cos(turn) * along[None, :] + np.sin(turn) * along[:, None]
    shade = random.uniform(0.75, 1.05) + random.uniform(0, 0.35) * slope
    grain = cv2.resize(random.normal(0, 8, (64, 64)), (SIDE, SIDE))
    lit = picture[..., :3] * shade[..., None] + grain[..., None]
    return np.dstack([np.clip(lit, 0, 255), picture[..., 3]]).astype(np.uint8)


def _draw_fingers(box: np.ndarray) -> np.ndarray:
    """``[SIDE, SIDE, 4]`` four white fingers from the right edge of an object to its middle."""
    canvas = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(canvas)
    edge = int((box[2] + 1) * SIDE / 2)
    tip = int(0.5 * SIDE - 0.15 * (edge - 0.5 * SIDE))
    for i in range(4):
        top = int(0.36 * SIDE) + i * 20
        shade = int(255 * (1 - 0.06 * i))
        draw.rounded_rectangle((tip + 5 * abs(i - 1), top, edge + 6, top + 17), 8,
                               fill=(shade, shade, shade, 255), outline=(165, 165, 165, 255),
                               width=2)
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
            held = HeldObject(kind, number).grip(np.array([215, 170, 140]))
            paste(sheet, held, place_held(middle, SIDE / 2, 0.3 * (number - 4)))
    Image.fromarray(sheet).save(output)


if __name__ == "__main__":
    main()

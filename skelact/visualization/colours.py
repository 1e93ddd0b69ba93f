"""The colours of people, of their sides and of what is behind them."""

import colorsys
import functools

from skelact.graph.layouts import Layout

LEFT, RIGHT, MIDDLE = (86, 180, 233), (255, 146, 20), (240, 240, 240)
"""Colours of a person's own left, right and middle: blue against orange survives every kind of
colour blindness, and the three differ in brightness as well."""

PERSON_COLOURS = ((0, 158, 115), (204, 121, 167), (240, 228, 66), (213, 94, 0), (0, 114, 178),
                  (86, 180, 233), (230, 159, 0), (190, 190, 190))
"""Colours of the tracks, after Okabe and Ito (2008)."""

CANVAS = (24, 26, 32)
"""Background where no pixel of the video may appear."""


@functools.lru_cache(maxsize=1024)
def person_colour(track_id: int) -> tuple[int, int, int]:
    """The colour of a track, always the same for the same id."""
    cycle, place = divmod(int(track_id), len(PERSON_COLOURS))
    red, green, blue = (value / 255 for value in PERSON_COLOURS[place])
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    light *= (1.0, 0.75, 1.2)[cycle % 3]  # ids beyond the palette differ in lightness
    return tuple(round(255 * v) for v in colorsys.hls_to_rgb(hue, min(light, 0.9), saturation))


def unit_colour(colour: tuple[int, int, int]) -> tuple[float, float, float]:
    """A colour of bytes as matplotlib takes it."""
    return tuple(value / 255 for value in colour)


def is_bright(colour: tuple[int, int, int]) -> bool:
    """Whether letters on a colour are to be black."""
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue > 128


@functools.lru_cache(maxsize=64)
def side_colours(layout: Layout) -> tuple[tuple[int, int, int], ...]:
    """The colour of every joint by the side of the body it is on."""
    mirrored = {layout.joints[i] for pair in layout.flip_pairs for i in pair}
    return tuple(
        MIDDLE if name not in mirrored else LEFT if "left" in name
        else RIGHT if "right" in name else MIDDLE  # points of a face do not say
        for name in layout.joints
    )

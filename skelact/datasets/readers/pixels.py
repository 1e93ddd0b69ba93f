"""Coordinates that may be shares of the image, in pixels."""

import numpy as np

from skelact.errors import FileFormatError

_LARGEST_SHARE = 3.0
"""A body partly out of sight may lie outside the image, but hardly by more than twice its size."""
_MOST_NEGATIVE = 0.2
"""Part of coordinates below 0 from which on they are measured from the middle, not the corner."""


def to_pixels(places: np.ndarray, image_size: tuple[int, int] | None) -> np.ndarray:
    """Places in pixels, whether given so or as shares of width and height.

    They are shares if nearly all lie within a few images' size of 0 when taken as such.

    Args:
        places: ``[..., 2]`` x, y; NaN where missing.
        image_size: (width, height) in pixels, if known.

    Raises:
        FileFormatError: They are shares and the image size is not known, or they are measured from
            the middle of the image or the body (world landmarks in metres are).
    """
    known = places[np.isfinite(places).all(axis=-1)]
    # a pixel or two from the corner is no place for a whole body: the 90th percentile decides
    if not len(known) or np.quantile(np.abs(known), 0.9) > _LARGEST_SHARE:
        return places
    if (known < 0).mean() > _MOST_NEGATIVE:
        raise FileFormatError("many of its coordinates are below 0: they are no shares of the "
                              "image from its corner (perhaps world landmarks in metres); save "
                              "those of the image")
    if image_size is None:
        raise FileFormatError(
            "its coordinates are shares of the image, whose size it does not say; put the video of "
            "the same name beside it, or pass "
            "image_size=(width, height) (--image-size W H)"
        )
    with np.errstate(over="ignore"):  # infinity is refused with the track
        return (places * np.asarray(image_size, np.float64)).astype(places.dtype)

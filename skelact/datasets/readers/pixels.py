"""Coordinates that may be shares of the image, in pixels."""

import numpy as np

from skelact.errors import FileFormatError

_LARGEST_SHARE = 3.0
"""A body partly out of sight may lie outside the image, but hardly by more than twice its size."""


def to_pixels(
    places: np.ndarray, image_size: tuple[int, int] | None, normalised: bool | None = None
) -> np.ndarray:
    """Places in pixels, whichever of the two they are in.

    Args:
        places: ``[..., 2]`` x, y; NaN where missing.
        image_size: (width, height) in pixels, if known.
        normalised: Whether they are shares of width and height; by default they are if nearly
            all lie within a few images' size of 0 when taken as such.

    Raises:
        FileFormatError: They are shares and the image size is not known.
    """
    if normalised is None:
        known = places[np.isfinite(places).all(axis=-1)]
        # a pixel or two from the corner is no place for a whole body: the 90th percentile decides
        normalised = bool(len(known)) and np.quantile(np.abs(known), 0.9) <= _LARGEST_SHARE
    if not normalised:
        return places
    if image_size is None:
        raise FileFormatError(
            "its coordinates are shares of the image, whose size it does not say; put the video of "
            "the same name beside it, or pass image_size=(width, height)"
        )
    with np.errstate(over="ignore"):  # infinity is refused with the track
        return (places * np.asarray(image_size, np.float64)).astype(places.dtype)

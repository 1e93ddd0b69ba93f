"""Which video a clip is a part of, by the names of files."""

import os
import re
from typing import NamedTuple

import numpy as np

from skelact.pose.video_files import SUFFIXES

_PIECE = re.compile(r"(.+)_(\d{6})_(\d{6})")
_LONGEST = 3600
"""Seconds of a piece, at most."""


class Piece(NamedTuple):
    """What the name of a file says that holds seconds ``start`` to ``end`` of a video."""

    video: str
    start: int
    end: int


def find_piece(stem: str) -> Piece | None:
    """Read a file's name without suffix, ``<video>_ssssss_eeeeee``; None for any other name."""
    found = _PIECE.fullmatch(stem)
    if not found or not 0 < int(found[3]) - int(found[2]) <= _LONGEST:
        return None  # such as the date and the time of a camera
    return Piece(found[1], int(found[2]), int(found[3]))


def find_videos(sources) -> np.ndarray:
    """The whole videos that clips were cut from.

    Args:
        sources: ``[L]`` the file of each clip. Files named as pieces are parts of one video, in
            whatever folder they lie.

    Returns:
        ``[L]`` str, the same for clips of one video; empty for a clip of another kind of file.
    """
    names, which = np.unique(np.asarray(sources).astype(str), return_inverse=True)
    return np.array([_whole(name) for name in names], np.str_)[which]


def _whole(source: str) -> str:
    stem, suffix = os.path.splitext(os.path.basename(source))
    if suffix.lower() not in SUFFIXES:
        return ""
    piece = find_piece(stem)
    return piece.video if piece else source

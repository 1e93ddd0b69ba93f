"""What formats of dense arrays share: zeros for what was not seen, numbers for class names."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skelact.errors import ChoiceError, FileFormatError, LayoutError
from skelact.graph.layouts import Layout, get_layout, layouts_with
from skelact.pose.recording import PoseTrack

MAX_NUMBERS = 2**24
"""Coordinates that a clip may have (64 MiB of float32, an hour of two people of 25 joints). A small
archive can claim, and unpack to, any size."""
ASSUMED_FPS = 30.0
"""The formats state no frame rate; nearly all data in them was taken at 30."""
_LAYOUTS = {(25, 3): "ntu25", (17, 2): "coco17", (17, 3): "h36m17", (21, 2): "hand21",
            (21, 3): "hand21", (18, 2): "openpose18", (25, 2): "body25", (133, 2): "wholebody133",
            (26, 2): "halpe26", (33, 2): "mediapipe33", (33, 3): "mediapipe33", (24, 3): "smpl24"}


def padded_tracks(
    joints: np.ndarray, dims: int, confidence: np.ndarray | None = None
) -> tuple[PoseTrack, ...]:
    """People out of a dense array in which zeros stand for what was not seen.

    Args:
        joints: ``[M, N, 3, T]`` float32; an all-zero joint is missing, and a person is absent
            from frames without any joint. People never seen are left out.
        dims: 2 (x, y, confidence) or 3.
        confidence: ``[M, N, T]`` in [0, 1] beside 3-D joints.

    Raises:
        ShapeError: A joint is infinite.
    """
    missing = (joints == 0).all(axis=2)
    holes = np.broadcast_to(missing[:, :, None], (*joints.shape[:2], dims, joints.shape[3]))
    joints[:, :, :dims][holes] = np.nan  # in 2-D their confidence stays 0
    tracks = []
    for person, gone in enumerate(missing):
        frames = np.flatnonzero(~gone.all(axis=0))
        if frames.size:
            part = slice(None) if frames.size == gone.shape[1] else frames
            tracks.append(PoseTrack(
                person, joints[person][..., part], frames,
                confidence=None if confidence is None else confidence[person][..., part]))
    return tuple(tracks)


def check_clip_size(shape: Sequence[int]) -> None:
    """Refuse clips that are too large to be read, before they are.

    Args:
        shape: Of one clip.

    Raises:
        FileFormatError: It has more than `MAX_NUMBERS` coordinates.
    """
    if math.prod(shape) > MAX_NUMBERS:
        raise FileFormatError(f"expected clips of at most {MAX_NUMBERS} numbers, got "
                              f"{list(shape)}; cut them into shorter ones")


def layout_of(num_joints: int, dims: int, layout: str | Layout | None = None) -> Layout:
    """The layout that the caller names, or the usual one of so many joints.

    Raises:
        LayoutError: The named one has another number of joints, or none is usual.
    """
    if layout is None:
        if (num_joints, dims) not in _LAYOUTS:
            known = " or ".join(map(repr, layouts_with(num_joints))) or "none that ships with us"
            raise LayoutError(f"{num_joints} joints in {dims}-D may be layout {known}; say which "
                              "(--layout NAME; layout=... in Python)")
        return get_layout(_LAYOUTS[num_joints, dims])
    layout = get_layout(layout)
    if layout.num_joints != num_joints:
        raise LayoutError(f"expected {layout.num_joints} joints of layout {layout.name!r}, got "
                          f"{num_joints}")
    return layout


def class_names(classes: Sequence[str] | str | Path | None) -> list[str] | None:
    """Class names from a list, or from a text file with one name a line.

    Raises:
        FileFormatError: The file is missing or no text.
        ChoiceError: There is none, or a name stands twice.
    """
    if classes is None:
        return None
    if isinstance(classes, str | Path):
        try:
            classes = Path(classes).read_text("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise FileFormatError(f"no readable list of class names at {classes}") from error
        classes = [name.strip() for name in classes if name.strip()]
    names = list(classes)
    if not names or len(set(names)) < len(names):
        raise ChoiceError(f"expected a list of different class names, got {names[:5]} ...")
    return names


def class_name(number: int, names: Sequence[str] | None) -> str:
    """The name of class ``number``, counted from 0; ``class_007`` where names are not known.

    Raises:
        FileFormatError: The number is negative or beyond the names.
    """
    if number < 0 or (names is not None and number >= len(names)):
        count = "" if names is None else f" and below {len(names)}, the number of class names"
        raise FileFormatError(f"expected a class from 0{count}; got {number}")
    return f"class_{number:03}" if names is None else names[number]

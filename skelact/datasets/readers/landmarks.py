"""Landmarks by number or by name, as MediaPipe's bindings and scripts around them write them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skelact.errors import FileFormatError
from skelact.graph.layouts import Layout, get_layout

_NAMED = ("coco17", "mediapipe33", "hand21")
"""Layouts in which names are looked up, smaller ones first where names fit several."""
_COUNTED = {17: "coco17", 21: "hand21", 33: "mediapipe33"}


@dataclass(eq=False)
class Landmarks:
    """The people of a file, as far as it says.

    Args:
        layout: The skeleton.
        frame: Frame number of each person, as the file has it.
        points: ``[S, N, 3]`` x, y and confidence, in the file's units.
        ids: Who it is, or None.
        frames: Numbers of all frames, also those with nobody; by default those of the people.
        times: Seconds of all ``frames``, if the file says.
        fps: Frames a second, if the file says.
        image_size: (width, height), if the file says.
        label: Class, if the file says.
    """

    layout: Layout
    frame: list[int]
    points: np.ndarray
    ids: list[Any]
    frames: list[int] | None = None
    times: list[float] | None = None
    fps: float | None = None
    image_size: tuple[int, int] | None = None
    label: str | None = field(default=None)


def layout_by_names(names: Sequence[str]) -> tuple[Layout, list[int]]:
    """The smallest layout that has all these joints, and the index of each.

    Raises:
        FileFormatError: No layout has them, or one stands twice.
    """
    wanted = [str(name).strip().lower().replace(" ", "_").replace("-", "_") for name in names]
    for layout in map(get_layout, _NAMED):
        where = {name.lower(): i for i, name in enumerate(layout.source_names)}
        where |= {name: i for i, name in enumerate(layout.joints)}
        index = [where[name] for name in wanted if name in where]
        if len(index) == len(wanted):
            if len(set(index)) < len(index):
                raise FileFormatError("a landmark stands twice")
            return layout, index
    known = {name for layout in map(get_layout, _NAMED) for name in
             (*layout.joints, *map(str.lower, layout.source_names))}
    strange = [name for name in wanted if name not in known] or wanted
    raise FileFormatError(f"no layout has the landmarks {', '.join(strange)[:150]}")


def layout_by_count(count: int) -> Layout:
    """The layout with so many landmarks.

    Raises:
        FileFormatError: None has.
    """
    if count not in _COUNTED:
        raise FileFormatError(f"expected 33 landmarks (or 21 of a hand, or 17 of COCO), got "
                              f"{count}")
    return get_layout(_COUNTED[count])

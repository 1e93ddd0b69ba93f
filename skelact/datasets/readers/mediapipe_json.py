"""The shapes in which scripts save MediaPipe's (and tfjs') landmarks as JSON."""

from pathlib import Path
from typing import Any

import numpy as np

from skelact.datasets.readers.each_clip import load_json
from skelact.datasets.readers.json_kinds import MEDIAPIPE_LISTS
from skelact.datasets.readers.landmarks import Landmarks, layout_by_count, layout_by_names
from skelact.datasets.readers.sightings import number_rows
from skelact.errors import EmptyClipError, FileFormatError

_FRAME = ("frame", "frame_index", "frame_id", "frame_number")
_CONFIDENCE = ("visibility", "score", "confidence")
_SIZE = (("width", "height"), ("image_width", "image_height"), ("imageWidth", "imageHeight"))


def read_mediapipe_json(file: Path) -> Landmarks:
    """What a JSON file of landmarks says.

    Frames are a list, or stand under ``frames`` beside ``fps``, ``width`` and ``height``. A frame
    is a person, a list of people, or an object that holds them beside ``frame`` and ``timestamp``
    (seconds) or ``timestamp_ms``; null, an empty list or object is nobody. A person is a list of
    points or an object name -> point; a point is ``[x, y, (z, (visibility))]`` or an object with
    x, y and visibility, score or nothing (confidence 1), perhaps with its name.

    Raises:
        FileFormatError: A frame is none of these; the message names it.
    """
    content = load_json(file)
    head = content if isinstance(content, dict) else {}
    frames = content["frames"] if isinstance(content, dict) else content
    if not isinstance(frames, list) or not frames:
        raise FileFormatError("expected a list of frames")
    numbers = _numbers(frames)
    rows, people, ids = [], [], []
    for number, (position, frame) in zip(numbers, enumerate(frames), strict=True):
        for person, who in _people(frame, f"frame {position}"):
            rows.append(number)
            ids.append(who)
            people.append(person)
    if not people:  # nothing tells the layout
        raise EmptyClipError(f"nobody in any of its {len(frames)} frames")
    layout, points = _points(people, rows)
    size = next(((head[w], head[h]) for w, h in _SIZE if w in head and h in head), None)
    return Landmarks(layout, rows, points, ids, frames=numbers, times=_times(frames),
                     fps=_number(head.get("fps"), "fps"), image_size=_whole(size))


def _numbers(frames: list) -> list[int]:
    """Frame numbers, if every frame says one under the same key, else their places."""
    for key in _FRAME:
        if all(isinstance(frame, dict) and key in frame for frame in frames):
            return [frame[key] for frame in frames]
    return list(range(len(frames)))


def _times(frames: list) -> list[float] | None:
    for key, scale in (("timestamp_ms", 1e-3), ("timestamp", 1.0), ("time", 1.0)):
        if all(isinstance(frame, dict) and key in frame for frame in frames):
            values = number_rows([[frame[key]] for frame in frames], 1, f"{key} of frame")
            return (values[:, 0] * scale).tolist()
    return None


def _people(frame: Any, place: str) -> list[tuple[Any, Any]]:
    """The people of a frame, each a list of points or {name: point}, with its id or None."""
    if not frame:
        return []
    if isinstance(frame, dict):
        for key in MEDIAPIPE_LISTS:
            if key in frame:
                return _people_in(frame[key], frame.get("id"), place)
        if any(key in frame for key in _FRAME) or "timestamp" in frame or "timestamp_ms" in frame:
            return []  # a frame that only says when it was
        return [(frame, None)]
    if isinstance(frame, list):
        return _people_in(frame, None, place)
    raise FileFormatError(f"{place}: expected people, got {frame!r:.40}")


def _people_in(found: Any, who: Any, place: str) -> list[tuple[Any, Any]]:
    if not found:
        return []
    if isinstance(found, dict):
        return [(person, who) for person, _ in _people(found, place)]
    if not isinstance(found, list):
        raise FileFormatError(f"{place}: expected landmarks, got {found!r:.40}")
    first = found[0]
    if _is_point(first):
        return [(found, who)]
    if isinstance(first, list):  # several people, each a list of points
        return [(person, who if len(found) == 1 else None) for person in found if person]
    people = []
    for person in found:
        inner = _people(person, place)
        if len(inner) > 1:
            raise FileFormatError(f"{place}: expected one person, got {len(inner)}")
        people += inner
    return people


def _is_point(item: Any) -> bool:
    if isinstance(item, dict):
        return "x" in item and "y" in item
    return isinstance(item, list) and bool(item) and not isinstance(item[0], (list, dict))


def _points(people: list, rows: list):
    """The layout and ``[S, N, 3]`` x, y, confidence; joints without a point are NaN."""
    names = [_names(person) for person in people]
    if all(name is None for name in names):
        layout = layout_by_count(len(people[0]))
        flat = [point for person in people for point in person]
        if any(len(person) != layout.num_joints for person in people):
            at = next(i for i, p in enumerate(people) if len(p) != layout.num_joints)
            raise FileFormatError(f"frame {rows[at]}: expected {layout.num_joints} landmarks as "
                                  f"in the first, got {len(people[at])}")
        return layout, _bare(flat).reshape(len(people), layout.num_joints, 3)
    if None in names:
        raise FileFormatError("expected landmarks that all have names, or none")
    longest = max(names, key=len)
    layout, _ = layout_by_names(longest)
    points = np.full((len(people), layout.num_joints, 3), np.nan)
    order: dict[tuple, list[int]] = {}
    for i, (person, own) in enumerate(zip(people, names, strict=True)):
        if own not in order:
            fitting, index = layout_by_names(own)
            if not set(fitting.joints) <= set(layout.joints):
                raise FileFormatError(f"frame {rows[i]}: its landmarks are of another skeleton")
            order[own] = [layout.index(fitting.joints[at]) for at in index]
        values = list(person.values()) if isinstance(person, dict) else person
        points[i, order[own]] = _bare(values)
    return layout, points


def _names(person: Any) -> tuple[str, ...] | None:
    if isinstance(person, dict):
        return tuple(person)
    if all(isinstance(point, dict) and isinstance(point.get("name"), str) for point in person):
        return tuple(point["name"] for point in person)
    return None


def _bare(points: list) -> np.ndarray:
    """``[S, 3]`` x, y, confidence (1 where the file gives none) of points of either kind."""
    if all(isinstance(point, dict) for point in points):
        key = next((key for key in _CONFIDENCE if key in points[0]), None)
        return number_rows([[p["x"], p["y"], 1.0 if key is None else p[key]] for p in points], 3,
                           "landmark")
    width = len(points[0]) if isinstance(points[0], list) else 0
    if not 2 <= width <= 5:
        raise FileFormatError(f"expected landmarks [x, y, z, visibility], got {points[0]!r:.60}")
    values = number_rows(points, width, "landmark")
    confidence = values[:, 3:4] if width > 3 else np.ones((len(values), 1))
    return np.concatenate([values[:, :2], confidence], axis=1)


def _number(value: Any, name: str) -> float | None:
    return None if value is None else float(number_rows([[value]], 1, name)[0, 0])


def _whole(size) -> tuple[int, int] | None:
    if size is None:
        return None
    width, height = number_rows([list(size)], 2, "width and height")[0]
    return int(width), int(height)

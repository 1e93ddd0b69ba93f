"""Which of the keypoint formats a JSON file is, judged by its beginning.

All rules stand on this page, because they must exclude each other: every one asks for keys that
only one program writes. Nothing is decided by file names.
"""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SIZES = (4096, 131_072)
"""Bytes to look at: the first is enough nearly always, the second for long preambles."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{},]', re.DOTALL)
"""Strings, the last of which may be cut off, and what gives the text its structure."""
_DEEPEST = 50
_CLOSED_BY = {"[": "]", "{": "}"}
MEDIAPIPE_LISTS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark", "keypoints")
"""Keys under which MediaPipe's bindings, and scripts around them, put the landmarks of a person."""


def find_json(path: str | Path, kind: str) -> list[Path]:
    """JSON files of one kind at or below ``path``, sorted."""
    path = Path(path)
    files = [path] if path.is_file() else path.rglob("*.json")
    return sorted(f for f in files if f.suffix.lower() == ".json" and json_kind(f) == kind)


def json_kind(file: Path) -> str | None:
    """The format of a JSON file, by its beginning; None for any other, or none at all.

    One of ``kinetics_skeleton``, ``openpose``, ``coco``, ``alphapose``, ``mmpose``, ``mediapipe``.
    """
    try:
        state = file.stat()
    except OSError:
        return None
    return _judge(file, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=65_536)  # every format asks about every file
def _judge(file: Path, changed: int, size: int) -> str | None:
    for length in _SIZES:
        start = _read_start(file, length)
        for kind, fits in _KINDS.items():
            if fits(start):
                return kind
        if size <= length:
            break
    return None


def _read_start(file: Path, length: int) -> Any:
    """What the first bytes of a JSON file hold, as far as it is complete; None if nothing is."""
    try:
        with open(file, "rb") as opened:
            text = opened.read(length).decode("utf-8-sig", errors="replace")
    except OSError:
        return None
    open_, cut = [], None
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in _CLOSED_BY:
            open_.append(_CLOSED_BY[mark])
        elif mark in ("]", "}"):
            if not open_ or open_.pop() != mark:
                return None
        elif mark != ",":
            continue
        if len(open_) < _DEEPEST:
            cut = (token.start() if mark == "," else token.end(), tuple(open_))
    if cut is None:
        return None
    end, closers = cut
    try:
        return json.loads(text[:end] + "".join(reversed(closers)))
    except (ValueError, RecursionError):
        return None


def _is_kinetics(start: Any) -> bool:
    if not isinstance(start, dict) or not isinstance(start.get("data"), list):
        return False
    frame = _first(start["data"])
    return {"frame_index", "skeleton"} <= _keys(frame) or (
        not start["data"] and {"label", "label_index"} <= set(start)
    )


def _is_openpose(start: Any) -> bool:
    if not isinstance(start, dict) or not isinstance(start.get("people"), list):
        return False
    person = _first(start["people"])
    return "version" in start or any(key.startswith("pose_keypoints") for key in _keys(person))


def _is_coco(start: Any) -> bool:
    if isinstance(start, list):
        row = _first(start)
        return ({"image_id", "keypoints"} <= _keys(row) and not isinstance(row["image_id"], str)
                and not {"idx", "box"} & _keys(row))
    if not isinstance(start, dict):
        return False
    image, row = _first(start.get("images")), _first(start.get("annotations"))
    if row is not None:
        return {"image_id", "keypoints"} <= _keys(row)
    return "id" in _keys(image) and bool({"file_name", "width"} & _keys(image))


def _is_alphapose(start: Any) -> bool:
    row = _first(start) if isinstance(start, list) else None
    return {"image_id", "keypoints"} <= _keys(row) and not _is_coco(start)


def _is_mmpose(start: Any) -> bool:
    if isinstance(start, dict):
        frame = _first(start.get("instance_info"))
        return "instances" in _keys(frame) or "instance_info" in start
    row = _first(start) if isinstance(start, list) else None
    return "instances" in _keys(row) or {"keypoints", "keypoint_scores"} <= _keys(row)


def _is_mediapipe(start: Any) -> bool:
    frames = start.get("frames") if isinstance(start, dict) else start
    return isinstance(frames, list) and any(map(_shows_landmarks, frames))


def _shows_landmarks(frame: Any) -> bool:
    return any(_is_person(person) for person in _people(frame))


def _people(frame: Any) -> Iterator[Any]:
    """What may be a person in a frame: the frame itself, or what it lists."""
    yield frame
    if isinstance(frame, list):
        for item in frame[:3]:
            yield item
            yield from (item[key] for key in MEDIAPIPE_LISTS if key in _keys(item))
    for key in MEDIAPIPE_LISTS:
        if key in _keys(frame):
            yield frame[key]
            if isinstance(frame[key], list):
                yield from frame[key][:1]
            elif "landmark" in _keys(frame[key]):
                yield frame[key]["landmark"]


def _is_person(person: Any) -> bool:
    if isinstance(person, dict):
        nose = next((point for name, point in person.items() if name.lower() == "nose"), None)
        return {"x", "y"} <= _keys(nose)
    if not isinstance(person, list) or len(person) < 3:
        return False
    if {"x", "y"} <= _keys(person[0]):
        return True
    return len(person) in (21, 33) and all(
        isinstance(point, list) and 2 <= len(point) <= 5 and not isinstance(point[0], (list, dict))
        for point in person
    )


def _first(items: Any) -> Any:
    return items[0] if isinstance(items, list) and items else None


def _keys(item: Any) -> set[str]:
    return set(item) if isinstance(item, dict) else set()


_KINDS = {
    "kinetics_skeleton": _is_kinetics, "openpose": _is_openpose, "coco": _is_coco,
    "alphapose": _is_alphapose, "mmpose": _is_mmpose, "mediapipe": _is_mediapipe,
}

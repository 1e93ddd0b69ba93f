"""The shapes in which scripts save MediaPipe's landmarks as CSV."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skelact.datasets.readers.landmarks import Landmarks, layout_by_count, layout_by_names
from skelact.datasets.readers.sightings import number_rows
from skelact.errors import FileFormatError

_AXES = {"x": 0, "y": 1, "z": 3, "v": 2, "visibility": 2, "score": 2, "confidence": 2, "vis": 2,
         "presence": 3}
"""Column of ``[x, y, confidence]``; 3 is read and not used."""
_NUMBERED = re.compile(rf"({'|'.join(_AXES)})_?(\d{{1,2}})", re.IGNORECASE)
_NAMED = re.compile(rf"(.*?)[_ .\-]({'|'.join(_AXES)})", re.IGNORECASE)
_FRAME = ("frame", "frame_index", "frame_id", "frame_number", "frame_num", "frame_no")
_LANDMARK = ("landmark", "landmark_id", "landmark_index", "landmark_name", "name", "joint",
             "keypoint")
_PERSON = ("person", "person_id", "id", "track_id")
_LABEL = ("label", "class", "action")
_TIMES = {"timestamp_ms": 1e-3, "timestamp": 1.0, "time": 1.0}

Table = dict[str, list[str]]
Columns = list[tuple[str | int, int, int]]
"""(landmark name or number, axis, column) of every landmark column."""


def is_mediapipe_csv(file: Path) -> bool:
    """Whether the first line of a file is a header of landmark columns."""
    try:
        with open(file, encoding="utf-8-sig", newline="") as opened:
            head = opened.readline(65_536)
        names = [name.strip() for name in next(csv.reader([head]), [])]
        if _is_long(names):
            return True
        columns = _landmark_columns(names)
        return len(columns) >= 34 and {axis for _, axis, _ in columns} >= {0, 1}
    except (OSError, ValueError, csv.Error):
        return False


def read_mediapipe_csv(file: Path) -> Landmarks:
    """What a CSV file of landmarks says.

    Wide: a row a frame (and person), columns ``x0, y0, z0, v0, ...`` (from 0 or 1), or
    ``nose_x, nose_y, ...``. Long: a row a landmark, columns ``frame, landmark, x, y`` and perhaps
    ``visibility``. Besides, in both: ``frame``, ``timestamp`` (seconds) or ``timestamp_ms``,
    ``person`` or ``id``, ``label`` or ``class``. Empty cells are missing.

    Raises:
        FileFormatError: A line has other cells than the header, or no number where one belongs.
    """
    names, rows, lines = _read_table(file)
    long = _is_long(names)
    columns = [] if long else _landmark_columns(names)
    lower = [name.lower() for name in names]
    frame = _numbers(_pick(lower, _FRAME), rows, lines, names)
    ids = _numbers(_pick(lower, _PERSON), rows, lines, names)
    times = next((_numbers(lower.index(key), rows, lines, names) * scale
                  for key, scale in _TIMES.items() if key in lower), None)
    if frame is None and long:
        raise FileFormatError("expected a column 'frame'")
    frame = np.arange(len(rows)) if frame is None else frame
    if long:
        layout, points, first = _long_points(lower, rows, lines, names, frame, ids)
    else:
        layout, points = _wide_points(columns, rows, lines, names)
        first = np.arange(len(rows))
    ids = None if ids is None else ids[first]
    frames, at = np.unique(frame[first], return_index=True)
    return Landmarks(
        layout, frame[first].tolist(), points,
        [None] * len(first) if ids is None else ids.tolist(), frames=frames.tolist(),
        times=None if times is None else times[first][at].tolist(), label=_label(lower, rows),
    )


def _read_table(file: Path) -> tuple[list[str], list[list[str]], list[int]]:
    rows, lines = [], []
    try:
        with open(file, encoding="utf-8-sig", newline="") as opened:
            reader = csv.reader(opened)
            names = [name.strip() for name in next(reader, [])]
            for row in reader:
                if not row:
                    continue
                if len(row) != len(names):
                    raise FileFormatError(f"line {reader.line_num}: expected {len(names)} cells as "
                                          f"in line 1, got {len(row)}")
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise FileFormatError(f"no readable table: {error}") from error
    if not rows:
        raise FileFormatError("no lines below the header")
    return names, rows, lines


def _pick(lower: list[str], choices: Sequence[str]) -> int | None:
    return next((lower.index(name) for name in choices if name in lower), None)


def _is_long(names: Sequence[str]) -> bool:
    lower = {name.strip().lower() for name in names}
    return {"x", "y"} <= lower and bool(lower & set(_LANDMARK)) and bool(lower & set(_FRAME))


def _landmark_columns(names: Sequence[str]) -> Columns:
    columns: Columns = []
    for column, name in enumerate(names):
        if found := _NUMBERED.fullmatch(name):
            columns.append((int(found[2]), _AXES[found[1].lower()], column))
        elif found := _NAMED.fullmatch(name):
            number = re.fullmatch(r"(?:.*?[_ .\-])?(\d{1,2})", found[1])
            who = int(number[1]) if number else found[1]
            columns.append((who, _AXES[found[2].lower()], column))
    return columns


def _wide_points(columns: Columns, rows, lines, names):
    """The layout and ``[S, N, 3]``; the confidence is 1 where there is no column of it."""
    joints = list(dict.fromkeys(joint for joint, _, _ in columns))
    if all(isinstance(joint, int) for joint in joints):
        layout = layout_by_count(len(joints))
        index = [joint - min(joints) for joint in joints]
        if sorted(index) != list(range(len(joints))):
            raise FileFormatError("line 1: expected landmarks numbered one by one")
    else:
        layout, index = layout_by_names(list(map(str, joints)))
    where = dict(zip(joints, index, strict=True))
    used = [(where[joint], axis, column) for joint, axis, column in columns if axis < 3]
    if len({place[:2] for place in used}) < len(used):
        raise FileFormatError("line 1: two columns for the same coordinate")
    has = {(joint, axis) for joint, axis, _ in used}
    if any((joint, axis) not in has for joint in index for axis in (0, 1)):
        raise FileFormatError("line 1: a landmark lacks its x or y column")
    points = np.full((len(rows), layout.num_joints, 3), np.nan)
    points[:, [joint for joint in index if (joint, 2) not in has], 2] = 1.0
    values = _cells([column for _, _, column in used], rows, lines, names)
    points[:, [joint for joint, _, _ in used], [axis for _, axis, _ in used]] = values
    return layout, points


def _long_points(lower, rows, lines, names, frame, ids):
    """The layout, ``[S, N, 3]``, and the first row of each frame and person."""
    marks = [row[_pick(lower, _LANDMARK)].strip() for row in rows]
    kinds = list(dict.fromkeys(marks))
    if all(kind.isascii() and kind.isdigit() and len(kind) < 4 for kind in kinds):
        numbers = sorted(map(int, kinds))
        # all frames together name every landmark
        layout = layout_by_count(numbers[-1] - min(numbers[0], 1) + 1)
        where = {kind: int(kind) - min(numbers[0], 1) for kind in kinds}
    else:
        layout, index = layout_by_names(kinds)
        where = dict(zip(kinds, index, strict=True))
    axes = [lower.index("x"), lower.index("y")]
    confidence = next((lower.index(n) for n, a in _AXES.items() if a == 2 and n in lower), None)
    values = np.ones((len(rows), 3))
    wanted = axes if confidence is None else [*axes, confidence]
    values[:, : len(wanted)] = _cells(wanted, rows, lines, names)
    who = np.stack([frame, np.zeros(len(rows)) if ids is None else ids], axis=1)
    _, first, person = np.unique(who, axis=0, return_index=True, return_inverse=True)
    person = person.reshape(-1)
    joint = np.array([where[mark] for mark in marks])
    if len(np.unique(person * layout.num_joints + joint)) < len(rows):
        raise FileFormatError("a landmark stands twice in a frame; a column 'person' would tell "
                              "people apart")
    points = np.full((len(first), layout.num_joints, 3), np.nan)
    points[person, joint] = values
    return layout, points, first


def _cells(columns: list[int], rows, lines, names) -> np.ndarray:
    """``[rows, columns]`` float64; an empty cell is NaN."""
    try:
        return np.array([[row[column] or "nan" for column in columns] for row in rows], np.float64)
    except ValueError:
        pass
    for row, line in zip(rows, lines, strict=True):
        for column in columns:
            try:
                float(row[column] or "nan")
            except ValueError:
                raise FileFormatError(f"line {line}, column {names[column]}: expected a number, "
                                      f"got {row[column]!r:.40}") from None
    raise FileFormatError("expected numbers")


def _numbers(column: int | None, rows, lines, names) -> np.ndarray | None:
    if column is None:
        return None
    values = _cells([column], rows, lines, names)
    return number_rows(values.tolist(), 1, names[column])[:, 0]


def _label(lower: list[str], rows) -> str | None:
    """The class of the file, if it has a column of it that stays the same."""
    column = _pick(lower, _LABEL)
    if column is None:
        return None
    kinds = {row[column].strip() for row in rows}
    if len(kinds) > 1:
        raise FileFormatError(f"the column {lower[column]!r} changes within the file; write one "
                              "file a clip")
    return kinds.pop() or None

"""The grammar of an NTU RGB+D ``.skeleton`` file.

A text of lines: the number of frames; for each frame the number of bodies; for each body a line of
10 fields that begins with its bodyID, the number of joints (25), and 25 lines of 12 fields: x, y, z
in metres, then depth and colour pixel, orientation, and the tracking state.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from skelact.datasets.readers.decimals import leading_decimals
from skelact.datasets.readers.ntu_classes import NTU120_CLASSES
from skelact.datasets.readers.ntu_names import is_ntu_name, ntu_facts, ntu_numbers
from skelact.errors import FileFormatError

NUM_JOINTS = 25
_BODY_FIELDS, _JOINT_FIELDS = 10, 12
_BLOCK = 1 << 16  # bytes looked at together: small enough for no fresh pages of memory
_LARGEST_ID = 2**63 - 1
_NUMBER = rb"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?i:nan)) "
_COORDINATES = re.compile(3 * _NUMBER)
_BODY = rb"(\d{1,20}) .*\n25\n"
_NEXT_BODY = re.compile(_BODY)
_FRAME = re.compile(rb"(\d{1,9})\n(?:" + _BODY + rb")?")  # with its first body, if it has one


@dataclass(frozen=True, eq=False)
class RawCapture:
    """Every body of every frame of one file, as the sensor gave them.

    Rows stand in the order of the file, frames first, as in the file; `apply_profile` makes a
    `Recording` of them.

    Args:
        name: ``SsssCcccPpppRrrrAaaa``.
        num_frames: Frames of the file, with or without bodies.
        body_ids: ``[S]`` int64, exact (they differ in digits that a float does not hold).
        frame_index: ``[S]`` int64, the true frame of each row, rising.
        joints: ``[S, 25, 3]`` float32, metres in the sensor's frame, y up; NaN where the file
            says so.
        tracking: ``[S, 25]`` uint8: 2 tracked, 1 inferred, 0 not tracked.
    """

    name: str
    num_frames: int
    body_ids: np.ndarray = field(repr=False)
    frame_index: np.ndarray = field(repr=False)
    joints: np.ndarray = field(repr=False)
    tracking: np.ndarray = field(repr=False)

    @property
    def labels(self) -> dict:
        """What the name says: label, setup, camera, subject, repetition, and the clip_id."""
        label = NTU120_CLASSES[ntu_numbers(self.name)["action"] - 1]
        return {"clip_id": self.name, "label": label} | ntu_facts(self.name)


def read_skeleton_file(file: str | Path) -> RawCapture:
    """Every body of every frame of one ``.skeleton`` file.

    Raises:
        FileFormatError: The file is missing, not named as the data set names its files, or breaks
            the grammar; the message names the line.

    Source: Shahroudy et al., "NTU RGB+D", CVPR 2016; Liu et al., "NTU RGB+D 120", TPAMI 2019.
    """
    file = Path(file)
    if not is_ntu_name(file.stem):
        raise FileFormatError(f"{file}: expected a name such as S001C002P003R002A013.skeleton "
                              f"(setup, camera, subject, repetition, action 1 to 120)")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise FileFormatError(f"cannot read {file}: {error}") from error
    try:
        return RawCapture(file.stem, *_parse(content))
    except _GrammarError:
        numbers, text = _tidy(content)
    try:
        return RawCapture(file.stem, *_parse(text))
    except _GrammarError as error:
        line = [*numbers, len(content.splitlines())][error.line]
        raise FileFormatError(f"{file}, line {line + 1}: {error}") from None


class _GrammarError(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def _tidy(content: bytes) -> tuple[list[int], bytes]:
    """The text without empty lines and doubled blanks, and the number of each line that is left."""
    lines = [b" ".join(line.split()) for line in content.splitlines()]
    numbers = [i for i, line in enumerate(lines) if line]
    return numbers, b"".join(lines[i] + b"\n" for i in numbers)


def _parse(text: bytes) -> tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The fields of a `RawCapture` after its name."""
    lines = _Lines(text)
    num_frames, frames, ids, heads = _walk(lines)
    joints, tracking = _parse_joints(lines, np.array(heads, np.int64))
    return num_frames, np.array(ids, np.int64), np.array(frames, np.int64), joints, tracking


class _Lines:
    """A text cut into lines; line i is ``text[starts[i]:starts[i + 1]]``, its line break last."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.bytes = np.frombuffer(text, np.uint8)
        starts, self.blanks = [[0]], 0
        for at in range(0, len(text), _BLOCK):
            block = self.bytes[at : at + _BLOCK]
            starts.append(np.flatnonzero(block == ord("\n")) + (at + 1))
            self.blanks += np.count_nonzero(block == ord(" "))
        self.starts = np.concatenate(starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def tokens(self, line: int) -> list[bytes]:
        return self.text[self.starts[line] : self.starts[line + 1]].split()

    def error(self, line: int, expected: str) -> _GrammarError:
        if line >= len(self):
            return _GrammarError(len(self), f"expected {expected}, but the file ends here")
        got = b" ".join(self.tokens(line))[:60].decode("ascii", "replace")
        return _GrammarError(int(line), f"expected {expected}, got {got!r}")


def _walk(lines: _Lines) -> tuple[int, list[int], list[int], list[int]]:
    """The number of frames; for each body its frame, its id and its first joint line."""
    text, start_of, last = lines.text, lines.starts.item, len(lines)
    if not (found := _FRAME.match(text)):
        raise lines.error(0, "the number of frames")
    num_frames, line = int(found[1]), 1
    frames, ids, heads = [], [], []
    for frame in range(num_frames):
        if not (found := _FRAME.match(text, start_of(line))):
            raise lines.error(line, "the number of bodies")
        count, body = found.groups()
        line += 1
        for number in range(int(count)):
            if number:
                body = (found := _NEXT_BODY.match(text, start_of(line))) and found[1]
            if not body:
                raise lines.error(line, "a body (bodyID and 9 fields, then 25 joints)")
            body = int(body)
            if body > _LARGEST_ID or (number and body in ids[-number:]):
                raise lines.error(line, "a bodyID below 2^63 that the frame does not have yet")
            frames.append(frame)
            ids.append(body)
            heads.append(line + 2)
            line += 2 + NUM_JOINTS
            if line > last:
                raise lines.error(line, "25 joints")
    if line < last:
        raise lines.error(line, f"the end of the file after {num_frames} frames")
    return num_frames, frames, ids, heads


def _parse_joints(lines: _Lines, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``[S, 25, 3]`` float32 joints and ``[S, 25]`` uint8 tracking states of bodies.

    Args:
        lines: The text.
        heads: ``[S]`` the first joint line of each body.
    """
    rows = (heads[:, None] + np.arange(NUM_JOINTS)).ravel()
    _check_fields(lines, heads, rows)
    joints = np.empty((len(rows), 3), np.float32)
    usual, ends = True, lines.starts[rows] - 1
    with np.errstate(over="ignore"):
        for axis in range(3):
            joints[:, axis], ends, good = leading_decimals(lines.bytes, ends + 1)
            usual = usual & good
        if (odd := np.flatnonzero(~usual)).size:
            joints[odd] = [_parse_coordinates(lines, row) for row in rows[odd].tolist()]
    if np.isinf(joints).any():
        row = int(np.isinf(joints).any(axis=1).argmax())
        raise lines.error(rows[row], "coordinates in metres")
    breaks = lines.starts[rows + 1] - 1
    tracking = lines.bytes[breaks - 1] - np.uint8(ord("0"))
    wrong = (tracking > 2) | (lines.bytes[breaks - 2] != ord(" "))
    if wrong.any():
        raise lines.error(rows[wrong][0], "the tracking state 0, 1 or 2 at the end")
    return joints.reshape(-1, NUM_JOINTS, 3), tracking.reshape(-1, NUM_JOINTS)


def _check_fields(lines: _Lines, heads: np.ndarray, rows: np.ndarray) -> None:
    """Refuse bodies without 10 fields, joints without 12: by one count, by line if it is off."""
    if lines.blanks == (_JOINT_FIELDS - 1) * len(rows) + (_BODY_FIELDS - 1) * len(heads):
        return
    for line, what, count in ([(head - 2, "body", _BODY_FIELDS) for head in heads.tolist()]
                              + [(row, "joint", _JOINT_FIELDS) for row in rows.tolist()]):
        if len(lines.tokens(line)) != count:
            raise lines.error(line, f"a {what} of {count} fields")
    raise _GrammarError(0, "expected one blank between fields")


def _parse_coordinates(lines: _Lines, line: int) -> list[float]:
    """x, y, z of a joint, in any form that a number has (1.5E-05, nan, ...)."""
    if not (found := _COORDINATES.match(lines.text, lines.starts.item(line))):
        raise lines.error(line, "x, y and z")
    return list(map(float, found.groups()))

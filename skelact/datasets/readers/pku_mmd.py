"""PKU-MMD: untrimmed Kinect v2 skeletons of up to two people, 51 actions, 3 views, 3-D."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.ntu_classes import PKU_MMD_CLASSES
from skelact.datasets.readers.padded import padded_tracks
from skelact.errors import FileFormatError, ShapeError
from skelact.pose.recording import Recording

CLASSES = PKU_MMD_CLASSES
"""Class k is number k + 1 in the label files."""
FPS = 30.0
"""Stated by the data set."""
_NAME = re.compile(r"\w+-([LMR])")
_CAMERAS = {"L": 1, "M": 2, "R": 3}
_COLUMNS = 150  # 2 people, 25 joints, x y z
_LABEL = re.compile(r"\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*(,[^,]*)?")


def find_pku_mmd(path: str | Path) -> list[Path]:
    """The skeleton files (``0002-L.txt``, 150 numbers a line) at or below ``path``, sorted."""
    path = Path(path)
    files = [path] if path.is_file() else path.rglob("*-[LMR].txt")
    return sorted(file for file in files if _is_skeleton(file))


def read_pku_mmd(path: str | Path, refuse: Refuse = raise_error) -> Iterator[Recording]:
    """Untrimmed recordings of PKU-MMD; ``labels`` holds annotations, camera and clip_id.

    The labels of a recording are the file of the same name with lines ``action,start,end,
    confidence`` (frames) in another folder: below ``path``, or beside the folder that holds the
    skeleton. Without one, ``annotations`` is absent. A label whose end comes before its start, as
    some do, is turned round. Cameras 1, 2, 3 are the views L, M, R.

    Args:
        path: A skeleton file, their folder, or the folder of skeletons and labels.
        refuse: Told of every recording that cannot be used.

    Raises:
        FileFormatError: No such files.

    Source: Liu et al., "PKU-MMD", 2017.
    """
    files = find_pku_mmd(path)
    if not files:
        raise FileFormatError(f"no PKU-MMD skeletons (0002-L.txt, ... with {_COLUMNS} numbers a "
                              f"line) in {path}")
    for file in files:
        try:
            recording = _read_recording(file, _find_labels(file, Path(path)))
        except FileFormatError as error:
            refuse(error)
        else:
            yield recording


def _is_skeleton(file: Path) -> bool:
    return _NAME.fullmatch(file.stem) is not None and len(_first_line(file).split()) == _COLUMNS


def _first_line(file: Path) -> bytes:
    try:
        with open(file, "rb") as stream:
            return stream.readline(1 << 14)
    except OSError:
        return b""


def _find_labels(file: Path, path: Path) -> Path | None:
    """The label file of a skeleton: the same name in a folder below ``path`` or beside its own."""
    beside = [*file.parent.parent.glob(f"*/{file.name}")]
    below = [*path.rglob(file.name)] if path.is_dir() else []
    return next((other for other in sorted({*beside, *below}) if b"," in _first_line(other)), None)


def _read_recording(file: Path, labels_file: Path | None) -> Recording:
    try:
        text = file.read_bytes().decode("ascii")
        rows = np.loadtxt(io.StringIO(text), np.float32, comments=None, ndmin=2)
    except (OSError, ValueError, OverflowError) as error:
        raise FileFormatError(f"{file} is not a PKU-MMD skeleton: {error}") from error
    if rows.shape[1] != _COLUMNS:
        raise FileFormatError(f"{file}: expected {_COLUMNS} numbers a line, got {rows.shape[1]}")
    joints = rows.reshape(-1, 2, 25, 3).transpose(1, 2, 3, 0).copy()
    try:
        tracks = padded_tracks(joints, 3)
    except ShapeError as error:
        raise FileFormatError(f"{file} is not a PKU-MMD skeleton: {error}") from error
    labels = {"clip_id": file.stem, "camera": _CAMERAS[_NAME.fullmatch(file.stem)[1]]}
    if labels_file is not None:
        labels["annotations"] = _read_annotations(labels_file, len(rows))
    return Recording(tracks, np.arange(len(rows)) / FPS, "ntu25", dims=3, fps=FPS,
                     source=file.name, estimator="Kinect v2", labels=labels)


def _read_annotations(file: Path, num_frames: int) -> list[dict]:
    """The labels of parts, in the order of the file; ends beyond the recording are cut off."""
    try:
        lines = file.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"cannot read the labels {file}: {error}") from error
    annotations = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if not (match := _LABEL.fullmatch(line)):
            raise FileFormatError(f"{file}, line {number}: expected action,start,end,confidence, "
                                  f"got {line[:60]!r}")
        action, *span = (int(field) for field in match.groups()[:3])
        start, end = sorted(span)
        if not 1 <= action <= len(CLASSES) or start >= num_frames:
            raise FileFormatError(f"{file}, line {number}: expected action 1 to {len(CLASSES)} and "
                                  f"a start before frame {num_frames}, got {line[:60]!r}")
        annotations.append({"label": CLASSES[action - 1], "start": start / FPS,
                            "end": min(end, num_frames) / FPS})
    return annotations

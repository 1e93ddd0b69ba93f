"""PRECOG16: 72 untrimmed Kinect v1 recordings of punches and kicks, a label on every frame, 3-D."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import find_named, read_each, single_person
from skelact.errors import FileFormatError
from skelact.pose.recording import Recording

CLASSES = ("none", "right_punch_1", "left_punch_2", "right_kick_3", "left_kick_4", "right_kick_5",
           "left_kick_6", "right_punch_7", "right_punch_8")
"""The archive numbers its actions and names none: these are the limb that moves most over all
samples of a number, and the number."""
FPS = 30.0
"""That of the Kinect v1; the files carry no times."""
_NAME = re.compile(r"Seq(\d+)_(\d+)")
_JOINTS = (
    "HipCenter", "Spine", "ShoulderCenter", "Head", "ShoulderLeft", "ElbowLeft", "WristLeft",
    "HandLeft", "ShoulderRight", "ElbowRight", "WristRight", "HandRight", "HipLeft", "KneeLeft",
    "AnkleLeft", "FootLeft", "HipRight", "KneeRight", "AnkleRight", "FootRight",
)


def find_precog16(path: str | Path) -> list[Path]:
    """The files at or below ``path`` that are named as PRECOG16 names its recordings."""
    return find_named(path, ".csv", _NAME)


def read_precog16(path: str | Path, refuse: Refuse = raise_error) -> Iterator[Recording]:
    """Recordings of PRECOG16, in layout ``kinect20``.

    They are untrimmed: ``labels["annotations"]`` holds the runs of equal frame labels, ``none``
    (nothing of the eight actions) among them, one after another from the first frame to the last.

    Args:
        path: The folder of ``SeqQ_S.csv`` files (Q the script, S the subject), one above it, or
            one such file.
        refuse: Told of every file that is not what the data set publishes, and of files that
            hold nothing but zeros (two do).

    Raises:
        FileFormatError: There are no such files.

    Source: Jardim, PRECOG dataset 2016 (MIT).
    """
    files = find_precog16(path)
    if not files:
        raise FileFormatError(f"no PRECOG16 recordings (Seq1_1.csv, ...) in {path}")
    yield from read_each(files, _parse, "a PRECOG16 recording", refuse)


def _parse(file: Path) -> Recording:
    _, subject = map(int, _NAME.fullmatch(file.stem).groups())
    header, *lines = file.read_text("utf-8-sig").splitlines()
    names = tuple(name.strip() for name in header.split(";"))
    if names != _JOINTS:
        raise FileFormatError(f"line 1: expected the 20 joints {_JOINTS[0]}; ...; {_JOINTS[-1]}")
    rows = [_parse_line(line, number) for number, line in enumerate(lines, 2) if line.strip()]
    frames = np.array([row[:60] for row in rows], np.float32).reshape(-1, 20, 3)
    numbers = np.array([row[60] for row in rows], np.int64)
    return single_person(
        frames.transpose(1, 2, 0), layout="kinect20", fps=FPS, source=file.name,
        estimator="Kinect v1",
        labels={"subject": subject, "clip_id": file.stem, "fps_assumed": True,
                "annotations": _runs(numbers)},
    )


def _parse_line(line: str, number: int) -> list[float]:
    try:
        values = [float(word) for word in line.replace(";", " ").split()]
    except ValueError as error:
        raise FileFormatError(f"line {number}: {error}") from None
    if len(values) != 61 or values[60] not in range(len(CLASSES)):
        raise FileFormatError(f"line {number}: expected 20 points x y z and a label from 0 to "
                              f"{len(CLASSES) - 1}, got {len(values)} numbers ending in "
                              f"{values[-1] if values else 'nothing'}")
    return values


def _runs(numbers: np.ndarray) -> list[dict]:
    """Stretches of one label, as annotations in seconds."""
    edges = np.flatnonzero(np.diff(numbers, prepend=-1, append=-1))
    return [
        {"label": CLASSES[numbers[start]], "start": float(start / FPS), "end": float(stop / FPS)}
        for start, stop in itertools.pairwise(edges)
    ]

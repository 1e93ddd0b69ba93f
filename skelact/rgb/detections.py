"""What a detector of objects saw in a video: found, kept in a file, or read from one.

A file is JSON, ``{"frames": [{"time": 0.2, "objects": [{"class": "cup", "score": 0.9, "box":
[x1, y1, x2, y2]}]}]}``, or a CSV with the columns ``time, class, x1, y1, x2, y2`` and perhaps
``score``; seconds, and pixels of the displayed frame. A frame in which nothing was found has an
empty list, or a row with a time alone: it was looked at.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from skelact.checks import check_shape
from skelact.errors import ChoiceError, FileFormatError, ShapeError, SkelactError, one_line
from skelact.output import write_json
from skelact.pose.video import VideoReader, read_ahead

if TYPE_CHECKING:
    from skelact.pose.estimators.yolo_objects import YoloObjects

_BATCH = 8


@dataclass(frozen=True, eq=False)
class ObjectDetections:
    """The objects of a video, D sightings in F frames.

    Args:
        times: ``[F]`` float64 seconds of the frames that were looked at, strictly rising.
        frame: ``[D]`` int64, which of these frames each object stands in.
        names: ``[D]`` the class of each.
        boxes: ``[4, D]`` float32 x1, y1, x2, y2 in pixels of the displayed frame.
        scores: ``[D]`` float32 confidence in [0, 1].

    Raises:
        ShapeError: The axes do not fit each other, times do not rise, or a box is empty or not
            finite.
        SkelactError: A score is outside of [0, 1].
    """

    times: np.ndarray = field(repr=False)
    frame: np.ndarray = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    boxes: np.ndarray = field(repr=False)
    scores: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        for name, dtype in (("times", np.float64), ("frame", np.int64), ("boxes", np.float32),
                            ("scores", np.float32)):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype))
        object.__setattr__(self, "names", tuple(self.names))
        count = len(self.names)
        check_shape(self.times, ("F",), "times of detections")
        check_shape(self.frame, (count,), "frames of detections")
        check_shape(self.boxes, (4, count), "boxes of detections")
        check_shape(self.scores, (count,), "scores of detections")
        if not np.isfinite(self.times).all() or (np.diff(self.times) <= 0).any():
            raise ShapeError("expected times of detections that rise strictly, one a frame")
        if count and not 0 <= self.frame.min() <= self.frame.max() < len(self.times):
            raise ShapeError(f"expected frames of detections below {len(self.times)}, got "
                             f"{self.frame.min()} to {self.frame.max()}")
        bad = ~(np.isfinite(self.boxes).all(0) & (self.boxes[2:] > self.boxes[:2]).all(0))
        if bad.any():
            raise ShapeError("expected boxes x1, y1, x2, y2 with x1 < x2 and y1 < y2 in pixels, "
                             f"got {self.boxes[:, bad.argmax()].tolist()}")
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise SkelactError("expected scores of detections in [0, 1]")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that were found, sorted."""
        return tuple(sorted(set(self.names)))


def detect_objects(
    video: str | Path, detector: "YoloObjects", every: float = 0.2, progress: bool = False
) -> ObjectDetections:
    """Look for objects in sampled frames of a video.

    Args:
        video: The file.
        detector: A `YoloObjects`, or whatever has such a ``detect(images)``.
        every: Seconds from one frame that is looked at to the next, by the nominal frame rate; 0
            for every frame.
        progress: Show a progress bar on a terminal.

    Raises:
        VideoError: The video is missing or does not decode.
        ChoiceError: ``every`` is below 0.
    """
    if not every >= 0:
        raise ChoiceError(f"expected every as seconds from 0 on, got {every}")
    fps = VideoReader(video).fps
    reader = VideoReader(video, stride=max(1, round(every * fps)))
    seconds, found = [], []
    frames = iter(tqdm(read_ahead(reader, depth=_BATCH), Path(video).name,
                       total=reader.expected_frames, unit=" frames", leave=False,
                       disable=None if progress else True))
    while batch := list(islice(frames, _BATCH)):
        seconds += [frame.time for frame in batch]
        found += detector.detect([frame.image for frame in batch])
    boxes = [objects.boxes for objects in found]
    return ObjectDetections(
        np.array(seconds), np.repeat(np.arange(len(found)), [len(objects) for objects in found]),
        tuple(name for objects in found for name in objects.names),
        np.concatenate([np.empty((0, 4), np.float32), *boxes]).T,
        np.concatenate([np.empty(0, np.float32), *(objects.scores for objects in found)]))


def save_detections(
    detections: ObjectDetections, path: str | Path, overwrite: bool = False
) -> Path:
    """Write detections as JSON, atomically.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    frames = [{"time": time, "objects": []} for time in detections.times.tolist()]
    for i, name, box, score in zip(detections.frame, detections.names, detections.boxes.T.tolist(),
                                   detections.scores.tolist(), strict=True):
        frames[i]["objects"].append({"class": name, "score": score, "box": box})
    return write_json(path, {"frames": frames}, overwrite)


def read_detections(path: str | Path) -> ObjectDetections:
    """Read detections from a ``.json`` or ``.csv`` file; see the top of this page for their form.

    Raises:
        FileFormatError: There is no such file, or it is not of this form; the message says where.
    """
    path = Path(path)
    readers = {".json": _read_json, ".csv": _read_csv}
    if path.suffix.lower() not in readers or not path.is_file():
        raise FileFormatError(f"expected a .json or .csv file of detections, got {path}"
                              + ("" if path.exists() else ", which does not exist"))
    try:
        return _join(readers[path.suffix.lower()](path))
    except FileFormatError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, SkelactError,
            RecursionError, csv.Error) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else one_line(error)
        raise FileFormatError(f"{path} is no file of detections: {reason}; see "
                              "skelact.rgb.detections for the form") from error


_Row = tuple[float, str, list[float], float]
"""Seconds, class ("" where nothing was found), box and score."""


def _read_json(path: Path) -> Iterator[_Row]:
    for frame in json.loads(path.read_text("utf-8-sig"))["frames"]:
        yield float(frame["time"]), "", [], 0.0
        for found in frame["objects"]:
            yield (float(frame["time"]), _name(found["class"]),
                   [float(value) for value in found["box"]], float(found.get("score", 1.0)))


def _read_csv(path: Path) -> Iterator[_Row]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, skipinitialspace=True), start=2):
            try:
                if not row["class"]:
                    yield float(row["time"]), "", [], 0.0
                    continue
                yield (float(row["time"]), row["class"],
                       [float(row[side]) for side in ("x1", "y1", "x2", "y2")],
                       float(row.get("score") or 1.0))
            except (ValueError, TypeError) as error:
                raise FileFormatError(f"{path}, line {number}: {one_line(error)}") from error


def _name(value) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected the class of an object as a name, got {value!r}")
    return value


def _join(rows: Iterable[_Row]) -> ObjectDetections:
    rows = list(rows)
    times, frame = np.unique(np.array([row[0] for row in rows]), return_inverse=True)
    objects = np.array([bool(row[1]) for row in rows], bool)
    boxes = [row[2] for row in rows if row[1]]
    return ObjectDetections(
        times, frame[objects], tuple(row[1] for row in rows if row[1]),
        np.array(boxes, np.float32).reshape(len(boxes), 4).T,
        np.array([row[3] for row in rows if row[1]]))

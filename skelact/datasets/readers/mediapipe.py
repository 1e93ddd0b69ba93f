"""MediaPipe (BlazePose) and tfjs landmarks that scripts saved as JSON or CSV, 2-D."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import read_each
from skelact.datasets.readers.json_kinds import find_json
from skelact.datasets.readers.landmarks import Landmarks
from skelact.datasets.readers.mediapipe_csv import is_mediapipe_csv, read_mediapipe_csv
from skelact.datasets.readers.mediapipe_json import read_mediapipe_json
from skelact.datasets.readers.pixels import to_pixels
from skelact.datasets.readers.sightings import (
    Sightings,
    frame_rows,
    make_recording,
    usable_ids,
    with_confidence,
)
from skelact.datasets.readers.surroundings import Labels, class_name, find_scene, read_labels
from skelact.errors import FileFormatError
from skelact.pose.recording import Recording


def find_mediapipe(path: str | Path) -> list[Path]:
    """JSON and CSV files of landmarks at or below ``path``, by content."""
    path = Path(path)
    tables = [path] if path.is_file() else path.rglob("*.csv")
    found = [f for f in tables if f.suffix.lower() == ".csv" and is_mediapipe_csv(f)]
    return sorted([*find_json(path, "mediapipe"), *found])


def read_mediapipe(
    path: str | Path, refuse: Refuse = raise_error, fps: float | None = None,
    image_size: tuple[int, int] | None = None,
) -> Iterator[Recording]:
    """Recordings of landmark files, one a file; `read_mediapipe_json` and `read_mediapipe_csv`
    say which shapes.

    Layout ``mediapipe33``, ``coco17`` (MoveNet) or ``hand21`` by names or number. The depth is
    left out: it is no measurement. Where a file gives no visibility the confidence is 1.
    Coordinates from 0 to 1 become pixels by the image size that the file, the caller or a video
    of the same name beside it states; without one the file is refused. One person a frame is one
    track; several are told apart by their id, else followed by our tracker.

    Args:
        path: A file, or a folder at or above such files.
        refuse: Told of every file that is damaged, or whose pixels cannot be known.
        fps: Frames a second; by default as the file says, else those of a video beside the file,
            else 30 (assumed).
        image_size: (width, height) in pixels, likewise.

    Raises:
        FileFormatError: There are no such files.

    Source: Bazarevsky et al., "BlazePose", 2020.
    """
    files = find_mediapipe(path)
    if not files:
        raise FileFormatError(f"no landmarks of MediaPipe (JSON lists of 33 or named points, or "
                              f"CSV with columns x0, y0, ... or nose_x, ...) in {path}")
    labels = read_labels(path)
    yield from read_each(files, lambda file: _parse(file, labels, fps, image_size),
                         "a landmark file", refuse)


def _parse(file: Path, labels: Labels, fps: float | None, image_size) -> Recording:
    is_table = file.suffix.lower() == ".csv"
    marks = read_mediapipe_csv(file) if is_table else read_mediapipe_json(file)
    numbers = marks.frames or marks.frame
    index = dict(zip(numbers, frame_rows(numbers).tolist(), strict=True))
    if len(index) < len(numbers):
        raise FileFormatError("a frame stands twice")
    frame = np.array([index[number] for number in marks.frame], np.int64)
    num_frames = max(index.values()) + 1
    timestamps = _timestamps(marks, num_frames)
    if timestamps is not None and fps is None and marks.fps is None and num_frames > 1:
        marks.fps = float(1 / np.median(np.diff(timestamps)))
    scene = find_scene(file, fps or marks.fps, image_size or marks.image_size)
    facts = labels.of(file) | ({"fps_assumed": True} if scene.fps_assumed else {})
    if marks.label and class_name(marks.label):
        facts.setdefault("label", class_name(marks.label))
    joints = with_confidence(marks.points)
    joints[..., :2] = to_pixels(joints[..., :2], scene.image_size)
    alone = len(np.unique(frame)) == len(frame)
    ids = usable_ids(marks.ids, frame)
    if ids is None and alone:
        ids = np.zeros(len(frame), np.int64)
    return make_recording(
        Sightings(frame, joints, ids=ids), layout=marks.layout, num_frames=num_frames,
        fps=scene.fps, timestamps=timestamps, image_size=scene.image_size, source=file.name,
        estimator="MediaPipe" if marks.layout.name == "mediapipe33" else "", labels=facts,
    )


def _timestamps(marks: Landmarks, num_frames: int) -> np.ndarray | None:
    """Seconds of every frame, if the file says those of all and they rise."""
    if marks.times is None or len(marks.times) != num_frames:
        return None
    times = np.array(marks.times, np.float64)
    if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise FileFormatError("expected times that rise from frame to frame")
    return times

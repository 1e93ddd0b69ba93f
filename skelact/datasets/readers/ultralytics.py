"""Ultralytics pose results: in memory, or as the text files that ``save_txt`` leaves, 2-D."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import read_each
from skelact.datasets.readers.padded import layout_of
from skelact.datasets.readers.sightings import (
    Sightings,
    frame_rows,
    make_recording,
    usable_ids,
    with_confidence,
)
from skelact.datasets.readers.surroundings import Labels, find_scene, read_labels
from skelact.errors import FileFormatError
from skelact.graph.layouts import Layout
from skelact.pose.recording import Recording

_NAME = re.compile(r"(.+)_(\d+)")
_JOINTS = 17


def from_ultralytics(
    results: Sequence[Any], fps: float | None = None, layout: str | Layout | None = None
) -> Recording:
    """A recording of what an Ultralytics pose model returned for the frames of a video.

    Identity is ``boxes.id`` (of ``model.track``) where everybody has one; else people are
    followed by our tracker. Joints at (0, 0), which Ultralytics writes for those it is unsure of,
    are missing.

    Args:
        results: One ``Results`` a frame, in order (what ``model(video, stream=True)`` yields).
        fps: Frames a second of the video; by default 30, marked as assumed.
        layout: The skeleton; by default the usual one of so many joints (``coco17`` of 17).

    Raises:
        FileFormatError: There are no results, or they hold no keypoints.
        LayoutError: The layout has another number of joints.
    """
    results = list(results)
    if not results or any(getattr(result, "keypoints", None) is None for result in results):
        raise FileFormatError("expected the results of a pose model, one a frame, all with "
                              "keypoints")
    points = [_array(result.keypoints.data) for result in results]
    points = [p.reshape(-1, *p.shape[-2:]) for p in points]
    counts = [len(p) if p.size else 0 for p in points]
    frame = np.repeat(np.arange(len(results)), counts)
    found = [p for p, count in zip(points, counts, strict=True) if count]
    stacked = np.concatenate(found) if found else np.empty((0, *points[0].shape[1:]))
    boxes = [result.boxes for result, count in zip(results, counts, strict=True) if count]
    ids = [i for box, p in zip(boxes, found, strict=True) for i in _ids(box, len(p))]
    height, width = results[0].orig_shape
    return make_recording(
        Sightings(frame, _joints(stacked), ids=usable_ids(ids, frame),
                  boxes=np.concatenate([_array(b.xyxy) for b in boxes]) if found else None,
                  scores=np.concatenate([_array(b.conf) for b in boxes]) if found else None),
        layout=layout_of(stacked.shape[1], 2, layout), num_frames=len(results), fps=fps or 30.0,
        image_size=(int(width), int(height)), estimator="Ultralytics",
        source=Path(str(getattr(results[0], "path", "") or "")).name,
        labels={} if fps else {"fps_assumed": True},
    )


def find_ultralytics(path: str | Path) -> list[Path]:
    """Folders at or below ``path`` with label files of pose results, judged by one of each."""
    path = Path(path)
    if path.is_file():
        return []
    first: dict[Path, Path] = {}
    for file in path.rglob("*_*.txt"):
        if _NAME.fullmatch(file.stem):
            first[file.parent] = min(file, first.get(file.parent, file))
    return sorted(folder for folder, file in first.items() if _is_pose_label(file))


def read_ultralytics(
    path: str | Path, refuse: Refuse = raise_error, fps: float | None = None,
    image_size: tuple[int, int] | None = None,
) -> Iterator[Recording]:
    """Recordings of folders of ``VIDEO_FRAME.txt`` files, as ``save_txt=True`` leaves them.

    A line is ``class x y w h`` and 17 times ``x y confidence``, as shares of the image, then
    perhaps the confidence and the track id. The image size is that of a video named as the files
    in the folder or the one above, else the caller's; without one the clip is refused.

    Args:
        path: A ``labels`` folder, or one above such folders.
        refuse: Told of every video with a damaged file, or whose pixels cannot be known.
        fps: Frames a second; by default those of the video, else 30 (assumed).
        image_size: (width, height) in pixels; by default that of the video.

    Raises:
        FileFormatError: There are no such folders.
    """
    folders = find_ultralytics(path)
    if not folders:
        raise FileFormatError(f"no Ultralytics pose labels (VIDEO_1.txt, ... with 56 numbers or "
                              f"more a line) in {path}")
    labels = read_labels(path)
    clips = [clip for folder in folders for clip in _split(folder)]
    yield from read_each(clips, lambda clip: _parse(*clip, labels, fps, image_size),
                         "an Ultralytics recording", refuse, name=lambda clip: str(clip[0]))


def _split(folder: Path) -> list[tuple[Path, list[tuple[int, Path]]]]:
    """The videos whose frames lie in a folder, each as (folder / video, its numbered files)."""
    videos: dict[str, list[tuple[int, Path]]] = {}
    for file in folder.glob("*_*.txt"):
        if name := _NAME.fullmatch(file.stem):
            videos.setdefault(name[1], []).append((int(name[2]), file))
    return [(folder / video, sorted(files)) for video, files in sorted(videos.items())]


def _parse(clip: Path, files, labels: Labels, fps: float | None, image_size) -> Recording:
    # frames without people have no file; Ultralytics counts from 1
    numbers = [number for number, _ in files]
    frames = frame_rows(numbers, first=0 if 0 in numbers else 1)
    lines = [(frame, line) for frame, (_, file) in zip(frames.tolist(), files, strict=True)
             for line in _read_lines(file)]
    frame = np.array([frame for frame, _ in lines], np.int64)
    widths = {len(line) for _, line in lines}
    if len(widths) != 1:
        raise FileFormatError(f"expected lines of one length, got {sorted(widths)} numbers")
    values = np.array([line for _, line in lines])
    scene = find_scene(clip, fps, image_size)
    if scene.num_frames is None:  # the video lies beside the folder `labels`
        scene = find_scene(clip.parent.parent / clip.name, fps, image_size)
    if scene.image_size is None:
        raise FileFormatError("its coordinates are shares of the image, whose size it does not "
                              "say; put the video of the same name beside the folder, or pass "
                              "image_size=(width, height) (--image-size W H)")
    size = np.array(scene.image_size, np.float64)
    points = values[:, 5 : 5 + 3 * _JOINTS].reshape(-1, _JOINTS, 3)
    points[..., :2] *= size
    if (points[..., 2] == 2).any():  # labels for training: visibility 0, 1, 2
        points[..., 2] /= 2
    scores, ids = _extras(values[:, 5 + 3 * _JOINTS :])
    boxes = np.concatenate([values[:, 1:3] - values[:, 3:5] / 2,
                            values[:, 1:3] + values[:, 3:5] / 2], axis=1) * np.tile(size, 2)
    inside = clip.parent.name == "labels" and clip.parent != labels.root
    facts = labels.of(clip.parent.parent / clip.name if inside else clip)
    if scene.fps_assumed:
        facts["fps_assumed"] = True
    return make_recording(
        Sightings(frame, _joints(points), ids=None if ids is None else usable_ids(ids, frame),
                  boxes=boxes.astype(np.float32), scores=scores),
        layout="coco17", num_frames=max(int(frames.max()) + 1, scene.num_frames or 0),
        fps=scene.fps, image_size=scene.image_size, source=clip.name, estimator="Ultralytics",
        labels=facts,
    )


def _extras(columns: np.ndarray) -> tuple[np.ndarray | None, list[float] | None]:
    """Confidence and id, of which a file may have either."""
    if columns.shape[1] == 2:
        return columns[:, 0], columns[:, 1].tolist()
    if columns.shape[1] == 0:
        return None, None
    last = columns[:, 0]
    whole = bool((last % 1 == 0).all() and (last >= 1).all())
    return (None, last.tolist()) if whole else (last, None)


def _read_lines(file: Path) -> list[list[float]]:
    lines = []
    for number, line in enumerate(file.read_text("ascii").splitlines(), 1):
        try:
            values = [float(word) for word in line.split()]
        except ValueError as error:
            raise FileFormatError(f"{file.name}, line {number}: {error}") from None
        if not 5 + 3 * _JOINTS <= len(values) <= 7 + 3 * _JOINTS:
            raise FileFormatError(f"{file.name}, line {number}: expected 56 to 58 numbers, got "
                                  f"{len(values)}")
        lines.append(values)
    return lines


def _is_pose_label(file: Path) -> bool:
    try:
        with open(file, encoding="ascii") as opened:
            values = [float(word) for word in opened.readline(8192).split()]
    except (OSError, ValueError):
        return False
    return (5 + 3 * _JOINTS <= len(values) <= 7 + 3 * _JOINTS and values[0] % 1 == 0
            and all(0 <= v <= 1 for v in values[1:5]))


def _joints(points: np.ndarray) -> np.ndarray:
    """x, y, confidence; missing where Ultralytics put (0, 0)."""
    if points.shape[-1] == 2:
        points = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)
    joints = with_confidence(points)
    joints[(points[..., :2] == 0).all(axis=-1)] = (np.nan, np.nan, 0)
    return joints


def _ids(boxes: Any, count: int) -> list:
    return [None] * count if boxes.id is None else _array(boxes.id).tolist()


def _array(values: Any) -> np.ndarray:
    """A torch tensor (of any device) or array as numpy."""
    return np.asarray(values.cpu() if hasattr(values, "cpu") else values, np.float64)

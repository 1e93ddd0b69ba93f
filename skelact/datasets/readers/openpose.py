"""OpenPose: a folder with one JSON a frame, 2-D."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import DAMAGE, describe, load_json, read_each
from skelact.datasets.readers.json_kinds import json_kind
from skelact.datasets.readers.padded import layout_of
from skelact.datasets.readers.pixels import to_pixels
from skelact.datasets.readers.sightings import (
    Sightings,
    frame_rows,
    make_recording,
    number_rows,
    with_confidence,
)
from skelact.datasets.readers.surroundings import Labels, find_scene, read_labels
from skelact.errors import EmptyClipError, FileFormatError
from skelact.pose.recording import Recording

_NAME = re.compile(r"(.*?)[_-]?(\d+)(_keypoints)?")
_KEYS = ("pose_keypoints_2d", "pose_keypoints")


@dataclass(frozen=True)
class _Clip:
    """The frames of one video: files and their numbers."""

    where: Path
    files: tuple[Path, ...]
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        return str(self.where)


def find_openpose(path: str | Path) -> list[Path]:
    """Folders at or below ``path`` that hold OpenPose's frames; a single file is its folder."""
    path = Path(path)
    if path.is_file():
        return [path.parent] if json_kind(path) == "openpose" else []
    # the first file speaks for its folder: there is one for every frame
    first: dict[Path, Path] = {}
    for file in path.rglob("*.json"):
        if _NAME.fullmatch(file.stem):
            first[file.parent] = min(file, first.get(file.parent, file))
    return sorted(folder for folder, file in first.items() if json_kind(file) == "openpose")


def read_openpose(
    path: str | Path, refuse: Refuse = raise_error, fps: float | None = None,
    image_size: tuple[int, int] | None = None,
) -> Iterator[Recording]:
    """Recordings of folders that OpenPose wrote (``--write_json``), one a video.

    Layout ``body25`` or ``openpose18`` by the number of joints. OpenPose gives no identity across
    frames: people are followed by our tracker, which leaves out who is seen too shortly or too
    unsurely. A joint of zeros is missing. Files of several videos in one folder are told apart
    by what stands before the frame number. Labels come from ``labels.csv`` or class folders.

    Args:
        path: A folder of frames, or one above such folders.
        refuse: Told of every video with a damaged frame.
        fps: Frames a second; by default those of a video beside the folder, else 30 (assumed).
        image_size: (width, height) in pixels; by default that of a video beside the folder.
            Needed only for coordinates that OpenPose was asked to write from 0 to 1.

    Raises:
        FileFormatError: There are no such folders.
    """
    folders = find_openpose(path)
    if not folders:
        raise FileFormatError(f"no OpenPose frames (JSON with version and people) in {path}")
    root = Path(path) if Path(path).is_dir() else Path(path).parent
    labels = read_labels(root)
    clips = [clip for folder in folders for clip in _split(folder)]
    yield from read_each(clips, lambda clip: _parse(clip, labels, fps, image_size),
                         "an OpenPose recording", refuse)


def _split(folder: Path) -> list[_Clip]:
    """The videos whose frames lie in a folder, by the part of the name before the number."""
    videos: dict[str, list[tuple[int, Path]]] = {}
    for file in folder.glob("*.json"):
        if name := _NAME.fullmatch(file.stem):
            videos.setdefault(name[1], []).append((int(name[2]), file))
    clips = []
    for video, frames in sorted(videos.items()):
        numbers, files = zip(*sorted(frames), strict=True)
        clips.append(_Clip(folder / video if len(videos) > 1 else folder, files, numbers))
    return clips


def _parse(clip: _Clip, labels: Labels, fps: float | None, image_size) -> Recording:
    index = frame_rows(clip.numbers)
    if len(set(clip.numbers)) < len(clip.numbers):
        raise FileFormatError("two files have the same frame number")
    rows, people = [], []
    for frame, file in zip(index.tolist(), clip.files, strict=True):
        found = _read_frame(file)
        rows += [frame] * len(found)
        people += found
    if not people:  # nothing tells the layout
        raise EmptyClipError(f"nobody in any of its {len(clip.files)} frames")
    width = len(people[0])
    if width % 3:
        raise FileFormatError(f"expected x, y and confidence a joint, got {width} numbers a person")
    points = number_rows(people, width, "pose_keypoints_2d of person").reshape(-1, width // 3, 3)
    scene = find_scene(clip.where, fps, image_size)
    facts = labels.of(clip.where) | ({"fps_assumed": True} if scene.fps_assumed else {})
    joints = with_confidence(points)
    joints[..., :2] = to_pixels(joints[..., :2], scene.image_size)
    return make_recording(
        Sightings(np.array(rows, np.int64), joints), layout=layout_of(width // 3, 2),
        num_frames=int(index.max()) + 1, fps=scene.fps, image_size=scene.image_size,
        source=clip.where.name, estimator="OpenPose", labels=facts,
    )


def _read_frame(file: Path) -> list[list[float]]:
    """The keypoints of everyone in a frame; OpenPose writes an empty list for a lone hand."""
    try:
        people = load_json(file)["people"]
        found = [next(person[key] for key in _KEYS if key in person) for person in people]
    except StopIteration:
        raise FileFormatError(f"{file.name} has a person without {_KEYS[0]}") from None
    except DAMAGE as error:
        raise FileFormatError(f"{file.name}: {describe(error)}") from error
    return [points for points in found if points != []]

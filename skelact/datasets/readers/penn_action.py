"""Penn Action: 2,326 annotated clips of 15 actions, 13 joints, 2-D."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import find_named, read_each
from skelact.datasets.readers.matlab import load_matlab
from skelact.errors import FileFormatError
from skelact.pose.recording import PoseTrack, Recording

ASSUMED_FPS = 30.0
"""The data set states no frame rate."""
_CORNER = 2.0
"""Pixels: annotators left joints that they could not place at (1, 1). In many clips the annotations
were scaled afterwards, so that this is (0.67, 0.67), (1.5, 1.5), ...: always equal, below 2."""
_SPLITS = {1: "train", -1: "test"}
_NAME = re.compile(r"\d{4}")


def find_penn_action(path: str | Path) -> list[Path]:
    """The files at or below ``path`` that are named as Penn Action names its annotations."""
    return find_named(path, ".mat", _NAME)


def read_penn_action(path: str | Path, refuse: Refuse = raise_error) -> Iterator[Recording]:
    """Recordings of a Penn Action ``labels`` folder, in order of their numbers.

    A joint's confidence is the published visibility (1 seen, 0 guessed by the annotator); joints
    that the annotators left in the top left corner are missing.

    Args:
        path: The ``labels`` folder (``NNNN.mat`` files), one above it, or one such file.
        refuse: Told of every file that is not what Penn Action publishes.

    Raises:
        FileFormatError: There are no such files.

    Source: Zhang, Zhu and Derpanis, "From Actemes to Action", ICCV 2013.
    """
    files = find_penn_action(path)
    if not files:
        raise FileFormatError(f"no Penn Action annotations (0001.mat, ...) in {path}; download "
                              "the data set and pass its `labels` folder")
    yield from read_each(files, _parse, "a Penn Action annotation", refuse)


def _parse(file: Path) -> Recording:
    content = load_matlab(file, "x", "y", "visibility", "dimensions", "action", "train")
    x, y, visible = (np.asarray(content[key], np.float32) for key in ("x", "y", "visibility"))
    joints = np.stack([x, y, visible]).transpose(2, 0, 1)
    height, width = map(int, content["dimensions"][0, :2])
    # the label files disagree on one name: strum_guitar is also spelled strumming_guitar
    label = str(content["action"][0]).replace("strumming", "strum")
    untouched = (joints[:, :2] < _CORNER).all(axis=1, keepdims=True) & (joints[:, 2:] == 0)
    joints[:, :2][np.broadcast_to(untouched, joints[:, :2].shape)] = np.nan
    frames = joints.shape[2]
    return Recording(
        tracks=(PoseTrack(0, joints, np.arange(frames)),),
        timestamps=np.arange(frames) / ASSUMED_FPS,
        layout="penn13",
        fps=ASSUMED_FPS,
        image_size=(width, height),
        source=file.name,
        estimator="annotated by hand",
        labels={"label": label, "splits": [_SPLITS[int(content["train"][0, 0])]],
                "clip_id": file.stem, "fps_assumed": True},
    )

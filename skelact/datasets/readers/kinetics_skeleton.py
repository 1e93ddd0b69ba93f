"""Kinetics-skeleton: OpenPose on Kinetics-400, one JSON a clip, 2-D."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import load_json, read_each
from skelact.datasets.readers.json_kinds import find_json
from skelact.datasets.readers.sightings import (
    Sightings,
    frame_rows,
    make_recording,
    number_rows,
    with_confidence,
)
from skelact.datasets.readers.surroundings import class_name
from skelact.errors import FileFormatError
from skelact.pose.recording import Recording

IMAGE_SIZE = (340, 256)
"""Pixels: the authors brought every video to this size before they ran OpenPose."""
FPS = 30.0
"""The authors brought every video to this rate."""


def find_kinetics_skeleton(path: str | Path) -> list[Path]:
    """Files at or below ``path`` that are clips of Kinetics-skeleton, by content."""
    return find_json(path, "kinetics_skeleton")


def read_kinetics_skeleton(path: str | Path, refuse: Refuse = raise_error) -> Iterator[Recording]:
    """Recordings of Kinetics-skeleton, in layout ``openpose18``.

    The files hold coordinates from 0 to 1, here in pixels of the authors' 340 x 256. The order of
    the people in a frame is no identity (st-gcn takes the two surest of each frame): they are
    followed by our tracker. ``kinetics_train`` and ``kinetics_val``, where a file lies in such a
    folder, become ``labels["splits"]``.

    Args:
        path: A folder of JSON files, one above it, or one file.
        refuse: Told of every file that is damaged.

    Raises:
        FileFormatError: There are no such files.

    Source: Yan et al., "Spatial Temporal Graph Convolutional Networks", AAAI 2018, section 4.1.
    """
    files = find_kinetics_skeleton(path)
    if not files:
        raise FileFormatError(f"no Kinetics-skeleton clips (JSON with data, label and label_index) "
                              f"in {path}")
    yield from read_each(files, _parse, "a Kinetics-skeleton clip", refuse)


def _parse(file: Path) -> Recording:
    content = load_json(file)
    frames = content["data"]
    numbers = [frame["frame_index"] for frame in frames]
    index = frame_rows(numbers, first=0 if 0 in numbers else 1)
    if len(set(index.tolist())) < len(index):
        raise FileFormatError("a frame_index appears twice")
    rows = [(at, person) for at, frame in zip(index, frames, strict=True)
            for person in frame["skeleton"]]
    pose = number_rows([person["pose"] for _, person in rows], 36, "pose of skeleton")
    score = number_rows([person["score"] for _, person in rows], 18, "score of skeleton")
    places = pose.reshape(-1, 18, 2) * IMAGE_SIZE
    return make_recording(
        Sightings(np.array([at for at, _ in rows], np.int64),
                  with_confidence(np.concatenate([places, score[:, :, None]], axis=2))),
        layout="openpose18", num_frames=int(index.max(initial=-1)) + 1, fps=FPS,
        image_size=IMAGE_SIZE, source=file.name, estimator="OpenPose",
        labels=_labels(file, content),
    )


def _labels(file: Path, content: dict) -> dict:
    labels: dict = {"clip_id": file.stem}
    if (name := content.get("label")) and class_name(str(name)):
        labels["label"] = class_name(str(name))
    folder = file.resolve().parent.name
    if folder in ("kinetics_train", "kinetics_val"):
        labels["splits"] = [folder.removeprefix("kinetics_")]
    return labels

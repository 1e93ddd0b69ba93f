"""AlphaPose: one JSON a video, a list of people with the image they are in, 2-D."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import load_json, read_each
from skelact.datasets.readers.json_kinds import find_json
from skelact.datasets.readers.padded import layout_of
from skelact.datasets.readers.sightings import (
    Sightings,
    corner_boxes,
    frame_number,
    frame_rows,
    make_recording,
    number_rows,
    usable_ids,
    with_confidence,
)
from skelact.datasets.readers.surroundings import Labels, find_scene, read_labels
from skelact.errors import EmptyClipError, FileFormatError
from skelact.pose.recording import Recording

_HALPE_BODY = {136: 26, 68: 26, 94: 26}
"""Halpe's full body begins with the 26 joints of ``halpe26``; face and hands follow."""


def find_alphapose(path: str | Path) -> list[Path]:
    """Files at or below ``path`` that AlphaPose wrote in its default format, by content."""
    return find_json(path, "alphapose")


def read_alphapose(
    path: str | Path, refuse: Refuse = raise_error, fps: float | None = None,
    image_size: tuple[int, int] | None = None,
) -> Iterator[Recording]:
    """Recordings of AlphaPose results (``alphapose-results.json``), one a file.

    Layout by the number of joints: ``coco17``, ``halpe26`` or ``wholebody133``; of Halpe's 136
    joints the 26 of the body are kept. ``idx`` is the identity if AlphaPose tracked; else people
    are followed by our tracker. Frames without people are not in the file: the recording ends
    with the last one that has any, or with a video beside it. Labels come from ``labels.csv`` or
    class folders; an ``alphapose-results.json`` goes by the name of its folder.

    Args:
        path: A file, or a folder at or above such files.
        refuse: Told of every file that is damaged.
        fps: Frames a second; by default those of a video beside the file, else 30 (assumed).
        image_size: (width, height) in pixels; by default that of a video beside the file.

    Raises:
        FileFormatError: There are no such files.
    """
    files = find_alphapose(path)
    if not files:
        raise FileFormatError(f"no AlphaPose results (a JSON list of image_id, keypoints, score) "
                              f"in {path}")
    labels = read_labels(path)
    yield from read_each(files, lambda file: _parse(file, labels, fps, image_size),
                         "an AlphaPose result", refuse)


def _parse(file: Path, labels: Labels, fps: float | None, image_size) -> Recording:
    rows = load_json(file)
    if not rows:
        raise EmptyClipError("nobody in it")
    index = _frames([row["image_id"] for row in rows])
    # AlphaPose always uses this name: the folder that it wrote to stands for the clip
    inside = file.name == "alphapose-results.json" and file.parent != labels.root
    clip = file.parent if inside else file
    scene = find_scene(clip, fps, image_size)
    facts = labels.of(clip) | ({"fps_assumed": True} if scene.fps_assumed else {})
    keypoints = [row["keypoints"] for row in rows]
    width = len(keypoints[0])
    if width % 3:
        raise FileFormatError(f"expected x, y and confidence a joint, got {width} numbers a person")
    joints = with_confidence(number_rows(keypoints, width, "keypoints of person")
                             .reshape(-1, width // 3, 3))
    joints = joints[:, : _HALPE_BODY.get(width // 3, width // 3)]
    ids = [row.get("idx") for row in rows]
    # some versions wrap the number in a list
    ids = [i[0] if isinstance(i, list) and len(i) == 1 else i for i in ids]
    return make_recording(
        Sightings(index, joints, ids=usable_ids(ids, index), boxes=_boxes(rows)),
        layout=layout_of(joints.shape[1], 2),
        num_frames=max(int(index.max()) + 1, scene.num_frames or 0), fps=scene.fps,
        image_size=scene.image_size, source=file.name, estimator="AlphaPose", labels=facts,
    )


def _frames(names: Sequence) -> np.ndarray:
    """Frames by the last number in each image name; AlphaPose counts those of a video from 0."""
    numbers, plain = [], True
    for name in names:
        stem = Path(str(name)).stem
        if (number := frame_number(stem)) is None:
            raise FileFormatError(f"image_id {str(name)!r:.60} does not end in a frame number")
        numbers.append(number)
        plain &= stem == str(number)
    return frame_rows(numbers, first=0 if plain else None)


def _boxes(rows: list[dict]) -> np.ndarray | None:
    """x1, y1, x2, y2 of the ``box`` (x, y, width, height) of each, if all have one."""
    if not all("box" in row for row in rows):
        return None
    return corner_boxes(number_rows([row["box"] for row in rows], 4, "box of person"))

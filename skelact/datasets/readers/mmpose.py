"""MMPose: what its inferencer and its demos save, one JSON a video, 2-D."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import load_json, read_each
from skelact.datasets.readers.json_kinds import find_json
from skelact.datasets.readers.padded import layout_of
from skelact.datasets.readers.sightings import (
    Sightings,
    frame_rows,
    make_recording,
    number_rows,
    usable_ids,
    with_confidence,
)
from skelact.datasets.readers.surroundings import Labels, find_scene, read_labels
from skelact.errors import EmptyClipError, FileFormatError
from skelact.pose.recording import Recording


def find_mmpose(path: str | Path) -> list[Path]:
    """Files at or below ``path`` that MMPose wrote, by content."""
    return find_json(path, "mmpose")


def read_mmpose(
    path: str | Path, refuse: Refuse = raise_error, fps: float | None = None,
    image_size: tuple[int, int] | None = None,
) -> Iterator[Recording]:
    """Recordings of MMPose predictions, one a file.

    Three shapes: a list of frames with ``instances`` (the inferencer on a video), the same under
    ``instance_info`` (the demo scripts), and a list of instances (one image). Layout by the number
    of joints. MMPose gives no identity unless a ``track_id`` stands with every instance: people
    are followed by our tracker. Labels come from ``labels.csv`` or class folders.

    Args:
        path: A file, or a folder at or above such files.
        refuse: Told of every file that is damaged, or holds 3-D poses.
        fps: Frames a second; by default those of a video beside the file, else 30 (assumed).
        image_size: (width, height) in pixels; by default that of a video beside the file.

    Raises:
        FileFormatError: There are no such files.
    """
    files = find_mmpose(path)
    if not files:
        raise FileFormatError(f"no MMPose predictions (JSON with instances, keypoints and "
                              f"keypoint_scores) in {path}")
    labels = read_labels(path)
    yield from read_each(files, lambda file: _parse(file, labels, fps, image_size),
                         "an MMPose prediction", refuse)


def _parse(file: Path, labels: Labels, fps: float | None, image_size) -> Recording:
    frames = _frames(load_json(file))
    index = frame_rows([frame.get("frame_id", i) for i, frame in enumerate(frames)])
    if len(set(index.tolist())) < len(index):
        raise FileFormatError("a frame_id appears twice")
    rows = [(at, person) for at, frame in zip(index.tolist(), frames, strict=True)
            for person in frame["instances"]]
    at, people = np.array([at for at, _ in rows], np.int64), [person for _, person in rows]
    joints = _joints(people)
    scene = find_scene(file, fps, image_size)
    facts = labels.of(file) | ({"fps_assumed": True} if scene.fps_assumed else {})
    return make_recording(
        Sightings(at, joints, ids=usable_ids([p.get("track_id") for p in people], at),
                  boxes=_boxes(people), scores=_scores(people)),
        layout=layout_of(joints.shape[1], 2), num_frames=int(index.max(initial=-1)) + 1,
        fps=scene.fps, image_size=scene.image_size, source=file.name, estimator="MMPose",
        labels=facts,
    )


def _frames(content: Any) -> list[dict]:
    if isinstance(content, dict):
        return content["instance_info"]
    if content and "instances" not in content[0]:
        return [{"frame_id": 0, "instances": content}]
    return content


def _joints(people: list[dict]) -> np.ndarray:
    """``[S, N, 3]`` x, y and score; refuses a file with nobody, whose layout nothing tells."""
    if not people:
        raise EmptyClipError("nobody in any of its frames")
    joints = len(people[0]["keypoints"])
    points = [point for person in people for point in person["keypoints"]]
    if len(points) != joints * len(people) or not joints:
        raise FileFormatError(f"expected {joints} keypoints of every person as of the first")
    if isinstance(points[0], list) and len(points[0]) == 3:
        raise FileFormatError("expected keypoints x, y; got 3-D ones, whose units MMPose does not "
                              "say")
    places = number_rows(points, 2, "keypoint").reshape(-1, joints, 2)
    scores = number_rows([p["keypoint_scores"] for p in people], joints, "scores of person")
    return with_confidence(np.concatenate([places, scores[:, :, None]], axis=2))


def _boxes(people: list[dict]) -> np.ndarray | None:
    """x1, y1, x2, y2; MMPose wraps each in a list."""
    if not people or not all("bbox" in person for person in people):
        return None
    boxes = [person["bbox"] for person in people]
    boxes = [b[0] if isinstance(b, list) and len(b) == 1 else b for b in boxes]
    with np.errstate(over="ignore"):
        return number_rows(boxes, 4, "bbox of person").astype(np.float32)


def _scores(people: list[dict]) -> np.ndarray | None:
    if not people or not all("bbox_score" in person for person in people):
        return None
    return number_rows([[person["bbox_score"]] for person in people], 1, "bbox_score")[:, 0]

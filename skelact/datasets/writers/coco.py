"""COCO keypoint annotations of recordings, for everything that reads COCO."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from skelact.errors import LayoutError, SkelactError
from skelact.graph.layouts import Layout
from skelact.output import atomic_write
from skelact.pose.recording import PoseTrack, Recording

VISIBLE = 0.5
"""Joints of at least this confidence are written as visible (2), others as occluded (1)."""


def write_coco(recordings: Iterable[Recording], path: str | Path, overwrite: bool = False) -> Path:
    """Write 2-D recordings as one COCO keypoints file with ``videos`` and ``track_id``.

    Every frame is an image, also with nobody in it. Beside what COCO asks for stand
    ``keypoint_scores`` (our confidences), ``timestamp`` seconds, and in ``videos`` the frame rate
    and the labels, so that `read_coco` gives the same recordings back. Coordinates are rounded to
    1e-4 pixels. People are written as they come: memory does not grow with them.

    Args:
        recordings: All of one layout.
        path: The ``.json`` to write.
        overwrite: Replace an existing file.

    Returns:
        The path.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
        SkelactError: There are no recordings, one is 3-D, or two have the same ``clip_id``.
        LayoutError: They have several layouts.

    Source: https://cocodataset.org/#format-data.
    """
    recordings = iter(recordings)
    first = next(recordings, None)
    if first is None:
        raise SkelactError(f"expected recordings to write to {path}, got none")
    videos: list[dict] = []
    images: list[dict] = []
    names: set[str] = set()
    with atomic_write(path, overwrite) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write('{"annotations": [')
        between, count = "\n", 0
        for recording in chain([first], recordings):
            _check(recording, first.layout)
            name = str(recording.labels.get("clip_id") or f"clip_{len(videos) + 1:06}")
            if name in names:
                raise SkelactError(f"expected clips with names of their own, got {name!r} twice")
            names.add(name)
            videos.append(_video(recording, name, len(videos) + 1))
            offset = len(images) + 1  # id of its first image
            images += _images(recording, name, len(videos), offset)
            for row in chain.from_iterable(_people(track, offset) for track in recording):
                count += 1
                file.write(between + json.dumps({"id": count} | row, allow_nan=False))
                between = ",\n"
        rest = {"images": images, "videos": videos, "categories": [_category(first.layout)]}
        file.write("\n],\n" + json.dumps(rest, allow_nan=False)[1:])
    return Path(path)


def _check(recording: Recording, layout: Layout) -> None:
    if recording.dims != 2:
        raise SkelactError(f"COCO keypoints are 2-D; {recording.source or 'one recording'} is "
                           f"{recording.dims}-D")
    if recording.layout != layout:
        raise LayoutError(f"expected recordings of layout {layout.name!r}, as the first; got "
                          f"{recording.layout.name!r}; remap(recording, {layout.name!r}) converts")


def _video(recording: Recording, name: str, number: int) -> dict:
    facts = {key: value for key, value in recording.labels.items() if key != "clip_id"}
    return {"id": number, "name": name, "fps": recording.fps, "source": recording.source,
            "estimator": recording.estimator, **facts}


def _images(recording: Recording, name: str, video: int, offset: int) -> Iterator[dict]:
    size = recording.image_size
    shape = {"width": size[0], "height": size[1]} if size else {}
    for frame, time in enumerate(recording.timestamps.tolist()):
        yield {"id": offset + frame, "video_id": video, "frame_id": frame,
               "file_name": f"{name}/{frame:06}.jpg", "timestamp": time, **shape}


def _people(track: PoseTrack, offset: int) -> Iterator[dict]:
    missing = track.missing.T  # [T, N]
    joints = track.joints.astype(np.float64).transpose(2, 0, 1)
    scores = np.nan_to_num(joints[..., 2], nan=0.0)
    places = np.where(missing[..., None], 0.0, joints[..., :2])
    seen = np.where(missing, 0, np.where(scores >= VISIBLE, 2, 1))
    points = np.concatenate([places.round(4), seen[..., None]], axis=2).reshape(len(track), -1)
    boxes = _boxes(track, joints, missing)
    columns = zip(track.frame_index.tolist(), points.tolist(), scores.round(6).tolist(),
                  boxes.round(4).tolist(), (~missing).sum(axis=1).tolist(), strict=True)
    for frame, keypoints, confidence, (x, y, width, height), count in columns:
        yield {"image_id": offset + frame, "category_id": 1, "track_id": track.track_id,
               "keypoints": keypoints, "keypoint_scores": confidence, "num_keypoints": count,
               "bbox": [x, y, width, height], "area": round(width * height, 4), "iscrowd": 0}


def _boxes(track: PoseTrack, joints: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """``[T, 4]`` x, y, width, height: the track's own, else around the joints."""
    low = np.where(missing[..., None], np.inf, joints[..., :2]).min(axis=1)
    high = np.where(missing[..., None], -np.inf, joints[..., :2]).max(axis=1)
    corners = np.concatenate([low, high], axis=1)
    if track.boxes is not None:
        own = track.boxes.T.astype(np.float64)
        corners = np.where(np.isfinite(own).all(axis=1, keepdims=True), own, corners)
    corners[~np.isfinite(corners).all(axis=1)] = 0.0
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


def _category(layout: Layout) -> dict:
    edges = [[child + 1, parent + 1] for child, parent in layout.drawn_edges]
    return {"id": 1, "name": "person", "supercategory": "person",
            "keypoints": list(layout.joints), "skeleton": edges}

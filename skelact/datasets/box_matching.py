"""Whose box is it: annotated person boxes matched to tracks by overlap."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from skelact.pose.recording import PoseTrack, Recording
from skelact.pose.similarity import box_iou

MAX_DELAY = 0.25
"""Seconds between the time of a box and the frame in which a track is looked for."""


def match_boxes(recording: Recording, annotations: Sequence[dict], min_iou: float = 0.5) -> list:
    """Give every annotation with a box the id of the track that it shows.

    At each time the boxes and the tracks are paired so that they overlap most in all; a pair
    that overlaps by less than ``min_iou`` is none. Several labels of one box share its track.

    Args:
        recording: The tracks.
        annotations: As in ``labels["annotations"]``, with ``box`` in pixels at ``start``.
        min_iou: Least intersection over union.

    Returns:
        The annotations in their order, with ``track_id`` where a track was found.
    """
    by_time = defaultdict(list)
    for annotation in annotations:
        if "box" in annotation:
            by_time[annotation["start"]].append(annotation["box"])
    found = {time: _match_at(recording, time, sorted(set(boxes)), min_iou)
             for time, boxes in by_time.items()}
    matched = []
    for annotation in annotations:
        track_id = found.get(annotation["start"], {}).get(annotation.get("box"))
        matched.append(annotation if track_id is None else annotation | {"track_id": track_id})
    return matched


def _match_at(
    recording: Recording, time: float, boxes: list[tuple], min_iou: float
) -> dict[tuple, int]:
    """Box -> id of its track, at one time."""
    frame = int(np.abs(recording.timestamps - time).argmin())
    seen = [(track.track_id, box) for track in recording
            if (box := _box_at(recording, track, frame, time)) is not None]
    if not seen:
        return {}
    ids, tracked = zip(*seen, strict=True)
    overlap = box_iou(np.array(boxes), np.array(tracked))
    return {boxes[i]: ids[j] for i, j in zip(*linear_sum_assignment(-overlap), strict=True)
            if overlap[i, j] >= min_iou}


def _box_at(
    recording: Recording, track: PoseTrack, frame: int, time: float
) -> np.ndarray | None:
    """``[4]`` box of a track in its frame nearest to ``frame``; around its joints if need be."""
    if not len(track):
        return None
    at = np.searchsorted(track.frame_index, frame)
    near = track.frame_index[max(at - 1, 0) : at + 1]
    nearest = near[np.abs(recording.timestamps[near] - time).argmin()]
    if abs(recording.timestamps[nearest] - time) > MAX_DELAY:
        return None
    row = int(np.searchsorted(track.frame_index, nearest))
    if track.boxes is not None and np.isfinite(track.boxes[:, row]).all():
        return track.boxes[:, row]
    spots = track.joints[:, :2, row]
    spots = spots[np.isfinite(spots).all(axis=1)]
    return np.concatenate([spots.min(axis=0), spots.max(axis=0)]) if len(spots) else None

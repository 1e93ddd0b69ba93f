"""How well tracks keep people apart: identity metrics against annotated people.

Conventions:
    - A frame is a pair ``(ids [P], boxes [P, 4])``; truth and prediction are lists of the same
      frames in the same order. Frames may be a sample (every tenth): what happens between them
      is not seen.
    - Boxes are x1, y1, x2, y2 in pixels. A predicted box can stand for a true one from an
      intersection over union of ``min_iou`` (0.5) on.
    - Boxes to ignore (crowds, people who cannot be told): a predicted box that no true box
      claims is dropped when at least half of it lies inside one of them.
    - Identities are compared by equality; each appears at most once in a frame.
    - With neither true nor predicted people IDF1 is 1 and all counts are 0.

IDF1 follows Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera
Tracking", 2016: one assignment of predicted to true identities over the whole recording. Switches
and fragments follow Bernardin & Stiefelhagen, "Evaluating Multiple Object Tracking Performance",
2008 (CLEAR MOT): frame by frame, a pair that still holds is kept before new pairs are made.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from skelact.errors import ShapeError
from skelact.pose.recording import PoseTrack
from skelact.pose.similarity import box_area, box_iou, box_overlap

Frame = tuple[np.ndarray, np.ndarray]
"""Ids ``[P]`` and boxes ``[P, 4]`` of one frame."""


def evaluate_identities(
    truth: Sequence[Frame],
    predicted: Sequence[Frame],
    ignored: Sequence[np.ndarray] | None = None,
    min_iou: float = 0.5,
) -> dict[str, float]:
    """All identity metrics of one recording.

    Args:
        truth: The annotated people of each frame.
        predicted: The tracked people of the same frames.
        ignored: ``[I, 4]`` boxes to ignore, for each frame.
        min_iou: Least intersection over union of a match.

    Returns:
        ``idf1``, ``id_precision``, ``id_recall`` in [0, 1]; counts ``switches``, ``fragments``,
        ``misses``, ``false_positives``, ``people`` (true identities), ``tracks`` (predicted
        identities in these frames), ``boxes`` (true boxes).

    Raises:
        ShapeError: Frames do not correspond, axes are wrong, or an id appears twice in a frame.
    """
    truth, predicted = _validate(truth, "true"), _validate(predicted, "predicted")
    if len(truth) != len(predicted) or (ignored is not None and len(ignored) != len(truth)):
        raise ShapeError(f"expected the same frames in truth and prediction, got {len(truth)} "
                         f"and {len(predicted)}")
    if ignored is not None:
        predicted = [
            _drop_ignored(true, found, np.reshape(boxes, (-1, 4)), min_iou)
            for true, found, boxes in zip(truth, predicted, ignored, strict=True)
        ]
    return {
        **identity_f1(truth, predicted, min_iou),
        **count_switches(truth, predicted, min_iou),
        "people": len({i for ids, _ in truth for i in ids.tolist()}),
        "tracks": len({i for ids, _ in predicted for i in ids.tolist()}),
        "boxes": sum(len(ids) for ids, _ in truth),
    }


def identity_f1(
    truth: Sequence[Frame], predicted: Sequence[Frame], min_iou: float = 0.5
) -> dict[str, float]:
    """IDF1, identity precision and recall under the best one-to-one naming of the tracks."""
    together: dict[tuple, int] = {}
    for (true_ids, true_boxes), (ids, boxes) in zip(truth, predicted, strict=True):
        for row, column in np.argwhere(box_iou(true_boxes, boxes) >= min_iou):
            pair = (true_ids[row].item(), ids[column].item())
            together[pair] = together.get(pair, 0) + 1
    names = {name: i for i, name in enumerate(dict.fromkeys(pair[0] for pair in together))}
    tracks = {track: i for i, track in enumerate(dict.fromkeys(pair[1] for pair in together))}
    shared = np.zeros((len(names), len(tracks)), np.int64)
    for (name, track), count in together.items():
        shared[names[name], tracks[track]] = count
    agreed = int(shared[linear_sum_assignment(shared, maximize=True)].sum())
    num_true = sum(len(ids) for ids, _ in truth)
    num_predicted = sum(len(ids) for ids, _ in predicted)
    return {
        "idf1": _ratio(2 * agreed, num_true + num_predicted),
        "id_precision": _ratio(agreed, num_predicted),
        "id_recall": _ratio(agreed, num_true),
    }


def count_switches(
    truth: Sequence[Frame], predicted: Sequence[Frame], min_iou: float = 0.5
) -> dict[str, int]:
    """CLEAR MOT counts.

    ``switches``: a person is matched to another track than at that person's last match.
    ``fragments``: a person is matched again after at least one frame present but unmatched.
    ``misses`` and ``false_positives``: boxes without a match.
    """
    last: dict = {}  # person -> track of the last match
    interrupted: set = set()
    counts = {"switches": 0, "fragments": 0, "misses": 0, "false_positives": 0}
    for (true_ids, true_boxes), (ids, boxes) in zip(truth, predicted, strict=True):
        overlap = box_iou(true_boxes, boxes)
        true_ids, ids = true_ids.tolist(), ids.tolist()
        pairs = _match(overlap, true_ids, ids, last, min_iou)
        for row, column in pairs.items():
            person, track = true_ids[row], ids[column]
            counts["switches"] += person in last and last[person] != track
            counts["fragments"] += person in interrupted
            interrupted.discard(person)
            last[person] = track
        interrupted |= {p for r, p in enumerate(true_ids) if r not in pairs and p in last}
        counts["misses"] += len(true_ids) - len(pairs)
        counts["false_positives"] += len(ids) - len(pairs)
    return counts


def frames_of(tracks: Iterable[PoseTrack], frame_indices: Iterable[int]) -> list[Frame]:
    """The people of tracks at the given frames, as the metrics take them.

    Args:
        tracks: Tracks with boxes.
        frame_indices: Frames of the recording.

    Raises:
        ShapeError: A track has no boxes.
    """
    tracks = list(tracks)
    if any(track.boxes is None for track in tracks):
        raise ShapeError("expected tracks with boxes; identity is measured by box overlap")
    frames = []
    for index in frame_indices:
        at = [(t.track_id, np.flatnonzero(t.frame_index == index)) for t in tracks]
        boxes = [t.boxes[:, w[0]] for t, (_, w) in zip(tracks, at, strict=True) if len(w)]
        ids = [track_id for track_id, w in at if len(w)]
        frames.append((np.array(ids, np.int64), np.reshape(boxes, (-1, 4))))
    return frames


def _validate(frames: Sequence[Frame], what: str) -> list[Frame]:
    checked = []
    for ids, boxes in frames:
        ids, boxes = np.asarray(ids), np.reshape(np.asarray(boxes, np.float64), (-1, 4))
        if ids.ndim != 1 or len(ids) != len(boxes):
            raise ShapeError(f"expected {what} ids [P] and boxes [P, 4], got {list(ids.shape)} "
                             f"and {list(boxes.shape)}")
        if len(set(ids.tolist())) != len(ids):
            raise ShapeError(f"expected each {what} id once a frame, got {ids.tolist()}")
        checked.append((ids, boxes))
    return checked


def _drop_ignored(true: Frame, found: Frame, ignored: np.ndarray, min_iou: float) -> Frame:
    ids, boxes = found
    if not len(ids) or not len(ignored):
        return found
    claimed = np.zeros(len(ids), bool)
    claimed[list(_match(box_iou(true[1], boxes), [], [], {}, min_iou).values())] = True
    inside = box_overlap(boxes, ignored).max(axis=1) >= 0.5 * np.maximum(box_area(boxes), 1e-9)
    keep = claimed | ~inside
    return ids[keep], boxes[keep]


def _match(overlap: np.ndarray, true_ids, ids, last: dict, min_iou: float) -> dict[int, int]:
    """Row -> column: pairs that held before first, then the largest total overlap."""
    where = {track: column for column, track in enumerate(ids)}
    pairs = {}
    for row, person in enumerate(true_ids):
        column = where.get(last.get(person))
        if column is not None and overlap[row, column] >= min_iou:
            pairs[row] = column
    free = np.where(overlap >= min_iou, overlap, 0.0)
    free[list(pairs)] = 0.0
    free[:, list(pairs.values())] = 0.0
    rows, columns = linear_sum_assignment(free, maximize=True)
    pairs.update({int(r): int(c) for r, c in zip(rows, columns, strict=True) if free[r, c] > 0})
    return pairs


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 1.0

"""When something happens: metrics of segments and of frame labels.

Conventions:
    - A segment covers ``start <= t < end``, in seconds or frames, as long as truth and prediction
      agree. Segments of one recording may overlap. Only those of the same recording are compared.
    - Overlap is temporal intersection over union (tIoU). It suffices from the threshold on.
    - There is no class for the background: frames that no segment covers are it.
    - Results are shares in [0, 1] (papers print percent). Nothing true and nothing predicted gives
      NaN; a recording with neither has no part in the edit score.
    - `segment_f1` as Lea et al., "Temporal Convolutional Networks for Action Segmentation and
      Detection", 2017, and Farha & Gall, "MS-TCN", 2019: scores do not matter; a predicted segment
      goes to the true one of its class that it overlaps most; counts of all recordings and classes
      are summed.
    - `temporal_map` as the official code of ActivityNet (Heilbron et al., 2015): see
      `skelact.evaluation.matching`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skelact.checks import check_choice, check_shape
from skelact.errors import ShapeError, SkelactError
from skelact.evaluation.matching import (
    COCO_THRESHOLDS,
    DetectionFigures,
    Labelled,
    check_names,
    evaluate_detections,
    find_hits,
)

if TYPE_CHECKING:
    from skelact.recognition.segments import Segment

F1_THRESHOLDS = (0.10, 0.25, 0.50)


@dataclass(frozen=True, eq=False)
class Segments:
    """Labelled stretches of time, of any number of recordings.

    Args:
        spans: ``[S, 2]`` start and end.
        labels: ``[S]`` class indices.
        scores: ``[S]``, higher for surer ones; all 1 by default.
        recordings: ``[S]`` names or numbers; all the same by default.

    Raises:
        ShapeError: The arrays do not fit each other.
        SkelactError: A segment that ends before it starts, or NaN.
    """

    spans: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None = None
    recordings: np.ndarray | None = None

    def __post_init__(self) -> None:
        spans = np.asarray(self.spans, np.float64)
        spans = check_shape(spans if spans.size else spans.reshape(-1, 2), ("S", 2), "spans")
        check_shape(np.asarray(self.labels), (len(spans),), "labels, one a span,")
        recordings = np.zeros(len(spans), np.int64) if self.recordings is None else self.recordings
        labelled = Labelled(recordings, np.asarray(self.labels, _whole(self.labels)), self.scores)
        wrong = ~(spans[:, 0] <= spans[:, 1])
        if wrong.any():
            raise SkelactError("expected segments that start before they end, got "
                               f"{spans[wrong][0].tolist()}")
        for name, value in (("spans", spans), ("labels", labelled.labels),
                            ("scores", labelled.scores), ("recordings", labelled.groups)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.spans)

    @property
    def labelled(self) -> Labelled:
        """Without their times."""
        return Labelled(self.recordings, self.labels, self.scores)

    @classmethod
    def of_recording(
        cls, segments: Iterable["Segment"], classes: Sequence[str], recording: str | int = 0
    ) -> "Segments":
        """What a recognizer found in a recording (or one person in it), in seconds.

        Args:
            segments: With ``start``, ``end``, ``label`` and ``score``.
            classes: Names of the classes, in the order of the indices.
            recording: What to call the recording.

        Raises:
            ChoiceError: A label that is not among the classes.
        """
        segments, index = list(segments), {name: i for i, name in enumerate(classes)}
        labels = [index[check_choice(found.label, index, "the label of a segment")]
                  for found in segments]
        return cls(np.array([(found.start, found.end) for found in segments]), np.array(labels),
                   np.array([found.score for found in segments], np.float64),
                   np.array([recording] * len(segments)))


def join_segments(parts: Iterable[Segments]) -> Segments:
    """The segments of several recordings, in one."""
    parts = [part for part in parts if len(part)] or [Segments([], [])]
    return Segments(*(np.concatenate([getattr(part, name) for part in parts])
                      for name in ("spans", "labels", "scores", "recordings")))


def find_segments(labels: np.ndarray, background: int = -1, recording: str | int = 0) -> Segments:
    """Frame labels as segments, in frames.

    Args:
        labels: ``[T]`` class indices.
        background: The label that makes no segment.
        recording: What to call the recording.
    """
    labels = check_shape(np.asarray(labels, _whole(labels)), ("T",), "labels")
    cuts = np.flatnonzero(np.diff(labels)) + 1
    edges = np.concatenate([[0], cuts, [len(labels)]]) if len(labels) else np.zeros(1, np.int64)
    kept = labels[edges[:-1]] != background
    spans = np.stack([edges[:-1], edges[1:]], axis=1)[kept]
    return Segments(spans, labels[edges[:-1]][kept], recordings=np.array([recording] * kept.sum()))


def frame_labels(segments: Segments, times: np.ndarray, background: int = -1) -> np.ndarray:
    """``[T]`` label of each moment of one recording: that of the surest segment over it.

    Args:
        segments: Of one recording.
        times: ``[T]`` of the frames, in the segments' unit.
        background: The label where there is none.

    Raises:
        ShapeError: Segments of several recordings.
    """
    if len(set(segments.recordings.tolist())) > 1:
        raise ShapeError("expected the segments of one recording, got several")
    times, labels = np.asarray(times), np.full(len(times), background, np.int64)
    for row in np.argsort(segments.scores, kind="stable"):
        start, end = segments.spans[row]
        labels[(start <= times) & (times < end)] = segments.labels[row]
    return labels


def frame_accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Share of frames with the right label, background included; NaN without frames.

    Args:
        predicted: ``[T]`` labels, of all recordings one after another.
        labels: ``[T]`` true ones.

    Raises:
        ShapeError: Not one prediction a frame.
    """
    labels = check_shape(np.asarray(labels), ("T",), "labels")
    predicted = check_shape(np.asarray(predicted), labels.shape, "one prediction a frame")
    return float((predicted == labels).mean()) if len(labels) else float("nan")


def segment_f1(
    truth: Segments, predicted: Segments, thresholds: Sequence[float] = F1_THRESHOLDS
) -> np.ndarray:
    """``[thresholds]`` F1 of predicted segments: F1@{10, 25, 50}.

    Args:
        truth: True segments.
        predicted: Predicted ones; their scores do not matter.
        thresholds: Least tIoU, in (0, 1].

    Raises:
        ChoiceError: A threshold outside (0, 1].
    """
    order = np.lexsort((truth.spans[:, 0],))  # of equal overlaps the earlier true segment
    truth = Segments(truth.spans[order], truth.labels[order], None, truth.recordings[order])
    hits, _ = find_hits(truth.labelled, predicted.labelled, _overlaps(truth, predicted), thresholds,
                        free_only=False, ignored=np.zeros(len(truth), bool))
    total = len(truth) + len(predicted)
    return 2 * hits.sum(axis=1) / total if total else np.full(len(thresholds), np.nan)


def edit_score(truth: Segments, predicted: Segments) -> float:
    """How alike the orders of actions are: 1 less the normalised edit distance.

    The labels in order of their start, whatever their length: the fewest insertions, deletions
    and replacements, in relation to the longer sequence; the mean over recordings.

    Args:
        truth: True segments.
        predicted: Predicted ones.

    Returns:
        The score in [0, 1]; NaN without a segment.

    Source: Lea et al., "Learning Convolutional Action Primitives for Fine-grained Action
    Recognition", 2016.
    """
    check_names(truth.recordings, predicted.recordings)
    names = np.unique(np.concatenate([truth.recordings, predicted.recordings]))
    scores = []
    for name in names:
        first, second = (_sequence(segments, name) for segments in (truth, predicted))
        scores.append(1 - _edit_distance(first, second) / max(len(first), len(second)))
    return float(np.mean(scores)) if scores else float("nan")


def temporal_map(
    truth: Segments, predicted: Segments, num_classes: int,
    thresholds: Sequence[float] = COCO_THRESHOLDS,
) -> DetectionFigures:
    """Average precision of scored segments: mAP@tIoU.

    Args:
        truth: True segments.
        predicted: Predicted ones.
        num_classes: K.
        thresholds: Least tIoU, in (0, 1].

    Raises:
        ShapeError: A label outside the classes.
        ChoiceError: A threshold outside (0, 1].
    """
    return evaluate_detections(truth.labelled, predicted.labelled, _overlaps(truth, predicted),
                               num_classes, thresholds, free_only=True)


def temporal_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """``[A, B]`` intersection over union of every two spans ``[A, 2]`` and ``[B, 2]``."""
    shared = np.minimum(first[:, None, 1], second[:, 1]) - np.maximum(first[:, None, 0],
                                                                      second[:, 0])
    shared = np.clip(shared, 0.0, None)
    union = np.diff(first) + np.diff(second)[:, 0] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _overlaps(truth: Segments, predicted: Segments):
    return lambda rows, true_rows: temporal_iou(predicted.spans[rows], truth.spans[true_rows])


def _sequence(segments: Segments, recording) -> np.ndarray:
    rows = np.flatnonzero(segments.recordings == recording)
    return segments.labels[rows[np.lexsort(segments.spans[rows].T[::-1])]]


def _edit_distance(first: np.ndarray, second: np.ndarray) -> int:
    """Levenshtein's, a row of the table at a time."""
    steps = np.arange(len(second) + 1)
    row = steps
    for label in first:
        above = np.append(row[0] + 1, np.minimum(row[1:] + 1, row[:-1] + (second != label)))
        row = np.minimum.accumulate(above - steps) + steps  # then insertions, from the left
    return int(row[-1])


def _whole(values) -> type | None:
    """An empty list has no type of its own."""
    return None if np.size(values) else np.int64

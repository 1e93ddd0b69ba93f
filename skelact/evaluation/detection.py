"""Who does what, where and when: metrics of boxes in frames and of tubes through videos.

Conventions:
    - Boxes are x1, y1, x2, y2 in any unit that truth and prediction share; their area is
      ``(x2 - x1)(y2 - y1)``. Code that takes x2, y2 for the last pixel inside (JHMDB's) adds 1 to
      both: do that first to get its figures.
    - A box with several labels is several rows, one a label.
    - The overlap of tubes is the share of frames that both cover among those that either covers,
      times the mean intersection over union of their boxes in the shared frames.
    - Suppressing tubes and boxes found twice is the detector's business.
    - How detections are assigned and averaged: see `skelact.evaluation.matching`.

AVA (Gu et al., "AVA: A Video Dataset of Spatio-temporally Localized Atomic Visual Actions", 2018):
`frame_map` as it stands, on the evaluated classes, without the excluded time stamps. JHMDB (Jhuang
et al., 2013) in the code of Kalogeiton et al., "Action Tubelet Detector for Spatio-Temporal Action
Localization", 2017, which most papers since use: ``frame_map(..., most=None, free_only=True,
trapezoid=True)`` and ``video_map(..., trapezoid=True)``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from skelact.checks import check_shape
from skelact.errors import ShapeError, SkelactError
from skelact.evaluation.matching import (
    COCO_THRESHOLDS,
    DetectionFigures,
    Labelled,
    evaluate_detections,
)
from skelact.pose.similarity import box_area, box_iou

VIDEO_THRESHOLDS = (0.2, *COCO_THRESHOLDS)
"""JHMDB prints video-mAP at 0.2, at 0.5, and the mean of 0.5 to 0.95."""

MOST_BOXES = 50
"""Rows of a frame that AVA's code looks at."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Labelled boxes in any number of frames.

    Args:
        frames: ``[S]`` the frame of each: numbers, or names such as ``"video,0904"``.
        boxes: ``[S, 4]`` x1, y1, x2, y2.
        labels: ``[S]`` class indices.
        scores: ``[S]``, higher for surer ones; all 1 by default.
        ignored: ``[S]`` bool, true boxes that nobody needs to find ("difficult"); none by default.

    Raises:
        ShapeError: The arrays do not fit each other.
        SkelactError: NaN, or a box turned inside out.
    """

    frames: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None = None
    ignored: np.ndarray | None = None

    def __post_init__(self) -> None:
        labelled = Labelled(self.frames, self.labels, self.scores)
        boxes = check_boxes(self.boxes, len(labelled))
        ignored = np.zeros(len(labelled), bool) if self.ignored is None else self.ignored
        check_shape(np.asarray(ignored), (len(labelled),), "ignored, one a box,")
        for name, value in (("frames", labelled.groups), ("boxes", boxes),
                            ("labels", labelled.labels), ("scores", labelled.scores),
                            ("ignored", np.asarray(ignored, bool))):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.boxes)

    def select(self, rows: np.ndarray) -> "Boxes":
        """Some of them: ``boxes.select(~np.isin(boxes.frames, excluded))``."""
        return replace(self, **{name: getattr(self, name)[rows]
                                for name in ("frames", "boxes", "labels", "scores", "ignored")})

    @property
    def labelled(self) -> Labelled:
        """Without their places."""
        return Labelled(self.frames, self.labels, self.scores)


@dataclass(frozen=True, eq=False)
class Tubes:
    """Labelled tubes: a box in each of some frames of a video.

    Args:
        videos: ``[S]`` the video of each, names or numbers.
        frames: S arrays ``[F]`` of rising frame numbers; gaps are frames without a box.
        boxes: S arrays ``[F, 4]`` x1, y1, x2, y2.
        labels: ``[S]`` class indices.
        scores: ``[S]``, higher for surer ones; all 1 by default.

    Raises:
        ShapeError: The arrays do not fit each other.
        SkelactError: NaN, a box turned inside out, or frames that do not rise.
    """

    videos: np.ndarray
    frames: Sequence[np.ndarray]
    boxes: Sequence[np.ndarray]
    labels: np.ndarray
    scores: np.ndarray | None = None

    def __post_init__(self) -> None:
        labelled = Labelled(self.videos, self.labels, self.scores)
        if not len(self.frames) == len(self.boxes) == len(labelled):
            raise ShapeError(f"expected frames and boxes of {len(labelled)} tubes, got "
                             f"{len(self.frames)} and {len(self.boxes)}")
        frames = tuple(np.asarray(one) for one in self.frames)
        boxes = tuple(check_boxes(one, len(at)) for one, at in zip(self.boxes, frames, strict=True))
        if any((np.diff(at) <= 0).any() for at in frames):
            raise SkelactError("expected tubes with rising frame numbers, each once")
        for name, value in (("videos", labelled.groups), ("frames", frames), ("boxes", boxes),
                            ("labels", labelled.labels), ("scores", labelled.scores)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def labelled(self) -> Labelled:
        """Without their places."""
        return Labelled(self.videos, self.labels, self.scores)


def frame_map(
    truth: Boxes, predicted: Boxes, num_classes: int, thresholds: Sequence[float] = (0.5,),
    most: int | None = MOST_BOXES, free_only: bool = False, trapezoid: bool = False,
) -> DetectionFigures:
    """Average precision of boxes, each frame for itself: frame-mAP.

    Args:
        truth: True boxes.
        predicted: Detected ones.
        num_classes: K.
        thresholds: Least intersection over union, in (0, 1].
        most: Rows of a frame to look at, those with the highest scores, of all classes together;
            None for all.
        free_only: The rule of assignment; see `skelact.evaluation.matching`.
        trapezoid: The rule of the area.

    Raises:
        ShapeError: A label outside the classes.
        ChoiceError: A threshold outside (0, 1].
    """
    if most is not None:
        predicted = keep_best(predicted, most)

    def overlaps(rows: np.ndarray, true_rows: np.ndarray) -> np.ndarray:
        return box_iou(predicted.boxes[rows], truth.boxes[true_rows])

    return evaluate_detections(truth.labelled, predicted.labelled, overlaps, num_classes,
                               thresholds, free_only, trapezoid, truth.ignored)


def video_map(
    truth: Tubes, predicted: Tubes, num_classes: int,
    thresholds: Sequence[float] = VIDEO_THRESHOLDS, trapezoid: bool = False,
) -> DetectionFigures:
    """Average precision of tubes: video-mAP.

    ``figures.mean(0.2)``, ``figures.mean(0.5)`` and ``figures.mean()`` (0.5 to 0.95) are what
    papers print.

    Args:
        truth: True tubes.
        predicted: Detected ones.
        num_classes: K.
        thresholds: Least spatio-temporal overlap, in (0, 1].
        trapezoid: The rule of the area; see `skelact.evaluation.matching`.

    Raises:
        ShapeError: A label outside the classes.
        ChoiceError: A threshold outside (0, 1].
    """
    def overlaps(rows: np.ndarray, true_rows: np.ndarray) -> np.ndarray:
        return np.array([[tube_iou(predicted.frames[row], predicted.boxes[row],
                                   truth.frames[true], truth.boxes[true]) for true in true_rows]
                         for row in rows])

    return evaluate_detections(truth.labelled, predicted.labelled, overlaps, num_classes,
                               thresholds, free_only=True, trapezoid=trapezoid)


def tube_iou(
    frames: np.ndarray, boxes: np.ndarray, other_frames: np.ndarray, other_boxes: np.ndarray
) -> float:
    """Spatio-temporal overlap of two tubes in [0, 1]; 0 where they share no frame."""
    _, rows, other_rows = np.intersect1d(frames, other_frames, assume_unique=True,
                                         return_indices=True)
    if not len(rows):
        return 0.0
    first, second = boxes[rows], other_boxes[other_rows]
    size = np.clip(np.minimum(first[:, 2:], second[:, 2:])
                   - np.maximum(first[:, :2], second[:, :2]), 0.0, None)
    shared = size.prod(axis=1)
    union = box_area(first) + box_area(second) - shared
    spatial = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return float(spatial.mean() * (len(rows) / (len(frames) + len(other_frames) - len(rows))))


def keep_best(boxes: Boxes, most: int) -> Boxes:
    """The rows of each frame with the highest scores; of equal ones those that stand first."""
    frames = np.unique(boxes.frames, return_inverse=True)[1]
    order = np.lexsort((-boxes.scores, frames))
    starts = np.searchsorted(frames[order], frames[order])
    return boxes.select(np.sort(order[np.arange(len(order)) - starts < most]))


def check_boxes(boxes: np.ndarray, count: int) -> np.ndarray:
    """Boxes as ``[count, 4]`` float64, if they are.

    Raises:
        ShapeError: Other axes.
        SkelactError: NaN, or a box turned inside out.
    """
    boxes = np.asarray(boxes, np.float64)
    boxes = check_shape(boxes if boxes.size else boxes.reshape(-1, 4), (count, 4), "boxes")
    wrong = ~(boxes[:, :2] <= boxes[:, 2:]).all(axis=1)
    if wrong.any():
        raise SkelactError("expected boxes x1, y1, x2, y2 with x1 <= x2 and y1 <= y2, got "
                           f"{boxes[wrong][0].tolist()}")
    return boxes

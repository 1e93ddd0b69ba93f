"""From overlaps to average precision: what segments, boxes and tubes have in common.

Conventions:
    - Detections are judged class by class, within their recording or frame, in falling order of
      score; of equal scores the one with the larger overlap comes first. One true instance makes
      one detection right; what else is found there is wrong.
    - ``free_only``: a detection goes to the true instance that it overlaps most among those not
      yet found (ActivityNet, JHMDB). Else among all, and is wrong if that one was found before
      (Pascal VOC, AVA).
    - Average precision is the area under the interpolated curve (precision at a recall is the best
      at that or any higher recall: Pascal VOC from 2010 on, ActivityNet, AVA), or, ``trapezoid``,
      under straight lines between its points, from precision 1 at recall 0 (the code by which most
      figures on JHMDB were published). Equal scores are one point of the curve, so the order in
      which detections are listed does not matter.
    - A class without a true instance has no average precision (NaN) and no part in means; one
      without a detection has 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from skelact.checks import check_shape
from skelact.errors import ChoiceError, ShapeError, SkelactError
from skelact.evaluation.metrics import precision_recall_curve

COCO_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""0.5, 0.55 … 0.95."""

Overlaps = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From rows of detections ``[P]`` and of true instances ``[G]`` to ``[P, G]`` in [0, 1]."""


@dataclass(frozen=True, eq=False)
class DetectionFigures:
    """Average precision of detections.

    Args:
        thresholds: ``[H]`` least overlap of a right detection.
        per_class: ``[H, K]`` average precision; NaN for a class without a true instance.
    """

    thresholds: np.ndarray
    per_class: np.ndarray

    @property
    def means(self) -> np.ndarray:
        """``[H]`` mean over the classes that occur: mAP at every threshold."""
        present = ~np.isnan(self.per_class).all(axis=0)
        if not present.any():
            return np.full(len(self.thresholds), np.nan)
        return self.per_class[:, present].mean(axis=1)

    def mean(self, thresholds: Sequence[float] = COCO_THRESHOLDS) -> float:
        """Mean average precision at a threshold, or averaged over several.

        Raises:
            ChoiceError: One that was not evaluated.
        """
        at = [np.flatnonzero(np.isclose(self.thresholds, threshold))
              for threshold in np.atleast_1d(thresholds)]
        if not all(len(found) for found in at):
            raise ChoiceError(f"expected thresholds among {self.thresholds.tolist()}, got "
                              f"{thresholds}")
        return float(self.means[np.concatenate(at)].mean())


@dataclass(frozen=True, eq=False)
class Labelled:
    """The classes of true instances or detections, and where each is.

    Args:
        groups: ``[S]`` the recording or frame of each; only what shares one is compared.
        labels: ``[S]`` class indices.
        scores: ``[S]``, higher for surer detections; None for equal ones, or true instances.
    """

    groups: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None = None

    def __post_init__(self) -> None:
        groups, labels = np.asarray(self.groups), np.asarray(self.labels)
        scores = np.ones(len(labels)) if self.scores is None else np.asarray(self.scores)
        check_shape(groups, (len(labels),), "recordings or frames, one a label,")
        check_shape(scores, (len(labels),), "scores, one a label,")
        if labels.ndim != 1 or (labels.size and (labels.dtype.kind not in "iu"
                                                 or labels.min() < 0)):
            raise ShapeError(f"expected labels [S] as whole numbers from 0, got {labels.dtype} "
                             f"{list(labels.shape)}")
        if np.isnan(scores).any():
            raise SkelactError(f"expected scores without NaN, got {np.isnan(scores).sum()}")
        object.__setattr__(self, "groups", groups)
        object.__setattr__(self, "labels", labels.astype(np.int64))
        object.__setattr__(self, "scores", scores.astype(np.float64))

    def __len__(self) -> int:
        return len(self.labels)


def evaluate_detections(
    truth: Labelled,
    predicted: Labelled,
    overlaps: Overlaps,
    num_classes: int,
    thresholds: Sequence[float],
    free_only: bool,
    trapezoid: bool = False,
    ignored: np.ndarray | None = None,
) -> DetectionFigures:
    """Average precision of every class at every threshold.

    Args:
        truth: True instances.
        predicted: Detections.
        overlaps: How much they overlap.
        num_classes: K.
        thresholds: Least overlaps of a right detection, in (0, 1].
        free_only: The rule of assignment, see above.
        trapezoid: The rule of the area, see above.
        ignored: ``[G]`` true instances that nobody needs to find; detections assigned to one count
            neither as right nor as wrong.

    Raises:
        ShapeError: A label outside the classes, or names of recordings that cannot meet.
        ChoiceError: A threshold outside (0, 1].
    """
    for name, labels in (("true", truth.labels), ("predicted", predicted.labels)):
        if labels.size and labels.max() >= num_classes:
            raise ShapeError(f"expected {name} labels in 0..{num_classes - 1}, got {labels.max()}")
    ignored = np.zeros(len(truth), bool) if ignored is None else ignored
    hits, kept = find_hits(truth, predicted, overlaps, thresholds, free_only, ignored)
    wanted = np.bincount(truth.labels[~ignored], minlength=num_classes)
    per_class = np.full((len(thresholds), num_classes), np.nan)
    for label in np.flatnonzero(wanted):
        rows = np.flatnonzero(predicted.labels == label)
        for step in range(len(thresholds)):
            at = rows[kept[step, rows]]
            curve = precision_recall_curve(predicted.scores[at], hits[step, at], wanted[label])
            per_class[step, label] = _area(*curve, trapezoid)
    return DetectionFigures(np.array(thresholds, np.float64), per_class)


def find_hits(
    truth: Labelled, predicted: Labelled, overlaps: Overlaps, thresholds: Sequence[float],
    free_only: bool, ignored: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Which detections are right.

    Of equal scores the one with the larger overlap comes first. This knows the truth: where many
    scores are equal (all 1, say) the figures are optimistic beside those of an order at random.

    Returns:
        ``[H, P]`` bool, right at the threshold; ``[H, P]`` bool, counted at all.

    Raises:
        ChoiceError: A threshold outside (0, 1].
        ShapeError: Recordings or frames that are names on one side and numbers on the other.
    """
    check_names(truth.groups, predicted.groups)
    limits = np.asarray(thresholds, np.float64)
    if not ((limits > 0) & (limits <= 1)).all():
        raise ChoiceError(f"expected thresholds in (0, 1], got {list(thresholds)}")
    hits = np.zeros((len(limits), len(predicted)), bool)
    kept = np.ones_like(hits)
    for rows, true_rows in _shared_groups(truth, predicted):
        overlap = np.asarray(overlaps(rows, true_rows))
        order = np.lexsort((-overlap.max(axis=1), -predicted.scores[rows]))
        found, dropped = _assign(overlap[order], limits, free_only, ignored[true_rows])
        hits[:, rows[order]], kept[:, rows[order]] = found, ~dropped
    return hits, kept


def check_names(first: np.ndarray, second: np.ndarray) -> None:
    """Refuse names that cannot meet numbers: nothing would match, and nobody would notice.

    Raises:
        ShapeError: They are.
    """
    if len(first) and len(second) and (first.dtype.kind in "iuf") != (second.dtype.kind in "iuf"):
        raise ShapeError("expected recordings or frames of the same kind in truth and prediction, "
                         f"got {first[0]!r} and {second[0]!r}; give both names, or both numbers")


def _shared_groups(truth: Labelled, predicted: Labelled):
    """Rows of detections and of true instances that share a class and a recording or frame."""
    groups = np.unique(np.concatenate([truth.groups, predicted.groups]), return_inverse=True)[1]
    labels = np.concatenate([truth.labels, predicted.labels])
    keys = np.unique(np.stack([groups, labels]), axis=1, return_inverse=True)[1].reshape(-1)
    true_rows, rows = _by_key(keys[: len(truth)]), _by_key(keys[len(truth) :])
    for key in true_rows.keys() & rows.keys():
        yield rows[key], true_rows[key]


def _by_key(keys: np.ndarray) -> dict[int, np.ndarray]:
    order = np.argsort(keys, kind="stable")
    cuts = np.flatnonzero(np.diff(keys[order])) + 1
    return {int(keys[rows[0]]): rows for rows in np.split(order, cuts) if len(rows)}


def _assign(
    overlap: np.ndarray, limits: np.ndarray, free_only: bool, ignored: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Assign detections of one class and place, in their order ``[P, G]``.

    Returns:
        ``[H, P]`` right, ``[H, P]`` assigned to an instance to ignore.
    """
    steps = np.arange(len(limits))
    right, dropped = np.zeros((2, len(limits), len(overlap)), bool)
    free = np.ones((len(limits), overlap.shape[1]), bool)
    for row, line in enumerate(overlap):
        candidates = np.where(free, line, -1.0) if free_only else line[None].repeat(len(steps), 0)
        best = candidates.argmax(axis=1)
        reached = candidates[steps, best] >= limits
        dropped[:, row] = reached & ignored[best]
        right[:, row] = reached & ~ignored[best] & free[steps, best]
        free[steps[right[:, row]], best[right[:, row]]] = False
    return right, dropped


def _area(precision: np.ndarray, recall: np.ndarray, trapezoid: bool) -> float:
    """Area under precision over rising recall."""
    steps = np.diff(recall, prepend=0.0)
    if trapezoid:
        return float(steps @ (precision + np.append(1.0, precision)[:-1]) / 2)
    return float(steps @ np.maximum.accumulate(precision[::-1])[::-1])

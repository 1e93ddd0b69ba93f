"""Metrics of classification, pure functions on arrays.

Conventions:
    - ``scores [L, K]`` are higher for likelier classes, ``labels [L]`` are class indices.
    - Ties count against the true class, so a constant score earns nothing; NaN is refused.
    - Results are shares in [0, 1]; an empty input gives NaN.
    - Precision, recall and F1 are 0 where their denominator is 0 (``zero_division=0`` of
      scikit-learn). Their means leave out the classes that are neither true nor predicted, as
      scikit-learn and torchmetrics do; a class that is predicted but never true counts as 0.
      `mean_class_accuracy` is over the classes that are true, so it can differ from macro recall.
    - Average precision is the area under the steps of precision over recall, without
      interpolation, as in scikit-learn; equal scores are one threshold. A class without a
      positive has none: NaN, and no part in the mean.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from skelact.checks import check_choice, check_shape
from skelact.errors import ChoiceError, ShapeError, SkelactError

Average = Literal["macro", "micro", "weighted"]


def validate(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels as arrays that fit each other.

    Raises:
        ShapeError: Wrong axes, or a label outside the classes.
        SkelactError: A score is NaN.
    """
    scores, labels = np.asarray(scores, np.float64), np.asarray(labels)
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise ShapeError(f"expected scores [L, classes] and labels [L], got {list(scores.shape)} "
                         f"and {list(labels.shape)}")
    if np.isnan(scores).any():
        raise SkelactError(f"expected scores without NaN, got {np.isnan(scores).sum()} of "
                           f"{scores.size}; the network has not learned, or its input was broken")
    return scores, _validate_classes(labels, scores.shape[1], "labels")


def top_k_accuracy(scores: np.ndarray, labels: np.ndarray, k: int = 1) -> float:
    """Share of samples whose true class is among the k highest scores.

    Raises:
        ChoiceError: ``k`` below 1.
    """
    if k < 1:
        raise ChoiceError(f"expected k from 1, got {k}")
    scores, labels = validate(scores, labels)
    return float((_ranks(scores, labels) <= k).mean()) if len(labels) else float("nan")


def confusion_matrix(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """``[classes, classes]`` counts as [true, predicted].

    Raises:
        ShapeError: Not one prediction a label, or one outside the classes.
    """
    predicted = _validate_classes(np.asarray(predicted), num_classes, "predictions")
    labels = _validate_classes(np.asarray(labels), num_classes, "labels")
    if predicted.shape != labels.shape:
        raise ShapeError(f"expected one prediction a label, got {len(predicted)} for "
                         f"{len(labels)}")
    counts = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


@dataclass(frozen=True, eq=False)
class ClassFigures:
    """What a confusion matrix says of every class.

    Args:
        precision: ``[K]`` share of the predictions of the class that are right.
        recall: ``[K]`` share of the samples of the class that are recognized.
        f1: ``[K]`` harmonic mean of the two.
        support: ``[K]`` samples of the class.
        predicted: ``[K]`` predictions of the class.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray
    predicted: np.ndarray

    def mean(self, average: Average) -> tuple[float, float, float]:
        """Precision, recall and F1 of all classes.

        Args:
            average: ``macro``, every class alike; ``weighted`` by support; ``micro`` over
                samples, where all three are the accuracy.

        Raises:
            ChoiceError: Another average.
        """
        check_choice(average, ("macro", "micro", "weighted"), "average")
        samples = self.support.sum()
        if not samples:
            return (float("nan"),) * 3
        if average == "micro":
            return (float(self.recall @ self.support / samples),) * 3
        weights = self.support
        if average == "macro":
            weights = (self.support + self.predicted > 0).astype(np.float64)
        figures = (self.precision, self.recall, self.f1)
        return tuple(float(figure @ weights / weights.sum()) for figure in figures)


def precision_recall_f1(confusion: np.ndarray) -> ClassFigures:
    """Precision, recall and F1 of every class; 0 where nothing is to be divided by.

    Args:
        confusion: ``[K, K]`` counts as [true, predicted]; see `confusion_matrix`.

    Raises:
        ShapeError: Not a square of counts.
    """
    confusion = np.asarray(confusion)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1]:
        raise ShapeError(f"expected a confusion matrix [K, K], got {list(confusion.shape)}")
    if confusion.size and (confusion.dtype.kind not in "iu" or confusion.min() < 0):
        raise ShapeError("expected counts (whole numbers from 0) as [true, predicted], got "
                         f"{confusion.dtype} from {confusion.min():g}")
    right = np.diagonal(confusion)
    support, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    return ClassFigures(_share(right, predicted), _share(right, support),
                        _share(2 * right, support + predicted), support, predicted)


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under precision over recall: how well scores put the positive samples first.

    Args:
        scores: ``[L]``, higher for likelier samples.
        positive: ``[L]`` bool.

    Returns:
        The area in [0, 1]; NaN without a positive.

    Raises:
        ShapeError: Wrong axes, or ``positive`` is not bool.
        SkelactError: A score is NaN.
    """
    scores, positive = np.asarray(scores, np.float64), np.asarray(positive)
    check_shape(scores, ("L",), "scores")
    _validate_targets(scores, positive)
    if not positive.any():
        return float("nan")
    precision, recall = precision_recall_curve(scores, positive, int(positive.sum()))
    return float(np.diff(recall, prepend=0.0) @ precision)


def mean_average_precision(scores: np.ndarray, targets: np.ndarray) -> float:
    """Mean average precision of the classes that have a positive: mAP where labels are several.

    Args:
        scores: ``[L, K]``.
        targets: ``[L, K]`` bool, whether the sample has the label.

    Returns:
        The mean in [0, 1]; NaN where no class has a positive.

    Raises:
        ShapeError: Wrong axes, or ``targets`` are not bool.
        SkelactError: A score is NaN.
    """
    scores, targets = np.asarray(scores, np.float64), np.asarray(targets)
    check_shape(scores, ("L", "K"), "scores")
    _validate_targets(scores, targets)
    found = [average_precision(scores[:, k], targets[:, k])
             for k in np.flatnonzero(targets.any(axis=0))]
    return float(np.mean(found)) if found else float("nan")


def precision_recall_curve(
    scores: np.ndarray, hits: np.ndarray, total: int
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall at every distinct score as the threshold, from the highest down.

    Args:
        scores: ``[L]``.
        hits: ``[L]`` bool, whether the sample is a positive, or the detection right.
        total: How many there are to find, from 1.

    Returns:
        ``[U]`` precision and ``[U]`` rising recall, U distinct scores.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)[: len(order)]
    right, count = np.cumsum(hits[order])[last], np.arange(1, len(order) + 1)[last]
    return right / count, right / total


def mean_class_accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the classes that occur of the share recognized."""
    scores, labels = validate(scores, labels)
    return mean_over_classes(_ranks(scores, labels) == 1, labels)


def mean_over_classes(values: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the classes that occur of the mean of ``values [L]``, such as "was recognized".

    NaN without a sample.
    """
    if not len(labels):
        return float("nan")
    counts, sums = np.bincount(labels), np.bincount(labels, values)
    return float((sums[counts > 0] / counts[counts > 0]).mean())


def rejection_threshold(known: np.ndarray, unknown: np.ndarray, false_rate: float = 0.05) -> float:
    """A threshold that at most a share of unknown samples reaches, as low as they allow.

    Args:
        known: ``[L]`` highest class probability of samples of known classes.
        unknown: The same of samples of no known class.
        false_rate: The share of unknown samples that may reach the threshold.

    Returns:
        The threshold in 0..1; a sample counts as known when it reaches it. Without unknown
        samples, the one that keeps 95 % of the known.
    """
    if not len(unknown):
        return float(np.quantile(known, 0.05)) if len(known) else 0.0
    ordered = np.sort(np.asarray(unknown, np.float64))[::-1]
    allowed = int(np.floor(false_rate * len(ordered)))
    return min(1.0, float(np.nextafter(ordered[min(allowed, len(ordered) - 1)], np.inf)))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def _validate_targets(scores: np.ndarray, targets: np.ndarray) -> None:
    if targets.shape != scores.shape or targets.dtype != bool:
        raise ShapeError(f"expected for scores {list(scores.shape)} as many bool targets, got "
                         f"{targets.dtype} {list(targets.shape)}")
    if np.isnan(scores).any():
        raise SkelactError(f"expected scores without NaN, got {np.isnan(scores).sum()} of "
                           f"{scores.size}; the network has not learned, or its input was broken")


def _ranks(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """``[L]`` place of the true class, from 1; ties count against it."""
    own = scores[np.arange(len(labels)), labels]
    return (scores >= own[:, None]).sum(axis=1)  # itself included


def _validate_classes(indices: np.ndarray, num_classes: int, name: str) -> np.ndarray:
    if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
        raise ShapeError(f"expected {name} [L] as whole numbers, got {indices.dtype} "
                         f"{list(indices.shape)}")
    if len(indices) and not (indices.min() >= 0 and indices.max() < num_classes):
        raise ShapeError(f"expected {name} in 0..{num_classes - 1}, got "
                         f"{indices.min()}..{indices.max()}")
    return indices.astype(np.int64)

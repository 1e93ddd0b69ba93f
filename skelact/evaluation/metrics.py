"""Metrics of classification, pure functions on arrays.

Conventions: ``scores [L, classes]`` are higher for likelier classes, ``labels [L]`` are class
indices. Ties count against the true class, so a constant score earns nothing; NaN is refused.
Results are shares in [0, 1]; an empty input gives NaN.
"""

import numpy as np

from skelact.errors import ChoiceError, ShapeError, SkelactError


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


def mean_class_accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the classes that occur of the share recognized."""
    scores, labels = validate(scores, labels)
    if not len(labels):
        return float("nan")
    right = _ranks(scores, labels) == 1
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


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

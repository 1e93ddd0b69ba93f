"""Metrics of classification, pure functions on arrays.

Conventions: ``scores [L, classes]`` are higher for likelier classes, ``labels [L]`` are class
indices. Ties count against the true class, so a constant score earns nothing. Results are shares
in [0, 1]; an empty input gives NaN.
"""

import numpy as np

from skelact.errors import ShapeError


def validate(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels as arrays that fit each other.

    Raises:
        ShapeError: Wrong axes, or a label outside the classes.
    """
    scores, labels = np.asarray(scores, np.float64), np.asarray(labels)
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise ShapeError(f"expected scores [L, classes] and labels [L], got {list(scores.shape)} "
                         f"and {list(labels.shape)}")
    if len(labels) and not (labels.min() >= 0 and labels.max() < scores.shape[1]):
        raise ShapeError(f"expected labels in 0..{scores.shape[1] - 1}, got "
                         f"{labels.min()}..{labels.max()}")
    return scores, labels.astype(np.int64)


def top_k_accuracy(scores: np.ndarray, labels: np.ndarray, k: int = 1) -> float:
    """Share of samples whose true class is among the k highest scores."""
    scores, labels = validate(scores, labels)
    if not len(labels):
        return float("nan")
    own = scores[np.arange(len(labels)), labels]
    rank = (scores >= own[:, None]).sum(axis=1)  # itself included, ties against it
    return float((rank <= k).mean())


def confusion_matrix(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """``[classes, classes]`` counts as [true, predicted]."""
    counts = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(counts, (np.asarray(labels), np.asarray(predicted)), 1)
    return counts


def mean_class_accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the classes that occur of the share recognized."""
    scores, labels = validate(scores, labels)
    if not len(labels):
        return float("nan")
    counts = confusion_matrix(scores.argmax(axis=1), labels, scores.shape[1])
    occurring = counts.sum(axis=1) > 0
    return float((counts.diagonal()[occurring] / counts.sum(axis=1)[occurring]).mean())


def rejection_threshold(known: np.ndarray, unknown: np.ndarray, false_rate: float = 0.05) -> float:
    """The lowest threshold at which at most a share of unknown samples is taken for known.

    Args:
        known: ``[L]`` highest class probability of samples of known classes.
        unknown: The same of samples of no known class.
        false_rate: The share of unknown samples that may reach the threshold.

    Returns:
        The threshold; a sample counts as known when it reaches it. Without unknown samples, the
        one that keeps 95 % of the known.
    """
    if not len(unknown):
        return float(np.quantile(known, 0.05)) if len(known) else 0.0
    ordered = np.sort(np.asarray(unknown, np.float64))[::-1]
    allowed = int(np.floor(false_rate * len(ordered)))
    return float(np.nextafter(ordered[min(allowed, len(ordered) - 1)], np.inf))

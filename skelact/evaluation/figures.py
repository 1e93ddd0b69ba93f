"""The figures of a test with their 95 % intervals.

Where subjects are known, whole subjects are drawn: clips of one person resemble each other, and
new people are what a figure is to hold for.
"""

from collections.abc import Callable, Collection

import numpy as np

from skelact.evaluation.intervals import Interval, bootstrap
from skelact.evaluation.metrics import confusion_matrix, mean_over_classes, precision_recall_f1
from skelact.evaluation.scores import ClipScores

NAMES = {
    "top1": "top-1 accuracy",
    "top5": "top-5 accuracy",
    "mean_class_accuracy": "mean class accuracy",
    "precision_macro": "precision, mean of classes",
    "recall_macro": "recall, mean of classes",
    "f1_macro": "F1, mean of classes",
}
"""What a report calls each figure."""


def measure(
    result: ClipScores, subjects: np.ndarray | None = None,
    names: Collection[str] = tuple(NAMES), draws: int = 2000,
) -> dict[str, Interval]:
    """Figures with their intervals.

    Args:
        result: What the network says.
        subjects: ``[L]`` who is seen in each clip, for intervals by subject; None for intervals
            by clip.
        names: Which of `NAMES`.
        draws: Bootstrap samples a figure.
    """
    return {name: bootstrap(metric, len(result), groups=subjects, draws=draws)
            for name, metric in _metrics(result).items() if name in names}


def usable_subjects(subjects: np.ndarray) -> np.ndarray | None:
    """``[L]`` subjects to draw, if every one is known (not -1) and there are at least two."""
    known = len(subjects) and subjects.min() >= 0
    return subjects if known and len(np.unique(subjects)) > 1 else None


def confusion(result: ClipScores) -> np.ndarray:
    """``[K, K]`` counts as [true, predicted]."""
    return confusion_matrix(result.predicted, result.labels, len(result.classes))


def _metrics(result: ClipScores) -> dict[str, Callable[[np.ndarray], float]]:
    """Every figure of some rows of the result; each row is looked up, not scored again."""
    labels, count = result.labels, len(result.classes)
    places = labels * count + result.predicted
    first, fifth = result.hits(1), result.hits(5)

    def macro(which: int) -> Callable[[np.ndarray], float]:
        def mean(rows: np.ndarray) -> float:
            counts = np.bincount(places[rows], minlength=count * count).reshape(count, count)
            return precision_recall_f1(counts).mean("macro")[which]
        return mean

    return {
        "top1": lambda rows: float(first[rows].mean()),
        "top5": lambda rows: float(fifth[rows].mean()),
        "mean_class_accuracy": lambda rows: mean_over_classes(first[rows], labels[rows]),
        "precision_macro": macro(0), "recall_macro": macro(1), "f1_macro": macro(2),
    }

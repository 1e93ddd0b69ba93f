"""The figures of a test with their 95 % intervals.

Where subjects are known, whole subjects are drawn: clips of one person resemble each other, and
new people are what a figure is to hold for. Means of classes are over those of which clips were
tested, all of them over the same ones; where that is one class, precision and F1, which compare
classes, are NaN.
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
_COMPARING = ("precision_macro", "f1_macro")


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
    alone = len(np.unique(result.labels)) < 2
    return {name: Interval(*(float("nan"),) * 3) if alone and name in _COMPARING
            else bootstrap(metric, len(result), groups=subjects, draws=draws)
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
            found = precision_recall_f1(counts)
            figure = (found.precision, found.recall, found.f1)[which]
            return float(figure[found.support > 0].mean())
        return mean

    return {
        "top1": lambda rows: float(first[rows].mean()),
        "top5": lambda rows: float(fifth[rows].mean()),
        "mean_class_accuracy": lambda rows: mean_over_classes(first[rows], labels[rows]),
        "precision_macro": macro(0), "recall_macro": macro(1), "f1_macro": macro(2),
    }

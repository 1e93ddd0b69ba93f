"""Tables of a test for a reader: figures, pairs that are confused, every class, worst clips."""

from collections.abc import Mapping

import numpy as np

from skelact.evaluation.figures import NAMES, confusion
from skelact.evaluation.intervals import Interval, class_intervals
from skelact.evaluation.metrics import precision_recall_f1
from skelact.evaluation.scores import ClipScores
from skelact.visualization.document import Part, Table

PAIRS = 12
"""How many pairs of confused classes are listed."""
_WORST = 12
"""How many clips are listed that were wrong with the highest probability."""


def figure_table(figures: Mapping[str, Interval], num_classes: int) -> Table:
    """The figures with their intervals; without those that say nothing, such as top 5 of five."""
    rows = [(NAMES[name], f"{figure.value:.4f}", show_span(figure))
            for name, figure in figures.items()
            if not np.isnan(figure.value) and (name != "top5" or num_classes > 5)]
    return Table(("figure", "value", "95 % interval"), rows)


def show_span(figure: Interval, digits: int = 4) -> str:
    """The ends of an interval; nothing can be said of a single clip."""
    if np.isnan(figure.low) or np.isnan(figure.high):
        return "unknown"
    return f"{figure.low:.{digits}f} to {figure.high:.{digits}f}"


def describe_intervals(subjects: np.ndarray | None) -> str:
    """How the intervals were drawn, in a sentence."""
    if subjects is None:
        return ("The intervals are those of a bootstrap over clips. Subjects are not known (or "
                "there is one only), and clips of one person resemble each other, so that they may "
                "be too narrow.")
    count = len(np.unique(subjects))
    few = ((" So few subjects make wide intervals, and rough ones: even where all do equally well, "
           "others may not.") if count < 10 else "")
    return (f"The intervals are those of a bootstrap over the {count} subjects, who are drawn with "
            f"all of their clips.{few}")


def conditions_table(conditions: Mapping[str, object]) -> Table:
    """What figures depend on, a line each."""
    rows = []
    for name, value in conditions.items():
        shown = (", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, Mapping)
                 else str(value))
        rows.append((name.replace("_", " "), shown or "unknown"))
    return Table(("", ""), rows)


def find_pairs(result: ClipScores) -> list[tuple[int, int]]:
    """The classes that are confused most, as (true, taken for), the most frequent first."""
    counts = confusion(result)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:PAIRS]
    return [divmod(int(place), len(counts)) for place in order if counts.flat[place]]


def pair_table(result: ClipScores) -> Part:
    """What is taken for what, and how often."""
    counts, names = confusion(result), result.classes
    totals = counts.sum(axis=1)
    rows = [(names[true], names[found], f"{counts[true, found]} of {totals[true]}")
            for true, found in find_pairs(result)]
    if not rows:
        return "No test clip was taken for another class."
    return Table(("true class", "taken for", "clips"), rows)


def class_table(result: ClipScores) -> list[Part]:
    """Every class that has clips, the worst first, and the names of those that have none."""
    counts, names = confusion(result), result.classes
    figures, limits = precision_recall_f1(counts), class_intervals(counts)
    taken = counts.copy()
    np.fill_diagonal(taken, 0)
    present = np.flatnonzero(counts.sum(axis=1))
    rows = []
    for k in present[np.argsort(figures.recall[present], kind="stable")]:
        worst = taken[k].argmax()
        rows.append((
            names[k], f"{counts[k].sum()}", f"{figures.recall[k]:.3f}",
            show_span(limits[k], 2), f"{figures.precision[k]:.3f}",
            f"{figures.f1[k]:.3f}", f"{names[worst]} ({taken[k, worst]})" * bool(taken[k, worst])))
    head = ("class", "test clips", "recognized", "95 % interval", "precision", "F1",
            "most often taken for")
    absent = [names[k] for k in np.flatnonzero(counts.sum(axis=1) == 0)]
    return [Table(head, rows)] + ([f"Without a test clip: {', '.join(absent)}."] if absent else [])


def worst_table(result: ClipScores) -> Part:
    """The clips that were wrong with the highest probability."""
    rows = worst_clips(result)
    if not len(rows):
        return "No clip was wrong."
    names, scores = result.classes, result.scores
    return Table(("clip", "true class", "its probability", "taken for", "with probability"), [
        (result.clip_ids[i], names[result.labels[i]], f"{scores[i, result.labels[i]]:.3f}",
         names[result.predicted[i]], f"{scores[i].max():.3f}") for i in rows])


def worst_clips(result: ClipScores, count: int = _WORST) -> np.ndarray:
    """Rows of clips that were wrong, the one with the highest probability first."""
    wrong = np.flatnonzero(result.predicted != result.labels)
    return wrong[np.argsort(-result.scores[wrong].max(axis=1), kind="stable")][:count]

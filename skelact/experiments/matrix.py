"""The figures of every pair of data sets, and the table of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from skelact.evaluation.intervals import Interval
from skelact.experiments.options import Options
from skelact.experiments.transfer import Cell, Figures
from skelact.visualization.document import markdown_table


@dataclass(frozen=True)
class Matrix:
    """What came out of an experiment; ``str()`` of it is a table.

    Args:
        cells: One a pair.
        skipped: Pair -> why there is no figure for it.
        meaning: Pair -> shared class -> data set -> its own classes.
        options: How it was done.
        notes: Sentences that a reader of the figures must know.
    """

    cells: tuple[Cell, ...]
    skipped: dict[str, str]
    meaning: dict[str, dict[str, dict[str, list[str]]]]
    options: Options
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        skipped = [f"{pair}: {why}" for pair, why in self.skipped.items()]
        return "\n".join([summary_table(self.cells), *skipped, *self.notes])


def summary_table(cells: Sequence[Cell]) -> str:
    """The main figures, a line a pair."""
    rows = [(
        "+".join(cell.sources), cell.target, show_figure(cell.figures, "accuracy"),
        show_figure(cell.figures, "balanced"),
        "" if cell.is_in_domain or cell.in_domain is None
        else f"{cell.in_domain.accuracy.value:.3f}",
        "" if cell.is_in_domain or math.isnan(cell.drop) else f"{cell.drop:+.3f}",
        len(cell.classes), f"{1 / len(cell.classes):.3f}", cell.figures.count,
    ) for cell in cells]
    return markdown_table(rows, ("train", "test", "accuracy", "balanced", "in domain", "drop",
                                 "classes", "chance", "n"))


def show_figure(figures: Figures, name: str) -> str:
    """``0.912 [0.88, 0.94]``, with a star where the interval does not know of subjects."""
    interval = getattr(figures, name)
    return f"{interval.value:.3f} {show_bounds(interval)}{'' if figures.clustered else ' *'}"


def show_bounds(interval: Interval) -> str:
    """``[0.88, 0.94]``; empty where they are not known."""
    return "" if math.isnan(interval.low) else f"[{interval.low:.2f}, {interval.high:.2f}]"

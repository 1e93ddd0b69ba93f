"""A matrix as a table: Markdown, CSV and JSON, and as a picture."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from skelact.evaluation.domain_distance import rank_correlation
from skelact.experiments.matrix import Matrix, show_bounds, show_figure, summary_table
from skelact.experiments.transfer import Cell
from skelact.output import write_json, write_text
from skelact.visualization.document import markdown_table
from skelact.visualization.transfer_matrix import draw_transfer_matrix

_JOINTS = {
    "common": "`common`, those that all data sets have, where each has them",
    "aligned": "`aligned`, those that all data sets have, the trunk computed alike",
    "source": "`source`, those of what is trained on"}
_WAYS = {"batch_norm": "AdaBN", "coral": "CORAL", "entropy": "TENT"}
_DISTANCES = {"frechet": "Fréchet", "mmd": "MMD", "proxy_a": "proxy-A"}


def write_matrix(matrix: Matrix, output: Path) -> None:
    """Write ``matrix.md``, ``matrix.csv``, ``matrix.json`` and ``matrix.png``."""
    write_text(output / "matrix.md", describe_matrix(matrix), overwrite=True)
    write_text(output / "matrix.csv", _table(matrix.cells), overwrite=True)
    content = {"cells": [cell.to_dict() for cell in matrix.cells], "skipped": matrix.skipped,
               "notes": matrix.notes, "classes": matrix.meaning, "options": asdict(matrix.options)}
    write_json(output / "matrix.json", content, overwrite=True)
    draw_cells(matrix.cells, output / "matrix.png")


def draw_cells(cells: Sequence[Cell], path: Path) -> Path:
    """The accuracies as a heat map."""
    rows = list(dict.fromkeys("+".join(cell.sources) for cell in cells))
    columns = list(dict.fromkeys(cell.target for cell in cells))
    empty = np.full((len(rows), len(columns)), np.nan)
    accuracy, home = empty.copy(), empty.copy()
    notes = [[""] * len(columns) for _ in rows]
    for cell in cells:
        place = rows.index("+".join(cell.sources)), columns.index(cell.target)
        figures = cell.figures
        accuracy[place] = figures.accuracy.value
        if cell.in_domain is not None and not cell.is_in_domain:
            home[place] = cell.in_domain.accuracy.value
        notes[place[0]][place[1]] = (f"{show_bounds(figures.accuracy)}\n"
                                     f"{len(cell.classes)} classes, {figures.count:,} clips")
    return draw_transfer_matrix(accuracy, rows, columns, path, notes, home)


def describe_matrix(matrix: Matrix) -> str:
    """The report as Markdown."""
    seeds = matrix.options.seeds
    parts = [
        "# Does it travel?",
        summary_table(matrix.cells),
        f"Shares in 0..1, the mean of {seeds} seed{'s' * (seeds > 1)}; in brackets the 95 % "
        "interval of the bootstrap, over subjects where they are known, else over clips (*). "
        "`in domain` is what the same networks reach on the test part of what they were trained "
        "on, with the same classes; `drop` is the accuracy lost against it. `chance` is one of the "
        "shared classes.",
        "![matrix](matrix.png)",
        *_adapted(matrix.cells),
        *_distances(matrix.cells),
        *_few_shot(matrix.cells),
        *(["## What to know", "\n".join(f"- {note}" for note in matrix.notes)]
          if matrix.notes else []),
        *_skipped(matrix),
        "## Classes that are the same",
        *_meaning(matrix),
        f"Joints: {_JOINTS.get(matrix.options.joints, matrix.options.joints)}. Where they come "
        "from stands in `joints/`, what was found out about the axes of each data set in `axes/`; "
        "`pairs/` sets labels, joints and axes of what is trained on and tested side by side.",
    ]
    return "\n\n".join(parts) + "\n"


def _adapted(cells: Sequence[Cell]) -> list[str]:
    ways = list(dict.fromkeys(way for cell in cells for way in cell.adapted))
    if not ways:
        return []
    rows = [(" -> ".join(("+".join(cell.sources), cell.target)),
             f"{cell.figures.accuracy.value:.3f} / {cell.figures.balanced.value:.3f}",
             *(f"{cell.adapted[way].accuracy.value:.3f} / {cell.adapted[way].balanced.value:.3f}"
               for way in ways)) for cell in cells if cell.adapted]
    return ["## Adapted without labels",
            markdown_table(rows, ("pair", "as trained", *(_WAYS[way] for way in ways))),
            "Accuracy / balanced accuracy after the networks were fitted to the very clips that "
            "are tested, whose labels they do not see."]


def _distances(cells: Sequence[Cell]) -> list[str]:
    measured = [cell for cell in cells if cell.distances]
    if not measured:
        return []
    names = list(measured[0].distances)
    rows = [(" -> ".join(("+".join(cell.sources), cell.target)),
             *(f"{cell.distances[name]:.4g}" for name in names), f"{cell.drop:+.3f}")
            for cell in measured]
    correlations = [rank_correlation([cell.distances[name] for cell in measured],
                                     [cell.drop for cell in measured]) for name in names]
    text = ", ".join(f"{_DISTANCES[name]} {value:.2f}"
                     for name, value in zip(names, correlations, strict=True)
                     if not math.isnan(value))
    return ["## How far apart the data sets lie",
            markdown_table(rows, ("pair", *(_DISTANCES[name] for name in names), "drop")),
            f"Between the pooled features of training clips and of the target's. Spearman's "
            f"correlation with the drop over {len(measured)} pair{'s' * (len(measured) != 1)}: "
            f"{text or 'not known, too few pairs'}."]


def _few_shot(cells: Sequence[Cell]) -> list[str]:
    judged = [cell for cell in cells if cell.few_shot]
    if not judged:
        return []
    names = list(dict.fromkeys(name for cell in judged for name in cell.few_shot))
    rows = [("+".join(cell.sources), cell.target, *name.split(), show_figure(figures, "accuracy"),
             show_figure(figures, "balanced"), figures.count)
            for cell in judged for name, figures in cell.few_shot.items()]
    return ["## With a few labelled clips of the target",
            markdown_table(rows, ("network of", "test", "clips a class", "way", "accuracy",
                                  "balanced", "n")),
            "All classes of the target, on its own test part; the clips to learn from are drawn "
            "from its train part. `cosine` and `euclidean`: nearest class mean of features, the "
            "mean over 20 draws"
            + ("; `tuned`: fine-tuned, one draw a seed." if any("tuned" in n for n in names)
               else ".")]


def _skipped(matrix: Matrix) -> list[str]:
    if not matrix.skipped:
        return []
    rows = list(matrix.skipped.items())
    return ["## Pairs without a figure", markdown_table(rows, ("pair", "why"))]


def _meaning(matrix: Matrix) -> list[str]:
    parts = []
    for pair, shared in matrix.meaning.items():
        names = list(dict.fromkeys(name for own in shared.values() for name in own))
        rows = [(name, *(", ".join(own.get(dataset, ())) or "-" for dataset in names))
                for name, own in shared.items()]
        parts += [f"### {pair}", markdown_table(rows, ("shared class", *names))]
    return parts


def _table(cells: Sequence[Cell]) -> str:
    ways = list(dict.fromkeys(way for cell in cells for way in cell.adapted))
    names = list(dict.fromkeys(name for cell in cells for name in cell.distances))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["train", "test", "classes", "n", "accuracy", "accuracy_low", "accuracy_high",
                     "balanced", "balanced_low", "balanced_high", "in_domain", "drop",
                     "clustered", "by_seed", *ways, *names])
    for cell in cells:
        figures, home = cell.figures, cell.in_domain
        writer.writerow([
            "+".join(cell.sources), cell.target, len(cell.classes), figures.count,
            *(f"{value:.6g}" for interval in (figures.accuracy, figures.balanced)
              for value in (interval.value, interval.low, interval.high)),
            "" if home is None else f"{home.accuracy.value:.6g}",
            "" if math.isnan(cell.drop) else f"{cell.drop:.6g}", figures.clustered,
            " ".join(f"{value:.6g}" for value in figures.by_seed),
            *(f"{cell.adapted[way].accuracy.value:.6g}" if way in cell.adapted else ""
              for way in ways),
            *(f"{cell.distances[name]:.6g}" if name in cell.distances else "" for name in names)])
    return text.getvalue()

"""A heat map of who was trained on what and tested on what."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skelact.output import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = "cividis"  # the same order of brightness for colour-blind readers and in print


def draw_transfer_matrix(
    accuracy: np.ndarray, rows: Sequence[str], columns: Sequence[str], path: str | Path,
    notes: Sequence[Sequence[str]] = (), home: np.ndarray | None = None,
) -> Path:
    """Draw the heat map as a PNG, replacing an earlier one; see `plot_transfer_matrix`."""
    from matplotlib.figure import Figure  # not pyplot: no global state, no display

    size = 2.6 + 2.0 * len(columns), 1.7 + 1.15 * len(rows)
    figure = Figure(figsize=size, layout="constrained")
    plot_transfer_matrix(accuracy, rows, columns, notes, home, ax=figure.subplots())
    with atomic_write(path, overwrite=True) as temporary:
        figure.savefig(temporary, dpi=120)
    return Path(path)


def plot_transfer_matrix(
    accuracy: np.ndarray, rows: Sequence[str], columns: Sequence[str],
    notes: Sequence[Sequence[str]] = (), home: np.ndarray | None = None, *,
    ax: "Axes | None" = None,
) -> "tuple[Figure, Axes]":
    """Plot accuracies by source and target.

    Args:
        accuracy: ``[R, C]`` shares in 0..1; NaN where there is none.
        rows: Names of the R sources.
        columns: Names of the C targets.
        notes: A text for every cell, in small print below its figure.
        home: ``[R, C]`` accuracy in the domain, shown as the drop from it; NaN where unknown.
        ax: Where to plot; by default a new figure.
    """
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(layout="constrained").subplots()
    accuracy = np.asarray(accuracy, float)
    image = ax.imshow(np.ma.masked_invalid(accuracy), cmap=_COLOURS, vmin=0, vmax=1,
                      aspect="auto")
    ax.set_facecolor("0.92")
    for (row, column), value in np.ndenumerate(accuracy):
        ink = "black" if np.isnan(value) or value > 0.55 else "white"
        if np.isnan(value):
            ax.text(column, row, "–", ha="center", va="center", color="0.4")
            continue
        drop = np.nan if home is None else home[row, column] - value
        note = notes[row][column] if len(notes) else ""
        ax.text(column, row - (0.12 if note else 0), f"{value:.2f}", ha="center", va="center",
                color=ink, fontsize=15)
        small = note if np.isnan(drop) else f"drop {round(drop, 2) + 0.0:+.2f}\n{note}"
        ax.text(column, row + 0.2, small, ha="center", va="center", color=ink, fontsize=7.5)
    ax.set_xticks(range(len(columns)), [_broken(name) for name in columns])
    ax.set_yticks(range(len(rows)), [_broken(name) for name in rows])
    ax.set_xticks(np.arange(len(columns) - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(len(rows) - 1) + 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=3)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("tested on")
    ax.set_ylabel("trained on")
    ax.figure.colorbar(image, ax=ax, label="accuracy", shrink=0.9)
    return ax.figure, ax


def _broken(name: str) -> str:
    """A joined name over several lines."""
    return name.replace("+", "\n+ ")

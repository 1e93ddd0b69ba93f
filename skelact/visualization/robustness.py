"""Accuracy against severity, one small panel a corruption."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skelact.output import atomic_write
from skelact.visualization.colours import PERSON_COLOURS, unit_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE = unit_colour(PERSON_COLOURS[4])
_GREY = "0.35"
_COLUMNS = 5


@dataclass(frozen=True)
class Curve:
    """Accuracies (shares) of one corruption.

    Args:
        unit: Of the severities.
        severities: Rising.
        values: One a severity.
        low: Lower ends of their intervals.
        high: Upper ends.
    """

    unit: str
    severities: Sequence[float]
    values: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def draw_robustness(
    curves: Mapping[str, Curve], clean: float, path: str | Path, title: str = "",
    overwrite: bool = False,
) -> Path:
    """Draw every curve as a PNG.

    Args:
        curves: Name -> curve, at least one.
        clean: Accuracy without corruption, a broken line in every panel.
        path: The ``.png`` to write.
        title: Above all.
        overwrite: Replace an existing file.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    from matplotlib.figure import Figure  # not pyplot: no global state, no display

    columns = min(_COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    figure = Figure(figsize=(2.5 * columns + 0.7, 2.15 * rows + 0.7), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for ax, (name, curve) in zip(panels.flat, curves.items(), strict=False):
        plot_curve(curve, clean, name, ax)
    for ax in panels.flat[len(curves):]:
        ax.set_axis_off()
    for ax in panels[:, 0]:
        ax.set_ylabel("top-1 accuracy, %", fontsize=9)
    panels[0, 0].text(0.04, 4, f"broken line: as they are, {100 * clean:.1f}", color=_GREY,
                      fontsize=8, transform=panels[0, 0].get_yaxis_transform())
    figure.suptitle(title, fontsize=11)
    figure.get_layout_engine().set(hspace=0.06, wspace=0.03)
    with atomic_write(path, overwrite) as temporary:
        figure.savefig(temporary, dpi=110)
    return Path(path)


def plot_curve(curve: Curve, clean: float, name: str, ax: "Axes") -> None:
    """Plot one curve with its intervals; severities stand at equal distances.

    Args:
        curve: The accuracies.
        clean: Accuracy without corruption.
        name: Of the corruption.
        ax: Where to plot.
    """
    at = np.arange(len(curve.severities))
    values, low, high = (100 * np.asarray(part) for part in (curve.values, curve.low, curve.high))
    ax.axhline(100 * clean, color=_GREY, linestyle="--", linewidth=1)
    ax.fill_between(at, low, high, color=_LINE, alpha=0.2, linewidth=0)
    ax.plot(at, values, color=_LINE, marker="o", markersize=4, linewidth=1.6)
    ax.set_xticks(at, [f"{severity:g}" for severity in curve.severities])
    ax.set_xlim(-0.4, len(at) - 0.6)
    ax.set_ylim(0, 110)
    ax.set_yticks([0, 25, 50, 75, 100])
    ax.tick_params(labelsize=8)
    ax.set_title(name.replace("_", " "), loc="left", fontsize=9, fontweight="bold")
    ax.set_title(f"mean {values.mean():.1f}", loc="right", fontsize=8, color=_GREY)
    ax.set_xlabel(curve.unit, fontsize=8, labelpad=1)
    ax.grid(axis="y", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)

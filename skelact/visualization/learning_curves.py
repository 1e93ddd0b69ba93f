"""The course of a training run as a picture: loss, accuracy and learning rate over the epochs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skelact.output import atomic_write
from skelact.visualization.colours import PERSON_COLOURS, unit_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# blue and vermilion differ in brightness too, and the lines in their dashes
_TRAIN, _VAL = ({"color": unit_colour(PERSON_COLOURS[colour]), "ls": dashes}
                for colour, dashes in ((4, "-"), (3, "--")))
_GREY = "0.35"


def draw_learning_curves(
    history: Sequence[dict], path: str | Path, chosen_epoch: int | None = None
) -> Path:
    """Draw the curves as a PNG, replacing an earlier one.

    Args:
        history: A row an epoch, one at least: ``epoch``, and where there is something to show,
            ``loss``, ``val_loss``, ``train_accuracy``, ``val_accuracy`` (shares) and ``lr``; None
            and NaN leave a gap.
        path: The ``.png`` to write.
        chosen_epoch: Marked in the picture.

    Returns:
        The path.
    """
    from matplotlib.figure import Figure  # not pyplot: no global state, no display

    figure = Figure(figsize=(8, 7.2), layout="constrained")
    loss, accuracy, rate = figure.subplots(
        3, sharex=True, gridspec_kw={"height_ratios": (3, 3, 1.5)})
    plot_column(history, "loss", "training", loss, **_TRAIN)
    plot_column(history, "val_loss", "validation", loss, **_VAL)
    plot_column(history, "train_accuracy", "training, while learning", accuracy, 100, **_TRAIN)
    plot_column(history, "val_accuracy", "validation", accuracy, 100, **_VAL)
    plot_column(history, "lr", "", rate, color=_GREY)
    for ax, name in ((loss, "loss"), (accuracy, "accuracy, %"), (rate, "learning rate")):
        _finish_panel(ax, name, chosen_epoch)
    accuracy.set_ylim(top=min(accuracy.get_ylim()[1], 101))
    rate.set_ylim(0, 1.08 * rate.get_ylim()[1])
    rate.set_xlabel("epoch")
    rate.set_xlim(0.5, history[-1]["epoch"] + 0.5)
    rate.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    figure.align_ylabels()
    if chosen_epoch is not None:
        loss.annotate(f"epoch {chosen_epoch} chosen", (chosen_epoch, 1), (0, 3), ha="center",
                      xycoords=("data", "axes fraction"), textcoords="offset points",
                      color=_GREY, fontsize=9)
    with atomic_write(path, overwrite=True) as temporary:
        figure.savefig(temporary, dpi=110)
    return Path(path)


def plot_column(
    history: Sequence[dict], name: str, label: str, ax: "Axes", scale: float = 1.0, **style
) -> None:
    """Plot one column of a history over the epochs, if it holds anything.

    Args:
        history: A row an epoch.
        name: The column.
        label: What the legend calls it.
        ax: Where to plot.
        scale: What to multiply values with.
        **style: As of ``Axes.plot``.
    """
    values = np.array([row.get(name) for row in history], np.float64) * scale
    if not np.isfinite(values).any():
        return
    # few epochs are points rather than a course
    ax.plot([row["epoch"] for row in history], values, label=label, linewidth=1.8,
            marker="o" if len(history) <= 20 else None, markersize=4, **style)


def _finish_panel(ax: "Axes", name: str, chosen_epoch: int | None) -> None:
    ax.set_ylabel(name)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    if chosen_epoch is not None:
        ax.axvline(chosen_epoch, color=_GREY, linestyle=":", linewidth=1.2)
    if any(ax.get_legend_handles_labels()[1]):
        ax.legend(frameon=False, handlelength=3)

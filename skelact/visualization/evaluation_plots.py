"""Plots of a test: what is taken for what, every class, calibration."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from skelact.checks import check_shape
from skelact.visualization.colours import PERSON_COLOURS, unit_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _SKY, _VERMILION = (unit_colour(PERSON_COLOURS[i]) for i in (4, 5, 3))
_GREY = "0.35"
_COUNTED = 40
"""Most classes whose every cell has its count written in; with more, only confusions have."""


def plot_confusion(
    counts: np.ndarray, classes: Sequence[str], ax: "Axes | None" = None
) -> "tuple[Figure, Axes]":
    """Plot a confusion matrix: rows are true classes, colours shares of the row, texts counts.

    Args:
        counts: ``[K, K]`` as [true, predicted].
        classes: ``[K]`` names.
        ax: Where to plot; by default a new figure that grows with K, so that 120 classes can be
            read.

    Returns:
        ``(figure, axes)``; nothing is shown or saved.

    Raises:
        ShapeError: The axes do not fit each other.
    """
    count = len(classes)
    counts = check_shape(np.asarray(counts), (count, count), "counts")
    names = [_short(name) for name in classes]
    size = 8 if count <= _COUNTED else 5.5
    ax = ax or _square_axes(names, size)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    # the square root shows the few that go astray beside the many that do not
    ax.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for true, found in zip(*np.nonzero(counts), strict=True):
        if true != found or count <= _COUNTED:
            ax.text(found, true, str(counts[true, found]), ha="center", va="center", fontsize=size,
                    color="white" if shares[true, found] > 0.45 else "black")
    ax.set_xticks(range(count), names, rotation=90, fontsize=size)
    ax.set_yticks(range(count), names, fontsize=size)
    ax.set_xlabel("taken for")
    ax.set_ylabel("true class")
    ax.tick_params(length=0)
    between = np.arange(1, count) - 0.5  # lines, as a grid of minor ticks takes seconds
    for draw in (ax.hlines, ax.vlines):
        draw(between, -0.5, count - 0.5, color="0.9", linewidth=0.5)
    return ax.figure, ax


def plot_classes(
    shares: np.ndarray, low: np.ndarray, high: np.ndarray, classes: Sequence[str],
    support: np.ndarray, ax: "Axes | None" = None,
) -> "tuple[Figure, Axes]":
    """Plot the share recognized of every class as bars with intervals, the worst at the top.

    Args:
        shares: ``[K]`` in 0..1.
        low: ``[K]`` lower ends of the intervals.
        high: ``[K]`` upper ends.
        classes: ``[K]`` names.
        support: ``[K]`` clips; classes without any are left out.
        ax: Where to plot; by default a new figure.

    Returns:
        ``(figure, axes)``; nothing is shown or saved.

    Raises:
        ShapeError: The axes do not fit each other.
    """
    size = (len(classes),)
    shares, low, high, support = (
        check_shape(np.asarray(values), size, name) for values, name in
        ((shares, "shares"), (low, "low"), (high, "high"), (support, "support")))
    order = np.flatnonzero(support)
    order = order[np.argsort(shares[order], kind="stable")]
    margin = 0.085 * max((len(_short(classes[k])) for k in order), default=0)
    ax = ax or _axes(5.5 + margin, 0.24 * len(order) + 1.1)
    places = np.arange(len(order))
    ax.barh(places, 100 * shares[order], color=_SKY, height=0.72)
    ends = 100 * np.clip([shares - low, high - shares], 0, None)[:, order]
    ax.errorbar(100 * shares[order], places, xerr=ends, fmt="none", ecolor="black", elinewidth=1,
                capsize=2)
    ax.set_yticks(places, [f"{_short(classes[k])}  ({support[k]})" for k in order], fontsize=8.5)
    ax.set_ylim(len(order) - 0.4, -0.6)
    ax.set_xlim(0, 101)
    ax.set_xlabel("recognized, % (clips in brackets)")
    ax.grid(axis="x", alpha=0.4)
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    return ax.figure, ax


def plot_reliability(
    confidence: np.ndarray, accuracy: np.ndarray, count: np.ndarray, edges: np.ndarray,
    ax: "Axes | None" = None,
) -> "tuple[Figure, Axes]":
    """Plot how often a stated probability comes true, and how often it is stated.

    Args:
        confidence: ``[bins]`` mean stated probability; NaN where a bin is empty.
        accuracy: ``[bins]`` share that was right; NaN where a bin is empty.
        count: ``[bins]`` clips.
        edges: ``[bins + 1]`` of the bins.
        ax: Where to plot; by default a new figure.

    Returns:
        ``(figure, axes)``; nothing is shown or saved.

    Raises:
        ShapeError: The axes do not fit each other.
    """
    count = np.asarray(count)
    bins, edges = len(count), np.asarray(edges)
    check_shape(edges, (bins + 1,), "edges")
    seen = count > 0
    confidence, accuracy = (
        check_shape(np.asarray(values, np.float64), (bins,), name)[seen]
        for values, name in ((confidence, "confidence"), (accuracy, "accuracy")))
    ax = ax or _axes(5.2, 5)
    share = count / max(1, count.sum())
    ax.bar(edges[:-1], share, np.diff(edges), align="edge", color="0.85", edgecolor="white",
           label="share of the clips")
    ax.plot([0, 1], [0, 1], "--", color=_GREY, linewidth=1.2, label="stated = true")
    ax.vlines(confidence, confidence, accuracy, color=_VERMILION, linewidth=2, alpha=0.6)
    ax.scatter(confidence, accuracy, 12 + 350 * share[seen], color=_BLUE, zorder=3,
               label="share that was right")  # of few clips it says little, so it is small
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("probability of the named class")
    ax.set_ylabel("share")
    ax.grid(alpha=0.3)
    ax.set_axisbelow(True)
    for handle in ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3,
                            columnspacing=1.2, handletextpad=0.5).legend_handles:
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([30])
    ax.spines[["top", "right"]].set_visible(False)
    return ax.figure, ax


def _square_axes(names: Sequence[str], size: float) -> "Axes":
    """Axes of a matrix with room for its labels; measured here, as a layout engine takes long."""
    from matplotlib.figure import Figure

    count = len(names)
    side = count * (0.42 if count <= 12 else 0.3 if count <= _COUNTED else 0.19)
    margin = 0.45 + 0.57 * size / 72 * max(map(len, names), default=0)
    whole = max(side + margin + 0.1, 2.5)
    figure = Figure(figsize=(whole, whole))
    return figure.add_axes((margin / whole, margin / whole, side / whole, side / whole))


def _axes(width: float, height: float) -> "Axes":
    from matplotlib.figure import Figure  # not pyplot: no global state, no display

    return Figure(figsize=(max(width, 4), max(height, 2.5)), layout="constrained").add_subplot()


def _short(name: str, longest: int = 40) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"

"""Plots of a test hold what they were given, and stay readable with many classes."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from skelact.errors import ShapeError
from skelact.visualization.evaluation_plots import (
    plot_classes,
    plot_confusion,
    plot_reliability,
)


def texts(ax) -> dict[tuple[int, int], str]:
    return {tuple(int(v) for v in text.get_position()): text.get_text() for text in ax.texts}


def test_confusion_shows_counts_and_shares():
    counts = np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]])
    own = Figure().add_subplot()
    figure, ax = plot_confusion(counts, ("a", "b", "c"), own)
    assert ax is own
    assert figure is own.figure
    assert texts(ax) == {(0, 0): "3", (1, 0): "1", (1, 1): "4"}
    np.testing.assert_allclose(ax.images[0].get_array() ** 2,
                               [[0.75, 0.25, 0], [0, 1, 0], [0, 0, 0]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("taken for", "true class")


def test_labels_of_120_classes_do_not_overlap():
    names = [f"class number {k}" for k in range(120)]
    counts = np.eye(120, dtype=int) * 9 + np.roll(np.eye(120, dtype=int), 1, axis=1)
    figure, ax = plot_confusion(counts, names)
    figure.draw_without_rendering()
    assert len(ax.texts) == 120  # the confusions only
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(above.y0 >= below.y1 - 1 for above, below in pairwise(boxes))
    assert boxes[0].x0 >= 0
    small, _ = plot_confusion(counts[:3, :3], names[:3])
    assert small.get_size_inches()[0] < figure.get_size_inches()[0] / 4


def test_classes_come_worst_first_without_absent_ones():
    shares, low, high = np.array([[1.0, 0.2, np.nan, 0.6], [0.8, 0.1, np.nan, 0.5],
                                  [1.0, 0.4, np.nan, 0.9]])
    _, ax = plot_classes(shares, low, high, ("good", "bad", "absent", "fair"),
                         np.array([5, 10, 0, 2]))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["bad  (10)", "fair  (2)",
                                                                    "good  (5)"]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([20, 60, 100])
    top, bottom = ax.get_ylim()[::-1]
    assert top < bottom  # the first at the top
    (ends,) = ax.collections
    np.testing.assert_allclose([path[:, 0] for path in ends.get_segments()],
                               [[10, 40], [50, 90], [80, 100]])


def test_reliability_leaves_out_empty_bins():
    nan = np.nan
    _, ax = plot_reliability([nan, 0.4, 0.9], [nan, 0.5, 0.8], [0, 3, 9], [0, 1 / 3, 2 / 3, 1])
    points = ax.collections[-1]
    np.testing.assert_allclose(points.get_offsets(), [[0.4, 0.5], [0.9, 0.8]])
    assert points.get_sizes()[1] > points.get_sizes()[0]
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([0, 0.25, 0.75])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"expected counts \[2, 2\], got \[3, 3\]"):
        plot_confusion(np.eye(3), ("a", "b"))
    with pytest.raises(ShapeError, match="expected support"):
        plot_classes(np.ones(2), np.ones(2), np.ones(2), ("a", "b"), np.ones(3))
    with pytest.raises(ShapeError, match="expected edges"):
        plot_reliability([1], [1], [1], [0, 0.5, 1])

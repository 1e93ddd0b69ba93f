"""The heat map of a matrix: what stands in it."""

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from skelact.visualization.transfer_matrix import draw_transfer_matrix, plot_transfer_matrix


def test_every_cell_says_its_figure_its_drop_and_its_note():
    accuracy = np.array([[0.9, 0.512], [np.nan, 0.8]])
    home = np.array([[np.nan, 0.85], [np.nan, np.nan]])
    ax = Figure().subplots()
    figure, same = plot_transfer_matrix(accuracy, ["a", "b+c"], ["a", "d"],
                                        [["", "11 classes"], ["", ""]], home, ax=ax)
    assert (figure, same) == (ax.figure, ax)
    texts = [text.get_text() for text in ax.texts]
    assert [text for text in texts if text[:2] in ("0.", "–")] == ["0.90", "0.51", "–", "0.80"]
    assert "drop +0.34\n11 classes" in texts
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b\n+ c"]


def test_one_cell_and_many_are_drawn(tmp_path):
    small = draw_transfer_matrix(np.array([[0.5]]), ["a"], ["b"], tmp_path / "small.png")
    large = draw_transfer_matrix(np.eye(5), list("abcde"), list("abcde"), tmp_path / "large.png")
    assert Image.open(large).size > Image.open(small).size

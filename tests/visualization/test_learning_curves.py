"""Learning curves: what is drawn, and what is left out."""

import math

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from skelact.visualization.learning_curves import draw_learning_curves, plot_column


def test_a_column_is_plotted_over_its_epochs_with_gaps():
    ax = Figure().subplots()
    history = [{"epoch": 1, "a": 0.5}, {"epoch": 2, "a": None}, {"epoch": 3, "a": math.nan},
               {"epoch": 4, "a": 0.25}]
    plot_column(history, "a", "something", ax, 100)
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
    np.testing.assert_array_equal(line.get_ydata(), [50, np.nan, np.nan, 25])
    plot_column(history, "absent", "nothing", ax)
    plot_column([{"epoch": 1, "b": None}], "b", "nothing", ax)
    assert len(ax.lines) == 1


def test_the_picture_shows_both_parts_and_the_chosen_epoch(tmp_path):
    history = [{"epoch": e, "loss": 1 / e, "train_accuracy": 0.5, "lr": 0.1} for e in range(1, 31)]
    pictures = {}
    for name, rows, chosen in (
        ("train", history, None),
        ("val", [row | {"val_loss": 1.0, "val_accuracy": 0.4} for row in history], None),
        ("chosen", history, 20),
        ("one", history[:1], 1),
    ):
        path = draw_learning_curves(rows, tmp_path / f"{name}.png", chosen)
        with Image.open(path) as image:
            pictures[name] = np.asarray(image.convert("RGB")).astype(int)

    def count(name: str, colour: tuple[int, int, int]) -> int:
        return int((abs(pictures[name] - colour).sum(axis=-1) < 30).sum())

    blue, vermilion = (0, 114, 178), (213, 94, 0)
    assert count("train", blue) > 500
    assert count("train", vermilion) == 0
    assert count("val", vermilion) > 300
    assert (pictures["chosen"] != pictures["train"]).any()
    assert count("one", blue) > 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chosen.png", "one.png",
                                                                "train.png", "val.png"]

"""What a reader of a test sees in tables."""

import numpy as np
import pytest

from skelact.evaluation.intervals import Interval
from skelact.evaluation.scores import ClipScores
from skelact.evaluation.tables import (
    class_table,
    describe_intervals,
    figure_table,
    find_pairs,
    pair_table,
    worst_clips,
    worst_table,
)

CLASSES = ("run", "sit", "wave", "jump")


@pytest.fixture(scope="module")
def result() -> ClipScores:
    labels = np.array([0, 0, 0, 0, 1, 1, 2])
    found = np.array([0, 1, 1, 2, 1, 0, 2])
    sure = np.array([0.9, 0.6, 0.8, 0.5, 0.9, 0.95, 0.4])
    scores = np.full((7, 4), 0.01)
    scores[np.arange(7), found] = sure
    return ClipScores(scores, labels, [f"c{i}" for i in range(7)], CLASSES)


def test_pairs_come_most_frequent_first(result):
    assert find_pairs(result) == [(0, 1), (0, 2), (1, 0)]
    assert pair_table(result).rows[0] == ("run", "sit", "2 of 4")


def test_classes_come_worst_first_and_absent_ones_are_named(result):
    table, absent = class_table(result)
    assert [row[0] for row in table.rows] == ["run", "sit", "wave"]
    assert table.rows[0] == ("run", "4", "0.250", "0.05 to 0.70", "0.500", "0.333", "sit (2)")
    assert table.rows[2][-1] == ""
    assert absent == "Without a test clip: jump."


def test_the_surest_mistakes_come_first(result):
    assert worst_clips(result).tolist() == [5, 2, 1, 3]
    assert worst_clips(result, 2).tolist() == [5, 2]
    assert worst_table(result).rows[0] == ("c5", "sit", "0.010", "run", "0.950")


def test_no_mistake_is_said():
    perfect = ClipScores(np.eye(3), np.arange(3), ("a", "b", "c"), CLASSES[:3])
    assert pair_table(perfect) == "No test clip was taken for another class."
    assert worst_table(perfect) == "No clip was wrong."
    assert len(class_table(perfect)) == 1


def test_top_five_of_five_classes_is_left_out():
    figures = {"top1": Interval(0.5, 0.4, 0.6), "top5": Interval(1, 1, 1)}
    assert [row[0] for row in figure_table(figures, 5).rows] == ["top-1 accuracy"]
    assert len(figure_table(figures, 6).rows) == 2
    assert figure_table(figures, 5).rows[0][2] == "0.4000 to 0.6000"


def test_how_intervals_were_drawn():
    assert "over clips" in describe_intervals(None)
    assert "over the 3 subjects" in describe_intervals(np.array([1, 5, 9, 9]))
    assert "rough" in describe_intervals(np.arange(3))
    assert "rough" not in describe_intervals(np.arange(20))

"""Assignment and area: the rules that segments, boxes and tubes share, by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.errors import ChoiceError, ShapeError, SkelactError
from skelact.evaluation.matching import COCO_THRESHOLDS, Labelled, evaluate_detections

ONE = np.zeros(1, int)


def evaluate(overlap, scores, free_only=True, trapezoid=False, thresholds=(0.5,), **options):
    """One class, one place."""
    overlap = np.array(overlap, float)
    places = [np.zeros(size, int) for size in overlap.shape]
    return evaluate_detections(
        Labelled(places[1], places[1]), Labelled(places[0], places[0], np.array(scores)),
        lambda rows, true_rows: overlap[rows][:, true_rows], 1, thresholds, free_only, trapezoid,
        **options).per_class[:, 0].tolist()


def test_area_by_hand():
    right_wrong_right = [[1, 0], [0, 0], [0, 1]]
    assert evaluate(right_wrong_right, [3, 2, 1]) == [pytest.approx(0.5 + 0.5 * 2 / 3)]
    assert evaluate(right_wrong_right, [3, 2, 1], trapezoid=True) == [
        pytest.approx(0.5 + 0.5 * (1 / 2 + 2 / 3) / 2)]
    wrong_right = [[0, 0], [1, 0]]
    assert evaluate(wrong_right, [2, 1]) == [0.25]
    assert evaluate([[0], [1]], [2, 1]) == [0.5]


def test_who_was_found_leaves_the_second_best_or_nothing():
    both_prefer_the_first = [[0.9, 0.0], [0.8, 0.6]]
    assert evaluate(both_prefer_the_first, [2, 1], free_only=True) == [1]
    assert evaluate(both_prefer_the_first, [2, 1], free_only=False) == [0.5]


def test_equal_scores_are_one_point_in_any_order():
    assert evaluate([[1], [0]], [1, 1]) == evaluate([[0], [1]], [1, 1]) == [0.5]
    # two that reach the same instance: the nearer one is served first
    assert evaluate([[0.6, 0.55], [0.9, 0]], [1, 1]) == [1]


def test_instances_to_ignore_are_neither_right_nor_wrong():
    overlap = [[0, 1], [0, 1], [1, 0]]
    assert evaluate(overlap, [3, 2, 1], ignored=np.array([False, True])) == [1]
    assert evaluate(overlap, [3, 2, 1], free_only=False, ignored=np.array([False, True])) == [1]
    assert math.isnan(evaluate([[1]], [1], ignored=np.array([True]))[0])


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=40)
def test_the_order_of_rows_does_not_matter(seed, free_only):
    random = np.random.default_rng(seed)
    found, true = random.integers(1, 12), random.integers(1, 6)
    overlap, scores = random.random((found, true)), random.integers(0, 4, found)
    order = random.permutation(found)
    thresholds = (0.3, 0.6)
    assert evaluate(overlap, scores, free_only, thresholds=thresholds) == evaluate(
        overlap[order], scores[order], free_only, thresholds=thresholds)


def test_classes_that_do_not_occur():
    truth = Labelled(np.zeros(2, int), np.array([0, 2]))
    predicted = Labelled(np.zeros(2, int), np.array([0, 1]))
    found = evaluate_detections(truth, predicted, lambda a, b: np.ones((len(a), len(b))), 4,
                                COCO_THRESHOLDS, True)
    assert found.per_class[0, [0, 2]].tolist() == [1, 0]
    assert np.isnan(found.per_class[:, [1, 3]]).all()
    assert found.mean() == found.mean(0.75) == found.mean((0.5, 0.95)) == 0.5
    with pytest.raises(ChoiceError, match=r"thresholds among .*got 0\.2"):
        found.mean(0.2)


def test_nothing_at_all():
    none = Labelled(np.empty(0, int), np.empty(0, int))
    found = evaluate_detections(none, none, None, 3, (0.5,), True)
    assert math.isnan(found.mean(0.5))
    missed = evaluate_detections(Labelled(ONE, ONE), none, None, 3, (0.5,), True)
    assert missed.mean(0.5) == 0
    assert math.isnan(evaluate_detections(none, Labelled(ONE, ONE), None, 3, (0.5,),
                                          True).mean(0.5))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ChoiceError, match=r"thresholds in \(0, 1\]"):
        evaluate([[1]], [1], thresholds=(0.0,))
    with pytest.raises(ShapeError, match=r"predicted labels in 0\.\.1, got 3"):
        evaluate_detections(Labelled(ONE, ONE), Labelled(ONE, ONE + 3), None, 2, (0.5,), True)
    with pytest.raises(ShapeError, match="whole numbers from 0"):
        Labelled(ONE, ONE - 1)
    with pytest.raises(ShapeError, match="one a label"):
        Labelled(np.zeros(2, int), ONE)
    with pytest.raises(SkelactError, match="without NaN"):
        Labelled(ONE, ONE, [np.nan])

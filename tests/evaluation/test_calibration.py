"""Calibration by hand; random cases stand in test_metric_oracles.py."""

import math

import numpy as np
import pytest

from skelact.errors import ChoiceError, ShapeError, SkelactError
from skelact.evaluation.calibration import (
    expected_calibration_error,
    reliability,
    unknown_auroc,
)

SCORES = np.array([[0.9, 0.1], [0.8, 0.2], [0.35, 0.65], [0.5, 0.5], [1.0, 0.0]])
LABELS = [0, 1, 1, 0, 0]


def test_bins_by_hand():
    found = reliability(SCORES, LABELS, bins=5)
    assert found.edges.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert found.count.tolist() == [0, 0, 1, 2, 2]  # .8 belongs to the bin below
    assert found.confidence[2:].tolist() == pytest.approx([0.5, 0.725, 0.95])
    assert found.accuracy[2:].tolist() == pytest.approx([0, 0.5, 1])  # a tie is not right
    assert np.isnan(found.confidence[:2]).all()
    assert np.isnan(found.accuracy[:2]).all()


def test_error_by_hand():
    expected = (1 * 0.5 + 2 * 0.225 + 2 * 0.05) / 5
    assert expected_calibration_error(SCORES, LABELS, bins=5) == pytest.approx(expected)


def test_a_model_that_is_as_sure_as_right_has_no_error():
    scores = np.tile([0.75, 0.25], (8, 1))
    assert expected_calibration_error(scores, [0, 0, 0, 1] * 2) == pytest.approx(0)
    assert expected_calibration_error(scores, [1] * 8) == pytest.approx(0.75)


def test_rejection_leaves_a_part_of_one():
    found = reliability(np.array([[0.0, 0.0], [0.1, 0.2]]), [0, 1], bins=2)
    assert found.count.tolist() == [2, 0]
    assert found.accuracy[0] == 0.5  # nothing at all is a tie


def test_nothing_gives_nan():
    empty = np.empty((0, 3)), np.empty(0, int)
    assert math.isnan(expected_calibration_error(*empty))
    assert reliability(*empty).count.tolist() == [0] * 15
    assert math.isnan(unknown_auroc([], [0.5]))
    assert math.isnan(unknown_auroc([0.5], []))


def test_known_from_unknown_by_hand():
    assert unknown_auroc([0.9, 0.8], [0.1, 0.2]) == 1
    assert unknown_auroc([0.1, 0.2], [0.9, 0.8]) == 0
    assert unknown_auroc([0.5] * 3, [0.5] * 4) == 0.5
    assert unknown_auroc([0.9, 0.3], [0.3, 0.1]) == (2 + 1.5) / 4


def test_what_does_not_fit_is_refused():
    with pytest.raises(SkelactError, match="softmax of logits first"):
        reliability(SCORES * 5, LABELS)
    with pytest.raises(ChoiceError, match="one bin"):
        reliability(SCORES, LABELS, bins=0)
    with pytest.raises(SkelactError, match="without NaN"):
        unknown_auroc([np.nan], [1.0])
    with pytest.raises(ShapeError, match="known"):
        unknown_auroc([[0.1]], [1.0])

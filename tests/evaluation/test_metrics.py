"""Metrics: by hand, with ties, on nothing, and against a plain loop."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.errors import ChoiceError, ShapeError, SkelactError
from skelact.evaluation.metrics import (
    average_precision,
    confusion_matrix,
    mean_average_precision,
    mean_class_accuracy,
    mean_over_classes,
    precision_recall_f1,
    rejection_threshold,
    top_k_accuracy,
)

SCORES = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.4, 0.35, 0.25], [0.2, 0.5, 0.3]])


def test_by_hand():
    labels = [0, 2, 1, 2]
    assert top_k_accuracy(SCORES, labels) == 0.5
    assert top_k_accuracy(SCORES, labels, k=2) == 1.0
    assert top_k_accuracy(SCORES, labels, k=9) == 1.0
    assert mean_class_accuracy(SCORES, labels) == pytest.approx((1 + 0 + 0.5) / 3)
    assert confusion_matrix(SCORES.argmax(1), labels, 3).tolist() == [[1, 0, 0], [1, 0, 0],
                                                                      [0, 1, 1]]


def test_classes_that_do_not_occur_do_not_count():
    assert mean_class_accuracy(SCORES[:2], [0, 2]) == 1.0


def test_a_constant_score_earns_nothing():
    constant = np.ones((6, 3))
    labels = [0, 0, 1, 1, 2, 2]
    assert top_k_accuracy(constant, labels) == 0
    assert top_k_accuracy(constant, labels, k=2) == 0
    assert mean_class_accuracy(constant, labels) == 0


def test_shares_are_averaged_over_the_classes_that_occur():
    assert mean_over_classes(np.array([0.5, 1, 0]), np.array([4, 4, 1])) == (0.75 + 0) / 2
    assert math.isnan(mean_over_classes(np.empty(0), np.empty(0, int)))


def test_nothing_gives_nan():
    empty, labels = np.empty((0, 3)), np.empty(0, int)
    assert math.isnan(top_k_accuracy(empty, labels))
    assert math.isnan(mean_class_accuracy(empty, labels))
    assert confusion_matrix([], [], 2).tolist() == [[0, 0], [0, 0]]


@given(st.integers(0, 100_000), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_against_a_plain_loop(seed, classes):
    random = np.random.default_rng(seed)
    count = random.integers(1, 30)
    scores = random.integers(0, 4, (count, classes)) / 4  # many ties
    labels = random.integers(0, classes, count)
    k = int(random.integers(1, classes + 1))
    right = []
    for row, label in zip(scores, labels, strict=True):
        better = sum(row[c] >= row[label] for c in range(classes) if c != label)
        right.append(better < k)
    assert top_k_accuracy(scores, labels, k) == pytest.approx(np.mean(right))
    alone = [all(row[c] < row[label] for c in range(classes) if c != label)
             for row, label in zip(scores, labels, strict=True)]
    shares = [np.mean([a for a, own in zip(alone, labels, strict=True) if own == c])
              for c in set(labels.tolist())]
    assert mean_class_accuracy(scores, labels) == pytest.approx(np.mean(shares))
    predicted = random.integers(0, classes, count)
    counts = confusion_matrix(predicted, labels, classes)
    for true in range(classes):
        for guess in range(classes):
            pairs = zip(labels, predicted, strict=True)
            assert counts[true, guess] == sum((t, p) == (true, guess) for t, p in pairs)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"\[4, 3\] and \[3\]"):
        top_k_accuracy(SCORES, [0, 1, 2])
    with pytest.raises(ShapeError, match=r"scores \[L, classes\]"):
        top_k_accuracy(SCORES[0], [0, 1, 2])
    with pytest.raises(ShapeError, match=r"labels in 0\.\.2, got 0\.\.3"):
        mean_class_accuracy(SCORES, [0, 1, 2, 3])
    with pytest.raises(ShapeError, match="whole numbers"):
        top_k_accuracy(SCORES, [0.0, 1.0, 2.0, 0.5])
    with pytest.raises(ShapeError, match=r"predictions in 0\.\.2, got -1\.\.0"):
        confusion_matrix([-1, 0], [0, 0], 3)
    with pytest.raises(ShapeError, match="one prediction a label"):
        confusion_matrix([0, 0], [0], 3)
    with pytest.raises(ChoiceError, match="k from 1"):
        top_k_accuracy(SCORES, [0, 1, 2, 0], k=0)


def test_broken_scores_are_no_hits():
    broken = SCORES.copy()
    broken[1] = np.nan
    for metric in (top_k_accuracy, mean_class_accuracy):
        with pytest.raises(SkelactError, match="without NaN, got 3 of 12"):
            metric(broken, [0, 2, 1, 2])


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60), st.floats(0, 0.99))
@settings(max_examples=60, deadline=None)
def test_few_unknown_samples_reach_the_threshold_and_a_lower_one_would_let_in_more(values, rate):
    unknown = np.array(values)
    threshold = rejection_threshold(np.ones(3), unknown, rate)
    assert 0 <= threshold <= 1
    if unknown.max() < 1:
        assert (unknown >= threshold).mean() <= rate
    below = np.nextafter(threshold, -1)
    assert (unknown >= below).sum() > np.floor(rate * len(unknown))


def test_thresholds_by_hand():
    unknown = np.arange(100) / 100
    assert rejection_threshold([], unknown) == pytest.approx(0.94)
    assert (unknown >= rejection_threshold([], unknown)).sum() == 5
    assert rejection_threshold(np.arange(101) / 100, []) == pytest.approx(0.05)
    assert rejection_threshold([], []) == 0
    assert rejection_threshold([], [1.0]) == 1  # a threshold above all would be none


def test_precision_recall_and_f1_by_hand():
    # class 0: 3 of 4 found; class 1 takes one of them; class 2 is never true; class 3 is nowhere
    figures = precision_recall_f1(np.array([[3, 1, 0, 0], [0, 1, 1, 0], [0] * 4, [0] * 4]))
    assert figures.precision.tolist() == [1, 0.5, 0, 0]
    assert figures.recall.tolist() == [0.75, 0.5, 0, 0]
    assert figures.f1.tolist() == pytest.approx([6 / 7, 0.5, 0, 0])
    assert figures.support.tolist() == [4, 2, 0, 0]
    assert figures.mean("macro") == pytest.approx((0.5, 1.25 / 3, (6 / 7 + 0.5) / 3))
    assert figures.mean("weighted") == pytest.approx((5 / 6, 4 / 6, (4 * 6 / 7 + 1) / 6))
    assert figures.mean("micro") == pytest.approx((4 / 6,) * 3)


def test_figures_of_nothing():
    figures = precision_recall_f1(np.zeros((3, 3), int))
    assert figures.f1.tolist() == [0, 0, 0]
    for average in ("macro", "micro", "weighted"):
        assert all(map(math.isnan, figures.mean(average)))


def test_average_precision_by_hand():
    assert average_precision([0.9, 0.8, 0.7], np.array([True, False, True])) == pytest.approx(
        (1 + 2 / 3) / 2)
    assert average_precision([0.5] * 4, np.array([True, False, False, False])) == 0.25
    assert math.isnan(average_precision([0.5], np.array([False])))
    assert math.isnan(average_precision([], np.array([], bool)))
    targets = np.array([[True, False, False], [True, False, True]])
    scores = np.array([[0.1, 0.9, 0.9], [0.2, 0.3, 0.8]])
    assert mean_average_precision(scores, targets) == (1 + 0.5) / 2  # nobody has the second label
    assert math.isnan(mean_average_precision(scores, ~np.ones((2, 3), bool)))


def test_figures_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"confusion matrix \[K, K\], got \[2, 3\]"):
        precision_recall_f1(np.zeros((2, 3), int))
    with pytest.raises(ShapeError, match="counts"):
        precision_recall_f1(np.array([[0.5]]))
    with pytest.raises(ShapeError, match="counts"):
        precision_recall_f1(np.array([[-1]]))
    with pytest.raises(ChoiceError, match="macro, micro, weighted"):
        precision_recall_f1(np.eye(2, dtype=int)).mean("samples")
    with pytest.raises(ShapeError, match=r"\[2\] as many bool targets, got int64 \[2\]"):
        average_precision([0.1, 0.2], np.array([0, 1]))
    with pytest.raises(ShapeError, match="bool targets"):
        mean_average_precision(np.zeros((2, 3)), np.zeros((2, 2), bool))
    with pytest.raises(SkelactError, match="without NaN"):
        mean_average_precision(np.full((2, 1), np.nan), np.ones((2, 1), bool))


def test_the_example_of_the_page_runs(capsys):
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    block = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    exec(compile(block, "docs/metrics.md", "exec"), {})
    printed = re.findall(r"^print\(.*?\)  # (.+)$", block, re.MULTILINE)
    assert printed
    assert capsys.readouterr().out.splitlines() == printed

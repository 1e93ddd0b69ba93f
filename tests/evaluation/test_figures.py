"""The figures of a test equal what their definitions give; intervals follow subjects."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from skelact.evaluation.figures import NAMES, confusion, measure, usable_subjects
from skelact.evaluation.scores import ClipScores


def some_scores(count: int = 90, classes: int = 6, seed: int = 0) -> ClipScores:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes - 1, count)  # the last class does not occur
    scores = random.dirichlet(np.ones(classes), count)
    scores[np.arange(count), labels] += 0.4
    return ClipScores(scores / scores.sum(axis=1, keepdims=True), labels,
                      [f"c{i}" for i in range(count)], [f"class{k}" for k in range(classes)])


def test_values_are_those_of_their_definitions():
    result = some_scores()
    figures = measure(result, draws=20)
    assert list(figures) == list(NAMES)
    values = {name: figure.value for name, figure in figures.items()}
    assert {name: values[name] for name in result.accuracies()} == pytest.approx(
        result.accuracies())
    assert set(result.predicted) > set(result.labels)
    expected = precision_recall_fscore_support(  # over the classes that are tested
        result.labels, result.predicted, labels=np.unique(result.labels), average="macro",
        zero_division=0)
    macro = [values[f"{name}_macro"] for name in ("precision", "recall", "f1")]
    assert macro == pytest.approx(expected[:3])
    assert values["recall_macro"] == pytest.approx(values["mean_class_accuracy"])
    assert all(figure.low <= figure.value <= figure.high for figure in figures.values())
    assert confusion(result).sum() == len(result)


def test_one_class_alone_has_no_precision():
    result = some_scores()
    rows = np.flatnonzero(result.labels == 2)
    alone = ClipScores(result.scores[rows], result.labels[rows], result.clip_ids[rows],
                       result.classes)
    values = {name: figure.value for name, figure in measure(alone, draws=20).items()}
    assert np.isnan([values["precision_macro"], values["f1_macro"]]).all()
    assert values["top1"] == values["mean_class_accuracy"] == values["recall_macro"]


def test_only_what_is_asked_for_is_measured():
    assert list(measure(some_scores(), names=("top1",), draws=5)) == ["top1"]


def test_clips_of_one_person_say_less_than_clips_of_many():
    scores = np.full((80, 2), 0.1)
    subjects = np.repeat(np.arange(8), 10)
    labels = np.arange(80) % 2
    found = np.where(subjects < 4, labels, 1 - labels)  # half of the people are always right
    scores[np.arange(80), found] = 0.9
    result = ClipScores(scores, labels, np.arange(80).astype(str), ("a", "b"))
    by_clip, by_subject = (measure(result, groups, ("top1",))["top1"]
                           for groups in (None, subjects))
    assert by_clip.value == by_subject.value == 0.5
    assert by_subject.high - by_subject.low > 2 * (by_clip.high - by_clip.low)


def test_subjects_are_used_if_all_are_known_and_there_are_several():
    np.testing.assert_array_equal(usable_subjects(np.array([3, 1, 3])), [3, 1, 3])
    assert usable_subjects(np.array([3, -1, 1])) is None
    assert usable_subjects(np.array([3, 3])) is None
    assert usable_subjects(np.array([], int)) is None

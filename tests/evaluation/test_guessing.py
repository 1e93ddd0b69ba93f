"""Better than a guess, or not, or not to be told: against tests that are dealt by chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from skelact.evaluation.guessing import describe_choice, describe_doubt, is_more_than, may_be_fair
from skelact.evaluation.scores import ClipScores


def answers(predicted, labels, classes=None) -> ClipScores:
    """A test in which these classes are the likeliest."""
    labels, count = np.asarray(labels), classes or int(max(np.max(labels), np.max(predicted))) + 1
    scores = np.full((len(labels), count), 0.1 / count)
    scores[np.arange(len(labels)), predicted] += 0.8
    return ClipScores(scores, labels, [f"clip{i}" for i in range(len(labels))],
                      [f"class{k}" for k in range(count)])


def test_a_good_model_gives_no_doubt():
    labels = np.arange(30) % 3
    assert describe_doubt(answers(labels, labels)) == ""


def test_one_answer_to_everything_is_a_guess():
    text = describe_doubt(answers(np.zeros(60, int), np.arange(60) % 3))
    assert text.startswith("On these 60 clips the model is not better than a guess beyond doubt: "
                           "20 are right, and naming the most frequent class, class0, every time "
                           "makes 20 right. What may help: more clips of every class, more epochs")
    for words in ("--optim.epochs", "skelact show STORE -o sheet.png --contact-sheet",
                  "skelact data validate STORE"):
        assert words in text


def test_few_clips_are_said_to_be_too_few():
    labels = np.arange(12) % 2
    predicted = labels.copy()
    predicted[:5] ^= 1
    text = describe_doubt(answers(predicted, labels))
    assert text == ("12 clips are too few to tell whether the model recognizes anything: 7 are "
                    "right, and naming the most frequent class, class0, every time makes 6 right. "
                    "More clips to test on would tell.")
    assert "On these 12 clips the model is not better than a guess" in describe_doubt(
        answers(1 - labels, labels))
    half = describe_doubt(answers([0, 0, 0, 0], [0, 1, 0, 1]))
    assert "4 clips are too few" in half
    assert "What may help" in half
    all_right = describe_doubt(answers([0, 1, 0, 1], [0, 1, 0, 1]))  # a guess has 1 in 16
    assert all_right.startswith("4 clips are too few to tell")


def test_clips_of_one_class_tell_nothing():
    assert describe_doubt(answers([1, 0, 1], [1, 1, 1])) == ""
    assert describe_doubt(answers([1], [0])) == ""
    assert describe_choice(2, np.array([1, 1, 1]), 1) == ""


def test_uneven_classes_are_judged_by_the_mean_over_classes():
    labels = np.repeat([0, 1], [90, 10])
    predicted = labels.copy()
    predicted[:18], predicted[-2:] = 1, 0  # 80 % of either, where one answer has 90 % of all
    assert not is_more_than(80, 100, 90)
    assert describe_doubt(answers(predicted, labels)) == ""
    dealt = np.random.default_rng(0).permutation(predicted)
    assert describe_doubt(answers(dealt, labels)).startswith("On these 100 clips")


def test_classes_that_are_not_tested_change_nothing():
    labels = np.arange(40) % 2 + 3
    assert describe_doubt(answers(labels, labels, classes=60)) == ""
    assert "class3, every time makes 20" in describe_doubt(answers(labels * 0, labels, classes=60))


@pytest.mark.parametrize("sizes", [(20, 20), (30, 10), (10, 10, 10, 10), (5,) * 12])
def test_a_guess_is_seldom_taken_for_more(sizes):
    random, labels = np.random.default_rng(3), np.repeat(np.arange(len(sizes)), sizes)
    shares = np.array(sizes) / len(labels)
    guesses = random.choice(len(sizes), (120, len(labels)), p=shares)
    missed = [describe_doubt(answers(guess, labels)) == "" for guess in guesses]
    assert np.mean(missed) < 0.12  # 5 %, somewhat more for two tests, and chance


@given(count=st.integers(1, 300), most=st.integers(1, 300), right=st.integers(0, 300))
def test_more_than_a_share_is_counted_exactly(count, most, right):
    most, right = min(most, count), min(right, count)
    if most < count:
        tail = sum(binom.pmf(k, count, most / count) for k in range(right, count + 1))
        if abs(tail - 0.05) > 1e-9:
            assert is_more_than(right, count, most) == (tail <= 0.05)


def test_how_many_clips_tell_a_fair_model_from_a_guess():
    assert all(may_be_fair(count // 2 + 1, count, count // 2) for count in (2, 4, 8, 12))
    assert not any(may_be_fair(count // 2 + 1, count, count // 2) for count in (30, 60, 1000))
    assert not may_be_fair(1, 10, 1)  # of many classes a few clips tell


def test_an_epoch_that_was_chosen_by_luck():
    labels = np.arange(10) % 2
    assert describe_choice(6, labels, 1) == (
        "The epoch was chosen by 6 right out of 10 validation clips, and naming their most "
        "frequent class every time makes 5 right: the choice may be luck.")
    assert describe_choice(9, labels, 1) == ""
    assert describe_choice(9, labels, 20)  # the best of twenty guesses may be as good


def test_the_best_of_many_guesses_is_no_better_than_one():
    draw = np.random.default_rng(0)
    for count, classes in ((10, 2), (40, 2), (60, 5)):
        labels = np.arange(count) % classes
        best = draw.binomial(count, 1 / classes, (300, 50)).max(axis=1)
        assert np.mean([not describe_choice(int(right), labels, 50) for right in best]) < 0.08

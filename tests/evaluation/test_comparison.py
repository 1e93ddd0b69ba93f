"""Two results of the same clips, compared clip by clip."""

import numpy as np
import pytest

from skelact.errors import SkelactError
from skelact.evaluation.comparison import compare
from skelact.evaluation.intervals import mcnemar
from skelact.evaluation.scores import ClipScores


def result(right, order=None, classes=("run", "sit"), labels=None) -> ClipScores:
    right = np.asarray(right, bool)
    labels = np.arange(len(right)) % 2 if labels is None else labels
    scores = np.full((len(right), 2), 0.2)
    scores[np.arange(len(right)), np.where(right, labels, 1 - labels)] = 0.8
    order = np.arange(len(right)) if order is None else order
    return ClipScores(scores[order], labels[order], np.arange(len(right)).astype(str)[order],
                      classes)


RIGHT_A = np.arange(60) % 10 != 0
RIGHT_B = np.arange(60) % 3 != 0


def test_clips_are_aligned_and_the_sign_is_this_less_the_other():
    shuffled = np.random.default_rng(0).permutation(60)
    found = compare(result(RIGHT_A), result(RIGHT_B, shuffled), "other")
    assert found.difference.value == pytest.approx(RIGHT_A.mean() - RIGHT_B.mean())
    assert 0 < found.difference.low < found.difference.value < found.difference.high
    assert (found.only_this, found.only_other) == ((RIGHT_A & ~RIGHT_B).sum(),
                                                   (RIGHT_B & ~RIGHT_A).sum())
    assert found.p_value == pytest.approx(mcnemar(RIGHT_A, RIGHT_B))
    assert "differs by +23.33 points" in str(found)
    assert "which tells them apart" in str(found)


def test_classes_in_another_order_are_the_same_classes():
    other = result(RIGHT_B)
    turned = ClipScores(other.scores[:, ::-1], 1 - other.labels, other.clip_ids, ("sit", "run"))
    assert compare(result(RIGHT_A), turned, "other") == compare(result(RIGHT_A), other, "other")


def test_nothing_tells_a_model_from_itself():
    found = compare(result(RIGHT_A), result(RIGHT_A), "itself")
    assert found.difference.low <= 0 <= found.difference.high
    assert found.p_value == 1
    assert "does not tell them apart" in str(found)


def test_other_clips_or_labels_are_refused():
    with pytest.raises(SkelactError, match="other and this evaluation were not tested on the same "
                                           "clips: 30 are missing and 0 too many"):
        compare(result(RIGHT_A), result(RIGHT_B[:30]), "other")
    with pytest.raises(SkelactError, match="give 60 clips another label"):
        compare(result(RIGHT_A), result(RIGHT_B, labels=1 - np.arange(60) % 2), "other")

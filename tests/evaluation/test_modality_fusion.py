"""Fusion of scores where a network may not have seen a clip; weights and regressions learned."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from skelact.errors import ChoiceError, ShapeError, SkelactError
from skelact.evaluation.fusion import fuse_scores
from skelact.evaluation.metrics import top_k_accuracy
from skelact.evaluation.modality_fusion import fit_logistic, fuse_present, tune_weights


def made_up(clips: int = 60, classes: int = 3, seed: int = 0, strengths=(1.0, 3.0)):
    """Networks that know the class the better the stronger they are."""
    random = np.random.default_rng(seed)
    labels = np.arange(clips) % classes
    scores = [softmax(strength * np.eye(classes)[labels] + random.normal(size=(clips, classes)),
                      axis=1) for strength in strengths]
    return scores, labels


def loss(scores, labels) -> float:
    return float(-np.log(scores[np.arange(len(labels)), labels]).mean())


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_where_all_have_seen_all_it_is_the_weighted_mean(seed, count):
    random = np.random.default_rng(seed)
    parts, weights = random.dirichlet(np.ones(4), (count, 6)), random.uniform(0.1, 5, count)
    np.testing.assert_allclose(fuse_present(parts, weights=weights), fuse_scores(parts, weights))
    present = random.random((count, 6)) < 0.6
    present[0] |= ~present.any(axis=0)
    fused = fuse_present(np.where(present[..., None], parts, np.nan), present, weights)
    for clip in range(6):
        seen = present[:, clip]
        np.testing.assert_allclose(
            fused[clip], fuse_scores(list(parts[seen, clip : clip + 1]), weights[seen])[0])


def test_one_network_alone_is_taken_as_it_is():
    (skeleton, rgb), _ = made_up()
    rgb[::2] = np.nan
    present = np.array([np.ones(60, bool), np.arange(60) % 2 == 1])
    fused = fuse_present([skeleton, rgb], present, (1, 3))
    np.testing.assert_array_equal(fused[::2], skeleton[::2])
    np.testing.assert_allclose(fused[1::2], 0.25 * skeleton[1::2] + 0.75 * rgb[1::2])


@pytest.mark.parametrize("strengths", [(1.0, 3.0), (3.0, 1.0), (0.5, 3.0, 1.0)])
def test_tuned_weights_are_the_best_of_a_plain_search(strengths):
    scores, labels = made_up(strengths=strengths)
    weights = tune_weights(scores, labels, steps=10)
    assert sum(weights) == pytest.approx(1)
    assert min(weights) > 0
    tried = []
    for i in np.ndindex(*(11,) * len(strengths)):
        if min(i) > 0 and sum(i) == 10:
            fused = fuse_scores(scores, i)
            tried.append((top_k_accuracy(fused, labels), -loss(fused, labels)))
    fused = fuse_scores(scores, weights)
    best = max(tried)
    assert top_k_accuracy(fused, labels) == best[0]
    assert -loss(fused, labels) == pytest.approx(best[1])


def test_equal_networks_weigh_the_same():
    (scores, _), labels = made_up()
    assert tune_weights([scores, scores], labels) == (0.5, 0.5)
    assert tune_weights([scores], labels) == (1.0,)


def test_weights_are_tuned_on_what_was_seen():
    (skeleton, rgb), labels = made_up()
    present = np.array([np.ones(60, bool), np.arange(60) < 30])
    hidden = rgb.copy()
    hidden[30:] = np.nan
    assert tune_weights([skeleton, hidden], labels, present) == tune_weights(
        [skeleton[:30], rgb[:30]], labels[:30])


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_logistic_fusion_learns_which_network_to_trust(classes):
    scores, labels = made_up(600, classes, strengths=(2.0, 2.0))
    scores[1] = scores[1][:, ::-1]  # a network with its classes the wrong way round
    fusion = fit_logistic([part[:300] for part in scores], labels[:300])
    fused = fusion.fuse([part[300:] for part in scores])
    np.testing.assert_allclose(fused.sum(axis=1), 1)
    plain = fuse_scores([part[300:] for part in scores])
    own = scores[0][300:]
    assert top_k_accuracy(fused, labels[300:]) > top_k_accuracy(own, labels[300:])
    assert top_k_accuracy(fused, labels[300:]) > top_k_accuracy(plain, labels[300:])


def test_the_logistic_fusion_agrees_with_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    for classes in (2, 4):
        scores, labels = made_up(80, classes)
        inputs = np.log(np.concatenate(scores, axis=1))
        wanted = LogisticRegression(C=0.5, max_iter=1000).fit(inputs, labels)
        np.testing.assert_allclose(fit_logistic(scores, labels, strength=0.5).fuse(scores),
                                   wanted.predict_proba(inputs), atol=1e-9)


def test_the_logistic_fusion_without_pixels():
    scores, labels = made_up()
    present = np.array([np.ones(60, bool), np.arange(60) % 4 != 0])
    scores[1][~present[1]] = np.nan
    fusion = fit_logistic(scores, labels, present)
    fused = fusion.fuse(scores, present)
    np.testing.assert_array_equal(fused[::4], scores[0][::4])
    seen = [part[present[1]] for part in scores]
    np.testing.assert_allclose(fused[present[1]], fusion.fuse(seen))
    np.testing.assert_allclose(fit_logistic(seen, labels[present[1]]).coefficients,
                               fusion.coefficients)


def test_what_cannot_be_fused_is_refused():
    scores, labels = made_up()
    nobody = np.zeros((2, 60), bool)
    for call, error, message in (
        (lambda: fuse_present([]), ShapeError, "got nothing"),
        (lambda: fuse_present([scores[0], scores[1][:9]]), ShapeError, r"\[60, 3\], \[9, 3\]"),
        (lambda: fuse_present(scores, nobody), ShapeError, "got 60 that none has"),
        (lambda: fuse_present(scores, nobody[:, :9]), ShapeError, "present"),
        (lambda: fuse_present(scores, np.ones((2, 60))), ShapeError, "as bool"),
        (lambda: fuse_present([scores[0], np.log(scores[1])]), SkelactError, "softmax"),
        (lambda: fuse_present([scores[0], np.full((60, 3), np.nan)]), SkelactError, "nan"),
        (lambda: fuse_present(scores, weights=(1, 0)), ChoiceError, "above 0"),
        (lambda: tune_weights(scores, labels + 1), ShapeError, "labels in 0..2"),
        (lambda: tune_weights(scores, labels[:9]), ShapeError, "labels"),
        (lambda: tune_weights(scores, labels, steps=1), ChoiceError, "at least 2 steps"),
        (lambda: tune_weights([part[:0] for part in scores], labels[:0]), ShapeError, "got none"),
        (lambda: fit_logistic(scores, np.zeros(60, int)), SkelactError, "none of 2 classes"),
        (lambda: fit_logistic(scores, labels, strength=0), ChoiceError, "strength above 0"),
        (lambda: fit_logistic(scores, labels).fuse(scores[:1]), ShapeError, "all networks"),
    ):
        with pytest.raises(error, match=message):
            call()

"""Distances between feature sets, against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelact.errors import ShapeError, SkelactError
from skelact.evaluation.domain_distance import (
    frechet_distance,
    matrix_power,
    mean_discrepancy,
    measure_distances,
    proxy_a_distance,
    rank_correlation,
)


def normal(count: int, mean, spread, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, spread, (count, len(mean)))


def test_frechet_is_the_closed_form_of_two_normal_distributions():
    """Axis-parallel: |m1 - m2|^2 + sum (s1 - s2)^2, by the samples' own moments exactly."""
    first = normal(40, [0, 0, 0], [1, 2, 3], 0)
    second = first * [2, 1, 0.5] + [1, -2, 3]
    _, spread, axes = np.linalg.svd(np.cov(first, rowvar=False))
    first, second = first @ axes.T, first @ axes.T * [2, 1, 0.5] + [1, -2, 3]
    middle = second.mean(axis=0) - first.mean(axis=0)
    expected = middle @ middle + ((np.sqrt(spread) * (1 - np.array([2, 1, 0.5]))) ** 2).sum()
    assert frechet_distance(first, second, shrink=False) == pytest.approx(expected)


def test_frechet_of_full_covariances_is_that_of_large_samples():
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    first = normal(200_000, [0, 0, 0], [1, 2, 3], 0)
    second = normal(200_000, [1, 0, 0], [1, 2, 3], 1) @ turn
    mean = np.array([1.0, 0, 0]) @ turn
    c1, c2 = np.diag([1.0, 4, 9]), turn.T @ np.diag([1.0, 4, 9]) @ turn
    roots = np.sqrt(np.linalg.eigvals(c1 @ c2).real)
    expected = mean @ mean + np.trace(c1) + np.trace(c2) - 2 * roots.sum()
    assert frechet_distance(first, second) == pytest.approx(expected, rel=0.02)


def test_fewer_clips_than_features_do_not_explode():
    """Shrinking the covariances keeps the distance of alike sets small."""
    first, second = (normal(20, [0.0] * 64, 1, seed) for seed in (0, 1))
    assert frechet_distance(first, second) < 0.25 * frechet_distance(first, second, shrink=False)
    assert np.isfinite(measure_distances(first, second)["frechet"])


def test_powers_of_matrices_undo_each_other():
    spread = np.cov(np.random.default_rng(0).normal(size=(5, 30)))
    root = matrix_power(spread, 0.5)
    np.testing.assert_allclose(root @ root, spread, atol=1e-12)
    np.testing.assert_allclose(matrix_power(spread, -0.5) @ root, np.eye(5), atol=1e-9)
    flat = np.diag([4.0, 0.0])
    np.testing.assert_allclose(matrix_power(flat, 0.5), np.diag([2.0, 0.0]))
    np.testing.assert_allclose(matrix_power(flat, -0.5, least=0.01), np.diag([0.5, 5.0]))


def test_discrepancy_has_no_bias_where_both_are_alike():
    values = [mean_discrepancy(normal(30, [0, 0], 1, seed), normal(50, [0, 0], 1, 1000 + seed))
              for seed in range(60)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(60)
    assert min(values) < 0 < max(values)


def test_discrepancy_is_the_closed_form_of_two_normal_distributions():
    """One dimension, variance 1, a kernel of bandwidth 1: 2 / sqrt(3) (1 - exp(-d^2 / 6))."""
    values = [mean_discrepancy(normal(1500, [0], 1, seed), normal(1500, [2], 1, 50 + seed), 1.0)
              for seed in range(4)]
    assert np.mean(values) == pytest.approx(2 / np.sqrt(3) * (1 - np.exp(-4 / 6)), rel=0.05)


def test_discrepancy_of_rows_counts_every_pair_once():
    first, second = np.array([[0.0], [1.0]]), np.array([[3.0], [3.0], [4.0]])

    def kernel(distance):
        return np.exp(-distance**2 / 2)

    within = kernel(1) + (kernel(0) + 2 * kernel(1)) / 3
    across = (2 * kernel(3) + kernel(4) + 2 * kernel(2) + kernel(3)) / 6
    assert mean_discrepancy(first, second, 1.0) == pytest.approx(within - 2 * across)


def test_proxy_a_is_0_where_nobody_can_tell_and_2_where_anybody_can():
    alike = proxy_a_distance(normal(400, [0] * 4, 1, 0), normal(900, [0] * 4, 1, 1))
    assert 0 <= alike < 0.2  # the sets are unequal in size, which says nothing
    assert proxy_a_distance(normal(40, [0, 0], 0.1, 0), normal(60, [3, 0], 0.1, 1)) == 2


def test_proxy_a_between_is_that_of_the_best_line():
    """Means 2 apart, spread 1: the best line errs with probability 0.1587."""
    found = proxy_a_distance(normal(2000, [0, 0], 1, 0), normal(2000, [2, 0], 1, 1))
    assert found == pytest.approx(2 * (1 - 2 * 0.1587), abs=0.1)


@given(st.integers(0, 1000), st.integers(2, 12), st.integers(2, 12), st.integers(1, 20))
def test_all_are_finite_symmetric_and_in_range(seed, first, second, features):
    random = np.random.default_rng(seed)
    source, target = random.normal(size=(first, features)), random.normal(size=(second, features))
    there, back = measure_distances(source, target), measure_distances(target, source)
    assert there["frechet"] >= 0
    assert -1 <= there["mmd"] <= 2
    assert 0 <= there["proxy_a"] <= 2
    for name in ("frechet", "mmd"):
        assert there[name] == pytest.approx(back[name], rel=1e-6, abs=1e-9)


def test_correlation_is_of_ranks():
    assert rank_correlation([1, 2, 10], [0.1, 0.2, 0.3]) == pytest.approx(1)
    assert rank_correlation([1, 2, 10], [0.3, 0.2, 0.1]) == pytest.approx(-1)
    assert np.isnan(rank_correlation([1, 2], [1, 2]))
    assert np.isnan(rank_correlation([1, 1, 1], [1, 2, 3]))
    assert rank_correlation([1, 2, 3, 4], [1, np.nan, 2, 3]) == pytest.approx(1)


def test_what_is_refused():
    good = normal(5, [0, 0], 1, 0)
    for bad in (good[:1], good[:, :1], good[0]):
        with pytest.raises(ShapeError, match=r"features \[L1, D\] and \[L2, D\]"):
            measure_distances(good, bad)
    with pytest.raises(SkelactError, match="finite"):
        frechet_distance(good, good * np.nan)

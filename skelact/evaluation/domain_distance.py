"""How far two sets of features lie apart, as data sets seen by one network.

Conventions: ``source [L1, D]`` and ``target [L2, D]`` are features of two data sets, a row a clip,
at least two rows each. Every distance is 0 in expectation where both come from one distribution,
but for `frechet_distance`, which few samples make larger. None looks at labels.
"""

import warnings

import numpy as np
from scipy.linalg import eigh
from scipy.spatial.distance import cdist, pdist
from scipy.stats import spearmanr
from sklearn.covariance import ledoit_wolf
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skelact.errors import ShapeError, SkelactError

_MOST = 2000
"""Rows of each set that pairs are made of; more change little and cost their square."""


def frechet_distance(source: np.ndarray, target: np.ndarray, shrink: bool = True) -> float:
    """Squared distance between the normal distributions that fit best.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``.

    Args:
        source: ``[L1, D]``.
        target: ``[L2, D]``.
        shrink: Estimate covariances by Ledoit and Wolf. Without it they are singular where there
            are fewer clips than features, and the distance grows as clips get fewer.

    Returns:
        At least 0, in squared units of the features.

    Sources: Dowson and Landau, "The Fréchet Distance between Multivariate Normal Distributions",
    1982; Ledoit and Wolf, "A Well-Conditioned Estimator for Large-Dimensional Covariance
    Matrices", 2004.
    """
    source, target = validate(source, target)
    first, second = (_covariance(part, shrink) for part in (source, target))
    root = matrix_power(first, 0.5)  # root @ second @ root: symmetric, eigenvalues of the product
    between = matrix_power(root @ second @ root, 0.5)
    shift = source.mean(axis=0) - target.mean(axis=0)
    return max(0.0, float(shift @ shift + np.trace(first + second - 2 * between)))


def mean_discrepancy(
    source: np.ndarray, target: np.ndarray, bandwidth: float | None = None, seed: int = 0
) -> float:
    """Squared maximum mean discrepancy with a Gaussian kernel, without bias.

    Args:
        source: ``[L1, D]``.
        target: ``[L2, D]``.
        bandwidth: Standard deviation of the kernel; by default the median distance between two
            rows of both sets together.
        seed: Of the rows taken where a set has more than 2,000.

    Returns:
        About 0 for one distribution (it may be below), at most about 2.

    Source: Gretton et al., "A Kernel Two-Sample Test", JMLR 2012, equation 3.
    """
    source, target = (_sample(part, seed) for part in validate(source, target))
    if bandwidth is None:
        apart = pdist(np.concatenate([_sample(source, seed, 1000), _sample(target, seed, 1000)]))
        bandwidth = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0

    def kernel(squares: np.ndarray) -> np.ndarray:
        return np.exp(-squares / (2 * bandwidth**2))

    within = sum(kernel(pdist(part, "sqeuclidean")).mean() for part in (source, target))
    return float(within - 2 * kernel(cdist(source, target, "sqeuclidean")).mean())


def proxy_a_distance(
    source: np.ndarray, target: np.ndarray, folds: int = 5, seed: int = 0
) -> float:
    """How well a linear classifier tells the two sets apart: ``2 (1 - 2 error)``.

    The error is that of logistic regression on clips it has not learned from, the mean over the
    two sets, so that their sizes do not matter.

    Args:
        source: ``[L1, D]``.
        target: ``[L2, D]``.
        folds: Parts of the cross-validation; fewer where a set has fewer rows.
        seed: Of the parts, and of the rows taken where a set has more than 2,000.

    Returns:
        0 where they cannot be told apart (errors above a half count as a half), 2 where they
        always can.

    Source: Ben-David et al., "Analysis of Representations for Domain Adaptation", NIPS 2006.
    """
    source, target = (_sample(part, seed) for part in validate(source, target))
    features = np.concatenate([source, target])
    labels = np.repeat([0, 1], [len(source), len(target)])
    parts = StratifiedKFold(min(folds, len(source), len(target)), shuffle=True, random_state=seed)
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=500))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged to the last digit is near enough
        right = cross_val_score(classifier, features, labels, cv=parts,
                                scoring="balanced_accuracy").mean()
    return float(2 * (1 - 2 * min(0.5, 1 - right)))


def measure_distances(source: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """All three, by name: ``frechet``, ``mmd`` and ``proxy_a``."""
    return {"frechet": frechet_distance(source, target), "mmd": mean_discrepancy(source, target),
            "proxy_a": proxy_a_distance(source, target)}


def rank_correlation(distances: np.ndarray, drops: np.ndarray) -> float:
    """Spearman's correlation; NaN for fewer than three pairs, or where one side is constant."""
    distances, drops = np.asarray(distances, float), np.asarray(drops, float)
    known = np.isfinite(distances) & np.isfinite(drops)
    distances, drops = distances[known], drops[known]
    if len(drops) < 3 or np.ptp(distances) == 0 or np.ptp(drops) == 0:
        return float("nan")
    return float(spearmanr(distances, drops).statistic)


def validate(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two feature sets as float64 arrays that fit each other.

    Raises:
        ShapeError: Not ``[L1, D]`` and ``[L2, D]`` with at least two rows each.
        SkelactError: A value is not finite.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if (source.ndim, target.ndim) != (2, 2) or source.shape[1] != target.shape[1] or (
            min(len(source), len(target)) < 2):
        raise ShapeError("expected features [L1, D] and [L2, D] of at least two clips each, got "
                         f"{list(source.shape)} and {list(target.shape)}")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise SkelactError("expected finite features; some are NaN or infinite")
    return source, target


def _covariance(features: np.ndarray, shrink: bool) -> np.ndarray:
    if shrink:
        return ledoit_wolf(features)[0]
    return np.atleast_2d(np.cov(features, rowvar=False))


def matrix_power(matrix: np.ndarray, exponent: float, least: float = 0.0) -> np.ndarray:
    """A power of a symmetric matrix without negative eigenvalues but by rounding.

    Args:
        matrix: ``[D, D]``.
        exponent: The power, such as 0.5 for the square root.
        least: Eigenvalues are at least this share of the largest; above 0 for negative powers.
    """
    values, vectors = eigh((matrix + matrix.T) / 2)
    values = values.clip(max(values.max(), 1e-12) * least)
    return (vectors * values**exponent) @ vectors.T


def _sample(features: np.ndarray, seed: int, most: int = _MOST) -> np.ndarray:
    if len(features) <= most:
        return features
    return np.random.default_rng(seed).choice(features, most, replace=False)

"""How far a figure can be trusted: intervals, and tests of two models on the same samples.

Conventions:
    - A metric is a function of rows: ``metric(rows)`` is its value over those samples, which may
      stand there several times. So anything can be resampled, whatever its arrays.
    - Samples are drawn with replacement; with ``groups`` (people, recordings) whole groups are,
      because the clips of a person are alike. Then the interval says what other people may bring.
    - Ends are percentiles of the draws, corrected for bias and skewness (BCa; the acceleration is a
      sixth of the skewness of the draws, which for means is the same as the jackknife's and costs
      nothing). They are too near where units are few, so their distances from the value are
      stretched by ``sqrt(G / (G - 1)) t / z``: the bootstrap's missing ``G - 1``, and Student's
      quantile (``G - 1`` degrees of freedom) for the normal one. G is the number of units, or what
      groups of unlike size are worth: ``(sum n)^2 / sum n^2``, at least 2. What this covers is
      simulated in ``benchmarks/metric_oracles.py``.
    - An interval lies within ``limits``, the least and greatest value that the metric can have.
    - Draws that give NaN (no sample of a class, say) are left out. Where there is nothing to
      resample (no sample, one group, a value of NaN) the ends are NaN: no interval is known.
    - A figure that no draw changes (all right, two models that never differ) says little about what
      was not seen: of G units alike, another kind can still make up ``1 - ((1 - level) / 2)^(1/G)``
      of all (Clopper and Pearson's bound), and its value lie anywhere within the limits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, norm, skew, t

from skelact.checks import check_shape
from skelact.errors import ChoiceError, ShapeError, SkelactError

Metric = Callable[[np.ndarray], float]
"""From rows ``[n]`` int64 to a value."""


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that it can be trusted to lie in; NaN ends: unknown.

    Args:
        value: The figure.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if np.isnan(self.low) or np.isnan(self.high):
            return f"{self.value:.3f} [interval unknown]"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(
    metric: Metric,
    count: int,
    groups: Sequence | np.ndarray | None = None,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
    limits: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """A metric with its interval.

    Args:
        metric: Its value over rows.
        count: Samples, L.
        groups: ``[L]`` to whom each belongs, such as subjects; by default to none but itself.
        draws: Resamplings.
        level: Share of intervals that shall cover the truth.
        seed: Of the draws.
        limits: Least and greatest value of the metric.

    Raises:
        ShapeError: Not one group a sample.
        ChoiceError: A level outside (0, 1) or less than one draw.
        SkelactError: The metric leaves its limits.

    Source: Efron, "Better Bootstrap Confidence Intervals", 1987 (BCa); Hesterberg, "What Teachers
    Should Know About the Bootstrap", 2015 (few units); Carter et al., "Asymptotic Behavior of a
    t-Test Robust to Cluster Heterogeneity", 2017 (groups of unlike size).
    """
    if not (0 < level < 1 and draws >= 1):
        raise ChoiceError(f"expected a level in (0, 1) and at least one draw, got {level} and "
                          f"{draws}")
    rows, sizes = _units(count, groups)
    value = float(metric(np.arange(count)))
    if len(sizes) < 2 or np.isnan(value):
        return Interval(value, float("nan"), float("nan"))
    drawn = _resample(metric, rows, sizes, draws, seed)
    _check_limits(np.append(drawn, value), limits)
    if not len(drawn):
        return Interval(value, float("nan"), float("nan"))
    tail, worth = (1 - level) / 2, max(2.0, sizes.sum() ** 2 / (sizes**2).sum())
    if drawn.max() - drawn.min() < 1e-12:
        unseen = 1 - tail ** (1 / worth)
        return Interval(value, value - unseen * (value - limits[0]),
                        value + unseen * (limits[1] - value))
    stretch = np.sqrt(worth / (worth - 1)) * t.ppf(tail, worth - 1) / norm.ppf(tail)
    low, high = value + stretch * (np.quantile(drawn, _corrected(drawn, value, tail)) - value)
    return Interval(value, float(min(value, max(low, limits[0]))),
                    float(max(value, min(high, limits[1]))))


def paired_bootstrap(
    metric_a: Metric,
    metric_b: Metric,
    count: int,
    groups: Sequence | np.ndarray | None = None,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
    limits: tuple[float, float] = (-1.0, 1.0),
) -> Interval:
    """How much better the first of two models is, on the same samples in every draw.

    Args:
        metric_a: Value of the first model over rows.
        metric_b: Value of the second model over the same rows.
        count: Samples, L.
        groups: As of `bootstrap`.
        draws: Resamplings.
        level: Share of intervals that shall cover the truth.
        seed: Of the draws.
        limits: Least and greatest difference.

    Returns:
        The difference, first less second; the models differ if 0 lies outside the interval.

    Raises:
        SkelactError: As of `bootstrap`.
    """
    return bootstrap(lambda rows: metric_a(rows) - metric_b(rows), count, groups, draws, level,
                     seed, limits)


def mcnemar(right_a: np.ndarray, right_b: np.ndarray) -> float:
    """Exact p-value of McNemar's test: are two models right equally often?

    Only the samples count that one gets right and the other wrong. They are taken as independent;
    where people have many clips each, `paired_bootstrap` with groups is the safer answer.

    Args:
        right_a: ``[L]`` bool, what the first model gets right.
        right_b: ``[L]`` bool of the second.

    Returns:
        Two-sided p; 1 where they never differ.

    Raises:
        ShapeError: Not two bool arrays of one length.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions
    or percentages", 1947.
    """
    right_a, right_b = np.asarray(right_a), np.asarray(right_b)
    if right_a.ndim != 1 or right_a.shape != right_b.shape or {
            right_a.dtype.kind, right_b.dtype.kind} != {"b"}:
        raise ShapeError("expected two bool arrays [L], got "
                         f"{right_a.dtype} {list(right_a.shape)} and "
                         f"{right_b.dtype} {list(right_b.shape)}")
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def wilson(successes: int, trials: int, level: float = 0.95) -> Interval:
    """A share with Wilson's score interval, which has a width even for none and all.

    Args:
        successes: How many of the trials.
        trials: Independent trials; 0 gives NaN.
        level: Share of intervals that shall cover the truth.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
    """
    if not trials:
        return Interval(float("nan"), float("nan"), float("nan"))
    found = binomtest(int(successes), int(trials)).proportion_ci(level, method="wilson")
    return Interval(successes / trials, float(found.low), float(found.high))


def class_intervals(confusion: np.ndarray, level: float = 0.95) -> list[Interval]:
    """Recall of every class with Wilson's interval; NaN for a class that does not occur.

    Args:
        confusion: ``[K, K]`` counts as [true, predicted].
        level: Share of intervals that shall cover the truth.
    """
    confusion = check_shape(np.asarray(confusion), ("K", len(confusion)), "confusion")
    return [wilson(int(right), int(support), level)
            for right, support in zip(np.diagonal(confusion), confusion.sum(axis=1), strict=True)]


def _units(count: int, groups: Sequence | np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """``[count]`` rows, those of a unit that is drawn as a whole together; ``[G]`` their counts."""
    if groups is None:
        return np.arange(count), np.ones(count, np.int64)
    groups = check_shape(np.asarray(groups), (count,), "groups")
    _, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return np.argsort(inverse, kind="stable"), sizes


def _resample(
    metric: Metric, rows: np.ndarray, sizes: np.ndarray, draws: int, seed: int
) -> np.ndarray:
    """The metric over resampled units; draws that give NaN are left out."""
    random = np.random.default_rng(seed)
    units = np.split(rows, np.cumsum(sizes)[:-1]) if (sizes > 1).any() else None
    values = np.empty(draws)
    for draw in range(draws):
        chosen = random.integers(0, len(sizes), len(sizes))
        values[draw] = metric(rows[chosen] if units is None
                              else np.concatenate([units[unit] for unit in chosen]))
    return values[~np.isnan(values)]


def _corrected(drawn: np.ndarray, value: float, tail: float) -> np.ndarray:
    """The two levels at which to read the draws instead of ``tail`` and ``1 - tail``."""
    below = ((drawn < value).mean() + (drawn <= value).mean()) / 2
    bias = norm.ppf(np.clip(below, 0.01, 0.99))
    lean = np.clip(skew(drawn) / 6, -0.15, 0.15)
    ends = bias + norm.ppf([tail, 1 - tail])
    return norm.cdf(bias + ends / (1 - lean * ends))


def _check_limits(values: np.ndarray, limits: tuple[float, float]) -> None:
    slack = 1e-9 * (limits[1] - limits[0]) if np.isfinite(limits).all() else 0.0
    if values.min() < limits[0] - slack or values.max() > limits[1] + slack:
        raise SkelactError(f"expected a metric from {limits[0]:g} to {limits[1]:g}, got values "
                           f"from {values.min():g} to {values.max():g}; limits= says what it can "
                           "be")

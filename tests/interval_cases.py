"""Made-up tests of models whose true figures are known: do intervals cover them?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skelact.evaluation.intervals import Interval, bootstrap, paired_bootstrap


@dataclass(frozen=True)
class Condition:
    """What is simulated.

    Args:
        share: The true accuracy.
        clips: Clips in all, or of each person: a number, or from and to.
        people: How many; 0 for clips that have nothing to do with each other.
        likeness: Correlation of the clips of a person (people differ in how well they are
            recognized: beta-distributed).
        metric: ``accuracy``; ``classes``, mean class accuracy over ten classes that are recognized
            alike; ``difference`` from a second model that is as good and often right together.
    """

    share: float
    clips: int | tuple[int, int] = 200
    people: int = 0
    likeness: float = 0.1
    metric: str = "accuracy"

    @property
    def truth(self) -> float:
        return 0.0 if self.metric == "difference" else self.share


def draw_people(condition: Condition, random) -> tuple[np.ndarray | None, np.ndarray]:
    """Whom each clip shows (None: nobody known), and how likely it is recognized."""
    if not condition.people:
        return None, np.full(condition.clips, condition.share)
    low, high = np.broadcast_to(condition.clips, 2)
    sizes = random.integers(low, high + 1, condition.people)
    spread = 1 / condition.likeness - 1
    skill = random.beta(condition.share * spread, (1 - condition.share) * spread, condition.people)
    return np.repeat(np.arange(condition.people), sizes), np.repeat(skill, sizes)


def draw_metric(condition: Condition, random) -> tuple[Callable, int, np.ndarray | None, Callable]:
    """A metric of rows, how many rows there are, and whom they show; a second metric likewise."""
    people, chance = draw_people(condition, random)
    right = random.random(len(chance)) < chance
    if condition.metric == "classes":
        labels = random.integers(0, 10, len(chance))

        def class_mean(rows):
            totals = np.bincount(labels[rows], minlength=10)
            found = np.bincount(labels[rows], right[rows], 10)
            return (found[totals > 0] / totals[totals > 0]).mean()
        return class_mean, len(chance), people, class_mean
    other = np.where(random.random(len(chance)) < 0.6, right, random.random(len(chance)) < chance)
    return (lambda rows: right[rows].mean()), len(chance), people, lambda rows: other[rows].mean()


def find_interval(condition: Condition, random, draws: int) -> Interval:
    """The interval that one made-up test gives."""
    metric, count, people, other = draw_metric(condition, random)
    seed = int(random.integers(2**31))
    if condition.metric == "difference":
        return paired_bootstrap(metric, other, count, people, draws, seed=seed)
    return bootstrap(metric, count, people, draws, seed=seed)


def measure_coverage(condition: Condition, repeats: int, draws: int) -> tuple[float, float]:
    """Share of intervals that hold the truth, and their mean width."""
    found = [find_interval(condition, np.random.default_rng([repeat, 5]), draws)
             for repeat in range(repeats)]
    held = [one.low - 1e-12 <= condition.truth <= one.high + 1e-12 for one in found]
    return float(np.mean(held)), float(np.mean([one.high - one.low for one in found]))

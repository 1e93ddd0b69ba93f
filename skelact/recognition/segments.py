"""From the scores of overlapping windows to labelled stretches of time."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SHORTEST_SEGMENT = 0.6
"""Seconds: a label that holds for less is taken for noise."""


@dataclass(frozen=True)
class Segment:
    """One action of one person.

    Args:
        start: Seconds.
        end: Seconds.
        label: The action.
        score: Mean probability over the segment.
        top: The likeliest actions with their mean probabilities, best first.
    """

    start: float
    end: float
    label: str
    score: float
    top: tuple[tuple[str, float], ...]


def merge_windows(
    spans: np.ndarray,
    scores: np.ndarray,
    classes: Sequence[str],
    threshold: float,
    keep_top: int = 5,
) -> list[Segment]:
    """Merge window scores into segments.

    Time is cut at every start and end of a window. In each piece the scores of the windows over
    it are averaged; the best class names the piece if it reaches the threshold. Neighbouring
    pieces of one name become a segment.

    Args:
        spans: ``[W, 2]`` start and end of each window in seconds.
        scores: ``[W, classes]`` probabilities.
        classes: Their names.
        threshold: Least probability that names an action.
        keep_top: How many of the likeliest classes a segment lists.

    Returns:
        Segments in order of time; none where no action reaches the threshold.
    """
    if not len(spans):
        return []
    edges = np.unique(spans.round(6))
    pieces = list(itertools.pairwise(edges))
    middles = (edges[:-1] + edges[1:]) / 2
    over = (spans[:, :1] <= middles) & (middles < spans[:, 1:])  # [W, pieces]
    covered = over.sum(axis=0)
    mean = over.T @ scores / np.maximum(covered, 1)[:, None]  # [pieces, classes]
    best = np.where((mean.max(axis=1) >= threshold) & (covered > 0), mean.argmax(axis=1), -1)
    segments = []
    for first, last in _stretches(best, pieces):
        start, end = pieces[first][0], pieces[last][1]
        if best[first] < 0 or end - start < SHORTEST_SEGMENT:
            continue
        lengths = np.diff(edges)[first : last + 1]
        average = np.average(mean[first : last + 1], axis=0, weights=lengths)
        order = np.argsort(-average)[:keep_top]
        segments.append(Segment(
            float(start), float(end), classes[best[first]], float(average[best[first]]),
            tuple((classes[i], float(average[i])) for i in order),
        ))
    return segments


def _stretches(best: np.ndarray, pieces: list[tuple[float, float]]) -> list[tuple[int, int]]:
    """(first, last) piece of every stretch of one label without a break in time."""
    stretches, first = [], 0
    for i in range(1, len(best) + 1):
        apart = i < len(best) and pieces[i][0] > pieces[i - 1][1] + 1e-6
        if i == len(best) or best[i] != best[first] or apart:
            stretches.append((first, i - 1))
            first = i
    return stretches

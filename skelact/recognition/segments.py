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


@dataclass(frozen=True, eq=False)
class ScoreCurves:
    """Mean scores of the windows over one person, piece by piece of time.

    Args:
        edges: ``[P + 1]`` seconds, rising, between which the pieces lie.
        labels: L actions, the one that scores highest anywhere first.
        scores: ``[L, P]`` probabilities; NaN where no window lies.
    """

    edges: np.ndarray
    labels: tuple[str, ...]
    scores: np.ndarray

    def to_dict(self) -> dict:
        """Plain values for JSON; None where no window lies."""
        return {"edges": self.edges.round(3).tolist(), "labels": list(self.labels),
                "scores": [[None if np.isnan(score) else score for score in row]
                           for row in self.scores.round(4).tolist()]}


def score_curves(spans: np.ndarray, scores: np.ndarray, classes: Sequence[str],
                 keep_top: int = 5) -> ScoreCurves:
    """The scores that `merge_windows` names segments by, of the likeliest actions.

    Args:
        spans: ``[W, 2]`` start and end of each window in seconds.
        scores: ``[W, classes]`` probabilities.
        classes: Their names.
        keep_top: How many actions, those that score highest anywhere.
    """
    if not len(spans):
        return ScoreCurves(np.empty(0), (), np.empty((0, 0)))
    edges, mean, covered = _average_pieces(spans.round(6), np.asarray(scores, np.float64))
    kept = np.argsort(-mean.max(axis=0), kind="stable")[:keep_top]
    return ScoreCurves(edges, tuple(classes[i] for i in kept),
                       np.where(covered, mean[:, kept].T, np.nan))


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
    edges, mean, covered = _average_pieces(spans.round(6), np.asarray(scores, np.float64))
    named = covered & (mean.max(axis=1) >= threshold)
    best = np.where(named, mean.argmax(axis=1), -1)
    segments = []
    for label, group in itertools.groupby(range(len(best)), key=lambda piece: best[piece]):
        pieces = list(group)
        first, last = pieces[0], pieces[-1]
        start, end = float(edges[first]), float(edges[last + 1])
        if label < 0 or end - start < SHORTEST_SEGMENT:
            continue
        rows = slice(first, last + 1)
        average = np.average(mean[rows], axis=0, weights=np.diff(edges)[rows])
        order = np.argsort(-average, kind="stable")[:keep_top]
        top = tuple((classes[i], float(average[i])) for i in order)
        segments.append(Segment(start, end, classes[label], float(average[label]), top))
    return segments


def _average_pieces(
    spans: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut time at every start and end; average the windows over each piece.

    Returns:
        ``[P + 1]`` edges of the pieces in seconds, ``[P, classes]`` mean scores, and ``[P]``
        whether a window lies over the piece at all.
    """
    edges = np.unique(spans)
    middles = (edges[:-1] + edges[1:]) / 2
    over = (spans[:, :1] <= middles) & (middles < spans[:, 1:])  # [W, P]
    windows = over.sum(axis=0)
    return edges, over.T @ scores / np.maximum(windows, 1)[:, None], windows > 0

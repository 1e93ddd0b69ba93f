"""Whether probabilities mean what they say, and whether the unknown is told from the known.

Conventions:
    - Confidence is the highest probability of a sample; a network that rejects may sum to less
      than 1. The sample is right if its true class alone has it: ties count against the true class.
    - ``bins`` of equal width over [0, 1]; a confidence on an edge belongs to the bin below, and 0
      to the first. Empty bins have NaN for means and no part in the error.
    - An empty input gives NaN. NaN among scores is refused.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from skelact.checks import check_shape
from skelact.errors import ChoiceError, SkelactError
from skelact.evaluation.metrics import validate
from skelact.evaluation.scores import check_probabilities


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence against accuracy, bin by bin.

    Args:
        edges: ``[bins + 1]`` of the bins, from 0 to 1.
        confidence: ``[bins]`` mean confidence; NaN in an empty bin.
        accuracy: ``[bins]`` share of right samples; NaN in an empty bin.
        count: ``[bins]`` samples.
    """

    edges: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray


def reliability(scores: np.ndarray, labels: np.ndarray, bins: int = 15) -> Reliability:
    """What a reliability diagram shows.

    Args:
        scores: ``[L, K]`` probabilities.
        labels: ``[L]`` class indices.
        bins: How many.

    Raises:
        ShapeError: Wrong axes, or a label outside the classes.
        SkelactError: Scores that are no probabilities.
        ChoiceError: ``bins`` below 1.
    """
    if bins < 1:
        raise ChoiceError(f"expected at least one bin, got {bins}")
    scores, labels = validate(scores, labels)
    check_probabilities(scores)
    confidence = scores.max(axis=1) if len(scores) else np.empty(0)
    right = (scores[np.arange(len(labels)), labels] == confidence) & (
        (scores == confidence[:, None]).sum(axis=1) == 1)
    edges = np.linspace(0.0, 1.0, bins + 1)
    at = np.clip(np.searchsorted(edges, confidence) - 1, 0, bins - 1)
    count = np.bincount(at, minlength=bins)
    with np.errstate(invalid="ignore"):
        return Reliability(edges, np.bincount(at, confidence, bins) / count,
                           np.bincount(at, right, bins) / count, count)


def expected_calibration_error(scores: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """Mean distance of confidence and accuracy, bins weighted by their samples.

    Args:
        scores: ``[L, K]`` probabilities.
        labels: ``[L]`` class indices.
        bins: Bins of confidence.

    Returns:
        The error in [0, 1]; NaN without samples.

    Raises:
        SkelactError: As of `reliability`.

    Source: Guo et al., "On Calibration of Modern Neural Networks", 2017, section 2.
    """
    found = reliability(scores, labels, bins)
    filled = found.count > 0
    if not filled.any():
        return float("nan")
    gap = np.abs(found.confidence - found.accuracy)[filled]
    return float(np.average(gap, weights=found.count[filled]))


def unknown_auroc(known: np.ndarray, unknown: np.ndarray) -> float:
    """Chance that a sample of a known class scores higher than one of no known class.

    It is the area under the ROC curve of rejection, whatever the threshold; equal scores count
    half.

    Args:
        known: ``[L1]`` what speaks for a known class, such as the highest class probability.
        unknown: ``[L2]`` the same of samples of no known class.

    Returns:
        The area in [0, 1], 0.5 for chance; NaN where either is empty.

    Raises:
        ShapeError: Wrong axes.
        SkelactError: A score is NaN.
    """
    known, unknown = np.asarray(known, np.float64), np.asarray(unknown, np.float64)
    check_shape(known, ("L1",), "known")
    check_shape(unknown, ("L2",), "unknown")
    if np.isnan(known).any() or np.isnan(unknown).any():
        raise SkelactError("expected scores without NaN; the network has not learned, or its "
                           "input was broken")
    if not (len(known) and len(unknown)):
        return float("nan")
    ranks = rankdata(np.concatenate([known, unknown]))[: len(known)]
    above = ranks.sum() - len(known) * (len(known) + 1) / 2  # pairs, ties as half
    return float(above / (len(known) * len(unknown)))

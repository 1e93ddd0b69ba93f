"""Fusion of the scores of networks that see different things, some of which may be missing.

What is learned here (weights, a logistic regression) is learned on validation clips, never on
those of the test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import softmax

from skelact.checks import check_shape
from skelact.errors import ChoiceError, ShapeError, SkelactError
from skelact.evaluation.fusion import check_weights
from skelact.evaluation.metrics import top_k_accuracy, validate
from skelact.evaluation.scores import check_probabilities
from skelact.rgb.two_stream import SMALLEST


def fuse_present(
    scores: Sequence[np.ndarray], present: np.ndarray | None = None,
    weights: Sequence[float] | None = None,
) -> np.ndarray:
    """Weighted mean of what those networks say of a clip that have seen it.

    Of a clip that one network alone has seen, its row comes out as it is.

    Args:
        scores: A ``[L, K]`` array of probabilities a network; rows of clips that it has not seen
            may hold anything, also NaN.
        present: ``[n, L]`` bool, whether each of n networks has seen each clip; by default all.
        weights: One number above 0 a network, of any sum; by default all weigh the same.

    Returns:
        ``[L, K]`` float64 probabilities.

    Raises:
        ShapeError: The arrays differ in shape, there is none, or nobody has seen a clip.
        ChoiceError: Not one weight a network, or one that is not above 0.
        SkelactError: Scores that are no probabilities.
    """
    arrays, present = _as_arrays(scores, present)
    shares = check_weights([1.0] * len(arrays) if weights is None else weights, len(arrays))
    return _mean(arrays, present, shares)


def tune_weights(
    scores: Sequence[np.ndarray], labels: np.ndarray, present: np.ndarray | None = None,
    steps: int = 20,
) -> tuple[float, ...]:
    """The weights with the highest top-1 accuracy on validation clips.

    Of weights with the same accuracy, those with the lowest log loss are taken.

    Args:
        scores: As of `fuse_present`, of validation clips.
        labels: ``[L]`` their classes.
        present: As of `fuse_present`.
        steps: Weights are tried in steps of 1 / ``steps``, from one step on.

    Returns:
        One weight above 0 a network; they sum to 1.

    Raises:
        ShapeError: The arrays do not fit each other, or there are no clips.
        ChoiceError: Fewer steps than networks.
        SkelactError: Scores that are no probabilities.
    """
    arrays, present = _as_arrays(scores, present)
    validate(np.zeros(arrays.shape[1:]), labels)
    if not len(labels):
        raise ShapeError("expected validation clips to tune weights on, got none")
    best, found = None, None
    for weights in _simplex(len(arrays), steps):
        fused = _mean(arrays, present, weights)
        own = fused[np.arange(len(labels)), labels]
        loss = -np.log(np.maximum(own, SMALLEST)).mean()
        merit = (-top_k_accuracy(fused, labels), round(float(loss), 12))
        if best is None or merit < best:
            best, found = merit, weights
    return tuple(found.tolist())


@dataclass(frozen=True, eq=False)
class LogisticFusion:
    """A logistic regression on the log-probabilities of several networks.

    Args:
        coefficients: ``[n K, K]``: of every network's every class, for every class.
        intercepts: ``[K]``.

    Source: Wolpert, "Stacked Generalization", Neural Networks 1992.
    """

    coefficients: np.ndarray
    intercepts: np.ndarray

    def fuse(
        self, scores: Sequence[np.ndarray], present: np.ndarray | None = None
    ) -> np.ndarray:
        """``[L, K]`` probabilities.

        Of a clip that a network has not seen, the mean of those that have is taken instead.

        Args:
            scores: As of `fuse_present`, of the networks that it was fitted to, in their order.
            present: As of `fuse_present`.

        Raises:
            ShapeError: Other networks or classes, or nobody has seen a clip.
            SkelactError: Scores that are no probabilities.
        """
        arrays, present = _as_arrays(scores, present)
        inputs = _log_scores(arrays)
        check_shape(inputs, ("L", len(self.coefficients)), "scores of all networks")
        fused = softmax(inputs @ self.coefficients + self.intercepts, axis=1)
        seen_by_all = present.all(axis=0)[:, None]
        return np.where(seen_by_all, fused, _mean(arrays, present, np.ones(len(arrays))))


def fit_logistic(
    scores: Sequence[np.ndarray], labels: np.ndarray, present: np.ndarray | None = None,
    strength: float = 1.0,
) -> LogisticFusion:
    """Learn a logistic fusion on validation clips that all networks have seen.

    Args:
        scores: As of `fuse_present`, of validation clips.
        labels: ``[L]`` their classes.
        present: As of `fuse_present`.
        strength: How freely it may fit, the inverse of its regularisation.

    Raises:
        ShapeError: The arrays do not fit each other.
        ChoiceError: A strength that is not above 0.
        SkelactError: A class without a clip that all have seen; tune_weights needs none.
    """
    from sklearn.linear_model import LogisticRegression  # half a second, and seldom needed

    if not strength > 0:
        raise ChoiceError(f"expected a strength above 0, got {strength}")
    arrays, present = _as_arrays(scores, present)
    labels = validate(np.zeros(arrays.shape[1:]), labels)[1]
    rows, classes = present.all(axis=0), arrays.shape[2]
    absent = np.setdiff1d(np.arange(classes), labels[rows])
    if len(absent) or classes < 2:
        raise SkelactError(f"expected validation clips of each of {classes} classes (at least two) "
                           f"that all networks have seen, got none of {len(absent)} classes; "
                           "tune_weights needs fewer")
    fitted = LogisticRegression(C=strength, max_iter=1000).fit(
        _log_scores(arrays[:, rows]), labels[rows])
    coefficients, intercepts = fitted.coef_.T, fitted.intercept_
    if classes == 2:  # one column, the log-odds of the second class
        coefficients = np.hstack([np.zeros_like(coefficients), coefficients])
        intercepts = np.append(0.0, intercepts)
    return LogisticFusion(coefficients, intercepts)


def _as_arrays(
    scores: Sequence[np.ndarray], present: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Scores ``[n, L, K]``, 0 where a network has not seen a clip, and ``[n, L]`` who has."""
    arrays = [np.asarray(array, np.float64) for array in scores]
    shapes = {array.shape for array in arrays}
    if len(shapes) != 1 or arrays[0].ndim != 2:
        listed = ", ".join(str(list(array.shape)) for array in arrays) or "nothing"
        raise ShapeError(f"expected scores [L, K] of the same clips and classes, got {listed}")
    joined = np.stack(arrays)
    if present is None:
        present = np.ones(joined.shape[:2], bool)
    present = np.asarray(present)
    check_shape(present, joined.shape[:2], "present [networks, clips]")
    if present.dtype != bool:
        raise ShapeError(f"expected present [networks, clips] as bool, got {present.dtype}")
    if not present.any(axis=0).all():
        raise ShapeError(f"expected clips that at least one network has seen, got "
                         f"{(~present.any(axis=0)).sum()} that none has")
    joined = np.where(present[..., None], joined, 0.0)
    for array in joined:
        check_probabilities(array)
    return joined, present


def _mean(arrays: np.ndarray, present: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``[L, K]`` weighted mean over the networks that have seen each clip."""
    shares = weights[:, None] * present
    return np.einsum("nl,nlk->lk", shares / shares.sum(axis=0), arrays)


def _log_scores(arrays: np.ndarray) -> np.ndarray:
    """``[L, n K]`` logarithms, as a regression takes them."""
    return np.concatenate(np.log(np.maximum(arrays, SMALLEST)), axis=1)


def _simplex(count: int, steps: int) -> np.ndarray:
    """``[G, count]`` all weights in whole steps that sum to 1, none 0, the most even first."""
    if steps < count:
        raise ChoiceError(f"expected at least {count} steps for {count} networks, got {steps}")
    cuts = np.array([*combinations(range(1, steps), count - 1)], int)
    edges = np.pad(cuts, ((0, 0), (1, 1)), constant_values=((0, 0), (0, steps)))
    weights = np.diff(edges, axis=1) / steps
    return weights[np.argsort(np.square(weights).sum(axis=1), kind="stable")]

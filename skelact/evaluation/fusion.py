"""Late fusion: the weighted mean of what several networks say of the same clips.

Weights are set before the test split is looked at. Published four-stream figures use 2:2:1:1
(joint, bone, joint motion, bone motion), and 1:1 for joint and bone.

Source: Shi et al., "Two-Stream Adaptive Graph Convolutional Networks for Skeleton-Based Action
Recognition", 2019, section 4.4.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skelact.errors import ChoiceError, ShapeError, SkelactError
from skelact.evaluation.scores import ClipScores, check_probabilities, read_scores

USUAL_WEIGHTS = {"joint": 2.0, "bone": 2.0, "joint_motion": 1.0, "bone_motion": 1.0}
"""Weights of the streams in published four-stream figures."""


def fuse_scores(
    scores: Sequence[np.ndarray], weights: Sequence[float] | None = None
) -> np.ndarray:
    """Weighted mean of class probabilities.

    Args:
        scores: A ``[L, K]`` array of probabilities a network, clips and classes in one order.
        weights: One number above 0 a network, of any sum; by default all weigh the same.

    Returns:
        ``[L, K]`` float64 probabilities.

    Raises:
        ShapeError: The arrays differ in shape, or there is none.
        ChoiceError: Not one weight a network, or one that is not above 0.
        SkelactError: Scores that are no probabilities.
    """
    arrays = [np.asarray(array, np.float64) for array in scores]
    shapes = {array.shape for array in arrays}
    if len(shapes) != 1 or arrays[0].ndim != 2:
        listed = ", ".join(str(list(array.shape)) for array in arrays) or "nothing"
        raise ShapeError(f"expected scores [L, K] of the same clips and classes, got {listed}")
    for array in arrays:
        check_probabilities(array)
    shares = check_weights([1.0] * len(arrays) if weights is None else weights, len(arrays))
    return sum(share * array for share, array in zip(shares / shares.sum(), arrays, strict=True))


def parse_weights(text: str) -> tuple[float, ...]:
    """Weights from ``"2:2:1:1"`` or ``"0.6,0.4"``.

    Raises:
        ChoiceError: Something else than numbers above 0.
    """
    words = text.replace(":", ",").split(",")
    try:
        weights = [float(word) for word in words]
    except ValueError:
        raise ChoiceError(f"expected weights such as 2:2:1:1, got {text!r}") from None
    return tuple(check_weights(weights, len(weights)).tolist())


def check_weights(weights: Sequence[float], count: int) -> np.ndarray:
    """Weights as an array, if there is one above 0 for each of ``count`` networks.

    Raises:
        ChoiceError: There is not.
    """
    values = np.asarray(weights, np.float64)
    if values.shape != (count,):
        raise ChoiceError(f"expected {count} weights, one a network, got {values.size}")
    if not all(math.isfinite(value) and value > 0 for value in values):
        raise ChoiceError("expected weights above 0 (leave out what shall not count), got "
                          f"{':'.join(f'{value:g}' for value in values)}")
    return values


def fuse_runs(
    folders: Sequence[str | Path], weights: Sequence[float] | None = None
) -> ClipScores:
    """The fused test scores of several runs, aligned by clip id.

    Args:
        folders: Run folders, or their ``test_scores.npz``.
        weights: As of `fuse_scores`.

    Returns:
        Fused scores, in the order of the first run.

    Raises:
        FileFormatError: A run has no scores, or damaged ones.
        SkelactError: The runs were not tested on the same clips with the same labels and classes.
        ChoiceError: Unusable weights.
    """
    results = [read_scores(folder) for folder in folders]
    if not results:
        raise ShapeError("expected the folders of at least one run, got none")
    first = results[0]
    aligned = [_align(result, first, folder, folders[0])
               for result, folder in zip(results, folders, strict=True)]
    return ClipScores(fuse_scores(aligned, weights), first.labels, first.clip_ids, first.classes)


def _align(result: ClipScores, first: ClipScores, path: str | Path, to: str | Path) -> np.ndarray:
    """Scores in the order of the first run's clips."""
    if result.classes != first.classes:
        differing = next((pair for pair in zip(result.classes, first.classes, strict=False)
                          if pair[0] != pair[1]), (len(result.classes), len(first.classes)))
        raise SkelactError(f"{path} and {to} have other classes, or in another order: "
                           f"{differing[0]!r} against {differing[1]!r}")
    missing = np.setdiff1d(first.clip_ids, result.clip_ids)
    extra = np.setdiff1d(result.clip_ids, first.clip_ids)
    if len(missing) or len(extra):
        example = missing[0] if len(missing) else extra[0]
        raise SkelactError(f"{path} and {to} were not tested on the same clips: {len(missing)} "
                           f"are missing and {len(extra)} too many, such as {example}")
    rows = np.argsort(result.clip_ids)[np.argsort(np.argsort(first.clip_ids))]
    wrong = result.labels[rows] != first.labels
    if wrong.any():
        raise SkelactError(f"{path} and {to} give {wrong.sum()} clips another label, such as "
                           f"{first.clip_ids[wrong][0]}; test both on the same store")
    return result.scores[rows]

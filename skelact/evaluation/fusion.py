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
    return fuse_results([read_scores(folder) for folder in folders], weights,
                        [str(folder) for folder in folders])


def fuse_results(
    results: Sequence[ClipScores], weights: Sequence[float] | None = None,
    names: Sequence[str] | None = None,
) -> ClipScores:
    """The weighted mean of several results of the same clips, aligned by clip id.

    Args:
        results: What each network says, at least one.
        weights: As of `fuse_scores`.
        names: What to call each in an error; by default its number.

    Returns:
        Fused scores, in the order of the first result.

    Raises:
        ShapeError: There is no result.
        SkelactError: They are not of the same clips with the same labels and classes.
        ChoiceError: Unusable weights.
    """
    if not results:
        raise ShapeError("expected at least one result to fuse, got none")
    names = list(names or (f"result {i}" for i, _ in enumerate(results, 1)))
    first = results[0]
    aligned = []
    for result, name in zip(results, names, strict=True):
        if result.classes != first.classes:
            raise SkelactError(_describe_difference(result, first, name, names[0]))
        aligned.append(result.scores[find_clips(result, first, name, names[0])])
    return ClipScores(fuse_scores(aligned, weights), first.labels, first.clip_ids, first.classes)


def _describe_difference(result: ClipScores, first: ClipScores, name: str, first_name: str) -> str:
    """Which of two networks lacks which classes of the other."""
    lacking = []
    for one, has, other, has_not in ((name, result, first_name, first),
                                     (first_name, first, name, result)):
        if absent := [label for label in has_not.classes if label not in has.classes]:
            shown = ", ".join(absent[:8]) + (", ..." if len(absent) > 8 else "")
            lacking.append(f"{one} lacks {len(absent)} classes of {other} ({shown})")
    if not lacking:
        own, other = next(pair for pair in zip(result.classes, first.classes, strict=True)
                          if pair[0] != pair[1])
        lacking = [f"{name} and {first_name} have the same classes in another order: {own!r} "
                   f"against {other!r}"]
    return "; ".join(lacking) + "; only networks of the same classes can be fused"


def find_clips(result: ClipScores, first: ClipScores, name: str, first_name: str) -> np.ndarray:
    """The rows of a result in the order of another one's clips.

    Args:
        result: Where to look; its classes may stand in another order.
        first: Its clips are looked for.
        name: What the error calls ``result``.
        first_name: What it calls ``first``.

    Returns:
        ``[L]`` rows of ``result``.

    Raises:
        SkelactError: They are not of the same clips, or label a clip differently.
    """
    missing = np.setdiff1d(first.clip_ids, result.clip_ids)
    extra = np.setdiff1d(result.clip_ids, first.clip_ids)
    if len(missing) or len(extra):
        example = missing[0] if len(missing) else extra[0]
        raise SkelactError(f"{name} and {first_name} were not tested on the same clips: "
                           f"{len(missing)} are missing and {len(extra)} too many, such as "
                           f"{example}")
    rows = np.argsort(result.clip_ids)[np.argsort(np.argsort(first.clip_ids))]
    wrong = (np.array(result.classes)[result.labels[rows]]
             != np.array(first.classes)[first.labels])
    if wrong.any():
        raise SkelactError(f"{name} and {first_name} give {wrong.sum()} clips another label, such "
                           f"as {first.clip_ids[wrong][0]}; test both on the same store")
    return rows

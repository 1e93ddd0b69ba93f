"""Whether what a model says of clips is better than a guess, beyond doubt.

A guess may know how often each class occurs, and nothing of the clips. Clips are taken for
independent; those of one person are not, so that a doubt may be missed, but none is invented.
"""

import numpy as np
from scipy.stats import binom, binomtest

from skelact.evaluation.scores import ClipScores

LEVEL = 0.05
"""How probable a figure may be for a guess and still count as better than one."""
_DRAWS = 999
_ADVICE = ("What may help: more clips of every class, more epochs (`--optim.epochs`), and a look "
           "at the data (`skelact show STORE -o sheet.png --contact-sheet`, `skelact data validate "
           "STORE`).")


def describe_doubt(result: ClipScores) -> str:
    """What to say where a test does not show that a model is better than a guess, and what next.

    It is better where more clips are right than by naming the most frequent class every time, by
    an exact binomial test. Where classes are so uneven that this asks too much: where the mean
    class accuracy is higher than with the same answers dealt out to other clips, by a permutation
    test. Both at `LEVEL`, one-sided.

    Args:
        result: What the model says of the clips.

    Returns:
        Sentences; empty where there is no doubt, and where clips of one class only are tested,
        of which no accuracy can tell.
    """
    labels, count = result.labels, len(result)
    frequent = int(np.bincount(labels).argmax())
    most, right = int((labels == frequent).sum()), int(result.hits().sum())
    if most == count or is_more_than(right, count, most):
        return ""
    if _permutation_p(result.predicted, labels) <= LEVEL:
        return ""
    clips = f"{count} clip{'s' * (count > 1)}"
    few = may_be_fair(right, count, most)
    start = (f"{clips} are too few to tell whether the model recognizes anything" if few else
             f"On these {clips} the model is not better than a guess beyond doubt")
    text = (f"{start}: {right} {'is' if right == 1 else 'are'} right, and naming the most "
            f"frequent class, {result.classes[frequent]}, every time makes {most} right.")
    return " ".join([text, *["More clips to test on would tell."] * few,
                     *[_ADVICE] * (right <= most or not few)])


def describe_choice(right: int, labels: np.ndarray, epochs: int) -> str:
    """What to say where the accuracy that chose an epoch is not better than the best of guesses.

    Args:
        right: How many validation clips were right.
        labels: ``[V]`` their classes, from 0.
        epochs: How many epochs were compared; the best of many guesses is better than one.

    Returns:
        A sentence; empty where there is no doubt.
    """
    count, most = len(labels), int(np.bincount(labels).max())
    if most == count or is_more_than(right, count, most, epochs):
        return ""
    return (f"The epoch was chosen by {right} right out of {count} validation clips, and naming "
            f"their most frequent class every time makes {most} right: the choice may be luck.")


def is_more_than(right: int, count: int, most: int, tries: int = 1) -> bool:
    """Whether ``right`` of ``count`` is more than the share ``most / count``, beyond doubt.

    It is the best of so many tries, whose chances are added up (Bonferroni).
    """
    return tries * binomtest(right, count, most / count, alternative="greater").pvalue <= LEVEL


def may_be_fair(right: int, count: int, most: int) -> bool:
    """Whether a fair model may do as badly, so that ``count`` clips do not tell it from a guess.

    A fair model is right on half of what naming the most frequent class gets wrong.
    """
    return bool(binom.cdf(right, count, (1 + most / count) / 2) > LEVEL)


def _permutation_p(predicted: np.ndarray, labels: np.ndarray) -> float:
    """How probable a mean class accuracy as high is where answers and clips have no relation."""
    weights = 1 / np.bincount(labels)[labels]
    draw = np.random.default_rng(0)
    reached = weights[predicted == labels].sum() - 1e-9  # sums in another order are equal
    higher = sum(weights[draw.permutation(predicted) == labels].sum() >= reached
                 for _ in range(_DRAWS))
    return (1 + higher) / (1 + _DRAWS)

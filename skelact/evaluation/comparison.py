"""Whether one model is better than another on the same clips, or only luckier."""

from dataclasses import dataclass

import numpy as np

from skelact.evaluation.fusion import find_clips
from skelact.evaluation.intervals import Interval, mcnemar, paired_bootstrap
from skelact.evaluation.scores import ClipScores


@dataclass(frozen=True)
class Comparison:
    """Two models on the same clips; ``str()`` says it in a sentence.

    Args:
        name: The other model, as the user calls it.
        difference: Top-1 accuracy of this model minus that of the other.
        p_value: Of McNemar's exact test: the chance of a difference as large between two equally
            good models.
        only_this: Clips that only this model recognized.
        only_other: Clips that only the other one recognized.
    """

    name: str
    difference: Interval
    p_value: float
    only_this: int
    only_other: int

    def __str__(self) -> str:
        gain, low, high = (100 * value for value in (
            self.difference.value, self.difference.low, self.difference.high))
        telling = ("tells them apart" if low > 0 or high < 0 else
                   "does not tell them apart: it holds 0")
        return (f"Against {self.name}: top-1 differs by {gain:+.2f} points (95 % interval "
                f"{low:+.2f} to {high:+.2f}, which {telling}); {self.only_this} clips are "
                f"recognized by this model alone, {self.only_other} by the other alone; McNemar's "
                f"p = {self.p_value:.3g}.")


def compare(
    result: ClipScores, other: ClipScores, name: str, subjects: np.ndarray | None = None
) -> Comparison:
    """Compare two results of the same clips, aligned by clip id.

    Args:
        result: This model.
        other: The other; its classes may stand in another order.
        name: What to call the other.
        subjects: ``[L]`` as of `skelact.evaluation.figures.measure`.

    Raises:
        SkelactError: They are not of the same clips and labels.
    """
    mine, theirs = result.hits(), other.hits()[find_clips(other, result, name, "this evaluation")]
    difference = paired_bootstrap(lambda rows: float(mine[rows].mean()),
                                  lambda rows: float(theirs[rows].mean()), len(result),
                                  groups=subjects)
    return Comparison(name, difference, mcnemar(mine, theirs), int((mine & ~theirs).sum()),
                      int((theirs & ~mine).sum()))

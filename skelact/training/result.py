"""What the test at the end of a run gives."""

from dataclasses import dataclass, field

import numpy as np

from skelact.evaluation.scores import ClipScores


@dataclass(frozen=True, eq=False)
class RunResult(ClipScores):
    """What came out of the one look at the test split.

    Args:
        metrics: Figures, and in words under which conditions they were taken.
        chosen_epoch: The epoch whose weights were tested, from 1.
        data: What the network was trained on, as in `ActionModel`.
        subjects: ``[L]`` who is seen in each clip, for intervals by subject; None where unknown.
        val_labels: ``[V]`` classes of the validation clips that chose the epoch; None where
            nothing was held out.
    """

    metrics: dict
    chosen_epoch: int
    data: dict = field(default_factory=dict)
    subjects: np.ndarray | None = None
    val_labels: np.ndarray | None = None

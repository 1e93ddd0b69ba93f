"""Chance that is counted, not drawn.

Every number follows from (seed, epoch, draw) alone, so that it does not depend on who asks, in
which order, or in which company.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Chance:
    """Even random numbers for a batch of draws, the same whenever they are asked for.

    Args:
        seed: Of the run.
        epoch: From 0.
        draws: ``[B]`` which draw of the epoch each clip is.
    """

    seed: int
    epoch: int
    draws: np.ndarray

    def even(self, count: int, purpose: int = 0) -> np.ndarray:
        """``[B, count]`` float64 in [0, 1); other numbers for another ``purpose``."""
        key = np.uint64(0)
        with np.errstate(over="ignore"):
            for part in (self.seed, self.epoch, purpose):
                key = _mix(key ^ np.uint64(part % 2**64))
            key = _mix(key ^ np.asarray(self.draws).astype(np.uint64))
            steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            return (_mix(key[:, None] + steps) >> np.uint64(11)) * 2.0**-53


def _mix(key: np.ndarray) -> np.ndarray:
    """Finaliser of splitmix64: every bit of the key changes every bit of the result."""
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))

"""Corruptions that change nothing of what a model says, and why: curves that are flat lines.

A flat line is no merit of a network where its input is the same: people who are turned to the
front before it sees them stand there from whatever side a camera looked at them.
"""

import numpy as np
import torch

from skelact.config import ClipConfig
from skelact.datasets.arrays import ClipArrays
from skelact.evaluation.scoring import fit_clips
from skelact.evaluation.views import Views, view_loader
from skelact.models.checkpoint import ActionModel

STILL = 0.01
"""Probability that moves from class to class, in the mean over clips: less is no effect."""
_SAME = 0.02
"""Share of its size by which a network's input may differ to count as the same."""
_CLIPS = 32
"""Clips whose input is compared."""


def mean_shift(clean: np.ndarray, scores: np.ndarray) -> float:
    """How much probability ``[L, K]`` has moved from class to class, in the mean over clips.

    Returns:
        0 where nothing has changed to 1.
    """
    return float(np.abs(scores - clean).sum(axis=1).mean() / 2)


def explain_idle(
    model: ActionModel, name: str, clips: ClipArrays, corrupted: ClipArrays
) -> str:
    """Why a corruption does nothing to what a model says, in words.

    Args:
        model: The model.
        name: The corruption.
        clips: Clips as they are.
        corrupted: The same, corrupted.
    """
    if (clips.joints.shape == corrupted.joints.shape
            and np.array_equal(clips.joints, corrupted.joints, equal_nan=True)
            and np.array_equal(clips.frame_index, corrupted.frame_index)
            and np.array_equal(clips.fps, corrupted.fps)):
        return "it changes nothing of these clips"
    before, after = (_network_input(model, arrays) for arrays in (clips, corrupted))
    apart = float((before - after).abs().mean() / before.abs().mean().clamp_min(1e-12))
    if apart < _SAME:
        return (f"the network does not see it: its input differs by {100 * apart:.1f} %"
                f"{_undone(name, fit_clips(model, clips)[1])}")
    return (f"the network's input differs by {100 * apart:.0f} %, and what it says does not depend "
            "on that")


def _undone(name: str, clip: ClipConfig) -> str:
    """What of the form of a model's clips undoes a corruption."""
    if name.startswith("camera_") and clip.normalise.startswith("canonical"):
        return (", because people are turned upright and to the front before (clip.normalise "
                f"{clip.normalise})")
    if name in ("speed", "frame_rate") and clip.sampling == "resize":
        return (f", because the time of every clip is brought to {clip.frames} frames before "
                "(clip.sampling resize)")
    return ""


def _network_input(model: ActionModel, arrays: ClipArrays) -> torch.Tensor:
    """``[B, M, N, C, T]`` what the network takes of the first clips."""
    arrays, clip = fit_clips(model, arrays)
    rows = np.arange(min(_CLIPS, len(arrays)))
    return torch.cat([batch.clips for batch in view_loader(clip, arrays, rows, Views())])

"""Frames that are lost, or another pace, as functions ``ClipArrays -> ClipArrays``.

Nothing is written into the arrays that come in. Of one seed, what a smaller share loses a larger
one loses too.
"""

from dataclasses import replace

import numpy as np

from skelact.datasets.arrays import ClipArrays
from skelact.errors import ChoiceError
from skelact.evaluation.clip_rows import (
    clip_of_rows,
    join_ranges,
    keep_rows,
    track_of_rows,
)


def drop_frames(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """Frames are lost one by one with this chance, for everybody in them; a track keeps one."""
    random = np.random.default_rng(seed)
    first = np.cumsum(arrays.num_frames) - arrays.num_frames
    chance = random.random(int(arrays.num_frames.sum()))
    chance = chance[first[clip_of_rows(arrays)] + arrays.frame_index]
    highest = np.zeros(arrays.num_tracks)
    track = track_of_rows(arrays)
    np.maximum.at(highest, track, chance)
    return keep_rows(arrays, (chance >= percent / 100) | (chance == highest[track]))


def drop_span(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """Frames in a row are lost: this share of the clip, placed at random, for everybody."""
    clip = clip_of_rows(arrays)
    frames = arrays.num_frames[clip]
    start = (1 - percent / 100) * np.random.default_rng(seed).random(len(arrays))[clip] * frames
    index = arrays.frame_index
    return keep_rows(arrays, (index < start) | (index >= start + percent / 100 * frames))


def lower_rate(arrays: ClipArrays, step: float, seed: int = 0) -> ClipArrays:
    """A camera of fewer frames a second: every ``step``-th frame from the first.

    Raises:
        ChoiceError: ``step`` is no whole number from 1.
    """
    if step < 1 or step != int(step):
        raise ChoiceError(f"expected frame_rate as a whole number of frames from 1, got {step}")
    step = int(step)
    kept = keep_rows(arrays, arrays.frame_index % step == 0)
    return replace(kept, frame_index=kept.frame_index // step,
                   num_frames=-(-arrays.num_frames // step), fps=arrays.fps / step)


def change_speed(arrays: ClipArrays, factor: float, seed: int = 0) -> ClipArrays:
    """Everything happens ``factor`` times as fast, at the frame rate of before.

    Between two frames joints lie on a straight line; where a track lacks either, it has no frame.

    Raises:
        ChoiceError: ``factor`` is not above 0.
    """
    if not 0 < factor < np.inf:
        raise ChoiceError(f"expected speed above 0, got {factor}")
    filled = np.flatnonzero(np.diff(arrays.track_offsets))
    first = arrays.frame_index[arrays.track_offsets[filled]]
    last = arrays.frame_index[arrays.track_offsets[filled + 1] - 1]
    start = np.ceil(first / factor - 1e-6).astype(np.int64)
    stop = np.floor(last / factor + 1e-6).astype(np.int64) + 1
    track = np.repeat(filled, np.maximum(stop - start, 0))
    frames = join_ranges(start, stop)
    joints, seen = _between(arrays, track, frames * factor)
    counts = np.bincount(track[seen], minlength=arrays.num_tracks)
    return replace(
        arrays, joints=joints[seen], frame_index=frames[seen],
        track_offsets=np.concatenate([[0], np.cumsum(counts)]),
        num_frames=np.where(arrays.num_frames, np.floor((arrays.num_frames - 1) / factor + 1e-6)
                            .astype(np.int64) + 1, 0))


def cut_start(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """The first share of the clip is not there; its last frame always is."""
    cut = np.minimum((percent / 100 * arrays.num_frames).astype(np.int64),
                     np.maximum(arrays.num_frames - 1, 0))
    moved = arrays.frame_index - cut[clip_of_rows(arrays)]
    kept = keep_rows(arrays, moved >= 0)
    return replace(kept, frame_index=moved[moved >= 0], num_frames=arrays.num_frames - cut)


def cut_end(arrays: ClipArrays, percent: float, seed: int = 0) -> ClipArrays:
    """The last share of the clip is not there; its first frame always is."""
    cut = np.minimum((percent / 100 * arrays.num_frames).astype(np.int64),
                     np.maximum(arrays.num_frames - 1, 0))
    left = arrays.num_frames - cut
    kept = keep_rows(arrays, arrays.frame_index < left[clip_of_rows(arrays)])
    return replace(kept, num_frames=left)


def _between(
    arrays: ClipArrays, track: np.ndarray, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Joints ``[F, N, C]`` of tracks ``[F]`` at places between frames ``[F]``; whether seen."""
    span = int(arrays.frame_index.max(initial=0)) + 2
    keys = track_of_rows(arrays) * span + arrays.frame_index  # rising over all tracks
    before = np.floor(at + 1e-6).astype(np.int64)
    share = (at - before).clip(0)
    share[share < 1e-6] = 0
    wanted = track * span + before
    index = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    after = np.minimum(index + 1, max(len(keys) - 1, 0))
    seen = (keys[index] == wanted) & ((share == 0) | (keys[after] == wanted + 1))
    joints = arrays.joints[index]
    some = share > 0
    step = arrays.joints[after[some]] - joints[some]
    joints[some] += share[some, None, None].astype(np.float32) * step
    return joints, seen

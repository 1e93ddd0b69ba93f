"""Which rows of `ClipArrays` belong to whom, and fewer of them."""

from dataclasses import replace

import numpy as np

from skelact.datasets.arrays import ClipArrays


def track_of_rows(arrays: ClipArrays) -> np.ndarray:
    """``[S]`` the track that each row of the joints belongs to."""
    return np.repeat(np.arange(arrays.num_tracks), np.diff(arrays.track_offsets))


def clip_rows(arrays: ClipArrays) -> np.ndarray:
    """``[L + 1]`` where the rows of each clip start in the joints."""
    return np.asarray(arrays.track_offsets)[arrays.clip_offsets]


def clip_of_rows(arrays: ClipArrays) -> np.ndarray:
    """``[S]`` the clip that each row of the joints belongs to."""
    return np.repeat(np.arange(len(arrays)), np.diff(clip_rows(arrays)))


def keep_rows(arrays: ClipArrays, kept: np.ndarray) -> ClipArrays:
    """The same clips and tracks, without the frames that are not kept ``[S]`` bool."""
    before = np.concatenate([[0], np.cumsum(kept)])
    return replace(arrays, joints=arrays.joints[kept], frame_index=arrays.frame_index[kept],
                   track_offsets=before[arrays.track_offsets])


def select_clips(arrays: ClipArrays, rows: np.ndarray) -> ClipArrays:
    """Some clips, in memory, in the order of ``rows [L']``."""
    rows = np.asarray(rows, np.int64)
    tracks = join_ranges(arrays.clip_offsets[rows], arrays.clip_offsets[rows + 1])
    frames = join_ranges(arrays.track_offsets[tracks], arrays.track_offsets[tracks + 1])
    return replace(
        arrays, joints=arrays.joints[frames], frame_index=arrays.frame_index[frames],
        track_offsets=_offsets(np.diff(arrays.track_offsets)[tracks]),
        clip_offsets=_offsets(np.diff(arrays.clip_offsets)[rows]),
        num_frames=arrays.num_frames[rows], labels=arrays.labels[rows], fps=arrays.fps[rows],
        image_size=None if arrays.image_size is None else arrays.image_size[rows])


def join_ranges(start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """``start[0], ..., stop[0] - 1, start[1], ...``: whole numbers of ranges one after another."""
    counts = np.maximum(stop - start, 0)
    first = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(start - first, counts)


def _offsets(counts: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts)])

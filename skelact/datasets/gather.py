"""Clips of a batch out of the flat arrays, all at once."""

import numpy as np
import torch
from torch import Tensor

from skelact.datasets.arrays import ClipArrays


def gather(
    arrays: ClipArrays, rows: np.ndarray, positions: np.ndarray, people: int
) -> tuple[Tensor, Tensor]:
    """Joints at given positions in time.

    Args:
        arrays: All clips.
        rows: ``[B]`` which clips.
        positions: ``[B, K, F]`` frames of each clip, K views of it; -1 for padding. Fractions lie
            on a straight line between two frames; a joint that either lacks is missing.
        people: M, the person slots; they take a clip's tracks in their order, further tracks are
            left out.

    Returns:
        ``[B * K, M, N, C, F]`` float32 joints, NaN where nobody is, and ``[B * K, M, F]`` bool:
        the person was seen in the frame.
    """
    batch, views, frames = positions.shape
    tracks, exists = _tracks(arrays, np.asarray(rows), people)
    before = np.floor(positions).astype(np.int64)
    joints, seen = _take(arrays, tracks, exists, before)
    share = positions - before
    if share.any():
        later, also = _take(arrays, tracks, exists, before + (share > 0))
        seen = seen & also
        share = torch.from_numpy(share.astype(np.float32))[:, :, None, :, None, None]
        # 0 * NaN is NaN: on a frame the next one does not count
        joints = torch.where(share > 0, torch.lerp(joints, later, share), joints)
    shape = (batch * views, people, frames)
    joints = joints.view(*shape, *joints.shape[-2:]).permute(0, 1, 3, 4, 2).contiguous()
    return joints, torch.from_numpy(seen.reshape(shape))


def gather_opening(arrays: ClipArrays, rows: np.ndarray, people: int) -> Tensor:
    """``[B, M, N, C, 1]`` of each clip, the frame in which its first person is first seen."""
    if not len(arrays.frame_index):
        first = np.zeros(len(rows), np.int64)
    else:
        track = np.minimum(arrays.clip_offsets[rows], arrays.num_tracks - 1)
        start = np.minimum(arrays.track_offsets[track], len(arrays.frame_index) - 1)
        first = arrays.frame_index[start]  # of another clip where this one has nobody: no harm
    return gather(arrays, rows, first[:, None, None], people)[0]


def _tracks(arrays: ClipArrays, rows: np.ndarray, people: int) -> tuple[np.ndarray, np.ndarray]:
    """``[B, M]`` the track in each slot, and whether there is one."""
    first, end = arrays.clip_offsets[rows], arrays.clip_offsets[rows + 1]
    tracks = first[:, None] + np.arange(people)
    exists = tracks < end[:, None]
    return np.where(exists, tracks, 0), exists


def _take(
    arrays: ClipArrays, tracks: np.ndarray, exists: np.ndarray, frames: np.ndarray
) -> tuple[Tensor, np.ndarray]:
    """``[B, K, M, F, N, C]`` joints of tracks ``[B, M]`` at frames ``[B, K, F]``; who was seen."""
    batch, views, length = frames.shape
    shape = (batch, views, tracks.shape[1], length)
    _, joints, channels = arrays.joints.shape
    flat = arrays.joints.reshape(len(arrays.joints), joints * channels)
    out = np.empty((*shape, joints * channels), np.float32)
    if not exists.any() or not len(flat):
        out.fill(np.nan)
        return torch.from_numpy(out).view(*shape, joints, channels), np.zeros(shape, bool)
    index, seen = _find_frames(arrays, tracks, exists, frames)
    np.take(flat, index.ravel(), axis=0, out=out.reshape(-1, joints * channels), mode="clip")
    out[~seen] = np.nan
    return torch.from_numpy(out).view(*shape, joints, channels), seen


def _find_frames(
    arrays: ClipArrays, tracks: np.ndarray, exists: np.ndarray, frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """``[B, K, M, F]`` rows of ``arrays.joints``, and whether the track has the frame at all."""
    start, end = arrays.track_offsets[tracks], arrays.track_offsets[tracks + 1]
    exists = exists & (end > start)
    first = np.where(exists, arrays.frame_index[np.where(exists, start, 0)], 0)
    last = np.where(exists, arrays.frame_index[np.where(exists, end - 1, 0)], -1)
    each = (slice(None), None, slice(None), None)  # [B, M] over views and frames
    frames = frames[:, :, None]
    seen = (frames >= first[each]) & (frames <= last[each])
    index = np.where(seen, frames - first[each] + start[each], 0)
    gaps = exists & (last - first != end - start - 1)
    if gaps.any():
        rows, slots = np.nonzero(gaps)
        wanted = np.broadcast_to(frames, index.shape)[rows, :, slots]
        found = _search(arrays.frame_index, wanted, start[gaps], end[gaps])
        seen[rows, :, slots] &= arrays.frame_index[found] == wanted
        index[rows, :, slots] = found
    return index, seen


def _search(
    values: np.ndarray, wanted: np.ndarray, start: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """Where ``wanted [G, ...]`` stands in the rising ``values[start:end]``, a range a row of G.

    A value that is not there gives some place within its range.
    """
    shape = (-1, *[1] * (wanted.ndim - 1))
    low = np.broadcast_to(start.reshape(shape), wanted.shape)
    high = np.broadcast_to(end.reshape(shape) - 1, wanted.shape)
    for _ in range(int((end - start).max()).bit_length()):
        middle = (low + high) // 2
        below = values[middle] < wanted
        low = np.where(below, np.minimum(middle + 1, high), low)
        high = np.where(below, high, middle)
    return low

"""Clips of a batch out of the flat arrays, all at once.

People stand in slots: see `place_tracks` for who gets which.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skelact.datasets.arrays import ClipArrays


@dataclass(frozen=True, eq=False)
class Places:
    """G tracks of B clips in their person slots; the first track of every slot comes first.

    Args:
        rows: ``[G]`` the place of the clip in the batch.
        slots: ``[G]`` from 0 to M - 1.
        tracks: ``[G]`` rows of the arrays' tracks; those of one slot do not overlap in time.
        heads: How many of the G are the first of their slot.
        people: M, the slots of every clip.
    """

    rows: np.ndarray
    slots: np.ndarray
    tracks: np.ndarray
    heads: int
    people: int


def place_tracks(arrays: ClipArrays, rows: np.ndarray, people: int | None) -> Places:
    """Put the tracks of clips into person slots.

    In their order, most important first, tracks go to the first slot where the time from their
    first to their last frame overlaps that of no track already there, and are left out where
    there is none. Thus a person whom the sensor loses and takes for a new one, two tracks that
    follow each other, keeps to one slot and does not push anybody else out. From then on a slot
    is one person: motion and straight lines in time go on from one of its tracks to the next.

    Args:
        arrays: All clips.
        rows: ``[B]`` which clips.
        people: M, the slots; None gives every track a slot of its own.
    """
    first, end = arrays.clip_offsets[rows], arrays.clip_offsets[rows + 1]
    rank = np.arange((end - first).max(initial=0))
    tracks = first[:, None] + rank
    tracks = np.where(tracks < end[:, None], tracks, -1)
    start, stop = arrays.track_offsets[tracks], arrays.track_offsets[tracks + 1]
    exists = (tracks >= 0) & (start < stop)
    if people is None:
        slots, people = np.where(exists, rank, -1), len(rank)
    else:
        slots = _first_fit(arrays.frame_index, start, stop, exists, people)
    batch, rank = np.nonzero(slots >= 0)
    slots, tracks = slots[batch, rank], tracks[batch, rank]
    heads = np.unique(batch * people + slots, return_index=True)[1]
    order = np.concatenate([heads, np.delete(np.arange(len(batch)), heads)])
    return Places(batch[order], slots[order], tracks[order], len(heads), people)


def _first_fit(
    frame_index: np.ndarray, start: np.ndarray, stop: np.ndarray, exists: np.ndarray, people: int
) -> np.ndarray:
    """``[B, P]`` slots of the P tracks ``frame_index[start:stop]`` of each clip; -1 for none."""
    first, last = np.zeros(exists.shape, np.int64), np.zeros(exists.shape, np.int64)
    first[exists], last[exists] = frame_index[start[exists]], frame_index[stop[exists] - 1]
    slots = np.where(exists, 0, -1)
    for rank in range(1, slots.shape[1]):
        rows = np.flatnonzero(exists[:, rank])
        overlap = first[rows, :rank] <= last[rows, rank, None]
        overlap &= last[rows, :rank] >= first[rows, rank, None]
        there = slots[rows, :rank, None] == np.arange(people)
        taken = (there & overlap[..., None]).any(axis=1)
        slots[rows, rank] = np.where(taken.all(axis=1), -1, taken.argmin(axis=1))
    return slots


def gather(
    arrays: ClipArrays, rows: np.ndarray, positions: np.ndarray, people: int
) -> tuple[Tensor, Tensor]:
    """Joints at given positions in time.

    Args:
        arrays: All clips.
        rows: ``[B]`` which clips.
        positions: ``[B, K, F]`` frames of each clip, K views of it; -1 for padding. Fractions lie
            on a straight line between two frames; a joint that one of them lacks is where the
            other has it.
        people: M, the person slots; `place_tracks` says who gets them.

    Returns:
        ``[B * K, M, N, C, F]`` float32 joints, NaN where nobody is, and ``[B * K, M, F]`` bool:
        the person was seen in the frame.
    """
    return _gather(arrays, place_tracks(arrays, np.asarray(rows), people), positions)


def gather_opening(arrays: ClipArrays, rows: np.ndarray, people: int) -> Tensor:
    """``[B, M, N, C, 1]`` of each clip, the frame in which its first person is first seen."""
    places = place_tracks(arrays, np.asarray(rows), people)
    chosen = places.slots == 0
    opening = arrays.num_frames[rows].astype(np.int64)  # no frame: nobody is there
    start = arrays.track_offsets[places.tracks[chosen]]
    np.minimum.at(opening, places.rows[chosen], arrays.frame_index[start])
    return _gather(arrays, places, opening[:, None, None])[0]


def _gather(arrays: ClipArrays, places: Places, positions: np.ndarray) -> tuple[Tensor, Tensor]:
    batch, views, frames = positions.shape
    before = np.floor(positions).astype(np.int64)
    joints, seen = _take(arrays, places, before)
    share = positions - before
    if share.any():
        later, also = _take(arrays, places, before + (share > 0))
        seen = seen | also & (share > 0)[:, None]
        share = torch.from_numpy(share.astype(np.float32))[:, None, :, :, None, None]
        between = torch.lerp(joints, later, share)
        # else an absence of one frame would be one of two, and every other frame no sighting at all
        between = torch.where(joints.isnan(), later, torch.where(later.isnan(), joints, between))
        joints = torch.where(share > 0, between, joints)  # on a frame the next one does not count
    joints = joints.permute(0, 2, 1, 4, 5, 3).contiguous()
    seen = np.ascontiguousarray(seen.swapaxes(1, 2))
    shape = (batch * views, places.people)
    return (joints.view(*shape, *joints.shape[3:]),
            torch.from_numpy(seen.reshape(*shape, frames)))


def _take(
    arrays: ClipArrays, places: Places, frames: np.ndarray
) -> tuple[Tensor, np.ndarray]:
    """``[B, M, K, F, N, C]`` joints of everyone at frames ``[B, K, F]``; who was seen."""
    batch, views, length = frames.shape
    shape = (batch, places.people, views, length)
    _, joints, channels = arrays.joints.shape
    flat = arrays.joints.reshape(len(arrays.joints), joints * channels)
    out = np.empty((*shape, joints * channels), np.float32)
    if not len(places.tracks):
        out.fill(np.nan)
        return torch.from_numpy(out).view(*shape, joints, channels), np.zeros(shape, bool)
    index, seen = _find_frames(arrays, places, frames)
    np.take(flat, index.ravel(), axis=0, out=out.reshape(-1, joints * channels), mode="clip")
    out.reshape(-1, joints * channels)[~seen.ravel()] = np.nan
    return torch.from_numpy(out).view(*shape, joints, channels), seen.reshape(shape)


def _find_frames(
    arrays: ClipArrays, places: Places, frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """``[B * M, K, F]`` rows of ``arrays.joints``, and whether anybody is in the slot then."""
    shape = (len(frames) * places.people, *frames.shape[1:])
    index, seen = np.zeros(shape, np.int64), np.zeros(shape, bool)
    found, there = _find_in_tracks(arrays, places.tracks, frames[places.rows])
    slots, heads = places.rows * places.people + places.slots, places.heads
    index[slots[:heads]], seen[slots[:heads]] = found[:heads], there[:heads]
    track, view, frame = np.nonzero(there[heads:])  # of those who share a slot with its head
    at = slots[heads:][track], view, frame
    index[at], seen[at] = found[heads:][track, view, frame], True
    return index, seen


def _find_in_tracks(
    arrays: ClipArrays, tracks: np.ndarray, frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of ``arrays.joints`` for frames ``[G, K, F]`` of tracks, and whether each has it."""
    start, end = arrays.track_offsets[tracks], arrays.track_offsets[tracks + 1]
    first, last = arrays.frame_index[start], arrays.frame_index[end - 1]
    each = (slice(None), None, None)  # [G] over views and frames
    seen = (frames >= first[each]) & (frames <= last[each])
    index = np.where(seen, frames + (start - first)[each], 0)
    gaps = np.flatnonzero(last - first != end - start - 1)
    if len(gaps):
        found = _search(arrays.frame_index, frames[gaps], start[gaps], end[gaps])
        seen[gaps] &= arrays.frame_index[found] == frames[gaps]
        index[gaps] = found
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

"""Do the joints of a store look like people? One pass over all frames, one number a clip.

Tells what anatomy can tell: the head is above the feet, toes point forward (which fixes what is
left), bones are short. A mirrored x and exchanged left and right joints give the same skeleton, so
they are one finding.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from skelact.datasets.arrays import ClipArrays
from skelact.graph.layouts import Layout, get_layout, layouts_with

_BLOCK = 1 << 16
"""Frames looked at together."""
_DISTANCES = 1 << 21
"""Distances between joints measured in a block."""
_SWAP = 0.5
"""Left and right count as exchanged between two frames if that halves the way of the joints."""
_SURE = 0.5
"""Confidence from which an eye counts as seen (2-D)."""


@dataclass(frozen=True, eq=False)
class ClipStatistics:
    """One number a clip ``[L]``; NaN where nothing can be said.

    Args:
        seen: Frames (of all persons) with at least one joint.
        zeros: Share of joints at exactly 0.
        infinite: Numbers that are infinite.
        upright: Mean over frames of the height of the head above the ankles, as a share of the
            body's extent; near +1 for a person who stands, near 0 for one who lies or does
            push-ups, negative upside down.
        forward: Mean over frames of the cosine between the toes and where the body faces by its
            left and right (3-D); +1 and -1 by the side of the image on which the left of a
            person lies whose eyes are both seen (2-D).
        swaps: Frames in which left and right change places.
        inside: Share of joints inside the image (2-D with a known size).
        size: Median extent of the body.
        digest: Of all joints; equal for identical clips.
        bone_share: Layout name -> mean bone, as a share of the mean distance of any two joints,
            for every built-in layout of that number of joints and the own one.
    """

    seen: np.ndarray
    zeros: np.ndarray
    infinite: np.ndarray
    upright: np.ndarray
    forward: np.ndarray
    swaps: np.ndarray
    inside: np.ndarray
    size: np.ndarray
    digest: np.ndarray
    bone_share: dict[str, np.ndarray] = field(default_factory=dict)


def measure_clips(arrays: ClipArrays) -> ClipStatistics:
    """Statistics of every clip, in memory that does not depend on how many there are."""
    blocks = [_measure_block(arrays, clips, frames) for clips, frames in clip_blocks(arrays)]
    if not blocks:
        blocks = [_measure_block(arrays, slice(0, 0), slice(0, 0))]
    joined = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    shares = {name.removeprefix("bone "): joined.pop(name)
              for name in list(joined) if name.startswith("bone ")}
    return ClipStatistics(**joined, bone_share=shares)


def clip_blocks(arrays: ClipArrays) -> Iterator[tuple[slice, slice]]:
    """Clips, and their frames, by some tens of thousands of frames; a longer clip alone."""
    starts = arrays.track_offsets[arrays.clip_offsets]
    first = 0
    while first < len(arrays):
        last = int(np.searchsorted(starts, starts[first] + _BLOCK, side="right")) - 1
        last = min(max(last, first + 1), len(arrays))
        yield slice(first, last), slice(int(starts[first]), int(starts[last]))
        first = last


def _measure_block(arrays: ClipArrays, clips: slice, frames: slice) -> dict[str, np.ndarray]:
    layout, dims = arrays.layout, arrays.dims
    all_channels = arrays.joints[frames]
    joints = all_channels[..., :dims]  # [S, N, dims]
    missing = np.isnan(joints).any(axis=-1)
    starts = arrays.track_offsets[arrays.clip_offsets[clips.start : clips.stop + 1]] - frames.start
    clip = np.repeat(np.arange(clips.stop - clips.start), np.diff(starts))  # of each frame

    def mean(values: np.ndarray) -> np.ndarray:
        known = np.isfinite(values)
        count = np.bincount(clip[known], minlength=len(starts) - 1)
        total = np.bincount(clip[known], values[known], len(starts) - 1)
        return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)

    def count(flags: np.ndarray) -> np.ndarray:
        return np.bincount(clip[flags], minlength=len(starts) - 1)

    with np.errstate(invalid="ignore", over="ignore"):
        up = _direction(joints, layout, ("head", "nose"), ("ankle",))[:, 1]
        size = np.ptp(_without(joints, missing), axis=1).max(axis=-1) if len(joints) else up
        return {
            "seen": count(~missing.all(axis=1)),
            "zeros": mean((joints == 0).all(axis=-1).mean(axis=1)),
            "infinite": count(np.isinf(all_channels).any(axis=(1, 2))),
            "upright": mean((up if dims == 3 else -up) / np.where(size > 0, size, np.nan)),
            "forward": mean(_forward(joints, layout) if dims == 3
                            else _facing(all_channels, layout)),
            "swaps": count(_swapped(joints, layout, arrays.frame_index[frames])),
            "inside": _inside(arrays, joints, clips, clip, mean),
            "size": mean(size),
            "digest": np.array([hashlib.blake2b(all_channels[a:b].tobytes(),
                                                digest_size=16).digest()
                                for a, b in pairwise(starts)], "S16"),
            **{f"bone {name}": mean(share) for name, share in _bone_shares(joints, layout)},
        }


def _without(joints: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Missing joints in the place of the frame's mean, where they do not widen the body."""
    count = (~missing).sum(axis=1)[:, None, None]
    total = np.where(missing[..., None], 0, joints).sum(axis=1, keepdims=True)
    return np.where(missing[..., None], total / np.where(count, count, np.nan), joints)


def _direction(joints: np.ndarray, layout: Layout, to: tuple[str, ...], start: tuple[str, ...]
               ) -> np.ndarray:
    """``[S, dims]`` from the middle of some joints to that of others; NaN without them."""
    ends = []
    for words in (to, start):
        which = [i for i, name in enumerate(layout.joints) if any(w in name for w in words)]
        ends.append(joints[:, which].mean(axis=1) if which
                    else np.full((len(joints), joints.shape[-1]), np.nan, np.float32))
    return ends[0] - ends[1]


def _forward(joints: np.ndarray, layout: Layout) -> np.ndarray:
    """``[S]`` cosine between the toes and the way that left, right and up say the body faces."""
    left = _direction(joints, layout, ("left_shoulder", "left_hip"),
                      ("right_shoulder", "right_hip"))
    up = _direction(joints, layout, ("neck", "head"), ("left_hip", "right_hip"))
    toes = _direction(joints, layout, ("foot", "toe"), ("ankle",))
    facing = np.cross(left, up)  # in a right-handed system
    lengths = np.linalg.norm(facing, axis=-1) * np.linalg.norm(toes, axis=-1)
    return (facing * toes).sum(axis=-1) / np.where(lengths > 0, lengths, np.nan)


def _facing(joints: np.ndarray, layout: Layout) -> np.ndarray:
    """``[S]`` +1 where a person whose eyes are both seen has the left on the right of the image."""
    eyes = [layout.joints.index(eye) for eye in ("left_eye", "right_eye") if eye in layout.joints]
    if len(eyes) < 2:
        return np.full(len(joints), np.nan)
    left = _direction(joints[..., :2], layout, ("left_shoulder", "left_hip"),
                      ("right_shoulder", "right_hip"))
    seen = (joints[:, eyes, 2] >= _SURE).all(axis=1)
    return np.where(seen, np.sign(left[:, 0]), np.nan)


def _swapped(joints: np.ndarray, layout: Layout, frame_index: np.ndarray) -> np.ndarray:
    """``[S]`` bool: against the frame before, left and right have changed places."""
    flags = np.zeros(len(joints), bool)
    sides = [i for pair in layout.flip_pairs for i in pair]
    if len(joints) < 2 or not sides:
        return flags
    before, now = joints[:-1, sides], joints[1:, sides]
    mirrored = joints[1:][:, layout.flip_order[sides]]
    kept, swapped = (np.linalg.norm(other - before, axis=-1).mean(axis=-1)
                     for other in (now, mirrored))
    flags[1:] = (swapped < _SWAP * kept) & (np.diff(frame_index) == 1)
    return flags


def _inside(arrays: ClipArrays, joints, clips: slice, clip: np.ndarray, mean) -> np.ndarray:
    """``[L]`` share of joints in the image."""
    if arrays.image_size is None:
        return np.full(clips.stop - clips.start, np.nan)
    size = arrays.image_size[clips][clip][:, None].astype(np.float64)  # [S, 1, 2]
    inside = ((joints > -0.1 * size) & (joints < 1.1 * size)).all(axis=-1)
    known = ~np.isnan(joints).any(axis=-1)
    with np.errstate(divide="ignore"):
        share = (inside & known).sum(axis=1) / known.sum(axis=1)
    return mean(np.where(size[:, 0, 0] > 0, share, np.nan))


def _bone_shares(joints: np.ndarray, layout: Layout) -> Iterator[tuple[str, np.ndarray]]:
    """Layout name and ``[S]`` mean bone length by mean distance of joints."""
    apart = np.full(len(joints), np.nan)
    # some frames of a block say enough
    step = max(1, len(joints) * layout.num_joints**2 // _DISTANCES)
    some = joints[::step]
    distances = np.linalg.norm(some[:, :, None] - some[:, None], axis=-1)
    spread = distances.sum(axis=(1, 2)) / (layout.num_joints * (layout.num_joints - 1))
    others = [get_layout(name) for name in layouts_with(layout.num_joints)]
    for other in {each.name: each for each in (*others, layout)}.values():
        children, parents = np.array(other.bones).T
        share = apart.copy()
        share[::step] = distances[:, children, parents].mean(axis=1) / spread
        yield other.name, share

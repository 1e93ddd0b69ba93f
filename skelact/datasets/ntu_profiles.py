"""Which bodies of an NTU RGB+D capture become which tracks, by our rules and by published ones.

Every function takes a capture and its bodies, gives tracks and the number of frames, and notes on
each body what became of it. `skelact.datasets.ntu.apply_profile` says what each profile is.
"""

import numpy as np

from skelact.datasets.ntu_bodies import (
    Body,
    close_gaps,
    drop_placeless,
    drop_short,
    drop_wide,
    find_missing,
    make_track,
    place_in_two,
    rank,
)
from skelact.datasets.readers.skeleton_file import RawCapture
from skelact.graph.layouts import get_layout
from skelact.pose.recording import PoseTrack

_LENGTH = 300
"""Frames of a clip in the code of ST-GCN and 2s-AGCN; no sample of the data set has more."""
_PLACES = 4
"""2s-AGCN looks at the first so many bodies of a frame."""
_SPINE = 1
_EMPTY = 1e-3
"""pyskl takes a frame for empty whose coordinates sum to less."""

Outcome = tuple[list[PoseTrack], int]


def skelact(capture: RawCapture, bodies: list[Body]) -> Outcome:
    """Bodies whole and apart, in true time; noise dropped where there are several."""
    shown = drop_placeless(bodies, tracked=True)
    real = drop_wide(drop_short(shown)) if len(shown) > 1 else shown
    if shown and not real:
        last = max(shown, key=len)
        last.reason = f"the longest of {len(shown)} that all look like noise ({last.reason})"
        real = [last]
    tracks = []
    for number, body in enumerate(rank(real), start=1):
        reason = body.reason or f"rank {number} of {len(real)} by motion"
        missing = find_missing(body.points) | (body.points[..., 3] == 0)
        body.keep(body.body_id, reason)
        tracks += make_track(body.body_id, body.points, missing, body.frame_index)
    return tracks, capture.num_frames


def pyskl(capture: RawCapture, bodies: list[Body]) -> Outcome:
    """Two persons put together from bodies that do not overlap; gaps closed."""
    frames = close_gaps(bodies)
    real = rank(bodies)
    if len(real) > 1:
        real = drop_short(real)
    if len(real) > 1:
        real = rank(drop_wide(real))
    if len(real) < 2:
        persons = _alone(real)
    else:
        persons = place_in_two(real, frames, shared=0)
        shown = np.flatnonzero(np.abs(persons[..., :3]).sum(axis=(0, 2, 3)) >= _EMPTY)
        persons = persons[:, shown[0] : shown[-1] + 1] if len(shown) else persons[:, :0]
        empty = np.abs(persons[:, :1, _SPINE, :3]).sum(axis=(1, 2)) < _EMPTY
        if empty[0] and not empty[1]:
            persons = persons[::-1].copy()
            for body in real:
                body.track_id = None if body.track_id is None else 1 - body.track_id
    return _make_tracks(persons, find_missing(persons)), persons.shape[1]


def ctrgcn(capture: RawCapture, bodies: list[Body]) -> Outcome:
    """As SGN and CTR-GCN: two persons, gaps closed, origin in the first person's first spine.

    Bodies without any place are left out first: the published code fails where one comes first.
    """
    frames = close_gaps(bodies)
    real = drop_placeless(bodies)
    if len(real) > 1:
        real = drop_short(real)
    if len(real) > 1:
        real = drop_wide(real, spare_last=True)
    if len(real) < 2:
        persons = _alone(real)
    else:
        persons = place_in_two(rank(real), frames, shared=1)
        persons = persons[:, persons[..., :3].any(axis=(0, 2, 3))]
    missing = find_missing(persons)
    if len(real):
        first = np.flatnonzero(~missing[0].all(axis=-1))[:1]
        persons[..., :3] -= persons[0, first, _SPINE, :3]
    return _make_tracks(persons, missing), persons.shape[1]


def stgcn(capture: RawCapture, bodies: list[Body]) -> Outcome:
    """The first two bodies of every frame as they stand in the file, whoever they are."""
    places = _by_place(capture, bodies, 2)
    _note_places(capture, bodies, (0, 1))
    return _make_tracks(places, find_missing(places)), places.shape[1]


def agcn(capture: RawCapture, bodies: list[Body]) -> Outcome:
    """The two livelier of the first four places of the file, repeated to 300 frames, in view."""
    import torch  # here, so that a process that only reads files starts at once

    from skelact.transforms.spatial import canonical_view

    places = _by_place(capture, bodies, _PLACES)
    energy = np.array([_energy(place[..., :3]) for place in places])
    chosen = energy.argsort()[::-1][:2]
    _note_places(capture, bodies, chosen.tolist())
    persons = np.stack([_repeat(place) for place in places[chosen]])
    missing = find_missing(persons)
    spine = np.nan_to_num(persons[:1, :, _SPINE : _SPINE + 1, :3])
    joints = (persons[..., :3] - spine).transpose(0, 2, 3, 1)
    turned = canonical_view(torch.from_numpy(np.ascontiguousarray(joints, np.float64)),
                            get_layout("ntu25"), up="z")
    persons[..., :3] = turned.permute(0, 3, 1, 2).numpy()
    return _make_tracks(persons, missing), _LENGTH


def _alone(bodies: list[Body]) -> np.ndarray:
    """``[1, F, 25, 4]`` of one body; ``[0, 0, 25, 4]`` of none."""
    for body in bodies:
        body.keep(0, f"motion {body.motion:.4f}, the only body left")
    return np.stack([body.points for body in bodies]) if bodies else np.zeros((0, 0, 25, 4))


def _make_tracks(persons: np.ndarray, missing: np.ndarray) -> list[PoseTrack]:
    """Tracks 0, 1 of ``[M, T, 25, 4]`` points of which ``missing [M, T, 25]`` have no place."""
    frames = np.arange(persons.shape[1])
    return [track for number, (points, gone) in enumerate(zip(persons, missing, strict=True))
            for track in make_track(number, points, gone, frames)]


def _by_place(capture: RawCapture, bodies: list[Body], count: int) -> np.ndarray:
    """``[count, T, 25, 4]`` bodies by their place in the frame, 0 for nobody, T at most 300."""
    places = np.zeros((count, min(capture.num_frames, _LENGTH), *bodies[0].points.shape[1:]),
                      np.float32)
    place = _places(capture)
    used = (place < count) & (capture.frame_index < _LENGTH)
    target = place[used], capture.frame_index[used]
    places[(*target, ..., slice(None, 3))] = capture.joints[used]
    places[(*target, ..., 3)] = capture.tracking[used] / 2
    return places


def _places(capture: RawCapture) -> np.ndarray:
    """``[S]`` the how-manieth body of its frame each row is, from 0."""
    first = np.searchsorted(capture.frame_index, capture.frame_index)
    return np.arange(len(first)) - first


def _note_places(capture: RawCapture, bodies: list[Body], chosen) -> None:
    place = _places(capture)
    for body in bodies:
        rows = capture.body_ids == body.body_id
        rows &= capture.frame_index < _LENGTH
        counts = [int((place[rows] == number).sum()) for number in chosen]
        words = (f"in {sum(counts)} of {len(body)} frames it is body "
                 f"{' or '.join(str(number + 1) for number in chosen)} of its frame")
        if sum(counts):
            body.keep(int(np.argmax(counts)), words)
        else:
            body.drop(words)


def _energy(joints: np.ndarray) -> float:
    """Sum over x, y, z of the standard deviation over the frames ``[T, 25, 3]`` with somebody."""
    joints = joints[joints.sum(axis=(1, 2), dtype=np.float64) != 0].astype(np.float64)
    return float(sum(np.nanstd(joints[..., axis]) for axis in range(3))) if len(joints) else 0.0


def _repeat(person: np.ndarray) -> np.ndarray:
    """``[300, 25, 4]``: a person from its first frame, begun again wherever it would have ended."""
    shown = np.flatnonzero(person[..., :3].any(axis=(1, 2)))
    if not len(shown):
        return np.zeros((_LENGTH, *person.shape[1:]), person.dtype)
    # the published code closes all gaps of a person who comes late, and none of anybody else
    person = person[shown] if shown[0] else person[: shown[-1] + 1]
    return person[np.arange(_LENGTH) % len(person)]

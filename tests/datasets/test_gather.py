"""The vectorised gather does what a loop over clips, people and frames does."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.datasets.arrays import ClipArrays
from skelact.datasets.gather import gather, gather_opening, place_tracks
from skelact.pose.recording import PoseTrack, Recording


def made_up(seed: int, clips: int = 5, gaps: float = 0.3) -> list[Recording]:
    """Recordings of 0 to 6 people who come, go, and are away now and then; some of nobody."""
    random = np.random.default_rng(seed)
    recordings = []
    for _ in range(clips):
        frames = int(random.integers(1, 30))
        tracks = []
        for person in range(random.integers(0, 7)):
            index = np.flatnonzero(random.random(frames) > gaps)
            if random.random() < 0.7:
                low, high = sorted(random.integers(0, frames + 1, 2))
                index = index[(index >= low) & (index < high)]
            joints = random.normal(size=(17, 3, len(index)))
            tracks.append(PoseTrack(person, joints, index))
        recordings.append(Recording(tuple(tracks), np.arange(frames) / 30, "coco17",
                                    labels={"label": str(random.integers(3))}))
    return recordings


def in_slots(recording: Recording, people: int) -> np.ndarray:
    """``[M, N, C, T]`` the plain way."""
    slots = [[] for _ in range(people)]
    for track in recording.tracks:
        if not len(track):
            continue
        first, last = track.frame_index[[0, -1]]
        for slot in slots:
            if all(last < other.frame_index[0] or first > other.frame_index[-1]
                   for other in slot):
                slot.append(track)
                break
    dense = np.full((people, 17, 3, recording.num_frames), np.nan)
    for m, slot in enumerate(slots):
        for track in slot:
            dense[m][..., track.frame_index] = track.joints
    return dense


def one_by_one(recording: Recording, positions, people: int) -> np.ndarray:
    """``[M, N, C, F]`` the plain way."""
    dense = in_slots(recording, people)
    out = np.full((people, 17, 3, len(positions)), np.nan)
    for m in range(people):
        for f, position in enumerate(positions):
            low, share = int(np.floor(position)), position - np.floor(position)
            if 0 <= low < dense.shape[-1]:
                out[m, ..., f] = now = dense[m, ..., low]
                if share:
                    later = dense[m, ..., low + 1]
                    between = (1 - share) * now + share * later
                    there = np.where(np.isnan(now), later, now)  # what one frame lacks
                    out[m, ..., f] = np.where(np.isnan(between), there, between)
    return out


def test_every_other_frame_is_enough_at_any_instant():
    x = np.full((17, 3, 20), np.nan)
    x[..., ::2] = np.arange(0.0, 20, 2)
    track = PoseTrack(0, x, np.arange(20))
    arrays = ClipArrays.from_recordings([Recording((track,), np.arange(20) / 30, "coco17")])
    positions = np.linspace(0.3, 17.7, 50)
    joints, _ = gather(arrays, np.array([0]), positions[None, None], 1)
    assert joints.isfinite().all()
    assert np.abs(joints[0, 0, 0, 0].numpy() - positions).max() <= 1


def standing_at(*spans: tuple[float, int, int]) -> Recording:
    """A recording of 20 frames; tracks of people whose joints are all at x from first to last."""
    tracks = [PoseTrack(i, np.full((17, 3, last - first + 1), x), np.arange(first, last + 1))
              for i, (x, first, last) in enumerate(spans)]
    return Recording(tuple(tracks), np.arange(20) / 30, "coco17")


def where(recordings: list[Recording], people: int, step: int = 1) -> list:
    """x of everybody ``[B, M, F]`` at every ``step``-th frame, 0 for nobody."""
    arrays = ClipArrays.from_recordings(recordings)
    positions = np.broadcast_to(np.arange(0, 20, step), (len(recordings), 1, 20 // step))
    joints, mask = gather(arrays, np.arange(len(recordings)), positions, people)
    x = joints[:, :, 0, 0].nan_to_num(0)
    assert torch.equal(x != 0, mask)
    return x.int().tolist()


def test_a_person_who_is_found_again_takes_no_slot_of_another():
    found_again = standing_at((1, 0, 8), (2, 10, 19), (3, 0, 19))
    assert where([found_again], people=2, step=4) == [[[1, 1, 1, 2, 2], [3, 3, 3, 3, 3]]]
    assert where([found_again], people=1, step=4) == [[[1, 1, 1, 2, 2]]]
    # one frame in common is two people
    met = standing_at((1, 0, 8), (2, 8, 19), (3, 0, 19))
    assert where([met], people=2, step=4) == [[[1, 1, 1, 0, 0], [0, 0, 2, 2, 2]]]
    assert where([met], people=3, step=4)[0][2] == [3, 3, 3, 3, 3]


def test_several_tracks_of_a_slot_beside_clips_of_one():
    crowd = standing_at((1, 8, 11), (2, 0, 3), (3, 16, 19), (4, 2, 17), (5, 4, 7), (6, 18, 19),
                        (7, 0, 19), (8, 0, 1))
    alone, nobody = standing_at((9, 0, 19)), standing_at()
    slots = [[2, 2, 5, 5, 1, 1, 0, 0, 3, 3], [8, 4, 4, 4, 4, 4, 4, 4, 4, 6]]
    expected = [[[9] * 10, [0] * 10], slots, [[0] * 10] * 2, slots]
    assert where([alone, crowd, nobody, crowd], people=2, step=2) == expected
    assert where([crowd], people=4, step=2) == [[*slots, [7] * 10, [0] * 10]]


def test_in_a_gap_of_a_track_nobody_else_gets_its_slot():
    away = PoseTrack(0, np.ones((17, 3, 2)), [0, 19])
    other = PoseTrack(1, np.full((17, 3, 2), 2.0), [9, 10])
    recording = Recording((away, other), np.arange(20) / 30, "coco17")
    x = where([recording], people=2)[0]
    assert x == [[1, *[0] * 18, 1], [*[0] * 9, 2, 2, *[0] * 9]]


def test_without_a_number_of_people_every_track_has_its_slot():
    arrays = ClipArrays.from_recordings([standing_at((1, 0, 3), (2, 5, 6)), standing_at()])
    places = place_tracks(arrays, np.array([1, 0]), None)
    assert (places.people, places.heads) == (2, 2)
    assert places.rows.tolist() == [1, 1]
    assert places.slots.tolist() == places.tracks.tolist() == [0, 1]
    assert place_tracks(arrays, np.array([1]), None).people == 0


@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([0.0, 0.3, 0.95]),
       st.booleans())
@settings(max_examples=60, deadline=None)
def test_as_one_by_one(seed, people, gaps, fractions):
    recordings = made_up(seed, gaps=gaps)
    arrays = ClipArrays.from_recordings(recordings)
    random = np.random.default_rng(seed)
    rows = random.integers(0, len(recordings), 6)
    last = arrays.num_frames[rows][:, None, None] - 1
    shape = (6, 2, 7)
    if fractions:
        positions = np.minimum(random.random(shape) * (last + 1), last)
    else:
        positions = random.integers(-1, last + 1, shape)
    joints, mask = gather(arrays, rows, positions, people)
    assert joints.shape == (12, people, 17, 3, 7)
    assert joints.is_contiguous()
    expected = np.stack([one_by_one(recordings[row], view, people)
                         for row, views in zip(rows, positions, strict=True) for view in views])
    np.testing.assert_allclose(joints.numpy(), expected, atol=1e-5)
    np.testing.assert_array_equal(mask.numpy(), ~np.isnan(expected[:, :, 0, 0]))


def test_read_only_mapped_joints_stay_as_they_are(tmp_path):
    arrays = ClipArrays.from_recordings(made_up(3))
    np.save(tmp_path / "joints.npy", arrays.joints)
    mapped = np.load(tmp_path / "joints.npy", mmap_mode="r")
    from_file = ClipArrays(**{**vars(arrays), "joints": mapped})
    positions = np.zeros((5, 1, 3), np.int64)
    for one, other in zip(gather(from_file, np.arange(5), positions, 2),
                          gather(arrays, np.arange(5), positions, 2), strict=True):
        torch.testing.assert_close(one, other, equal_nan=True)
    joints, _ = gather(from_file, np.arange(5), positions, 2)
    joints.zero_()
    np.testing.assert_array_equal(mapped, arrays.joints)


@pytest.mark.parametrize("people", [1, 2])
def test_nobody_anywhere(people):
    empty = Recording((), np.arange(4) / 30, "coco17")
    arrays = ClipArrays.from_recordings([empty, empty])
    joints, mask = gather(arrays, np.array([1, 0]), np.zeros((2, 1, 4), np.int64), people)
    assert joints.shape == (2, people, 17, 3, 4)
    assert joints.isnan().all()
    assert not mask.any()
    assert gather_opening(arrays, np.array([0, 1]), people).isnan().all()


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_opening_is_the_first_sight_of_the_first_person(seed):
    recordings = made_up(seed)
    arrays = ClipArrays.from_recordings(recordings)
    opening = gather_opening(arrays, np.arange(len(recordings)), 2).numpy()
    for recording, frame in zip(recordings, opening, strict=True):
        dense = in_slots(recording, 2)
        seen = np.flatnonzero(~np.isnan(dense[0, 0, 0]))
        if len(seen):
            np.testing.assert_array_equal(frame, dense[..., seen[:1]].astype("f4"))
        else:
            assert np.isnan(frame).all()

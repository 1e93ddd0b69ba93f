"""The vectorised gather does what a loop over clips, people and frames does."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.datasets.arrays import ClipArrays
from skelact.datasets.gather import gather, gather_opening
from skelact.pose.recording import PoseTrack, Recording


def made_up(seed: int, clips: int = 5, gaps: float = 0.3) -> list[Recording]:
    """Recordings of 0 to 3 people who are away now and then; some frames without anyone."""
    random = np.random.default_rng(seed)
    recordings = []
    for _ in range(clips):
        frames = int(random.integers(1, 30))
        tracks = []
        for person in range(random.integers(0, 4)):
            index = np.flatnonzero(random.random(frames) > gaps)
            joints = random.normal(size=(17, 3, len(index)))
            tracks.append(PoseTrack(person, joints, index))
        recordings.append(Recording(tuple(tracks), np.arange(frames) / 30, "coco17",
                                    labels={"label": str(random.integers(3))}))
    return recordings


def one_by_one(recording: Recording, positions, people: int) -> np.ndarray:
    """``[M, N, C, F]`` the plain way."""
    dense = recording.joints()
    out = np.full((people, 17, 3, len(positions)), np.nan)
    for m in range(min(people, len(dense))):
        for f, position in enumerate(positions):
            low, share = int(np.floor(position)), position - np.floor(position)
            if 0 <= low < dense.shape[-1]:
                out[m, ..., f] = now = dense[m, ..., low]
                if share:
                    out[m, ..., f] = (1 - share) * now + share * dense[m, ..., low + 1]
    return out


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
        if recording.tracks and len(recording.tracks[0]):
            first = recording.tracks[0].frame_index[0]
            np.testing.assert_array_equal(frame, one_by_one(recording, [first], 2).astype("f4"))
        else:
            assert np.isnan(frame[0]).all()

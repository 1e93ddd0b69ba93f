"""Tracks and recordings: what they hold, and what they refuse to hold."""

import numpy as np
import pytest

from skelact.errors import ChoiceError, LayoutError, ShapeError, SkelactError
from skelact.pose.recording import PoseTrack, Recording, median_fps


def track(frames, track_id=0, num_joints=17, **kwargs) -> PoseTrack:
    joints = np.random.default_rng(track_id).random((num_joints, 3, len(frames)))
    return PoseTrack(track_id, joints, np.array(frames, int), **kwargs)


def test_a_track_keeps_its_own_frames():
    person = track([3, 4, 7])
    assert len(person) == 3
    assert person.joints.dtype == np.float32
    assert person.frame_index.dtype == np.int64
    assert not person.missing.any()


def test_missing_is_having_no_coordinates_not_low_confidence():
    joints = np.full((2, 3, 2), 5.0)
    joints[0, 2, 0] = 0.0
    joints[1, 1, 1] = np.nan
    person = PoseTrack(0, joints, [0, 1])
    np.testing.assert_array_equal(person.missing, [[False, False], [False, True]])


@pytest.mark.parametrize(
    ("joints", "frames", "extra", "message"),
    [
        ((17, 2, 4), [0, 1, 2, 3], {}, r"\[N, 3, T\]"),
        ((17, 3), [0], {}, r"\[N, 3, T\]"),
        ((17, 3, 4), [0, 1, 2], {}, r"frame_index \[4\]"),
        ((17, 3, 2), [0, 1], {"boxes": np.zeros((2, 4))[:1]}, r"boxes \[4, 2\]"),
        ((17, 3, 2), [0, 1], {"confidence": np.zeros((16, 2))}, r"confidence \[17, 2\]"),
        ((17, 3, 2), [1, 1], {}, "rise strictly"),
        ((17, 3, 2), [2, 1], {}, "rise strictly"),
        ((17, 3, 2), [-1, 1], {}, "rise strictly"),
        ((17, 3, 2), [0.0, 0.5], {}, "whole numbers"),
        ((17, 3, 2), [0, 1], {"confidence": np.full((17, 2), "high")}, "as numbers"),
    ],
)
def test_contradictions_in_a_track_are_refused(joints, frames, extra, message):
    with pytest.raises(ShapeError, match=message):
        PoseTrack(4, np.zeros(joints), frames, **extra)


def test_infinite_coordinates_are_refused():
    joints = np.zeros((17, 3, 1))
    joints[4, 0] = np.inf
    with pytest.raises(ShapeError, match="finite joints"):
        PoseTrack(0, joints, [0])


def test_dense_joints_are_missing_where_a_person_is_absent():
    people = track([0, 2], 0), track([1, 2, 3], 7)
    recording = Recording(people, np.arange(5) / 10, "coco17")
    dense = recording.joints()
    assert dense.shape == (2, 17, 3, 5)
    assert dense.dtype == np.float32
    for person, one in zip(people, dense, strict=True):
        np.testing.assert_array_equal(one[..., person.frame_index], person.joints)
        absent = np.setdiff1d(np.arange(5), person.frame_index)
        assert np.isnan(one[..., absent]).all()
    np.testing.assert_allclose(recording.track_times(people[1]), [0.1, 0.2, 0.3])
    assert list(recording) == list(people)


def test_a_recording_of_nobody():
    recording = Recording((), np.arange(4) / 25, "ntu25", dims=3)
    assert recording.joints().shape == (0, 25, 3, 4)
    assert recording.duration == pytest.approx(4 / 25)
    assert recording.num_frames == 4


def test_a_recording_of_no_frames():
    recording = Recording((track([]),), [], "coco17")
    assert (recording.num_frames, recording.duration, recording.fps) == (0, 0.0, 30.0)
    assert recording.joints().shape == (1, 17, 3, 0)


def test_frame_rate_is_the_median_of_uneven_times():
    times = np.cumsum([0, 0.04, 0.04, 0.5, 0.04])
    assert median_fps(times) == pytest.approx(25)
    assert Recording((), times, "coco17").fps == pytest.approx(25)
    assert Recording((), times, "coco17", fps=24).fps == 24
    assert Recording((), times, "coco17", fps=24).duration == pytest.approx(0.62 + 1 / 24)


def test_replacing_tracks_keeps_the_rest():
    recording = Recording((track([0]),), [0.0, 0.5], "coco17", image_size=(64, 48), source="a.mp4")
    other = recording.with_tracks([])
    assert other.tracks == ()
    assert (other.image_size, other.source, other.fps) == ((64, 48), "a.mp4", 2.0)
    assert len(recording.tracks) == 1


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"dims": 4}, ChoiceError, "dims"),
        ({"layout": "ntu25"}, LayoutError, r"track 0 .*ntu25.*coco17"),
        ({"layout": "nothing"}, LayoutError, "nothing"),
        ({"timestamps": [0.0, 0.1, 0.1]}, ShapeError, "frame 2 is not later than 1"),
        ({"timestamps": [0.0, np.nan, 0.2]}, ShapeError, "finite"),
        ({"timestamps": [[0.0, 0.1, 0.2]]}, ShapeError, r"timestamps \[T\]"),
        ({"timestamps": [0.0, 0.1]}, ShapeError, "frame 2, but the recording only 2"),
        ({"fps": 0.0}, ShapeError, "fps above 0"),
        ({"fps": float("nan")}, ShapeError, "fps above 0"),
        ({"image_size": (0, 5)}, ShapeError, "image_size"),
        ({"image_size": (5,)}, ShapeError, "image_size"),
        ({"tracks": (track([0]), track([1]))}, SkelactError, "must differ"),
    ],
)
def test_contradictions_in_a_recording_are_refused(changes, error, message):
    sound = {"tracks": (track([0, 2]),), "timestamps": [0.0, 0.1, 0.2], "layout": "coco17"}
    Recording(**sound)
    with pytest.raises(error, match=message):
        Recording(**{**sound, **changes})

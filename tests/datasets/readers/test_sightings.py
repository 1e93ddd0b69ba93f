"""From rows of people to recordings: identity, numbers, frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import standing

from skelact.datasets.readers.sightings import (
    Sightings,
    frame_rows,
    make_recording,
    number_rows,
    usable_ids,
    with_confidence,
)
from skelact.errors import FileFormatError, ShapeError
from skelact.pose.estimators.base import Detections
from skelact.pose.tracking import Tracker

SIZE = (640, 480)


def sightings_of(stays) -> Sightings:
    """People who stand at ``left`` in the frames from ``first`` to ``last``."""
    rows = [(t, standing(left=left + t % 5)) for left, first, last in stays
            for t in range(first, last)]
    frame = np.array([t for t, _ in rows], np.int64)
    joints = np.array([body for _, body in rows], np.float32).reshape(-1, 17, 3)
    return Sightings(frame, joints)


@settings(max_examples=25, deadline=None)
@given(
    stays=st.lists(st.tuples(st.sampled_from([100, 250, 400]), st.integers(0, 1500),
                             st.integers(1, 20)), min_size=1, max_size=6),
    more=st.integers(0, 400), fps=st.sampled_from([5.0, 30.0]),
)
def test_skipping_empty_stretches_changes_nothing(stays, more, fps):
    stays = [(left, first, first + length) for left, first, length in stays]
    seen = sightings_of(stays)
    frames = int(seen.frame.max()) + 1 + more
    recording = make_recording(seen, "coco17", frames, fps, image_size=SIZE)
    tracker = Tracker("coco17", SIZE)
    for t in range(frames):
        joints = seen.joints[seen.frame == t]
        boxes = np.concatenate([joints[..., :2].min(axis=1), joints[..., :2].max(axis=1)], axis=1)
        tracker.update(Detections(joints, boxes, joints[..., 2].mean(axis=1)), t, t / fps)
    expected = tracker.finish()
    assert [t.track_id for t in recording.tracks] == [t.track_id for t in expected]
    for own, track in zip(recording.tracks, expected, strict=True):
        np.testing.assert_array_equal(own.frame_index, track.frame_index)
        np.testing.assert_array_equal(own.joints, track.joints)


def test_hours_without_anybody_take_no_time_of_the_tracker():
    class Impatient(Tracker):
        updates = 0

        def update(self, *arguments):
            Impatient.updates += 1
            return super().update(*arguments)

    import skelact.datasets.readers.sightings as module

    seen = sightings_of([(100, 0, 20), (100, 900_000, 900_020)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Tracker", Impatient)
        recording = make_recording(seen, "coco17", 1_000_000, 30.0, image_size=SIZE)
    assert [track.frame_index[0] for track in recording.tracks] == [0, 900_000]
    assert Impatient.updates < 300


def test_known_people_keep_every_row_with_a_joint():
    seen = sightings_of([(100, 0, 3), (300, 1, 2)])
    seen.joints[2] = (np.nan, np.nan, 0)
    ids = np.array([7, 7, 7, 2])
    recording = make_recording(Sightings(seen.frame, seen.joints, ids=ids), "coco17", 5, 30.0)
    assert {t.track_id: t.frame_index.tolist() for t in recording.tracks} == {2: [1], 7: [0, 1]}
    with pytest.raises(FileFormatError, match="person 7 is in frame 1 twice"):
        make_recording(Sightings(np.array([0, 1, 2, 1]), seen.joints, ids=np.full(4, 7)),
                       "coco17", 5, 30.0)
    with pytest.raises(ShapeError, match="only 2 frames"):
        make_recording(Sightings(np.array([0, 5, 1, 2]), seen.joints, ids=ids), "coco17", 2, 30.0)
    with pytest.raises(FileFormatError, match="no frames"):
        make_recording(seen, "coco17", 0, 30.0)


@pytest.mark.parametrize(
    ("ids", "frame", "expected"),
    [
        ([1, 2, 1], [0, 0, 1], [1, 2, 1]),
        ([1.0, 2.0], [0, 0], [1, 2]),
        ([1, None], [0, 0], None),
        ([-1, -1], [0, 1], None),
        ([0, 0], [0, 0], None),  # nobody was told apart
        ([0, 0], [0, 1], [0, 0]),
        ([], [], None),
    ],
)
def test_ids_count_only_if_they_tell_people_apart(ids, frame, expected):
    found = usable_ids(ids, np.array(frame))
    assert (found is None) == (expected is None)
    if expected is not None:
        assert found.tolist() == expected


@pytest.mark.parametrize("ids", [[1.5, 2], ["a", "b"], [10**400, 1], [float("inf"), 1]])
def test_ids_that_are_no_whole_numbers_are_refused(ids):
    with pytest.raises(FileFormatError):
        usable_ids(ids, np.array([0, 0]))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 2], [3]], "row 1: expected 2 numbers, got 1"),
        ([[1, 2], [3, "4"]], "row 1: expected numbers, got '4'"),
        ([[1, "2"], [3, "4"]], "row 0: expected numbers, got '2'"),
        ([[1, 2], None], "row 1: expected 2 numbers, got None"),
        ([[1, 2], {"a": 1}], "row 1: expected 2 numbers"),
        ([[1, [2]], [1, [2]]], "row 0: expected numbers"),
        ([[1, 10**400]], "row 0: a number is too large"),
        ([[1, True, 2]], "row 0: expected 2 numbers, got 3"),
    ],
)
def test_rows_that_are_no_numbers_are_named(rows, message):
    with pytest.raises(FileFormatError, match=message):
        number_rows(rows, 2, "row")


def test_null_is_a_missing_number():
    np.testing.assert_array_equal(number_rows([[1, None], [2, 3]], 2, "row"), [[1, np.nan], [2, 3]])
    assert number_rows([], 3, "row").shape == (0, 3)


def test_frames_count_from_the_first():
    assert frame_rows([5, 7, 6]).tolist() == [0, 2, 1]
    assert frame_rows([5, 7, 6], first=1).tolist() == [4, 6, 5]
    assert frame_rows([3_000_000], first=0).tolist() == [3_000_000]
    for wrong in ([1, 2.5], [0, 150_000], [float("nan")], ["1"], [None], [1e300]):
        with pytest.raises(FileFormatError):
            frame_rows(wrong)
    for wrong in ([0, 1], [10**9]):
        with pytest.raises(FileFormatError):
            frame_rows(wrong, first=1)


def test_zeros_and_holes_are_missing_joints_of_confidence_0():
    points = np.array([[[0, 0, 0], [0, 0, 0.5], [1, np.nan, 0.5], [1, 2, np.nan], [3, 4, 1.2],
                        [3, 4, -0.1]]])
    joints = with_confidence(points)[0]
    assert np.isnan(joints[:, 0]).tolist() == [True, False, True, True, False, False]
    np.testing.assert_allclose(joints[:, 2], [0, 0.5, 0, 0, 1, 0])

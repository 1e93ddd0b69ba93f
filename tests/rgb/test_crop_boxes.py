"""Squares around people and hands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelact.graph.layouts import get_layout
from skelact.pose.recording import PoseTrack
from skelact.rgb.crop_boxes import HAND, TO_HAND, crop_boxes

JOINTS = get_layout("coco17").joints


def arm(wrist=(100.0, 60.0), elbow=(60.0, 60.0), frames=10, **fields) -> PoseTrack:
    """Only a left forearm is seen."""
    joints = np.full((17, 3, frames), np.nan, np.float32)
    for name, spot in (("left_wrist", wrist), ("left_elbow", elbow)):
        joints[JOINTS.index(name), :2] = np.array(spot)[:, None]
        joints[JOINTS.index(name), 2] = 0.9
    return PoseTrack(0, joints, fields.pop("frame_index", np.arange(frames)), **fields)


def test_a_hand_lies_beyond_the_wrist_and_is_as_large_as_the_forearm_says():
    left, right = crop_boxes(arm(), "coco17", "hands", margin=0.0)
    middle, half = 100 + 40 * TO_HAND, 40 * HAND / 2
    np.testing.assert_allclose(left[:, 0], [middle - half, 60 - half, middle + half, 60 + half],
                               rtol=1e-5)
    assert np.isnan(right).all()
    wide, _ = crop_boxes(arm(), "coco17", "hands", margin=0.5)
    assert wide[2, 0] - wide[0, 0] == pytest.approx(2 * (left[2, 0] - left[0, 0]))


def test_an_arm_that_points_at_the_camera_keeps_its_size():
    track = arm(frames=30)
    joints = track.joints.copy()
    joints[JOINTS.index("left_elbow"), 0, 14:17] = 95.0  # a forearm of 5 pixels
    left, _ = crop_boxes(PoseTrack(0, joints, track.frame_index), "coco17", "hands", margin=0.0)
    sides = left[2] - left[0]
    np.testing.assert_allclose(sides, 40 * HAND, rtol=1e-5)


def test_a_flyaway_joint_does_not_count():
    track = arm(frames=60)
    joints = track.joints.copy()
    joints[JOINTS.index("left_elbow"), 0, 30] = -5000.0
    left, _ = crop_boxes(PoseTrack(0, joints, track.frame_index), "coco17", "hands",
                         (320, 240), margin=0.0)
    np.testing.assert_allclose(left[2] - left[0], 40 * HAND, rtol=1e-5)
    assert (left[0] >= -320).all()


def test_unsure_wrists_are_not_known():
    track = arm()
    joints = track.joints.copy()
    joints[JOINTS.index("left_wrist"), 2, 4:] = 0.05
    left, _ = crop_boxes(PoseTrack(0, joints, track.frame_index), "coco17", "hands")
    assert not np.isnan(left[:, :4]).any()
    assert np.isnan(left[:, 6:]).all()


def test_squares_do_not_reach_over_an_absence():
    track = arm(frames=4, frame_index=np.array([0, 1, 90, 91]))
    joints = track.joints.copy()
    joints[:, 0, 2:] += 100
    left, _ = crop_boxes(PoseTrack(0, joints, track.frame_index), "coco17", "hands")
    np.testing.assert_allclose(np.diff(left[0]), [0, 100, 0], atol=1e-3)


def test_a_person_is_where_the_box_is_else_where_the_joints_are():
    box = np.repeat(np.array([[10.0], [20.0], [50.0], [120.0]], np.float32), 10, axis=1)
    (with_box,) = crop_boxes(arm(boxes=box), "coco17", "person", margin=0.0)
    np.testing.assert_allclose(with_box[:, 5], [-20, 20, 80, 120])
    box[:, 5] = np.nan
    lost = PoseTrack(0, arm().joints, np.arange(10) * 50, box)  # neighbours are far away
    (without,) = crop_boxes(lost, "coco17", "person", margin=0.0)
    np.testing.assert_allclose(without[:, 5], [60, 40, 100, 80])
    np.testing.assert_allclose(without[:, 4], [-20, 20, 80, 120])


@given(st.integers(1, 40), st.floats(0.2, 120), st.integers(0, 10**6))
def test_any_track_gives_squares_or_nothing(frames, fps, seed):
    random = np.random.default_rng(seed)
    joints = random.normal(100, 80, (17, 3, frames)).astype(np.float32)
    joints[:, 2] = random.random((17, frames))
    joints[random.random((17, 3, frames)) < 0.3] = np.nan
    track = PoseTrack(0, joints, np.cumsum(random.integers(1, 5, frames)))
    for region in ("person", "hands"):
        boxes = crop_boxes(track, "coco17", region, (320, 240), fps=fps)
        assert boxes.shape == (2 if region == "hands" else 1, 4, frames)
        known = ~np.isnan(boxes).any(axis=1)
        assert (np.isnan(boxes).all(axis=1) == ~known).all()
        wide, high = (boxes[:, 2:] - boxes[:, :2]).transpose(1, 0, 2)
        np.testing.assert_allclose(wide[known], high[known], atol=1e-2)
        assert (wide[known] > 0).all()

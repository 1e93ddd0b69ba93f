import numpy as np
import pytest

from skelact.pose.similarity import box_area, box_iou, box_overlap, pose_similarity


def test_box_iou_by_hand():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], float)
    expected = [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(box_iou(boxes, boxes), expected)
    assert box_overlap(boxes[:1], boxes[1:2]) == 50


def test_empty_and_inverted_boxes_have_no_area_and_no_overlap():
    boxes = np.array([[3, 3, 3, 3], [9, 9, 2, 2]], float)
    assert box_area(boxes).tolist() == [0, 0]
    assert not box_iou(boxes, boxes).any()
    assert box_iou(np.empty((0, 4)), boxes).shape == (0, 2)


def pose(*joints):
    return np.array([joints], float)


def test_pose_similarity_is_the_oks_formula():
    first, second = pose((0, 0, 1), (10, 0, 1)), pose((3, 4, 1), (10, 0, 1))
    sigmas, area = np.array([0.1, 0.2]), np.array([[400.0]])
    alike, compared = pose_similarity(first, second, area, sigmas)
    # d = 5 px, (2 * 0.1)^2 * 400 = 16
    assert alike == pytest.approx((np.exp(-25 / 32) + 1) / 2)
    assert compared == pytest.approx(1)


def test_slack_widens_the_tolerance():
    first, second = pose((0, 0, 1)), pose((3, 4, 1))
    alike, _ = pose_similarity(first, second, np.array([[400.0]]), np.array([0.1]), np.array([3.0]))
    assert alike == pytest.approx(np.exp(-25 / (2 * (16 + 9))))


def test_guessed_and_missing_joints_do_not_count():
    sure, area, sigmas = (0, 0, 1.0), np.array([[100.0]]), np.array([0.1, 0.1])
    far = pose(sure, (50, 50, 0.0))
    missing = pose(sure, (np.nan, np.nan, 0.9))
    for other in (far, missing):
        alike, compared = pose_similarity(pose(sure, sure), other, area, sigmas)
        assert alike == pytest.approx(1)
        assert compared == pytest.approx(0.5)


def test_nothing_in_common_is_not_alike():
    nothing = np.full((1, 2, 3), np.nan)
    alike, compared = pose_similarity(nothing, nothing, np.array([[1.0]]), np.array([0.1, 0.1]))
    assert alike == compared == 0

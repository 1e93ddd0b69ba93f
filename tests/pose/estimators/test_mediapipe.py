import itertools

import numpy as np
import pytest

from skelact.errors import ShapeError, SkelactError
from skelact.pose.estimators.mediapipe import MediaPipeEstimator, MediaPipeHandsEstimator
from skelact.pose.video import VideoReader


@pytest.fixture(scope="module")
def squats(shared) -> list[np.ndarray]:
    reader = VideoReader(shared / "videos" / "labelled" / "squats.mp4")
    return [frame.image for frame in itertools.islice(reader, 6)]


@pytest.fixture(scope="module")
def estimator() -> MediaPipeEstimator:
    return MediaPipeEstimator()


@pytest.mark.shared
def test_one_person_with_33_joints_standing_upright(estimator, squats):
    estimator.reset()
    height, width = squats[0].shape[:2]
    for people in estimator.estimate(squats):
        assert people.joints.shape == (1, 33, 3)
        index = estimator.layout.index
        x, y, confidence = people.joints[0].T
        assert y[index("nose")] < y[index("left_hip")] < y[index("left_ankle")] < height
        assert 0 < x.mean() < width
        assert ((confidence >= 0) & (confidence <= 1)).all()
        assert 0.5 < people.scores[0] <= 1
        left, top, right, bottom = people.boxes[0]
        assert (left, top) == (x.min(), y.min())
        assert (right, bottom) == (x.max(), y.max())
    assert estimator.max_people == 1
    assert "one person" in estimator.name


@pytest.mark.shared
def test_after_a_reset_nothing_of_the_last_video_is_left(estimator, squats):
    estimator.reset()
    first = [people.joints for people in estimator.estimate(squats[:3])]
    estimator.estimate([image[:, ::-1] for image in squats])
    estimator.reset()
    again = [people.joints for people in estimator.estimate(squats[:3])]
    np.testing.assert_array_equal(first, again)


@pytest.mark.shared
def test_a_video_may_be_given_in_any_batches(estimator, squats):
    estimator.reset()
    together = estimator.estimate(squats)
    estimator.reset()
    apart = [*estimator.estimate(squats[:1]), *estimator.estimate(squats[1:])]
    for a, b in zip(together, apart, strict=True):
        np.testing.assert_array_equal(a.joints, b.joints)


def test_nobody_in_an_empty_picture(estimator):
    estimator.reset()
    [people] = estimator.estimate([np.zeros((48, 64, 3), np.uint8)])
    assert len(people) == 0
    assert people.joints.shape == (0, 33, 3)


def test_bad_arguments_are_refused(estimator):
    with pytest.raises(ShapeError, match="expected"):
        estimator.estimate([np.zeros((8, 8), np.uint8)])
    with pytest.raises(SkelactError, match="min_score"):
        MediaPipeEstimator(min_score=2)


@pytest.fixture(scope="module")
def hands() -> MediaPipeHandsEstimator:
    return MediaPipeHandsEstimator(max_hands=2)


@pytest.mark.shared
def test_hands_with_21_joints_each(hands, shared):
    reader = VideoReader(shared / "videos" / "labelled" / "right_hand_wave.mp4")
    images = [frame.image for frame in itertools.islice(reader, 40, 46)]
    hands.reset()
    height, width = images[0].shape[:2]
    wrist, middle = map(hands.layout.index, ("wrist", "middle_tip"))
    for found in hands.estimate(images):
        assert 1 <= len(found) <= 2
        assert found.joints.shape[1:] == (21, 3)
        assert (found.joints[..., 2] == 1).all()
        assert (found.scores == 1).all()
        left, top, right, bottom = found.boxes.T
        assert ((left >= 0) & (left < right) & (right < width)).all()
        assert ((top >= 0) & (top < bottom) & (bottom < height)).all()
        np.testing.assert_array_equal(found.joints[..., 1].max(axis=1), bottom)
        raised = found.joints[found.boxes[:, 1].argmin()]
        assert raised[middle, 1] < raised[wrist, 1]  # a hand that waves points up


def test_no_hand_in_an_empty_picture(hands):
    hands.reset()
    [found] = hands.estimate([np.zeros((48, 64, 3), np.uint8)])
    assert found.joints.shape == (0, 21, 3)
    assert (hands.max_people, hands.layout.name) == (2, "hand21")
    assert "2 hands" in hands.name
    with pytest.raises(SkelactError, match="max_hands"):
        MediaPipeHandsEstimator(max_hands=0)

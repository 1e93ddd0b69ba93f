"""The classical baseline: known motions and edges in known bins, and machines that learn them."""

import numpy as np
import pytest
from recordings import walking
from skimage.feature import hog
from sklearn.svm import LinearSVC

from skelact.config import ClipConfig
from skelact.datasets.arrays import ClipArrays
from skelact.errors import ChoiceError, ShapeError, SkelactError
from skelact.evaluation.handcrafted import (
    fit_linear,
    hof_features,
    hog_features,
    motion_features,
    motion_histograms,
)
from skelact.evaluation.metrics import top_k_accuracy


def path(direction: float, frames: int = 9) -> np.ndarray:
    """``[2, C, T]``: the first joint rests, the second moves that way (degrees, x to y)."""
    joints = np.zeros((2, 2, frames), np.float32)
    turn = np.deg2rad(direction)
    joints[1] = np.stack([np.cos(turn), np.sin(turn)])[:, None] * np.arange(frames)
    return joints


@pytest.mark.parametrize(("direction", "shares"), [
    (0, {0: 1.0}), (90, {2: 1.0}), (-45, {7: 1.0}), (67.5, {1: 0.5, 2: 0.5}),
    (350, {7: 10 / 45, 0: 35 / 45}),
])
def test_each_step_goes_to_its_two_nearest_directions(direction, shares):
    found = motion_histograms(path(direction), parts=(1,)).reshape(2, 9)
    np.testing.assert_allclose(found[0], [0] * 8 + [1], atol=1e-6)  # at rest
    expected = np.zeros(9)
    for number, share in shares.items():
        expected[number] = np.sqrt(2 * share)  # twice the mean speed of both joints
    np.testing.assert_allclose(found[1], expected, atol=1e-4)


def test_parts_of_a_clip_and_planes_of_space():
    there = path(0, 9)[1, 0]
    joints = np.zeros((1, 3, 17), np.float32)
    joints[0, 2] = np.concatenate([there, there[-2::-1]])  # along z, and back
    found = motion_histograms(joints, bins=4, parts=(1, 2))
    assert found.shape == (1 * 3 * 5 * 3,)
    plane_xy, plane_xz, plane_yz = found.reshape(3, 5, 3)  # directions and still, then parts
    np.testing.assert_allclose(plane_xy[4], 1)
    for plane in (plane_xz, plane_yz):  # z is their second axis: up is direction 1, down 3
        np.testing.assert_allclose(plane[1, 1:] > 0, [True, False])
        np.testing.assert_allclose(plane[3, 1:] > 0, [False, True])
        np.testing.assert_allclose(plane[1, 0], plane[3, 0])


def test_neither_size_nor_leading_axes_matter():
    joints = np.random.default_rng(0).normal(size=(3, 2, 5, 3, 12)).astype(np.float32)
    found = motion_histograms(joints)
    np.testing.assert_allclose(motion_histograms(7 * joints + 3), found, atol=1e-3)
    np.testing.assert_array_equal(motion_histograms(joints[1, 0]), found[1, 0])
    assert (motion_histograms(0 * joints).reshape(3, 2, -1, 9, 7)[..., 8, :] == 1).all()


def test_what_has_no_motion():
    with pytest.raises(ShapeError, match="more than 4 frames"):
        motion_histograms(np.zeros((2, 3, 4)))
    with pytest.raises(ShapeError, match="2 or 3 coordinates"):
        motion_histograms(np.zeros((2, 4, 9)))
    for wrong in ({"bins": 1}, {"parts": ()}, {"parts": (0,)}):
        with pytest.raises(ChoiceError, match="at least 2 directions"):
            motion_histograms(np.zeros((2, 3, 9)), **wrong)


def test_clips_of_a_data_set_and_people_who_are_not_there():
    arrays = ClipArrays.from_recordings([walking(20, people=1 + i % 2, step=1 + i)
                                         for i in range(4)])
    clip = ClipConfig(dims=2, people=2, frames=16)
    features = motion_features(arrays, clip)
    assert (features.shape, features.dtype) == ((4, 17 * 9 * 7), np.float32)
    one = motion_features(arrays, ClipConfig(dims=2, people=1, frames=16))
    np.testing.assert_allclose(features[::2], one[::2], atol=1e-6)  # the second person counts not
    np.testing.assert_array_equal(motion_features(arrays, clip, [2, 0]), features[[2, 0]])
    assert motion_features(arrays, clip, []).shape == (0, 17 * 9 * 7)


def disc(frames: int = 4, step: int = 0) -> np.ndarray:
    """``[1, 3, T, 64, 64]`` a textured picture that moves right."""
    noise = np.random.default_rng(0).normal(size=(90, 120))
    for _ in range(6):
        noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1)) / 3
    noise = (255 * (noise - noise.min()) / np.ptp(noise)).astype(np.uint8)
    images = [noise[:64, 40 - step * t :][:, :64] for t in range(frames)]
    return np.repeat(np.stack(images)[None, None], 3, axis=1)


def test_flow_stands_in_its_direction_and_rest_in_the_last_bin():
    moving = hof_features(disc(step=3)).reshape(4, 4, 9)
    still = hof_features(disc(step=0)).reshape(4, 4, 9)
    np.testing.assert_allclose([np.linalg.norm(moving), np.linalg.norm(still)], 1, rtol=1e-5)
    assert (moving[1:3, 1:3].argmax(-1) == 0).all()
    assert (still.argmax(-1) == 8).all()
    two = np.concatenate([disc(step=3), disc(step=0)])
    np.testing.assert_array_equal(hof_features(two), np.concatenate([moving.ravel(),
                                                                     still.ravel()]))
    with pytest.raises(ShapeError, match="at least two frames"):
        hof_features(disc(frames=1))


def test_gradients_are_those_of_scikit_image():
    pixels = disc(frames=2, step=5)
    found = hog_features(pixels, cells=8)
    assert (found.shape, found.dtype) == ((7 * 7 * 4 * 9,), np.float32)
    expected = [hog(frame.transpose(1, 2, 0), pixels_per_cell=(8, 8), cells_per_block=(2, 2),
                    channel_axis=-1) for frame in pixels[0].transpose(1, 0, 2, 3)]
    np.testing.assert_allclose(found, np.mean(expected, axis=0), atol=1e-6)
    assert hog_features(np.concatenate([pixels, pixels]), cells=6).shape == (2 * 5 * 5 * 4 * 9,)
    for wrong in (pixels[..., :12, :12], pixels[:, :, :0], pixels[0]):
        with pytest.raises(ShapeError, match="expected"):
            hog_features(wrong)


def clusters(seed: int = 0, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.arange(90) % classes
    return 3 * np.eye(classes, 5)[labels] + random.normal(size=(90, 5)), labels


@pytest.mark.parametrize("classes", [2, 3])
def test_the_machine_learns_and_gives_probabilities(classes):
    features, labels = clusters(classes=classes)
    machine = fit_linear(features, labels, classes, strengths=(0.1,))
    scores = machine.scores(clusters(1, classes)[0])
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert top_k_accuracy(scores, labels) > 0.85
    spread = features.std(axis=0)
    plain = LinearSVC(C=0.1, dual="auto", random_state=0).fit(
        (features - features.mean(axis=0)) / spread, labels)
    np.testing.assert_array_equal(machine.scores(features).argmax(1),
                                  plain.predict((features - features.mean(axis=0)) / spread))


def test_a_class_without_clips_gets_nothing():
    features, labels = clusters()
    scores = fit_linear(features, 2 * labels, 6, strengths=(0.1,)).scores(features)
    assert (scores[:, 1::2] == 0).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert fit_linear(features, labels, 3).scores(np.empty((0, 5))).shape == (0, 3)


def test_the_strength_is_chosen_for_people_left_out():
    random = np.random.default_rng(0)
    labels, groups = np.arange(120) % 2, np.arange(120) // 10
    weak = labels[:, None] + random.normal(size=(120, 3))
    personal = np.eye(12)[groups] * np.where(labels, 1, -1)[:, None] * 10  # of one person only
    features = np.hstack([weak, personal])
    strengths = (1e-4, 100.0)
    by_people = fit_linear(features, labels, 2, groups, strengths).machine[-1].C
    assert by_people == 1e-4
    assert fit_linear(features, labels, 2, None, strengths).machine[-1].C == 100.0


def test_too_few_clips_to_leave_some_out():
    features, labels = clusters()
    machine = fit_linear(features[:6], labels[:6], 3, strengths=(1.0, 1e-3, 1e-2))
    assert machine.machine[-1].C == 1e-2


def test_what_cannot_be_fitted():
    features, labels = clusters()
    with pytest.raises(SkelactError, match="at least two of 3 classes"):
        fit_linear(features, 0 * labels, 3)
    with pytest.raises(SkelactError, match="at least two of 2 classes"):
        fit_linear(features, labels, 2)
    with pytest.raises(ShapeError, match="features"):
        fit_linear(features[1:], labels, 3)
    features[3, 1] = np.nan
    with pytest.raises(ShapeError, match="1 of 90 clips"):
        fit_linear(features, labels, 3)
    with pytest.raises(ShapeError, match="features"):
        fit_linear(np.nan_to_num(features), labels, 3, strengths=(1,)).scores(features[:, :2])

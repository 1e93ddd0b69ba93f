"""Pinhole views: geometry by hand, against parallel lines, and what falls out of sight."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from people import worker_arrays

from skelact.errors import ChoiceError, ShapeError
from skelact.evaluation.harmonise import inspect_axes
from skelact.transforms.projection import project_arrays
from skelact.transforms.spatial import project

PEOPLE = worker_arrays(count=6)


def test_by_hand():
    joints = PEOPLE.joints.copy()
    joints[:] = 0
    joints[:, 0], joints[:, 1] = [1, 0, 0], [-1, 0, 0]
    joints[:, 2], joints[:, 3] = [0, 1, 0], [0, -1, 0]
    flat = project_arrays(replace(PEOPLE, joints=joints), distance=4.0, image_size=(400, 200))
    scale = 1.2 * 200 / 4
    expected = np.array([[200 - scale, 100], [200 + scale, 100], [200, 100 - scale],
                         [200, 100 + scale]])
    np.testing.assert_allclose(flat.joints[0, :4, :2], expected, atol=1e-4)
    assert (flat.dims, flat.joints[..., 2].min()) == (2, 1.0)
    assert (flat.image_size == [400, 200]).all()
    side = project_arrays(replace(PEOPLE, joints=joints), yaw=np.pi / 2, distance=4.0,
                          image_size=(400, 200))  # from where x points: the first is nearest
    np.testing.assert_allclose(side.joints[0, 0, :2], [200, 100], atol=1e-3)
    above = project_arrays(replace(PEOPLE, joints=joints), pitch=np.pi / 2, distance=4.0,
                           image_size=(400, 200))
    np.testing.assert_allclose(above.joints[0, 2, :2], [200, 100], atol=1e-3)


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, 0.0), (0.7, 0.0), (-2.0, 0.3), (0.4, -0.2)])
def test_from_far_away_lines_are_parallel(yaw, pitch):
    far = project_arrays(PEOPLE, yaw, pitch, distance=1e4, image_size=(10**7, 10**7))
    joints = torch.from_numpy(PEOPLE.joints).double().permute(1, 2, 0)
    flat = project(joints, torch.tensor(np.pi + yaw), torch.tensor(-pitch)).permute(2, 0, 1).numpy()
    seen = far.joints.astype(float)[..., :2] / (1.2e7 / 1e4)
    np.testing.assert_allclose(seen - seen[:, :1], (flat - flat[:, :1])[..., :2], atol=5e-3)


def test_people_fit_and_stand_upright_facing_the_camera():
    flat = project_arrays(PEOPLE, image_size=(640, 480))
    assert np.isfinite(flat.joints).all()
    low, high = flat.joints[..., :2].min((0, 1)), flat.joints[..., :2].max((0, 1))
    assert (low >= [64 - 1, 48 - 1]).all()
    assert (high <= [576 + 1, 432 + 1]).all()
    assert (high - low)[1] > 300
    assert inspect_axes(flat).up == "-y"
    left, right = (flat.layout.index(f"{side}_shoulder") for side in ("left", "right"))
    assert (flat.joints[:, left, 0] > flat.joints[:, right, 0]).all()


def test_one_view_a_clip():
    yaw = np.linspace(-1, 1, 6)
    flat = project_arrays(PEOPLE, yaw=yaw)
    for i in (0, 5):
        alone = project_arrays(PEOPLE, yaw=yaw[i])
        frames = slice(*PEOPLE.track_offsets[[i, i + 1]])
        np.testing.assert_array_equal(flat.joints[frames], alone.joints[frames])
    with pytest.raises(ShapeError, match="yaw"):
        project_arrays(PEOPLE, yaw=np.zeros(5))


def test_what_is_not_seen_is_missing():
    joints = PEOPLE.joints.copy()
    joints[3, 4] = np.nan
    near = project_arrays(replace(PEOPLE, joints=joints), distance=0.5)
    missing = np.isnan(near.joints[..., 0])
    assert missing[3, 4]
    assert 0.05 < missing.mean() < 0.95
    assert (near.joints[..., 2] == ~missing).all()
    assert np.nanmax(near.joints[..., 0]) <= 1280
    whole = project_arrays(replace(PEOPLE, joints=joints))
    assert np.isnan(whole.joints[..., 0]).sum() == 1


def test_mistakes():
    flat = project_arrays(PEOPLE)
    with pytest.raises(ChoiceError, match="dims"):
        project_arrays(flat)
    with pytest.raises(ChoiceError, match="positive"):
        project_arrays(PEOPLE, distance=0.0)
    with pytest.raises(ChoiceError, match="positive"):
        project_arrays(PEOPLE, image_size=(0, 5))

"""Positions: invariances, and what missing joints do to them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.transforms.spatial import centre_and_scale, fill_missing, hide_uncertain, project

NAN = math.nan


def clip(seed=0, shape=(2, 13, 3, 6), gaps=0.0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    joints = torch.from_numpy(random.normal(size=shape)).double()
    joints[..., 2, :] = joints[..., 2, :].sigmoid()
    lost = torch.from_numpy(random.random((*shape[:-2], 1, shape[-1])) < gaps)
    return joints.masked_fill(lost.expand(shape), NAN)


def assert_same(actual, expected, **tolerances) -> None:
    torch.testing.assert_close(actual, expected, equal_nan=True, **tolerances)


def test_a_body_is_put_at_the_origin_with_size_one():
    # a square of side 2 that moves right by 1 a frame: the centre of its path is (2, 1)
    corners = torch.tensor([[0, 0], [2, 0], [2, 2], [0, 2]], dtype=torch.float64)
    path = torch.tensor([[0, 0], [1, 0], [2, 0]], dtype=torch.float64)
    joints = (corners[:, :, None] + path.T[None]).clone()
    joints = torch.cat([joints, torch.full((4, 1, 3), 0.5).double()], dim=1)
    out = centre_and_scale(joints)
    expected = (joints[:, :2] - torch.tensor([2.0, 1.0]).double()[None, :, None]) / 2
    assert_same(out[:, :2], expected)
    assert (out[:, 2] == 0.5).all()


def test_the_size_is_the_mean_of_the_longer_side_over_the_frames_with_joints():
    joints = torch.full((2, 3, 3), NAN)
    joints[:, :, 0] = torch.tensor([[0.0, 0, 1], [4, 1, 1]])  # 4 wide
    joints[:, :, 2] = torch.tensor([[0.0, 0, 1], [1, 2, 1]])  # 2 high
    out = centre_and_scale(joints)
    assert_same(out[:, 0, 0], torch.tensor([-1.25, 2.75]) / 3)  # the middles are at 2 and 0.5
    assert out[:, :2, 1].isnan().all()


@given(st.integers(0, 10_000), st.floats(0.01, 1000), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
@settings(max_examples=30, deadline=None)
def test_place_and_size_in_the_picture_do_not_matter(seed, scale, x, y):
    joints = clip(seed, gaps=0.2)
    moved = joints.clone()
    moved[..., 0, :] = joints[..., 0, :] * scale + x
    moved[..., 1, :] = joints[..., 1, :] * scale + y
    assert_same(centre_and_scale(moved), centre_and_scale(joints), rtol=1e-5, atol=1e-5)


def test_leading_axes_are_independent_and_the_input_stays():
    joints = clip(gaps=0.3)
    before = joints.clone()
    out = centre_and_scale(joints)
    assert_same(joints, before)
    assert_same(centre_and_scale(joints[1]), out[1])
    assert_same(centre_and_scale(out), out, rtol=1e-6, atol=1e-6)


def test_clips_of_nothing_and_of_one_point():
    assert centre_and_scale(torch.full((2, 3, 4), NAN)).isnan().all()
    point = torch.full((1, 3, 4), NAN)
    point[0, :, 2] = torch.tensor([7.0, 8, 0.5])
    assert_same(centre_and_scale(point)[0, :, 2], torch.tensor([0.0, 0, 0.5]))
    assert centre_and_scale(torch.empty(0, 13, 3, 4)).shape == (0, 13, 3, 4)


def test_three_dimensions():
    joints = clip(shape=(5, 3, 4))
    out = centre_and_scale(joints, dims=3)
    extent = (out.amax(0) - out.amin(0)).amax(0)
    assert_same(extent.mean(), torch.tensor(1.0).double())
    middle = (out.amax(0) + out.amin(0)) / 2
    assert_same(middle.mean(-1), torch.zeros(3).double(), atol=1e-9, rtol=0)


def test_missing_becomes_zero_in_all_channels():
    joints = torch.ones(3, 3, 2)
    joints[0, 0, 0] = NAN  # x alone
    joints[1, 2, 1] = NAN  # confidence alone: the joint has a place
    out = fill_missing(joints)
    assert (out[0, :, 0] == 0).all()
    assert out[1, :, 1].tolist() == [1, 1, 0]
    assert out.sum() == 18 - 3 - 1
    assert joints[0, 0, 0].isnan()


def test_unsure_joints_are_hidden():
    joints = torch.ones(3, 3, 1)
    joints[:, 2, 0] = torch.tensor([0.1, 0.0999, NAN])
    out = hide_uncertain(joints, 0.1)
    assert out[0].tolist() == [[1], [1], [joints[0, 2, 0].item()]]
    assert out[1].isnan().all()
    assert out[2, 0, 0] == 1
    assert joints[1, 0, 0] == 1


@given(st.integers(0, 10_000), st.floats(-math.pi, math.pi), st.floats(-1.5, 1.5))
@settings(max_examples=30, deadline=None)
def test_seen_from_three_sides_every_bone_keeps_its_length(seed, yaw, pitch):
    """Two views at right angles about the vertical hold all of a rigid turn."""
    joints = clip(seed, (2, 5, 3, 4))
    bones = (joints[:, 1:] - joints[:, :1]).norm(dim=2)
    turn = torch.full((2,), yaw, dtype=torch.float64)
    tilt = torch.full((2,), pitch, dtype=torch.float64)
    level = torch.zeros(2, dtype=torch.float64)
    front, side = (project(joints, turn + a, level)[:, :, :2] for a in (0, math.pi / 2))
    height = front[:, :, 1] - front[:, :1, 1]
    squared = sum((v[:, 1:, 0] - v[:, :1, 0]).square() for v in (front, side))
    torch.testing.assert_close((squared + height[:, 1:].square()).sqrt(), bones)
    above = project(joints, turn, tilt + math.pi / 2)[:, :, :2]
    below = project(joints, turn, tilt)[:, :, :2]
    squared = (above[:, 1:] - above[:, :1]).square()[:, :, 1]
    squared = squared + (below[:, 1:] - below[:, :1]).square().sum(2)
    torch.testing.assert_close(squared.sqrt(), bones)


def test_the_views_from_behind_and_from_the_sensor():
    joints = torch.tensor([[1.0, 2, 3]])[..., None]
    zero = torch.zeros(())
    assert project(joints, zero, zero)[0, :, 0].tolist() == [1, -2, 1]  # y down
    front = project(joints, torch.tensor(math.pi), zero)[0, :, 0]
    torch.testing.assert_close(front, torch.tensor([-1.0, -2, 1]))  # right-handed: x to the left
    quarter = project(joints, torch.tensor(math.pi / 2), zero)[0, :, 0]
    torch.testing.assert_close(quarter, torch.tensor([3.0, -2, 1]))
    lost = joints.clone()
    lost[0, :, 0] = NAN
    assert project(lost, zero, zero)[0, :2].isnan().all()


@pytest.mark.parametrize("function", [centre_and_scale, fill_missing])
def test_single_precision_stays_single(function):
    assert function(clip().float()).dtype == torch.float32

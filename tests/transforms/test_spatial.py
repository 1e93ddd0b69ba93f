"""Positions: invariances, and what missing joints do to them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.graph.layouts import get_layout
from skelact.transforms.augment import random_rotations
from skelact.transforms.spatial import (
    canonical_view,
    centre,
    centre_and_scale,
    fill_missing,
    hide_uncertain,
    locate,
    project,
    rotate,
    scale,
    scale_by_image,
    torso_length,
)

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


NTU, COCO = get_layout("ntu25"), get_layout("coco17")


def people(seed=0, frames=4) -> torch.Tensor:
    """``[2, 25, 3, T]`` two people in metres."""
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(2, 25, 3, frames)))


def test_joints_are_located_by_name_or_derived():
    joints = clip(shape=(2, 17, 3, 4))
    nose, neck = locate(joints, COCO, ("nose", "neck")).unbind(dim=-3)
    assert torch.equal(nose, joints[:, 0])
    torch.testing.assert_close(neck, (joints[:, 5] + joints[:, 6]) / 2)
    with pytest.raises(LayoutError, match="left_hand_tip"):
        locate(joints, COCO, ("nose", "left_hand_tip"))


def test_centres_by_hand():
    # a joint at 1, 3, 5 and another that stands still at 9; missing in the first frame
    joints = torch.tensor([[NAN, 3.0, 5.0], [NAN, 9.0, 9.0]]).double()
    joints = torch.stack([joints, joints, torch.ones(2, 3)], dim=1)
    at = joints[:1]

    def x(**fields):
        out = centre(joints, **fields)
        assert torch.equal(out[:, 2], joints[:, 2])
        return out[:, 0].nan_to_num(-99).tolist()

    assert x(at=at, frame="first") == [[-99, 0, 2], [-99, 6, 6]]
    assert x(at=at, frame="mean") == [[-99, -1, 1], [-99, 5, 5]]
    assert x(at=at, frame="each") == [[-99, 0, 0], [-99, 6, 4]]
    assert x() == [[-99, -3.5, -1.5], [-99, 2.5, 2.5]]  # the box: 6 and 7
    assert x(frame="first") == [[-99, -3, -1], [-99, 3, 3]]
    with pytest.raises(ChoiceError, match="first"):
        centre(joints, frame="last")


def test_people_keep_their_distances_when_centred_and_scaled_together():
    joints = people()
    pelvis = locate(joints, NTU, ("pelvis",))
    out = centre(joints, pelvis, 3, "first", together=True)
    assert (out[0, 0, :, 0] == 0).all()
    torch.testing.assert_close(out[1] - out[0], joints[1] - joints[0])
    apart = centre(joints, pelvis, 3, "first")
    assert (apart[:, 0, :, 0] == 0).all()
    torso = torso_length(joints, NTU, 3)
    sized = scale(out, torso, 3, together=True)
    torch.testing.assert_close(torso_length(sized, NTU, 3)[0].mean(), torch.tensor(1.0).double())
    torch.testing.assert_close(sized, out / torso[0].mean())
    each = torso_length(scale(out, torso, 3), NTU, 3).mean(dim=-1)
    torch.testing.assert_close(each, torch.ones(2).double())
    # where the first person is missing, the second stays, and stays seen
    joints[0] = NAN
    out = scale(centre(joints, locate(joints, NTU, ("pelvis",)), 3, together=True), dims=3,
                together=True)
    assert torch.equal(out[1], joints[1])


def test_centre_and_scale_are_those_of_old():
    joints = clip(gaps=0.3)
    assert_same(scale(centre(joints)), centre_and_scale(joints))


def test_pixels_by_the_size_of_the_image():
    joints = torch.tensor([[0.0, 640, 320], [0, 480, 240], [0.5, 0.01, 0]])[None]
    out = scale_by_image(joints, torch.tensor([640, 480]))
    assert out[0, :2].tolist() == [[-1, 1, 0], [-1, 1, 0]]
    assert torch.equal(out[0, 2], joints[0, 2])
    hidden = scale_by_image(joints, torch.tensor([640, 480]), hidden=0.01)
    assert hidden[0, :2].tolist() == [[-1, 0, 0], [-1, 0, 0]]
    with pytest.raises(ShapeError, match="unknown"):
        scale_by_image(joints, torch.tensor([0, 0]))


@given(st.integers(0, 10_000), st.sampled_from(["y", "z"]))
@settings(max_examples=30, deadline=None)
def test_the_canonical_view_does_not_depend_on_the_camera(seed, up):
    joints = people(seed)
    out = canonical_view(joints, NTU, up)
    bones = (joints - joints[:, list(NTU.parents)]).norm(dim=-2)
    torch.testing.assert_close((out - out[:, list(NTU.parents)]).norm(dim=-2), bones)
    assert (out[0, NTU.index("spine"), :, 0] == 0).all()
    right, left = (out[0, NTU.index(f"{side}_shoulder"), :, 0] for side in ("right", "left"))
    along = (right - left) / (right - left).norm()
    torch.testing.assert_close(along, torch.tensor([1.0, 0, 0]).double())
    level = canonical_view(joints, NTU, up, keep_upright=True)
    trunk = level[0, NTU.index("spine"), :, 0] - level[0, NTU.index("pelvis"), :, 0]
    assert trunk["xyz".index(up)] > 0
    torch.testing.assert_close(trunk["xyz".index(up)], trunk.norm())
    camera = random_rotations(1, 180, torch.Generator().manual_seed(seed))[0].double()
    elsewhere = canonical_view(rotate(joints, camera) + 5, NTU, up, keep_upright=True)
    assert_same(elsewhere, level, atol=1e-4, rtol=0)


def test_a_spine_upside_down_and_shoulders_reversed():
    joints = torch.zeros(1, 25, 3, 1).double()
    joints[0, NTU.index("spine"), 2] = -1.0  # pelvis above the spine
    joints[0, NTU.index("left_shoulder"), :, 0] = torch.tensor([1.0, 0, -2]).double()
    joints[0, NTU.index("right_shoulder"), :, 0] = torch.tensor([-1.0, 0, -2]).double()
    out = canonical_view(joints, NTU)[0, ..., 0]
    torch.testing.assert_close(out[NTU.index("pelvis")], torch.tensor([0.0, 0, -1]).double())
    right = out[NTU.index("right_shoulder")] - out[NTU.index("left_shoulder")]
    torch.testing.assert_close(right, torch.tensor([2.0, 0, 0]).double())


def test_the_first_frame_that_shows_the_trunk_decides():
    joints = people(frames=5)
    expected = canonical_view(joints[..., 2:], NTU)
    hidden = joints.clone()
    hidden[0, NTU.index("spine"), :, 0] = NAN
    hidden[0, NTU.index("left_shoulder"), :, 1] = NAN
    torch.testing.assert_close(canonical_view(hidden, NTU)[..., 2:], expected)
    # or one that was not sampled
    opened = canonical_view(joints[..., 3:], NTU, opening=joints[..., 2:3])
    torch.testing.assert_close(opened, expected[..., 1:])
    hidden[0, NTU.index("pelvis")] = NAN
    assert_same(canonical_view(hidden, NTU), hidden)
    batch = torch.stack([joints, hidden])
    assert_same(canonical_view(batch, NTU)[0], canonical_view(joints, NTU))
    with pytest.raises(LayoutError, match="hand21"):
        canonical_view(torch.zeros(1, 21, 3, 2), get_layout("hand21"))
    with pytest.raises(ChoiceError, match="up"):
        canonical_view(joints, NTU, up="x")


def standing_person() -> torch.Tensor:
    """``[1, 25, 3, 4]`` upright, turned by 40 degrees, 3 m from the sensor."""
    places = {"pelvis": (0, 1.0, 0), "spine": (0, 1.25, 0), "head": (0, 1.75, 0),
              "left_shoulder": (-0.2, 1.5, 0), "right_shoulder": (0.2, 1.5, 0),
              "left_ankle": (-0.1, 0.1, 0), "right_ankle": (0.1, 0.1, 0)}
    joints = torch.full((1, 25, 3, 4), NAN).double()
    for name, place in places.items():
        joints[0, NTU.index(name)] = torch.tensor(place).double()[:, None]
    turn = math.radians(40)
    about_y = torch.tensor([[math.cos(turn), 0, math.sin(turn)], [0, 1, 0],
                            [-math.sin(turn), 0, math.cos(turn)]]).double()
    return rotate(joints, about_y) + torch.tensor([0.5, 0, 3]).double()[:, None]


@pytest.mark.parametrize("lost", ["pelvis", "spine", "left_shoulder", "right_shoulder"])
def test_one_joint_never_seen_hardly_changes_the_upright_view(lost):
    joints = standing_person()
    expected = canonical_view(joints, NTU, "y", keep_upright=True)
    joints[0, NTU.index(lost)] = NAN
    out = canonical_view(joints, NTU, "y", keep_upright=True)
    others = [place for place in range(25) if place != NTU.index(lost)]
    error = (out - expected)[0, others].nan_to_num(0)
    assert error.abs().max() < 1e-6


def test_without_shoulders_people_face_the_sensor_and_nobody_stays_nobody():
    joints = standing_person()
    joints[0, [NTU.index("left_shoulder"), NTU.index("right_shoulder")]] = NAN
    out = canonical_view(joints, NTU, "y", keep_upright=True)
    spine = joints[:, [NTU.index("spine")]]
    torch.testing.assert_close(out, joints - spine, equal_nan=True)
    assert canonical_view(torch.full_like(joints, NAN), NTU, "y", True).isnan().all()


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_rotation_keeps_lengths_and_other_channels(seed):
    joints = people(seed)
    matrix = random_rotations(1, 180, torch.Generator().manual_seed(seed))[0].double()
    torch.testing.assert_close(rotate(joints, matrix).norm(dim=-2), joints.norm(dim=-2),
                               atol=1e-5, rtol=0)
    flat = rotate(joints, torch.tensor([[0.0, -1], [1, 0]]))
    torch.testing.assert_close(flat, torch.stack([-joints[:, :, 1], joints[:, :, 0],
                                                  joints[:, :, 2]], dim=2))


@pytest.mark.shared
def test_the_published_pre_normalisation(shared):
    with np.load(shared / "reference" / "pyskl_transforms.npz") as file:
        given_ = {name: torch.from_numpy(file[name]) for name in file if "normalize" in name}
    joints = given_["prenormalize3d_in"].permute(0, 2, 3, 1).double()
    joints = joints.masked_fill((joints == 0).all(dim=-2, keepdim=True), NAN)
    out = fill_missing(canonical_view(joints, NTU))
    torch.testing.assert_close(out, given_["prenormalize3d_out"].permute(0, 2, 3, 1), atol=1e-6,
                               rtol=1e-6)
    flat = torch.cat([given_["prenormalize2d_in"], given_["prenormalize2d_score"][..., None]], -1)
    out = scale_by_image(flat.permute(0, 2, 3, 1), torch.tensor([640, 480]), hidden=0.01)
    assert torch.equal(out, given_["prenormalize2d_out"].permute(0, 2, 3, 1))

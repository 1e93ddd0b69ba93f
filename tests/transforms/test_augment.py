"""Augmentation: every change is what its name says, chance comes from the generator alone."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from skelact.config import AugmentConfig
from skelact.graph import get_layout
from skelact.transforms import augment as changes
from skelact.transforms.augment import augment

LAYOUT = get_layout("penn13")
NOTHING = AugmentConfig(crop=1, low_rate=0, flip=0, swap_sides=0, rotate=0, scale=0, stretch=0,
                        jitter=0,  bias=0, drop_joint=0, drop_part=0, drop_span=0, camera=0)


def seeded(seed=0) -> Generator:
    return Generator().manual_seed(seed)


def batch(size=64, frames=12, seed=0) -> torch.Tensor:
    joints = torch.randn(size, 13, 3, frames, generator=seeded(seed))
    joints[:, :, 2] = joints[:, :, 2].sigmoid()
    return joints


def changed(before, after) -> torch.Tensor:
    """``[B]`` whether anything in a clip is another."""
    same = (before == after) | (before.isnan() & after.isnan())
    return ~same.flatten(1).all(dim=1)


FUNCTIONS = {
    "flip": lambda j, g: changes.flip(j, LAYOUT, 0.5, g),
    "swap_sides": lambda j, g: changes.swap_sides(j, LAYOUT, 0.5, g),
    "distort": lambda j, g: changes.distort(j, AugmentConfig(), g),
    "move_camera": lambda j, g: changes.move_camera(j, 0.9, g),
    "jitter": lambda j, g: changes.jitter(j, 0.1, g),
    "shift_joints": lambda j, g: changes.shift_joints(j, 0.1, g),
    "vary_confidence": changes.vary_confidence,
    "drop_joints": lambda j, g: changes.drop_joints(j, 0.3, g),
    "drop_part": lambda j, g: changes.drop_part(j, LAYOUT, 0.5, g),
    "drop_span": lambda j, g: changes.drop_span(j, 0.9, g),
    "augment": lambda j, g: augment(j, LAYOUT, AugmentConfig(), g),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_chance_comes_from_the_generator_and_the_input_stays(name):
    joints, function = batch(), FUNCTIONS[name]
    joints[3, 2] = math.nan
    before = joints.clone()
    torch.manual_seed(1)
    first = function(joints, seeded(4))
    torch.manual_seed(2)
    again, other = function(joints, seeded(4)), function(joints, seeded(5))
    torch.testing.assert_close(first, again, rtol=0, atol=0, equal_nan=True)
    assert changed(first, other).float().mean() > 0.2
    torch.testing.assert_close(joints, before, rtol=0, atol=0, equal_nan=True)
    assert first.shape == joints.shape
    assert first[3, 2, :2].isnan().all() or name in ("flip", "swap_sides", "augment")


def test_a_camera_moves_the_picture_and_not_the_pose():
    still = batch(frames=1).expand(-1, -1, -1, 12)
    moved = changes.move_camera(still, 1, seeded())
    assert torch.equal(changes.move_camera(still, 0, seeded()), still)
    assert torch.equal(moved[:, :, 2], still[:, :, 2])
    offsets = moved[:, :, :2] - moved[:, :1, :2]  # from the first joint to the others
    zoom = offsets[..., -1:].norm(dim=2) / offsets[..., :1].norm(dim=2)
    torch.testing.assert_close(zoom[:, 1:], zoom[:, 1:2].expand_as(zoom[:, 1:]))
    assert zoom[:, 1].min() > 1 / 1.5
    assert zoom[:, 1].max() < 1.5
    assert (moved[..., -1] - moved[..., 0])[:, :, :2].abs().amax((1, 2)).min() > 0.01


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_a_mirror_image_of_a_mirror_image_is_the_clip(seed):
    joints = batch(4, seed=seed)
    mirrored = changes.flip(joints, LAYOUT, 1, seeded())
    assert torch.equal(changes.flip(mirrored, LAYOUT, 1, seeded()), joints)
    assert torch.equal(changes.flip(joints, LAYOUT, 0, seeded()), joints)


def test_a_mirror_image_exchanges_sides_and_x():
    joints = batch(1)
    left, right = LAYOUT.index("left_wrist"), LAYOUT.index("right_wrist")
    mirrored = changes.flip(joints, LAYOUT, 1, seeded())[0]
    assert torch.equal(mirrored[left, 0], -joints[0, right, 0])
    assert torch.equal(mirrored[left, 1:], joints[0, right, 1:])
    swapped = changes.swap_sides(joints, LAYOUT, 1, seeded())[0]
    assert torch.equal(swapped[left], joints[0, right])
    head = LAYOUT.index("head")
    assert torch.equal(swapped[head], joints[0, head])


@pytest.mark.parametrize("name", ["flip", "swap_sides"])
def test_shares_are_kept(name):
    joints = batch(2000, frames=2)
    out = getattr(changes, name)(joints, LAYOUT, 0.25, seeded())
    assert abs(changed(joints, out).float().mean() - 0.25) < 0.04


def test_rotation_keeps_bones_and_turns_by_no_more_than_asked():
    joints = batch(500)
    config = replace(NOTHING, rotate=20.0)
    out = changes.distort(joints, config, seeded())
    torch.testing.assert_close(out[:, :, :2].norm(dim=2), joints[:, :, :2].norm(dim=2))
    assert torch.equal(out[:, :, 2], joints[:, :, 2])
    a, b = (torch.complex(v[:, 0, 0, 0], v[:, 0, 1, 0]) for v in (joints, out))
    degrees = (b / a).angle().rad2deg()
    assert degrees.abs().max() <= 20.001
    assert degrees.max() > 18
    assert degrees.min() < -18  # both ways
    again = torch.complex(out[:, 5, 0, 7], out[:, 5, 1, 7])
    turned = torch.complex(joints[:, 5, 0, 7], joints[:, 5, 1, 7])
    torch.testing.assert_close((again / turned).angle().rad2deg(), degrees, atol=1e-2, rtol=0)


def test_scale_and_stretch():
    joints = batch(500)
    bigger = changes.distort(joints, replace(NOTHING, scale=0.2), seeded())
    ratio = bigger[:, :, :2] / joints[:, :, :2]
    assert ratio.amin() >= 0.799
    assert ratio.amax() <= 1.201
    torch.testing.assert_close(ratio, ratio[:, :1, :1, :1].expand_as(ratio), rtol=1e-3, atol=1e-3)
    wider = changes.distort(joints, replace(NOTHING, stretch=0.3), seeded())
    torch.testing.assert_close(wider[:, :, 1:], joints[:, :, 1:])
    ratio = wider[:, :, 0] / joints[:, :, 0]
    assert ratio.max() > 1.25
    assert ratio.min() < 0.75


def test_jitter_is_larger_where_a_joint_is_unsure():
    joints = torch.zeros(4000, 2, 3, 4)
    joints[:, 0, 2] = 1.0
    out = changes.jitter(joints, 0.1, seeded())
    assert torch.equal(out[:, :, 2], joints[:, :, 2])
    sure, unsure = out[:, 0, :2].std(), out[:, 1, :2].std()
    # the deviation is even over 0..0.1, its root mean square 0.1 / sqrt(3)
    assert abs(sure - 0.1 / math.sqrt(3)) < 0.003
    assert abs(unsure / sure - 2) < 0.1
    assert torch.equal(changes.jitter(joints, 0.0, seeded()), joints)


def test_every_joint_is_shifted_for_a_whole_clip():
    joints = batch(2000, frames=3)
    shift = changes.shift_joints(joints, 0.1, seeded()) - joints
    assert (shift[:, :, 2] == 0).all()
    torch.testing.assert_close(shift, shift[..., :1].expand_as(shift), atol=1e-5, rtol=0)
    assert abs(shift[:, :, :2].std() - 0.1 / math.sqrt(3)) < 0.003
    first, second = shift[:, 0, 0, 0], shift[:, 1, 0, 0]
    assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1]) < 0.1  # each its own way


def test_confidence_stays_a_confidence_and_places_stay():
    joints = batch(300)
    joints[:, :, 2] = (joints[:, :, 2] > 0.5).float()
    out = changes.vary_confidence(joints, seeded())
    assert torch.equal(out[:, :, :2], joints[:, :, :2])
    some = changed(joints, out)
    assert 0.4 < some.float().mean() < 0.6
    drawn = out[some][:, :, 2]
    assert drawn.min() >= 0.1
    assert drawn.max() <= 1
    seen = joints[some][:, :, 2] == 1
    assert drawn[seen].mean() > drawn[~seen].mean() + 0.2


def test_joints_are_dropped_for_a_whole_clip():
    lost = changes.drop_joints(batch(2000, frames=3), 0.1, seeded()).isnan()
    assert torch.equal(lost, lost[:, :, :1, :1].expand_as(lost))
    assert abs(lost.float().mean() - 0.1) < 0.01


def test_parts_are_arms_legs_and_the_head():
    parts = changes.body_parts(LAYOUT)
    names = [{LAYOUT.joints[i] for i in row.nonzero()[:, 0]} for row in parts]
    assert names == [
        {"left_elbow", "left_wrist"}, {"right_elbow", "right_wrist"},
        {"left_knee", "left_ankle"}, {"right_knee", "right_ankle"},
        {"left_knee", "left_ankle", "right_knee", "right_ankle"}, {"head"},
    ]
    lost = changes.drop_part(batch(600), LAYOUT, 0.5, seeded()).isnan()[:, :, 0, 0]
    some = lost.any(dim=1)
    assert 0.42 < some.float().mean() < 0.58
    kinds = {tuple(row.tolist()) for row in lost[some]}
    assert kinds == {tuple(row.tolist()) for row in parts}


def test_a_layout_without_such_parts_loses_nothing():
    hand = get_layout("hand21")
    joints = torch.randn(50, 21, 3, 4)
    out = changes.drop_part(joints, hand, 1.0, seeded())
    assert out.shape == joints.shape
    own = changes.body_parts(hand)
    assert own.shape == (6, 21)


def test_a_lost_person_stands_still_for_a_fifth_at_most():
    frames = 50
    joints = torch.arange(frames).float().expand(300, 13, 3, frames).clone()
    out = changes.drop_span(joints, 1.0, seeded())
    still = out.diff(dim=-1) == 0
    assert torch.equal(still, still[:, :1, :1].expand_as(still))
    length = still[:, 0, 0].sum(dim=1)
    assert length.max() <= frames / 5
    assert length.max() >= frames / 5 - 1
    for row, frozen in zip(out[:, 0, 0], still[:, 0, 0], strict=True):
        where = frozen.nonzero()[:, 0]
        assert len(where) == 0 or where[-1] - where[0] == len(where) - 1  # one stretch
        assert (row <= torch.arange(frames)).all()  # nothing from the future
        kept = ~torch.cat([torch.tensor([False]), frozen])
        assert torch.equal(row[kept], torch.arange(frames).float()[kept])
    assert torch.equal(changes.drop_span(joints, 0.0, seeded()), joints)


def test_all_together_end_centred_and_scaled():
    joints = batch(400) * 300 + 1000
    out = augment(joints, LAYOUT, replace(NOTHING, flip=0.5), seeded())
    coordinates = out[:, :, :2]
    size = (coordinates.amax(1) - coordinates.amin(1)).amax(1).mean(-1)
    torch.testing.assert_close(size, torch.ones(400))
    middle = ((coordinates.amax(1) + coordinates.amin(1)) / 2).mean(-1)
    torch.testing.assert_close(middle, torch.zeros(400, 2), atol=1e-4, rtol=0)


def test_missing_joints_stay_missing():
    joints = batch()
    joints[:, 4] = math.nan
    config = replace(AugmentConfig(), flip=0, swap_sides=0)
    out = augment(joints, LAYOUT, config, seeded())
    assert out[:, 4, :2].isnan().all()
    plain = replace(config, drop_joint=0, drop_part=0)
    others = augment(joints, LAYOUT, plain, seeded())[:, torch.arange(13) != 4]
    assert others.isfinite().all()

"""Augmentation: every change is what its name says, chance comes from the generator alone."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from skelact.graph import get_layout
from skelact.transforms import augment as changes

LAYOUT = get_layout("penn13")


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
    "distort": lambda j, g: changes.distort(j, 15, 0.25, 0.15, g),
    "move_camera": lambda j, g: changes.move_camera(j, 0.9, g),
    "jitter": lambda j, g: changes.jitter(j, 0.1, g),
    "shift_joints": lambda j, g: changes.shift_joints(j, 0.1, g),
    "vary_confidence": lambda j, g: changes.vary_confidence(j, 0.5, g),
    "lower_rate": lambda j, g: changes.lower_rate(j, 0.9, 4, g),
    "change_speed": lambda j, g: changes.change_speed(j, 0.5, g),
    "drop_joints": lambda j, g: changes.drop_joints(j, 0.3, g),
    "drop_part": lambda j, g: changes.drop_part(j, LAYOUT, 0.5, g),
    "drop_span": lambda j, g: changes.drop_span(j, 0.9, g),
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
    assert first[3, 2, :2].isnan().all() or name in ("flip", "swap_sides")


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
    out = changes.distort(joints, 20.0, 0, 0, seeded())
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
    bigger = changes.distort(joints, 0, 0.2, 0, seeded())
    ratio = bigger[:, :, :2] / joints[:, :, :2]
    assert ratio.amin() >= 0.799
    assert ratio.amax() <= 1.201
    torch.testing.assert_close(ratio, ratio[:, :1, :1, :1].expand_as(ratio), rtol=1e-3, atol=1e-3)
    wider = changes.distort(joints, 0, 0, 0.3, seeded())
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
    assert torch.equal(changes.vary_confidence(joints, 0.0, seeded()), joints)
    out = changes.vary_confidence(joints, 0.5, seeded())
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


def test_a_lower_rate_keeps_some_frames_and_draws_straight_lines_between_them():
    joints = batch(300, frames=25)
    out = changes.lower_rate(joints, 0.7, 6, seeded())
    some = changed(joints, out)
    assert 0.6 < some.float().mean() < 0.8
    steps = []
    for before, after in zip(joints[some], out[some], strict=True):
        step = next(n for n in range(2, 7) if torch.equal(after[..., ::n][..., :25 // n],
                                                          before[..., ::n][..., :25 // n]))
        steps.append(step)
        kept = after[..., : step + 1]
        line = torch.lerp(kept[..., :1], kept[..., -1:], torch.linspace(0, 1, step + 1))
        torch.testing.assert_close(kept, line, rtol=1e-3, atol=1e-3)
    assert set(steps) == set(range(2, 7))


def test_a_joint_missing_beside_a_frame_of_a_lower_rate_is_missing_there():
    joints = batch(40, frames=12)
    joints[:, 3, :, 4] = math.nan
    out = changes.lower_rate(joints, 1.0, 2, seeded())  # frames 0, 2, 4, ... are kept
    lost = out[:, 3, 0].isnan()
    assert torch.equal(lost.nonzero()[:, 1].unique(), torch.tensor([3, 4, 5]))
    assert out[:, 2].isfinite().all()


def bodies(size=6, people=2, frames=5, seed=0) -> torch.Tensor:
    """``[B, M, N, 3, T]`` 3-D, of ntu25."""
    return torch.randn(size, people, 25, 3, frames, generator=seeded(seed), dtype=torch.float64)


NTU = get_layout("ntu25")


@given(st.integers(0, 10_000), st.floats(0, 180))
@settings(max_examples=25, deadline=None)
def test_a_random_rotation_keeps_bone_lengths_and_handedness(seed, degrees):
    joints = bodies(seed=seed)
    out = changes.distort_3d(joints, degrees, 0, 0, seeded(seed))
    lengths = [(x - x[:, :, list(NTU.parents)]).norm(dim=-2) for x in (joints, out)]
    torch.testing.assert_close(*lengths, atol=1e-5, rtol=0)
    matrix = changes.random_rotations(20, degrees, seeded(seed))
    torch.testing.assert_close(torch.linalg.det(matrix), torch.ones(20))
    torch.testing.assert_close(matrix @ matrix.mT, torch.eye(3).expand(20, 3, 3), atol=1e-6,
                               rtol=0)


def test_rotations_are_about_x_then_y_then_z_within_the_limits():
    a, b, c = (torch.rand(500, 3, generator=seeded(1)) * 2 - 1).mul(math.radians(40)).unbind(1)
    one, none = torch.ones(500), torch.zeros(500)

    def stack(*rows):
        return torch.stack(rows, 1).unflatten(1, (3, 3))

    x = stack(one, none, none, none, a.cos(), -a.sin(), none, a.sin(), a.cos())
    y = stack(b.cos(), none, b.sin(), none, one, none, -b.sin(), none, b.cos())
    z = stack(c.cos(), -c.sin(), none, c.sin(), c.cos(), none, none, none, one)
    drawn = changes.random_rotations(500, 40, seeded(1))
    torch.testing.assert_close(drawn, z @ y @ x)


def test_scale_and_shear_of_the_axes():
    joints = bodies(300)
    scaled = changes.distort_3d(joints, 0, 0.2, 0, seeded())
    ratio = scaled / joints
    torch.testing.assert_close(ratio, ratio[:, :1, :1, :, :1].expand_as(ratio))  # a clip, an axis
    assert 0.8 <= ratio.min() < 0.81
    assert 1.19 < ratio.max() <= 1.2
    assert (ratio[:, 0, 0, 0, 0] != ratio[:, 0, 0, 1, 0]).all()
    unit = torch.eye(3, dtype=torch.float64).expand(300, 3, 3)[..., None]  # joints on the axes
    slant = changes.distort_3d(unit, 0, 0, 0.3, seeded())[..., 0]
    assert (slant.diagonal(dim1=1, dim2=2) == 1).all()
    beside = (slant - torch.eye(3)).abs()
    assert beside.max() <= 0.3
    assert beside.flatten(1).max(dim=1).values.mean() > 0.2


def test_everyone_in_a_clip_is_changed_alike():
    one = bodies(40, people=1)
    both = one.expand(-1, 2, -1, -1, -1).contiguous()
    flat = torch.cat([both[..., :2, :], both[..., 2:, :].sigmoid()], dim=-2)
    for joints, function in [
        (both, lambda j: changes.distort_3d(j, 30, 0.2, 0.2, seeded())),
        (both, lambda j: changes.flip(j, NTU, 0.5, seeded())),
        (both, lambda j: changes.swap_sides(j, NTU, 0.5, seeded())),
        (both, lambda j: changes.change_speed(j, 0.5, seeded())),
        (both, lambda j: changes.random_views(j, 90, 20, seeded())),
        (both, lambda j: changes.drop_part(j, NTU, 0.5, seeded())),
        (both, lambda j: changes.drop_span(j, 0.5, seeded())),
        (both, lambda j: changes.lower_rate(j, 0.5, 4, seeded())),
        (flat, lambda j: changes.distort(j, 15, 0.25, 0.15, seeded())),
        (flat, lambda j: changes.move_camera(j, 0.5, seeded())),
    ]:
        before = joints.clone()
        out = function(joints)
        torch.testing.assert_close(out[:, 0], out[:, 1], equal_nan=True, rtol=0, atol=0)
        assert changed(joints, out).any()
        torch.testing.assert_close(joints, before, rtol=0, atol=0)
    # but noise and lost joints are each person's own
    for out in (changes.jitter(both, 0.1, seeded(), 3), changes.drop_joints(both, 0.3, seeded()),
                changes.shift_joints(both, 0.1, seeded(), 3)):
        assert not torch.equal(out[:, 0].nan_to_num(9), out[:, 1].nan_to_num(9))


def test_people_are_mirrored_as_they_are_alone():
    joints = bodies()
    out = changes.flip(joints, NTU, 0.5, seeded(2))
    alone = torch.stack([changes.flip(joints[:, m], NTU, 0.5, seeded(2)) for m in range(2)], 1)
    assert torch.equal(out, alone)
    assert 0 < changed(joints, out).sum() < len(joints)
    assert torch.equal(changes.flip(changes.flip(joints, NTU, 1, seeded()), NTU, 1, seeded()),
                       joints)


def test_noise_in_three_dimensions():
    joints = torch.zeros(3000, 2, 3, 4)
    for function in (changes.jitter, changes.shift_joints):
        out = function(joints, 0.1, seeded(), 3)
        deviation = out.square().mean(dim=(0, 1, 3)).sqrt()
        assert (deviation - 0.1 / math.sqrt(3)).abs().max() < 0.004


def test_speed_about_the_middle_frame():
    frames = 21
    joints = torch.arange(frames, dtype=torch.float64).expand(200, 1, 2, 3, frames)
    out = changes.change_speed(joints, 0.5, seeded())[:, 0, 0, 0]
    torch.testing.assert_close(out[:, 10], torch.full((200,), 10.0).double())
    speed = out[:, 11] - out[:, 10]
    assert 0.5 <= speed.min() < 0.52
    assert 1.48 < speed.max() <= 1.5
    expected = (10 + (torch.arange(frames) - 10) * speed[:, None]).clamp(0, 20)
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=0)
    lost = joints.clone()
    lost[..., 3] = math.nan
    assert torch.equal(changes.change_speed(lost, 0.0, seeded()).isnan(), lost.isnan())
    assert changes.change_speed(joints[..., :1], 0.5, seeded()).shape[-1] == 1


def test_random_views_are_projections_from_the_sensors_side():
    joints = bodies(200)
    front = changes.random_views(joints, 0, 0, seeded())
    torch.testing.assert_close(front[..., 0, :], -joints[..., 0, :], atol=1e-5, rtol=0)
    torch.testing.assert_close(front[..., 1, :], -joints[..., 1, :])
    assert (front[..., 2, :] == 1).all()
    around = changes.random_views(joints, 180, 0, seeded())
    torch.testing.assert_close(around[..., 1, :], front[..., 1, :])  # the height stays
    assert changed(around, front).all()
    assert changes.random_views(joints[:, 0], 90, 10, seeded()).shape == (200, 25, 3, 5)


def test_mixup_blends_clips_and_targets_alike():
    clips = torch.arange(64.0)[:, None, None].expand(64, 2, 3)
    targets = torch.eye(64)
    mixed, shares = changes.mixup(clips, targets, 0.4, seeded())
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(64))
    assert (shares.count_nonzero(dim=1) <= 2).all()
    torch.testing.assert_close(mixed, (shares @ torch.arange(64.0))[:, None, None].expand_as(mixed),
                               rtol=1e-4, atol=1e-4)
    assert torch.equal(clips[:, 0, 0], torch.arange(64.0))
    again, other = (changes.mixup(clips, targets, 0.4, seeded(s))[0] for s in (0, 1))
    assert torch.equal(again, mixed)
    assert not torch.equal(other, mixed)
    own = torch.cat([changes.mixup(clips, targets, 0.4, seeded(s))[1].diagonal()
                     for s in range(40)])
    # beta(a, a): mean 1/2, variance 1 / (4 (2a + 1)); 1/64 of the clips are their own partner
    assert abs(own.mean() - 0.5) < 0.03
    assert abs(own.var() - 1 / (4 * 1.8)) < 0.02

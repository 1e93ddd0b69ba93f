"""Corruptions: what each does to joints and frames, and what none of them may do."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from actions import swinging
from hands import held_up
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import captures

from skelact.datasets.arrays import ClipArrays
from skelact.errors import ChoiceError, LayoutError
from skelact.evaluation.clip_rows import clip_of_rows, keep_rows, select_clips, track_of_rows
from skelact.evaluation.corruptions import CORRUPTIONS
from skelact.evaluation.joint_corruptions import torso_lengths

SIDES = ("left", "right")
FLAT = {name for name in CORRUPTIONS if name not in ("camera_yaw", "camera_pitch")}
SOLID = set(CORRUPTIONS) - {"detector_noise"}


def flat_clips(frames=40) -> ClipArrays:
    """2-D clips of one or two people; one person of each second clip is seen in some frames."""
    arrays = ClipArrays.from_recordings([
        swinging(("arms", "legs")[i % 2], i, "coco17", people=1 + i % 2, frames=frames + i)
        for i in range(6)])
    rows = clip_of_rows(arrays)
    return frozen(keep_rows(arrays, ~((rows == 3) & (arrays.frame_index % 5 == 2))))


def solid_clips() -> ClipArrays:
    return frozen(ClipArrays.from_recordings(captures(layout="kinect20")))


def frozen(arrays: ClipArrays) -> ClipArrays:
    """As mapped files are: nobody may write into them."""
    for value in vars(arrays).values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return arrays


def change(name: str, arrays: ClipArrays, severity: float, seed=0) -> ClipArrays:
    return CORRUPTIONS[name].change(arrays, severity, seed)


def cases():
    return [(name, dims) for dims, names in ((2, FLAT), (3, SOLID)) for name in sorted(names)]


@pytest.mark.parametrize(("name", "dims"), cases())
def test_what_comes_out_are_clips_like_those_that_went_in(name, dims):
    arrays = flat_clips() if dims == 2 else solid_clips()
    for severity in CORRUPTIONS[name].severities:
        changed = change(name, arrays, severity)
        assert changed.joints.dtype == np.float32
        assert len(changed) == len(arrays)
        assert changed.num_tracks == arrays.num_tracks
        np.testing.assert_array_equal(changed.labels, arrays.labels)
        steps = np.diff(changed.frame_index)
        assert (steps[np.diff(track_of_rows(changed)) == 0] > 0).all()
        assert (changed.frame_index >= 0).all()
        assert (changed.frame_index < changed.num_frames[clip_of_rows(changed)]).all()
        assert (changed.num_frames >= 1).all()
        again = change(name, arrays, severity)
        np.testing.assert_array_equal(changed.joints, again.joints)
        missing = np.isnan(changed.joints[..., :dims])
        np.testing.assert_array_equal(missing.any(-1), missing.all(-1))


@pytest.mark.parametrize(("name", "dims"), cases())
def test_the_seed_matters_exactly_where_the_table_says_so(name, dims):
    arrays = flat_clips() if dims == 2 else solid_clips()
    severity = CORRUPTIONS[name].severities[1]
    results = [change(name, arrays, severity, seed) for seed in range(6)]
    same = all(np.array_equal(results[0].joints, other.joints, equal_nan=True)
               and np.array_equal(results[0].frame_index, other.frame_index)
               for other in results[1:])
    assert same != CORRUPTIONS[name].random


@pytest.mark.parametrize(("name", "neutral"), [
    *((name, 0) for name in sorted(FLAT - {"frame_rate", "speed"})), ("frame_rate", 1),
    ("speed", 1)])
def test_the_mildest_severity_changes_nothing(name, neutral):
    arrays = flat_clips()
    changed = change(name, arrays, neutral)
    np.testing.assert_allclose(changed.joints, arrays.joints, atol=1e-4)
    np.testing.assert_array_equal(changed.frame_index, arrays.frame_index)
    np.testing.assert_array_equal(changed.num_frames, arrays.num_frames)


@pytest.mark.parametrize("name", ["missing_joints", "flickering_joints", "cropped_bottom",
                                  "cropped_side"])
@given(st.floats(0, 100), st.floats(0, 100))
@settings(max_examples=20)
def test_what_is_missing_at_a_lower_severity_is_missing_at_a_higher(name, first, second):
    arrays, (low, high) = flat_clips(12), sorted((first, second))
    less, more = (np.isnan(change(name, arrays, severity).joints) for severity in (low, high))
    assert (more | ~less).all()


def test_jitter_has_the_deviation_that_was_asked_for():
    arrays = flat_clips(400)
    moved = change("joint_jitter", arrays, 10).joints[..., :2] - arrays.joints[..., :2]
    relative = moved / torso_lengths(arrays)[track_of_rows(arrays)][:, None, None]
    assert relative.std() == pytest.approx(0.1, rel=0.02)
    assert relative.mean() == pytest.approx(0, abs=0.002)
    assert abs(np.corrcoef(relative[:-1, 0, 0], relative[1:, 0, 0])[0, 1]) < 0.05


def test_torsos_are_those_of_the_bodies():
    flat = flat_clips()
    assert torso_lengths(flat) == pytest.approx(0.3 * 120, rel=0.1)  # shoulders .2, hips .5 of 120
    joints = flat.joints.copy()
    shoulders = [flat.layout.index(f"{side}_shoulder") for side in ("left", "right")]
    joints[track_of_rows(flat) == 0, shoulders[0]] = np.nan
    one_sided = torso_lengths(replace(flat, joints=joints))
    assert 20 < one_sided[0] < 80  # by the box
    np.testing.assert_array_equal(one_sided[1:], torso_lengths(flat)[1:])
    joints[track_of_rows(flat) == 0] = np.nan
    assert torso_lengths(replace(flat, joints=joints))[0] == 0


def test_torsos_are_medians_of_the_frames_that_show_them():
    flat, random = flat_clips(), np.random.default_rng(0)
    joints = flat.joints.copy()
    joints[..., :2] *= random.uniform(0.5, 2, (len(joints), 1, 1)).astype(np.float32)
    joints[random.random(len(joints)) < 0.3] = np.nan
    shoulders, hips = (
        joints[:, [flat.layout.index(f"{side}_{part}") for side in SIDES], :2].mean(axis=1)
        for part in ("shoulder", "hip"))
    seen = np.linalg.norm(shoulders - hips, axis=-1)
    wanted = [np.nanmedian(seen[start:stop]) for start, stop in pairwise(flat.track_offsets)]
    found = torso_lengths(replace(flat, joints=joints))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_joints_of_a_track_are_missing_throughout_and_those_that_flicker_are_not():
    arrays = flat_clips()
    tracks = track_of_rows(arrays)
    for name, throughout in (("missing_joints", True), ("flickering_joints", False)):
        gone = np.isnan(change(name, arrays, 30).joints[..., 0])
        shares = np.array([gone[tracks == r].mean(axis=0) for r in range(arrays.num_tracks)])
        assert np.isin(shares, (0, 1)).all() == throughout
        assert 0.15 < gone.mean() < 0.45


@pytest.mark.parametrize(("name", "words"), [
    ("missing_arm", ("elbow", "wrist")), ("missing_leg", ("knee", "ankle")),
    ("missing_legs", ("knee", "ankle"))])
def test_whole_limbs_are_hidden_for_the_share_of_the_clip(name, words):
    arrays = flat_clips()
    gone = np.isnan(change(name, arrays, 50).joints[..., 0])
    limb = [any(word in joint for word in words) for joint in arrays.layout.joints]
    assert not gone[:, ~np.array(limb)].any()
    for track in range(arrays.num_tracks):
        mine = gone[track_of_rows(arrays) == track]
        sides = {joint.split("_")[0] for joint, hidden in
                 zip(arrays.layout.joints, mine.any(0), strict=True) if hidden}
        assert len(sides) == (2 if name == "missing_legs" else 1)
        hidden = mine.any(axis=1)
        assert hidden.mean() == pytest.approx(0.5, abs=0.1)
        assert (np.diff(hidden.astype(int)) != 0).sum() <= 2  # in one piece


def test_swapped_sides_change_names_and_nothing_else():
    arrays = flat_clips()
    everything = change("swapped_clips", arrays, 100)
    np.testing.assert_array_equal(everything.joints, arrays.joints[:, arrays.layout.flip_order])
    some = change("swapped_frames", arrays, 40)
    swapped = (some.joints != arrays.joints).any(axis=(1, 2))
    np.testing.assert_array_equal(some.joints[swapped], everything.joints[swapped])
    assert 0.25 < swapped.mean() < 0.55


def test_lost_frames_are_lost_for_everybody():
    arrays = flat_clips()
    for name in ("dropped_frames", "frame_gap"):
        changed = change(name, arrays, 50)
        for clip in np.flatnonzero(np.diff(arrays.clip_offsets) == 2):
            first, second = (set(changed.frame_index[track_of_rows(changed) == track])
                             for track in changed.clip_offsets[clip] + np.arange(2))
            both = first & second
            assert len(both) >= min(len(first), len(second)) - 1
        assert 0.35 < len(changed.joints) / len(arrays.joints) < 0.65
    tracks = np.bincount(track_of_rows(change("dropped_frames", arrays, 100)))
    assert (tracks == 1).all()


def test_a_gap_is_in_one_piece():
    arrays = flat_clips()
    changed = change("frame_gap", arrays, 25)
    longest = [np.diff(changed.frame_index[track_of_rows(changed) == r], prepend=-1,
                       append=changed.num_frames[0]).max() for r in (0,)]
    assert longest[0] == pytest.approx(0.25 * arrays.num_frames[0], abs=1.5)


def test_a_lower_rate_takes_every_nth_frame():
    arrays = flat_clips()
    changed = change("frame_rate", arrays, 4)
    np.testing.assert_array_equal(changed.num_frames, -(-arrays.num_frames // 4))
    np.testing.assert_array_equal(changed.fps, arrays.fps / 4)
    first = arrays.joints[arrays.track_offsets[0] : arrays.track_offsets[1] : 4]
    np.testing.assert_array_equal(changed.joints[: len(first)], first)
    with pytest.raises(ChoiceError, match="whole number"):
        change("frame_rate", arrays, 2.5)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.5, 3])
def test_speed_moves_through_the_same_places_faster(factor):
    arrays = solid_clips()
    ramp = np.broadcast_to(arrays.frame_index[:, None, None], arrays.joints.shape)
    changed = change("speed", replace(arrays, joints=ramp.astype(np.float32)), factor)
    wanted = np.broadcast_to(changed.frame_index[:, None, None] * factor, changed.joints.shape)
    np.testing.assert_allclose(changed.joints, wanted, atol=1e-4)
    assert changed.num_frames == pytest.approx((arrays.num_frames - 1) / factor + 1, abs=1)
    np.testing.assert_array_equal(np.bincount(track_of_rows(changed)), changed.num_frames)


def test_speed_keeps_absences():
    arrays = keep_rows(solid_clips(), np.tile(np.arange(20) // 5 != 2, 6))  # lost 10..14 of 20
    changed = change("speed", arrays, 0.5)
    index = changed.frame_index[track_of_rows(changed) == 0]
    np.testing.assert_array_equal(index, [*range(19), *range(30, 39)])


def test_cameras_turn_people_about_their_middle():
    arrays = solid_clips()
    for name in ("camera_yaw", "camera_pitch", "camera_roll"):
        turned = change(name, arrays, 40).joints
        before = np.linalg.norm(arrays.joints[:, 0] - arrays.joints[:, 9], axis=-1)
        after = np.linalg.norm(turned[:, 0] - turned[:, 9], axis=-1)
        np.testing.assert_allclose(before, after, atol=1e-5)
    height = arrays.joints[..., 1]
    np.testing.assert_allclose(change("camera_yaw", arrays, 90).joints[..., 1], height, atol=1e-5)
    head, foot = arrays.layout.index("head"), arrays.layout.index("left_foot")
    raised = change("camera_pitch", arrays, 30).joints
    assert (raised[:, head, 2] < raised[:, foot, 2] - 0.5).all()  # the head is nearer


def test_a_picture_that_ends_above_the_feet():
    for arrays, words in ((flat_clips(), ("ankle",)), (solid_clips(), ("ankle", "foot"))):
        gone = np.isnan(change("cropped_bottom", arrays, 10).joints[..., 0]).any(axis=0)
        hidden = {j for j, lost in zip(arrays.layout.joints, gone, strict=True) if lost}
        assert hidden
        assert all(any(word in joint for word in words) for joint in hidden)
        side = np.isnan(change("cropped_side", arrays, 50).joints[..., 0])
        assert 0.2 < side.mean() < 0.8


def test_parts_that_are_cut_off():
    arrays = flat_clips()
    late, early = change("late_start", arrays, 25), change("early_end", arrays, 25)
    rows = arrays.frame_index[: arrays.track_offsets[1]]
    cut = int(0.25 * arrays.num_frames[0])
    np.testing.assert_array_equal(late.joints[: len(rows) - cut], arrays.joints[cut : len(rows)])
    np.testing.assert_array_equal(late.frame_index[: len(rows) - cut], rows[cut:] - cut)
    np.testing.assert_array_equal(early.joints[: len(rows) - cut], arrays.joints[: len(rows) - cut])
    for part in (late, early):
        assert part.num_frames[0] == arrays.num_frames[0] - cut


def test_what_clips_do_not_show_is_refused():
    for name in ("camera_yaw", "camera_pitch"):
        with pytest.raises(ChoiceError, match="depth that 2-D joints do not have"):
            change(name, flat_clips(), 30)
    with pytest.raises(ChoiceError, match="says nothing of depth"):
        change("detector_noise", solid_clips(), 1)
    hands = ClipArrays.from_recordings([held_up("index")])
    with pytest.raises(LayoutError):
        change("joint_jitter", hands, 5)
    with pytest.raises(ChoiceError, match="no such limbs"):
        change("missing_arm", hands, 50)


def test_selected_clips_come_in_the_order_asked_for():
    arrays = flat_clips()
    chosen = select_clips(arrays, [4, 1, 1])
    np.testing.assert_array_equal(chosen.num_frames, arrays.num_frames[[4, 1, 1]])
    offsets = arrays.track_offsets[arrays.clip_offsets]
    wanted = [arrays.joints[offsets[i] : offsets[i + 1]] for i in (4, 1, 1)]
    np.testing.assert_array_equal(chosen.joints, np.concatenate(wanted))
    assert len(select_clips(arrays, [])) == 0


def test_clips_without_people_stay_as_they_are():
    arrays = frozen(keep_rows(flat_clips(), np.zeros(len(flat_clips().joints), bool)))
    for name in sorted(FLAT):
        assert len(change(name, arrays, CORRUPTIONS[name].severities[0]).joints) == 0


def test_severities_outside_their_limits():
    with pytest.raises(ChoiceError, match=r"0\.\.100 \(% of joints\), got 120"):
        CORRUPTIONS["missing_joints"].check(120)
    for corruption in CORRUPTIONS.values():
        assert [corruption.check(severity) for severity in corruption.severities]

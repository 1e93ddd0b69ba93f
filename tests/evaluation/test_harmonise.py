"""Axes found from anatomy: every distortion is seen and undone, and what cannot be told is said."""

from dataclasses import replace

import numpy as np
import pytest
from archives import unpack
from hypothesis import given, settings
from hypothesis import strategies as st
from people import changed, worker_arrays
from recordings import standing, walking
from scipy.stats import binom
from stores import captures

from skelact.datasets.arrays import ClipArrays
from skelact.datasets.readers.msr_action3d import read_msr_action3d
from skelact.datasets.readers.nw_ucla import read_nw_ucla
from skelact.datasets.readers.penn_action import read_penn_action
from skelact.datasets.readers.utd_mhad import read_utd_mhad
from skelact.evaluation.axes_report import Vote
from skelact.evaluation.harmonise import (
    axes_matrix,
    common_joints,
    harmonise,
    inspect_axes,
)
from skelact.pose.recording import PoseTrack, Recording

PEOPLE = worker_arrays()
MIRROR = [[-1, 0, 0], [0, 1, 0], [0, 0, 1]]


def roll(degrees):
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def spread(arrays):
    """Distances between the joints of each frame: the body without its place."""
    return np.linalg.norm(arrays.joints[:, :, None] - arrays.joints[:, None], axis=-1)


def handedness(arrays):
    """Above 0 where left, up and ahead (to the toes) are right-handed."""
    at = {name: arrays.joints[:, i] for i, name in enumerate(arrays.layout.joints)}
    up, left = at["neck"] - at["pelvis"], at["left_hip"] - at["right_hip"]
    toes = at["left_foot"] - at["left_ankle"]
    return np.median(np.sum(np.cross(up, toes) * left, axis=-1))


def test_people_as_the_convention_has_them_are_left_alone():
    report = inspect_axes(PEOPLE)
    assert (report.unit, report.up, report.mirrored, report.sides_swapped) == (
        "metres", "+y", False, False)
    assert report.changes() == []
    assert report.left() == []
    assert harmonise(PEOPLE, report) is PEOPLE
    assert report.right_hand == Vote(1.0, 24)
    assert abs(report.yaw[1]) < 20


@pytest.mark.parametrize(("name", "factor"), [("millimetres", 1000), ("centimetres", 100),
                                              ("inches", 1 / 0.0254), ("feet", 1 / 0.3048)])
def test_units(name, factor):
    distorted = changed(PEOPLE, *(factor * np.eye(3)))
    report = inspect_axes(distorted)
    assert report.unit == name
    np.testing.assert_allclose(harmonise(distorted, report).joints, PEOPLE.joints, atol=1e-4)


def test_an_unknown_unit_is_scaled_to_adults_and_called_unknown():
    report = inspect_axes(changed(PEOPLE, *(17.7 * np.eye(3))))
    assert "unknown (17" in report.unit
    assert np.isclose(report.metres[0], 1 / 17.7, rtol=0.1)
    assert "unknown" in report.changes()[0]


def test_pixels_and_depth_of_a_sensor_are_unequal_axes():
    x, y, z = np.moveaxis(PEOPLE.joints.astype(float), -1, 0)
    image = np.stack([320 - 525 * x / z, 240 - 525 * y / z, 1000 * z], axis=-1)
    distorted = replace(PEOPLE, joints=image.astype(np.float32))
    report = inspect_axes(distorted)
    assert "unequal" in report.unit
    assert (report.up, report.mirrored) == ("-y", False)  # down and to the right: a half turn
    undone = harmonise(distorted, report)
    assert np.median(np.abs(spread(undone) - spread(PEOPLE))) < 0.05
    assert handedness(undone) > 0


@pytest.mark.parametrize("up", ["+x", "-x", "+y", "-y", "+z", "-z"])
@pytest.mark.parametrize("mirror", [False, True])
def test_every_axis_may_point_up(up, mirror):
    turn = np.linalg.inv(axes_matrix(replace(inspect_axes(PEOPLE), up=up)))  # +y to that axis
    distorted = changed(PEOPLE, *(turn @ (MIRROR if mirror else np.eye(3))))
    report = inspect_axes(distorted)
    assert (report.up, report.mirrored) == (up, mirror)
    np.testing.assert_allclose(harmonise(distorted, report).joints, PEOPLE.joints, atol=1e-4)


@given(st.floats(-40, 40), st.booleans(), st.sampled_from([1.0, 1000.0]), st.integers(0, 3))
@settings(max_examples=15)
def test_all_at_once(degrees, mirror, factor, seed):
    people = worker_arrays(seed=seed, count=20)
    distorted = changed(people, *(factor * roll(degrees) @ (MIRROR if mirror else np.eye(3))))
    report = inspect_axes(distorted)
    assert report.mirrored == mirror
    assert np.isclose(report.metres[0], 1 / factor)
    undone = harmonise(distorted, report)
    assert handedness(undone) > 0
    lean = inspect_axes(undone).tilt
    assert abs(lean[0]) < (3 if abs(degrees) > 12 else 12)


def test_a_rolled_camera_is_measured_and_levelled():
    report = inspect_axes(changed(PEOPLE, *roll(30)))
    assert report.tilted
    assert np.isclose(abs(report.tilt[0]), 30, atol=2)
    assert "camera tilt 30" in " ".join(report.changes())
    assert not inspect_axes(changed(PEOPLE, *roll(5))).tilted  # no more than posture


def test_a_reversed_depth_is_reversed_again():
    distorted = changed(PEOPLE, [1, 0, 0], [0, 1, 0], [0, 0, -1])
    report = inspect_axes(distorted)
    assert "reverse z (mirrored)" in report.changes()
    np.testing.assert_allclose(harmonise(distorted, report).joints, PEOPLE.joints, atol=1e-5)
    half_turn = np.diag([-1, 1, -1])
    away = inspect_axes(changed(PEOPLE, *half_turn))
    assert away.changes() == []
    assert 120 < abs(away.yaw[1]) < 240
    assert away.yaw[2] - away.yaw[0] < 90


def test_exchanged_names_show_in_the_hand_that_works():
    swapped = replace(PEOPLE, joints=PEOPLE.joints[:, PEOPLE.layout.flip_order])
    report = inspect_axes(swapped)
    assert (report.mirrored, report.sides_swapped) == (False, True)
    np.testing.assert_array_equal(harmonise(swapped, report).joints, PEOPLE.joints)


def test_left_handed_people_are_not_turned_round():
    report = inspect_axes(worker_arrays(hand="left"))
    assert (report.mirrored, report.sides_swapped) == (False, False)
    assert any("seen in a mirror" in remark for remark in report.remarks)


def test_a_person_who_knows_better_is_obeyed():
    report = replace(inspect_axes(PEOPLE), mirrored=True)
    np.testing.assert_allclose(harmonise(PEOPLE, report).joints, PEOPLE.joints * [-1, 1, 1])


def test_too_little_evidence_is_no_guess():
    two = inspect_axes(worker_arrays(count=2))
    assert (two.up, two.mirrored, two.sides_swapped) == (None, None, None)
    half = np.arange(len(PEOPLE.joints)) % 40 < 20  # every other clip mirrored
    mixed = replace(PEOPLE, joints=np.where(half[:, None, None], PEOPLE.joints * [-1, 1, 1],
                                            PEOPLE.joints).astype(np.float32))
    report = inspect_axes(mixed)
    assert report.mirrored is None
    assert np.isclose(report.true_sides.share, 0.5)
    assert any("left and right" in line for line in report.left())
    assert harmonise(mixed, report) is mixed
    assert "cannot tell whether left and right are true" in str(report)


def test_stick_men_without_front_say_nothing_of_sides():
    arrays = ClipArrays.from_recordings(captures(8))
    flat = arrays.joints.copy()
    flat[..., 2] = 3.0  # no toes, no bent limb
    report = inspect_axes(replace(arrays, joints=flat))
    assert (report.up, report.mirrored) == ("+y", None)


@pytest.mark.parametrize("layout", ["ntu25", "msr20", "utd20", "h36m17", "hand21"])
def test_other_skeletons(layout):
    if layout == "hand21":
        hand = np.random.default_rng(0).normal(size=(21, 3, 9))
        clips = [Recording((PoseTrack(0, hand, np.arange(9)),), np.arange(9) / 30, layout, dims=3)]
        report = inspect_axes(ClipArrays.from_recordings(clips * 4))
        assert (report.metres, report.up, report.mirrored) == (None, None, None)
        assert len(report.left()) >= 3
    else:
        report = inspect_axes(changed(worker_arrays(layout=layout), *MIRROR))
        assert (report.unit, report.up, report.mirrored) == ("metres", "+y", True)


def test_trunks_are_computed_alike():
    names = PEOPLE.layout.joints
    joints = PEOPLE.joints.copy()
    joints[:, [names.index(name) for name in ("neck", "pelvis", "spine")]] += 0.2
    moved, plain = (common_joints(replace(PEOPLE, joints=at), "msr20")
                    for at in (joints, PEOPLE.joints))
    np.testing.assert_array_equal(moved.joints, plain.joints)
    at = {name: plain.joints[:, i] for i, name in enumerate(plain.layout.joints)}
    np.testing.assert_allclose(at["pelvis"], (at["left_hip"] + at["right_hip"]) / 2, atol=1e-6)
    np.testing.assert_allclose(at["spine"], (at["neck"] + at["pelvis"]) / 2, atol=1e-6)
    np.testing.assert_array_equal(at["head"], PEOPLE.joints[:, names.index("head")])
    assert common_joints(worker_arrays(count=3, layout="h36m17"), "penn13").layout.name == "penn13"


def test_rows_and_missing_joints():
    joints = PEOPLE.joints.copy()
    joints[:, 5] = np.nan
    joints[::7] = np.nan
    report = inspect_axes(replace(PEOPLE, joints=joints), rows=np.arange(10))
    assert (report.clips, report.up, report.mirrored) == (10, "+y", False)
    none = inspect_axes(replace(PEOPLE, joints=np.full_like(joints, np.nan)))
    assert (none.metres, none.up, none.mirrored) == (None, None, None)
    nobody = inspect_axes(PEOPLE, rows=np.arange(0))
    assert nobody.clips == 0
    assert "nothing that is sure" in str(nobody)


def front_view(mirrored=False, down=True):
    """2-D clips of a person who faces the camera."""
    clips = []
    for i in range(6):
        joints = np.repeat(standing(left=100 + 10 * i)[..., None], 9, axis=2)
        names = walking().layout.joints
        joints[[names.index("left_ear"), names.index("right_ear")], 2] = 0.9
        joints[:, 0] = 320 - joints[:, 0] if mirrored else joints[:, 0]
        joints[:, 1] = joints[:, 1] if down else 200 - joints[:, 1]
        clips.append(Recording((PoseTrack(0, joints, np.arange(9)),), np.arange(9) / 25, "coco17",
                               fps=25.0, image_size=(320, 200)))
    return ClipArrays.from_recordings(clips)


def test_pictures():
    true = front_view()
    report = inspect_axes(true)
    assert (report.up, report.mirrored) == ("-y", False)
    assert "pixels, in images of up to 320 x 200" in str(report)
    shares = replace(true, joints=true.joints / np.array([320, 200, 1], np.float32))
    assert any("fractions of the image" in line for line in inspect_axes(shares).left())
    for fields in ({"mirrored": True}, {"down": False}, {"mirrored": True, "down": False}):
        wrong = front_view(**fields)
        np.testing.assert_allclose(harmonise(wrong, inspect_axes(wrong)).joints, true.joints,
                                   atol=1e-4)


@pytest.mark.parametrize("clips", range(1, 41))
def test_clips_that_toss_coins_are_seldom_sure(clips):
    chances = binom.pmf(np.arange(clips + 1), clips, 0.5)
    sure = [Vote(heads / clips, clips).decides() is not None for heads in range(clips + 1)]
    assert chances @ sure <= 0.05
    assert Vote(1.0, clips).decides() is (True if clips >= 6 else None)
    assert Vote(0.0, clips).decides() is (False if clips >= 6 else None)


def test_people_who_lie_sideways_in_pictures_are_left_so():
    upright = front_view()
    for turn, up in (([[0, 1], [-1, 0]], "-x"), ([[0, -1], [1, 0]], "+x")):
        joints = upright.joints.copy()
        joints[..., :2] = joints[..., :2] @ np.array(turn, np.float32)
        lying = replace(upright, joints=joints)
        report = inspect_axes(lying)
        assert report.up in ("+x", "-x")
        report = replace(report, up=up, mirrored=False, sides_swapped=False)
        assert report.changes() == []
        assert any(f"{up} points up" in line for line in report.left())
        assert harmonise(lying, report) is lying


@pytest.mark.shared
def test_recorded_people(shared, tmp_path):
    readers = {"msr_action3d": read_msr_action3d, "nw_ucla": read_nw_ucla,
               "utd_mhad": read_utd_mhad}
    for name, read in readers.items():
        folder = unpack(shared / "datasets" / f"{name}.tar.xz", tmp_path / name, first=25)
        arrays = ClipArrays.from_recordings(list(read(folder, lambda error: None))[:20])
        report = inspect_axes(arrays)
        assert (report.unit, report.up, report.mirrored, report.sides_swapped) == (
            "metres", "+y", False, False), name
        distorted = changed(arrays, *(1000 * roll(30) @ MIRROR)[[0, 2, 1]])
        found = inspect_axes(distorted)
        assert (found.unit, found.up, found.mirrored) == ("millimetres", "+z", False), name
        assert found.tilted
        mirrored = inspect_axes(changed(arrays, *MIRROR))
        assert mirrored.mirrored, name


@pytest.mark.shared
def test_annotated_pictures(shared, tmp_path):
    folder = unpack(shared / "datasets" / "penn_action.tar.xz", tmp_path, first=150)
    arrays = ClipArrays.from_recordings(read_penn_action(folder))
    report = inspect_axes(arrays)
    assert (report.up, report.mirrored) == ("-y", False)
    flipped = replace(arrays, joints=arrays.joints[:, arrays.layout.flip_order])
    assert inspect_axes(flipped).true_sides.share == pytest.approx(1 - report.true_sides.share)


def test_legs_alone_do_not_make_axes_unequal():
    """Standing legs hardly extend along x, so they say little of its unit."""
    joints = np.array(PEOPLE.joints)
    legs = [i for i, name in enumerate(PEOPLE.layout.joints)
            if any(part in name for part in ("hip", "knee", "ankle", "foot"))]
    joints[:, [i for i in range(joints.shape[1]) if i not in legs]] = np.nan
    report = inspect_axes(replace(PEOPLE, joints=joints))
    assert report.unit == "metres"
    assert report.metres == (1.0, 1.0, 1.0)


def with_joints(change) -> ClipArrays:
    joints = np.array(PEOPLE.joints)
    change(joints)
    return replace(PEOPLE, joints=joints)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("clips", [
    with_joints(lambda joints: joints.fill(0)),  # a tracker that lost everybody
    with_joints(lambda joints: joints.fill(np.nan)),
    with_joints(lambda joints: joints.__setitem__((slice(None), 3, 0), np.inf)),
], ids=["zeros", "nothing", "infinite"])
def test_joints_without_a_body_say_nothing(clips):
    report = inspect_axes(clips)
    if not np.nan_to_num(clips.joints).any():
        assert report.left()
        assert report.changes() == []


def test_units_in_words():
    for factor, word in ((1, "metres"), (1000, "millimetres"), (1 / 0.0254, "inches")):
        text = " ".join(str(inspect_axes(changed(PEOPLE, *(factor * np.eye(3))))).split())
        assert f"{word} (an adult's are 0.29, 0.25, 0.42, 0.42 metres)" in text
    odd = " ".join(str(inspect_axes(changed(PEOPLE, *(0.3 * np.eye(3))))).split())
    assert "of that unit (an adult's" in odd

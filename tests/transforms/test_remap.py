"""Remapping: through names, with derived joints, without ever swapping the sides."""

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.errors import ChoiceError, LayoutError
from skelact.graph.layouts import Layout, builtin_layouts, get_layout
from skelact.pose.recording import PoseTrack, Recording
from skelact.transforms.anatomy import DERIVED
from skelact.transforms.remap import plan_remap, remap, remap_joints

BODIES = [name for name in builtin_layouts() if name != "hand21"]
bodies = st.sampled_from(BODIES)


def pose(layout: str, lead=(), channels=3, frames=4, seed=0) -> np.ndarray:
    size = (*lead, get_layout(layout).num_joints, channels, frames)
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


def test_coco_to_ntu_by_hand():
    coco, ntu = get_layout("coco17"), get_layout("ntu25")
    joints = pose("coco17")
    joints[:, 2] = np.linspace(0.1, 0.9, 17)[:, None]
    out = remap_joints(joints, "coco17", "ntu25")
    assert out.shape == (25, 3, 4)

    def was(name):
        return joints[coco.index(name)]

    def now(name):
        return out[ntu.index(name)]

    np.testing.assert_array_equal(now("left_knee"), was("left_knee"))
    neck = (was("left_shoulder") + was("right_shoulder"))[:2] / 2
    pelvis = (was("left_hip") + was("right_hip"))[:2] / 2
    head = (was("left_ear") + was("right_ear"))[:2] / 2
    np.testing.assert_allclose(now("neck")[:2], neck, rtol=1e-6)
    np.testing.assert_allclose(now("pelvis")[:2], pelvis, rtol=1e-6)
    np.testing.assert_allclose(now("head")[:2], head, rtol=1e-6)
    np.testing.assert_allclose(now("spine")[:2], (neck + pelvis) / 2, rtol=1e-5)
    np.testing.assert_allclose(now("upper_neck")[:2], (neck + head) / 2, rtol=1e-5)
    np.testing.assert_array_equal(now("neck")[2], was("left_shoulder")[2])  # the lower of both
    np.testing.assert_array_equal(now("spine")[2], was("left_shoulder")[2])
    for name in ("left_hand", "right_foot", "left_thumb", "right_hand_tip"):
        assert np.isnan(now(name)).all()


@pytest.mark.parametrize(
    ("source", "target", "derived", "missing"),
    [
        ("coco17", "openpose18", {"neck"}, 0),
        ("coco17", "penn13", {"head"}, 0),
        ("coco17", "h36m17", {"pelvis", "spine", "neck", "upper_neck", "head"}, 0),
        ("coco17", "kinect20", {"pelvis", "spine", "neck", "head"}, 4),
        ("coco17", "ntu25", {"pelvis", "spine", "neck", "upper_neck", "head"}, 8),
        ("mediapipe33", "coco17", set(), 0),
        ("mediapipe33", "penn13", {"head"}, 0),
        ("wholebody133", "coco17", set(), 0),
        ("halpe26", "coco17", set(), 0),
        ("body25", "coco17", set(), 0),
        ("ntu25", "coco17", {"nose"}, 4),
        ("ntu25", "kinect20", set(), 0),
        ("utd20", "penn13", set(), 0),
        ("msr20", "penn13", set(), 0),
        ("kinect20", "penn13", set(), 0),
        ("h36m17", "penn13", set(), 0),
    ],
)
def test_what_is_copied_derived_and_missing(source, target, derived, missing):
    plan = plan_remap(source, target)
    assert set(plan.derived) == derived
    assert len(plan.missing) == missing
    assert len(plan.copied) + len(derived) + missing == get_layout(target).num_joints


def test_every_body_reaches_every_smaller_or_equal_body():
    for source in BODIES:
        for target in BODIES:
            plan_remap(source, target)


@settings(max_examples=60, deadline=None)
@given(bodies, bodies, st.integers(0, 2**16))
def test_there_and_back_returns_the_shared_joints(source, target, seed):
    joints = pose(source, lead=(2,), seed=seed)
    back = remap_joints(remap_joints(joints, source, target), target, source)
    shared = [i for i, name in enumerate(get_layout(source).joints)
              if name in get_layout(target).joints]
    assert shared
    np.testing.assert_array_equal(back[:, shared], joints[:, shared])


@settings(max_examples=60, deadline=None)
@given(bodies, bodies, st.sampled_from([2, 3]), st.integers(0, 2**16))
def test_it_is_the_linear_map_that_the_plan_shows(source, target, dims, seed):
    joints = pose(source, seed=seed)
    plan = plan_remap(source, target)
    out = remap_joints(joints, source, target, dims=dims)
    there = plan.weights.any(axis=1)
    np.testing.assert_array_equal(np.isnan(out).all(axis=(1, 2)), ~there)
    expected = np.einsum("ij,jct->ict", plan.weights, joints)[there, :dims]
    np.testing.assert_allclose(out[there, :dims], expected, atol=1e-5)
    np.testing.assert_allclose(plan.weights.sum(axis=1), there)


@settings(max_examples=60, deadline=None)
@given(bodies, bodies, st.integers(0, 2**16))
def test_mirrored_people_stay_mirrored(source, target, seed):
    joints = pose(source, seed=seed)
    flipped = remap_joints(joints[get_layout(source).flip_order], source, target)
    expected = remap_joints(joints, source, target)[get_layout(target).flip_order]
    np.testing.assert_allclose(flipped, expected, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(bodies, bodies, st.data())
def test_only_what_hangs_on_a_missing_joint_goes_missing(source, target, data):
    joints = pose(source)
    lost = data.draw(st.integers(0, len(joints) - 1))
    with_gap = joints.copy()
    with_gap[lost, :, 1] = np.nan
    before, after = (remap_joints(j, source, target) for j in (joints, with_gap))
    hit = plan_remap(source, target).weights[:, lost] != 0
    assert np.isnan(after[hit, :, 1]).all()
    np.testing.assert_array_equal(after[~hit], before[~hit])
    np.testing.assert_array_equal(after[:, :, [0, 2, 3]], before[:, :, [0, 2, 3]])


@pytest.mark.parametrize("lead", [(), (2,), (3, 2), (0,)])
@pytest.mark.parametrize("channels", [2, 3])
def test_leading_axes_channels_and_type_stay(lead, channels):
    joints = pose("coco17", lead, channels).astype(np.float64)
    before = joints.copy()
    out = remap_joints(joints, "coco17", "penn13")
    assert out.shape == (*lead, 13, channels, 4)
    assert out.dtype == np.float64
    np.testing.assert_array_equal(joints, before)
    assert not np.shares_memory(remap_joints(joints, "coco17", "coco17"), joints)


def test_the_third_channel_is_a_coordinate_in_three_dimensions():
    joints = pose("ntu25")
    out = remap_joints(joints, "ntu25", "smpl24", dims=3)
    spine1 = 0.75 * joints[0] + 0.25 * joints[20]
    np.testing.assert_allclose(out[get_layout("smpl24").index("spine1")], spine1, rtol=1e-5)
    with pytest.raises(ChoiceError, match="dims"):
        remap_joints(joints, "ntu25", "smpl24", dims=4)


def test_a_recording_keeps_everything_else():
    joints = pose("ntu25", frames=2)
    confidence = np.linspace(0.04, 1, 25)[:, None] * [1, 0.5]
    tracks = PoseTrack(9, joints, [1, 3], confidence=confidence), PoseTrack(4, joints, [0, 1])
    recording = Recording(tracks, np.arange(5.0), "ntu25", dims=3, source="s", labels={"label": 1})
    out = remap(recording, "smpl24")
    assert out.layout.name == "smpl24"
    assert (out.source, out.labels, out.dims) == ("s", {"label": 1}, 3)
    assert [t.track_id for t in out] == [9, 4]
    np.testing.assert_array_equal(out.tracks[0].frame_index, [1, 3])
    spine1 = out.layout.index("spine1")
    np.testing.assert_allclose(out.tracks[0].confidence[spine1], confidence[0], rtol=1e-6)
    assert out.tracks[1].confidence is None
    assert recording.layout.name == "ntu25"


def test_boxes_stay_and_nobody_stays_nobody():
    boxes = np.arange(8.0).reshape(4, 2)
    track = PoseTrack(0, pose("coco17", frames=2), [0, 1], boxes)
    recording = Recording((track,), [0.0, 1.0], "coco17")
    np.testing.assert_array_equal(remap(recording, "penn13").tracks[0].boxes, boxes)
    nobody = remap(recording.with_tracks([]), "penn13")
    assert nobody.joints().shape == (0, 13, 3, 2)


def test_the_plan_is_cached_printed_and_logged_once(caplog):
    own = Layout("unique-to-this-test", get_layout("coco17").joints, get_layout("coco17").parents)
    with caplog.at_level(logging.INFO, "skelact"):
        plan = plan_remap(own, "ntu25")
        assert plan_remap(own, get_layout("ntu25")) is plan
    [record] = caplog.records
    assert record.message == plan.summary()
    assert record.message.startswith(
        "remap unique-to-this-test -> ntu25: 12 copied, 5 derived (pelvis, spine, upper_neck, "
        "head, neck), 8 missing (left_hand,"
    )
    text = str(plan)
    assert "pelvis          0.5 left_hip + 0.5 right_hip" in text
    assert "left_thumb      missing" in text
    assert "left_knee       left_knee" in text
    assert plan.derived["spine"] == ("left_shoulder", "right_shoulder", "left_hip", "right_hip")


@pytest.mark.parametrize("name", BODIES)
def test_a_hand_without_a_side_has_nothing_in_common_with_a_body(name):
    for source, target in ((name, "hand21"), ("hand21", name)):
        with pytest.raises(LayoutError, match=rf"(?s)'{source}' and '{target}' share too little"):
            plan_remap(source, target)


def test_names_say_which_hand():
    fingers = {"thumb": "thumb", "index": "forefinger", "middle": "middle_finger",
               "ring": "ring_finger", "pinky": "pinky_finger"}
    names = {"wrist": "right_hand_root"}
    for joint in get_layout("hand21").joints[1:]:
        finger, part = joint.split("_")
        parts = ["cmc", "mcp", "ip", "tip"] if finger == "thumb" else ["mcp", "pip", "dip", "tip"]
        names[joint] = f"right_{fingers[finger]}{parts.index(part) + 1}"
    plan = plan_remap("wholebody133", "hand21", names)
    assert len(plan.copied) == 21
    joints = pose("wholebody133")
    out = remap_joints(joints, "wholebody133", "hand21", names)
    start = get_layout("wholebody133").index("right_hand_root")
    np.testing.assert_array_equal(out, joints[start : start + 21])


def test_names_may_take_a_mean_and_win_over_the_rules():
    plan = plan_remap("coco17", "penn13", {"head": ("nose", "left_ear", "right_ear")})
    np.testing.assert_allclose(plan.weights[0, [0, 3, 4]], 1 / 3)
    assert plan.derived == {"head": ("nose", "left_ear", "right_ear")}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"left_wrist": "right_wrist", "right_wrist": "left_wrist"}, "swap left and right"),
        ({"left_wrist": "right_wrist"}, "swap left and right: 'left_wrist' from right_wrist"),
        ({"left_wrist": ("left_elbow", "right_elbow")}, "swap left and right"),
        ({"left_wrist": "nose"}, "mix left and right"),
        ({"left_wrist": "left_elbow"}, "mix left and right"),
        ({"neck": "nose"}, "no joint 'neck'"),
        ({"head": "neck"}, "no joint 'neck'"),
        ({"head": ()}, "got none"),
    ],
)
def test_names_that_do_not_fit_are_refused(names, message):
    with pytest.raises(LayoutError, match=message):
        plan_remap("coco17", "penn13", names)


FOREIGN = ("RShoulder", "LShoulder", "hip_left", "hip_right", "Head")


def test_a_foreign_vocabulary_maps_by_names_and_never_to_the_other_side():
    own = Layout("own", FOREIGN, (4, 4, 1, 0, 4), flip_pairs=((0, 1), (2, 3)))
    good = {"right_shoulder": "RShoulder", "left_shoulder": "LShoulder", "left_hip": "hip_left",
            "right_hip": "hip_right", "head": "Head"}
    assert plan_remap(own, "penn13", good).copied == (
        "head", "right_shoulder", "left_shoulder", "right_hip", "left_hip")
    swapped = {**good, "right_hip": "hip_left", "left_hip": "hip_right"}
    with pytest.raises(LayoutError, match="'right_hip' from hip_left"):
        plan_remap(own, "penn13", swapped)
    with pytest.raises(LayoutError, match="share too little"):
        plan_remap(own, "penn13")


def test_flip_pairs_that_contradict_the_mapping_are_refused():
    crossed = Layout("crossed", ("a", "b", "c", "d", "m"), (4, 4, 4, 4, 4), ((0, 3), (1, 2)))
    names = {"left_hip": "a", "right_hip": "b", "left_shoulder": "c", "right_shoulder": "d"}
    with pytest.raises(LayoutError, match="mirror each other in 'penn13'"):
        plan_remap(crossed, "penn13", names)
    straight = Layout("straight", crossed.joints, crossed.parents, ((0, 1), (2, 3)))
    assert len(plan_remap(straight, "penn13", names).copied) == 4


def test_joints_of_another_layout_are_refused():
    with pytest.raises(LayoutError, match="ntu25"):
        remap_joints(pose("coco17"), "ntu25", "penn13")
    with pytest.raises(LayoutError, match="coco18"):
        remap_joints(pose("coco17"), "coco18", "penn13")


def test_the_rules_speak_the_shared_vocabulary_and_sum_to_one():
    vocabulary = {joint for name in builtin_layouts() for joint in get_layout(name).joints}
    assert set(DERIVED) <= vocabulary
    for rules in DERIVED.values():
        for rule in rules:
            assert set(rule) <= vocabulary
            assert sum(rule.values()) == pytest.approx(1)

"""The report of a pair: labels, joints and axes in words."""

from dataclasses import replace

import numpy as np
import pytest
from people import workers
from stores import write_store

from skelact.errors import ChoiceError
from skelact.evaluation.harmonise import inspect_axes
from skelact.evaluation.label_map import LabelMap
from skelact.evaluation.pair_report import describe_pair, joint_places
from skelact.graph.layouts import get_layout
from skelact.pose.recording import PoseTrack

MAP = LabelMap(("wave", "push"), {"gym": {"waving": "wave", "shove": "push"},
                                  "lab": {"wave_high": "wave", "push": "push"}},
               {"gym": {"squat"}, "lab": set()}, "the label map small")


def store(folder, name, labels, layout="kinect20", change=lambda joints: joints, **facts):
    clips = [replace(clip, tracks=tuple(PoseTrack(0, change(track.joints), track.frame_index)
                                        for track in clip.tracks))
             for clip in workers(12, layout, labels=labels)]
    return write_store(folder, clips, name, **facts)


def test_a_pair_in_words(tmp_path):
    def lower_pelvis(joints):
        joints = joints.copy()
        joints[get_layout("kinect20").index("pelvis"), 1] -= 0.2
        return 1000 * joints * np.array([-1, 1, 1], np.float32)[:, None]

    gym = store(tmp_path / "gym", "gym", ("waving", "shove", "squat"))
    lab = store(tmp_path / "lab", "lab", ("wave_high", "push"), change=lower_pelvis)
    text = describe_pair(gym, lab, MAP)
    for words in ("gym -> lab", "2 shared classes by the label map small (chance 0.50)",
                  "waving (4 clips) = wave_high (6 clips)", "gym: 8 clips", "left out: squat",
                  "20 joints (kinect20), by name", "pelvis: the second set has it +0, -",
                  "Axes of gym", "nothing, the axes are as they should be", "Axes of lab",
                  "millimetres", "MIRRORED", "reverse x"):
        assert words in text, words
    assert max(map(len, text.splitlines())) <= 100
    assert "knee: the second" not in text
    with pytest.raises(ChoiceError, match="does not know the data set"):
        describe_pair(gym, lab, LabelMap(("wave",), {"gym": {"waving": "wave"}}))


def test_the_joints_that_are_used(tmp_path):
    """With the trunk computed alike, and as the first set has them."""
    gym = store(tmp_path / "gym", "gym", ("waving", "shove"), layout="ntu25")
    lab = store(tmp_path / "lab", "lab", ("wave_high", "push"))
    aligned = " ".join(describe_pair(gym, lab, MAP, aligned=True).split())
    assert "20 joints (kinect20+ntu25), by name, but neck, spine and pelvis computed" in aligned
    assert "derived: pelvis from left_hip and right_hip, spine" in aligned
    own = " ".join(describe_pair(gym, lab, MAP, layout="ntu25").split())
    assert "gym (ntu25, 25 joints): 25 as they are lab" in own
    assert "lab (kinect20, 20 joints): 20 as they are; derived: upper_neck from" in own
    assert "missing, seen by the network as absent: left_hand_tip, left_thumb" in own


def test_joints_as_far_apart_stand_in_the_order_of_the_skeleton(tmp_path):
    """Whatever order a set of names has in this process."""
    legs = [name for name in get_layout("kinect20").joints
            if any(part in name for part in ("knee", "ankle", "foot"))]

    def lower(joints):
        joints = joints.copy()
        joints[[get_layout("kinect20").index(name) for name in legs], 1] -= 2.0
        return joints

    gym = store(tmp_path / "gym", "gym", ("waving", "shove"))
    lab = store(tmp_path / "lab", "lab", ("wave_high", "push"), change=lower)
    text = describe_pair(gym, lab, MAP)
    far = [line.split(":")[0].strip() for line in text.splitlines() if "the second set has" in line]
    assert sorted(far) == sorted(legs)
    assert far == sorted(far, key=legs.index)


def test_other_skeletons(tmp_path):
    gym = store(tmp_path / "gym", "gym", ("waving", "shove"))
    lab = store(tmp_path / "lab", "lab", ("wave_high", "push"), layout="ntu25")
    text = describe_pair(gym, lab, MAP)
    assert "not used: upper_neck, left_hand_tip" in text
    assert "same places" in text


def test_places_do_not_depend_on_axes(tmp_path):
    plain = store(tmp_path / "a", "gym", ("waving",))
    swap = get_layout("kinect20").flip_order
    other = store(tmp_path / "b", "gym", ("waving",), change=lambda joints: 100 * joints[swap])
    reports = [inspect_axes(s.arrays) for s in (plain, other)]
    assert reports[1].sides_swapped
    first, second = (joint_places(s, report, get_layout("kinect20").joints)
                     for s, report in zip((plain, other), reports, strict=True))
    assert first.keys() == second.keys()
    for joint in first:
        np.testing.assert_allclose(first[joint], second[joint], atol=1e-3)
    assert first["left_hip"][0] > 0 > first["right_hip"][0]
    assert first["left_foot"][2] > 0.1

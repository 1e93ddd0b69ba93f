"""The skeleton that layouts share: every joint can be filled, and it is a skeleton."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.errors import LayoutError
from skelact.graph.graph import Graph
from skelact.graph.layouts import Layout, builtin_layouts, get_layout
from skelact.transforms.common_layout import common_layout
from skelact.transforms.remap import plan_remap

BODIES = [name for name in builtin_layouts() if name != "hand21"]


def bones(layout):
    return {(layout.joints[a], layout.joints[b]) for a, b in layout.bones}


@pytest.mark.parametrize("pair", list(itertools.combinations(BODIES, 2)), ids="+".join)
def test_any_two_bodies_share_a_skeleton(pair):
    common = common_layout(*pair)
    assert common == common_layout(*reversed(pair))
    assert common.num_joints >= 12
    for name in pair:
        plan = plan_remap(name, common)
        assert not plan.missing
        rows = [tuple(row) for row in plan.weights]
        assert len(set(rows)) == len(rows)  # no joint twice
    assert Graph(common).adjacency.shape[-1] == common.num_joints


@given(st.sets(st.sampled_from(BODIES), min_size=3, max_size=5))
@settings(max_examples=20)
def test_several(names):
    common = common_layout(*sorted(names))
    assert not any(plan_remap(name, common).missing for name in names)


def test_kinect_and_penn_by_hand():
    common = common_layout("kinect20", "penn13")
    assert common.name == "kinect20+penn13"
    assert set(common.joints) == set(get_layout("penn13").joints) | {"neck", "spine", "pelvis"}
    assert {("left_wrist", "left_elbow"), ("left_hip", "pelvis"), ("pelvis", "spine"),
            ("head", "neck")} <= bones(common)
    assert common.joints[common.centre] == "neck"


def test_aliases_are_taken_once():
    assert "nose" not in common_layout("coco17", "kinect20").joints  # the Kinect has no nose
    both = common_layout("mediapipe33", "body25").joints
    assert sum("toe" in joint or "foot" in joint for joint in both) == 2


def test_one_layout_is_itself():
    assert common_layout("kinect20", "kinect20") == get_layout("kinect20")
    assert common_layout("kinect20", "utd20").num_joints == 20


def test_strangers_share_nothing():
    with pytest.raises(LayoutError, match=r"share \d joints"):
        common_layout("hand21", "kinect20")
    with pytest.raises(LayoutError, match="got none"):
        common_layout()
    sides = [f"{side}_{part}" for side in ("left", "right") for part in ("a", "b", "c")]
    one = Layout("one", ["x", *sides], [0, 0, 1, 2, 0, 4, 5])
    two = Layout("two", ["y", *sides], [0, 0, 1, 2, 0, 4, 5])
    with pytest.raises(LayoutError, match="middle of the body"):
        common_layout(one, two)

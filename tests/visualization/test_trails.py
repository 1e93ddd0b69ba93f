"""Trails behind joints."""

import numpy as np
import pytest
from recordings import capture, walking

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.graph.layouts import builtin_layouts, get_layout
from skelact.visualization.trails import plot_trails, trailing_joints


def trails(ax):
    return ax.collections[0]


@pytest.mark.parametrize(("frame", "length", "segments"), [(-1, 10, 10), (4, 10, 4), (0, 10, 0),
                                                           (29, 1, 1)])
def test_a_trail_goes_back_so_many_frames_and_fades(frame, length, segments):
    joints = walking(frames=30).tracks[0].joints
    _, ax = plot_trails(joints, "coco17", frame=frame, length=length, trailing=["left_wrist"])
    lines = trails(ax).get_segments()
    assert len(lines) == segments
    if segments:
        np.testing.assert_allclose(lines[-1][-1], joints[9, :2, frame])
        opacity = trails(ax).get_colors()[:, 3]
        assert opacity[-1] == 1
        assert (opacity > 0).all()
        np.testing.assert_allclose(np.diff(opacity), 1 / length)


def test_missing_joints_leave_gaps_in_the_trail():
    joints = walking(frames=30).tracks[0].joints.copy()
    joints[9, :, 20] = np.nan
    _, ax = plot_trails(joints, "coco17", length=29, trailing=["left_wrist"])
    assert len(trails(ax).get_segments()) == 29 - 2


def test_the_axes_show_the_whole_trail_and_the_person():
    joints = walking(frames=30, step=20.0).tracks[0].joints
    _, ax = plot_trails(joints, "coco17")
    low, high = ax.get_xlim()
    assert low <= joints[10, 0, 0]  # the right wrist, in the first frame
    assert high >= joints[9, 0, -1]
    assert len(ax.collections[1].get_segments()) == 19


def test_in_3d():
    _, ax = plot_trails(capture().tracks[0].joints, "coco17", dims=3)
    assert ax.name == "3d"
    assert len(trails(ax).ends) == 4 * 19


def test_wrists_and_ankles_by_default_else_where_limbs_end():
    for name in builtin_layouts():
        layout = get_layout(name)
        chosen = [layout.joints[i] for i in trailing_joints(layout, None)]
        body = ["left_wrist", "right_wrist", "left_ankle", "right_ankle"]
        assert chosen == (["wrist"] if name == "hand21" else body)
    stick = get_layout("penn13").with_parents(get_layout("penn13").parents, "own")
    assert trailing_joints(stick, ["head"]) == [0]


def test_what_cannot_be_is_refused():
    joints = walking().tracks[0].joints
    with pytest.raises(LayoutError, match="no joint 'tail'"):
        plot_trails(joints, "coco17", trailing=["tail"])
    with pytest.raises(LayoutError, match="N=25"):
        plot_trails(joints, "ntu25")
    with pytest.raises(ChoiceError, match="trails of 1 or more"):
        plot_trails(joints, "coco17", length=0)
    with pytest.raises(ChoiceError, match="a frame of 30, got 30"):
        plot_trails(joints, "coco17", frame=30)
    with pytest.raises(ShapeError, match="3 channels"):
        plot_trails(joints[:, :2], "coco17", dims=3)

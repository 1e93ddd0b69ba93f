"""One skeleton on matplotlib's axes."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from recordings import capture, standing

from skelact.errors import ChoiceError, ShapeError
from skelact.graph.layouts import builtin_layouts, get_layout
from skelact.visualization.colours import LEFT, RIGHT, unit_colour
from skelact.visualization.skeleton_figure import plot_skeleton


def lines(ax):
    """``[S, 2, D]`` the bones' ends, and ``[S, 4]`` their colours."""
    bones = ax.collections[0]
    return bones.ends, bones.get_colors()


def deep() -> np.ndarray:
    return capture().tracks[0].joints[..., 0]


def test_every_drawn_edge_is_a_line_between_its_joints():
    figure, ax = plot_skeleton(standing(), "coco17")
    ends, _ = lines(ax)
    np.testing.assert_allclose(ends, standing()[np.array(get_layout("coco17").drawn_edges), :2])
    assert figure is ax.figure
    assert ax.yaxis_inverted()
    assert ax.get_aspect() == 1


@pytest.mark.parametrize("layout", builtin_layouts())
def test_as_many_lines_as_edges_in_every_layout(layout):
    joints = np.random.default_rng(0).uniform(0, 99, (get_layout(layout).num_joints, 2))
    assert len(lines(plot_skeleton(joints, layout)[1])[0]) == len(get_layout(layout).drawn_edges)


@settings(max_examples=30)
@given(st.sets(st.integers(0, 16)), st.sampled_from([2, 3]))
def test_missing_joints_leave_gaps(missing, dims):
    joints = standing() if dims == 2 else deep()
    joints[list(missing)] = np.nan
    _, ax = plot_skeleton(joints, "coco17", dims=dims)
    whole = [edge for edge in get_layout("coco17").drawn_edges if not missing.intersection(edge)]
    assert len(lines(ax)[0]) == len(whole)
    assert len(ax.collections[1].get_colors()) == 17 - len(missing)


def test_the_less_sure_the_fainter():
    joints = standing()
    joints[9, 2], joints[10, 2] = 0.3, 0.1  # the wrists
    ends, colours = lines(plot_skeleton(joints, "coco17")[1])
    wrist = (ends == joints[9, :2].astype(np.float64)).all(axis=2).any(axis=1)
    assert wrist.sum() == 1
    assert 0.2 < colours[wrist, 3] < 0.9
    assert (colours[~wrist, 3] == 1).all()
    assert len(ends) == 18  # that of the other wrist is gone
    given_beside = plot_skeleton(deep(), "coco17", dims=3, confidence=joints[:, 2])[1]
    np.testing.assert_allclose(np.sort(lines(given_beside)[1][:, 3]), np.sort(colours[:, 3]))


def test_left_is_blue_and_right_orange_unless_a_colour_is_given():
    ends, colours = lines(plot_skeleton(standing(), "coco17")[1])
    joints, layout = standing(), get_layout("coco17")
    for side, colour in (("left", LEFT), ("right", RIGHT)):
        wrist = joints[layout.index(f"{side}_wrist"), :2].astype(np.float64)
        (at,) = np.flatnonzero((ends == wrist).all(axis=2).any(axis=1))
        np.testing.assert_allclose(colours[at, :3], unit_colour(colour))
    plain = lines(plot_skeleton(joints, "coco17", colour="crimson")[1])[1]
    np.testing.assert_allclose(plain[:, :3], [to_rgb("crimson")] * len(plain))


def test_several_on_one_axes_share_one_scale():
    figure = Figure()
    ax = figure.add_subplot()
    ax.invert_yaxis()
    for left in (0.0, 500.0):
        assert plot_skeleton(standing(left=left), "coco17", ax) == (figure, ax)
    low, high = ax.get_xlim()
    assert low < -30
    assert high > 530
    assert ax.yaxis_inverted()


def test_3d_axes_show_everything_at_equal_scales():
    figure, ax = plot_skeleton(deep(), "coco17", dims=3)
    figure.savefig(io.BytesIO(), format="png")
    limits = np.array([ax.get_xlim(), ax.get_ylim(), ax.get_zlim()])
    np.testing.assert_allclose(np.ptp(limits, axis=1) / ax._box_aspect,
                               [np.ptp(limits[0]) / ax._box_aspect[0]] * 3)
    ends, _ = lines(ax)
    assert (ends >= limits.min(axis=1)).all()
    assert (ends <= limits.max(axis=1)).all()
    assert ends[..., 2].max() - ends[..., 2].min() > 1.5  # who stands is upright


def test_a_camera_that_was_moved_stays():
    fresh, moved = (Figure().add_subplot(projection="3d") for _ in range(2))
    moved.view_init(elev=5, azim=45)
    for ax in (fresh, moved):
        plot_skeleton(deep(), "coco17", ax, dims=3)
    own = plot_skeleton(deep(), "coco17", dims=3)[1]
    assert (moved.elev, moved.azim) == (5, 45)
    assert (fresh.elev, fresh.azim) == (own.elev, own.azim) != (30, -60)


def test_flat_and_3d_pictures_of_a_scene_look_alike():
    """A person facing the sensor has the left on the right of both."""
    layout = get_layout("coco17")
    left, right = (layout.index(f"{side}_shoulder") for side in ("left", "right"))
    flat = Figure().add_subplot()
    plot_skeleton(deep(), "coco17", flat, dims=3)
    places = flat.collections[1].get_segments()
    assert places[left][0, 0] > places[right][0, 0]
    ax = plot_skeleton(deep(), "coco17", dims=3)[1]
    ax.figure.savefig(io.BytesIO(), format="png")
    places = ax.collections[1].get_segments()  # as projected by matplotlib
    assert places[left][0, 0] > places[right][0, 0]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"\[17, any\]"):
        plot_skeleton(np.zeros((5, 3)), "coco17")
    with pytest.raises(ShapeError, match="expected 3 channels C of joints with dims=3"):
        plot_skeleton(np.zeros((17, 2)), "coco17", dims=3)
    with pytest.raises(ShapeError, match="confidence"):
        plot_skeleton(np.zeros((17, 3)), "coco17", dims=3, confidence=np.ones(5))
    with pytest.raises(ChoiceError, match="dims"):
        plot_skeleton(np.zeros((17, 3)), "coco17", dims=4)

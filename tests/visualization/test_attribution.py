"""Pictures of attributions."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from recordings import capture, standing, walking

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.graph import get_layout
from skelact.visualization.attribution import plot_attribution


@pytest.fixture
def joints() -> np.ndarray:
    return walking(frames=40).tracks[0].joints


@pytest.fixture
def attribution() -> np.ndarray:
    """The right wrist speaks for the class in frame 7, against it in frame 30."""
    values = np.zeros((17, 40))
    values[10, [7, 30]] = 0.3, -0.2
    return values


def moments(ax) -> list:
    return [child for child in ax.child_axes if child.get_title()]


def test_a_heat_map_with_joint_names_below_skeletons(joints, attribution):
    figure, ax = plot_attribution(joints, attribution, "coco17", moments=2)
    assert ax.figure is figure
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == [name.replace("_", " ") for name in get_layout("coco17").joints]
    (image,) = ax.get_images()
    np.testing.assert_array_equal(image.get_array(), attribution)
    assert image.norm.vmin == -image.norm.vmax
    assert [moment.get_title() for moment in moments(ax)] == ["frame 7", "frame 30"]
    figure.savefig(io.BytesIO(), format="png")


def test_joints_have_the_colours_of_the_heat_map_where_they_are(joints, attribution):
    _, ax = plot_attribution(joints, attribution, "coco17", moments=1)
    (moment,) = moments(ax)
    _, points = moment.collections
    (wrist,) = np.flatnonzero(points.get_array())
    np.testing.assert_allclose(points.get_offsets()[wrist], joints[10, :2, 7])
    assert points.get_sizes().argmax() == wrist
    bottom, top = moment.get_ylim()
    assert bottom > joints[:, 1, 7].max() > joints[:, 1, 7].min() > top  # y down


def test_moments_are_apart_and_show_the_person(joints):
    joints[:, :, 20:] = 0
    _, ax = plot_attribution(joints, np.ones((17, 40)), "coco17", moments=6)
    frames = [int(moment.get_title().removeprefix("frame ")) for moment in moments(ax)]
    assert frames == [0, 5, 10, 15]


def test_missing_joints_are_left_out(joints, attribution):
    joints[0], joints[1] = 0, np.nan
    _, ax = plot_attribution(joints, attribution, "coco17", moments=1)
    bones, points = moments(ax)[0].collections
    shown = np.isfinite(np.ma.filled(points.get_offsets(), np.nan)).all(axis=1)
    assert shown.sum() == 15
    assert len(bones.get_segments()) == 19 - 4  # without those of the nose and the left eye


def test_3d_joints_stand_upright():
    joints = capture().tracks[0].joints
    _, ax = plot_attribution(joints, np.zeros((17, 20)), "coco17", dims=3, moments=1)
    _, points = moments(ax)[0].collections
    layout = get_layout("coco17")
    heights = dict(zip(layout.joints, points.get_offsets()[:, 1], strict=True))
    assert heights["nose"] < heights["left_ankle"]  # all at 0: drawn in their own order


def test_given_axes_are_used_and_nobody_is_no_error():
    figure = Figure()
    ax = figure.add_subplot()
    nobody = np.zeros((17, 3, 5))
    assert plot_attribution(nobody, np.zeros((17, 5)), "coco17", ax=ax) == (figure, ax)
    assert not moments(ax)
    figure.savefig(io.BytesIO(), format="png")


def test_what_does_not_fit_is_refused(attribution):
    body = standing()[..., None]
    with pytest.raises(ShapeError, match=r"attribution \[17, 1\], got \[17, 40\]"):
        plot_attribution(body, attribution, "coco17")
    with pytest.raises(LayoutError, match="N=13"):
        plot_attribution(body, attribution[:, :1], "penn13")
    with pytest.raises(ChoiceError, match="dims"):
        plot_attribution(body, attribution[:, :1], "coco17", dims=4)
    with pytest.raises(ChoiceError, match="moments of at least 1"):
        plot_attribution(body, attribution[:, :1], "coco17", moments=0)

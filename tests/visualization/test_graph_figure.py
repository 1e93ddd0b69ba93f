"""Figures of the graph."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from recordings import capture, walking

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.graph import Graph
from skelact.graph.layouts import builtin_layouts, get_layout
from skelact.graph.partition import PARTITIONS
from skelact.visualization.graph_figure import (
    partition_names,
    plot_partition,
    plot_spatiotemporal_graph,
)
from skelact.visualization.rest_pose import rest_pose


def arrows(ax) -> list[FancyArrowPatch]:
    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def colours(artists) -> list[tuple]:
    return [to_rgb(artist.get_edgecolor()) for artist in artists]


def inks(ax) -> dict[str, tuple]:
    """The colour of every entry of the legend."""
    return {text.get_text(): to_rgb(handle.get_color()) for handle, text in zip(
        ax.get_legend().legend_handles, ax.get_legend().get_texts(), strict=True)}


@pytest.mark.parametrize("max_hop", [1, 2])
@pytest.mark.parametrize("partition", sorted(PARTITIONS))
def test_every_edge_of_every_partition_is_an_arrow_of_its_colour(partition, max_hop):
    graph = Graph("coco17", partition, max_hop)
    _, ax = plot_partition(graph)
    drawn = colours(arrows(ax))
    legend = inks(ax)
    names = partition_names(graph)
    assert len(names) == graph.num_partitions
    assert len({legend[name] for name in legend if "centre" not in name}) == len(names)
    for name, adjacency in zip(names, graph.adjacency > 0, strict=True):
        ink = legend[f"{name} ({adjacency.sum()})"]
        assert drawn.count(ink) == adjacency.sum() - np.trace(adjacency)
    assert len(drawn) == ((graph.adjacency > 0).sum() - 17)


def test_arrows_run_from_the_source_to_the_target():
    graph = Graph("ntu25")
    _, ax = plot_partition(graph)
    places = rest_pose(graph.layout)
    nearer = inks(ax)["centripetal (24)"]
    drawn = {(tuple(arrow._posA_posB[0]), tuple(arrow._posA_posB[1]))
             for arrow, colour in zip(arrows(ax), colours(arrows(ax)), strict=True)
             if colour == nearer}
    parents = {(tuple(places[parent]), tuple(places[child])) for child, parent
               in graph.layout.bones}
    assert drawn == parents  # towards the centre lies the parent


def test_one_neighbourhood_alone():
    _, ax = plot_partition(Graph("ntu25"), joint="left_shoulder")
    assert len(arrows(ax)) == 2
    assert set(inks(ax)) == {"root (1)", "centrifugal (1)", "centripetal (1)", "the centre: neck"}
    assert "left shoulder" in ax.get_title()


def test_own_axes_and_places():
    figure = Figure()
    ax = figure.add_subplot()
    places = np.random.default_rng(0).uniform(0, 50, (17, 2))
    assert plot_partition(Graph("coco17"), ax, joints=places) == (figure, ax)
    assert ax.yaxis_inverted()
    assert ax.get_xlim()[1] >= places[:, 0].max()
    figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize("name", builtin_layouts())
def test_everybody_rests_upright_left_on_the_right_and_no_joint_on_another(name):
    layout = get_layout(name)
    places = rest_pose(layout)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)[np.triu_indices(len(places), 1)]
    assert apart.min() > 1e-3
    for joint, (x, _) in zip(layout.joints, places, strict=True):
        if joint.startswith(("left_", "right_")):
            assert (x > 0) == joint.startswith("left_")
    for left, right in layout.flip_pairs:
        np.testing.assert_allclose(places[left] * [-1, 1], places[right], atol=1e-9)


def test_the_points_of_a_face_make_a_face():
    layout = get_layout("wholebody133")
    places = dict(zip(layout.joints, rest_pose(layout), strict=True))
    face = np.array([places[f"face-{i}"] for i in range(68)])
    for first, eye in ((36, "right_eye"), (42, "left_eye")):  # their rims are around the eyes
        np.testing.assert_allclose(face[first : first + 6].mean(axis=0), places[eye], atol=1e-9)
    heights = [face[17:27, 1].mean(), places["nose"][1], face[48:60, 1].mean(), face[8, 1],
               places["left_shoulder"][1]]  # from the brows over mouth and chin down
    assert sorted(heights) == heights


def test_a_layout_of_unknown_names_has_a_rest_pose():
    layout = get_layout("hand21")
    strange = type(layout)("strange", tuple(f"p{i}" for i in range(21)), layout.parents)
    places = rest_pose(strange)
    assert np.isfinite(places).all()
    assert len(np.unique(places.round(6), axis=0)) == 21


def spatial_and_temporal(ax):
    temporal, spatial = ax.collections
    return np.asarray(spatial.get_segments()), np.asarray(temporal.get_segments())


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_as_many_edges_in_space_and_time_as_the_graph_has(frames):
    graph = Graph("ntu25")
    _, ax = plot_spatiotemporal_graph(graph, frames)
    spatial, temporal = spatial_and_temporal(ax)
    both_ways = (graph.adjacency > 0).sum() - 25  # without those of joints to themselves
    assert len(spatial) == frames * both_ways / 2 == frames * 24
    assert len(temporal) == (frames - 1) * 25


def test_temporal_edges_join_the_same_joint_of_frames_that_get_smaller():
    _, ax = plot_spatiotemporal_graph(Graph("coco17"), 3)
    _, temporal = spatial_and_temporal(ax)
    (joints,) = (line.get_xydata().reshape(3, 17, 2) for line in ax.lines if len(line.get_xydata()))
    np.testing.assert_allclose(temporal.reshape(2, 17, 2, 2)[:, :, 0], joints[:-1])
    np.testing.assert_allclose(temporal.reshape(2, 17, 2, 2)[:, :, 1], joints[1:])
    heights = np.ptp(joints[..., 1], axis=1)
    assert (np.diff(heights) < 0).all()
    assert (np.diff(joints[:, 0, 0]) > 0).all()


def test_a_real_pose_with_missing_joints_leaves_gaps():
    joints = walking(frames=30).tracks[0].joints.copy()
    joints[9, :, 0] = np.nan  # the left wrist in the first of the frames
    _, ax = plot_spatiotemporal_graph(Graph("coco17"), 3, joints)
    spatial, temporal = spatial_and_temporal(ax)
    assert (len(spatial), len(temporal)) == (3 * 16 - 1, 2 * 17 - 1)
    deep = plot_spatiotemporal_graph(Graph("coco17"), 2, capture().tracks[0].joints, dims=3)[1]
    assert len(spatial_and_temporal(deep)[0]) == 2 * 16


def test_nobody_is_no_error():
    _, ax = plot_spatiotemporal_graph(Graph("coco17"), 2, np.full((17, 3, 9), np.nan))
    ax.figure.savefig(io.BytesIO(), format="png")


def test_what_does_not_fit_is_refused():
    graph = Graph("coco17")
    with pytest.raises(LayoutError, match="no joint 'tail'"):
        plot_partition(graph, joint="tail")
    with pytest.raises(ShapeError, match=r"joints \[17, 2\]"):
        plot_partition(graph, joints=np.zeros((17, 3)))
    with pytest.raises(ChoiceError, match="frames as a whole number"):
        plot_spatiotemporal_graph(graph, 0)
    with pytest.raises(ChoiceError, match="3 or more frames, got 2"):
        plot_spatiotemporal_graph(graph, 3, np.zeros((17, 3, 2)))
    with pytest.raises(LayoutError, match="N=17"):
        plot_spatiotemporal_graph(graph, 3, np.zeros((25, 3, 9)))
    with pytest.raises(ChoiceError, match="dims"):
        plot_spatiotemporal_graph(graph, 3, dims=4)

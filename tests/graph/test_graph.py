"""The graph object and its PyG form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.errors import ChoiceError, LayoutError
from skelact.graph import Graph, Layout
from skelact.graph.partition import PARTITIONS

cases = st.tuples(
    st.sampled_from(["coco17", "ntu25", "hand21", "penn13"]),
    st.sampled_from(sorted(PARTITIONS)),
    st.integers(1, 3),
)


def test_what_a_graph_says_of_itself():
    graph = Graph("ntu25", "spatial", max_hop=2)
    assert (graph.num_joints, graph.num_partitions) == (25, 5)
    assert repr(graph) == "Graph('ntu25', partition='spatial', max_hop=2)"
    assert Graph(graph.layout).layout is graph.layout
    with pytest.raises(ValueError, match="read-only"):
        graph.adjacency[0, 0, 0] = 1


def test_a_graph_of_ones_own_skeleton():
    layout = Layout("pair", ("a", "b"), (0, 0))
    np.testing.assert_allclose(Graph(layout, "uniform").adjacency, np.full((1, 2, 2), 0.5))


@pytest.mark.parametrize("max_hop", [0, -1, 1.0, "1", None])
def test_a_bad_radius_is_refused(max_hop):
    with pytest.raises(ChoiceError, match="max_hop"):
        Graph("coco17", max_hop=max_hop)


def test_unknown_names_are_refused():
    with pytest.raises(ChoiceError, match=r"spatial_released.*'spectral'"):
        Graph("coco17", "spectral")
    with pytest.raises(LayoutError, match="coco18"):
        Graph("coco18")


@settings(max_examples=40, deadline=None)
@given(cases)
def test_edges_of_one_frame_are_the_adjacency(case):
    graph = Graph(*case)
    data = graph.to_pyg()
    assert data.num_nodes == graph.num_joints
    assert data.validate()
    rebuilt = np.zeros(graph.adjacency.shape)
    source, target = data.edge_index.numpy()
    np.add.at(rebuilt, (data.edge_type.numpy(), source, target), data.edge_weight.numpy())
    np.testing.assert_allclose(rebuilt, graph.adjacency, atol=1e-7)
    assert data.num_edges == np.count_nonzero(graph.adjacency)


@settings(max_examples=40, deadline=None)
@given(cases, st.integers(1, 5))
def test_edges_over_time_are_spatial_edges_a_frame_and_two_temporal_types(case, frames):
    graph = Graph(*case)
    data = graph.to_pyg(frames)
    size, partitions = graph.num_joints, graph.num_partitions
    assert data.num_nodes == size * frames
    assert data.validate()
    source, target = data.edge_index.numpy()
    kind, weight = data.edge_type.numpy(), data.edge_weight.numpy()

    within = kind < partitions
    np.testing.assert_array_equal(source[within] // size, target[within] // size)
    rebuilt = np.zeros((frames, *graph.adjacency.shape))
    place = source[within] // size, kind[within], source[within] % size, target[within] % size
    np.add.at(rebuilt, place, weight[within])
    for one in rebuilt:
        np.testing.assert_allclose(one, graph.adjacency, atol=1e-7)

    for extra, step in ((0, size), (1, -size)):
        chosen = kind == partitions + extra
        assert chosen.sum() == size * (frames - 1)
        assert (target[chosen] - source[chosen] == step).all()
        assert (weight[chosen] == 1).all()
    assert len({*zip(source, target, kind, strict=True)}) == data.num_edges


@pytest.mark.parametrize("frames", [0, -3, 2.0])
def test_a_bad_number_of_frames_is_refused(frames):
    with pytest.raises(ChoiceError, match="frames"):
        Graph("coco17").to_pyg(frames)

"""Partitions: parity with published code, and the properties of the paper on random trees."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.graph.layouts import Layout, builtin_layouts, get_layout
from skelact.graph.partition import PARTITIONS, hop_distance, spatial, spatial_released

STGCN_NAMES = {"openpose18": "openpose", "ntu25": "ntu-rgb+d"}
PYSKL_NAMES = {"openpose18": "openpose", "ntu25": "nturgb+d", "coco17": "coco", "hand21": "handmp"}


@st.composite
def trees(draw, most=10) -> Layout:
    size = draw(st.integers(1, most))
    parents = [0] + [draw(st.integers(0, i - 1)) for i in range(1, size)]
    return Layout("tree", tuple(f"j{i}" for i in range(size)), tuple(parents))


@st.composite
def mirrored_trees(draw) -> Layout:
    """A middle chain with the same limbs on the left and on the right."""
    middle = draw(st.integers(1, 3))
    joints = [f"m{i}" for i in range(middle)]
    parents = [max(i - 1, 0) for i in range(middle)]
    for limb in range(draw(st.integers(1, 4))):
        parent = draw(st.integers(0, len(joints) - 1))
        mirror = joints[parent].replace("left_", "right_")
        joints += [f"left_{limb}", f"right_{limb}"]
        if joints[parent].startswith("right_"):
            parent = joints.index(joints[parent].replace("right_", "left_"))
            mirror = joints[parent].replace("left_", "right_")
        parents += [parent, joints.index(mirror)]
    return Layout("mirrored", tuple(joints), tuple(parents))


@pytest.mark.shared
@pytest.mark.parametrize("name", STGCN_NAMES)
@pytest.mark.parametrize("max_hop", [1, 2])
@pytest.mark.parametrize("partition", ["uniform", "distance", "spatial"])
def test_equal_to_the_released_stgcn_code(shared, name, max_hop, partition):
    with np.load(shared / "reference" / "stgcn_released_adjacency.npz") as file:
        expected = file[f"{STGCN_NAMES[name]}|{partition}|max_hop={max_hop}"]
    ours = {"spatial": "spatial_released"}.get(partition, partition)
    actual = PARTITIONS[ours](get_layout(name), max_hop)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


def pyskl_layout(shared, name: str) -> Layout:
    facts = json.loads((shared / "layouts.json").read_text())[name]
    layout = get_layout(name)
    parents = facts.get("parents_pyskl_graph")
    return layout.with_parents(parents) if parents else layout


@pytest.mark.shared
@pytest.mark.parametrize("name", PYSKL_NAMES)
@pytest.mark.parametrize(
    ("pyskl", "ours"), [("stgcn_spatial", "spatial_released"), ("spatial", "inward_outward")]
)
def test_equal_to_pyskl(shared, name, pyskl, ours):
    with np.load(shared / "reference" / "pyskl_adjacency.npz") as file:
        expected = file[f"{PYSKL_NAMES[name]}|{pyskl}"]
        links = file[f"{PYSKL_NAMES[name]}|binary_adj"][0]
    layout = pyskl_layout(shared, name)
    np.testing.assert_allclose(PARTITIONS[ours](layout, 1), expected, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(hop_distance(layout) == 1, links > 0)


def test_released_code_crowds_one_subset_on_ntu():
    """The published code has 40 and 8 entries where the paper's definition gives 24 and 24."""
    ntu = get_layout("ntu25")
    assert [np.count_nonzero(a) for a in spatial(ntu)] == [25, 24, 24]
    assert [np.count_nonzero(a) for a in spatial_released(ntu)] == [25, 40, 8]


def test_spatial_by_hand():
    """A chain a - b - c about its end a: to b, a is nearer to the centre and c is farther."""
    own, farther, nearer = spatial(Layout("chain", ("a", "b", "c"), (0, 0, 1)))
    np.testing.assert_allclose(own, np.diag([1 / 2, 1 / 3, 1 / 2]))
    np.testing.assert_allclose(farther, [[0, 0, 0], [1 / 2, 0, 0], [0, 1 / 3, 0]])
    np.testing.assert_allclose(nearer, [[0, 1 / 3, 0], [0, 0, 1 / 2], [0, 0, 0]])


def test_inward_outward_by_hand():
    own, parent, children = PARTITIONS["inward_outward"](
        Layout("fork", ("a", "b", "c"), (0, 0, 0))
    )
    np.testing.assert_allclose(own, np.eye(3))
    np.testing.assert_allclose(parent, [[0, 1, 1], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(children, [[0, 0, 0], [1 / 2, 0, 0], [1 / 2, 0, 0]])


@settings(max_examples=60, deadline=None)
@given(trees(), st.integers(1, 4))
def test_hop_distance_is_a_tree_metric(layout, hops):
    distance = hop_distance(layout)
    np.testing.assert_array_equal(distance, distance.T)
    np.testing.assert_array_equal(np.diag(distance), 0)
    for child, parent in layout.bones:
        assert distance[child, parent] == 1
        assert abs(distance[child, layout.centre] - distance[parent, layout.centre]) == 1
    through = (distance[:, :, None] + distance[None, :, :]).min(axis=1)
    assert (distance <= through).all()
    assert (distance == 1).sum() == 2 * (layout.num_joints - 1)


@settings(max_examples=60, deadline=None)
@given(
    trees(), st.sampled_from(["uniform", "distance", "spatial", "spatial_released"]),
    st.integers(1, 4),
)
def test_columns_sum_to_one_and_cover_the_neighbourhood(layout, partition, max_hop):
    adjacency = PARTITIONS[partition](layout, max_hop)
    count = {"uniform": 1, "distance": 1 + max_hop}.get(partition, 1 + 2 * max_hop)
    assert adjacency.shape == (count, layout.num_joints, layout.num_joints)
    np.testing.assert_allclose(adjacency.sum(axis=(0, 1)), 1)
    assert ((adjacency > 0).sum(axis=0) <= 1).all(), "an edge belongs to one subset"
    np.testing.assert_array_equal(adjacency.sum(axis=0) > 0, hop_distance(layout) <= max_hop)


@settings(max_examples=60, deadline=None)
@given(trees(), st.integers(1, 4))
def test_spatial_splits_each_hop_by_distance_to_the_centre(layout, max_hop):
    distance = hop_distance(layout)
    from_centre = distance[layout.centre]
    adjacency = spatial(layout, max_hop)
    for hop in range(1, max_hop + 1):
        farther, nearer = adjacency[2 * hop - 1], adjacency[2 * hop]
        for subset, sign in ((farther, 1), (nearer, -1)):
            source, target = np.nonzero(subset)
            assert (distance[source, target] == hop).all()
            step = from_centre[source] - from_centre[target]
            assert (step >= 0).all() if sign == 1 else (step < 0).all()


@settings(max_examples=60, deadline=None)
@given(trees(), st.integers(1, 3))
def test_inward_outward_normalises_each_subset(layout, max_hop):
    adjacency = PARTITIONS["inward_outward"](layout, max_hop)
    assert adjacency.shape[0] == 1 + 2 * max_hop
    sums = adjacency.sum(axis=1)
    assert (np.isclose(sums, 1) | (sums == 0)).all()
    for hop in range(1, max_hop + 1):
        ancestors, descendants = adjacency[2 * hop - 1] > 0, adjacency[2 * hop] > 0
        np.testing.assert_array_equal(ancestors, descendants.T)
        assert (hop_distance(layout)[ancestors] == hop).all()


@settings(max_examples=60, deadline=None)
@given(mirrored_trees(), st.sampled_from(sorted(PARTITIONS)), st.integers(1, 3))
def test_partitions_know_no_left_or_right(layout, partition, max_hop):
    adjacency = PARTITIONS[partition](layout, max_hop)
    order = layout.flip_order
    assert (order != np.arange(layout.num_joints)).any()
    np.testing.assert_allclose(adjacency[:, order][:, :, order], adjacency)


@pytest.mark.parametrize("name", builtin_layouts())
def test_every_builtin_layout_can_be_partitioned(name):
    layout = get_layout(name)
    for partition in PARTITIONS.values():
        assert np.isfinite(partition(layout, 2)).all()

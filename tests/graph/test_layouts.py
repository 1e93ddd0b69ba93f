"""Layouts: the built-in facts, layouts of the user's own, and every way to get one wrong."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.errors import LayoutError
from skelact.graph.layouts import (
    Layout,
    builtin_layouts,
    check_joints,
    get_layout,
    layouts_with,
)

ARM = {"name": "arm", "joints": {"shoulder": "shoulder", "elbow": "shoulder", "hand": "elbow"}}
LINKS = {  # bones of ours that the source does not have
    "mediapipe33": ["{}_mouth-nose", "{}_shoulder-nose"],
    "wholebody133": ["{}_shoulder-nose", "{0}_hand_root-{0}_wrist"],
}


@pytest.fixture(scope="module")
def facts(shared) -> dict:
    return json.loads((shared / "layouts.json").read_text())


@pytest.mark.shared
def test_fourteen_layouts_ship(facts):
    assert set(builtin_layouts()) == set(facts)
    assert len(facts) == 14


@pytest.mark.shared
@pytest.mark.parametrize("name", builtin_layouts())
def test_builtin_layout_has_the_collected_facts(facts, name):
    layout, fact = get_layout(name), facts[name]
    assert list(layout.joints) == fact["names"]
    assert list(layout.source_names) == fact["source_names"]
    assert {frozenset(pair) for pair in layout.flip_pairs} == {
        frozenset(pair) for pair in fact["flip"]
    }
    if fact["root"] is not None:
        assert layout.centre == fact["root"]
    if "edges" in fact and name != "wholebody133":
        assert {frozenset(edge) for edge in layout.drawn_edges} == {
            frozenset(edge) for edge in fact["edges"]
        }
    if "parents" in fact:
        assert list(layout.parents) == fact["parents"]
    if "oks_sigmas" in fact:
        assert list(layout.oks_sigmas) == fact["oks_sigmas"]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["mediapipe33", "wholebody133"])
def test_layouts_published_as_loose_edges_are_connected_by_them(facts, name):
    """The trees are ours, but nearly all of their bones must be edges of the source."""
    layout = get_layout(name)
    published = {frozenset(edge) for edge in facts[name]["edges"]}
    own = {
        f"{layout.joints[child]}-{layout.joints[parent]}"
        for child, parent in layout.bones
        if frozenset((child, parent)) not in published
    }
    expected = {link.format(side) for side in ("left", "right") for link in LINKS[name]}
    assert {bone for bone in own if "face" not in bone} == expected


@pytest.mark.parametrize("name", builtin_layouts())
def test_builtin_layout_is_a_tree_that_its_flip_maps_onto_itself(name):
    layout = get_layout(name)
    order = layout.flip_order
    np.testing.assert_array_equal(order[order], np.arange(layout.num_joints))
    assert len(layout.bones) == layout.num_joints - 1
    for child, parent in layout.bones:
        assert layout.parents[order[child]] == order[parent]
    for joint, mirrored in enumerate(order):
        swapped = layout.joints[joint].replace("left", "*").replace("right", "left")
        if "face" not in swapped:
            assert layout.joints[mirrored] == swapped.replace("*", "right")


def test_layouts_are_values():
    assert get_layout("coco17") == get_layout(get_layout("coco17"))
    assert get_layout("coco17") != get_layout("ntu25")
    assert len({get_layout("coco17"), get_layout("coco17")}) == 1
    assert get_layout("ntu25").index("neck") == 20
    assert layouts_with(17) == ["coco17", "h36m17"]


def test_own_layout_from_python():
    layout = Layout("cross", ("left_hand", "chest", "right_hand"), (1, 1, 1))
    assert layout.centre == 1
    assert layout.flip_pairs == ((0, 2),)
    assert layout.bones == layout.drawn_edges == ((0, 1), (2, 1))
    np.testing.assert_array_equal(layout.flip_order, [2, 1, 0])


def test_own_layout_from_yaml(tmp_path):
    path = tmp_path / "tail.yaml"
    path.write_text(
        "name: dog\n"
        "joints: {neck: neck, left_paw: neck, right_paw: neck, tail: neck, t1: neck, t2: neck}\n"
        "mirrored: {t1: t2}\n"
        "drawn: [[left_paw, right_paw]]\n"
        "source_names: {tail: Schwanz}\n"
        "oks_sigmas: [0.1, 0.1, 0.1, 0.1, 0.1, 0.1]\n"
    )
    layout = get_layout(path)
    assert layout == get_layout(str(path)) == Layout.from_yaml(path)
    assert layout.parents == (0, 0, 0, 0, 0, 0)
    assert set(layout.flip_pairs) == {(1, 2), (4, 5)}
    assert layout.drawn_edges == ((1, 2),)
    assert layout.source_names[3] == "Schwanz"


def test_other_bones_on_the_same_joints():
    ntu = get_layout("ntu25")
    parents = list(ntu.parents)
    parents[ntu.index("left_hand_tip")] = ntu.index("left_hand")
    parents[ntu.index("right_hand_tip")] = ntu.index("right_hand")
    other = ntu.with_parents(parents, name="ntu25-fan")
    assert other.joints == ntu.joints
    assert other.flip_pairs == ntu.flip_pairs
    assert other.drawn_edges == other.bones != ntu.bones


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"joints": ("a", "a"), "parents": (0, 0)}, "joints twice: a"),
        ({"joints": ("a", "b"), "parents": (0,)}, "2 joints but 1 parents"),
        ({"joints": ("a", "b"), "parents": (0, 2)}, "outside 0..1"),
        ({"joints": ("a", "b"), "parents": (0, -1)}, "outside 0..1"),
        ({"joints": ("a", "b"), "parents": (0, 1)}, "exactly one joint"),
        ({"joints": ("a", "b"), "parents": (1, 0)}, "exactly one joint"),
        ({"joints": (), "parents": ()}, "exactly one joint"),
        ({"joints": ("a", "b", "c"), "parents": (0, 2, 1)}, "run in a circle"),
        (
            {"joints": ("a", "b", "c"), "parents": (0, 0, 0), "flip_pairs": ((1, 2), (1, 0))},
            "in two pairs",
        ),
        ({"joints": ("a", "b", "c"), "parents": (0, 0, 1), "flip_pairs": ((0, 2),)}, None),
        (
            {"joints": ("a", "b", "c", "d"), "parents": (0, 0, 1, 1), "flip_pairs": ((1, 2),)},
            "does not give the same skeleton",
        ),
        (
            {"joints": ("a", "left_b", "right_c"), "parents": (0, 0, 0), "flip_pairs": ((1, 2),)},
            "contradicts the names",
        ),
        (
            {"joints": ("a", "left_b", "tail"), "parents": (0, 0, 0), "flip_pairs": ((1, 2),)},
            "contradicts the names",
        ),
        (
            {"joints": ("a", "b"), "parents": (0, 0), "source_names": ("x", "x")},
            "source names twice: x",
        ),
        ({"joints": ("a", "b"), "parents": (0, 0), "drawn_edges": ((0, 5),)}, "outside 0..1"),
        ({"joints": ("a", "b"), "parents": (0, 0), "oks_sigmas": (0.1,)}, "1 OKS sigmas"),
    ],
)
def test_what_is_no_skeleton_is_refused(arguments, message):
    if message is None:  # a chain may mirror end to end; only its centre may then be in the middle
        with pytest.raises(LayoutError):
            Layout("bad", **{**arguments, "flip_pairs": ((0, 1),)})
        Layout("chain", **arguments)
        return
    with pytest.raises(LayoutError, match=message):
        Layout("bad", **arguments)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "arm",
        {"name": "arm"},
        {**ARM, "colour": "red"},
        {**ARM, "joints": ["shoulder", "elbow"]},
        {**ARM, "joints": {"shoulder": "shoulder", "elbow": "sholder"}},
        {**ARM, "joints": {"shoulder": None}},
        {**ARM, "mirrored": {"elbow": "knee"}},
        {**ARM, "mirrored": ["elbow"]},
        {**ARM, "drawn": [["elbow"]]},
        {**ARM, "drawn": 3},
        {**ARM, "source_names": ["x"]},
        {**ARM, "oks_sigmas": 3},
    ],
)
def test_a_bad_mapping_is_refused(data):
    assert Layout.from_mapping(ARM).num_joints == 3
    with pytest.raises(LayoutError):
        Layout.from_mapping(data)


@pytest.mark.parametrize(
    "text",
    [
        "name: [",
        "just words",
        "",
        "\x00",
        "name: arm\njoints: {a: a, b: a, b: a}\n",
        "name: !!python/object/apply:os.system ['true']\njoints: {a: a}\n",
    ],
)
def test_a_bad_layout_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(LayoutError, match=r"own\.yaml"):
        get_layout(path)


def test_an_unknown_layout_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(LayoutError, match=r"coco17.*got 'coco'"):
        get_layout("coco")
    with pytest.raises(LayoutError, match=r"absent\.yaml"):
        get_layout(tmp_path / "absent.yaml")
    with pytest.raises(LayoutError, match="no joint 'neck'"):
        get_layout("coco17").index("neck")


def test_joints_of_another_layout_are_refused_with_the_ones_that_fit():
    ntu = get_layout("ntu25")
    good = np.zeros((2, 25, 3, 8))
    assert check_joints(good, ntu) is good
    with pytest.raises(LayoutError, match=r"N=25.*ntu25.*'coco17' or 'h36m17'.*remap"):
        check_joints(np.zeros((2, 17, 3, 8)), ntu)
    with pytest.raises(LayoutError, match=r"got \[25, 3\]"):
        check_joints(np.zeros((25, 3)), ntu)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_relabelling_of_a_tree_is_a_layout(data):
    size = data.draw(st.integers(1, 12))
    parents = [0] + [data.draw(st.integers(0, i - 1)) for i in range(1, size)]
    order = data.draw(st.permutations(range(size)))
    relabelled = [0] * size
    for i, parent in enumerate(parents):
        relabelled[order[i]] = order[parent]
    layout = Layout("tree", tuple(f"j{i}" for i in range(size)), tuple(relabelled))
    assert layout.centre == order[0]
    assert len(layout.bones) == size - 1

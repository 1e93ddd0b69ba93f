"""Graphs of MS-G3D: by hand, by matrix powers as published, equal to those stored with weights."""

import numpy as np
import pytest
import torch
from plain_ms_g3d import multi_scale

from skelact.errors import ChoiceError
from skelact.graph.disentangled import disentangled
from skelact.graph.layouts import Layout, get_layout
from skelact.graph.partition import hop_distance

LINE = Layout("line", ("left", "middle", "right"), (1, 1, 1), flip_pairs=())


def test_a_line_of_three_joints():
    itself, near, far, farther = disentangled(LINE, 4)
    np.testing.assert_array_equal(itself, np.eye(3))
    np.testing.assert_allclose(near, [[1 / 2, 1 / 3, 0], [1 / 2, 1 / 3, 1 / 2], [0, 1 / 3, 1 / 2]])
    np.testing.assert_allclose(far, [[1 / 2, 0, 1 / 2], [0, 1, 0], [1 / 2, 0, 1 / 2]])
    np.testing.assert_array_equal(farther, np.eye(3))


def test_symmetric_divides_by_the_roots_of_both_sums():
    near = disentangled(LINE, 2, normalise="symmetric")[1]
    np.testing.assert_allclose(near, [[1 / 2, 6**-0.5, 0], [6**-0.5, 1 / 3, 6**-0.5],
                                      [0, 6**-0.5, 1 / 2]])


def test_a_window_links_joints_at_any_two_frames_by_their_distance():
    itself, near, far = disentangled(LINE, 3, window=3) > 0
    np.testing.assert_array_equal(itself, np.eye(9))
    np.testing.assert_array_equal(near, np.tile(hop_distance(LINE) <= 1, (3, 3)))
    np.testing.assert_array_equal(far, np.tile(hop_distance(LINE) == 2, (3, 3)) | itself)


@pytest.mark.parametrize("normalise", ["columns", "symmetric"])
@pytest.mark.parametrize(("layout", "window"), [("coco17", 1), ("ntu25", 1), ("hand21", 3)])
def test_it_is_that_of_matrix_powers(layout, window, normalise):
    layout = get_layout(layout)
    binary = (hop_distance(layout) == 1).astype(float)
    if window > 1:
        binary = np.tile(binary + np.eye(len(binary)), (window, window))
    expected = multi_scale(binary, 5, released=normalise == "symmetric")
    np.testing.assert_allclose(disentangled(layout, 5, window, normalise), expected, atol=1e-12)


@pytest.mark.shared
def test_it_is_that_of_the_published_weights(shared):
    path = shared / "reference" / "pyskl_msg3d_ntu25" / "checkpoint.pth"
    state = torch.load(path, weights_only=True)["state_dict"]
    ntu = get_layout("ntu25")
    parents = list(ntu.parents)  # pyskl joins the tips of the hands to the hands
    for side in ("left", "right"):
        parents[ntu.index(f"{side}_hand_tip")] = ntu.index(f"{side}_hand")
    stored = {key: value for key, value in state.items() if key.endswith("1.A")}
    stored |= {key: value for key, value in state.items() if key.endswith("0.A")}
    assert len(stored) == 9
    for value in stored.values():
        scales, joints = value.shape[:2]
        ours = disentangled(ntu.with_parents(parents), scales, joints // 25)
        np.testing.assert_allclose(ours, value, atol=1e-7)


def test_another_normalisation_is_refused():
    with pytest.raises(ChoiceError, match="expected normalise to be one of columns, symmetric"):
        disentangled(LINE, 2, normalise="rows")

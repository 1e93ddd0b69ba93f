"""Streams: the analytic answer for rigid motion, the published one where we claim it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from skelact.errors import ChoiceError, LayoutError
from skelact.graph.layouts import Layout, builtin_layouts, get_layout
from skelact.transforms.augment import random_rotations
from skelact.transforms.streams import angles, bones, motion, pyskl_layout, take_stream

NTU = get_layout("ntu25")
ELBOW = Layout("arm", ("shoulder", "elbow", "wrist"), (0, 0, 1), flip_pairs=())


def rigid(layout: Layout, frames: int, seed: int):
    """A skeleton that turns and moves steadily: joints, its bones at rest, rotations, velocity."""
    generator = Generator().manual_seed(seed)
    rest = torch.randn(layout.num_joints, 3, generator=generator, dtype=torch.float64)
    turn = random_rotations(1, 20, generator)[0].double()
    rotations = torch.stack([torch.linalg.matrix_power(turn, t) for t in range(frames)])
    velocity = torch.randn(3, generator=generator, dtype=torch.float64)
    path = torch.arange(frames)[:, None] * velocity
    joints = torch.einsum("tij,nj->nit", rotations, rest) + path.T
    return joints, rest, rotations, velocity


@given(st.integers(0, 10_000), st.sampled_from(builtin_layouts()))
@settings(max_examples=25, deadline=None)
def test_streams_of_a_rigid_body_that_turns_and_moves(seed, name):
    layout = get_layout(name)
    joints, rest, rotations, velocity = rigid(layout, 5, seed)
    at_rest = rest - rest[list(layout.parents)]
    expected = torch.einsum("tij,nj->nit", rotations, at_rest)  # the path does not matter
    torch.testing.assert_close(bones(joints, layout, 3), expected)
    assert (bones(joints, layout, 3)[layout.centre] == 0).all()
    steps = torch.einsum("tij,nj->nit", rotations.diff(dim=0), rest) + velocity[:, None]
    moved = take_stream(joints, layout, "joint_motion", 3)
    torch.testing.assert_close(moved[..., :-1], steps)
    assert (moved[..., -1] == 0).all()
    turned = take_stream(joints, layout, "bone_motion", 3)
    expected = torch.einsum("tij,nj->nit", rotations.diff(dim=0), at_rest)
    torch.testing.assert_close(turned[..., :-1], expected)
    assert take_stream(joints, layout, "joint", 3) is joints


@given(st.floats(0, math.pi), st.floats(0.1, 10), st.floats(0.1, 10), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_angle_of_an_elbow(angle, upper, fore, seed):
    flat = torch.tensor([[upper, 0, 0], [0, 0, 0],
                         [fore * math.cos(angle), fore * math.sin(angle), 0]], dtype=torch.float64)
    turn = random_rotations(1, 180, Generator().manual_seed(seed))[0].double()
    joints = (flat @ turn.T)[..., None]
    out = angles(joints, ELBOW, 3).flatten()
    torch.testing.assert_close(out, torch.tensor([0, angle, 0]).double(), atol=1e-6, rtol=0)
    plane = angles(flat[:, :2, None], ELBOW).flatten()
    torch.testing.assert_close(plane, out, atol=1e-6, rtol=0)


def test_where_more_bones_meet_the_angle_is_their_mean():
    layout = Layout("star", tuple("oabc"), (0, 0, 0, 0), flip_pairs=())
    joints = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0]])[..., None]
    out = angles(joints, layout, 3)[:, 0, 0]
    torch.testing.assert_close(out[0], torch.tensor((math.pi / 2 + math.pi / 2 + math.pi) / 3))
    assert out[1:].tolist() == [0, 0, 0]
    joints[2] = math.nan
    assert angles(joints, layout, 3)[0].isnan()


def test_missing_joints_and_confidence():
    joints = torch.rand(17, 3, 4)
    joints[5, :, 1] = math.nan  # left shoulder in frame 1
    before = joints.clone()
    layout = get_layout("coco17")
    out = bones(joints, layout)
    lost = out.isnan().all(dim=1)
    child = [i for i, parent in enumerate(layout.parents) if parent == 5]
    assert lost.nonzero().tolist() == sorted([n, 1] for n in [5, *child])
    mean = (joints[7, 2] + joints[5, 2]) / 2
    torch.testing.assert_close(out[7, 2], mean, equal_nan=True)
    moved = motion(joints)
    assert moved[5].isnan().any(dim=0).tolist() == [True, True, False, False]
    torch.testing.assert_close(moved[3, 2, :-1], (joints[3, 2, :-1] + joints[3, 2, 1:]) / 2)
    assert moved[3, 2, -1] == 0
    torch.testing.assert_close(joints, before, equal_nan=True, rtol=0, atol=0)
    torch.testing.assert_close(take_stream(joints[..., :1], layout, "joint_motion").nan_to_num(),
                               torch.zeros(17, 3, 1))


def test_what_is_refused():
    with pytest.raises(ChoiceError, match="bone_motion"):
        take_stream(torch.zeros(25, 3, 2), NTU, "bones", 3)
    for function in (bones, angles):
        with pytest.raises(LayoutError, match="coco17"):
            function(torch.zeros(17, 3, 2), NTU, 3)


@pytest.mark.shared
@pytest.mark.parametrize(("source", "name", "dims"), [
    ("nturgb+d", "ntu25", 3), ("coco", "coco17", 2), ("openpose", "openpose18", 2)])
def test_bones_and_motion_are_the_published_ones(shared, source, name, dims):
    with np.load(shared / "reference" / "pyskl_transforms.npz") as file:
        joints, *expected = (torch.from_numpy(file[f"{source}_{stream}"]).permute(0, 2, 3, 1)
                             for stream in ("joint", "bone", "joint_motion"))
    layout = pyskl_layout(get_layout(name))
    assert torch.equal(take_stream(joints, layout, "bone", dims), expected[0])
    assert torch.equal(take_stream(joints, layout, "joint_motion", dims), expected[1])
    # our own bones differ where pyskl hangs the hips on the nose, and nowhere on NTU
    ours = take_stream(joints, get_layout(name), "bone", dims)
    assert torch.equal(ours, expected[0]) == (name == "ntu25")

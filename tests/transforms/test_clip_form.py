"""The form of a clip: what a network sees of the same people, in training and afterwards."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from stores import standing_3d
from torch import Generator

from skelact.config import AugmentConfig, ClipConfig
from skelact.errors import ChoiceError
from skelact.graph import get_layout
from skelact.transforms import random_steps
from skelact.transforms.clip_form import form_clips, settle_form
from skelact.transforms.compose import ClipInfo
from skelact.transforms.spatial import fill_missing
from skelact.transforms.streams import take_stream

PENN, NTU = get_layout("penn13"), get_layout("ntu25")
SIZE = torch.tensor([[400, 300]])
FLAT = ClipConfig(layout="penn13", dims=2)
DEEP = ClipConfig(layout="ntu25", dims=3, normalise="canonical")


def seeded(seed=0) -> Generator:
    return Generator().manual_seed(seed)


def pixels(clips=6, frames=12) -> torch.Tensor:
    """``[B, 1, 13, 3, T]`` people in a picture, surely seen."""
    joints = torch.rand(clips, 1, 13, 3, frames, generator=seeded()) * 100 + 80
    joints[..., 2, :] = 0.9
    return joints


def metres(clips=6, frames=12) -> torch.Tensor:
    """``[B, 1, 25, 3, T]`` people who face the sensor and move a little."""
    body = torch.from_numpy(standing_3d(NTU))[None, None, :, :, None]
    return body + 0.05 * torch.randn(clips, 1, 25, 3, frames, generator=seeded())


def flat_info(joints) -> ClipInfo:
    return ClipInfo(PENN, 2, SIZE.expand(len(joints), 2))


@pytest.mark.parametrize(("clip", "layout", "dims", "images", "expected"), [
    (ClipConfig(dims=0, normalise="auto"), NTU, 3, False, (3, "canonical")),
    (ClipConfig(dims=0, normalise="auto"), PENN, 2, True, (2, "image")),
    (ClipConfig(dims=0, normalise="auto"), PENN, 2, False, (2, "body")),
    (ClipConfig(dims=0, normalise="auto"), get_layout("hand21"), 3, False, (3, "body")),
    (ClipConfig(dims=2, normalise="auto"), NTU, 3, False, (2, "body")),
    (ClipConfig(dims=3, normalise="body"), NTU, 3, False, (3, "body")),
    (ClipConfig(dims=2, normalise="image"), PENN, 2, True, (2, "image")),
])
def test_what_is_open_is_settled_by_the_data(clip, layout, dims, images, expected):
    settled = settle_form(clip, layout, dims, images)
    assert (settled.dims, settled.normalise) == expected
    assert settled.layout == layout.name
    assert settle_form(settled, layout, dims, images) == settled
    same = replace(settled, dims=clip.dims, normalise=clip.normalise, layout=clip.layout)
    assert same == clip


@pytest.mark.parametrize(("fields", "layout", "dims", "images", "message"), [
    ({"dims": 3}, PENN, 2, True, "needs 3-D data, and this is 2-D; pass --clip.dims 2"),
    ({"dims": 2, "normalise": "canonical"}, NTU, 3, False, "2-D ntu25; pass --clip.normalise body"),
    ({"dims": 3, "normalise": "canonical"}, get_layout("hand21"), 3, False, "3-D hand21"),
    ({"normalise": "image"}, PENN, 2, False, "size of its images"),
    ({"normalise": "image"}, NTU, 3, True, "size of its images"),
    ({"normalise": "image_corner"}, PENN, 2, False, "image_corner needs 2-D data with the size"),
    ({"normalise": "canonical_z"}, PENN, 2, True, "canonical_z needs 3-D joints"),
    ({"normalise": "spine"}, get_layout("hand21"), 3, False, "spine needs 3-D joints"),
])
def test_what_cannot_be_is_refused_with_what_can(fields, layout, dims, images, message):
    with pytest.raises(ChoiceError, match=message):
        settle_form(ClipConfig(**fields), layout, dims, images)


def test_a_body_is_centred_and_of_size_one():
    joints = pixels()
    out = form_clips(FLAT, 2)(joints, flat_info(joints))[:, 0, :, :2]
    size = (out.amax(1) - out.amin(1)).amax(1).mean(-1)
    torch.testing.assert_close(size, torch.ones(6))
    middle = ((out.amax(1) + out.amin(1)) / 2).mean(-1)
    torch.testing.assert_close(middle, torch.zeros(6, 2), atol=1e-4, rtol=0)
    moved = joints.clone()
    moved[..., :2, :] = moved[..., :2, :] * 3 + 50
    again = form_clips(FLAT, 2)(moved, flat_info(moved))[:, 0, :, :2]
    torch.testing.assert_close(again, out, atol=1e-4, rtol=0)


def test_pixels_of_an_image_stay_where_they_are():
    joints = pixels()
    out = form_clips(replace(FLAT, normalise="image"), 2)(joints, flat_info(joints))
    torch.testing.assert_close(out[..., 0, :], joints[..., 0, :] / 200 - 1)
    torch.testing.assert_close(out[..., 1, :], joints[..., 1, :] / 150 - 1)


def test_parts_of_an_image_count_from_its_middle_or_its_corner():
    joints = pixels()
    for normalise, offset in (("image_half", 0.5), ("image_corner", 0.0)):
        clip = replace(FLAT, normalise=normalise)
        out = form_clips(clip, 2)(joints, flat_info(joints))
        expected = joints[..., :2, :] / SIZE[0, :, None] - offset
        torch.testing.assert_close(out[..., :2, :], expected)
        assert torch.equal(out[..., 2, :], joints[..., 2, :])
        mirrored = form_clips(clip, 2, mirror=True)(joints, flat_info(joints))
        across = mirrored[..., 0, :] + out[:, :, PENN.flip_order][..., 0, :]
        torch.testing.assert_close(across, torch.full_like(across, 1 - 2 * offset))


def test_coordinates_alone():
    joints = pixels()
    joints[:, :, 2, 2] = 0
    for stream in ("joint", "bone_motion"):
        clip = replace(FLAT, stream=stream)
        whole, alone = (form_clips(replace(clip, confidence=sees), 2)(joints, flat_info(joints))
                        for sees in (True, False))
        assert alone.shape == (6, 1, 13, 2, 12)
        torch.testing.assert_close(alone, whole[..., :2, :], equal_nan=True)
    assert alone[:, :, 2, :, :-1].isnan().all()
    assert form_clips(replace(DEEP, confidence=False), 3) == form_clips(DEEP, 3)


@pytest.mark.shared
def test_published_bodies_in_metres(shared):
    with np.load(shared / "reference" / "pyskl_transforms.npz") as file:
        raw, turned = (torch.from_numpy(file[f"prenormalize3d_{name}"]).permute(0, 2, 3, 1).double()
                       for name in ("in", "out"))
    raw = raw.masked_fill((raw == 0).all(dim=-2, keepdim=True), math.nan)
    clip = replace(DEEP, normalise="canonical_z", sampling="uniform")
    out = form_clips(clip, 3)(raw[None], ClipInfo(NTU, 3))[0]
    torch.testing.assert_close(fill_missing(out), turned, atol=1e-6, rtol=1e-6)


def test_published_bodies_that_are_not_turned():
    joints, info = metres(), ClipInfo(NTU, 3)
    assert torch.equal(form_clips(replace(DEEP, normalise="none"), 3)(joints, info), joints)
    out = form_clips(replace(DEEP, normalise="spine"), 3)(joints, info)
    at = joints[:, :, NTU.index("spine"), :, :1].unsqueeze(2)
    torch.testing.assert_close(out, joints - at)


def test_published_bones_have_zeros_for_missing_joints():
    coco = get_layout("coco17")
    joints = torch.rand(2, 1, 17, 3, 6, generator=seeded()) * 100
    joints[..., 2, :] = 0.5
    joints[:, :, 0, 2] = 0  # the nose, on which pyskl hangs the hips
    clip = ClipConfig(layout="coco17", dims=2, normalise="image", sampling="uniform",
                      stream="bone", bones="pyskl")
    out = form_clips(clip, 2)(joints, ClipInfo(coco, 2, SIZE.expand(2, 2)))
    plain = form_clips(replace(clip, stream="joint"), 2)(joints, ClipInfo(coco, 2,
                                                                         SIZE.expand(2, 2)))
    hip = coco.index("left_hip")
    torch.testing.assert_close(out[:, :, hip, :2], plain[:, :, hip, :2])
    torch.testing.assert_close(out[:, :, hip, 2], torch.full_like(out[:, :, hip, 2], 0.25))


def test_people_stand_upright_whichever_way_they_turned():
    joints = metres()
    turn = torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    turned = torch.einsum("ij,bmnjt->bmnit", turn, joints)
    info, form = ClipInfo(NTU, 3), form_clips(DEEP, 3)
    torch.testing.assert_close(form(joints, info), form(turned, info), atol=1e-4, rtol=0)
    out = form(joints, info)
    left, right = (out[:, 0, NTU.index(f"{side}_shoulder"), :, 0] for side in ("left", "right"))
    torch.testing.assert_close(left[:, 2], right[:, 2], atol=1e-4, rtol=0)  # along x
    assert ((left - right)[:, 0].abs() > 0.2).all()


@pytest.mark.parametrize("stream", ["joint", "bone", "joint_motion", "bone_motion"])
@pytest.mark.parametrize("dims", [2, 3])
def test_the_stream_is_the_last_step(stream, dims):
    joints, clip, layout = (pixels(), FLAT, PENN) if dims == 2 else (metres(), DEEP, NTU)
    info = flat_info(joints) if dims == 2 else ClipInfo(NTU, 3)
    plain = form_clips(clip, dims)(joints, info)
    out = form_clips(replace(clip, stream=stream), dims)(joints, info)
    torch.testing.assert_close(out, take_stream(plain, layout, stream, dims))


def test_a_mirrored_view_swaps_left_and_right():
    joints = pixels()
    info = flat_info(joints)
    plain, mirrored = (form_clips(FLAT, 2, mirror=m)(joints, info) for m in (False, True))
    torch.testing.assert_close(mirrored[..., 0, :], -plain[:, :, PENN.flip_order][..., 0, :])
    torch.testing.assert_close(mirrored[..., 1:, :], plain[:, :, PENN.flip_order][..., 1:, :])


def test_bodies_in_metres_are_seen_from_the_sensor_and_in_training_from_anywhere():
    joints = metres(80)
    clip, info = ClipConfig(layout="ntu25", dims=2), ClipInfo(NTU, 3)
    front = form_clips(clip, 3)(joints, info)[:, 0]
    head, ankle, left, right = (NTU.index(name) for name in (
        "head", "left_ankle", "left_shoulder", "right_shoulder"))
    assert (front[:, head, 1] < front[:, ankle, 1]).all()  # y down, as in a picture
    assert (front[:, left, 0] > front[:, right, 0]).all()  # facing us
    views = form_clips(clip, 3, AugmentConfig())(joints, info, seeded())[:, 0]
    width = (views[:, left, 0] - views[:, right, 0])[:, 0]
    assert (width > 0).any()
    assert (width < 0).any()  # also from behind
    assert (views[:, head, 1] < views[:, ankle, 1]).all()


def test_joints_found_with_little_confidence_are_missing_and_gaps_are_bridged():
    joints = pixels()
    joints[:, :, 4, 2] = 0.05
    joints[:, :, 7, 2, 3:6] = 0.05
    info = flat_info(joints)
    out = form_clips(FLAT, 2)(joints, info)
    assert out[:, :, 4].isnan().all()
    assert out[:, :, 7].isfinite().all()
    line = out[:, 0, 7, :2, 2:7]
    torch.testing.assert_close(line.diff(dim=-1).diff(dim=-1), torch.zeros(6, 2, 3), atol=1e-4,
                               rtol=0)
    sampled = form_clips(replace(FLAT, sampling="uniform"), 2)(joints, info)
    assert sampled[:, :, 7, 0, 3:6].isnan().all()  # frames that lie apart have no line between
    lax = form_clips(replace(FLAT, min_confidence=0.01), 2)(joints, info)
    assert lax.isfinite().all()


STEPS = {
    "flip": (2, random_steps.Flip), "swap_sides": (2, random_steps.SwapSides),
    "rotate": (2, random_steps.Distort), "scale": (3, random_steps.Distort3D),
    "stretch": (2, random_steps.Distort), "shear": (3, random_steps.Distort3D),
    "jitter": (3, random_steps.Jitter), "bias": (3, random_steps.ShiftJoints),
    "confidence": (2, random_steps.VaryConfidence), "camera": (2, random_steps.MoveCamera),
    "low_rate": (3, random_steps.LowerRate), "speed": (3, random_steps.ChangeSpeed),
    "drop_joint": (3, random_steps.DropJoints), "drop_part": (3, random_steps.DropPart),
    "drop_span": (2, random_steps.DropSpan), "damage": (3, random_steps.Damage),
}


@pytest.mark.parametrize("name", STEPS)
def test_every_setting_of_the_augmentation_is_one_step(name):
    """By itself each changes clips, by the step of its name, and nothing happens without it."""
    dims, kind = STEPS[name]
    joints, clip = (pixels(40), FLAT) if dims == 2 else (metres(40), DEEP)
    joints[..., 0, :, :] += 0.01  # nobody stands exactly still
    info = flat_info(joints) if dims == 2 else ClipInfo(NTU, 3)
    plain = form_clips(clip, dims, AugmentConfig())
    assert plain == form_clips(clip, dims)
    changed = form_clips(clip, dims, AugmentConfig(**{name: 0.9}))
    extra = [step for step in changed.steps if step not in plain.steps]
    assert [type(step) for step in extra] == [kind]
    before, after = plain(joints, info, seeded()), changed(joints, info, seeded())
    assert after.shape == before.shape
    same = (before == after) | (before.isnan() & after.isnan())
    assert (~same).flatten(1).any(dim=1).float().mean() > 0.5
    assert torch.equal(changed(joints, info, seeded()).nan_to_num(9), after.nan_to_num(9))


def test_what_is_missing_stays_missing_and_nothing_else_is_lost():
    everything = AugmentConfig(rotate=20, scale=0.2, stretch=0.1, jitter=0.02, bias=0.02, speed=0.2,
                               confidence=0.5, camera=0.5, low_rate=0.5, drop_span=0.5)
    joints = pixels(50)
    joints[:, :, 4, :2] = math.nan
    out = form_clips(FLAT, 2, everything)(joints, flat_info(joints), seeded())
    assert out[:, :, 4, :2].isnan().all()
    assert out[:, :, torch.arange(13) != 4].isfinite().all()


def test_settings_that_only_pictures_have_do_nothing_in_space():
    """Presets serve data of either kind."""
    flat_only = AugmentConfig(stretch=0.3, confidence=0.5, camera=0.5)
    assert form_clips(DEEP, 3, flat_only) == form_clips(DEEP, 3)
    assert form_clips(FLAT, 2, AugmentConfig(shear=0.3)) == form_clips(FLAT, 2)

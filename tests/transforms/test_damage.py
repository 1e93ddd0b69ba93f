"""Damage: every damaged clip shows one of the kinds, and nothing else happens to it."""

import math
from collections import Counter

import pytest
import torch
from torch import Generator

from skelact.errors import ChoiceError
from skelact.graph import get_layout
from skelact.transforms.augment import body_parts
from skelact.transforms.compose import ClipInfo
from skelact.transforms.damage import damage
from skelact.transforms.random_steps import Damage

NTU = get_layout("ntu25")
KINDS = {"noise", "joints", "flicker", "limb", "sides", "frames", "ends", "picture", "tilt"}


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def clips(count: int, frames: int = 20) -> torch.Tensor:
    """``[B, 25, 3, T]`` bodies of about 2 m whose joints go their ways."""
    place = torch.rand(count, 25, 3, 1, generator=seeded(1)) * 2
    speed = torch.randn(count, 25, 3, 1, generator=seeded(2)) * 0.02
    return place + speed * torch.arange(frames)


def same(first: torch.Tensor, second: torch.Tensor, digits: float = 0.0) -> bool:
    return torch.allclose(first, second, rtol=0, atol=digits)


def kind_of(before: torch.Tensor, after: torch.Tensor, dims: int) -> str:
    """What happened to a clip ``[N, C, T]``, told by what only that does."""
    missing = after.isnan().any(dim=1)  # [N, T]
    if missing.any():
        assert same(before[:, :, :][~after.isnan()], after[~after.isnan()])
        return kind_of_absence(before, missing, dims)
    if same(before, after):
        return "none"
    turned = before[NTU.flip_order]
    if all(same(after[..., t], before[..., t]) or same(after[..., t], turned[..., t])
           for t in range(before.shape[-1])):
        return "sides"
    if torch.allclose(distances(before, dims), distances(after, dims), atol=1e-4):
        return "tilt"
    if same(after[..., 0], before[..., 0]) or same(after[..., -1], before[..., -1], 1e-5):
        return "ends"
    assert (after - before)[:, :dims].std() < 0.2
    assert same(after[:, dims:], before[:, dims:])
    return "noise"


def kind_of_absence(before: torch.Tensor, missing: torch.Tensor, dims: int) -> str:
    if (missing == missing[:1]).all():
        return "frames"
    height = before[:, 1] if dims == 2 else -before[:, 1]
    for place in (height, before[:, 0], -before[:, 0]):
        if place[missing].min() > place[~missing].max():
            return "picture"
    rows = missing.any(dim=1)
    during = missing[rows]
    if any((part == rows).all() for part in body_parts(NTU)) and (during == during[:1]).all():
        return "limb"
    return "joints" if (missing == missing[:, :1]).all() else "flicker"


def distances(joints: torch.Tensor, dims: int) -> torch.Tensor:
    places = joints[:, :dims].permute(2, 0, 1)
    return torch.cdist(places, places)


@pytest.mark.parametrize("dims", [2, 3])
def test_every_kind_comes_about_as_often(dims):
    before = clips(900)
    after = damage(before, NTU, 1.0, seeded(), dims)
    found = Counter(kind_of(one, other, dims) for one, other in zip(before, after, strict=True))
    assert set(found) <= KINDS | {"none"}
    assert found["none"] < 30  # a strength near 0
    for kind in sorted(KINDS):
        assert 60 < found[kind] < 145, (kind, found)


def test_people_of_a_clip_share_frames_picture_and_camera():
    alone = clips(400)
    before = torch.stack([alone, alone + 0.5], dim=1)
    after = damage(before, NTU, 1.0, seeded(), 3)
    kinds = [[kind_of(was[m], now[m], 3) for m in (0, 1)]
             for was, now in zip(before, after, strict=True)]
    lost = [pair for pair in kinds if "frames" in pair]
    assert len(lost) > 20
    assert all(pair == ["frames", "frames"] for pair in lost)
    for (was, now), pair in zip(zip(before, after, strict=True), kinds, strict=True):
        if pair == ["tilt", "tilt"]:  # about one place: what lies between people turns too
            assert same((now[0] - now[1]).norm(dim=-2), (was[0] - was[1]).norm(dim=-2), 1e-4)


def test_the_share_is_damaged_and_the_rest_and_the_input_stay():
    before = clips(2000)
    kept = before.clone()
    after = damage(before, NTU, 0.4, seeded(3), 3)
    unchanged = ((before == after).flatten(1)).all(dim=1)
    assert 0.57 < unchanged.float().mean() < 0.66
    assert torch.equal(before, kept)
    assert torch.equal(damage(before, NTU, 0.0, seeded(3), 3), before)
    again = damage(before, NTU, 0.4, seeded(3), 3)
    assert torch.equal(again.nan_to_num(9), after.nan_to_num(9))


def test_what_is_missing_does_no_harm():
    joints = clips(300)
    joints[:100, 4] = math.nan
    joints[100:200, ..., 5:9] = math.nan
    joints[200:] = math.nan  # nobody
    after = damage(joints, NTU, 1.0, seeded(), 3)
    assert after[200:].isnan().all()
    assert not after.isinf().any()
    assert after[:200].isfinite().flatten(1).any(dim=1).all()  # somebody is always left


def test_a_skeleton_without_limbs_and_frames_in_pairs():
    hand = get_layout("hand21")
    joints = clips(300)[:, :21]
    assert damage(joints, hand, 1.0, seeded(), 3).shape == joints.shape
    with pytest.raises(ChoiceError, match="Damage needs frames one after another"):
        Damage(0.5)(joints, ClipInfo(hand, 3, pairs=True), seeded())

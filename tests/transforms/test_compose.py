"""Transforms as values: printed, compared, in any order that makes sense, without side effects."""

import math
from dataclasses import FrozenInstanceError, fields

import pytest
import torch
from torch import Generator

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.transforms import augment, random_steps, spatial, steps, streams, temporal
from skelact.transforms.compose import ClipInfo, Compose, RandomTransform, Transform

FLAT = ClipInfo("coco17", 2, torch.tensor([[640, 480], [320, 240], [640, 480], [64, 48]]))
DEEP = ClipInfo("ntu25", 3)


def seeded(seed=0) -> Generator:
    return Generator().manual_seed(seed)


def clips(info: ClipInfo, frames=9, seed=0) -> torch.Tensor:
    """``[4, 2, N, 3, T]``; a joint is missing now and then, the second person in the last clip."""
    joints = torch.rand(4, 2, info.layout.num_joints, 3, frames, generator=seeded(seed)) * 0.9 + 0.1
    lost = torch.rand(4, 2, info.layout.num_joints, 1, frames, generator=seeded(seed + 1)) < 0.1
    joints = joints.masked_fill(lost, math.nan)
    joints[3, 1] = math.nan
    return joints


def all_transforms(module) -> list[type]:
    found = [kind for kind in vars(module).values()
             if isinstance(kind, type) and issubclass(kind, Transform)
             and kind.__module__ == module.__name__]
    assert len(found) > 9
    return found


ONLY_FLAT = {"HideUncertain", "ScaleByImage", "Distort", "VaryConfidence", "MoveCamera"}
ONLY_DEEP = {"CanonicalView", "Distort3D", "RandomView", "Turn", "SensorView"}
NEEDED = {"ChangeRate": {"from_fps": 30, "to_fps": 15}}
CASES = [
    (kind(**NEEDED.get(kind.__name__, {})), info)
    for module in (steps, random_steps) for kind in all_transforms(module)
    for info, others in ((FLAT, ONLY_DEEP), (DEEP, ONLY_FLAT)) if kind.__name__ not in others
]


@pytest.mark.parametrize(("transform", "info"), CASES,
                         ids=[f"{t}-{info.dims}" for t, info in CASES])
def test_every_transform(transform, info):
    joints = clips(info)
    before = joints.clone()
    out = transform(joints, info, seeded())
    torch.testing.assert_close(joints, before, equal_nan=True, rtol=0, atol=0)
    again = transform(joints, info, seeded())
    torch.testing.assert_close(out, again, equal_nan=True, rtol=0, atol=0)
    assert out.shape[:3] == joints.shape[:3]
    assert transform == type(transform)(**{f.name: getattr(transform, f.name)
                                           for f in fields(transform)})
    assert repr(transform).startswith(type(transform).__name__ + "(")
    assert transform.leaves(info).layout == info.layout
    if fields(transform):
        with pytest.raises(FrozenInstanceError):
            setattr(transform, fields(transform)[0].name, 1)
    if isinstance(transform, RandomTransform):
        with pytest.raises(ChoiceError, match="Generator"):
            transform(joints, info)
        with pytest.raises(ShapeError, match="batch"):
            transform(joints[0, 0], info, seeded())
        others = [transform(joints, info, seeded(n)) for n in range(1, 20)]
        assert not all(torch.equal(out.nan_to_num(7), o.nan_to_num(7)) for o in others)


@pytest.mark.parametrize("name", sorted(ONLY_FLAT | ONLY_DEEP))
def test_clips_of_the_wrong_dimension_are_refused(name):
    kind = getattr(steps, name, None) or getattr(random_steps, name)
    info = DEEP if name in ONLY_FLAT else FLAT
    with pytest.raises(ChoiceError, match="dims"):
        kind()(clips(info), info, seeded())


def test_what_the_steps_do_is_what_the_functions_do():
    joints, layout = clips(DEEP), DEEP.layout
    flat = clips(FLAT)
    pelvis = spatial.locate(joints, layout, ("pelvis",))
    order = torch.arange(9, dtype=torch.float64)
    for transform, given, info, expected in [
        (steps.Centre("pelvis"), joints, DEEP, spatial.centre(joints, pelvis, 3, "first", True)),
        (steps.Centre("box", "mean", False), flat, FLAT, spatial.centre(flat)),
        (steps.Scale(together=False), flat, FLAT, spatial.scale(flat)),
        (steps.Scale("torso"), joints, DEEP,
         spatial.scale(joints, spatial.torso_length(joints, layout, 3), 3, True)),
        (steps.HideUncertain(0.5), flat, FLAT, spatial.hide_uncertain(flat, 0.5)),
        (steps.CanonicalView("y", True), joints, DEEP,
         spatial.canonical_view(joints, layout, "y", True)),
        (steps.BridgeGaps(2), joints, DEEP, temporal.bridge_gaps(joints, order, 2)),
        (steps.SmoothSavgol(5, 1), joints, DEEP, temporal.smooth_savgol(joints, 5, 1, 3)),
        (steps.SmoothOneEuro(10, 2, 0.1), flat, FLAT,
         temporal.smooth_one_euro(flat, order / 10, 2, 0.1)),
        (steps.ChangeRate(30, 10), joints, DEEP, temporal.change_rate(joints, 30, 10)),
        (steps.Stream("bone"), joints, DEEP, streams.bones(joints, layout, 3)),
        (steps.Stream("bone", "pyskl"), flat, FLAT,
         streams.bones(flat, streams.pyskl_layout(FLAT.layout))),
        (steps.Stream("joint_motion", zero_first=True), joints, DEEP,
         streams.motion(spatial.fill_missing(joints), 3)),
        (steps.Angles(), joints, DEEP, streams.angles(joints, layout, 3)),
        (random_steps.Flip(0.4), joints, DEEP, augment.flip(joints, layout, 0.4, seeded())),
        (random_steps.Jitter(0.2), joints, DEEP, augment.jitter(joints, 0.2, seeded(), 3)),
        (random_steps.Distort3D(30, 0.3, 0.2), joints, DEEP,
         augment.distort_3d(joints, 30, 0.3, 0.2, seeded())),
        (steps.Mirror(), joints, DEEP, augment.mirror(joints, layout)),
        (steps.SensorView(), joints, DEEP, augment.random_views(joints, 0, 0, seeded())),
        (random_steps.LowerRate(0.8, 4), joints, DEEP,
         augment.lower_rate(joints, 0.8, 4, seeded())),
        (random_steps.MoveCamera(0.8), flat, FLAT, augment.move_camera(flat, 0.8, seeded())),
        (random_steps.VaryConfidence(0.8), flat, FLAT,
         augment.vary_confidence(flat, 0.8, seeded())),
    ]:
        torch.testing.assert_close(transform(given, info, seeded()), expected, equal_nan=True,
                                   rtol=0, atol=0)


def test_images_of_all_clips():
    joints = clips(FLAT)
    out = steps.ScaleByImage()(joints, FLAT)
    for clip, size, expected in zip(joints, FLAT.image_size, out, strict=True):
        torch.testing.assert_close(spatial.scale_by_image(clip, size), expected, equal_nan=True)
    with pytest.raises(ShapeError, match="image_size"):
        steps.ScaleByImage()(joints, ClipInfo("coco17"))


def test_one_after_another():
    joints = clips(DEEP)
    both = Compose(steps.CanonicalView(), steps.Stream("bone"))
    by_hand = streams.bones(spatial.canonical_view(joints, DEEP.layout), DEEP.layout, 3)
    torch.testing.assert_close(both(joints, DEEP), by_hand, equal_nan=True, rtol=0, atol=0)
    nested = Compose(Compose(steps.CanonicalView()), Compose(), steps.Stream("bone"))
    torch.testing.assert_close(nested(joints, DEEP), by_hand, equal_nan=True, rtol=0, atol=0)
    random = Compose(random_steps.Flip(), random_steps.Jitter())
    generator = seeded()
    step = random_steps.Flip()(joints, DEEP, generator)
    step = random_steps.Jitter()(step, DEEP, generator)
    torch.testing.assert_close(random(joints, DEEP, seeded()), step, equal_nan=True, rtol=0, atol=0)
    with pytest.raises(ChoiceError, match="Flip"):
        random(joints, DEEP)


def test_later_steps_know_what_earlier_ones_made():
    seen = Compose(random_steps.RandomView(), random_steps.Distort(), steps.Stream("bone"))
    out = seen(clips(DEEP), DEEP, seeded())
    assert out.shape == (4, 2, 25, 3, 9)
    assert seen.leaves(DEEP).dims == 2
    with pytest.raises(ChoiceError, match="Distort3D"):
        Compose(random_steps.RandomView(), random_steps.Distort3D())(clips(DEEP), DEEP, seeded())


def test_the_opening_counts_only_while_it_matches_the_clips():
    joints = clips(DEEP).nan_to_num(0.3)
    opening, sampled = joints[..., :1], joints[..., 4:]
    info = ClipInfo("ntu25", 3, opening=opening)
    whole = steps.CanonicalView()(joints, DEEP)[..., 4:]
    torch.testing.assert_close(steps.CanonicalView()(sampled, info), whole)
    centred = steps.Centre("neck")(joints, DEEP)[..., 4:]
    torch.testing.assert_close(steps.Centre("neck")(sampled, info), centred)
    turned = Compose(random_steps.Distort3D(), steps.CanonicalView())
    torch.testing.assert_close(turned(sampled, info, seeded()), turned(sampled, DEEP, seeded()))


def test_it_prints_as_it_is_written():
    transform = Compose(steps.CanonicalView(), Compose(random_steps.Flip(share=0.3)),
                        steps.Stream("bone"))
    assert str(transform) == """Compose(
    CanonicalView(up='z', keep_upright=False),
    Compose(
        Flip(share=0.3),
    ),
    Stream(name='bone', bones='layout', zero_first=False),
)"""
    names = {**vars(steps), **vars(random_steps), "Compose": Compose}
    assert eval(repr(transform), names) == transform
    assert repr(Compose()) == "Compose()"
    assert transform != Compose()


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ChoiceError, match="transforms"):
        Compose("flip")
    with pytest.raises(LayoutError, match="ntu25"):
        Compose()(clips(FLAT), DEEP)
    with pytest.raises(LayoutError):
        ClipInfo("nothing")
    with pytest.raises(ChoiceError, match="dims"):
        ClipInfo("coco17", 4)
    with pytest.raises(ChoiceError, match="by"):
        steps.Scale("leg")
    for fields_ in ({"name": "bones"}, {"bones": "other"}):
        with pytest.raises(ChoiceError):
            steps.Stream(**fields_)

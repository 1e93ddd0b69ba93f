"""From sampled joints to what a network takes, the same in training, evaluation and recognition."""

from dataclasses import replace

from skelact.config import BY_IMAGE, AugmentConfig, ClipConfig
from skelact.errors import ChoiceError
from skelact.graph.layouts import Layout
from skelact.transforms.compose import Compose, Transform
from skelact.transforms.random_steps import (
    ChangeSpeed,
    Damage,
    Distort,
    Distort3D,
    DropJoints,
    DropPart,
    DropSpan,
    Flip,
    Jitter,
    LowerRate,
    MoveCamera,
    RandomView,
    ShiftJoints,
    SwapSides,
    Turn,
    VaryConfidence,
)
from skelact.transforms.steps import (
    BridgeGaps,
    CanonicalView,
    Centre,
    Coordinates,
    Fractions,
    HideUncertain,
    Mirror,
    Scale,
    ScaleByImage,
    SensorView,
    Stream,
)

_FOR_CANONICAL = {"pelvis", "spine", "left_shoulder", "right_shoulder"}
_BY_TRUNK = {
    "canonical": CanonicalView(up="y", keep_upright=True),
    "canonical_z": CanonicalView(up="z"),
    "spine": Centre("spine", "first"),
}
"""Normalisations by the trunk of the first person, when first seen."""
_FRACTIONS = {"image_half": Fractions("middle"), "image_corner": Fractions("corner")}


def settle_form(clip: ClipConfig, layout: Layout, dims: int, images: bool) -> ClipConfig:
    """The form with every "auto" decided by the data.

    Args:
        clip: As configured.
        layout: The skeleton that the network will take.
        dims: 2 or 3, of the data.
        images: Whether the size of the images is known (2-D).

    Raises:
        ChoiceError: The data cannot be brought into this form.
    """
    if clip.dims == 3 and dims == 2:
        raise ChoiceError("clip.dims 3 needs 3-D data, and this is 2-D; pass --clip.dims 2")
    clip = replace(clip, layout=layout.name, dims=clip.dims or dims)
    normalise = clip.normalise
    if normalise == "auto":
        upright = clip.dims == 3 and _has_trunk(layout)
        normalise = "canonical" if upright else "image" if images and dims == 2 else "body"
    if normalise in _BY_TRUNK and (clip.dims == 2 or not _has_trunk(layout)):
        raise ChoiceError(f"clip.normalise {normalise} needs 3-D joints with pelvis, spine and "
                          f"shoulders; this is {clip.dims}-D {layout.name}; pass "
                          "--clip.normalise body")
    if normalise in BY_IMAGE and not (images and dims == 2):
        raise ChoiceError(f"clip.normalise {normalise} needs 2-D data with the size of its images; "
                          "pass --clip.normalise body")
    return replace(clip, normalise=normalise)


def form_clips(
    clip: ClipConfig, dims: int, augment: AugmentConfig | None = None, mirror: bool = False
) -> Compose:
    """The transform of a settled form.

    Args:
        clip: The form; see `settle_form`.
        dims: 2 or 3, of the joints that come in.
        augment: Random changes; None for none.
        mirror: Show every clip mirrored (another view of it, for testing).

    Returns:
        A transform of ``[B, M, N, C, T]`` sampled joints, NaN where missing.
    """
    change = augment or AugmentConfig()
    steps: list[Transform] = []
    if dims == 2:
        steps.append(HideUncertain(clip.min_confidence))
    elif clip.dims == 2:
        steps.append(RandomView() if augment else SensorView())
    if change.damage:  # of what is seen, so it comes before anything is made of that
        steps.append(Damage(change.damage))
    if clip.normalise in _BY_TRUNK:  # looks at the opening of the clip, so nothing comes before
        steps.append(_BY_TRUNK[clip.normalise])
    steps += _time_changes(clip, change)
    steps += [step for share, step in (
        (change.drop_joint, DropJoints(change.drop_joint)),
        (change.drop_part, DropPart(change.drop_part)),
        (change.drop_span, DropSpan(change.drop_span)),
        (change.confidence * (clip.dims == 2), VaryConfidence(change.confidence)),
    ) if share]
    if clip.normalise in BY_IMAGE:
        steps.append(ScaleByImage())
    elif clip.normalise == "body":
        steps += [Centre("box", "mean"), Scale("box")]
    steps += _space_changes(clip, change)
    steps += [Mirror()] if mirror else []
    return Compose(*steps, *_last_steps(clip))


def _last_steps(clip: ClipConfig) -> list[Transform]:
    """What no augmentation has to know of: the origin of published pictures, and the stream."""
    steps: list[Transform] = []
    if clip.normalise in _FRACTIONS:
        steps.append(_FRACTIONS[clip.normalise])
    steps.append(Stream(clip.stream, clip.bones, zero_first=clip.bones == "pyskl"))
    return steps + ([Coordinates()] if clip.channels == 2 else [])


def _time_changes(clip: ClipConfig, change: AugmentConfig) -> list[Transform]:
    """Gaps are bridged where time is resized: a joint then is there throughout, or not at all."""
    steps: list[Transform] = [BridgeGaps()] if clip.sampling == "resize" else []
    if change.low_rate:
        steps.append(LowerRate(change.low_rate, change.max_frame_step))
    return steps + ([ChangeSpeed(change.speed)] if change.speed else [])


def _space_changes(clip: ClipConfig, change: AugmentConfig) -> list[Transform]:
    """Those of a centred body."""
    steps: list[Transform] = []
    if change.flip:
        steps.append(Flip(change.flip))
    if change.swap_sides:
        steps.append(SwapSides(change.swap_sides))
    if clip.dims == 2:
        if change.camera:
            steps.append(MoveCamera(change.camera))
        if change.rotate or change.scale or change.stretch:
            steps.append(Distort(change.rotate, change.scale, change.stretch))
    else:
        if change.turn:
            steps.append(Turn(change.turn))
        if change.rotate or change.scale or change.shear:
            steps.append(Distort3D(change.rotate, change.scale, change.shear))
    if change.bias:
        steps.append(ShiftJoints(change.bias))
    return steps + ([Jitter(change.jitter)] if change.jitter else [])


def _has_trunk(layout: Layout) -> bool:
    """Whether `CanonicalView` finds the joints that it turns a body by."""
    return set(layout.joints) >= _FOR_CANONICAL

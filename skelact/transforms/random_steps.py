"""Random transforms for `skelact.transforms.compose.Compose`, on batches ``[B, ..., N, C, T]``.

Each draws from the generator that it is called with. Shares are chances from 0 to 1, ``largest``
and angles (degrees) are limits to both sides.
"""

from dataclasses import dataclass, replace

from skelact.checks import check_choice
from skelact.transforms import augment
from skelact.transforms.compose import ClipInfo, RandomTransform
from skelact.transforms.damage import damage


@dataclass(frozen=True)
class Flip(RandomTransform):
    """Mirror some clips at x = 0, left and right joints exchanged; centre first."""

    share: float = 0.5

    def _change(self, joints, info, generator):
        return augment.flip(joints, info.layout, self.share, generator)


@dataclass(frozen=True)
class SwapSides(RandomTransform):
    """Exchange left and right joints of some clips, as a detector that errs does."""

    share: float = 0.1

    def _change(self, joints, info, generator):
        return augment.swap_sides(joints, info.layout, self.share, generator)


@dataclass(frozen=True)
class Distort(RandomTransform):
    """Rotate in the image, scale, and stretch width against height (2-D)."""

    rotate: float = 15.0
    scale: float = 0.25
    stretch: float = 0.15

    def _change(self, joints, info, generator):
        check_choice(info.dims, (2,), "dims of clips for Distort (3-D: Distort3D)")
        return augment.distort(joints, self.rotate, self.scale, self.stretch, generator)


@dataclass(frozen=True)
class Distort3D(RandomTransform):
    """Shear, scale every axis, and rotate about x, y and z."""

    rotate: float = 17.0
    scale: float = 0.1
    shear: float = 0.0

    def _change(self, joints, info, generator):
        check_choice(info.dims, (3,), "dims of clips for Distort3D (2-D: Distort)")
        return augment.distort_3d(joints, self.rotate, self.scale, self.shear, generator)


@dataclass(frozen=True)
class Turn(RandomTransform):
    """Turn people about the vertical, as another place of the camera would (3-D)."""

    largest: float = 60.0

    def _change(self, joints, info, generator):
        check_choice(info.dims, (3,), "dims of clips to turn")
        return augment.turn(joints, self.largest, generator)


@dataclass(frozen=True)
class RandomView(RandomTransform):
    """3-D clips as a camera on a random side sees them, thus 2-D."""

    yaw: float = 180.0
    pitch: float = 20.0

    def _change(self, joints, info, generator):
        check_choice(info.dims, (3,), "dims of clips to look at")
        return augment.random_views(joints, self.yaw, self.pitch, generator)

    def leaves(self, info: ClipInfo) -> ClipInfo:
        """The clips are 2-D, in no image."""
        return replace(info, dims=2, image_size=None, opening=None)


@dataclass(frozen=True)
class ChangeSpeed(RandomTransform):
    """Play clips faster or slower about their middle."""

    over_time = True

    largest: float = 0.2

    def _change(self, joints, info, generator):
        return augment.change_speed(joints, self.largest, generator)


@dataclass(frozen=True)
class LowerRate(RandomTransform):
    """Keep every n-th frame of some clips, n up to ``max_step``, with straight lines between."""

    over_time = True

    share: float = 0.3
    max_step: int = 6

    def _change(self, joints, info, generator):
        return augment.lower_rate(joints, self.share, self.max_step, generator)


@dataclass(frozen=True)
class MoveCamera(RandomTransform):
    """Let the camera of some clips pan and zoom (2-D); centre and scale first."""

    over_time = True

    share: float = 0.3

    def _change(self, joints, info, generator):
        check_choice(info.dims, (2,), "dims of clips that a camera sees")
        return augment.move_camera(joints, self.share, generator)


@dataclass(frozen=True)
class Jitter(RandomTransform):
    """Add noise of a random deviation to the positions."""

    largest: float = 0.01

    def _change(self, joints, info, generator):
        return augment.jitter(joints, self.largest, generator, info.dims)


@dataclass(frozen=True)
class ShiftJoints(RandomTransform):
    """Move every joint by a distance of its own, the same in all frames."""

    largest: float = 0.01

    def _change(self, joints, info, generator):
        return augment.shift_joints(joints, self.largest, generator, info.dims)


@dataclass(frozen=True)
class VaryConfidence(RandomTransform):
    """Replace annotated visibility by what a detector might say, in some clips (2-D)."""

    share: float = 0.5

    def _change(self, joints, info, generator):
        check_choice(info.dims, (2,), "dims of clips with a confidence")
        return augment.vary_confidence(joints, self.share, generator)


@dataclass(frozen=True)
class DropJoints(RandomTransform):
    """Make every joint missing with this chance, for the whole clip."""

    share: float = 0.05

    def _change(self, joints, info, generator):
        return augment.drop_joints(joints, self.share, generator)


@dataclass(frozen=True)
class DropPart(RandomTransform):
    """Make an arm, a leg, both legs or the head of some clips missing."""

    share: float = 0.2

    def _change(self, joints, info, generator):
        return augment.drop_part(joints, info.layout, self.share, generator)


@dataclass(frozen=True)
class DropSpan(RandomTransform):
    """Freeze some clips for up to a fifth of their length."""

    over_time = True

    share: float = 0.2

    def _change(self, joints, info, generator):
        return augment.drop_span(joints, self.share, generator)


@dataclass(frozen=True)
class Damage(RandomTransform):
    """Make the joints of some clips worse, as sensors, detectors and cutting do; not normalised."""

    over_time = True

    share: float = 0.5

    def _change(self, joints, info, generator):
        return damage(joints, info.layout, self.share, generator, info.dims)

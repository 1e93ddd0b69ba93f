"""What may be wrong with joints where a recognizer is used, as a table of functions.

Every function takes clips, a severity in a unit of its own, and a seed, and gives new clips; it
refuses clips for which it has no meaning (`ChoiceError`, `LayoutError`). The severities of the
table go from what is common to what is rare.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from skelact.datasets.arrays import ClipArrays
from skelact.errors import ChoiceError
from skelact.evaluation import frame_corruptions, joint_corruptions
from skelact.evaluation.detector_noise import add_detector_noise

Change = Callable[[ClipArrays, float, int], ClipArrays]


@dataclass(frozen=True)
class Corruption:
    """One thing that may be wrong.

    Args:
        change: ``(arrays, severity, seed) -> arrays``.
        severities: At which it is measured.
        unit: Of the severities.
        what: One sentence for reports.
        limits: Least and greatest severity that mean something.
        random: Whether the seed matters.
        whole: Whether severities are whole numbers.
        upright: Whether it takes y of 3-D clips for up.
    """

    change: Change
    severities: tuple[float, ...]
    unit: str
    what: str
    limits: tuple[float, float] = (0.0, 100.0)
    random: bool = True
    whole: bool = False
    upright: bool = False

    def check(self, severity: float) -> float:
        """Return ``severity`` if it means something.

        Raises:
            ChoiceError: It does not.
        """
        low, high = self.limits
        if not low <= severity <= high or (self.whole and severity != int(severity)):
            kind = "whole number" if self.whole else "severity"
            raise ChoiceError(f"expected a {kind} in {low:g}..{high:g} ({self.unit}), got "
                              f"{severity}")
        return severity


_joints, _frames = joint_corruptions, frame_corruptions
_PERCENT = (10, 25, 50)

CORRUPTIONS: Mapping[str, Corruption] = MappingProxyType({
    "joint_jitter": Corruption(
        _joints.jitter_joints, (2, 5, 10, 20), "% of the torso",
        "every joint in every frame moves at random, with this standard deviation along each axis",
        limits=(0, 1000)),
    "missing_joints": Corruption(
        _joints.miss_joints, (5, 10, 20, 40), "% of joints",
        "joints are never seen in the whole clip"),
    "flickering_joints": Corruption(
        _joints.flicker_joints, (10, 25, 50, 75), "% of joints",
        "joints are missed, others in every frame"),
    "missing_arm": Corruption(
        _joints.miss_arm, (25, 50, 100), "% of the clip",
        "the left or right arm from the elbow on is hidden for so long"),
    "missing_leg": Corruption(
        _joints.miss_leg, (25, 50, 100), "% of the clip",
        "the left or right leg from the knee on is hidden for so long"),
    "missing_legs": Corruption(
        _joints.miss_legs, (25, 50, 100), "% of the clip",
        "both legs from the knees on are hidden for so long"),
    "swapped_clips": Corruption(
        _joints.swap_clips, (10, 25, 50, 100), "% of clips",
        "left and right joints have changed names throughout"),
    "swapped_frames": Corruption(
        _joints.swap_frames, (2, 5, 10, 25), "% of frames",
        "left and right joints have changed names, in frames here and there"),
    "dropped_frames": Corruption(
        _frames.drop_frames, (25, 50, 75, 90), "% of frames",
        "frames are lost here and there"),
    "frame_gap": Corruption(
        _frames.drop_span, _PERCENT, "% of the clip",
        "frames in a row are lost, somewhere in the clip"),
    "frame_rate": Corruption(
        _frames.lower_rate, (2, 4, 8), "every n-th frame",
        "the camera takes every n-th frame only", limits=(1, 1000), random=False,
        whole=True),
    "speed": Corruption(
        _frames.change_speed, (0.5, 0.75, 1.5, 2), "times as fast",
        "people move slower or faster", limits=(0.05, 20), random=False),
    "camera_yaw": Corruption(
        _joints.turn_camera, (15, 30, 60, 90), "degrees",
        "the camera stands to the left or right of where it stood", limits=(0, 180),
        upright=True),
    "camera_pitch": Corruption(
        _joints.raise_camera, (10, 20, 30, 45), "degrees",
        "the camera looks down from above", limits=(-90, 90), random=False,
        upright=True),
    "camera_roll": Corruption(
        _joints.roll_camera, (5, 10, 20, 45), "degrees",
        "the camera is held aslant", limits=(0, 180), upright=True),
    "cropped_bottom": Corruption(
        _joints.crop_bottom, _PERCENT, "% of the height",
        "the picture ends above the feet of where people are", random=False, upright=True),
    "cropped_side": Corruption(
        _joints.crop_side, _PERCENT, "% of the width",
        "the picture ends within the left or right of where people are", upright=True),
    "late_start": Corruption(
        _frames.cut_start, _PERCENT, "% of the clip",
        "the clip begins too late", limits=(0, 99), random=False),
    "early_end": Corruption(
        _frames.cut_end, _PERCENT, "% of the clip",
        "the clip ends too early", limits=(0, 99), random=False),
    "detector_noise": Corruption(
        add_detector_noise, (0.5, 1, 2, 4), "times as measured",
        "joints move, are missed and change sides as those of an estimator on real videos do",
        limits=(0, 100)),
})
"""Name -> corruption, as reports list them."""

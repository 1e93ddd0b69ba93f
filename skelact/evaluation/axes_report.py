"""What was found out about the axes of a data set, readable by a person who knows it not."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.stats import binomtest

TILT = 10.0
"""Degrees from which a tilt is the camera's and not the posture of people."""
_ONE_HANDED = 10
"""One-handed clips needed to say which hand people prefer."""
_CHANCE = 0.05
"""Clips that said anything at random would agree so with this chance, at most."""
AXES = ("+x", "-x", "+y", "-y", "+z", "-z")


@dataclass(frozen=True)
class Vote:
    """How many clips speak for something.

    Args:
        share: Of the clips that say anything, those in favour.
        clips: Clips that say anything.
    """

    share: float
    clips: int

    @classmethod
    def of(cls, signs: np.ndarray) -> "Vote":
        """Of ``[L]`` numbers: above 0 in favour, below against, 0 says nothing."""
        clips = int((signs != 0).sum())
        return cls(float((signs > 0).sum() / clips) if clips else 0.0, clips)

    def __str__(self) -> str:
        return f"{self.share:.0%} of {self.clips:,} clips"

    def decides(self, least: float = 0.7, clips: int = 1) -> bool | None:
        """True or False where the clips agree; None where they do not, or may do so by chance.

        Chance is judged by the exact sign test: clips that toss coins are sure in at most 5 % of
        the cases. So at least 6 clips are needed, all of which agree, or 9 of 10, or 15 of 20.
        """
        if self.clips < max(clips, 1):
            return None
        if binomtest(round(self.share * self.clips), self.clips).pvalue > _CHANCE:
            return None
        return True if self.share >= least else False if self.share <= 1 - least else None


@dataclass(frozen=True, eq=False)
class AxesReport:
    """The axes of a data set as anatomy shows them; `print` it to read it.

    Every finding can be overridden: ``dataclasses.replace(report, mirrored=True)``. None means
    that it cannot be told; `skelact.evaluation.harmonise.harmonise` then leaves it alone.

    Args:
        layout: Name of the skeleton.
        dims: 2 or 3.
        clips: Clips that were looked at.
        unit: ``"metres"``, ``"millimetres"``, ...; ``"pixels"`` for 2-D.
        metres: Metres a unit of each axis; None if unknown, and for 2-D.
        limbs: Limb -> median length in the unit of the data, or in metres where axes differ.
        up: The axis that points up, ``"+y"``, ...
        up_vote: Clips whose people have their head there.
        mirrored: Whether one axis has the wrong direction, so that left and right are exchanged
            in space.
        reverse: The level axis, of the common axes, that undoes a mirror: ``"x"`` or ``"z"``.
        sides_swapped: Whether the names left and right are exchanged.
        true_sides: Clips whose left lies to the left of where their people face.
        cues: The same by single cues.
        right_hand: One-handed clips whose right hand works.
        tilt: Degrees about the depth axis (roll) and about the other level axis (pitch) by which
            standing people lean, and the median deviation from that; NaN where none stand.
        vertical: ``[D]`` unit vector along which standing people stand, in axes of equal units.
        yaw: Degrees from the direction to the sensor (-z): 10, 50, 90 % of clips.
        floor: Height of the feet and how much it varies over clips, in metres.
        fps: Lowest and highest rate declared.
        hand_speed: Median over clips of the fastest hand, metres a second (heights, in 2-D).
        remarks: Further things that a person should know.
    """

    layout: str
    dims: int
    clips: int
    unit: str = ""
    metres: tuple[float, ...] | None = None
    limbs: Mapping[str, float] = field(default_factory=dict)
    up: str | None = None
    up_vote: Vote = Vote(0.0, 0)
    mirrored: bool | None = None
    reverse: str = "x"
    sides_swapped: bool | None = None
    true_sides: Vote = Vote(0.0, 0)
    cues: Mapping[str, Vote] = field(default_factory=dict)
    right_hand: Vote = Vote(0.0, 0)
    tilt: tuple[float, float, float] = (float("nan"),) * 3
    vertical: np.ndarray | None = None
    yaw: tuple[float, float, float] | None = None
    floor: tuple[float, float] | None = None
    fps: tuple[float, float] = (0.0, 0.0)
    hand_speed: float = float("nan")
    remarks: tuple[str, ...] = ()

    def with_up(self, towards: np.ndarray) -> "AxesReport":
        """What ``[L, D]`` directions from feet to head say, one a clip, NaN for nothing."""
        towards = towards[np.isfinite(towards).all(axis=1)]
        if not len(towards):
            return self
        axis = np.abs(towards).argmax(axis=1)
        chosen = 2 * axis + (towards[np.arange(len(towards)), axis] < 0)
        counts = np.bincount(chosen)
        vote = Vote(float(counts.max() / len(towards)), len(towards))
        return replace(self, up_vote=vote, up=AXES[counts.argmax()] if vote.decides() else None)

    def with_sides(self) -> "AxesReport":
        """Mirrored, or names exchanged? Both look alike; the hand that people prefer decides."""
        true = self.true_sides.decides()
        right = self.right_hand.decides(clips=_ONE_HANDED)
        if true is None:
            return self
        remarks = self.remarks
        if true and right is False:
            remarks += ("the left hand does the work: left-handed people or actions, or all was "
                        "seen in a mirror: then replace(report, mirrored=True, "
                        "sides_swapped=True)",)
        if not true and right is None:
            remarks += ("mirrored, or left and right exchanged by name: no hand is preferred that "
                        "could tell; taken for mirrored",)
        swapped = not true and right is False
        if swapped:
            remarks += ("names exchanged rather than mirrored, because one-handed work is done by "
                        "what is called the left hand; if people are left-handed, "
                        "replace(report, mirrored=True, sides_swapped=False)",)
        return replace(self, mirrored=not true and not swapped, sides_swapped=swapped,
                       remarks=remarks)

    @property
    def tilted(self) -> bool:
        """Whether standing people lean so much, and so alike, that it is the camera's tilt."""
        lean = np.hypot(*self.tilt[:2])
        return bool(self.vertical is not None and lean >= TILT and self.tilt[2] < lean)

    def changes(self) -> list[str]:
        """What `harmonise` does, one line each."""
        done = []
        if self.dims == 3 and self.metres is not None and not np.allclose(self.metres, 1):
            done.append(f"{self.unit} to metres (times "
                        f"{' / '.join(f'{m:.4g}' for m in dict.fromkeys(self.metres))})")
        if self.up in self._turned_up:
            done.append(f"turn {self.up} to {self._wanted_up}")
        if self.mirrored:
            done.append(f"reverse {self.reverse} (mirrored)")
        if self.sides_swapped:
            done.append("exchange the names left and right")
        if self.dims == 3 and self.up and self.tilted:
            done.append(f"turn people upright (camera tilt {np.hypot(*self.tilt[:2]):.0f} degrees)")
        return done

    def left(self) -> list[str]:
        """What could not be told and stays as it is, one line each."""
        unknown = []
        if self.dims == 3 and self.metres is None:
            unknown.append("the unit: limbs have no steady length; replace(report, metres=(...))")
        if self.dims == 2 and not self.unit.startswith("pixels"):
            unknown.append("the unit: " + (self.unit or "cannot tell"))
        if self.up is None:
            unknown.append("which axis points up: replace(report, up='+y')")
        elif self.dims == 2 and self.up not in ("-y", "+y"):
            unknown.append(f"people who lie on their side in the picture ({self.up} points up): "
                           "turn the videos or the joints by a quarter first")
        if self.mirrored is None or self.sides_swapped is None:
            unknown.append("whether left and right are true: replace(report, mirrored=..., "
                           "sides_swapped=...)")
        if self.dims == 3 and self.up and self.vertical is None:
            unknown.append("the tilt of the camera: nobody stands upright")
        return unknown

    @property
    def _wanted_up(self) -> str:
        return "+y" if self.dims == 3 else "-y"

    @property
    def _turned_up(self) -> tuple[str, ...]:
        """What `harmonise` turns to be up; a picture it only turns upside down."""
        return ("+y",) if self.dims == 2 else tuple(axis for axis in AXES if axis != "+y")

    def __str__(self) -> str:
        lines = [f"{self.clips:,} clips looked at, {self.dims}-D, layout {self.layout}",
                 *self._describe_units(), *self._describe_up(), *self._describe_sides(),
                 *self._describe_view(), *self._describe_time(),
                 *(f"remark     {remark}" for remark in self.remarks)]
        done, unknown = self.changes(), self.left()
        lines.append("to do      " + ("; ".join(done) or "nothing, the axes are as they should be"
                                      if done or not unknown else "nothing that is sure"))
        lines += [f"left as is {line}" for line in unknown]
        return "\n".join(textwrap.fill(line, 96, subsequent_indent=" " * 11,
                                       break_long_words=False) for line in lines)

    def _describe_units(self) -> list[str]:
        if self.dims == 2:
            return [f"unit       {self.unit}"]
        if not self.limbs:
            return ["unit       cannot tell: too few limbs seen"]
        known = self.metres is not None and len(set(self.metres)) == 1
        lengths = ", ".join(f"{limb} {length:.3g}" for limb, length in self.limbs.items())
        adult = "an adult's are 0.29, 0.25, 0.42, 0.42 metres"
        unit = self.unit or "cannot tell"
        named = self.unit if self.unit and " " not in self.unit else "of that unit"
        shown = named if known or self.metres is None else "metres after scaling"
        return [f"unit       {unit}: {lengths} {shown} ({adult})"]

    def _describe_up(self) -> list[str]:
        found = f"{self.up} points up" if self.up else "cannot tell which axis points up"
        lines = [f"up         {found}: the head is there above the feet in {self.up_vote}"
                 if self.up else f"up         {found}: {self.up_vote} agree at best"]
        roll, pitch, spread = self.tilt
        if self.vertical is not None and self.dims == 3:
            tilt = (f"tilt       standing people lean {_whole(pitch)} degrees in depth and "
                    f"{_whole(roll)} sideways (half of the clips within {_whole(spread)})")
            lines.append(tilt + (": the camera is tilted" if self.tilted else
                                 f"; less than {TILT:.0f} is no tilt of a camera"))
        if self.floor is not None:
            lines.append(f"floor      feet at {self.floor[0]:.2f} metres in the middle, half of "
                         f"the clips within {self.floor[1]:.2f} metres")
        return lines

    def _describe_sides(self) -> list[str]:
        if self.mirrored is None or self.sides_swapped is None:
            verdict = "cannot tell whether left and right are true"
        elif self.mirrored and self.sides_swapped:
            verdict = "seen in a mirror: one axis is reversed and the names exchanged"
        elif self.mirrored:
            verdict = "MIRRORED: one axis is reversed, left joints lie on the right"
        elif self.sides_swapped:
            verdict = "SWAPPED: what is called left is the right"
        else:
            verdict = "true: the left lies to the left of where people face"
        lines = [f"sides      {verdict}; they are true in {self.true_sides}"
                 if self.true_sides.clips else f"sides      {verdict}: no clip shows it"]
        lines += [f"             {cue}: {vote}" for cue, vote in self.cues.items() if vote.clips]
        if self.right_hand.clips:
            lines.append("hands      where one hand works, it is called right in "
                         f"{self.right_hand}")
        return lines

    def _describe_view(self) -> list[str]:
        if self.yaw is None:
            return []
        low, middle, high = self.yaw
        return [f"facing     median {_whole(middle)} degrees from the sensor, 80 % of clips from "
                f"{_whole(low)} to {_whole(high)}"]

    def _describe_time(self) -> list[str]:
        low, high = self.fps
        rate = f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
        unit = "metres" if self.dims == 3 else "body heights"
        speed = ("" if np.isnan(self.hand_speed) else
                 f"; at this rate hands reach {self.hand_speed:.1f} {unit} a second")
        return [f"time       {rate} frames a second declared{speed}"]


def _whole(degrees: float) -> int:
    return round(degrees)

"""What 2-D poses say of the axes of their images: less than bodies in space do."""

from dataclasses import replace

import numpy as np

from skelact.datasets.arrays import ClipArrays
from skelact.evaluation.axes_report import AxesReport, Vote
from skelact.evaluation.body_evidence import (
    CUE_WEIGHTS,
    SIDES,
    Bodies,
    facing_cues,
    hand_speed,
    one_handed,
    torso,
    upright,
)

_NARROW = 0.35
"""Torso lengths between the shoulders, up to which a person is seen from the side."""
_WIDE = 0.5
"""From which a person is seen from the front or the back."""
_SURER = 0.1
"""Difference of confidence that counts."""


def inspect_pictures(
    report: AxesReport, bodies: Bodies, arrays: ClipArrays, rows: np.ndarray | None
) -> AxesReport:
    """Unit, up and sides of 2-D clips.

    Sides show where a face is seen (from the front the left is at the right of the image), and
    from the side where the nearer half of the body is found with more confidence: of a person who
    faces the right of the image that is the right half.
    """
    report = replace(report, unit=_unit_of(bodies, arrays, rows))
    report = report.with_up(bodies.clip_means(upright(bodies)))
    size = torso(bodies)
    if np.isfinite(size) and size > 0:
        size_of_body = 3.2 * size  # from the feet to the top of the head
        report = replace(report, hand_speed=hand_speed(bodies) / size_of_body)
        cues = {"front and back by the face": _by_face(bodies),
                "nearer side by confidence": _by_nearness(bodies)}
        votes = {cue: np.sign(np.nan_to_num(bodies.by_clip(signs))) for cue, signs in cues.items()}
        hands = one_handed(bodies)
        report = replace(
            report, cues={cue: Vote.of(signs) for cue, signs in votes.items()},
            true_sides=Vote.of(2 * votes["front and back by the face"]
                               + votes["nearer side by confidence"]),
            right_hand=Vote.of(np.where(np.isnan(hands), 0, 2 * hands - 1)))
    return report.with_sides()


def _unit_of(bodies: Bodies, arrays: ClipArrays, rows: np.ndarray | None) -> str:
    at = np.concatenate(list(bodies.joints.values()))
    at = at[np.isfinite(at).all(axis=1)]
    if not len(at):
        return "cannot tell: nobody is seen"
    low, high = np.percentile(at, 0.5), np.percentile(at, 99.5)
    if high <= 1.5 and low >= -1.5:
        return "fractions of the image, not pixels"
    sizes = arrays.image_size if arrays.image_size is None or rows is None else (
        arrays.image_size[rows])
    if sizes is None or not (sizes > 0).all():
        return "pixels, by their range; the size of the images is unknown"
    return f"pixels, in images of up to {sizes[:, 0].max()} x {sizes[:, 1].max()}"


def _by_face(bodies: Bodies) -> np.ndarray:
    """``[F]`` above 0 where the left is where it should be by the face; NaN: not seen so.

    In front of the camera the nose lies between the ears and is seen; from the back it is not.
    """
    if "nose" not in bodies.confidence or "left_ear" not in bodies.confidence:
        return np.full(len(bodies.clips), np.nan)
    ears = np.minimum(bodies.confidence["left_ear"], bodies.confidence["right_ear"])
    nose = bodies.confidence["nose"]
    width = bodies.across("shoulder")[:, 0] / torso(bodies)
    with np.errstate(invalid="ignore"):
        front = np.select([(nose > 0.5) & (ears > 0.3), (nose < 0.3) & (ears > 0.5)], [1.0, -1.0],
                          np.nan)
        return np.where(np.abs(width) > _WIDE, np.sign(width) * front, np.nan)


def _by_nearness(bodies: Bodies) -> np.ndarray:
    """``[F]`` above 0 where the surer half of a body seen from the side is the nearer one."""
    if not bodies.confidence:
        return np.full(len(bodies.clips), np.nan)
    right = np.zeros_like(bodies.joints["head"])
    right[:, 0] = 1.0
    ahead = np.zeros(len(right))
    for cue, values in facing_cues(bodies, right).items():
        ahead += CUE_WEIGHTS[cue] * np.nan_to_num(np.sign(values) * (np.abs(values) > 0.1))
    parts = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    left, right_ = (np.mean([bodies.confidence[f"{side}_{part}"] for part in parts], axis=0)
                    for side in SIDES)
    with np.errstate(invalid="ignore"):
        seen = ((np.abs(bodies.across("shoulder")[:, 0]) < _NARROW * torso(bodies))
                & (np.abs(right_ - left) > _SURER) & (ahead != 0))
        return np.where(seen, np.sign(ahead) * np.sign(right_ - left), np.nan)

"""Units, up, left and right, and tilt of a data set: found from anatomy, reported, then undone.

`inspect_axes` looks at people: limbs have an adult's length, heads are above feet, toes and
forearms point where a body faces, and its left is then to its left. Nothing is guessed: where
clips disagree or say nothing, the report says so and `harmonise` leaves it alone.

Convention afterwards, 3-D: metres, x, y (up), z right-handed, as the Kinect gives them: z points
from the sensor into the room, x to the left of the sensor. 2-D: pixels, x right, y down.
"""

from dataclasses import replace

import numpy as np

from skelact.datasets.arrays import ClipArrays
from skelact.evaluation.axes_report import AxesReport, Vote
from skelact.evaluation.body_evidence import (
    CUE_WEIGHTS,
    LIMBS,
    Bodies,
    axis_scales,
    facing_cues,
    forward,
    hand_speed,
    is_standing,
    limb_vectors,
    one_handed,
    sample_bodies,
    unit,
    upright,
)
from skelact.evaluation.picture_evidence import inspect_pictures
from skelact.graph.layouts import Layout, get_layout
from skelact.transforms.remap import RemapPlan, plan_remap, remap_joints

__all__ = ["AxesReport", "Vote", "common_joints", "harmonise", "inspect_axes", "plan_joints"]

_LIMB_ROOTS = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
TRUNK = {"neck": _LIMB_ROOTS[:2], "pelvis": _LIMB_ROOTS[2:], "spine": _LIMB_ROOTS}
"""Joints whose names mean other points in every data set, and what to compute them from."""

UNITS = {"metres": 1.0, "decimetres": 0.1, "centimetres": 0.01, "millimetres": 0.001,
         "inches": 0.0254, "feet": 0.3048}
_FITS = 1.35
"""Limbs may be longer or shorter than an adult's by this factor (children, trackers)."""
_UNEQUAL = 2.0
"""Axes whose units differ by this factor are different things, such as pixels and depth."""
_STEADIER, _FAR = 0.7, 20.0
"""Such axes are believed where limbs then keep an adult's length so much better, or where the units
differ by more than this, such as pixels and metres."""
_CUE = 0.02
"""Torso lengths; a mean below says nothing."""


def inspect_axes(arrays: ClipArrays, rows: np.ndarray | None = None) -> AxesReport:
    """Find out how the axes of some clips lie.

    Args:
        arrays: 2-D or 3-D clips in any axes.
        rows: ``[L]`` which to look at; by default all (at most 3,000, evenly).

    Returns:
        What is known, with the evidence.
    """
    bodies = sample_bodies(arrays, rows)
    rates = arrays.fps if rows is None else arrays.fps[rows]
    report = AxesReport(arrays.layout.name, arrays.dims, bodies.count,
                        fps=(float(rates.min()), float(rates.max())) if len(rates) else (0.0, 0.0))
    if arrays.dims == 2:
        return inspect_pictures(report, bodies, arrays, rows)
    report, factors = _inspect_units(report, bodies)
    bodies = bodies.rescaled(factors)
    report = _inspect_up(report, bodies)
    report = _inspect_sides(report, bodies)
    return _inspect_place(report, bodies)


def harmonise(arrays: ClipArrays, report: AxesReport) -> ClipArrays:
    """Bring clips into the common axes, as far as the report is sure.

    Args:
        arrays: The clips.
        report: What `inspect_axes` found out about them, or a person who knows better
            (``replace(report, mirrored=True)``); ``report.changes()`` says what is done,
            ``report.left()`` what is not.

    Returns:
        New clips in memory; the same where nothing is to be done.
    """
    if not report.changes():
        return arrays
    joints = np.array(arrays.joints, np.float32)
    matrix = axes_matrix(report)
    if arrays.dims == 2:
        joints = _turn_pictures(joints, arrays, report)
    else:
        joints[..., :3] = joints[..., :3] @ matrix.T.astype(np.float32)
    if report.sides_swapped:
        joints = joints[:, arrays.layout.flip_order]
    return replace(arrays, joints=joints)


def common_joints(arrays: ClipArrays, layout: str | Layout) -> ClipArrays:
    """Clips in a common skeleton, its trunk computed alike for all of them.

    Sensors put neck, spine and pelvis at points of their own: the pelvis of MSR-Action3D lies 12 cm
    further behind the hips than that of UTD-MHAD. Here they are the middles between shoulders and
    hips, everywhere.

    Args:
        arrays: The clips.
        layout: The skeleton, such as `skelact.transforms.common_layout.common_layout` gives.

    Returns:
        New clips in memory.

    Raises:
        LayoutError: The skeleton cannot be converted.
    """
    layout = get_layout(layout)
    joints = remap_joints(arrays.joints.transpose(1, 2, 0), arrays.layout, layout,
                          _trunk_names(arrays.layout, layout), arrays.dims)
    return replace(arrays, layout=layout, joints=np.ascontiguousarray(joints.transpose(2, 0, 1)))


def plan_joints(from_layout: Layout, to_layout: Layout, aligned: bool) -> RemapPlan:
    """Where joints come from, by name or, ``aligned``, as `common_joints` computes them.

    Raises:
        LayoutError: The skeleton cannot be converted.
    """
    names = _trunk_names(from_layout, to_layout) if aligned else None
    return plan_remap(from_layout, to_layout, names)


def _trunk_names(from_layout: Layout, to_layout: Layout) -> dict[str, tuple[str, ...]]:
    """Joints of the trunk that both skeletons allow to compute -> what they are the middle of."""
    return {joint: parts for joint, parts in TRUNK.items()
            if joint in to_layout.joints and set(parts) <= set(from_layout.joints)}


def axes_matrix(report: AxesReport) -> np.ndarray:
    """``[3, 3]`` from the axes of 3-D data to the common ones."""
    matrix = np.diag(report.metres or (1.0, 1.0, 1.0))
    turn = _TURNS[report.up] if report.up else np.eye(3)
    matrix = turn @ matrix
    flip = np.diag([1.0 - 2 * (report.mirrored is True and axis == report.reverse)
                    for axis in "xyz"])
    if report.up and report.tilted:
        turn = _shortest_turn(flip @ turn @ report.vertical, np.array([0.0, 1.0, 0.0]))
        return turn @ flip @ matrix
    return flip @ matrix


_TURNS = {  # rotations that bring an axis to +y
    "+y": np.eye(3),
    "-y": np.diag([-1.0, -1.0, 1.0]),
    "+z": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "-z": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "+x": np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    "-x": np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
}


def _turn_pictures(joints: np.ndarray, arrays: ClipArrays, report: AxesReport) -> np.ndarray:
    """Reverse the axes of images: within the image where its size is known, else at 0."""
    size = arrays.image_size if arrays.image_size is not None else np.zeros((len(arrays), 2))
    frames = np.diff(arrays.track_offsets[arrays.clip_offsets])
    for axis, wrong in ((0, report.mirrored), (1, report.up == "+y")):
        if wrong:
            joints[..., axis] = np.repeat(size[:, axis], frames)[:, None] - joints[..., axis]
    return joints


def _inspect_units(report: AxesReport, bodies: Bodies) -> tuple[AxesReport, np.ndarray]:
    """The unit of each axis, and factors ``[3]`` that make limbs about an adult's in metres."""
    none = np.ones(3)
    scales = axis_scales(bodies)
    lengths = _limb_lengths(bodies)
    if not lengths:
        return report, none
    if scales is not None and _are_unequal(bodies, scales):
        if scales[:2].max() <= _UNEQUAL * scales[:2].min():
            scales[:2] = np.sqrt(scales[0] * scales[1])
        per_metre = ", ".join(f"{1 / scale:.4g}" for scale in scales)
        name = f"unequal ({per_metre} a metre in x, y, z: pixels and depth of a sensor?)"
        lengths = _limb_lengths(bodies.rescaled(scales))
        return replace(report, unit=name, metres=tuple(scales.tolist()), limbs=lengths), scales
    size = np.median([length / LIMBS[limb][2] for limb, length in lengths.items()])
    name = min(UNITS, key=lambda name: abs(np.log(size * UNITS[name])))
    if abs(np.log(size * UNITS[name])) <= np.log(_FITS):
        factor = UNITS[name]
    else:
        name, factor = f"unknown ({size:.4g} a metre, by an adult's limbs)", 1 / float(size)
    report = replace(report, unit=name, metres=(factor,) * 3, limbs=lengths)
    return report, np.full(3, factor)


def _are_unequal(bodies: Bodies, scales: np.ndarray) -> bool:
    """Whether axes have units of their own, and are not merely those along which no limb lies."""
    ratio = scales.max() / scales.min()
    if ratio <= _UNEQUAL or ratio > _FAR:
        return bool(ratio > _FAR)
    return _limb_spread(bodies.rescaled(scales)) < _STEADIER * _limb_spread(bodies)


def _limb_spread(bodies: Bodies) -> float:
    """How much limbs vary in their share of an adult's length, over time and against each other."""
    shares = np.concatenate([np.linalg.norm(vectors, axis=1) / LIMBS[limb][2]
                             for limb, vectors in limb_vectors(bodies).items()])
    low, middle, high = np.nanquantile(shares, (0.25, 0.5, 0.75))
    return float((high - low) / middle)


def _limb_lengths(bodies: Bodies) -> dict[str, float]:
    lengths = {limb: np.linalg.norm(vectors, axis=1)
               for limb, vectors in limb_vectors(bodies).items()}
    return {limb: float(np.nanmedian(values)) for limb, values in lengths.items()
            if np.isfinite(values).sum() >= 10 and np.nanmedian(values) > 0}


def _inspect_up(report: AxesReport, bodies: Bodies) -> AxesReport:
    """The axis from feet to head by a vote of clips, and how standing people lean against it."""
    towards = upright(bodies)
    report = report.with_up(bodies.clip_means(towards))
    return report if report.up is None else _inspect_tilt(report, bodies, towards)


def _inspect_tilt(report: AxesReport, bodies: Bodies, towards: np.ndarray) -> AxesReport:
    standing = np.where(is_standing(bodies)[:, None], towards, np.nan)
    means = unit(bodies.clip_means(standing))
    means = means[np.isfinite(means).all(axis=1)]
    if len(means) < 3:
        return report
    vertical = unit(np.median(means, axis=0))
    turned = _TURNS[report.up] @ vertical
    spread = np.degrees(np.median(np.arccos(np.clip(means @ vertical, -1, 1))))
    roll, pitch = (np.degrees(np.arctan2(turned[i], turned[1])) for i in (0, 2))
    return replace(report, vertical=vertical, tilt=(float(roll), float(pitch), float(spread)))


def _inspect_sides(report: AxesReport, bodies: Bodies) -> AxesReport:
    """Whether the left is to the left of facing, and which hand works."""
    score, cues = np.zeros(bodies.count), {}
    for cue, values in facing_cues(bodies, forward(bodies)).items():
        means = bodies.by_clip(values)
        votes = np.where(np.abs(means) > _CUE, np.sign(means), 0)
        cues[cue] = Vote.of(votes)
        score += CUE_WEIGHTS[cue] * votes
    hands = one_handed(bodies)
    report = replace(report, true_sides=Vote.of(score), cues=cues,
                     right_hand=Vote.of(np.where(np.isnan(hands), 0, 2 * hands - 1)))
    return report.with_sides()


def _inspect_place(report: AxesReport, bodies: Bodies) -> AxesReport:
    """Where people face and stand, and how fast their hands are, in the axes to come.

    Which level axis a mirror has reversed makes half a turn of difference: the one is taken that
    lets people face the sensor, as they mostly do.
    """
    turn = axes_matrix(replace(report, metres=None))
    turned = replace(bodies, joints={name: at @ turn.T for name, at in bodies.joints.items()})
    feet = turned.by_clip(turned.middle("ankle")[:, 1])
    feet = feet[np.isfinite(feet)]
    report = replace(report, hand_speed=hand_speed(turned))
    if report.up is None:
        return report
    if len(feet):
        middle = float(np.median(feet))
        report = replace(report, floor=(middle, float(np.median(np.abs(feet - middle)))))
    facing = turned.clip_means(forward(turned) * (-1 if report.sides_swapped else 1))
    facing = facing[np.isfinite(facing).all(axis=1)]
    if not len(facing):
        return report
    towards = -facing[:, 2] + 1j * facing[:, 0]  # the sensor is where z comes from
    middle = np.angle(towards.sum())
    if report.mirrored and report.reverse == "x" and abs(middle) > np.pi / 2:
        return _inspect_place(replace(report, reverse="z"), bodies)
    turns = np.degrees(middle + np.angle(towards * np.exp(-1j * middle)))
    return replace(report, yaw=tuple(np.percentile(turns, (10, 50, 90)).tolist()))


def _shortest_turn(vector: np.ndarray, target: np.ndarray) -> np.ndarray:
    """``[3, 3]`` the shortest rotation of one unit vector onto another, less than half a turn."""
    x, y, z = np.cross(vector, target)
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + skew + skew @ skew / (1 + vector @ target)

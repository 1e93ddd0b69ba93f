"""Where to draw the joints of a skeleton of which only the graph is known."""

import numpy as np

from skelact.graph.layouts import Layout

_MIDDLE = {
    "head_top": 0.0, "head": 0.05, "nose": 0.09, "upper_neck": 0.15, "neck": 0.19, "spine3": 0.27,
    "spine2": 0.34, "spine": 0.34, "spine1": 0.42, "pelvis": 0.5,
}
"""How far below the top, in heights of a person."""

_LEFT = {
    "eye": (0.03, 0.065), "eye_inner": (0.018, 0.06), "eye_outer": (0.045, 0.06),
    "ear": (0.065, 0.08), "mouth": (0.022, 0.125), "collar": (0.06, 0.21), "shoulder": (0.13, 0.2),
    "elbow": (0.22, 0.33), "wrist": (0.29, 0.46), "hand": (0.32, 0.51), "thumb": (0.285, 0.535),
    "hand_tip": (0.33, 0.58), "index": (0.335, 0.54), "pinky": (0.36, 0.5), "hip": (0.08, 0.52),
    "knee": (0.1, 0.74), "ankle": (0.11, 0.95), "heel": (0.085, 0.98), "foot": (0.15, 0.99),
    "foot_index": (0.16, 0.99), "big_toe": (0.14, 1.0), "small_toe": (0.18, 0.985),
}
"""Aside and below, of a person's own left, which is on the right of the picture."""

_FACE = (
    ((0.0, 0.07), (0.06, 0.085), (180, 0), 17),  # the jaw, over the chin
    ((-0.03, 0.052), (0.02, 0.012), (190, 330), 5), ((0.03, 0.052), (0.02, 0.012), (210, 350), 5),
    ((0.0, 0.07), (0.0, 0.013), (-90, 90), 4),  # down the nose
    ((0.0, 0.095), (0.014, 0.007), (180, 0), 5),
    ((-0.03, 0.065), (0.014, 0.009), (180, 480), 6), ((0.03, 0.065), (0.014, 0.009), (180, 480), 6),
    ((0.0, 0.125), (0.027, 0.014), (180, 510), 12), ((0.0, 0.125), (0.018, 0.006), (180, 495), 8),
)
"""The 68 points of a face, ``face-0`` and on, in arcs: the middle, the half axes, the angles of the
first and the last point (0 to the right, 90 down), and how many."""

_CHIN, _MAGNIFIED = np.array([0.0, 0.165]), 2.5
"""How much larger a head with such a face is, or its points would lie on each other."""

_STEP, _SHRINK = 0.09, 0.85
"""Heights from a joint that is in no table to its parent, and how that shrinks further out."""


def rest_pose(layout: Layout) -> np.ndarray:
    """A person standing with the arms a little aside, seen from the front.

    Joints of other names (also fingers) fan out from their parents.

    Args:
        layout: Any skeleton.

    Returns:
        ``[N, 2]`` x to the right and y down, in heights of a person.
    """
    face = {f"face-{i}": place for i, place in enumerate(_face_points())}
    places: dict[int, np.ndarray] = {}
    for joint, name in enumerate(layout.joints):
        side, _, part = name.partition("_")
        if name in _MIDDLE:
            places[joint] = np.array([0.0, _MIDDLE[name]])
        elif side in ("left", "right") and part in _LEFT:
            places[joint] = np.array(_LEFT[part]) * (1 if side == "left" else -1, 1)
        elif name in face:
            places[joint] = face[name]
    places.setdefault(layout.centre, np.array([0.0, 0.5]))
    _fan_out(layout, layout.centre, np.array([0.0, -1.0]), places, _STEP)
    placed = np.stack([places[joint] for joint in range(layout.num_joints)])
    if not face.keys().isdisjoint(layout.joints):
        head = placed[:, 1] < _CHIN[1]
        placed[head] = _CHIN + _MAGNIFIED * (placed[head] - _CHIN)
    return placed


def _face_points() -> np.ndarray:
    """``[68, 2]`` the points of a face, in the order of iBUG 300-W."""
    arcs = []
    for middle, half_axes, angles, count in _FACE:
        turn = np.deg2rad(np.linspace(*angles, count))[:, None]
        arcs.append(middle + half_axes * np.hstack([np.cos(turn), np.sin(turn)]))
    return np.concatenate(arcs)


def _fan_out(layout: Layout, joint: int, ahead: np.ndarray, places: dict[int, np.ndarray],
             step: float) -> None:
    """Place what hangs on a joint, around the direction in which the limb runs."""
    children = [child for child, parent in layout.bones if parent == joint]
    unknown = [child for child in children if child not in places]
    turns = np.deg2rad(min(40.0, 300.0 / max(1, len(unknown)))) \
        * (np.arange(len(unknown)) - (len(unknown) - 1) / 2)
    mirror = -1 if places[joint][0] < 0 else 1
    for child, turn in zip(unknown, turns * mirror, strict=True):
        cosine, sine = np.cos(turn), np.sin(turn)
        places[child] = places[joint] + step * np.array(
            [cosine * ahead[0] - sine * ahead[1], sine * ahead[0] + cosine * ahead[1]])
    for child in children:
        way = places[child] - places[joint]
        _fan_out(layout, child, way / max(float(np.hypot(*way)), 1e-9), places, _SHRINK * step)

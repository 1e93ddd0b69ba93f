"""People who move, made up: the data set of the notebooks, where no real one can be shipped.

A body of rigid limbs is posed by angles; every person has proportions, a pace and a style of their
own, every take another moment, place and turn. Metres, y up; the sensor stands at the origin and
looks along z, the person looks back at it, so their own left is at -x.
"""

import numpy as np

from skelact import PoseTrack, Recording
from skelact.graph.layouts import get_layout

ACTIONS = ("bow", "jumping_jack", "kick", "squat", "wave")
SIDES = {"left": -1, "right": 1}
ANGLES = ("lean", "arms", "arms_apart", "elbows", "swing", "apart", "thigh", "shin")
"""Radians, of each side: the trunk's, the upper arm's to the front and away from the body, the
forearm's beyond it, the leg's away from the body, thigh's and shin's to the front."""


def perform(action: str, person: int, take: int, seconds: float = 3.0, fps: float = 25.0) -> dict:
    """Where every joint is: name -> ``[3, T]`` metres."""
    body = np.random.default_rng(person)
    chance = np.random.default_rng((person, take, ACTIONS.index(action)))
    height = body.uniform(1.55, 1.95)
    pace = body.uniform(0.6, 1.0) * chance.uniform(0.9, 1.1)
    vigour = body.uniform(0.8, 1.1) * chance.uniform(0.9, 1.1)
    time = np.arange(round(seconds * fps)) / fps
    phase = 2 * np.pi * (pace * time + chance.uniform())
    rest = np.zeros_like(time)
    akimbo = body.uniform() < 0.4  # hands on the hips while they have nothing to do
    hang = {"arms_apart": rest + (body.uniform(0.5, 0.8) if akimbo else body.uniform(0.1, 0.3)),
            "swing": rest - (body.uniform(1.0, 1.6) if akimbo else 0),
            "elbows": rest + body.uniform(0.1, 0.6)}
    sides = {side: dict.fromkeys(ANGLES, rest) | hang for side in SIDES}
    hand = ("left", "right")[chance.integers(2)]
    _ACT[action](sides, hand, (1 - np.cos(phase)) / 2, phase, vigour, chance)
    joints = _build(sides, height * body.uniform(0.95, 1.05, 6), hand if action == "kick" else "")
    turn, place = np.radians(chance.uniform(-25, 25)), chance.uniform((-0.4, 2.5), (0.4, 4.0))
    cos, sin = np.cos(turn), np.sin(turn)
    return {name: np.stack([x * cos + z * sin + place[0], y - 1.0, z * cos - x * sin + place[1]])
            for name, (x, y, z) in joints.items()}


def capture(action: str, person: int, take: int, layout: str = "coco17", noise: float = 0.01,
            fps: float = 25.0, **labels) -> Recording:
    """A 3-D recording of a made-up sensor, which errs by ``noise`` metres."""
    layout = get_layout(layout)
    found = perform(action, person, take, fps=fps)
    joints = np.stack([found[name] for name in layout.joints])
    chance = np.random.default_rng((7, person, take, ACTIONS.index(action)))
    joints += chance.normal(0, noise, joints.shape) + chance.normal(0, noise, (len(joints), 3, 1))
    times = np.arange(joints.shape[2]) / fps
    labels = {"clip_id": f"{action}_{person:02}_{take}", "label": action,
              "subject": person} | labels
    return Recording((PoseTrack(1, joints, np.arange(len(times))),), times, layout, dims=3,
                     fps=fps, labels=labels)


def film(recording: Recording, size: tuple[int, int] = (640, 480)) -> Recording:
    """What a camera at the sensor's place shows: x and y in pixels, and a confidence."""
    (track,) = recording.tracks
    x, y, z = track.joints.transpose(1, 0, 2)
    focal = 1.1 * size[1]
    pixels = np.stack([size[0] / 2 - focal * x / z, size[1] / 2 - focal * y / z,
                       np.full_like(x, 0.9)], axis=1)
    return Recording((PoseTrack(1, pixels, track.frame_index),), recording.timestamps,
                     recording.layout, dims=2, fps=recording.fps, image_size=size,
                     labels=recording.labels)


def _bow(sides, hand, beat, phase, vigour, chance):
    for side in sides.values():
        side |= {"lean": vigour * 1.2 * beat, "arms": vigour * 0.3 * beat}


def _jumping_jack(sides, hand, beat, phase, vigour, chance):
    for side in sides.values():
        side |= {"arms_apart": 0.2 + np.minimum(vigour, 1.05) * 2.6 * beat, "elbows": 0 * beat,
                 "swing": 0 * beat, "apart": vigour * 0.4 * beat}


def _kick(sides, hand, beat, phase, vigour, chance):
    sides[hand] |= {"thigh": vigour * 1.3 * beat, "shin": vigour * 1.2 * beat}
    for side in sides.values():
        side |= {"lean": -0.15 * beat, "arms_apart": side["arms_apart"] + 0.3 * beat}


def _squat(sides, hand, beat, phase, vigour, chance):
    reach = chance.uniform(0.2, 1.3)
    for side in sides.values():
        side |= {"thigh": vigour * 1.4 * beat, "shin": -vigour * 0.6 * beat,
                 "lean": vigour * 0.5 * beat, "arms": vigour * reach * beat}


def _wave(sides, hand, beat, phase, vigour, chance):
    raised = chance.uniform(0.9, 2.0)
    upright = 2.9 - raised + vigour * 0.7 * np.sin(2 * phase)
    sides[hand] |= {"arms_apart": raised + 0 * beat, "elbows": 0 * beat, "swing": upright}


_ACT = {"bow": _bow, "jumping_jack": _jumping_jack, "kick": _kick, "squat": _squat, "wave": _wave}


def _build(sides: dict, size: np.ndarray, lifted: str) -> dict:
    """Joints from angles; who stands on one foot has ``lifted`` the other."""
    trunk, head, arm, leg, shoulders, hips = size * (0.3, 0.11, 0.17, 0.245, 0.11, 0.055)
    lean = sides["left"]["lean"]
    up = np.stack([0 * lean, np.cos(lean), -np.sin(lean)])
    front = np.stack([0 * lean, -np.sin(lean), -np.cos(lean)])
    across = np.array([[1.0], [0.0], [0.0]])
    joints = {"pelvis": 0 * up, "spine": 0.6 * trunk * up, "neck": trunk * up}
    joints["head"] = joints["neck"] + head * up
    joints["nose"] = joints["head"] + 0.09 * front - 0.02 * up
    for name, sign in SIDES.items():
        side = sides[name]
        joints[f"{name}_eye"] = joints["nose"] + 0.03 * sign * across + 0.03 * up - 0.01 * front
        joints[f"{name}_ear"] = joints["head"] + 0.075 * sign * across
        forearm = _aim(side["arms"] + side["elbows"], side["arms_apart"] + side["swing"], sign)
        bones = {
            "shoulder": joints["neck"] + shoulders * sign * across - 0.03 * up,
            "elbow": arm * _aim(side["arms"], side["arms_apart"], sign),
            "wrist": 0.9 * arm * forearm,
            "hand": 0.08 * forearm}
        at = np.zeros(3)[:, None]
        for part, bone in bones.items():
            joints[f"{name}_{part}"] = at = at + bone
        at = hips * sign * across - 0.03 * up
        for part, bone in {"hip": 0, "knee": leg * _aim(side["thigh"], side["apart"], sign),
                           "ankle": leg * _aim(side["shin"], side["apart"], sign),
                           "foot": np.array([[0.0], [-0.05], [-0.14]])}.items():
            joints[f"{name}_{part}"] = at = at + bone
    standing = [joints[f"{name}_ankle"] for name in SIDES if name != lifted]
    ground = np.mean(standing, axis=0) - [[0.0], [0.08], [0.0]]
    return {name: place - ground for name, place in joints.items()}


def _aim(forward: np.ndarray, aside: np.ndarray, sign: int) -> np.ndarray:
    """``[3, T]`` a limb that hangs down, lifted forward and away from the body by angles."""
    return np.stack([sign * np.sin(aside), -np.cos(aside) * np.cos(forward),
                     -np.cos(aside) * np.sin(forward)])

"""Published preparations of NTU RGB+D in plain loops, after their descriptions, to compare with.

Arrays are ``[M, T, 25, 3]`` float32 with zeros for nobody.
"""

import math

import numpy as np

from skelact.datasets.readers.skeleton_file import RawCapture


def prepare_ctrgcn(capture: RawCapture) -> np.ndarray | None:
    """As SGN and CTR-GCN: None where they would fail because every body is noise."""
    bodies, number = {}, -1
    for frame in range(capture.num_frames):
        rows = np.flatnonzero(capture.frame_index == frame)
        if not len(rows):
            continue
        number += 1
        for row in rows:
            body = bodies.setdefault(int(capture.body_ids[row]), {"start": number, "joints": []})
            body["joints"].append(capture.joints[row])
    for body in bodies.values():
        body["joints"] = np.stack(body["joints"])
        body["motion"] = np.sum(np.var(np.vstack(body["joints"]), axis=0))
    if len(bodies) == 1:
        return _translate(_fill(number + 1, list(bodies.values())[:1]))
    bodies = {i: body for i, body in bodies.items() if len(body["joints"]) > 11}
    for i, body in dict(bodies).items() if len(bodies) > 1 else ():
        if len(bodies) == 1:
            break
        good = [t for t, joints in enumerate(body["joints"])
                if np.ptp(joints[:, 0]) <= 0.8 * float(np.ptp(joints[:, 1]))]
        if 1 - len(good) / len(body["joints"]) >= 0.69754:
            del bodies[i]
        elif len(good) < len(body["joints"]):
            motion = np.sum(np.var(np.vstack(body["joints"][good]), axis=0))
            body["motion"] = min(body["motion"], motion)
    if not bodies:
        return None
    ranked = sorted(bodies.values(), key=lambda body: body["motion"], reverse=True)
    persons = _fill(number + 1, ranked)
    return _translate(persons[:, persons.any(axis=(0, 2, 3))])


def _fill(frames: int, ranked: list[dict]) -> np.ndarray:
    persons = np.zeros((min(len(ranked), 2), frames, 25, 3), np.float32)
    spans = [None, [0, 0]]  # first and last frame
    for body in ranked:
        start, end = body["start"], body["start"] + len(body["joints"]) - 1
        for person, span in enumerate(spans):
            if span is None or min(span[1], end) - max(span[0], start) <= 0:
                persons[person, start : end + 1] = body["joints"]
                first = start if span is None else min(start, span[0])
                spans[person] = [first, end if span is None else max(end, span[1])]
                break
    return persons


def _translate(persons: np.ndarray) -> np.ndarray:
    shown = persons.any(axis=(2, 3))
    origin = persons[0, np.flatnonzero(shown[0])[0], 1].copy()
    persons = persons - origin
    persons[~shown] = 0
    return persons


def prepare_agcn(capture: RawCapture) -> np.ndarray:
    """As 2s-AGCN: ``[2, 300, 25, 3]``."""
    places = np.zeros((4, 300, 25, 3))
    for frame in range(capture.num_frames):
        for place, row in enumerate(np.flatnonzero(capture.frame_index == frame)[:4]):
            places[place, frame] = capture.joints[row]
    energy = []
    for place in places:
        shown = place[place.any(axis=(1, 2))]
        energy.append(sum(shown[..., axis].std() for axis in range(3)) if len(shown) else 0)
    persons = places[np.array(energy).argsort()[::-1][:2]]
    for person in persons:
        shown = np.flatnonzero(person.any(axis=(1, 2)))
        if len(shown) and shown[0] > 0:
            person[: len(shown)], person[len(shown) :] = person[shown].copy(), 0
        shown = np.flatnonzero(person.any(axis=(1, 2)))
        for frame in range(shown[-1] + 1 if len(shown) else 300, 300):
            person[frame] = person[frame - shown[-1] - 1]
    shown = persons.any(axis=-1, keepdims=True)
    persons = (persons - persons[:1, :, 1:2]) * shown
    for low, high, target in ((0, 1, (0, 0, 1)), (4, 8, (1, 0, 0))):
        turn = _turn(persons[0, 0, high] - persons[0, 0, low], np.array(target, float))
        persons = persons @ turn.T
    return persons.astype(np.float32)


def _turn(vector: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The turn about the axis at right angles to both that brings one vector onto the other."""
    axis = np.cross(vector, target)
    if np.abs(axis).sum() < 1e-6:
        return np.eye(3)
    angle = math.acos(np.clip(vector @ target / np.linalg.norm(vector), -1, 1))
    x, y, z = axis / np.linalg.norm(axis)
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * skew + (1 - math.cos(angle)) * skew @ skew

"""Hands drawn by numbers: gestures that nobody had to be filmed for."""

import numpy as np

from skelact.pose.recording import PoseTrack, Recording

_KNUCKLES = {"index": (-0.3, 1.0), "middle": (-0.08, 1.05), "ring": (0.14, 0.98),
             "pinky": (0.34, 0.85)}
_LENGTHS = {"index": 0.85, "middle": 0.95, "ring": 0.88, "pinky": 0.68}
_THUMBS = {"out": [(-0.3, 0.2), (-0.55, 0.45), (-0.8, 0.65), (-1.0, 0.85)],
           "in": [(-0.3, 0.25), (-0.42, 0.55), (-0.25, 0.75), (0.0, 0.8)]}
FOUR = ("index", "middle", "ring", "pinky")


def held_up(*fingers: str, thumb: str = "in", frames: int = 30, mirrored: bool = False,
            size: tuple[int, int] = (640, 480)) -> Recording:
    """A hand (hand21) that stretches these fingers up and holds still, at 25 frames a second."""
    points = [(0.0, 0.0), *_THUMBS[thumb]]
    for finger in FOUR:
        x, y = _KNUCKLES[finger]
        tips = [(0.45, 0.45), (0.75, 0.75), (1, 1)] if finger in fingers else []
        folded = [(0, 0.25), (0, -0.1), (0, -0.3)]
        points += [(x, y), *((x + 0.25 * x * a, y + _LENGTHS[finger] * b) for a, b in tips)]
        points += [(x + a, y + b) for a, b in folded] if not tips else []
    x, y = np.array(points, np.float32).T
    joints = np.stack([size[0] / 2 + 90 * (-x if mirrored else x), size[1] * 0.7 - 90 * y,
                       np.ones(21)], axis=1)
    joints = np.repeat(joints[..., None], frames, axis=2).astype(np.float32)
    return Recording((PoseTrack(1, joints, np.arange(frames)),), np.arange(frames) / 25, "hand21",
                     image_size=size)

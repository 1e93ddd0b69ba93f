"""Small made-up recordings for tests."""

import numpy as np

from skelact.graph.layouts import get_layout
from skelact.pose.recording import PoseTrack, Recording


def standing(layout: str = "coco17", left: float = 100.0, top: float = 40.0,
             height: float = 120.0) -> np.ndarray:
    """``[N, 3]`` a person facing the camera in pixels: own left on the right of the picture."""
    layout = get_layout(layout)
    levels = {"eye": 0.05, "ear": 0.06, "nose": 0.08, "shoulder": 0.2, "elbow": 0.35,
              "wrist": 0.5, "hip": 0.5, "knee": 0.75, "ankle": 1.0}
    joints = np.ones((layout.num_joints, 3), np.float32)
    for i, name in enumerate(layout.joints):
        level = next((v for part, v in levels.items() if part in name), 0.3)
        aside = 0.25 if "elbow" in name or "wrist" in name else 0.15
        aside *= 1 if "left" in name else -1 if "right" in name else 0
        joints[i, :2] = left + aside * height, top + level * height
    return joints


def walking(frames: int = 30, people: int = 1, fps: float = 25.0, step: float = 2.0,
            size: tuple[int, int] = (320, 200), first: int = 0, times=None, **fields) -> Recording:
    """People of ids 1, 2, ... who walk right by ``step`` pixels a frame, from frame ``first``."""
    tracks = []
    for m in range(people):
        index = np.arange(first, frames)
        joints = np.stack([standing(left=60 + 90 * m + step * t) for t in index], axis=-1)
        boxes = np.stack([joints[:, 0].min(0), joints[:, 1].min(0),
                          joints[:, 0].max(0), joints[:, 1].max(0)])
        tracks.append(PoseTrack(m + 1, joints, index, boxes))
    times = np.arange(frames) / fps if times is None else times
    return Recording(tuple(tracks), times, "coco17", fps=fps, image_size=size, **fields)


def capture(frames: int = 20) -> Recording:
    """A 3-D recording of one person facing the sensor, metres, y up, right-handed."""
    flat = standing(left=0.0, top=0.0, height=1.7)
    joints = np.stack([-flat[:, 0], 1.0 - flat[:, 1], np.full(len(flat), 3.0)], axis=1)
    joints = np.repeat(joints[..., None], frames, axis=2)
    joints[:, 0] += np.linspace(0.0, 0.5, frames)  # a step to the side
    return Recording((PoseTrack(1, joints, np.arange(frames)),), np.arange(frames) / 30, "coco17",
                     dims=3)

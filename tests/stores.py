"""Small stores for tests."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from recordings import walking

from skelact.datasets.store import Store, StoreWriter
from skelact.graph.layouts import Layout, get_layout
from skelact.pose.recording import PoseTrack, Recording


def write_store(folder: Path, recordings: Iterable[Recording], name: str = "custom",
                **facts) -> Store:
    """A store of some recordings."""
    with StoreWriter(folder) as writer:
        for recording in recordings:
            writer.add(recording)
        writer.finish(name, **facts)
    return Store(folder)


def walkers(count: int = 8, frames: int = 12) -> list[Recording]:
    """2-D clips of one or two people in two classes, all different."""
    return [walking(frames + i, people=1 + i % 2, step=1 + 0.5 * i,
                    labels={"clip_id": f"clip{i}", "label": ("run", "walk")[i % 2], "subject": i,
                            "splits": [("train", "test")[i % 4 == 3]]})
            for i in range(count)]


def captures(count: int = 6, layout: str = "kinect20", **labels) -> list[Recording]:
    """3-D clips of one standing person with feet, who leans a little; all different."""
    clips = []
    for i in range(count):
        joints = np.repeat(standing_3d(get_layout(layout))[..., None], 20, axis=2)
        joints[:, 0] += np.linspace(0, 0.1 + 0.05 * i, 20)
        clips.append(Recording((PoseTrack(0, joints, np.arange(20)),), np.arange(20) / 30, layout,
                               dims=3, fps=30.0,
                               labels={"clip_id": f"c{i}", "label": "stand"} | labels))
    return clips


def standing_3d(layout: Layout) -> np.ndarray:
    """``[N, 3]`` metres, y up: a person who looks at a sensor at the origin (along -z)."""
    heights = {"head": 0.7, "neck": 0.5, "shoulder": 0.45, "spine": 0.2, "elbow": 0.2, "wrist": 0.0,
               "hand": -0.1, "pelvis": 0.0, "hip": -0.05, "knee": -0.45, "ankle": -0.85,
               "foot": -0.9, "thumb": -0.1}
    joints = np.zeros((layout.num_joints, 3), np.float32)
    for i, name in enumerate(layout.joints):
        part = next(word for word in heights if word in name)
        aside = {"shoulder": 0.2, "elbow": 0.25, "wrist": 0.25, "hand": 0.25}.get(part, 0.1)
        side = -1 if name.startswith("left") else 1 if name.startswith("right") else 0
        joints[i] = side * aside, heights[part], 3.0 - 0.15 * (part == "foot")
    return joints

"""Kicks ahead and kicks back, as different sensors give them: they differ by where ahead is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from stores import standing_3d, write_store

from skelact.config import ClipConfig, NetworkConfig, OptimConfig, TrainConfig
from skelact.datasets.store import Store
from skelact.graph.layouts import get_layout
from skelact.pose.recording import PoseTrack, Recording

KICKS = ("kick_ahead", "kick_back")
LABEL_MAP = """
classes:
  ahead: {kinect: [kick_ahead], mocap: [front_kick]}
  back: {kinect: [kick_back], mocap: [rear_kick]}
unshared:
  mocap: [stand]
"""


def in_millimetres_and_mirrored(joints: np.ndarray) -> np.ndarray:
    """``[N, 3, T]`` as a careless sensor writes them: x reversed, the names of joints kept."""
    return joints * np.array([-1000.0, 1000.0, 1000.0])[:, None]


def kicking(action: str, seed: int, layout: str = "kinect20", frames: int = 12,
            distort: Callable[[np.ndarray], np.ndarray] = lambda joints: joints,
            **labels) -> Recording:
    """A person who looks at the sensor and kicks, with the right leg, ahead (-z) or back."""
    random = np.random.default_rng(seed)
    skeleton = get_layout(layout)
    joints = np.repeat(standing_3d(skeleton)[..., None], frames, axis=2)
    joints += random.normal(0, 0.01, joints.shape) + random.normal(0, 0.1, (1, 3, 1))
    leg = [i for i, name in enumerate(skeleton.joints)
           if name.startswith("right") and any(part in name for part in ("knee", "ankle", "foot"))]
    way = {KICKS[0]: -0.6, KICKS[1]: 0.6}.get(action, 0.0)
    joints[leg, 2] += way * np.sin(np.linspace(0, np.pi, frames)) * random.uniform(0.8, 1.2)
    return Recording((PoseTrack(0, distort(joints), np.arange(frames)),), np.arange(frames) / 30,
                     layout, dims=3, fps=30.0, labels={"label": action} | labels)


def write_kicks(folder: Path, name: str, clips: int = 24, names: tuple[str, ...] = KICKS,
                **fields) -> Store:
    """A store of both kicks in turn by four people, one of whom is tested."""
    return write_store(folder, (
        kicking(KICKS[i % 2], i, subject=i // 2 % 4, clip_id=f"clip{i:02}",
                splits=["test" if i // 2 % 4 == 3 else "train"], **fields, label=names[i % 2])
        for i in range(clips)), name)


def quick(**fields) -> TrainConfig:
    """Settings of a run that learns kicks in two seconds."""
    return TrainConfig(**({
        "precision": "fp32", "device": "cpu", "test_clips": 1, "workers": 0, "validate": False,
        "clip": ClipConfig(frames=8, normalise="auto", confidence=False),
        "network": NetworkConfig(base_channels=8),
        "optim": OptimConfig(optimizer="adamw", epochs=12, batch_size=6, lr=0.01,
                             label_smoothing=0.1, warmup_epochs=1.0)} | fields))

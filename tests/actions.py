"""Two actions that a tiny network tells apart in a second: arms that swing, legs that swing."""

from pathlib import Path

import numpy as np
from recordings import standing
from stores import standing_3d, write_store

from skelact.config import ClipConfig, NetworkConfig, OptimConfig, TrainConfig
from skelact.datasets.store import Store
from skelact.graph.layouts import get_layout
from skelact.pose.recording import PoseTrack, Recording

PARTS = {"arms": ("elbow", "wrist"), "legs": ("knee", "ankle")}


def swinging(action: str, seed: int, layout: str = "penn13", dims: int = 2, people: int = 1,
             frames: int = 16, size=(320, 200), **labels) -> Recording:
    """People who stand somewhere and swing their arms, or legs, each at another moment."""
    random = np.random.default_rng(seed)
    tracks = []
    for m in range(people):
        body = standing(layout, left=60 + 80 * m) if dims == 2 else standing_3d(get_layout(layout))
        joints = np.repeat(body[..., None], frames, axis=2)
        unit = 40 if dims == 2 else 0.5
        place = slice(0, dims)
        joints[:, place] += random.normal(0, 0.2 * unit, (1, dims, 1))
        joints[:, place] += random.normal(0, 0.03 * unit, (len(joints), dims, frames))
        moving = [i for i, name in enumerate(get_layout(layout).joints)
                  if any(part in name for part in PARTS[action])]
        joints[moving, 0] += unit * np.sin(np.linspace(0, 9, frames) + random.uniform(0, 6))
        tracks.append(PoseTrack(m, joints, np.arange(frames)))
    return Recording(tuple(tracks), np.arange(frames) / 25, layout, dims=dims, fps=25.0,
                     image_size=size if dims == 2 else None, labels={"label": action} | labels)


def write_actions(folder: Path, clips: int = 24, name: str = "gym", subjects: int = 4,
                  first: int = 0, **fields) -> Store:
    """A store of both actions in turn, a quarter of it on the list ``test``.

    Args:
        folder: Where.
        clips: How many.
        name: Of the data set.
        subjects: How many; 0 for unknown.
        first: Seed of the first clip.
        fields: Of `swinging`.
    """
    return write_store(folder, (
        swinging(tuple(PARTS)[i % 2], first + i, clip_id=f"clip{i:02}",
                 splits=["test" if i // 2 % 4 == 3 else "train"],
                 **({"subject": i // 2 % subjects} if subjects else {}), **fields)
        for i in range(clips)), name)


def write_others(folder: Path, labels=("wave", "bow"), subjects=(1, 2, 3), **fields) -> str:
    """A store of other actions, one clip each of every subject; gives its folder."""
    return str(write_store(folder, (
        swinging("arms", 10 * n + subject, label=label, subject=subject,
                 clip_id=f"{label}-{subject}", **fields)
        for n, label in enumerate(labels) for subject in subjects), "others").folder)


def settings(data, **fields) -> TrainConfig:
    """A run that takes about a second."""
    return TrainConfig(data=str(data), **({
        "precision": "fp32", "device": "cpu", "test_clips": 1, "workers": 0,
        "clip": ClipConfig(layout="auto", frames=8), "network": NetworkConfig(base_channels=4),
        "optim": OptimConfig(epochs=2, batch_size=6, lr=0.02, warmup_epochs=1.0)} | fields))

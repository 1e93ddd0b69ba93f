"""People in 3-D whose axes are known: each stands, bends an arm to its front, and works with it."""

from dataclasses import replace

import numpy as np
from stores import standing_3d

from skelact.datasets.arrays import ClipArrays
from skelact.graph.layouts import get_layout
from skelact.pose.recording import PoseTrack, Recording


def workers(count: int = 24, layout: str = "kinect20", frames: int = 20, seed: int = 0,
            hand: str = "right", reach: float = 1.0, labels=("a",)) -> list[Recording]:
    """Clips in metres, y up, right-handed: one hand moves about in front of the body.

    Args:
        count: Clips.
        layout: The skeleton.
        frames: Of a clip.
        seed: Of places, sizes, directions and motion.
        hand: Which works.
        reach: How far in front, 0 for beside the body.
        labels: Of the clips in turn.
    """
    random, found = np.random.default_rng(seed), []
    names = get_layout(layout).joints
    for i in range(count):
        body = np.repeat(standing_3d(get_layout(layout))[None], frames, axis=0).astype(float)
        time = np.linspace(0, random.uniform(3, 6), frames)
        for side in ("left", "right"):
            shoulder = body[:, names.index(f"{side}_shoulder")]
            busy = 1.0 if side == hand else 0.1
            swing = busy * np.stack([np.sin(time), np.cos(1.3 * time), 0.3 * np.sin(2 * time)], 1)
            elbow = shoulder + np.array([0, -0.29, 0]) + 0.05 * swing * reach
            forearm = np.array([0, -0.2, -0.15]) + 0.12 * swing
            forearm = forearm * [1, 1, reach]
            wrist = elbow + 0.25 * forearm / np.linalg.norm(forearm, axis=1, keepdims=True)
            body[:, names.index(f"{side}_elbow")] = elbow
            body[:, names.index(f"{side}_wrist")] = wrist
            for hanging in (f"{side}_hand", f"{side}_hand_tip", f"{side}_thumb"):
                if hanging in names:
                    body[:, names.index(hanging)] = wrist + (wrist - elbow) * 0.3
        yaw = random.uniform(-0.6, 0.6)
        turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        body = (body - [0, 0, 3]) @ turn.T * random.uniform(0.9, 1.1)
        body += [random.uniform(-0.5, 0.5), 0, random.uniform(2.5, 3.5)]
        body += random.normal(0, 0.004, body.shape)
        track = PoseTrack(0, body.transpose(1, 2, 0).astype(np.float32), np.arange(frames))
        found.append(Recording((track,), np.arange(frames) / 30, layout, dims=3, fps=30.0, labels={
            "clip_id": f"w{i}", "label": labels[i % len(labels)]}))
    return found


def worker_arrays(**fields) -> ClipArrays:
    """The same as arrays; see `workers`."""
    return ClipArrays.from_recordings(workers(**fields))


def changed(arrays: ClipArrays, *rows) -> ClipArrays:
    """Every joint times the matrix of these rows."""
    return replace(arrays, joints=(arrays.joints @ np.array(rows, float).T).astype(np.float32))

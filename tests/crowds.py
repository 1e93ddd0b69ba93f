"""Long made-up recordings of people who move, with the noise of a detector."""

import numpy as np
from recordings import standing

from skelact.graph.layouts import get_layout
from skelact.pose.recording import PoseTrack, Recording

LABELS = ("squat", "jumping_jacks", "baseball_swing", "tennis_forehand", "bowl", "push_up")


def crowd(seconds: float = 600.0, fps: float = 30.0, people: int = 5, dims: int = 2,
          layout: str = "coco17", noise: float | None = None, seed: int = 0) -> Recording:
    """People who walk about and swing their limbs all the time.

    Every joint gets noise of its own in every frame (1 pixel of 1280, or 5 mm), the coordinates
    and the confidence of a detector, so nothing repeats.
    """
    random = np.random.default_rng(seed)
    frames = round(seconds * fps)
    times = np.arange(frames) / fps
    noise = (1.0 if dims == 2 else 0.005) if noise is None else noise
    tracks = tuple(PoseTrack(m + 1, _person(times, m, people, dims, layout, noise, random),
                             np.arange(frames)) for m in range(people))
    return Recording(tracks, times, layout, dims=dims, fps=fps,
                     image_size=(1280, 720) if dims == 2 else None, source="crowd.mp4")


def _person(times, m: int, people: int, dims: int, layout: str, noise: float, random):
    """``[N, 3, T]`` float32."""
    height = 320.0 if dims == 2 else 1.7
    base = standing(layout, 0.0, 0.0, height)[:, :2, None]
    count = get_layout(layout).num_joints
    pace, phase = random.uniform(0.5, 2.0, (count, 1)), random.uniform(0, 6.28, (count, 1))
    swing = 0.06 * height * np.sin(2 * np.pi * pace * times + phase)
    walk = 0.25 * height * np.sin(2 * np.pi * times / (9 + m))
    flat = base + np.stack([swing + walk, 0.5 * swing], axis=1)
    if dims == 2:
        flat += np.array([1280 * (m + 0.5) / people, 250.0])[:, None]
        third = np.clip(random.normal(0.85, 0.1, swing.shape), 0.0, 1.0)
        flat += random.normal(0, noise, flat.shape)
        return np.concatenate([flat, third[:, None]], axis=1).astype(np.float32)
    deep = 3.0 + 0.5 * m + 0.3 * np.sin(2 * np.pi * times / 7 + m) + 0.5 * swing
    joints = np.stack([1.2 * (people / 2 - m) - flat[:, 0], 1.0 - flat[:, 1], deep], axis=1)
    return (joints + random.normal(0, noise, joints.shape)).astype(np.float32)


def named(recording: Recording, every: float = 12.0, seed: int = 0) -> dict:
    """A result for a recording: an action of 2 to 6 s in each stretch of ``every`` seconds."""
    random = np.random.default_rng(seed)
    tracks = []
    for track in recording.tracks:
        times = recording.track_times(track)
        segments = []
        for start in np.arange(times[0], times[-1] - 7, every):
            begin, length = start + random.uniform(0, 2), random.uniform(2, 6)
            names = random.permutation(LABELS)[:5].tolist()
            scores = [float(random.uniform(0.55, 0.99)), 0.2, 0.1, 0.05, 0.01]
            segments.append({"start": float(begin), "end": float(begin + length),
                             "label": names[0], "score": scores[0],
                             "top": [list(pair) for pair in zip(names, scores, strict=True)]})
        tracks.append({"track_id": track.track_id, "start": float(times[0]),
                       "end": float(times[-1]), "segments": segments})
    return {"source": recording.source, "fps": recording.fps, "duration": recording.duration,
            "model": "made up", "classes": list(LABELS), "tracks": tracks}

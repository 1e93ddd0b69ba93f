"""Made-up clips as pyskl's pickles hold them."""

import pickle
from pathlib import Path

import numpy as np


def clip_3d(name: str = "S001C002P003R002A005", label: int = 4, frames: int = 12,
            people: int = 2, joints: int = 25) -> dict:
    """Person 1 from frame 0 on; further ones are absent from the second half."""
    random = np.random.default_rng(len(name) + label)
    keypoint = random.normal(0, 1, (people, frames, joints, 3)).astype(np.float16)
    keypoint[1:, frames // 2 :] = 0
    keypoint[0, 3, 7] = 0  # one joint that was not seen
    return {"frame_dir": name, "label": label, "total_frames": frames, "keypoint": keypoint}


def clip_2d(name: str = "v_bow_g01_c01", label: int = 4, frames: int = 12,
            people: int = 1) -> dict:
    random = np.random.default_rng(len(name) + label)
    keypoint = random.uniform(1, 300, (people, frames, 17, 2)).astype(np.float16)
    score = random.uniform(0.1, 1.02, (people, frames, 17)).astype(np.float16)
    keypoint[0, 2, 5] = score[0, 2, 5] = 0
    return {"frame_dir": name, "label": label, "total_frames": frames, "img_shape": (240, 320),
            "original_shape": (240, 320), "keypoint": keypoint, "keypoint_score": score}


def write(path: Path, content, protocol: int = 4) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol))
    return path


def write_kinetics(folder: Path, walks: dict[str, np.ndarray]) -> Path:
    """Annotations beside ``kpfiles``; each walk is ``[S, 18]``: frame, then 17 x of joints."""
    annotations = []
    stored = {}
    for name, walk in walks.items():
        frames = walk[:, 0].astype(np.int16)
        keypoint = np.ones((len(walk), 17, 3), np.float16)
        keypoint[..., 0] = walk[:, 1:]
        keypoint[..., 1] = np.linspace(40, 160, 17)
        stored[name] = {"keypoint": keypoint}
        annotations.append({
            "frame_dir": name, "label": 1, "img_shape": (240, 320), "original_shape": (240, 320),
            "total_frames": int(frames.max()) + 1, "frame_inds": frames,
            "box_score": np.full(len(walk), 0.9, np.float16), "valid": {0.5: 3},
            "raw_file": "/data/kpfiles/part_0.pkl"})
    write(folder / "kpfiles" / "part_0.pkl", stored)
    return write(folder / "k400_hrnet.pkl", {
        "split": {"train": list(walks), "val": []}, "annotations": annotations})

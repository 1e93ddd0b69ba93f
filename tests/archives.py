"""Files out of the shared archives, and small made-up data sets in the form of the real ones."""

import itertools
import tarfile
from pathlib import Path

import numpy as np
import scipy.io


def unpack(archive: Path, folder: Path, first: int | None = None) -> Path:
    """Unpack the files of an archive, or the first so many of them; gives ``folder``."""
    with tarfile.open(archive) as tar:
        files = (member for member in tar if member.isfile())
        for member in itertools.islice(files, first):
            tar.extract(member, folder, filter="data")
    return folder


def swinging(label: int, frames: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """``[T, 13]`` x and y of a Penn Action body: label 0 swings its arms, 1 its legs."""
    random = np.random.default_rng(seed)
    levels = np.array([0, 20, 20, 45, 45, 70, 70, 70, 70, 105, 105, 140, 140], float)
    sides = np.array([0] + [-1, 1] * 6, float)
    x = np.repeat((100 + 15 * sides)[None], frames, axis=0) + random.normal(0, 1, (frames, 13))
    y = np.repeat((40 + levels)[None], frames, axis=0) + random.normal(0, 1, (frames, 13))
    swing = 30 * np.sin(np.linspace(0, 4 * np.pi, frames) + random.uniform(0, 6))[:, None]
    moving = slice(3, 7) if label == 0 else slice(9, 13)
    y[:, moving] += swing
    return x, y


def write_penn_clip(path: Path, label: str, in_train: bool, x: np.ndarray, y: np.ndarray,
                    **changes) -> Path:
    """A Penn Action annotation as published; ``changes`` replace entries, None leaves one out."""
    content = {
        "x": x, "y": y, "visibility": np.ones_like(x), "action": label,
        "train": 1 if in_train else -1, "nframes": len(x), "dimensions": [270, 480, len(x)],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {k: v for k, v in (content | changes).items() if v is not None})
    return path


def write_penn_action(folder: Path, train: int = 24, test: int = 8) -> Path:
    """A data set of two easily told actions: jumping_jacks (arms) and squat (legs)."""
    for i in range(train + test):
        x, y = swinging(i % 2, frames=20 + i % 7, seed=i)
        write_penn_clip(folder / "labels" / f"{i + 1:04}.mat", ("jumping_jacks", "squat")[i % 2],
                        i < train, x, y)
    return folder


def write_utd_mhad(folder: Path, subjects: int = 2, actions: tuple[int, ...] = (1, 4)) -> Path:
    """People who stand and wave a little, as UTD-MHAD skeletons."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for subject in range(1, subjects + 1):
        for action in actions:
            body = random.normal(0, 0.3, (20, 3, 1)) + random.normal(0, 0.02, (20, 3, 30))
            scipy.io.savemat(folder / f"a{action}_s{subject}_t1_skeleton.mat", {"d_skel": body})
    return folder

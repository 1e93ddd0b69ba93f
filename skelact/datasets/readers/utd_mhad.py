"""UTD-MHAD: 861 Kinect v1 skeletons of 27 actions by 8 subjects, 3-D."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.io

from skelact.errors import FileFormatError
from skelact.pose.recording import PoseTrack, Recording

CLASSES = (
    "swipe_left", "swipe_right", "wave", "clap", "throw", "arm_cross", "basketball_shoot",
    "draw_x", "draw_circle_clockwise", "draw_circle_counterclockwise", "draw_triangle", "bowling",
    "boxing", "baseball_swing", "tennis_swing", "arm_curl", "tennis_serve", "push", "knock",
    "catch", "pick_up_and_throw", "jog", "walk", "sit_to_stand", "stand_to_sit", "lunge", "squat",
)
FPS = 30.0
_NAME = re.compile(r"a(\d+)_s(\d+)_t(\d+)_skeleton")


def read_utd_mhad(folder: str | Path) -> Iterator[Recording]:
    """Recordings of a UTD-MHAD ``Skeleton`` folder; ``labels`` holds label, subject and clip_id.

    Args:
        folder: The folder of ``aA_sS_tT_skeleton.mat`` files, or one above it.

    Raises:
        FileFormatError: No such files, or a file that is not what UTD-MHAD publishes.

    Source: Chen, Jafari and Kehtarnavaz, "UTD-MHAD", ICIP 2015.
    """
    files = find_utd_mhad(folder)
    if not files:
        raise FileFormatError(f"no UTD-MHAD skeletons (a1_s1_t1_skeleton.mat, ...) in {folder}")
    for file in files:
        yield _read_clip(file)


def find_utd_mhad(folder: str | Path) -> list[Path]:
    """The files in or below a folder that are named as UTD-MHAD names its skeletons."""
    return sorted(f for f in Path(folder).rglob("*_skeleton.mat") if _NAME.fullmatch(f.stem))


def _read_clip(file: Path) -> Recording:
    action, subject, _ = map(int, _NAME.fullmatch(file.stem).groups())
    try:
        joints = np.asarray(scipy.io.loadmat(file)["d_skel"], np.float32)
        label = dict(enumerate(CLASSES, start=1))[action]
        track = PoseTrack(0, joints, np.arange(joints.shape[2]))
        return Recording(
            tracks=(track,), timestamps=np.arange(len(track)) / FPS, layout="utd20", dims=3,
            fps=FPS, source=file.name, estimator="Kinect v1",
            labels={"label": label, "subject": subject, "clip_id": file.stem},
        )
    except Exception as error:  # scipy raises many kinds for damaged MATLAB files
        raise FileFormatError(f"{file} is not a UTD-MHAD skeleton: {error!r}") from error

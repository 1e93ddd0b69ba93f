"""UTD-MHAD: 861 Kinect v1 skeletons of 27 actions by 8 subjects, 3-D."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import find_named, read_each, single_person
from skelact.datasets.readers.matlab import load_matlab
from skelact.errors import FileFormatError
from skelact.pose.recording import Recording

CLASSES = (
    "swipe_left", "swipe_right", "wave", "clap", "throw", "arm_cross", "basketball_shoot",
    "draw_x", "draw_circle_clockwise", "draw_circle_counterclockwise", "draw_triangle", "bowling",
    "boxing", "baseball_swing", "tennis_swing", "arm_curl", "tennis_serve", "push", "knock",
    "catch", "pick_up_and_throw", "jog", "walk", "sit_to_stand", "stand_to_sit", "lunge", "squat",
)
FPS = 30.0
_NAME = re.compile(r"a(\d+)_s(\d+)_t(\d+)_skeleton")


def find_utd_mhad(path: str | Path) -> list[Path]:
    """The files at or below ``path`` that are named as UTD-MHAD names its skeletons."""
    return find_named(path, ".mat", _NAME)


def read_utd_mhad(path: str | Path, refuse: Refuse = raise_error) -> Iterator[Recording]:
    """Recordings of a UTD-MHAD ``Skeleton`` folder, in layout ``utd20``.

    Args:
        path: The folder of ``aA_sS_tT_skeleton.mat`` files, one above it, or one such file.
        refuse: Told of every file that is not what the data set publishes.

    Raises:
        FileFormatError: There are no such files.

    Source: Chen, Jafari and Kehtarnavaz, "UTD-MHAD", ICIP 2015.
    """
    files = find_utd_mhad(path)
    if not files:
        raise FileFormatError(f"no UTD-MHAD skeletons (a1_s1_t1_skeleton.mat, ...) in {path}")
    yield from read_each(files, _parse, "a UTD-MHAD skeleton", refuse)


def _parse(file: Path) -> Recording:
    action, subject, repetition = map(int, _NAME.fullmatch(file.stem).groups())
    label = dict(enumerate(CLASSES, start=1))[action]
    return single_person(
        np.asarray(load_matlab(file, "d_skel")["d_skel"], np.float32), layout="utd20", fps=FPS,
        source=file.name, estimator="Kinect v1",
        labels={"label": label, "subject": subject, "repetition": repetition,
                "clip_id": file.stem},
    )

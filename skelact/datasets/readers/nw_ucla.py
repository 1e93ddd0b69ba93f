"""NW-UCLA: 1,494 Kinect v1 skeletons of 10 actions in 3 views, 3-D."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import find_named, load_json, read_each, single_person
from skelact.errors import FileFormatError
from skelact.pose.recording import Recording

CLASSES = {
    1: "pick_up_with_one_hand", 2: "pick_up_with_two_hands", 3: "drop_trash", 4: "walk_around",
    5: "sit_down", 6: "stand_up", 8: "donning", 9: "doffing", 11: "throw", 12: "carry",
}
ASSUMED_FPS = 30.0
"""The data set states no frame rate."""
_NAME = re.compile(r"a(\d+)_s(\d+)_e(\d+)_v(\d+)")


def find_nw_ucla(path: str | Path) -> list[Path]:
    """The files at or below ``path`` that are named as NW-UCLA names its skeletons."""
    return find_named(path, ".json", _NAME)


def read_nw_ucla(path: str | Path, refuse: Refuse = raise_error) -> Iterator[Recording]:
    """Recordings of NW-UCLA, in layout ``kinect20``; the camera is the view.

    Args:
        path: The folder of ``aXX_sYY_eZZ_vWW.json`` files, one above it, or one such file.
        refuse: Told of every file that is not what the data set publishes.

    Raises:
        FileFormatError: There are no such files.

    Source: Wang et al., "Cross-View Action Modeling, Learning and Recognition", CVPR 2014.
    """
    files = find_nw_ucla(path)
    if not files:
        raise FileFormatError(f"no NW-UCLA skeletons (a01_s01_e00_v01.json, ...) in {path}")
    yield from read_each(files, _parse, "an NW-UCLA skeleton", refuse)


def _parse(file: Path) -> Recording:
    action, subject, repetition, view = map(int, _NAME.fullmatch(file.stem).groups())
    frames = np.asarray(load_json(file)["skeletons"], np.float32)
    return single_person(
        frames.transpose(1, 2, 0), layout="kinect20", fps=ASSUMED_FPS, source=file.name,
        estimator="Kinect v1",
        labels={"label": CLASSES[action], "subject": subject, "camera": view,
                "repetition": repetition, "clip_id": file.stem, "fps_assumed": True},
    )

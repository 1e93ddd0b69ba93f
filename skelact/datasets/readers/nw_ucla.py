"""NW-UCLA: 1,494 Kinect v1 skeletons of 10 actions in 3 views, 3-D."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.errors import FileFormatError, SkelactError
from skelact.pose.recording import PoseTrack, Recording

CLASSES = {
    1: "pick_up_with_one_hand", 2: "pick_up_with_two_hands", 3: "drop_trash", 4: "walk_around",
    5: "sit_down", 6: "stand_up", 8: "donning", 9: "doffing", 11: "throw", 12: "carry",
}
ASSUMED_FPS = 30.0
"""The data set states no frame rate."""
_NAME = re.compile(r"a(\d+)_s(\d+)_e(\d+)_v(\d+)")


def read_nw_ucla(folder: str | Path) -> Iterator[Recording]:
    """Recordings of NW-UCLA; ``labels`` holds label, subject, camera and clip_id.

    Args:
        folder: The folder of ``aXX_sYY_eZZ_vWW.json`` files, or one above it.

    Raises:
        FileFormatError: No such files, or a file that is not what the data set publishes.

    Source: Wang et al., "Cross-View Action Modeling, Learning and Recognition", CVPR 2014.
    """
    files = find_nw_ucla(folder)
    if not files:
        raise FileFormatError(f"no NW-UCLA skeletons (a01_s01_e00_v01.json, ...) in {folder}")
    for file in files:
        yield _read_clip(file)


def find_nw_ucla(folder: str | Path) -> list[Path]:
    """The files in or below a folder that are named as NW-UCLA names its skeletons."""
    return sorted(f for f in Path(folder).rglob("a*.json") if _NAME.fullmatch(f.stem))


def _read_clip(file: Path) -> Recording:
    action, subject, _, view = map(int, _NAME.fullmatch(file.stem).groups())
    try:
        frames = np.asarray(json.loads(file.read_text("utf-8"))["skeletons"], np.float32)
        label = CLASSES[action]
        track = PoseTrack(0, frames.transpose(1, 2, 0), np.arange(len(frames)))
        return Recording(
            tracks=(track,), timestamps=np.arange(len(track)) / ASSUMED_FPS, layout="kinect20",
            dims=3, fps=ASSUMED_FPS, source=file.name, estimator="Kinect v1",
            labels={"label": label, "subject": subject, "camera": view, "clip_id": file.stem},
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SkelactError) as error:
        raise FileFormatError(f"{file} is not an NW-UCLA skeleton: {error!r}") from error

"""Penn Action: 2,326 annotated clips of 15 actions, 13 joints, 2-D."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.io

from skelact.errors import FileFormatError
from skelact.pose.recording import PoseTrack, Recording

ASSUMED_FPS = 30.0
"""The data set states no frame rate."""
_CORNER = 2.0
"""Pixels: annotators left joints that they could not place at (1, 1). In many clips the annotations
were scaled afterwards, so that this is (0.67, 0.67), (1.5, 1.5), ...: always equal, below 2."""
_SPLITS = {1: "train", -1: "test"}


def read_penn_action(folder: str | Path) -> Iterator[Recording]:
    """Recordings of a Penn Action ``labels`` folder, in order of their numbers.

    A joint's confidence is the published visibility (1 seen, 0 guessed by the annotator); joints
    that the annotators left in the top left corner are missing. ``labels`` holds ``label``,
    ``split`` (``train`` or ``test``) and ``clip_id``.

    Args:
        folder: The ``labels`` folder (``NNNN.mat`` files), or the one that holds it.

    Raises:
        FileFormatError: No such files, or a file that is not what Penn Action publishes.

    Source: Zhang, Zhu and Derpanis, "From Actemes to Action", ICCV 2013.
    """
    folder = Path(folder)
    folder = folder / "labels" if (folder / "labels").is_dir() else folder
    files = sorted(folder.glob("[0-9]*.mat"))
    if not files:
        raise FileFormatError(f"no Penn Action annotations (0001.mat, ...) in {folder}; download "
                              "the data set and pass its `labels` folder")
    for file in files:
        yield _read_clip(file)


def _read_clip(file: Path) -> Recording:
    try:
        content = scipy.io.loadmat(file)
        x, y, visible = (np.asarray(content[key], np.float32) for key in ("x", "y", "visibility"))
        joints = np.stack([x, y, visible]).transpose(2, 0, 1)
        height, width = map(int, content["dimensions"][0, :2])
        # the label files disagree on one name: strum_guitar is also spelled strumming_guitar
        label = str(content["action"][0]).replace("strumming", "strum")
        split = _SPLITS[int(content["train"][0, 0])]
        untouched = (joints[:, :2] < _CORNER).all(axis=1, keepdims=True) & (joints[:, 2:] == 0)
        joints[:, :2][np.broadcast_to(untouched, joints[:, :2].shape)] = np.nan
        frames = joints.shape[2]
        return Recording(
            tracks=(PoseTrack(0, joints, np.arange(frames)),),
            timestamps=np.arange(frames) / ASSUMED_FPS,
            layout="penn13",
            fps=ASSUMED_FPS,
            image_size=(width, height),
            source=file.name,
            estimator="annotated by hand",
            labels={"label": label, "split": split, "clip_id": file.stem},
        )
    except Exception as error:  # scipy raises many kinds for damaged MATLAB files
        raise FileFormatError(f"{file} is not a Penn Action annotation: {error!r}") from error

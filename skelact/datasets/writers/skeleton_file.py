"""Writer of NTU RGB+D ``.skeleton`` files."""

import itertools
from pathlib import Path

import numpy as np

from skelact.datasets.readers.skeleton_file import NUM_JOINTS, RawCapture
from skelact.output import write_text


def write_skeleton_file(capture: RawCapture, path: str | Path, overwrite: bool = False) -> Path:
    """Write a capture as a ``.skeleton`` file, atomically; see `format_capture`.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    return write_text(path, format_capture(capture), overwrite)


def format_capture(capture: RawCapture) -> str:
    """The text of a ``.skeleton`` file.

    Coordinates are written so that they read back as the same float32. What a `RawCapture` does
    not hold (depth and colour pixels, orientations, hands, lean) is written as 0.
    """
    counts = np.bincount(capture.frame_index, minlength=capture.num_frames).tolist()
    bodies = zip(capture.body_ids.tolist(), capture.joints.astype(str).tolist(),
                 capture.tracking.tolist(), strict=True)
    lines = [str(capture.num_frames)]
    for count in counts:
        lines.append(str(count))
        for body_id, joints, tracking in itertools.islice(bodies, count):
            lines += [f"{body_id} 0 0 0 0 0 0 0 0 2", str(NUM_JOINTS)]
            lines += [f"{x} {y} {z} 0 0 0 0 0 0 0 0 {state}"
                      for (x, y, z), state in zip(joints, tracking, strict=True)]
    return "\n".join(lines) + "\n"

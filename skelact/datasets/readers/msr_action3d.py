"""MSR-Action3D: 567 Kinect v1 skeletons of 20 actions by 10 subjects, 3-D."""

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
    "high_arm_wave", "horizontal_arm_wave", "hammer", "hand_catch", "forward_punch", "high_throw",
    "draw_x", "draw_tick", "draw_circle", "hand_clap", "two_hand_wave", "side_boxing", "bend",
    "forward_kick", "side_kick", "jogging", "tennis_swing", "tennis_serve", "golf_swing",
    "pick_up_and_throw",
)
ASSUMED_FPS = 15.0
"""The authors say "about 15 frames per second"; the files carry no times."""
USED = "used"
"""Name of the official list of 557 sequences that papers evaluate on."""
_NAME = re.compile(r"(a(\d+)_s(\d+)_e(\d+))_skeleton3D")


def find_msr_action3d(path: str | Path) -> list[Path]:
    """The files at or below ``path`` that are named as MSR-Action3D names its 3-D skeletons."""
    return find_named(path, ".txt", _NAME)


def read_msr_action3d(path: str | Path, refuse: Refuse = raise_error) -> Iterator[Recording]:
    """Recordings of MSR-Action3D, in layout ``msr20``.

    A joint at (0, 0, 0) is missing, a frame of zeros is one without the person. A joint of
    confidence 0 that has a place was guessed by the sensor: it stays, with that confidence.
    ``labels["splits"]`` is ``["used"]`` for the 557 sequences that ``files_used.mat`` lists, if
    that file lies beside the skeletons or one or two folders above.

    Args:
        path: The folder of ``aAA_sSS_eEE_skeleton3D.txt`` files, one above it, or one such file.
        refuse: Told of every file that is not what the data set publishes, and of files that
            hold nothing but zeros (``a13_s09_e02``).

    Raises:
        FileFormatError: There are no such files, or ``files_used.mat`` is damaged.

    Source: Li, Zhang and Liu, "Action Recognition Based on A Bag of 3D Points", CVPRW 2010.
    """
    files = find_msr_action3d(path)
    if not files:
        raise FileFormatError("no MSR-Action3D skeletons (a01_s01_e01_skeleton3D.txt, ...) in "
                              f"{path}")
    used = {folder: _read_used(folder) for folder in {file.parent for file in files}}
    yield from read_each(files, lambda file: _parse(file, used[file.parent]),
                         "an MSR-Action3D skeleton", refuse)


def _parse(file: Path, used: frozenset[str]) -> Recording:
    name, *numbers = _NAME.fullmatch(file.stem).groups()
    action, subject, repetition = map(int, numbers)
    text = file.read_text("ascii")
    values = np.array(text.split(), np.float32)
    if len(values) == 0 or len(values) % 80:
        raise FileFormatError(f"expected 20 rows of 4 numbers a frame, got {len(values)} numbers")
    frames = values.reshape(-1, 20, 4).transpose(1, 2, 0)
    labels = {"label": dict(enumerate(CLASSES, start=1))[action], "subject": subject,
              "repetition": repetition, "clip_id": name, "fps_assumed": True}
    if name in used:
        labels["splits"] = [USED]
    return single_person(frames[:, :3], frames[:, 3], layout="msr20", fps=ASSUMED_FPS,
                         source=file.name, estimator="Kinect v1", labels=labels)


def _read_used(folder: Path) -> frozenset[str]:
    """The names in the nearest ``files_used.mat``; none without it."""
    folder = folder.resolve()
    for place in (folder, *folder.parents[:2]):
        if (file := place / "files_used.mat").is_file():
            try:
                rows = load_matlab(file, "files_used")["files_used"].ravel()
                return frozenset(str(row[0]).strip() for row in rows)
            except (FileFormatError, KeyError, IndexError, TypeError, AttributeError) as error:
                raise FileFormatError(f"{file} is not the list of MSR-Action3D: {error}") from error
    return frozenset()

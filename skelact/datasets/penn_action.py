"""Penn Action as a training set, and what may stand in for everything else."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from skelact.datasets.readers.nw_ucla import find_nw_ucla, read_nw_ucla
from skelact.datasets.readers.utd_mhad import find_utd_mhad, read_utd_mhad
from skelact.errors import FileFormatError
from skelact.pose.recording import Recording

CLASSES = (
    "baseball_pitch", "baseball_swing", "bench_press", "bowl", "clean_and_jerk", "golf_swing",
    "jump_rope", "jumping_jacks", "pullup", "pushup", "situp", "squat", "strum_guitar",
    "tennis_forehand", "tennis_serve",
)
TERMS = "annotations published for research; see the model card"
SAME_ACTION = {"bowling": "bowl", "baseball_swing": "baseball_swing", "squat": "squat",
               "tennis_swing": "tennis_forehand", "tennis_serve": "tennis_serve"}
"""Labels of other data sets that show one of the classes. Without them a network could tell the
classes from everything else by the sensor alone."""
LOOKALIKES = {"throw", "pick_up_and_throw", "lunge"}
"""Labels of other data sets that nearly show one of the classes; they are left out."""


def read_background(folders: Iterable[str | Path]) -> Iterator[Recording]:
    """Recordings of UTD-MHAD or NW-UCLA: other actions, and a few of the classes.

    Labels that mean one of the classes are renamed to it. ``labels["last_subject"]`` marks the
    subject with the highest number of each set.

    Args:
        folders: One folder a data set.

    Raises:
        FileFormatError: A folder holds neither.
    """
    for folder in folders:
        recordings = list(_read_either(folder))
        last = max(recording.labels["subject"] for recording in recordings)
        for recording in recordings:
            if recording.labels["label"] not in LOOKALIKES:
                label = recording.labels["label"]
                facts = {"label": SAME_ACTION.get(label, label),
                         "last_subject": recording.labels["subject"] == last}
                yield replace(recording, labels=recording.labels | facts)


def _read_either(folder: str | Path) -> Iterator[Recording]:
    if not Path(folder).is_dir():
        raise FileFormatError(f"expected a folder of UTD-MHAD or NW-UCLA skeletons, got {folder}, "
                              "which is no folder")
    for find, read in ((find_utd_mhad, read_utd_mhad), (find_nw_ucla, read_nw_ucla)):
        if find(folder):
            return read(folder)
    raise FileFormatError(f"{folder} holds neither UTD-MHAD nor NW-UCLA skeletons")

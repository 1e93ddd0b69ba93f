"""The course of a run for TensorBoard.

Events are appended to one file a start of the run, record by record and without a thread: what
was logged is on its way to the disk when `log_events` returns. ``SummaryWriter`` writes behind
our back, a new file every time it is opened, and the name of the machine into the file's name.

A resumed run begins a further file. It opens with the word that all earlier points are void, and
holds the epochs before the resumption too: no point shows twice, and none is missing.
"""

import math
import time
from collections.abc import Sequence
from pathlib import Path

TAGS = {
    "loss": "loss/train", "val_loss": "loss/val", "train_accuracy": "accuracy/train",
    "val_accuracy": "accuracy/val", "lr": "learning_rate", "seconds": "time/seconds",
    "data_share": "time/data_share",
}
"""Columns of the history that are shown, and what TensorBoard calls them."""

_PATTERN = "events.out.tfevents.*"


def log_events(folder: str | Path, history: Sequence[dict]) -> None:
    """Append the last epoch; all of them where this start of the run has logged none.

    Args:
        folder: The folder for TensorBoard.
        history: A row an epoch so far; the epoch is the step of the curves.
    """
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder, now = Path(folder), time.time()
    if not list(folder.glob(_PATTERN)):
        restart_events(folder)
    with max(folder.glob(_PATTERN)).open("ab") as file:
        writer = RecordWriter(file)
        if file.tell() == 0:
            start = SessionLog(status=SessionLog.START)  # what has a step from 1 on is void
            writer.write(Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
            writer.write(Event(wall_time=now, step=1, session_log=start).SerializeToString())
        else:
            history = history[-1:]
        for row in history:
            event = Event(wall_time=now, step=row["epoch"], summary=_values(row))
            writer.write(event.SerializeToString())


def restart_events(folder: str | Path) -> None:
    """Begin a file: the next `log_events` writes all epochs, and those of before are void."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _PATTERN.replace("*", str(time.time_ns()))).touch()


def forget_events(folder: str | Path) -> None:
    """Remove what was logged."""
    for file in Path(folder).glob(_PATTERN):
        file.unlink()


def has_events(folder: str | Path) -> bool:
    """Whether this start of the run has logged anything there."""
    files = list(Path(folder).glob(_PATTERN))
    return bool(files) and max(files).stat().st_size > 0


def _values(row: dict):
    """What is a finite number, as TensorBoard's ``Summary``."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(value=[
        Summary.Value(tag=tag, simple_value=row[name]) for name, tag in TAGS.items()
        if row.get(name) is not None and math.isfinite(row[name])])

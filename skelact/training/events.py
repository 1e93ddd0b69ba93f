"""The course of a run for TensorBoard.

Events are appended to one file a start of the run, record by record and without a thread: what
was logged is on its way to the disk when `log_events` returns. ``SummaryWriter`` writes behind
our back, a new file every time it is opened, and the name of the machine into the file's name.
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
    """Append the last epoch, or write all of them where the folder holds none.

    Args:
        folder: The folder for TensorBoard.
        history: A row an epoch so far; the epoch is the step of the curves.
    """
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder, now = Path(folder), time.time()
    files = sorted(folder.glob(_PATTERN))
    events = []
    for row in history[-1:] if files else history:
        values = [Summary.Value(tag=tag, simple_value=row[name]) for name, tag in TAGS.items()
                  if row.get(name) is not None and math.isfinite(row[name])]
        events.append(Event(wall_time=now, step=row["epoch"], summary=Summary(value=values)))
    if not files:
        # an open TensorBoard then forgets the points that it has read before a resumption
        start = SessionLog(status=SessionLog.START)
        events = [Event(wall_time=now, file_version="brain.Event:2"),
                  Event(wall_time=now, step=1, session_log=start), *events]
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / _PATTERN.replace("*", str(time.time_ns()))]
    with files[-1].open("ab") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString())


def forget_events(folder: str | Path) -> None:
    """Remove what was logged: a resumed run writes it anew, so that no point shows twice."""
    for file in Path(folder).glob(_PATTERN):
        file.unlink()


def has_events(folder: str | Path) -> bool:
    """Whether anything was logged there."""
    return any(Path(folder).glob(_PATTERN))

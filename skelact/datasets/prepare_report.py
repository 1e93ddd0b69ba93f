"""What `prepare` made, and what of it the user should know before going on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelact.datasets.dropped import DROPPED, Dropped, count_failed, describe_dropped
from skelact.datasets.header import Header
from skelact.datasets.protocols import PROTOCOLS
from skelact.datasets.splits import select_rows
from skelact.datasets.store import Store
from skelact.datasets.whole_videos import find_videos
from skelact.errors import SkelactError


@dataclass(frozen=True)
class PrepareReport:
    """What `prepare` made.

    Args:
        store: The folder.
        header: What it holds.
        dropped: What could not be used and why; also in ``dropped.csv`` of the store.
        taken_over: Files that an earlier run had read.
        notes: Further lines for the user.
        shown: The classes of labelled clips.
        videos: How many videos the clips are of; 0 where they are of none.
        trainable: Whether `skelact train` takes it as it is.
    """

    store: Path
    header: Header
    dropped: Dropped
    taken_over: int = 0
    notes: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    videos: int = 0
    trainable: bool = True

    @property
    def failed(self) -> int:
        """How many files or clips failed; those that merely show nobody are not counted."""
        return count_failed(self.dropped)

    def __str__(self) -> str:
        counts, header = self.header.counts, self.header
        source = f" of {_count(self.videos, 'video')}" if self.videos else ""
        lines = [f"{self.store}: {_count(counts['clips'], 'clip')}{source}, "
                 f"{_count(counts['tracks'], 'track')}, {_count(counts['frames'], 'frame')}, "
                 f"{_count(len(header.classes), 'class', 'es')}, layout {header.layout.name!r}, "
                 f"{header.dims}-D"]
        if self.taken_over:
            lines[0] += f"; {self.taken_over} files had been read by an earlier run"
        lines += describe_dropped(self.dropped, self.store / DROPPED)
        return "\n".join([*lines, *self.notes])


def report_store(folder: Path, dropped: Dropped) -> PrepareReport:
    """Look at a store that was made just now.

    Args:
        folder: The store.
        dropped: What was left out.

    Returns:
        What there is to say of it.
    """
    store = Store(folder)
    labels = np.unique(store.arrays.labels)
    shown = tuple(store.header.classes[k] for k in labels[labels >= 0])
    columns, notes, divisible = store.columns(), [], True
    videos = find_videos(columns["source"])
    count = len(np.unique(videos[videos != ""]))
    if len(shown) == 1:
        notes.append(f"warning: all labelled clips show one class, {shown[0]}: `skelact train` "
                     "needs two; add clips of another. `skelact show` and `skelact recognize` do "
                     "without.")
    if count and len(shown) > 1 and store.header.name not in PROTOCOLS:
        divisible, said = _describe_division(columns, videos, store.header.name)
        notes += said
    return PrepareReport(folder, store.header, dropped, notes=tuple(notes), shown=shown,
                         videos=count, trainable=divisible and len(shown) > 1)


def _count(number: int, what: str, plural: str = "s") -> str:
    return f"{number} {what}{plural * (number != 1)}"


def _describe_division(columns: dict, videos: np.ndarray, name: str) -> tuple[bool, list[str]]:
    """Whether videos can be divided, and what to say of the sides that the clips of one are on."""
    try:
        train, val, test = (set(videos[select_rows(columns, part, dataset=name)].tolist()) - {""}
                            for part in ("train", "val", "test"))
    except SkelactError as error:
        return False, [f"warning: `skelact train` cannot divide this set by itself: {error}"]
    if shared := (train | val) & test:
        return True, [f"warning: {len(shared)} of {len(train | val | test)} videos have clips in "
                      f"test and in train or val, such as {min(shared)}: figures will be too "
                      "good. That is how subjects or lists divide them."]
    together = ["Clips of one video stay together: all of them train, validate or test."]
    return True, together if len(train | val | test) < len(videos) else []

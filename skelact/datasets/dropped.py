"""What could not be used of a data set: a list to work with, a CSV to keep, lines to print."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from skelact.errors import EmptyClipError
from skelact.output import atomic_write

DROPPED = "dropped.csv"
FAILED, EMPTY = "failed", "empty"
_SHOWN = 10


class DroppedClip(NamedTuple):
    """A file or clip that could not be used.

    Args:
        source: Which; empty where the reason says it.
        reason: Why.
        kind: ``"failed"``, or ``"empty"``: nothing is wrong with it, but it shows nobody, as some
            recordings of several published data sets.
    """

    source: str
    reason: str
    kind: str = FAILED

    @classmethod
    def by(cls, error: Exception, source: object = "") -> "DroppedClip":
        """What an error says of a file or clip."""
        kind = EMPTY if isinstance(error, EmptyClipError) else FAILED
        return cls(str(source), str(error), kind)


Dropped = list[DroppedClip]


def count_failed(dropped: Iterable[DroppedClip]) -> int:
    """How many are failures; clips that show nobody are none."""
    return sum(clip.kind == FAILED for clip in dropped)


def describe_dropped(dropped: Dropped, where: str | Path | None = None) -> list[str]:
    """Lines to print: how many of each kind, and the first ten, failures before empty clips.

    Args:
        dropped: What could not be used.
        where: The file that lists all of them; None to print all.
    """
    if not dropped:
        return []
    failed = count_failed(dropped)
    counts = [f"{failed} failed"] if failed else []
    counts += [f"{len(dropped) - failed} showing nobody"] if failed < len(dropped) else []
    shown = sorted(dropped, key=lambda clip: clip.kind != FAILED)[: _SHOWN if where else None]
    lines = [f"{len(dropped)} dropped ({', '.join(counts)})"
             + (f", listed with the reason in {where}:" if where else ":")]
    lines += [f"  {clip.kind}: {clip.reason}" for clip in shown]
    if len(shown) < len(dropped):
        lines.append(f"  ... and {len(dropped) - len(shown)} more")
    return lines


def write_dropped(dropped: Dropped, path: Path) -> None:
    """Write what was dropped, and why, as CSV."""
    with (atomic_write(path, overwrite=True) as temporary,
          open(temporary, "w", newline="", encoding="utf-8", errors="backslashreplace") as file):
        csv.writer(file, lineterminator="\n").writerows([DroppedClip._fields, *dropped])


def read_dropped(path: Path) -> Dropped:
    """What `write_dropped` wrote."""
    with open(path, newline="", encoding="utf-8") as file:
        return [DroppedClip(*row) for row in list(csv.reader(file))[1:]]

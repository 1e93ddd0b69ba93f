"""Many files read by several processes, some at a time, in parts that survive a kill.

A part is a folder with a small store and its reports, named after all that decides its content: a
folder of that name is finished, whoever made it.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from skelact.datasets.dropped import DROPPED, Dropped, DroppedClip, read_dropped, write_dropped
from skelact.datasets.formats import get_format
from skelact.datasets.ntu import BodyRow, write_body_report
from skelact.datasets.readers.ntu import read_capture
from skelact.datasets.store import Store, StoreWriter
from skelact.errors import SkelactError
from skelact.output import atomic_write
from skelact.pose.recording import Recording
from skelact.version import __version__

FILES_A_PART = 64
"""Files of one part; the same for any number of processes, so that any can go on with it."""
BODIES = "bodies.csv"


@dataclass(frozen=True)
class Part:
    """Some files that one process reads.

    Args:
        folder: Where what it makes of them goes.
        format: One of `skelact.datasets.formats.FORMATS`.
        files: What to read.
        profile: How NTU RGB+D captures are cleaned.
    """

    folder: Path
    format: str
    files: tuple[Path, ...]
    profile: str | None = None


def plan_parts(
    folder: Path, format: str, files: Sequence[Path], profile: str | None = None
) -> list[Part]:
    """Divide files into parts; their folders are named after the state of the files."""
    parts = []
    for start in range(0, len(files), FILES_A_PART):
        some = tuple(files[start : start + FILES_A_PART])
        digest = hashlib.sha256(repr((__version__, format, profile)).encode())
        for file in some:
            state = file.stat()
            digest.update(repr((str(file), state.st_size, state.st_mtime_ns)).encode())
        parts.append(Part(folder / digest.hexdigest()[:32], format, some, profile))
    return parts


def make_parts(parts: Sequence[Part], jobs: int, progress: bool = False) -> int:
    """Make the parts that are missing.

    Args:
        parts: What `plan_parts` gives.
        jobs: Processes.
        progress: Show a progress bar.

    Returns:
        How many files are in parts that were there.

    Raises:
        SkelactError: A process was killed; what is finished stays.
    """
    missing = [part for part in parts if not part.folder.is_dir()]
    total, left = (sum(len(part.files) for part in some) for some in (parts, missing))
    with tqdm(total=total, initial=total - left, unit=" files", disable=None if progress else True,
              desc=f"reading {parts[0].format}") as bar:
        for part in _make_all(missing, jobs):
            bar.update(len(part.files))
    return total - left


def read_parts(parts: Iterable[Part], dropped: Dropped) -> Iterator[Recording]:
    """The clips of finished parts; ``dropped`` gets what they dropped."""
    for part in parts:
        dropped += read_dropped(part.folder / DROPPED)
        if (part.folder / "store").is_dir():
            store = Store(part.folder / "store")
            yield from map(store.recording, range(len(store)))


def join_bodies(parts: Sequence[Part], path: Path) -> None:
    """One report of all bodies from those of the parts."""
    with atomic_write(path, overwrite=True) as temporary, open(temporary, "wb") as whole:
        for number, part in enumerate(parts):
            with open(part.folder / BODIES, "rb") as report:
                header = report.readline()
                whole.write(header if number == 0 else b"")
                shutil.copyfileobj(report, whole)


def _make_all(parts: list[Part], jobs: int) -> Iterator[Part]:
    """Make parts and give each when it is finished."""
    if jobs == 1 or len(parts) < 2:
        yield from map(_make_part, parts)
        return
    try:
        # spawned, not forked: a copy of a process that runs threads may hang
        with ProcessPoolExecutor(min(jobs, len(parts)), get_context("spawn")) as pool:
            yield from pool.map(_make_part, parts)
    except BrokenProcessPool as error:
        raise SkelactError(
            "a process that read files was killed (out of memory?) or could not start (a script "
            "needs `if __name__ == \"__main__\":` around what it does); finished parts are kept: "
            "run again, with jobs=1 if need be") from error


def _make_part(part: Part) -> Part:
    """Make a part; one that another run has finished in the meantime counts as made."""
    scratch = part.folder.with_name(f"{part.folder.name}.{secrets.token_hex(4)}.tmp")
    scratch.mkdir(parents=True)
    try:
        _fill_part(part, scratch)
        os.rename(scratch, part.folder)
    except OSError:
        if not part.folder.is_dir():
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return part


def _fill_part(part: Part, scratch: Path) -> None:
    dropped: Dropped = []
    bodies: list[BodyRow] = []
    with StoreWriter(scratch / "store") as writer:
        for file in part.files:
            try:
                for recording in _read_file(part, file, dropped, bodies):
                    writer.add(recording)
            except SkelactError as error:
                dropped.append(DroppedClip.by(error, file))
            except Exception as error:  # a fault of ours costs one file, and is listed
                dropped.append(DroppedClip(
                    str(file), f"{file}: unexpected {error!r}; please report it"))
        if len(writer):
            writer.finish()
        else:
            writer.cancel()
    write_dropped(dropped, scratch / DROPPED)
    write_body_report(bodies, scratch / BODIES)


def _read_file(
    part: Part, file: Path, dropped: Dropped, bodies: list[BodyRow]
) -> Iterator[Recording]:
    if part.format == "ntu":
        recording, rows = read_capture(file, part.profile)
        bodies += rows
        return iter((recording,))
    return get_format(part.format).read(file, lambda e: dropped.append(DroppedClip.by(e, file)))

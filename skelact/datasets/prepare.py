"""Foreign data in, one store out; what cannot be used is listed, not fatal.

Formats of many files are read by several processes, some files at a time. Each such part is a
small store in ``OUTPUT.parts``, named after its input files, so that a run that was stopped goes on
with the parts that are missing. Memory does not grow with the number of files.
"""

import csv
import hashlib
import io
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from skelact.checks import check_choice
from skelact.datasets.folders import check_folder, replace_folder
from skelact.datasets.formats import detect_format, get_format
from skelact.datasets.header import Header
from skelact.datasets.store import Store, StoreWriter
from skelact.errors import FileFormatError, SkelactError
from skelact.output import write_text
from skelact.pose.recording import Recording
from skelact.version import __version__

FILES_A_PART = 64
"""Files of one part; the same for any number of processes, so that all can take it over."""
DROPPED = "dropped.csv"
Dropped = list[tuple[str, str]]
"""(file or clip, reason) of what could not be used."""


@dataclass(frozen=True)
class PrepareReport:
    """What `prepare` made.

    Args:
        store: The folder.
        header: What it holds.
        dropped: What could not be used and why; also in ``dropped.csv`` of the store.
        taken_over: Files whose part an earlier run had finished.
    """

    store: Path
    header: Header
    dropped: Dropped
    taken_over: int = 0

    def __str__(self) -> str:
        counts, header = self.header.counts, self.header
        line = (f"{self.store}: {counts['clips']} clips, {counts['tracks']} tracks, "
                f"{counts['frames']} frames, {len(header.classes)} classes, layout "
                f"{header.layout.name!r}, {header.dims}-D")
        if self.taken_over:
            line += f"; {self.taken_over} files were read by an earlier run"
        if self.dropped:
            line += (f"\n{len(self.dropped)} dropped, listed with the reason in "
                     f"{self.store / DROPPED}; the first: {self.dropped[0][1]}")
        return line


def prepare(
    name: str,
    raw: str | Path,
    output: str | Path,
    format: str | None = None,
    profile: str | None = None,
    jobs: int | None = None,
    overwrite: bool = False,
    progress: bool = False,
    **options,
) -> PrepareReport:
    """Make a store of the skeleton data at a path.

    Args:
        name: Name of the data set. An official one (``"nw_ucla"``, ``"ntu60"``) decides its
            protocols; any other is the user's own.
        raw: File or folder of the data.
        output: The store to make.
        format: One of `FORMATS`; by default judged by content.
        profile: How NTU RGB+D captures are cleaned, see `skelact.datasets.ntu`.
        jobs: Processes; by default one a core. More than one needs the usual
            ``if __name__ == "__main__"`` in a script that calls this.
        overwrite: Replace a store that is there.
        progress: Show a progress bar.
        options: Of the reader, such as ``layout`` where a format does not say its skeleton.

    Raises:
        OutputExistsError: ``output`` exists and ``overwrite`` is false.
        FileFormatError: No data of a known format, or none that can be used.
        ChoiceError: No such format, or it has no such option.
    """
    output = check_folder(output, overwrite)
    format = format or detect_format(raw, prefer=name)
    for option in options:
        check_choice(option, get_format(format).options or ("none",), f"an option of {format}")
    files = get_format(format).find(raw)
    if not files:
        raise FileFormatError(f"no {get_format(format).what} in {raw}")
    dropped: Dropped = []
    facts = {"format": format, "profile": profile, "classes": get_format(format).classes}
    if not get_format(format).by_file:
        recordings = read_whole(format, raw, dropped, progress, **options)
        return write_store(recordings, output, name, dropped, overwrite, **facts)
    parts = [_plan_part(_parts_folder(output), format, files[start : start + FILES_A_PART], profile)
             for start in range(0, len(files), FILES_A_PART)]
    done = sum(len(part.files) for part in parts if part.folder.is_dir())
    _make_parts(parts, jobs or os.cpu_count() or 1, progress)
    report = write_store(_read_parts(parts, dropped), output, name, dropped, overwrite, **facts)
    return replace(report, taken_over=done)


def read_whole(
    format: str, path: str | Path, dropped: Dropped, progress: bool = False, **options
) -> Iterator[Recording]:
    """The clips of a format, in this process.

    Args:
        format: One of `FORMATS`.
        path: File or folder.
        dropped: Gets what cannot be used.
        progress: Count the clips on standard error.
        options: Of the reader.
    """
    clips = get_format(format).read(path, lambda error: dropped.append((str(path), str(error))),
                                    **options)
    return tqdm(clips, desc=f"reading {format}", unit=" clips", disable=None if progress else True)


def write_store(
    recordings: Iterable[Recording],
    output: str | Path,
    name: str,
    dropped: Dropped,
    overwrite: bool = False,
    **facts,
) -> PrepareReport:
    """Make a store of recordings as they come; scratch files go to ``OUTPUT.parts``.

    Args:
        recordings: The clips. One that does not fit the others is dropped.
        output: The store to make.
        name: Name of the data set.
        dropped: What was dropped; grows while ``recordings`` are read.
        overwrite: Replace a store that is there.
        facts: Further arguments of `StoreWriter.finish`.

    Raises:
        FileFormatError: No recording could be used.
    """
    output = check_folder(output, overwrite)
    parts = _parts_folder(output)
    with StoreWriter(parts / "store", overwrite=True) as writer:
        for recording in recordings:
            try:
                writer.add(recording)
            except SkelactError as error:
                dropped.append((recording.source, str(error)))
        if not len(writer):
            reasons = "; ".join(reason for _, reason in dropped[:3])
            raise FileFormatError(f"no clip could be used; {len(dropped)} dropped: {reasons}")
        header = writer.finish(name, reports={DROPPED: _to_csv(dropped)}, **facts)
    replace_folder(parts / "store", output, overwrite)
    shutil.rmtree(parts)
    return PrepareReport(output, header, dropped)


@dataclass(frozen=True)
class _Part:
    """Some files that one process reads, and the folder for what it makes of them.

    ``folder`` is named after all that decides its content: a folder of that name is finished.
    """

    folder: Path
    format: str
    files: tuple[Path, ...]
    profile: str | None


def _plan_part(parts: Path, format: str, files: list[Path], profile: str | None) -> _Part:
    digest = hashlib.sha256(repr((__version__, format, profile)).encode())
    for file in files:
        state = file.stat()
        digest.update(repr((str(file), state.st_size, state.st_mtime_ns)).encode())
    return _Part(parts / digest.hexdigest()[:32], format, tuple(files), profile)


def _make_parts(parts: list[_Part], jobs: int, progress: bool) -> None:
    """Make the parts that are missing."""
    bar = tqdm(total=sum(len(part.files) for part in parts), desc=f"reading {parts[0].format}",
               unit=" files", disable=None if progress else True)
    missing = []
    for part in parts:
        if part.folder.is_dir():
            bar.update(len(part.files))
        else:
            missing.append(part)
    with bar:
        if jobs == 1 or len(missing) < 2:
            for part in missing:
                _make_part(part)
                bar.update(len(part.files))
            return
        try:
            # spawned, not forked: forking a process that runs threads may hang
            with ProcessPoolExecutor(min(jobs, len(missing)), get_context("spawn")) as pool:
                for part, _ in zip(missing, pool.map(_make_part, missing), strict=True):
                    bar.update(len(part.files))
        except BrokenProcessPool as error:
            raise SkelactError(
                "a process that read files was killed (out of memory?) or could not start (a "
                "script needs `if __name__ == \"__main__\":` around what it does); the parts made "
                "so far are kept: run again, with jobs=1 if need be") from error


def _make_part(part: _Part) -> None:
    scratch = part.folder.with_suffix(".tmp")
    shutil.rmtree(scratch, ignore_errors=True)  # of a run that was killed
    scratch.mkdir(parents=True)
    dropped: Dropped = []
    with StoreWriter(scratch / "store") as writer:
        for file in part.files:
            try:
                for recording in get_format(part.format).read(
                        file, lambda error, file=file: dropped.append((str(file), str(error)))):
                    writer.add(recording)
            except SkelactError as error:
                dropped.append((str(file), str(error)))
            except Exception as error:  # a fault of ours costs one file, and is listed
                dropped.append((str(file), f"{file}: unexpected {error!r}; please report it"))
        if len(writer):
            writer.finish()
        else:
            writer.cancel()
    write_text(scratch / DROPPED, _to_csv(dropped))
    os.rename(scratch, part.folder)


def _read_parts(parts: list[_Part], dropped: Dropped) -> Iterator[Recording]:
    for part in parts:
        with open(part.folder / DROPPED, newline="", encoding="utf-8") as file:
            dropped += [(source, reason) for source, reason in list(csv.reader(file))[1:]]
        if (part.folder / "store").is_dir():
            store = Store(part.folder / "store")
            yield from map(store.recording, range(len(store)))


def _parts_folder(output: Path) -> Path:
    return output.with_name(output.name + ".parts")


def _to_csv(rows: Dropped) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("source", "reason"), *rows])
    return text.getvalue()

"""Foreign data in, one store out; what cannot be used is listed, not fatal.

Formats of many files are read by several processes in parts (see `parts`), so that a run that was
stopped goes on with those that are missing. Memory does not grow with the number of files.
"""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from skelact.checks import check_choice
from skelact.datasets.catalog import hint
from skelact.datasets.dropped import DROPPED, Dropped, DroppedClip, write_dropped
from skelact.datasets.folders import (
    check_folder,
    make_parts_folder,
    no_empty_parts,
    parts_folder,
    replace_folder,
)
from skelact.datasets.formats import check_holds, check_name, detect_format, get_format
from skelact.datasets.ntu import PROFILES, describe_missing
from skelact.datasets.parts import BODIES, join_bodies, make_parts, plan_parts, read_parts
from skelact.datasets.prepare_report import PrepareReport, report_store
from skelact.datasets.readers.ntu_names import ntu_numbers
from skelact.datasets.store import StoreWriter
from skelact.errors import ChoiceError, FileFormatError, SkelactError
from skelact.pose.recording import Recording

_NTU60_SETUPS = 17
_NTU60_CLASSES = 60


def prepare(
    name: str,
    raw: str | Path,
    output: str | Path,
    format: str | None = None,
    profile: str | None = None,
    jobs: int | None = None,
    overwrite: bool = False,
    progress: bool = False,
    missing: Collection[str] = (),
    **options,
) -> PrepareReport:
    """Make a store of the skeleton data at a path.

    Args:
        name: Name of the data set. An official one (``"nw_ucla"``, ``"ntu60"``) decides its
            protocols; any other is the user's own.
        raw: File or folder of the data.
        output: The store to make.
        format: One of `skelact.datasets.formats.FORMATS`; by default judged by content.
        profile: How NTU RGB+D captures are cleaned, one of `skelact.datasets.ntu.PROFILES`; by
            default ``"skelact"``. ``bodies.csv`` of the store says what became of every body.
        jobs: Processes; by default one a core. More than one needs the usual
            ``if __name__ == "__main__"`` in a script that calls this.
        overwrite: Replace a store that is there.
        progress: Show a progress bar.
        missing: Names of NTU RGB+D samples to leave out, see
            `skelact.datasets.ntu.read_missing_list`.
        options: Of the reader, such as ``layout`` where a format does not say its skeleton.

    Raises:
        OutputExistsError: ``output`` exists and ``overwrite`` is false, or ``OUTPUT.parts`` is
            not ours.
        FileFormatError: No data of a known format, none that can be used, or data of another
            published set than ``name``.
        ChoiceError: No such format or profile, or the format has no such option.
    """
    output = check_folder(output, overwrite)
    scratch = parts_folder(output)
    if format:
        check_holds(format, raw)
    format = format or detect_format(raw, prefer=name)
    check_name(name, format, raw)
    profile = _check_words(format, jobs, profile, missing, options)
    dropped: Dropped = []
    facts = {"format": format, "profile": profile,
             "classes": list(get_format(format).classes)}
    if not get_format(format).by_file:
        recordings = _read_whole(format, raw, dropped, facts["classes"], progress, options)
        return write_store(recordings, output, name, dropped, overwrite, **facts)
    if name == "ntu60" and format == "ntu":
        facts["classes"] = facts["classes"][:_NTU60_CLASSES]
    files = _choose_files(name, raw, format, missing)
    parts = plan_parts(scratch, format, files, profile)
    with no_empty_parts(make_parts_folder(output)):
        taken_over = make_parts(parts, jobs or os.cpu_count() or 1, progress)
    reports, notes = [], ()
    if format == "ntu":
        reports = [scratch / BODIES]
        join_bodies(parts, reports[0])
    report = write_store(read_parts(parts, dropped), output, name, dropped, overwrite, reports,
                         **facts)
    if format == "ntu":
        absent = [Path(clip.source).stem for clip in dropped if "missing skeleton" in clip.reason]
        notes = (describe_missing([*absent, *missing]),)
    return replace(report, taken_over=taken_over, notes=(*notes, *report.notes))


def write_store(
    recordings: Iterable[Recording],
    output: str | Path,
    name: str,
    dropped: Dropped,
    overwrite: bool = False,
    reports: Iterable[Path] = (),
    **facts,
) -> PrepareReport:
    """Make a store of recordings as they come; scratch files go to ``OUTPUT.parts``.

    Args:
        recordings: The clips. One that does not fit the others is dropped.
        output: The store to make.
        name: Name of the data set.
        dropped: What was dropped; grows while ``recordings`` are read.
        overwrite: Replace a store that is there.
        reports: Further files to put into the store.
        facts: Further arguments of `StoreWriter.finish`.

    Raises:
        FileFormatError: No recording could be used.
        OutputExistsError: ``OUTPUT.parts`` holds what is not ours.
    """
    output = check_folder(output, overwrite)
    parts = make_parts_folder(output)
    with no_empty_parts(parts), StoreWriter(parts / "store", overwrite=True) as writer:
        for recording in recordings:
            try:
                writer.add(recording)
            except SkelactError as error:
                dropped.append(DroppedClip.by(error, recording.source))
        if not len(writer):
            reasons = "; ".join(clip.reason for clip in dropped[:3])
            raise FileFormatError(f"no clip could be used; {len(dropped)} dropped: {reasons}")
        write_dropped(dropped, parts / DROPPED)
        writer.finish(name, reports=[parts / DROPPED, *reports], **facts)
    replace_folder(parts / "store", output, overwrite)
    shutil.rmtree(parts)
    return report_store(output, dropped)


def _check_words(
    format: str, jobs: int | None, profile: str | None, missing: Collection[str], options: dict
) -> str | None:
    """Refuse what the format has no use for; gives the profile."""
    if jobs is not None and jobs < 1:
        raise ChoiceError(f"expected at least one job, got {jobs}")
    for option in options:
        check_choice(option, get_format(format).options or ("none",), f"an option of {format}")
    if format == "ntu":
        return check_choice(profile or "skelact", PROFILES, "profile")
    if profile or missing:
        raise SkelactError("profiles and missing lists are for NTU RGB+D .skeleton files; this is "
                           f"{get_format(format).what}")
    return None


def _read_whole(
    format: str, path: str | Path, dropped: Dropped, classes: list[str], progress: bool,
    options: dict,
) -> Iterator[Recording]:
    """The clips of a format whose files cannot be read one by one.

    ``classes`` grows by those that the reader is told or finds, in their order, while it reads.
    """
    if "classes" in get_format(format).options:
        options = options | {"tell_classes": lambda names: classes.extend(
            name for name in names if name not in classes)}
    clips = get_format(format).read(
        path, lambda error: dropped.append(DroppedClip.by(error, path)), **options)
    return tqdm(clips, desc=f"reading {format}", unit=" clips", disable=None if progress else True)


def _choose_files(
    name: str, raw: str | Path, format: str, missing: Collection[str]
) -> list[Path]:
    files = [file for file in get_format(format).find(raw) if file.stem not in missing]
    if name == "ntu60" and format == "ntu":  # the archives of both sets unpack to one folder
        files = [file for file in files if ntu_numbers(file.stem)["setup"] <= _NTU60_SETUPS]
    if not files:
        raise FileFormatError(f"no {get_format(format).what} of {name} in {raw}{hint(name, raw)}")
    return files

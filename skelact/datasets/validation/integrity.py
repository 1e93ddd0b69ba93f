"""Is a store as it was written? Checksums, and tables that fit each other."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from skelact.datasets.header import HEADER, Header, check_header, file_facts, read_header
from skelact.datasets.store import Store, load_table
from skelact.datasets.validation.findings import ERROR, WARNING, Finding
from skelact.datasets.validation.plausibility import clip_blocks
from skelact.errors import FileFormatError


def check_files(folder: Path, header: Header | None) -> list[Finding]:
    """Every byte of every file against its SHA-256; files that are missing or of somebody else.

    Args:
        folder: The store.
        header: What its ``dataset.json`` says, or None where that cannot be read.
    """
    findings = []
    if not check_header(folder):
        findings.append(Finding(ERROR, "checksum", f"{folder / HEADER} was changed after it was "
                                "written; prepare the data set again"))
    if header is None:
        return findings
    for name, facts in header.files.items():
        if not (folder / name).is_file():
            findings.append(Finding(ERROR, "files", f"{folder / name} is missing"))
        elif file_facts(folder / name) != facts:
            findings.append(Finding(ERROR, "checksum", f"{folder / name} was changed after it was "
                                    "written; prepare the data set again"))
    strangers = {file.name for file in folder.iterdir()} - {HEADER, *header.files}
    if strangers:
        findings.append(Finding(WARNING, "files", f"{folder} holds files that are no part of the "
                                f"store: {', '.join(sorted(strangers))}"))
    return findings


def check_whole(folder: str | Path) -> None:
    """Refuse a store of which any byte was changed, before all of it is read anyway.

    Raises:
        FileFormatError: It is no store, or damaged; the message names the files.
    """
    findings = check_files(Path(folder), read_header(folder))
    if errors := [finding.message for finding in findings if finding.severity == ERROR]:
        raise FileFormatError("; ".join(errors))


def check_tables(store: Store) -> list[Finding]:
    """Rows that contradict one another: offsets, frame numbers, labels, counts."""
    findings = []
    for name in ("tracks", "clips", "annotations"):
        try:
            load_table(store.folder / f"{name}.arrow").validate(full=True)
        except pa.ArrowException as error:
            findings.append(Finding(ERROR, "tables", f"{name}.arrow: {error}"))
    arrays = store.arrays
    for name in ("track_offsets", "clip_offsets"):
        if (np.diff(getattr(arrays, name)) < 0).any():
            findings.append(Finding(ERROR, "tables", f"{name} do not rise"))
    if findings:
        return findings
    for name, found in (("clips", len(store)), ("tracks", arrays.num_tracks),
                        ("frames", len(arrays.joints))):
        if (said := store.header.counts.get(name)) != found:
            findings.append(Finding(ERROR, "tables", f"{HEADER} says {said} {name}, the tables "
                                    f"hold {found}"))
    top = len(store.header.classes) - 1
    if ((arrays.labels < -1) | (arrays.labels > top)).any():
        findings.append(Finding(ERROR, "tables", f"labels outside -1..{top}"))
    if (wrong := _wrong_frames(store)).any():
        ids = store.columns()["clip_id"][wrong]
        findings.append(Finding(ERROR, "tables", "frame numbers that do not rise, or lie outside "
                                "the clip", tuple(ids)))
    return findings


def _wrong_frames(store: Store) -> np.ndarray:
    """``[L]`` bool."""
    arrays, wrong = store.arrays, np.zeros(len(store), bool)
    for clips, frames in clip_blocks(arrays):
        first, last = arrays.clip_offsets[[clips.start, clips.stop]]
        starts = arrays.track_offsets[first : last + 1] - frames.start
        of_track = np.repeat(np.arange(clips.start, clips.stop),
                             np.diff(arrays.clip_offsets[clips.start : clips.stop + 1]))
        clip = np.repeat(of_track, np.diff(starts))  # of each frame
        index = arrays.frame_index[frames]
        rises = np.ones(len(index), bool)
        rises[1:] = np.diff(index) > 0
        rises[starts[:-1][np.diff(starts) > 0]] = True
        wrong[clip[~rises | (index < 0) | (index >= arrays.num_frames[clip])]] = True
    return wrong

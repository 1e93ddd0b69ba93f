"""What the pictures and pages of a store show: from the store to what draws it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from skelact.checks import check_choice
from skelact.datasets.clip_checks import NUMBERS
from skelact.datasets.samples import (
    Sample,
    list_samples,
    name_parts,
    open_sample,
    spread_samples,
)
from skelact.datasets.splits import select_rows
from skelact.datasets.store import Store
from skelact.datasets.validation.findings import ERROR, Finding
from skelact.datasets.validation.validate import validate
from skelact.errors import ChoiceError, FileFormatError
from skelact.output import check_writable
from skelact.visualization.gallery import GalleryClip, GalleryPage, GallerySet, write_gallery
from skelact.visualization.store_sheet import CLIPS, SheetRow, write_store_sheet

_AROUND = 1.0
"""Seconds of an untrimmed recording shown before and after a labelled part."""
_DAMAGE = ("files", "checksum", "tables")
NO_LABEL = "no label"


def review_store(
    folder: str | Path, output: str | Path, split: str | None = None,
    classes: Sequence[str] = (), clips: int | None = None, overwrite: bool = False,
) -> tuple[GalleryPage, list[Finding]]:
    """Write the page to review a store with.

    Args:
        folder: The store.
        output: The ``.html`` to write.
        split: Only its clips.
        classes: Only these.
        clips: The most of a class; by default as many as the page holds.
        overwrite: Replace an existing page.

    Returns:
        What was written, and what `validate` found.

    Raises:
        FileFormatError: The store is damaged.
        ChoiceError: There is no such split or class, or nothing to show.
        OutputExistsError: The page exists and ``overwrite`` is false.
    """
    check_choice(Path(output).suffix.lower(), (".html",), f"the suffix of {output}")
    check_writable(output, overwrite)
    if clips is not None and clips < 1:
        raise ChoiceError(f"expected --clips from 1, got {clips}")
    store = Store(folder)
    columns = store.columns()
    samples = choose_samples(store, columns, split, classes)
    findings = validate(folder)
    if damage := [f.message for f in findings if f.severity == ERROR and f.check in _DAMAGE]:
        raise FileFormatError("; ".join(damage))
    flags = _flags(columns, findings)
    chosen = spread_samples(samples, flags.keys(), clips)
    bar = tqdm(chosen, unit="clip", desc=Path(output).name, disable=None)
    page = write_gallery(_describe(store, samples, findings, split, classes),
                         _gallery_clips(store, columns, bar, flags), output, overwrite)
    return page, findings


def draw_store(folder: str | Path, output: str | Path, overwrite: bool = False) -> list[Path]:
    """Draw the contact sheet of a store.

    Args:
        folder: The store.
        output: The ``.png`` or ``.html`` to write.
        overwrite: Replace existing files.

    Raises:
        FileFormatError: The store is damaged.
        ChoiceError: Another suffix.
        OutputExistsError: A file exists and ``overwrite`` is false.
    """
    store = Store(folder)
    header, parts = store.header, name_parts(store, store.columns())
    samples = list_samples(store, np.arange(len(store)))
    counts = Counter(filter(None, (parts[sample.row] for sample in samples)))
    split = ", ".join(f"{part} {counts[part]:,}" for part in ("train", "val", "test")
                      if counts[part])
    classes = f"{len(header.classes)} class{'es' * (len(header.classes) != 1)}"
    lead = (f"{len(samples):,} {_unit(samples)}s of {classes}, joints of {header.layout.name}, "
            f"{header.dims}-D" + (f"; {split}" if split else "")
            + f". Up to {CLIPS} clips of each class.")
    rows = _sheet_rows(store, samples, parts)
    return write_store_sheet(header.name, lead, rows, output, overwrite)


def choose_samples(
    store: Store, columns: dict, split: str | None, classes: Sequence[str]
) -> list[Sample]:
    """The samples of a split and of some classes.

    Raises:
        ChoiceError: There is no such split or class, or nothing of it.
    """
    rows = np.arange(len(store))
    if split is not None:
        rows = select_rows(columns, split, dataset=store.header.name)
    samples = list_samples(store, rows)
    names = [*store.header.classes, NO_LABEL]
    wanted = {names.index(check_choice(name, names, "a class")) for name in classes}
    if classes:
        # the last of the names is that of label -1
        samples = [s for s in samples if s.label % len(names) in wanted]
    if not samples:
        raise ChoiceError(f"no clip of {store.folder} is in the split and classes that were "
                          "chosen; leave out --split or --classes")
    return samples


def _describe(store: Store, samples: list[Sample], findings: list[Finding], split: str | None,
              classes: Sequence[str]) -> GallerySet:
    header = store.header
    totals = np.bincount([sample.label % (len(header.classes) + 1) for sample in samples],
                         minlength=len(header.classes) + 1)
    chosen = [f"of {header.name}"] + ([f"split {split}"] if split else [])
    if classes:
        chosen.append(f"{len(classes)} of {len(header.classes)} classes")
    return GallerySet(header.name, header.fingerprint, header.layout, header.dims, header.classes,
                      totals.tolist(), ", ".join(chosen),
                      [(f.severity, f.check, f.message) for f in findings], _unit(samples))


def _unit(samples: list[Sample]) -> str:
    return "labelled part" if any(sample.part is not None for sample in samples) else "clip"


def _flags(columns: dict, findings: list[Finding]) -> dict[int, list[tuple[int, int]]]:
    """Row -> (which finding, the clip's place in it)."""
    rows = {str(clip): row for row, clip in enumerate(columns["clip_id"])}
    flags: dict[int, list[tuple[int, int]]] = {}
    for number, finding in enumerate(findings):
        for place, clip in enumerate(finding.clips):
            flags.setdefault(rows[str(clip)], []).append((number, place))
    return flags


def _gallery_clips(store: Store, columns: dict, samples, flags: dict) -> Iterator[GalleryClip]:
    parts = name_parts(store, columns)
    for sample in samples:
        row, shown = sample.row, open_sample(store, sample, _AROUND)
        facts = {"split": parts[row]} if parts[row] else {}
        facts |= {name: int(columns[name][row]) for name in NUMBERS if columns[name][row] >= 0}
        yield GalleryClip(shown.recording, str(columns["clip_id"][row]), sample.label, sample.part,
                          shown.offset, shown.first, shown.last,
                          int(store.arrays.num_frames[row]), flags.get(row, ()), facts,
                          shown.begin)


def _sheet_rows(store: Store, samples: list[Sample], parts: list[str]) -> Iterator[SheetRow]:
    names = [*store.header.classes, NO_LABEL]
    by_class: dict[int, list[Sample]] = {}
    for sample in samples:
        by_class.setdefault(sample.label % len(names), []).append(sample)
    for label, name in enumerate(tqdm(names, unit="class", disable=None)):
        of_class = by_class.get(label, [])
        if name == NO_LABEL and not of_class:
            continue
        shares = Counter(parts[sample.row] for sample in of_class)
        yield SheetRow(name, len(of_class), {part: shares[part] for part in
                                             ("train", "val", "test")},
                       [open_sample(store, sample).recording
                        for sample in spread_samples(of_class, count=CLIPS)])

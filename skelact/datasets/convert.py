"""A store, or anything skelact reads, as a file of another library."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.dropped import Dropped
from skelact.datasets.header import HEADER
from skelact.datasets.labelled_parts import cut_labelled_parts
from skelact.datasets.prepare import prepare
from skelact.datasets.published_lists import published_lists
from skelact.datasets.splits import select_rows
from skelact.datasets.store import Store
from skelact.datasets.validation.integrity import check_whole
from skelact.errors import SkelactError
from skelact.output import check_writable
from skelact.pose.recording import Recording

TARGETS = {
    ".pkl": "annotation pickle of pyskl and mmaction2",
    ".npz": "CTR-GCN arrays",
    ".json": "COCO keypoints",
    "": "dataset store",
}
"""Suffix of the output -> what is written."""


def convert(
    source: str | Path,
    output: str | Path,
    split: str | None = None,
    format: str | None = None,
    overwrite: bool = False,
    progress: bool = False,
    **options,
) -> Dropped:
    """Write a data set in another form, chosen by the suffix of the output.

    Labelled parts of untrimmed recordings become clips of ``.pkl`` and ``.npz``, which know no
    others.

    Args:
        source: A store, or a file or folder of any format that skelact reads.
        output: ``.pkl`` for pyskl, ``.npz`` for CTR-GCN, ``.json`` for COCO keypoints, no suffix
            for a store.
        split: Only these clips (``"xsub/train"``). For ``.npz``: the protocol (``"xsub"``) that
            says what trains and what tests; by default the data set's own.
        format: Of ``source``, if its content does not settle it.
        overwrite: Replace what is there.
        progress: Show a progress bar.
        options: Of the reader of ``source``, as for `prepare`.

    Returns:
        What could not be used, and why.

    Raises:
        SkelactError: The output has another suffix, or cannot hold such data.
        OutputExistsError: The output exists and ``overwrite`` is false.
        FileFormatError: ``source`` cannot be read.
    """
    source, output = Path(source), Path(output)
    if output.suffix.lower() not in TARGETS:
        listed = ", ".join(f"{suffix or 'none'} ({what})" for suffix, what in TARGETS.items())
        raise SkelactError(f"expected an output with suffix {listed}; got {output}")
    if not output.suffix:
        return _to_store(source, output, split, format, overwrite, progress, options)
    check_writable(output, overwrite)
    if (source / HEADER).is_file():
        check_whole(source)
        _write(Store(source), output, split, overwrite)
        return []
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        report = prepare(source.stem, source, Path(folder) / "store", format, progress=progress,
                         **options)
        _write(Store(report.store), output, split, overwrite)
    return report.dropped


def _to_store(source, output, split, format, overwrite, progress, options) -> Dropped:
    if (source / HEADER).is_file():
        raise SkelactError(f"{source} is a store already; name an output with a suffix out of "
                           f"{', '.join(filter(None, TARGETS))}")
    if split is not None:
        raise SkelactError("a store holds every split; pass no split")
    return prepare(source.stem, source, output, format, overwrite=overwrite,
                   progress=progress, **options).dropped


def _write(store: Store, output: Path, split: str | None, overwrite: bool) -> None:
    classes, kind = store.header.classes, output.suffix.lower()
    if kind == ".npz":
        from skelact.datasets.writers.ctrgcn import write_ctrgcn

        train, test = (cut_labelled_parts(_recordings(store, rows))
                       for rows in _train_and_test(store, split))
        write_ctrgcn(train, test, output, classes=classes, overwrite=overwrite)
        return
    rows = np.arange(len(store))
    if split is not None:
        rows = select_rows(store.columns(), split, dataset=store.header.name)
    if kind == ".pkl":
        from skelact.datasets.writers.pyskl import write_pyskl

        clips = cut_labelled_parts(_with_lists(store, rows))
        write_pyskl(clips, output, classes=classes, overwrite=overwrite)
    else:
        from skelact.datasets.writers.coco import write_coco

        write_coco(_recordings(store, rows), output, overwrite=overwrite)


def _train_and_test(store: Store, protocol: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on (those held out for validation included) and to test on."""
    columns, prefix = store.columns(), f"{protocol}/" if protocol else ""
    train, val, test = (select_rows(columns, prefix + part, dataset=store.header.name)
                        for part in ("train", "val", "test"))
    return np.sort(np.concatenate([train, val])), test


def _with_lists(store: Store, rows: np.ndarray) -> Iterator[Recording]:
    lists = published_lists(store.columns(), store.header.name)
    for row, recording in zip(rows, _recordings(store, rows), strict=True):
        recording.labels["splits"] = lists[row]
        yield recording


def _recordings(store: Store, rows: np.ndarray) -> Iterator[Recording]:
    return (store.recording(int(row)) for row in rows)

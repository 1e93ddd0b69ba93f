"""Look for what is wrong with a store before a network learns it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.header import read_header
from skelact.datasets.splits import GENERAL, protocols, select_rows
from skelact.datasets.store import Store
from skelact.datasets.validation.findings import ERROR, WARNING, Finding, has_errors
from skelact.datasets.validation.integrity import check_files, check_tables
from skelact.datasets.validation.plausibility import ClipStatistics, measure_clips
from skelact.errors import FileFormatError, SkelactError

MOST = 0.5
"""Share of the clips from which a fault is that of the whole set."""
_UPSIDE_DOWN, _BACKWARDS = -0.7, -0.3
_BONES, _BETTER = 0.75, 0.85
_METRES = (0.4, 3.0)
_FPS = 1.5


def validate(folder: str | Path) -> list[Finding]:
    """Everything that is wrong, or looks it, in a store.

    Checksums, contradictions between tables, clips that are empty, zero, of one frame or
    identical, identical clips on both sides of an official split, exchanged left and right or
    mirrored x, flipped y, a wrong layout, odd units and frame rates.

    Raises:
        FileFormatError: There is no store in the folder.
    """
    folder = Path(folder)
    try:
        header = read_header(folder)
    except FileFormatError as error:
        if not (folder / "dataset.json").is_file():
            raise
        return [*check_files(folder, None), Finding(ERROR, "files", str(error))]
    findings = check_files(folder, header)
    if has_errors(findings):
        return findings  # nothing that the tables say can be trusted
    try:
        store = Store(folder)
    except FileFormatError as error:
        return [*findings, Finding(ERROR, "files", str(error))]
    findings += check_tables(store)
    if any(finding.check == "tables" for finding in findings):
        return findings
    columns = store.columns()
    measured = measure_clips(store.arrays)
    for check in (_check_content, _check_duplicates, _check_sides, _check_upright, _check_layout,
                  _check_units, _check_times):
        findings += check(store, columns, measured)
    return findings


def leaks(store: Store, columns: dict, digest: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Official protocols in which test clips are identical to training clips.

    Args:
        store: The data set.
        columns: What `Store.columns` gives.
        digest: ``[L]`` equal for identical clips.

    Yields:
        Name of the protocol, and the rows of the test clips.
    """
    for name in protocols(store.header.name, columns):
        if name in GENERAL:
            continue
        try:
            test = select_rows(columns, f"{name}/test", dataset=store.header.name)
            train = [select_rows(columns, f"{name}/{part}", dataset=store.header.name)
                     for part in ("train", "val")]
        except SkelactError:
            continue  # a part of the data set may not hold every split
        known = np.isin(digest[test], digest[np.concatenate(train)])
        if known.any():
            yield name, test[known]


def _check_content(store: Store, columns: dict, measured: ClipStatistics) -> Iterator[Finding]:
    ids, frames = columns["clip_id"], store.arrays.num_frames
    empty = measured.seen == 0
    cases = (
        (ERROR, "infinite", "clips with infinite numbers", measured.infinite > 0),
        (WARNING, "empty", "clips without a single joint (all NaN)", empty),
        (WARNING, "zeros", "clips of zeros, which should be missing joints", measured.zeros > MOST),
        (WARNING, "one frame", "clips of one frame", (frames == 1) | (measured.seen == 1)),
        (WARNING, "unlabelled", "clips without a label or annotations",
         (store.arrays.labels < 0) & ~store.annotated()),
    )
    for severity, check, message, rows in cases:
        if rows.any():
            yield Finding(severity, check, f"{rows.sum()} {message}", tuple(ids[rows]))


def _check_duplicates(store: Store, columns: dict, measured: ClipStatistics) -> Iterator[Finding]:
    ids = columns["clip_id"]
    # clips without joints repeat nothing
    digest = np.where(measured.seen > 0, measured.digest, np.arange(len(ids)).astype("S16"))
    _, group, size = np.unique(digest, return_inverse=True, return_counts=True)
    twice = size[group] > 1
    if twice.any():
        spare = twice.sum() - len(np.unique(group[twice]))
        rows = np.flatnonzero(twice)[np.argsort(group[twice], kind="stable")]
        yield Finding(WARNING, "duplicates", f"{spare} clips repeat the joints of another",
                      tuple(ids[rows]))
    for name, rows in leaks(store, columns, digest):
        yield Finding(WARNING, "leak", f"{len(rows)} test clips of {name} are identical to "
                      f"training clips; report results with and without them", tuple(ids[rows]))


def _check_sides(store: Store, columns: dict, measured: ClipStatistics) -> Iterator[Finding]:
    # a flipped y mirrors the body too: that is another finding
    forward = measured.forward
    if store.arrays.dims == 3:
        forward = forward * np.where(measured.upright < 0, -1, 1)
    known = np.isfinite(forward)
    if known.any() and (forward[known] < 0).mean() > MOST:
        share = (forward[known] < 0).mean()
        how = "toes point backwards" if store.arrays.dims == 3 else "people who face the camera " \
            "have their left on the left of the image"
        yield Finding(ERROR, "left and right", f"left and right are exchanged, or x is mirrored: "
                      f"{how} in {share:.0%} of the clips that show it")
    elif (rows := known & (forward < _BACKWARDS)).any():
        yield Finding(WARNING, "left and right", f"{rows.sum()} clips look as if left and right "
                      f"were exchanged, or x mirrored", tuple(columns["clip_id"][rows]))
    if (rows := measured.swaps > 0).any():
        yield Finding(WARNING, "side swaps", f"{rows.sum()} clips in which left and right change "
                      f"places from one frame to the next", tuple(columns["clip_id"][rows]))


def _check_upright(store: Store, columns: dict, measured: ClipStatistics) -> Iterator[Finding]:
    known = np.isfinite(measured.upright)
    axis = "up" if store.arrays.dims == 3 else "down"
    if known.any() and (measured.upright[known] < 0).mean() > MOST:
        yield Finding(ERROR, "flipped y", f"heads are below ankles in "
                      f"{(measured.upright[known] < 0).mean():.0%} of the clips; y points {axis} "
                      f"in {store.arrays.dims}-D data")
    elif (rows := known & (measured.upright < _UPSIDE_DOWN)).any():
        yield Finding(WARNING, "upside down", f"{rows.sum()} clips show people upside down",
                      tuple(columns["clip_id"][rows]))


def _check_layout(store: Store, columns: dict, measured: ClipStatistics) -> Iterator[Finding]:
    layout = store.header.layout
    shares = {name: np.nanmedian(values) for name, values in measured.bone_share.items()
              if np.isfinite(values).any()}
    if layout.name not in shares:
        return
    own, best = shares[layout.name], min(shares, key=shares.get)
    if shares[best] < _BETTER * own:
        yield Finding(ERROR, "layout", f"the joints look like layout {best!r}, not "
                      f"{layout.name!r}: its bones are {shares[best] / own:.0%} as long")
    elif own > _BONES:
        yield Finding(ERROR, "layout", f"the joints do not look like layout {layout.name!r}: its "
                      f"bones are as long as the distance of any two joints ({own:.0%})")


def _check_units(store: Store, columns: dict, measured: ClipStatistics) -> Iterator[Finding]:
    known = np.isfinite(measured.size)
    if not known.any():
        return
    size = np.median(measured.size[known])
    if store.arrays.dims == 3 and not _METRES[0] < size < _METRES[1]:
        yield Finding(WARNING, "units", f"bodies are {size:.3g} long; 3-D joints are in metres")
    if store.arrays.dims == 2 and size < 2:
        yield Finding(WARNING, "units", f"bodies are {size:.2g} long; 2-D joints are in pixels")
    elif (rows := measured.inside < MOST).any():
        severity = ERROR if rows.mean() > MOST else WARNING
        yield Finding(severity, "outside", f"{rows.sum()} clips with most joints outside the "
                      f"image: mirrored x, flipped y, or a wrong image size",
                      tuple(columns["clip_id"][rows]))


def _check_times(store: Store, columns: dict, measured: ClipStatistics) -> Iterator[Finding]:
    usual = np.median(store.arrays.fps)
    odd = np.maximum(store.arrays.fps / usual, usual / store.arrays.fps) > _FPS
    if odd.any():
        yield Finding(WARNING, "frame rate", f"{odd.sum()} clips are far from the usual "
                      f"{usual:.4g} frames a second", tuple(columns["clip_id"][odd]))
    steps = store.mean_fps()
    if (rows := np.maximum(steps / store.arrays.fps, store.arrays.fps / steps) > _FPS).any():
        yield Finding(WARNING, "frame rate", f"{rows.sum()} clips whose timestamps contradict "
                      f"their frame rate", tuple(columns["clip_id"][rows]))

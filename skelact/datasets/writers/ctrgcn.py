"""Recordings as the ``.npz`` arrays that CTR-GCN and its descendants train on."""

import logging
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from skelact.datasets.writers.class_numbers import number_classes
from skelact.errors import SkelactError
from skelact.graph.layouts import Layout
from skelact.output import atomic_write, check_writable
from skelact.pose.recording import Recording

PEOPLE = 2
_log = logging.getLogger(__name__)


def write_ctrgcn(
    train: Iterable[Recording], test: Iterable[Recording], path: str | Path, *,
    classes: Sequence[str] | None = None, frames: int = 300, overwrite: bool = False,
) -> Path:
    """Write 3-D recordings as ``x_train, y_train, x_test, y_test``, atomically, one at a time.

    x is float32 ``[n, frames, 2 people x N joints x 3]``, y one-hot. The format has room for
    nothing else: names, splits, frame rates, confidence and layout are lost, missing joints and
    absent people become zeros, of more than two people the two that move the most stay, and
    longer clips are cut (how many, is logged).

    Args:
        train: Training clips, each with ``labels["label"]``.
        test: Test clips likewise.
        path: The ``.npz`` to write.
        classes: Class names in order; by default the labels that occur, sorted. Labels such as
            ``class_012`` keep their numbers.
        frames: Frames of every clip; shorter ones are filled up with zeros.
        overwrite: Replace an existing file.

    Returns:
        The path.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
        SkelactError: A recording is 2-D, has no label or another skeleton, or there are none.
        ChoiceError: A label is not among ``classes``.
    """
    check_writable(path, overwrite)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        parts, layout = {}, None
        for name, recordings in (("train", train), ("test", test)):
            rows = Path(folder) / name
            with open(rows, "wb") as file:
                labels, layout = _write_rows(recordings, file, frames, layout)
            parts[name] = rows, labels
        if layout is None:
            raise SkelactError("expected recordings to write, got none")
        numbers, count = number_classes(
            (label for _, labels in parts.values() for label in labels), classes)
        width = PEOPLE * layout.num_joints * 3
        with atomic_write(path, overwrite) as temporary, \
                zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name, (rows, labels) in parts.items():
                _store_file(archive, f"x_{name}", (len(labels), frames, width), rows)
                index = [numbers[label] for label in labels]
                with archive.open(f"y_{name}.npy", "w", force_zip64=True) as file:
                    np.save(file, np.eye(count, dtype=np.float64)[index], allow_pickle=False)
    return Path(path)


def _write_rows(recordings: Iterable[Recording], file: IO[bytes], frames: int,
                layout: Layout | None) -> tuple[list[str], Layout | None]:
    """Append every clip to ``file``; gives the labels, and the skeleton that all share."""
    labels, cut, crowds = [], 0, 0
    for recording in recordings:
        layout = layout or recording.layout
        if recording.dims != 3 or recording.layout != layout:
            raise SkelactError(f"expected 3-D recordings of layout {layout.name!r}, got "
                               f"{recording.dims}-D of {recording.layout.name!r}")
        if "label" not in recording.labels:
            raise SkelactError(f"expected labels['label'] in every recording; "
                               f"{recording.source or 'one'} has none")
        file.write(_row(recording, frames).tobytes())
        labels.append(recording.labels["label"])
        cut += recording.num_frames > frames
        crowds += len(recording.tracks) > PEOPLE
    if cut or crowds:
        _log.warning("%d clips were cut to %d frames, %d to %d people", cut, frames, crowds, PEOPLE)
    return labels, layout


def _row(recording: Recording, frames: int) -> np.ndarray:
    """``[frames, M * N * 3]`` float32."""
    joints = recording.joints()[..., :frames]  # [M, N, 3, T]
    if len(joints) > PEOPLE:
        path = np.nansum(np.abs(np.diff(joints, axis=3)), axis=(1, 2, 3))  # how far each moves
        joints = joints[np.sort(np.argsort(-path, kind="stable")[:PEOPLE])]
    row = np.zeros((frames, PEOPLE, *joints.shape[1:3]), np.float32)
    row[: joints.shape[3], : len(joints)] = np.nan_to_num(joints).transpose(3, 0, 1, 2)
    return row.reshape(frames, -1)


def _store_file(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], rows: Path) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file, open(rows, "rb") as source:
        np.lib.format.write_array_header_1_0(file, header)
        shutil.copyfileobj(source, file, 2**20)

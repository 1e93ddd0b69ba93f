"""The ``.npz`` files of CTR-GCN: NTU RGB+D, denoised, as dense arrays of training and test."""

import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, TellClasses, raise_error, tell_nobody
from skelact.datasets.readers.ntu_classes import NTU120_CLASSES
from skelact.datasets.readers.padded import (
    ASSUMED_FPS,
    check_clip_size,
    class_name,
    class_names,
    layout_of,
    padded_tracks,
)
from skelact.datasets.untrusted.npy import read_header
from skelact.errors import FileFormatError, SkelactError
from skelact.graph.layouts import Layout
from skelact.pose.recording import Recording

PEOPLE = 2
_MEMBERS = {"x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"}
_PROTOCOLS = {"CS": "xsub_", "CSub": "xsub_", "CV": "xview_", "CSet": "xset_"}
_BLOCK = 2**22
_MAX_LABELS = 2**27
"""Bytes; NTU RGB+D 120 has 61 million in its larger part."""
_MAX_CLIPS = 2**20


def find_ctrgcn(path: str | Path) -> list[Path]:
    """The ``.npz`` files at or below ``path`` that hold x_train, y_train, x_test and y_test."""
    path = Path(path)
    files = sorted(path.rglob("*.npz")) if path.is_dir() else [path]
    return [file for file in files if file.suffix == ".npz" and _members(file) >= _MEMBERS]


def _members(file: Path) -> set[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return set()


def read_ctrgcn(
    path: str | Path, refuse: Refuse = raise_error, *, layout: str | Layout | None = None,
    classes: Sequence[str] | str | Path | None = None, tell_classes: TellClasses = tell_nobody,
) -> Iterator[Recording]:
    """Recordings of CTR-GCN arrays, a few megabytes at a time; nothing is unpickled.

    The arrays hold no names: ``clip_id`` is ``<file>_train_00000`` and so on. ``splits`` is
    ``xsub_train``, ``xview_test``, ... where the name of the file says the protocol
    (``NTU60_CS.npz``), else ``train`` or ``test``. The zeros that fill up to 300 frames are cut.

    Args:
        path: A ``.npz`` file, or a folder of them.
        refuse: Told of every clip that cannot be used.
        layout: The skeleton; by default ``ntu25`` for 25 joints.
        classes: Class names in order, or a text file with one a line; else those of NTU where
            the file is called so, or ``class_000``, ...
        tell_classes: Told of the names in order, if ``classes`` gives them.

    Raises:
        FileFormatError: No such file, or what ``refuse`` raises.

    Source: Chen et al., "Channel-wise Topology Refinement Graph Convolution", ICCV 2021.
    """
    files = find_ctrgcn(path)
    if not files:
        raise FileFormatError(f"no CTR-GCN arrays (.npz with x_train, y_train, x_test, y_test) "
                              f"at {path}")
    names = class_names(classes)
    tell_classes(names or ())
    for file in files:
        for part in ("train", "test"):
            yield from _read_part(file, part, refuse, layout, names)


def _read_part(file: Path, part: str, refuse: Refuse, layout, names) -> Iterator[Recording]:
    ending = re.split(r"[_\-.]", file.stem)[-1]
    known = names or (NTU120_CLASSES if file.stem.startswith("NTU") else None)
    for place, (clip, label) in enumerate(_rows(file, part, refuse)):
        labels = {"clip_id": f"{file.stem}_{part}_{place:05}", "fps_assumed": True,
                  "splits": [_PROTOCOLS.get(ending, "") + part]}
        try:
            labels["label"] = class_name(label, known)
            recording = _to_recording(clip, labels, layout)
        except SkelactError as error:
            refuse(FileFormatError(f"{file}: clip {place} of x_{part}: {error}"))
        else:
            yield recording


def _to_recording(clip: np.ndarray, labels: dict, layout: str | Layout | None) -> Recording:
    """Of one ``[T, M * V * 3]``."""
    seen = np.flatnonzero((clip != 0).any(axis=1))
    if not seen.size:
        raise FileFormatError("all its joints are zero")
    clip = clip[: seen[-1] + 1].astype(np.float32)
    frames = len(clip)
    joints = clip.reshape(frames, PEOPLE, -1, 3).transpose(1, 2, 3, 0)
    return Recording(
        tracks=padded_tracks(joints, dims=3), timestamps=np.arange(frames) / ASSUMED_FPS,
        layout=layout_of(joints.shape[1], 3, layout), dims=3, fps=ASSUMED_FPS,
        source=labels["clip_id"], estimator="Kinect v2 (CTR-GCN arrays)", labels=labels)


def _rows(file: Path, part: str, refuse: Refuse) -> Iterator[tuple[np.ndarray, int]]:
    """Every clip ``[T, M * V * 3]`` with its class; what is wrong with the file is refused."""
    try:
        labels = _read_labels(file, f"y_{part}")
        with _open_array(file, f"x_{part}") as (stream, shape, dtype):
            if len(shape) != 3 or shape[0] != len(labels) or 0 in shape[1:] \
                    or shape[2] % (3 * PEOPLE):
                raise FileFormatError(
                    f"{file}: expected x_{part} [{len(labels)} clips, T, 2 people x V joints x 3],"
                    f" got {list(shape)}")
            try:
                check_clip_size(shape[1:])
            except FileFormatError as error:
                raise FileFormatError(f"{file}: x_{part}: {error}") from None
            one = math.prod(shape[1:]) * dtype.itemsize
            at_once = max(1, _BLOCK // max(1, one))
            for start in range(0, shape[0], at_once):
                count = min(at_once, shape[0] - start)
                block = np.frombuffer(_read_whole(stream, count * one, file), dtype)
                clips = block.reshape(count, *shape[1:])
                yield from zip(clips, labels[start : start + count].tolist(), strict=True)
    except FileFormatError as error:
        refuse(error)
    except Exception as error:  # zlib.error and whatever else a damaged archive provokes
        refuse(FileFormatError(f"{file} is damaged: {error}"))


def _read_labels(file: Path, name: str) -> np.ndarray:
    """``[n]`` class numbers, of one-hot rows or of numbers."""
    with _open_array(file, name) as (stream, shape, dtype):
        size = math.prod(shape) * dtype.itemsize
        if len(shape) not in (1, 2) or 0 in shape[1:]:
            raise FileFormatError(f"{file}: expected {name} [clips, classes], got {list(shape)}")
        if size > _MAX_LABELS or shape[0] > _MAX_CLIPS:
            raise FileFormatError(f"{file}: expected {name} of at most {_MAX_CLIPS} clips and "
                                  f"{_MAX_LABELS} bytes, got {list(shape)} of {size} bytes; "
                                  "write class numbers instead of one-hot rows, or several files")
        labels = np.frombuffer(_read_whole(stream, size, file), dtype).reshape(shape)
    if labels.ndim == 2:
        if ((labels != 0).sum(axis=1) != 1).any():
            raise FileFormatError(f"{file}: expected {name} one-hot: one class a clip")
        return labels.argmax(axis=1)
    return labels.astype(np.int64)


@contextmanager
def _open_array(file: Path, name: str) -> Iterator[tuple]:
    """The stream of an array inside the archive after its header, its shape and its type."""
    with zipfile.ZipFile(file) as archive, archive.open(f"{name}.npy") as stream:
        shape, dtype = read_header(stream, f"{file}: {name}")
        start = stream.tell()
        size = math.prod(shape) * dtype.itemsize
        if start + size != archive.getinfo(f"{name}.npy").file_size:
            raise FileFormatError(f"{file}: {name} is damaged: {list(shape)} {dtype} take {size} "
                                  "bytes, the archive has another number")
        yield stream, shape, dtype


def _read_whole(stream, count: int, file: Path) -> bytes:
    content = stream.read(count)
    if len(content) != count:
        raise FileFormatError(f"{file} is truncated")
    return content

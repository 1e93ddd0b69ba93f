"""The ``_data.npy`` and ``_label.pkl`` pairs of st-gcn (and 2s-AGCN): NTU, Kinetics-skeleton."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, TellClasses, raise_error, tell_nobody
from skelact.datasets.readers.ntu_names import known_names, ntu_facts
from skelact.datasets.readers.padded import (
    ASSUMED_FPS,
    check_clip_size,
    class_name,
    class_names,
    layout_of,
    padded_tracks,
)
from skelact.datasets.readers.sightings import Sightings, make_recording, with_confidence
from skelact.datasets.untrusted.npy import read_header
from skelact.datasets.untrusted.sandbox import read_in_child
from skelact.datasets.untrusted.stgcn_labels import read_labels
from skelact.errors import EmptyClipError, FileFormatError, SkelactError
from skelact.graph.layouts import Layout
from skelact.pose.recording import Recording

KINETICS_SIZE = (340, 256)
"""(width, height) in pixels to which st-gcn resized the videos of Kinetics before OpenPose."""
_DATA, _LABEL = "_data.npy", "_label.pkl"
_KINETICS_JOINTS = 18


def find_stgcn_arrays(path: str | Path) -> list[Path]:
    """The ``*_data.npy`` files at or below ``path`` with a ``*_label.pkl`` beside them."""
    path = Path(path)
    files = sorted(path.rglob(f"*{_DATA}")) if path.is_dir() else [path]
    return [file for file in files if file.name.endswith(_DATA) and _label_file(file).is_file()]


def _label_file(data: Path) -> Path:
    return data.with_name(data.name.removesuffix(_DATA) + _LABEL)


def read_stgcn_arrays(
    path: str | Path, refuse: Refuse = raise_error, *, layout: str | Layout | None = None,
    classes: Sequence[str] | str | Path | None = None, tell_classes: TellClasses = tell_nobody,
) -> Iterator[Recording]:
    """Recordings of st-gcn arrays: the joints memory-mapped, the labels read in a child process.

    18 joints are Kinetics-skeleton: x and y, shares of the image less a half, become pixels of
    the 340 x 256 videos; people, whom the arrays sort anew in every frame, are followed by our
    tracker. Other numbers of joints are 3-D, 25 of them NTU. ``clip_id`` is the name in the label
    file without ending; ``splits`` is ``train`` or ``val`` by the name of the data file, after
    the protocol where its folder is called ``xsub``, ``xview`` or ``xset``. The zeros that fill
    up to 300 frames are cut.

    Args:
        path: A ``*_data.npy`` file, or a folder of them.
        refuse: Told of every clip that cannot be used.
        layout: The skeleton; by default ``openpose18`` for 18 joints, ``ntu25`` for 25.
        classes: Class names in order, or a text file with one a line; else known ones of NTU,
            or ``class_000``, ...
        tell_classes: Told of the names in order, if ``classes`` gives them.

    Raises:
        FileFormatError: No such files, or what ``refuse`` raises.

    Source: Yan et al., "Spatial Temporal Graph Convolutional Networks", AAAI 2018.
    """
    files = find_stgcn_arrays(path)
    if not files:
        raise FileFormatError(f"no st-gcn arrays (*{_DATA} beside *{_LABEL}) at {path}")
    names = class_names(classes)
    tell_classes(names or ())
    for file in files:
        seen = set()
        for place, (clip, clip_id, number) in enumerate(_clips(file, refuse)):
            try:
                if clip_id in seen:
                    raise FileFormatError("the name stands there twice")
                labels = {"clip_id": clip_id, "splits": [_split(file)], "fps_assumed": True,
                          "label": class_name(number, names or known_names(clip_id, number))}
                recording = _to_recording(clip, labels | ntu_facts(clip_id), layout)
            except SkelactError as error:
                kind = EmptyClipError if isinstance(error, EmptyClipError) else FileFormatError
                refuse(kind(f"{file}: clip {place} ({clip_id}): {error}"))
            else:
                seen.add(clip_id)
                yield recording


def _split(file: Path) -> str:
    part = "train" if "train" in file.name else "val"
    folder = file.parent.name.lower()
    return f"{folder}_{part}" if folder in ("xsub", "xview", "xset") else part


def _clips(file: Path, refuse: Refuse) -> Iterator[tuple[np.ndarray, str, int]]:
    """Every clip ``[3, T, V, M]`` with its name and class."""
    try:
        ((facts, arrays),) = read_in_child(read_labels, _label_file(file))
        names, numbers = facts["names"], arrays["numbers"]
        data = _map_array(file)
    except FileFormatError as error:
        refuse(error)
        return
    if data.ndim != 5 or len(data) != len(names) or data.shape[1] != 3 or not data.size:
        refuse(FileFormatError(f"{file}: expected [{len(names)} clips, 3, T, V, M] as in its label "
                               f"file, got {list(data.shape)}"))
        return
    try:
        check_clip_size(data.shape[1:])
    except FileFormatError as error:
        refuse(FileFormatError(f"{file}: {error}"))
        return
    for clip, name, number in zip(data, names, numbers.tolist(), strict=True):
        yield clip, Path(name).stem, number


def _map_array(file: Path) -> np.ndarray:
    with open(file, "rb") as stream:
        shape, dtype = read_header(stream, str(file))
        start = stream.tell()
    expected = start + math.prod(shape) * dtype.itemsize
    if file.stat().st_size != expected:
        raise FileFormatError(f"{file}: {list(shape)} {dtype} take {expected} bytes, the file has "
                              f"{file.stat().st_size} (truncated or damaged)")
    if not math.prod(shape):  # nothing to map
        return np.empty(shape, dtype)
    return np.memmap(file, dtype, "r", start, shape)


def _to_recording(clip: np.ndarray, labels: dict, layout: str | Layout | None) -> Recording:
    """Of one ``[3, T, V, M]``."""
    seen = np.flatnonzero((clip != 0).any(axis=(0, 2, 3)))
    if not seen.size:
        raise EmptyClipError("all its joints are zero")
    frames = int(seen[-1]) + 1
    joints = clip[:, :frames].transpose(3, 2, 0, 1).astype(np.float32)  # [M, V, 3, T]
    common = {"fps": ASSUMED_FPS, "source": labels["clip_id"], "labels": labels}
    if joints.shape[1] == _KINETICS_JOINTS:
        return make_recording(_people(joints), layout_of(_KINETICS_JOINTS, 2, layout), frames,
                              image_size=KINETICS_SIZE, estimator="OpenPose (st-gcn arrays)",
                              **common)
    return Recording(padded_tracks(joints, dims=3), np.arange(frames) / ASSUMED_FPS,
                     layout_of(joints.shape[1], 3, layout), dims=3,
                     estimator="Kinect v2 (st-gcn arrays)", **common)


def _people(joints: np.ndarray) -> Sightings:
    """Of ``[M, V, 3, T]`` centred shares of the image; people change places between frames."""
    people, _, _, frames = joints.shape
    rows = joints.transpose(3, 0, 1, 2).reshape(frames * people, -1, 3).copy()  # frame by frame
    missing = rows[..., 2] == 0
    rows[..., :2] = (rows[..., :2] + 0.5) * KINETICS_SIZE
    rows[missing] = 0
    return Sightings(np.repeat(np.arange(frames), people), with_confidence(rows))

"""Annotation pickles of pyskl and mmaction2: 2-D or 3-D, with splits or without, Kinetics too."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from skelact.datasets.readers.base import Refuse, TellClasses, raise_error, tell_nobody
from skelact.datasets.readers.ntu_names import known_names, ntu_facts
from skelact.datasets.readers.padded import (
    ASSUMED_FPS,
    class_name,
    class_names,
    layout_of,
    padded_tracks,
)
from skelact.datasets.readers.sightings import Sightings, make_recording, with_confidence
from skelact.datasets.untrusted.pyskl_annotations import read_annotations
from skelact.datasets.untrusted.sandbox import MEMORY, SECONDS, Message, read_in_child
from skelact.errors import FileFormatError, ShapeError, SkelactError
from skelact.graph.layouts import Layout, builtin_layouts
from skelact.pose.recording import Recording

_MARKS = (b"annotations", b"frame_dir", b"keypoint", b"total_frames")
_HEAD = 2**16


def find_pyskl(path: str | Path) -> list[Path]:
    """The annotation pickles at or below ``path``, judged by their first bytes.

    Files in a folder ``kpfiles`` are left out: they hold keypoints without labels, and are read
    with the annotation file beside the folder.
    """
    path = Path(path)
    files = sorted(path.rglob("*.pkl")) if path.is_dir() else [path]
    return [file for file in files if file.parent.name != "kpfiles" and _looks_right(file)]


def _looks_right(file: Path) -> bool:
    if file.suffix.lower() not in (".pkl", ".pickle") or not file.is_file():
        return False
    with open(file, "rb") as stream:
        head = stream.read(_HEAD)
    # long lists of names may come before the annotations
    return b"split" in head[:200] or any(mark in head for mark in _MARKS)


def read_pyskl(
    path: str | Path, refuse: Refuse = raise_error, *, layout: str | Layout | None = None,
    dims: int | None = None, classes: Sequence[str] | str | Path | None = None,
    tell_classes: TellClasses = tell_nobody,
) -> Iterator[Recording]:
    """Recordings of annotation pickles, read in a child process without running anything in them.

    ``labels`` holds ``clip_id`` (the file's ``frame_dir``), ``label``, ``splits``,
    ``fps_assumed``, and where the file (ours do) or an NTU name gives them subject, camera, setup
    and repetition. Kinetics keypoints (folder ``kpfiles`` beside the annotations) have
    no identity across frames: our tracker finds it.

    Args:
        path: A pickle, or a folder of them.
        refuse: Told of every clip that cannot be used, also for its number of joints.
        layout: The skeleton; by default the usual one of the number of joints (25 in 3-D
            ``ntu25``, 17 in 2-D ``coco17``, ...).
        dims: 2 or 3. By default three coordinates without a score are 3-D if no image size is
            given, else x, y and confidence.
        classes: Class names in order, or a text file with one a line; by default those in the
            file (ours have them) or those of NTU, else ``class_000``, ``class_001``, ...
        tell_classes: Told of the names in order, if ``classes`` or the file gives them.

    Raises:
        FileFormatError: No such file, or what ``refuse`` raises.

    Source: Duan et al., "PYSKL: Towards Good Practices for Skeleton Action Recognition", 2022.
    """
    files = find_pyskl(path)
    if not files:
        raise FileFormatError(f"no pyskl annotations (a pickle with 'annotations') at {path}")
    given = class_names(classes)
    for file in files:
        messages = _messages(file, refuse)
        common, _ = next(messages, ({"classes": None, "layout": None, "dims": None}, {}))
        names = given or common["classes"]
        tell_classes(names or ())
        skeleton = layout or (common["layout"] if common["layout"] in builtin_layouts() else None)
        seen = set()
        for facts, arrays in messages:
            try:
                if "refused" in facts:
                    raise FileFormatError(facts["refused"])
                if facts["clip_id"] in seen:
                    raise FileFormatError("the name stands there twice")
                recording = to_recording(facts, arrays, skeleton, dims or common["dims"], names)
            except SkelactError as error:
                name = f" ({facts['clip_id']})" if "clip_id" in facts else ""
                refuse(FileFormatError(f"{file}: annotation {facts['place']}{name}: {error}"))
                continue
            seen.add(facts["clip_id"])
            yield recording


def _messages(file: Path, refuse: Refuse) -> Iterator[Message]:
    """What the child sends; its end before time goes to ``refuse``."""
    size = file.stat().st_size
    keypoints = sum(path.stat().st_size for path in file.parent.glob("kpfiles/*.pkl"))
    try:
        yield from read_in_child(read_annotations, file, memory=MEMORY + 3 * size + keypoints,
                                 seconds=SECONDS + (size + keypoints) / 5e6)
    except FileFormatError as error:
        refuse(error)


def to_recording(facts: dict, arrays: dict[str, np.ndarray], layout: str | Layout | None,
                 dims: int | None, names: list[str] | None) -> Recording:
    """The recording of one message of `read_annotations`.

    Raises:
        SkelactError: It cannot be one: strange joints, sizes or classes.
    """
    image_size = tuple(facts["image_size"]) if facts["image_size"] else None
    fps = facts["fps"] or ASSUMED_FPS
    common = {"fps": fps, "image_size": image_size, "source": facts["clip_id"],
              "estimator": "unknown (pyskl pickle)", "labels": _labels(facts, names)}
    if "frame_index" in arrays:  # no identity
        skeleton = layout_of(arrays["keypoint"].shape[1], 2, layout)
        joints = with_confidence(arrays["keypoint"])
        people = Sightings(arrays["frame_index"], joints,
                           scores=_confidence(arrays["score"]) if "score" in arrays else None)
        return make_recording(people, skeleton, facts["frames"], **common)
    dims = dims or _guess_dims(arrays, image_size)
    skeleton = layout_of(arrays["keypoint"].shape[2], dims, layout)
    return Recording(padded_tracks(*_dense(arrays, dims)), np.arange(facts["frames"]) / fps,
                     skeleton, dims, **common)


def _labels(facts: dict, names: list[str] | None) -> dict:
    labels = {"clip_id": facts["clip_id"], "splits": facts["splits"]}
    if facts["fps"] is None:
        labels["fps_assumed"] = True
    if facts["label"] is not None:
        known = names or known_names(facts["clip_id"], facts["label"])
        labels["label"] = class_name(facts["label"], known)
    return labels | ntu_facts(facts["clip_id"]) | facts["numbers"]


def _guess_dims(arrays: dict[str, np.ndarray], image_size: tuple[int, int] | None) -> int:
    if arrays["keypoint"].shape[3] == 2:
        return 2
    return 3 if "score" in arrays or image_size is None else 2


def _dense(arrays: dict[str, np.ndarray], dims: int) -> tuple:
    """``[M, N, 3, T]`` joints, dims, and ``[M, N, T]`` confidence of 3-D joints or None."""
    keypoint = arrays["keypoint"].transpose(0, 2, 3, 1)
    people, joints, channels, frames = keypoint.shape
    score = arrays.get("score")
    score = None if score is None else _confidence(score.transpose(0, 2, 1))
    if channels < dims:
        raise ShapeError(f"expected 3 coordinates a joint in 3-D, got {channels}")
    dense = np.empty((people, joints, 3, frames), np.float32)
    dense[:, :, :channels] = keypoint
    if dims == 3:
        return dense, 3, score
    if channels == 3:
        if (dense[:, :, 2] > 2).any():
            raise FileFormatError("the third coordinate is no confidence (it exceeds 1 by far); "
                                  "is the data 3-D (dims=3)?")
        score = _confidence(dense[:, :, 2])
    dense[:, :, 2] = (dense[:, :, :2] != 0).any(axis=2) if score is None else score
    return dense, 2, None


def _confidence(score: np.ndarray) -> np.ndarray:
    """In [0, 1]: the height of a heat map may exceed 1 a little; unknown is 0."""
    return np.clip(np.nan_to_num(score.astype(np.float32), posinf=1.0), 0.0, 1.0)

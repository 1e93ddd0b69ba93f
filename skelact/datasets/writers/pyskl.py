"""Recordings as an annotation pickle for pyskl and mmaction2."""

import pickle
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from skelact.checks import check_choice
from skelact.datasets.clip_checks import NUMBERS
from skelact.datasets.writers.class_numbers import number_classes
from skelact.errors import SkelactError
from skelact.output import atomic_write, check_writable
from skelact.pose.recording import Recording


def write_pyskl(
    recordings: Iterable[Recording], path: str | Path,
    splits: Mapping[str, Iterable[str]] | None = None, *, classes: Sequence[str] | None = None,
    dtype: str = "float32", overwrite: bool = False,
) -> Path:
    """Write recordings as a pickle of plain values and numpy arrays, atomically.

    Beside the keys that pyskl reads the file has ``classes`` and ``layout``, and clips have what is
    known of ``subject``, ``camera``, ``setup``, ``repetition`` and ``fps``; pyskl ignores them and
    `read_pyskl` uses them. Lost are timestamps that are not even, track ids and boxes, the
    confidence of 3-D joints, annotations of parts, and who was never seen. All recordings are held
    in memory.

    Args:
        recordings: All of one skeleton, all 2-D or all 3-D, with ``labels["clip_id"]``.
        path: The ``.pkl`` to write.
        splits: Clip names of each split; by default as ``labels["splits"]`` says.
        classes: Class names in order; by default the labels that occur, sorted. Labels such as
            ``class_012`` keep their numbers.
        dtype: ``"float32"``, which loses nothing, or ``"float16"``, what pyskl's own files have:
            half the size, and about a pixel of a 2,000 pixel image.
        overwrite: Replace an existing file.

    Returns:
        The path.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
        SkelactError: No recordings, one without a name, a name twice, or skeletons differ.
        ChoiceError: A label is not among ``classes``, or the dtype is another.
    """
    check_choice(dtype, ("float32", "float16"), "dtype")
    check_writable(path, overwrite)
    recordings = list(recordings)
    _check_alike(recordings)
    found = [r.labels["label"] for r in recordings if "label" in r.labels]
    numbers, _ = number_classes(found, classes)
    if splits is None:
        splits = {}
        for recording in recordings:
            for split in recording.labels.get("splits", ()):
                splits.setdefault(split, []).append(recording.labels["clip_id"])
    content = {
        "split": {name: list(clips) for name, clips in splits.items()},
        "annotations": [_annotation(recording, numbers, dtype) for recording in recordings],
        "layout": recordings[0].layout.name,
        "dims": recordings[0].dims,
    }
    if any(name != f"class_{number:03}" for name, number in numbers.items()):
        content["classes"] = list(numbers)
    with atomic_write(path, overwrite) as temporary, open(temporary, "wb") as file:
        pickle.dump(content, file, protocol=4)
    return Path(path)


def _check_alike(recordings: list[Recording]) -> None:
    if not recordings:
        raise SkelactError("expected recordings to write, got none")
    kinds = {(recording.layout.name, recording.dims) for recording in recordings}
    if len(kinds) > 1:
        raise SkelactError(f"expected recordings of one skeleton, got {sorted(kinds)}; "
                           "remap(recording, layout) converts")
    names = [recording.labels.get("clip_id") for recording in recordings]
    if None in names or len(set(names)) < len(names):
        raise SkelactError("expected a clip_id in the labels of every recording, each another one")


def _annotation(recording: Recording, numbers: dict[str, int], dtype: str) -> dict:
    joints = np.nan_to_num(recording.joints()).transpose(0, 3, 1, 2).astype(dtype)
    annotation = {
        "frame_dir": recording.labels["clip_id"],
        "total_frames": recording.num_frames,
        "keypoint": np.ascontiguousarray(joints[..., : recording.dims]),
    }
    if "label" in recording.labels:
        annotation["label"] = numbers[recording.labels["label"]]
    if recording.dims == 2:
        annotation["keypoint_score"] = np.ascontiguousarray(joints[..., 2])
    if recording.image_size:
        annotation["img_shape"] = annotation["original_shape"] = recording.image_size[::-1]
    annotation |= {key: int(recording.labels[key]) for key in NUMBERS if key in recording.labels}
    if not recording.labels.get("fps_assumed"):
        annotation["fps"] = float(recording.fps)
    return annotation

"""The clips of a pyskl pickle as plain values and arrays: the half that runs in a child process.

It imports little, so that the child starts quickly; `skelact.datasets.readers.pyskl` makes
recordings of what it yields.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.untrusted.plain_pickle import read_pickle
from skelact.errors import FileFormatError

_MAX_FRAMES = 10_000_000
_MAX_TEXT = 1000
_SPARE = 2**24
_NUMBERS = ("subject", "camera", "setup", "repetition")


def read_annotations(path: str) -> Iterator[tuple[dict, dict[str, np.ndarray]]]:
    """First what our own files say of all clips (None where unknown), then every clip in order.

    Args:
        path: The pickle; a folder ``kpfiles`` may lie beside it.

    Yields:
        ``{"classes", "layout", "dims"}``; then ``{"place", "clip_id", "label", "splits",
        "frames", "image_size", "fps", "numbers"}`` with arrays ``keypoint [M, T, V, C]`` and
        where given ``score [M, T, V]`` (Kinetics: ``keypoint [n, V, 3]``, ``frame_index [n]``,
        where given ``score [n]``); or ``{"place", "refused"}`` for a clip that cannot be used.

    Raises:
        FileFormatError: The file is damaged, or no list of annotations.
    """
    file = Path(path)
    content = read_pickle(file)
    # an array may stand in many clips; a small file must not become an endless one by that
    left = 4 * file.stat().st_size + sum(p.stat().st_size for p in file.parent.glob("kpfiles/*"))
    for facts, arrays in clips_of(content, functools.lru_cache(64)(
            lambda name: _read_keypoints(file.parent / "kpfiles" / name))):
        left -= sum(array.nbytes for array in arrays.values())
        if left + _SPARE < 0:
            raise FileFormatError("the clips take much more room than the file: it uses the same "
                                  "arrays again and again")
        yield facts, arrays


def clips_of(content, read_keypoints=None) -> Iterator[tuple[dict, dict[str, np.ndarray]]]:
    """What `read_annotations` yields, of a pickle that was read already."""
    annotations, splits, common = _parts(content)
    yield common, {}
    member_of: dict[str, list[str]] = {}
    for split, names in splits.items():
        for name in dict.fromkeys(names):
            member_of.setdefault(name, []).append(split)
    for place, annotation in enumerate(annotations):
        try:
            facts, arrays = _clip(annotation, read_keypoints)
        except FileFormatError as error:
            yield {"place": place, "refused": str(error)}, {}
        else:
            yield facts | {"place": place, "splits": member_of.get(facts["clip_id"], [])}, arrays


def _parts(content) -> tuple[list, dict[str, list[str]], dict]:
    """The annotations, the splits, and what holds for all clips."""
    common = {"classes": None, "layout": None, "dims": None}
    if type(content) is list:
        return content, {}, common
    if type(content) is not dict or type(content.get("annotations")) is not list:
        raise FileFormatError("expected a pyskl pickle: a list of annotations, or a dict with "
                              "'annotations' and 'split'")
    splits = content.get("split") or {}
    if type(splits) is not dict or not all(
            type(split) is str and _is_texts(names) for split, names in splits.items()):
        raise FileFormatError("expected 'split' as a dict of lists of clip names")
    if (classes := content.get("classes")) is not None:
        if not _is_texts(classes) or not classes or len(set(classes)) < len(classes):
            raise FileFormatError("expected 'classes' as a list of different names")
        common["classes"] = list(classes)
    if type(content.get("layout")) is str:
        common["layout"] = content["layout"]
    if type(content.get("dims")) is int and content["dims"] in (2, 3):
        common["dims"] = content["dims"]
    return content["annotations"], splits, common


def _is_texts(value) -> bool:
    return type(value) in (list, tuple) and all(type(item) is str for item in value)


def _clip(annotation, read_keypoints) -> tuple[dict, dict[str, np.ndarray]]:
    if type(annotation) is not dict:
        raise FileFormatError(f"expected a dict, got {type(annotation).__name__}")
    name = annotation.get("frame_dir", annotation.get("filename"))
    if type(name) is not str or not 0 < len(name) <= _MAX_TEXT:
        raise FileFormatError("expected 'frame_dir', the name of the clip")
    facts = {"clip_id": name, "label": _label(annotation.get("label")),
             "image_size": _image_size(annotation), "fps": _fps(annotation.get("fps")),
             "numbers": _numbers(annotation)}
    frames = annotation.get("total_frames")
    if frames is not None and (type(frames) is not int or not 0 < frames <= _MAX_FRAMES):
        raise FileFormatError(f"{name}: expected 'total_frames' from 1 to {_MAX_FRAMES}")
    if "keypoint" in annotation or "raw_file" not in annotation:
        keypoint = annotation.get("keypoint")
        facts["frames"], arrays = _dense_clip(annotation, keypoint, frames)
    else:
        keypoint = _stored_keypoint(annotation, name, read_keypoints)
        facts["frames"], arrays = frames, _loose_clip(annotation, keypoint, frames)
    return facts, arrays


def _label(label) -> int | None:
    if label is not None and (type(label) is not int or not 0 <= label < 2**31):
        raise FileFormatError(f"expected 'label' as a class number, got {type(label).__name__} "
                              f"{label if type(label) in (int, float) else ''}".rstrip())
    return label


def _fps(fps) -> float | None:
    if fps is not None and (type(fps) not in (int, float) or not 0.1 <= fps <= 10_000):
        raise FileFormatError("expected 'fps' as frames a second")
    return fps


def _numbers(annotation: dict) -> dict[str, int]:
    """Subject, camera and so on, where they are whole numbers: pyskl knows no such keys."""
    given = {key: annotation.get(key) for key in _NUMBERS}
    return {key: value for key, value in given.items()
            if type(value) is int and 0 <= value < 2**31}


def _image_size(annotation: dict) -> tuple[int, int] | None:
    """(width, height)."""
    shape = annotation.get("img_shape") or annotation.get("original_shape")
    if shape is None:
        return None
    if type(shape) not in (tuple, list) or len(shape) < 2 or not all(
            type(side) is int and 0 < side < 2**20 for side in shape[:2]):
        raise FileFormatError("expected 'img_shape' as (height, width) in pixels")
    return shape[1], shape[0]


def _dense_clip(annotation: dict, keypoint, frames: int | None) -> tuple[int, dict]:
    _check_array(keypoint, "keypoint", ("M", "T", "V", "C"))
    people, length, joints, channels = keypoint.shape
    if channels not in (2, 3) or not length:
        raise FileFormatError(f"expected 'keypoint' [M, T, V, 2 or 3] of at least one frame, got "
                              f"{list(keypoint.shape)}")
    if frames is not None and frames != length:
        raise FileFormatError(f"expected {frames} frames (total_frames), got 'keypoint' of "
                              f"{length}")
    arrays = {"keypoint": keypoint}
    if (score := annotation.get("keypoint_score")) is not None:
        _check_array(score, "keypoint_score", ("M", "T", "V"))
        if score.shape != (people, length, joints):
            raise FileFormatError(f"expected 'keypoint_score' {[people, length, joints]}, got "
                                  f"{list(score.shape)}")
        arrays["score"] = score
    return length, arrays


def _loose_clip(annotation: dict, keypoint, frames: int | None) -> dict:
    """Kinetics: skeletons one after another, with the frame of each."""
    _check_array(keypoint, "keypoint", ("n", "V", "C"))
    index = annotation.get("frame_inds")
    index = np.asarray(index) if type(index) is list and _is_ints(index) else index
    _check_array(index, "frame_inds", ("n",))
    count = len(keypoint)
    if frames is None or keypoint.shape[2] != 3 or index.shape != (count,) \
            or index.dtype.kind not in "iu":
        raise FileFormatError(f"expected total_frames, and frame_inds [{count}] of whole numbers "
                              f"beside keypoints [{count}, V, 3]; got {list(index.shape)} beside "
                              f"{list(keypoint.shape)}")
    index = index.astype(np.int64)
    if count and (index[0] < 0 or index[-1] >= frames or (np.diff(index) < 0).any()):
        raise FileFormatError(f"expected 'frame_inds' that rise from 0 to below {frames}")
    arrays = {"keypoint": keypoint, "frame_index": index}
    if (score := annotation.get("box_score")) is not None:
        score = np.asarray(score) if type(score) is list and _is_numbers(score) else score
        _check_array(score, "box_score", ("n",))
        if score.shape != (count,):
            raise FileFormatError(f"expected 'box_score' [{count}], got {list(score.shape)}")
        arrays["score"] = score
    return arrays


def _is_ints(items: list) -> bool:
    return all(type(item) is int and abs(item) < 2**62 for item in items)


def _is_numbers(items: list) -> bool:
    return all(type(item) in (int, float) and abs(item) < 1e6 for item in items)


def _check_array(value, name: str, axes: tuple[str, ...]) -> None:
    if type(value) is not np.ndarray or value.ndim != len(axes) or value.dtype.kind == "b":
        got = list(value.shape) if type(value) is np.ndarray else type(value).__name__.strip("_")
        raise FileFormatError(f"expected '{name}' [{', '.join(axes)}] of numbers, got {got}")


def _stored_keypoint(annotation: dict, name: str, read_keypoints) -> np.ndarray:
    """The skeletons of a clip of Kinetics, out of the file in ``kpfiles`` that has them."""
    raw_file = annotation["raw_file"]
    if type(raw_file) is not str or read_keypoints is None:
        raise FileFormatError(f"{name}: expected 'raw_file', the name of a file in kpfiles")
    stored = read_keypoints(raw_file.replace("\\", "/").rsplit("/", 1)[-1])  # never another folder
    found = stored.get(name)
    if type(found) is not dict or "keypoint" not in found:
        raise FileFormatError(f"{name}: the file {raw_file[:200]} in kpfiles does not have it")
    return found["keypoint"]


def _read_keypoints(path: Path) -> dict:
    try:
        content = read_pickle(path)
    except OSError as error:
        raise FileFormatError(f"expected the keypoints in {path}; it cannot be read") from error
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from error
    if type(content) is not dict:
        raise FileFormatError(f"expected a dict of keypoints in {path}")
    return content

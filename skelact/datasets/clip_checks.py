"""What a store can hold of a clip, checked as a whole before anything of it is written."""

import math
from collections.abc import Collection, Mapping
from numbers import Integral, Real

from skelact.errors import SkelactError
from skelact.pose.recording import Recording

NUMBERS = ("subject", "camera", "setup", "repetition")
"""Facts of a clip that are whole numbers from 0; -1 in the raw column of a store for unknown."""
_KNOWN = {"clip_id", "label", *NUMBERS, "splits", "fps_assumed", "annotations", "video_start"}
_PARTS = {"label", "start", "end", "box", "track_id"}
_MOST = 2**63 - 1
"""The largest number of a column."""


def check_clip(recording: Recording, clip_id: str) -> None:
    """Refuse what a store has no place for.

    Args:
        recording: The clip.
        clip_id: Its id.

    Raises:
        SkelactError: A label of an unknown name, or a value of another kind than the store has
            or beyond what it can hold.
    """
    labels = recording.labels
    _check_texts(clip_id, [clip_id, recording.source, recording.estimator])
    for name in ("splits", "annotations"):
        value = labels.get(name, ())
        if isinstance(value, str) or not isinstance(value, Collection):
            raise _error(clip_id, f"{name} as a list", value)
    annotations = labels.get("annotations", ())
    if strange := [part for part in annotations if not isinstance(part, Mapping)]:
        raise _error(clip_id, "annotations as dicts", strange[0])
    _check_keys(clip_id, labels, _KNOWN)
    for part in annotations:
        _check_keys(clip_id, part, _PARTS)
    names = [labels.get("label"), *labels.get("splits", ()), *(p.get("label") for p in annotations)]
    _check_texts(clip_id, [name for name in names if name is not None])
    _check_numbers(recording, clip_id)
    for part in annotations:
        _check_annotation(clip_id, part)


def _check_keys(clip_id: str, labels: Mapping, known: set[str]) -> None:
    if unknown := set(labels) - known:
        raise SkelactError(f"clip {clip_id}: a store has no place for the labels "
                           f"{', '.join(sorted(map(str, unknown)))}; it knows "
                           f"{', '.join(sorted(known))}")


def _check_texts(clip_id: str, texts: list) -> None:
    for text in texts:
        if not isinstance(text, str):
            raise _error(clip_id, "names of classes, lists and sources as text", text)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise _error(clip_id, "text that UTF-8 can write; rename it", text) from None


def _check_numbers(recording: Recording, clip_id: str) -> None:
    labels = recording.labels
    numbers = {key: labels.get(key) for key in NUMBERS}
    numbers |= {f"track_id of annotation {i}": part.get("track_id")
                for i, part in enumerate(labels.get("annotations", ()))}
    for name, number in numbers.items():
        if number is not None and not (isinstance(number, Integral) and 0 <= number <= _MOST):
            raise _error(clip_id, f"{name} as one of the whole numbers from 0 to 2^63 - 1", number)
    start = labels.get("video_start")
    if start is not None and not _is_finite(start):
        raise _error(clip_id, "video_start in seconds", start)
    for track in recording.tracks:
        if abs(track.track_id) > _MOST:
            raise _error(clip_id, "track ids below 2^63", track.track_id)
    if not all(1 <= side <= _MOST for side in recording.image_size or ()):
        raise _error(clip_id, "an image size below 2^63", recording.image_size)


def _check_annotation(clip_id: str, part: Mapping) -> None:
    box = part.get("box")
    fits = box is None or (isinstance(box, Collection) and len(box) == 4)
    numbers = [part.get("start"), part.get("end"), *(box if fits and box is not None else ())]
    if "label" not in part or not fits or not all(map(_is_finite, numbers)):
        raise _error(clip_id, "annotations with label, start and end in seconds, and a box of 4 "
                     "numbers if any", dict(part))


def _is_finite(value) -> bool:
    try:
        return isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _error(clip_id: str, expected: str, got: object) -> SkelactError:
    shown = clip_id.encode("utf-8", "backslashreplace").decode()
    return SkelactError(f"clip {shown}: expected {expected}; got {got!r}")

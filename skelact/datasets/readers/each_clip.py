"""What file readers share: finding files by name, and going on after one that is damaged."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from skelact.datasets.readers.base import Refuse
from skelact.errors import EmptyClipError, FileFormatError, SkelactError
from skelact.pose.recording import PoseTrack, Recording

Clip = TypeVar("Clip")

DAMAGE = (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError,
          RecursionError, MemoryError, SkelactError)
"""What content that is not as promised raises while it is taken apart."""
MAX_JSON = 2**31
"""Bytes: an hour of three people in 136 joints each is 1.5 GB, all people of COCO are 0.25 GB."""


def find_named(path: str | Path, suffix: str, name: re.Pattern) -> list[Path]:
    """Files at or below ``path`` with this suffix whose stem is wholly of the form ``name``."""
    path = Path(path)
    files = [path] if path.is_file() else path.rglob(f"*{suffix}")
    return sorted(f for f in files if f.suffix == suffix and name.fullmatch(f.stem))


def read_each(
    clips: Iterable[Clip],
    parse: Callable[[Clip], Recording],
    what: str,
    refuse: Refuse,
    name: Callable[[Clip], str] = str,
) -> Iterator[Recording]:
    """The recording of every clip; what cannot be parsed goes to ``refuse``.

    Args:
        clips: Files, folders, or whatever ``parse`` takes.
        parse: Gives one recording, or raises.
        what: What a clip should have been: ``"a UTD-MHAD skeleton"``.
        refuse: Told of every clip that is not.
        name: Where a clip is, for the message.
    """
    for clip in clips:
        try:
            recording = parse(clip)
        except EmptyClipError as error:
            refuse(EmptyClipError(f"{name(clip)}: {error}"))
        except DAMAGE as error:
            refuse(FileFormatError(f"{name(clip)} is not {what}: {describe(error)}"))
        else:
            yield recording


def describe(error: Exception) -> str:
    """What an error says, also for those that say little by themselves."""
    if isinstance(error, KeyError):
        return f"no {error.args[0]!r} in it"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error) or type(error).__name__


def load_json(file: Path) -> Any:
    """What a JSON file holds; above `MAX_JSON` it is refused unread.

    Raises:
        FileFormatError: It is too large.
        ValueError: It is no JSON.
    """
    if (size := file.stat().st_size) > MAX_JSON:
        raise FileFormatError(f"expected JSON of at most {MAX_JSON} bytes, got {size}; cut the "
                              "recording into several files")
    return json.loads(file.read_bytes())


def single_person(
    joints: np.ndarray,
    confidence: np.ndarray | None = None,
    **facts,
) -> Recording:
    """A 3-D capture of one person in which zeros stand for what the sensor lost.

    A frame of zeros is one without the person, a joint at exactly (0, 0, 0) is missing.

    Args:
        joints: ``[N, 3, T]`` metres.
        confidence: ``[N, T]`` in [0, 1], or None.
        facts: Further fields of the `Recording`; ``fps`` among them.

    Raises:
        EmptyClipError: There is nothing but zeros in the frames.
        FileFormatError: There are no frames.
        ShapeError: The axes do not match.
    """
    joints = np.array(joints, np.float32)
    if joints.ndim != 3 or not joints.shape[2]:
        raise FileFormatError(f"expected joints [N, 3, T] of at least one frame, "
                              f"got {list(joints.shape)}")
    zero = (joints == 0).all(axis=1)
    present = np.flatnonzero(~zero.all(axis=0))
    if not len(present):
        raise EmptyClipError(f"all its {joints.shape[2]} frames are zeros: the sensor saw nobody")
    joints.transpose(0, 2, 1)[zero] = np.nan
    track = PoseTrack(0, joints[:, :, present], present,
                      confidence=None if confidence is None else confidence[:, present])
    return Recording(tracks=(track,), timestamps=np.arange(joints.shape[2]) / facts["fps"],
                     dims=3, **facts)

"""The pose file: one recording as a ``.npz`` that plain numpy reads, without pickle.

Tracks lie one after another along the frame axis (S = sum of their lengths), so an hour with
500 people stays small. See ``docs/data.md`` for every array.
"""

import json
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from skelact.errors import FileFormatError, SkelactError
from skelact.graph.layouts import Layout, builtin_layouts, get_layout
from skelact.output import atomic_write
from skelact.pose.recording import PoseTrack, Recording
from skelact.version import __version__

FORMAT_VERSION = 1


def save_recording(
    recording: Recording, path: str | Path, overwrite: bool = False, options: dict | None = None
) -> Path:
    """Write a recording as a pose file, atomically.

    Args:
        recording: What to write.
        path: The ``.npz`` to write.
        overwrite: Replace an existing file.
        options: How the recording was made (plain JSON values); `read_options` gives it back, so
            that a second run can tell whether the file is already what it would make.

    Returns:
        The path.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
        SkelactError: The path does not end in ``.npz``.
    """
    if not is_pose_file(path):
        raise SkelactError(f"a pose file ends in .npz; got {path}")
    arrays = _to_arrays(recording)
    arrays["options"] = np.array(json.dumps(options or {}, sort_keys=True))
    with atomic_write(path, overwrite) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)
    return Path(path)


def load_recording(path: str | Path) -> Recording:
    """Read a pose file.

    Args:
        path: A ``.npz`` written by `save_recording` or ``skelact pose``.

    Raises:
        FileFormatError: The file is missing, truncated, no pose file, of a newer format, or its
            arrays contradict one another.
    """
    arrays = _read_arrays(path)
    try:
        return _from_arrays(arrays)
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from None
    except (SkelactError, ValueError, TypeError, IndexError, OverflowError) as error:
        raise FileFormatError(f"{path} is not a valid pose file: {error}") from error


def read_options(path: str | Path) -> dict:
    """The ``options`` that a pose file was saved with.

    Raises:
        FileFormatError: The file is not a readable pose file.
    """
    arrays = _read_arrays(path)
    try:
        return dict(json.loads(str(arrays["options"])))
    except (KeyError, ValueError, TypeError) as error:
        raise FileFormatError(f"{path} is not a valid pose file: bad options") from error


def is_pose_file(path: str | Path) -> bool:
    """Whether the file name is that of a pose file (its content is checked on loading)."""
    return Path(path).suffix.lower() == ".npz"


def _to_arrays(recording: Recording) -> dict[str, np.ndarray]:
    tracks, layout = recording.tracks, recording.layout
    lengths = [len(track) for track in tracks]
    joints = [np.empty((layout.num_joints, 3, 0), np.float32)]
    arrays = {
        "joints": np.concatenate(joints + [t.joints for t in tracks], axis=2),
        "track_offsets": np.cumsum([0, *lengths], dtype=np.int64),
        "track_ids": np.array([t.track_id for t in tracks], np.int64),
        "frame_index": np.concatenate([np.empty(0, np.int64)] + [t.frame_index for t in tracks]),
        "boxes": _concatenate([t.boxes for t in tracks], 4, lengths),
        "timestamps": recording.timestamps,
        "image_size": np.array(recording.image_size or (0, 0), np.int64),
        "dims": np.array(recording.dims),
        "fps": np.array(recording.fps, np.float64),
        "layout": np.array(layout.name),
        "joint_names": np.array(layout.joints),
        "parents": np.array(layout.parents, np.int64),
        "flip_order": layout.flip_order,
        "source": np.array(recording.source),
        "estimator": np.array(recording.estimator),
        "format_version": np.array(FORMAT_VERSION),
        "skelact_version": np.array(__version__),
    }
    if any(t.confidence is not None for t in tracks):
        arrays["confidence"] = _concatenate(
            [t.confidence for t in tracks], layout.num_joints, lengths
        )
    return arrays


def _concatenate(parts: list[np.ndarray | None], rows: int, lengths: list[int]) -> np.ndarray:
    """``[rows, S]`` with NaN for the tracks that have none."""
    filled = [
        np.full((rows, length), np.nan, np.float32) if part is None else part
        for part, length in zip(parts, lengths, strict=True)
    ]
    return np.concatenate([np.empty((rows, 0), np.float32), *filled], axis=1)


def _read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    path = Path(path)
    if not path.is_file():
        raise FileFormatError(f"no pose file at {path}; `skelact pose VIDEO` writes one")
    if not zipfile.is_zipfile(path):
        raise FileFormatError(f"{path} is not a readable pose file (truncated or of another kind)")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, MemoryError,
            NotImplementedError, RuntimeError, SyntaxError) as error:
        raise FileFormatError(f"{path} is damaged or no pose file: {error}") from error
    except Exception as error:  # zlib.error and whatever else a damaged archive provokes
        raise FileFormatError(f"{path} is damaged: {error}") from error
    if "format_version" not in arrays or "joints" not in arrays:
        raise FileFormatError(
            f"{path} is a .npz but no pose file (it holds {', '.join(sorted(arrays)) or 'nothing'})"
        )
    return arrays


def _from_arrays(arrays: dict[str, np.ndarray]) -> Recording:
    version = int(arrays["format_version"])
    if version > FORMAT_VERSION:
        raise FileFormatError(
            f"pose file format {version} is newer than this skelact reads ({FORMAT_VERSION}); "
            f"update skelact"
        )
    missing = {"track_offsets", "track_ids", "frame_index", "boxes", "timestamps", "image_size",
               "dims", "fps", "layout", "joint_names", "parents"} - set(arrays)
    if missing:
        raise FileFormatError(f"the pose file lacks {', '.join(sorted(missing))}")
    offsets = arrays["track_offsets"]
    total = arrays["joints"].shape[-1]
    if (len(offsets) != len(arrays["track_ids"]) + 1 or offsets[0] != 0 or offsets[-1] != total
            or (np.diff(offsets) < 0).any()):
        raise FileFormatError(f"track_offsets {offsets.tolist()} do not divide {total} frames")
    spans = [slice(a, b) for a, b in pairwise(offsets)]
    tracks = [
        PoseTrack(
            track_id=track_id,
            joints=arrays["joints"][..., span],
            frame_index=arrays["frame_index"][span],
            boxes=_present(arrays["boxes"][:, span]),
            confidence=_present(arrays["confidence"][:, span]) if "confidence" in arrays else None,
        )
        for track_id, span in zip(arrays["track_ids"], spans, strict=True)
    ]
    width, height = map(int, arrays["image_size"])
    return Recording(
        tracks=tuple(tracks),
        timestamps=arrays["timestamps"],
        layout=_stored_layout(arrays),
        dims=int(arrays["dims"]),
        fps=float(arrays["fps"]),
        image_size=(width, height) if width and height else None,
        source=str(arrays.get("source", "")),
        estimator=str(arrays.get("estimator", "")),
    )


def _present(part: np.ndarray) -> np.ndarray | None:
    return None if np.isnan(part).all() else part


def _stored_layout(arrays: dict[str, np.ndarray]) -> Layout:
    """The built-in layout of that name if it is the same, else the one spelled out in the file."""
    name = str(arrays["layout"])
    joints = tuple(map(str, arrays["joint_names"]))
    parents = tuple(map(int, arrays["parents"]))
    if name in builtin_layouts():
        builtin = get_layout(name)
        if (builtin.joints, builtin.parents) == (joints, parents):
            return builtin
    pairs = None  # by the names, in a file that somebody else wrote
    if "flip_order" in arrays:
        pairs = tuple((i, int(j)) for i, j in enumerate(arrays["flip_order"]) if i < j)
    return Layout(name, joints, parents, flip_pairs=pairs)

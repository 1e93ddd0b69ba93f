"""Our own pose files with ``labels.csv``, or in class folders."""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import read_each
from skelact.datasets.readers.surroundings import Labels, read_labels
from skelact.errors import FileFormatError
from skelact.pose.files import load_recording
from skelact.pose.recording import Recording

_ARRAYS = {"format_version.npy", "track_offsets.npy"}


def find_pose_folder(path: str | Path) -> list[Path]:
    """Pose files at or below ``path``, judged by the names of their arrays."""
    path = Path(path)
    files = [path] if path.is_file() else path.rglob("*.npz")
    return sorted(f for f in files if f.suffix.lower() == ".npz" and _is_pose_file(f))


def read_pose_folder(path: str | Path, refuse: Refuse = raise_error) -> Iterator[Recording]:
    """Recordings of pose files as ``skelact pose`` writes them.

    Labels come from ``labels.csv`` in the folder (columns ``file, label`` and optionally
    ``subject, camera, setup, repetition, split``; see `read_labels`), or from the folder that a
    file lies in: ``jumping_jacks/anna.npz``.

    Args:
        path: The folder, or one pose file.
        refuse: Told of every file that is damaged or not in ``labels.csv``, and of every line
            that names no file.

    Raises:
        FileFormatError: There are no pose files, or ``labels.csv`` is damaged.
    """
    files = find_pose_folder(path)
    if not files:
        raise FileFormatError(f"no pose files (.npz of `skelact pose`) in {path}")
    labels = read_labels(path)
    yield from read_each(files, lambda file: _parse(file, labels), "a labelled pose file", refuse)
    if Path(path).is_dir():
        for name in _unclaimed(files, labels):
            refuse(FileFormatError(f"{labels.root / 'labels.csv'} lists {name}, which is no pose "
                                   f"file in {labels.root}"))


def _parse(file: Path, labels: Labels) -> Recording:
    recording = load_recording(file)
    facts = labels.of(file)
    return replace(recording, labels=facts, source=recording.source or file.name)


def _unclaimed(files: list[Path], labels: Labels) -> list[str]:
    relative = [file.relative_to(labels.root) for file in files]
    known = {f.as_posix() for f in relative} | {f.with_suffix("").as_posix() for f in relative}
    return sorted(set(labels.rows or ()) - known)


def _is_pose_file(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return set(archive.namelist()) >= _ARRAYS
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False

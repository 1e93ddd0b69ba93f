"""NTU RGB+D 60 and 120: Kinect v2 skeletons of 120 actions, 3-D, one ``.skeleton`` file a clip."""

from collections.abc import Collection, Iterator
from pathlib import Path

from skelact.datasets.ntu import BodyRow, apply_profile
from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.ntu_classes import NTU120_CLASSES
from skelact.datasets.readers.ntu_names import is_ntu_name
from skelact.datasets.readers.skeleton_file import RawCapture, read_skeleton_file
from skelact.errors import FileFormatError
from skelact.pose.recording import Recording

__all__ = ["CLASSES", "RawCapture", "find_ntu", "read_capture", "read_ntu", "read_skeleton_file"]

CLASSES = NTU120_CLASSES
"""Class k is action ``A<k + 1>``; the first 60 are those of NTU RGB+D."""


def find_ntu(path: str | Path) -> list[Path]:
    """The files at or below ``path`` that are named ``SsssCcccPpppRrrrAaaa.skeleton``, sorted."""
    path = Path(path)
    files = [path] if path.is_file() else path.rglob("*.skeleton")
    return sorted((f for f in files if f.suffix == ".skeleton" and is_ntu_name(f.stem)),
                  key=lambda file: (file.stem, file))


def read_ntu(
    path: str | Path, refuse: Refuse = raise_error, profile: str = "skelact",
    missing: Collection[str] = (),
) -> Iterator[Recording]:
    """Recordings of NTU RGB+D; ``labels`` holds everything that the file name says.

    Args:
        path: A ``.skeleton`` file, or a folder of them at any depth.
        refuse: Told of every clip that cannot be used, those without any body among them.
        profile: One of `skelact.datasets.ntu.PROFILES`.
        missing: Names of clips to leave out, such as `read_missing_list` reads.

    Raises:
        FileFormatError: No such files.
        ChoiceError: No such profile.

    Source: Shahroudy et al., "NTU RGB+D", CVPR 2016; Liu et al., "NTU RGB+D 120", TPAMI 2019.
    """
    files = find_ntu(path)
    if not files:
        raise FileFormatError(f"no NTU RGB+D skeletons (S001C001P001R001A001.skeleton, ...) in "
                              f"{path}")
    for file in files:
        if file.stem in missing:
            continue
        try:
            recording, _ = read_capture(file, profile)
        except FileFormatError as error:
            refuse(error)
        else:
            yield recording


def read_capture(file: str | Path, profile: str = "skelact") -> tuple[Recording, list[BodyRow]]:
    """The recording of one ``.skeleton`` file, and what the profile did with each of its bodies.

    Raises:
        FileFormatError: The file breaks the grammar, or shows nobody; see `read_skeleton_file` and
            `apply_profile`.
        ChoiceError: No such profile.
    """
    return apply_profile(read_skeleton_file(file), profile)

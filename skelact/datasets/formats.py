"""The formats that skelact reads: one line each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from skelact.datasets.readers import (
    ctrgcn,
    msr_action3d,
    nw_ucla,
    penn_action,
    precog16,
    pyskl,
    stgcn_arrays,
    utd_mhad,
)
from skelact.errors import ChoiceError, FileFormatError
from skelact.pose.recording import Recording


@dataclass(frozen=True)
class Format:
    """How one foreign format is found and read; see `skelact.datasets.readers.base`.

    Args:
        find: Files of this format at or below a path.
        read: Their clips.
        what: What it is.
        layout: The skeleton it comes in.
        by_file: Every file found can be read alone, so several processes can share the work.
        classes: Official order of the classes, where the format is a data set.
    """

    find: Callable[[str | Path], list[Path]]
    read: Callable[..., Iterator[Recording]]
    what: str
    layout: str
    by_file: bool = False
    classes: tuple[str, ...] = ()


FORMATS = {
    "nw_ucla": Format(nw_ucla.find_nw_ucla, nw_ucla.read_nw_ucla, "NW-UCLA JSON", "kinect20", True,
                      tuple(nw_ucla.CLASSES.values())),
    "utd_mhad": Format(utd_mhad.find_utd_mhad, utd_mhad.read_utd_mhad, "UTD-MHAD .mat", "utd20",
                       True, utd_mhad.CLASSES),
    "msr_action3d": Format(msr_action3d.find_msr_action3d, msr_action3d.read_msr_action3d,
                           "MSR-Action3D .txt", "msr20", False, msr_action3d.CLASSES),
    "penn_action": Format(penn_action.find_penn_action, penn_action.read_penn_action,
                          "Penn Action .mat", "penn13", True),
    "precog16": Format(precog16.find_precog16, precog16.read_precog16, "PRECOG16 .csv", "kinect20",
                       True, precog16.CLASSES),
    "pyskl": Format(pyskl.find_pyskl, pyskl.read_pyskl, "pyskl and mmaction2 annotation pickle",
                    "by the number of joints"),
    "ctrgcn": Format(ctrgcn.find_ctrgcn, ctrgcn.read_ctrgcn, "CTR-GCN .npz", "ntu25"),
    "stgcn_arrays": Format(stgcn_arrays.find_stgcn_arrays, stgcn_arrays.read_stgcn_arrays,
                           "st-gcn .npy and .pkl", "by the number of joints"),
}
"""Name -> format, all that `detect_format` tries."""


def get_format(name: str) -> Format:
    """A format by name.

    Raises:
        ChoiceError: There is none of that name; the message lists those that are.
    """
    if name not in FORMATS:
        raise ChoiceError(f"expected a format out of {', '.join(FORMATS)}; got {name!r}")
    return FORMATS[name]


def detect_format(path: str | Path, prefer: str = "") -> str:
    """The format of what lies at or below a path, by content.

    Args:
        path: A file or folder.
        prefer: The format to take if the path holds several and this is one of them.

    Raises:
        FileFormatError: There is nothing there, nothing that skelact reads, or several formats.
    """
    if not Path(path).exists():
        raise FileFormatError(f"no file or folder at {path}")
    if prefer in FORMATS and FORMATS[prefer].find(path):
        return prefer
    counts = {name: len(format_.find(path)) for name, format_ in FORMATS.items()}
    found = {name: count for name, count in counts.items() if count}
    if not found:
        known = "\n".join(f"  {name:<18} {format_.what}" for name, format_ in FORMATS.items())
        raise FileFormatError(f"{path} holds no skeleton data that skelact reads:\n{known}\n"
                              "for videos: skelact data prepare NAME --from-videos DIR")
    if len(found) > 1:
        listed = ", ".join(f"{name} ({count})" for name, count in found.items())
        raise FileFormatError(f"{path} holds several formats: {listed}; say which with "
                              f"--format, or name the folder of one")
    return next(iter(found))

"""The formats that skelact reads: one line each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from skelact.checks import check_readable
from skelact.datasets.catalog import CATALOG, hint
from skelact.datasets.readers.alphapose import find_alphapose, read_alphapose
from skelact.datasets.readers.coco import find_coco, read_coco
from skelact.datasets.readers.ctrgcn import find_ctrgcn, read_ctrgcn
from skelact.datasets.readers.kinetics_skeleton import (
    find_kinetics_skeleton,
    read_kinetics_skeleton,
)
from skelact.datasets.readers.mediapipe import find_mediapipe, read_mediapipe
from skelact.datasets.readers.mmpose import find_mmpose, read_mmpose
from skelact.datasets.readers.msr_action3d import CLASSES as MSR_CLASSES
from skelact.datasets.readers.msr_action3d import find_msr_action3d, read_msr_action3d
from skelact.datasets.readers.ntu import CLASSES as NTU_CLASSES
from skelact.datasets.readers.ntu import find_ntu, read_ntu
from skelact.datasets.readers.nw_ucla import CLASSES as NW_UCLA_CLASSES
from skelact.datasets.readers.nw_ucla import find_nw_ucla, read_nw_ucla
from skelact.datasets.readers.openpose import find_openpose, read_openpose
from skelact.datasets.readers.penn_action import find_penn_action, read_penn_action
from skelact.datasets.readers.pku_mmd import CLASSES as PKU_MMD_CLASSES
from skelact.datasets.readers.pku_mmd import find_pku_mmd, read_pku_mmd
from skelact.datasets.readers.pose_folder import find_pose_folder, read_pose_folder
from skelact.datasets.readers.precog16 import CLASSES as PRECOG16_CLASSES
from skelact.datasets.readers.precog16 import find_precog16, read_precog16
from skelact.datasets.readers.pyskl import find_pyskl, read_pyskl
from skelact.datasets.readers.stgcn_arrays import find_stgcn_arrays, read_stgcn_arrays
from skelact.datasets.readers.ultralytics import find_ultralytics, read_ultralytics
from skelact.datasets.readers.utd_mhad import CLASSES as UTD_MHAD_CLASSES
from skelact.datasets.readers.utd_mhad import find_utd_mhad, read_utd_mhad
from skelact.datasets.refusal import why_refused
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
        options: What ``read`` may be told beside the path.
        classes: Official order of the classes, where the format is a data set.
    """

    find: Callable[[str | Path], list[Path]]
    read: Callable[..., Iterator[Recording]]
    what: str
    layout: str
    by_file: bool = False
    options: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


_ARRAYS = ("layout", "classes")
_POSES = ("fps", "image_size")
_JOINTS = "by the number of joints"
FORMATS = {
    "ntu": Format(find_ntu, read_ntu, "NTU RGB+D .skeleton", "ntu25", by_file=True,
                  classes=NTU_CLASSES),
    "nw_ucla": Format(find_nw_ucla, read_nw_ucla, "NW-UCLA .json", "kinect20", by_file=True,
                      classes=tuple(NW_UCLA_CLASSES.values())),
    "utd_mhad": Format(find_utd_mhad, read_utd_mhad, "UTD-MHAD .mat", "utd20", by_file=True,
                       classes=UTD_MHAD_CLASSES),
    "msr_action3d": Format(find_msr_action3d, read_msr_action3d, "MSR-Action3D .txt", "msr20",
                           classes=MSR_CLASSES),
    "penn_action": Format(find_penn_action, read_penn_action, "Penn Action .mat", "penn13",
                          by_file=True),
    "precog16": Format(find_precog16, read_precog16, "PRECOG16 .csv", "kinect20", by_file=True,
                       classes=PRECOG16_CLASSES),
    "pku_mmd": Format(find_pku_mmd, read_pku_mmd, "PKU-MMD .txt", "ntu25",
                      classes=PKU_MMD_CLASSES),
    "kinetics_skeleton": Format(find_kinetics_skeleton, read_kinetics_skeleton,
                                "Kinetics-skeleton .json, one a clip", "openpose18",
                                by_file=True),
    "pyskl": Format(find_pyskl, read_pyskl, "pyskl and mmaction2 annotation .pkl", _JOINTS,
                    options=(*_ARRAYS, "dims")),
    "ctrgcn": Format(find_ctrgcn, read_ctrgcn, "CTR-GCN .npz", "ntu25", options=_ARRAYS),
    "stgcn_arrays": Format(find_stgcn_arrays, read_stgcn_arrays, "st-gcn .npy and .pkl", _JOINTS,
                           options=_ARRAYS),
    "coco": Format(find_coco, read_coco, "COCO keypoints .json", "coco17", options=_POSES),
    "openpose": Format(find_openpose, read_openpose, "OpenPose folders of .json", _JOINTS,
                       options=_POSES),
    "alphapose": Format(find_alphapose, read_alphapose, "AlphaPose results .json", _JOINTS,
                        options=_POSES),
    "mmpose": Format(find_mmpose, read_mmpose, "MMPose predictions .json", _JOINTS,
                     options=_POSES),
    "mediapipe": Format(find_mediapipe, read_mediapipe, "MediaPipe landmarks .json or .csv",
                        "mediapipe33", options=_POSES),
    "ultralytics": Format(find_ultralytics, read_ultralytics, "Ultralytics results .txt", _JOINTS,
                          options=_POSES),
    "pose_folder": Format(find_pose_folder, read_pose_folder, "pose files of skelact .npz", "any"),
}
"""Name -> format, all that `detect_format` tries."""

_OWNERS = {
    "ntu": ("ntu", "ntu60", "ntu120"),
    "kinetics_skeleton": ("kinetics_skeleton", "kinetics400"),
    **{name: (name,) for name in ("nw_ucla", "utd_mhad", "msr_action3d", "penn_action",
                                  "precog16", "pku_mmd")},
}
"""Format that data sets are published in -> their names; every other format may hold anything."""


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
        prefer: Name of the data set: the format to take if the path holds several and this is one
            of them. Where nothing is found of a published one, the error says how to get it.

    Raises:
        FileFormatError: There is nothing there, nothing that skelact reads or may read, or
            several formats.
    """
    check_readable(path)
    if not Path(path).exists():
        raise FileFormatError(f"no file or folder at {path}{hint(prefer, path)}")
    if prefer in FORMATS and FORMATS[prefer].find(path):
        return prefer
    counts = {name: len(format_.find(path)) for name, format_ in FORMATS.items()}
    found = {name: count for name, count in counts.items() if count}
    if not found:
        check_readable(path, below=True)
        raise FileFormatError(why_refused(path) or (
            f"{path} holds no skeleton data that skelact reads; `skelact data prepare --help` "
            f"lists the formats, --from-videos takes videos{hint(prefer, path)}"))
    if len(found) > 1:
        listed = ", ".join(f"{name} ({count})" for name, count in found.items())
        raise FileFormatError(f"{path} holds several formats: {listed}; say which with "
                              f"--format, or name the folder of one")
    return next(iter(found))


def check_holds(format: str, path: str | Path) -> None:
    """Say what is wrong with a file that is not of the format that the user names.

    Raises:
        FileFormatError: It holds nothing of the format, for a reason that is known.
        ChoiceError: There is no such format.
    """
    check_readable(path)
    if not get_format(format).find(path) and (reason := why_refused(path)):
        raise FileFormatError(f"no {get_format(format).what}: {reason}")


def check_name(name: str, format: str, path: str | Path) -> None:
    """Refuse a data set under the name of another one, whose classes and splits it would get.

    Args:
        name: What the data set shall be called; any that is neither published nor a format fits.
        format: What was found.
        path: Where it was found.

    Raises:
        FileFormatError: The format is that of other data sets than ``name``.
    """
    owners = _OWNERS.get(format, (name,))
    if name in owners or (name not in CATALOG and name not in FORMATS):
        return
    own = next((own for own, names in _OWNERS.items() if name in names), None)
    what = f" ({FORMATS[own].what})" if own else ""
    raise FileFormatError(f"expected data of {name}{what}, got {FORMATS[format].what} of "
                          f"{' or '.join(owners)} at {path}; name the folder of {name}, or "
                          f"another data set than {name}")

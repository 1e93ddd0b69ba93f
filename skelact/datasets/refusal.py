"""Why an archive or a pickle that no format claims is refused: what its parser says."""

import zipfile
from pathlib import Path

from skelact.datasets.untrusted.npy import read_header
from skelact.datasets.untrusted.pyskl_annotations import read_annotations
from skelact.datasets.untrusted.sandbox import read_in_child
from skelact.errors import FileFormatError


def why_refused(path: str | Path) -> str | None:
    """What is wrong with a ``.pkl``, ``.npz`` or ``.npy`` file, or a folder with one file only.

    Returns:
        The file and the reason; None where the path is something else.
    """
    path = Path(path)
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    if len(files) != 1 or not files[0].is_file():
        return None
    explain = _EXPLAIN.get(files[0].suffix.lower())
    try:
        return explain and explain(files[0])
    except FileFormatError as error:
        return str(error)
    except Exception as error:  # zlib.error and whatever else a damaged archive provokes
        return f"{files[0]} is damaged: {error}"


def _explain_pickle(file: Path) -> str:
    for facts, _ in read_in_child(read_annotations, file):
        if "refused" in facts:
            return f"{file}: annotation {facts['place']}: {facts['refused']}"
    return f"{file}: expected a pyskl pickle of annotations; got one without any"


def _explain_archive(file: Path) -> str:
    with zipfile.ZipFile(file) as archive:
        names = [repr(name.removesuffix(".npy")[:40]) for name in archive.namelist()]
    return (f"{file}: expected a pose file of `skelact pose`, or x_train, y_train, x_test and "
            f"y_test of CTR-GCN; got {', '.join(names[:8]) or 'an empty archive'}")


def _explain_array(file: Path) -> str:
    with open(file, "rb") as stream:
        shape, dtype = read_header(stream, str(file))
    return (f"{file}: expected the arrays of st-gcn, NAME_data.npy with NAME_label.pkl beside it; "
            f"got {list(shape)} {dtype} alone")


_EXPLAIN = {".pkl": _explain_pickle, ".pickle": _explain_pickle, ".npz": _explain_archive,
            ".npy": _explain_array}

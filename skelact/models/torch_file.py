"""Reading torch files without executing anything in them."""

import pickle
import re
import zipfile
from pathlib import Path

import torch

from skelact.errors import WeightsError, one_line


def read_torch_file(path: str | Path):
    """The content of a ``.pt`` or ``.pth`` file: tensors and plain values only.

    Raises:
        WeightsError: The file is missing or damaged, or reading it would run code.
    """
    path = Path(path)
    if not path.is_file():
        what = "a folder is" if path.is_dir() else "nothing is"
        raise WeightsError(f"no model file at {path} ({what} there)")
    _check_kind(path)
    _check_sums(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's own message is long and tells users how to run the code after all
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = (f"holds more than tensors and plain values: it asks for {named[1]}" if named else
                "is damaged, or holds more than tensors and plain values")
        raise WeightsError(f"{path} {what}; reading it could run code, so it is refused. Save the "
                           "state dict alone, where the file can be trusted") from error
    except Exception as error:  # torch raises many kinds for a damaged file, some without words
        raise WeightsError(f"{path} is damaged or no torch file ({type(error).__name__}: "
                           f"{one_line(error)})") from error


def _check_kind(path: Path) -> None:
    """Refuse model files of other programs by what they begin with."""
    with open(path, "rb") as file:
        begin = file.read(64)
    for kind, found in (
        ("a TensorFlow Lite model", begin[4:8] == b"TFL3"),
        ("an HDF5 file, such as Keras writes", begin.startswith(b"\x89HDF")),
        ("a safetensors file", begin[8:10] == b'{"'),
        ("an ONNX model", begin[:1] == b"\x08" and b"pytorch" in begin),
        ("a file of numpy arrays, such as a pose file", begin[:2] == b"PK" and b".npy" in begin),
        ("a text file", begin[:1] in b"{[<#" and begin.isascii()),
    ):
        if begin and found:
            raise WeightsError(f"{path} is {kind}; expected a torch file (.pt, .pth) of weights")


def _check_sums(path: Path) -> None:
    """Refuse an archive with a flipped bit; torch itself loads it with another number inside."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except zipfile.BadZipFile:
        return  # the format before 2020, or nothing that torch will read
    except Exception as error:  # zlib.error and whatever else a damaged archive provokes
        raise WeightsError(f"{path} is damaged ({one_line(error)})") from error
    if broken is not None:
        raise WeightsError(f"{path} is damaged: the checksum of {broken} inside it is wrong")

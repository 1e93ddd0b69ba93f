"""Reading torch files without executing anything in them."""

import pickle
from pathlib import Path

import torch

from skelact.errors import WeightsError


def read_torch_file(path: str | Path):
    """The content of a ``.pt`` or ``.pth`` file: tensors and plain values only.

    Raises:
        WeightsError: The file is missing or damaged, or reading it would run code.
    """
    path = Path(path)
    if not path.is_file():
        what = "a folder is" if path.is_dir() else "nothing is"
        raise WeightsError(f"no model file at {path} ({what} there)")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's own message is long and tells users how to run the code after all
        raise WeightsError(f"{path} is damaged, or holds more than tensors and plain values; "
                           "reading it could run code, so it is refused") from error
    except Exception as error:  # torch raises many kinds for a damaged file
        raise WeightsError(f"{path} is damaged or no torch file ({one_line(error)})") from error


def one_line(error: Exception) -> str:
    """The message of an error from torch, which may go over many lines, as one short line."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 300 else words[:299] + "…"

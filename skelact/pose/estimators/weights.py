"""Where YOLO pose weights come from: a given file, folders of this machine, the official release.

Searched in this order: the folder (or file) named by ``SKELACT_WEIGHTS``, the current folder,
skelact's cache. ``SKELACT_OFFLINE=1`` forbids the download.
"""

import os
import sys
import urllib.request
import zipfile
from pathlib import Path

from skelact.errors import WeightsError
from skelact.output import atomic_write

OFFICIAL_NAMES = tuple(
    f"{family}{size}-pose.pt" for family in ("yolo11", "yolo26", "yolov8") for size in "nsmlx"
)
"""Weights that Ultralytics publishes (AGPL-3.0) and skelact fetches when asked by name."""

DEFAULT_NAME = "yolo11n-pose.pt"

RELEASE = "https://github.com/ultralytics/assets/releases/download/v8.4.0"


def is_offline(offline: bool = False) -> bool:
    """Whether downloads are forbidden, by argument or by ``SKELACT_OFFLINE=1``."""
    return offline or os.environ.get("SKELACT_OFFLINE", "").lower() in ("1", "true", "yes", "on")


def cache_folder() -> Path:
    """Where downloaded weights are kept."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "skelact"


def find_weights(weights: str | Path | None = None, offline: bool = False) -> Path:
    """A weights file on this machine, fetched first if it is official and not here.

    Args:
        weights: A file, or an official name such as ``"yolo11n-pose.pt"``; None for whichever
            official weights lie here, else the default ones.
        offline: Never download.

    Raises:
        WeightsError: No such file, and it may not or cannot be downloaded.
    """
    found = local_weights(weights)
    if found is not None:
        return found
    name = _official_name(weights)
    if name is None:
        raise WeightsError(
            f"no weights file at {weights}; expected an existing .pt file or an official name "
            f"such as {DEFAULT_NAME}"
        )
    if is_offline(offline):
        raise WeightsError(
            f"{name} is not on this machine and downloads are off; fetch it from "
            f"{RELEASE}/{name} and pass --weights FILE or set SKELACT_WEIGHTS to its folder"
        )
    return download_weights(name)


def local_weights(weights: str | Path | None = None) -> Path | None:
    """The weights file on this machine, or None; see `find_weights`."""
    if weights is not None and Path(weights).is_file():
        return Path(weights)
    if weights is None:
        named = Path(os.environ.get("SKELACT_WEIGHTS") or ".")
        if named.is_file():
            return named
        names = (DEFAULT_NAME, *OFFICIAL_NAMES)
    else:
        names = tuple(filter(None, [_official_name(weights)]))
    candidates = (folder / name for name in names for folder in _folders())
    return next((path for path in candidates if path.is_file()), None)


def download_weights(name: str) -> Path:
    """Fetch official weights into the cache, announced in one line on standard error.

    Raises:
        WeightsError: The download fails or is not what was expected.
    """
    url, path = f"{RELEASE}/{name}", cache_folder() / "weights" / name
    print(f"skelact: downloading {url} to {path} (Ultralytics weights, AGPL-3.0)", file=sys.stderr)
    try:
        with atomic_write(path, overwrite=True) as temporary:
            _fetch(url, temporary)
            if not zipfile.is_zipfile(temporary):
                raise WeightsError("what came is not a weights file")
    except (OSError, ValueError, WeightsError) as error:
        reason = getattr(error, "reason", None) or error
        raise WeightsError(
            f"cannot download {name}: {reason}; fetch {url} by other means and pass "
            f"--weights FILE, or use --estimator mediapipe"
        ) from error
    return path


def _official_name(weights: str | Path | None) -> str | None:
    """The official file name that is meant, if ``weights`` is a bare name and not a path."""
    if weights is None:
        return DEFAULT_NAME
    name = str(weights) if str(weights).endswith(".pt") else f"{weights}.pt"
    return name if name in OFFICIAL_NAMES else None


def _folders() -> list[Path]:
    named = os.environ.get("SKELACT_WEIGHTS")
    return [*([Path(named)] if named else []), Path(), cache_folder() / "weights"]


def _fetch(url: str, path: Path) -> None:
    with urllib.request.urlopen(url, timeout=30) as response, open(path, "wb") as file:
        promised = response.headers.get("Content-Length")
        got = 0
        while block := response.read(1 << 20):
            got += file.write(block)
    if promised is not None and got != int(promised):
        raise WeightsError(f"the connection ended after {got} of {promised} bytes")

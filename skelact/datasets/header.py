"""``dataset.json``: what a store holds, and the checksums of its files.

The text contains its own SHA-256, taken with 64 zeros in the place of the digest, so that a
change of any byte shows.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from skelact.errors import FileFormatError, LayoutError
from skelact.graph.layouts import Layout, builtin_layouts, get_layout
from skelact.version import __version__

FORMAT_VERSION = 1
HEADER = "dataset.json"
_ZEROS = "0" * 64


@dataclass(frozen=True)
class Header:
    """What ``dataset.json`` says.

    Args:
        name: Name of the data set; an official one (``"nw_ucla"``) decides its protocol.
        layout: The skeleton.
        dims: 2 or 3.
        classes: Names of the classes, in the order of the label indices.
        counts: ``clips``, ``tracks``, ``frames`` (of all tracks), ``annotations``.
        splits: Official lists that name clips, and how many they name.
        format: What the store was made from.
        profile: How raw skeletons were cleaned, or None.
        fps_assumed: Whether the frame rate of any clip is assumed, not stated by the source.
        files: File name -> ``{"bytes": int, "sha256": str}``.
        skelact_version: The version that wrote it.
        format_version: Of the store.
    """

    name: str
    layout: Layout
    dims: int
    classes: tuple[str, ...]
    counts: Mapping[str, int]
    splits: Mapping[str, int] = field(default_factory=dict)
    format: str = ""
    profile: str | None = None
    fps_assumed: bool = False
    files: Mapping[str, Mapping] = field(default_factory=dict)
    skelact_version: str = __version__
    format_version: int = FORMAT_VERSION

    def to_text(self) -> str:
        """The content of ``dataset.json``."""
        content = dict(vars(self))
        content["layout"] = _describe_layout(self.layout)
        content["sha256"] = _ZEROS
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        return _replace_digest(text, _ZEROS, _digest(text))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the checksums of the files and the classes: what the store holds."""
        files = sorted((name, facts["sha256"]) for name, facts in self.files.items())
        return _digest(repr((files, self.classes)))


def read_header(folder: str | Path) -> Header:
    """The header of a store.

    Raises:
        FileFormatError: There is none, it is damaged, or of a newer format.
    """
    path = Path(folder) / HEADER
    if not path.is_file():
        why = f"it has no {HEADER}" if path.parent.is_dir() else "no such folder"
        raise FileFormatError(f"no dataset store at {folder} ({why}); `skelact data prepare NAME "
                              "--raw DIR -o STORE` makes one of skeleton files, --from-videos DIR "
                              "one of videos")
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["format_version"] > FORMAT_VERSION:
            raise FileFormatError(f"{path}: store format {content['format_version']} is newer than "
                                  f"this skelact reads ({FORMAT_VERSION}); update skelact")
        content.pop("sha256")
        content["layout"] = _restore_layout(content["layout"])
        content["classes"] = tuple(map(str, content["classes"]))
        return Header(**content)
    except FileFormatError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError,
            LayoutError) as error:
        raise FileFormatError(f"{path} is damaged or no dataset header: {error!r}; prepare the "
                              "data set again") from error


def check_header(folder: str | Path) -> bool:
    """Whether every byte of ``dataset.json`` is as it was written."""
    try:
        text = (Path(folder) / HEADER).read_bytes().decode("utf-8")
        digest = json.loads(text)["sha256"]
        return digest == _digest(_replace_digest(text, digest, _ZEROS))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def check_sizes(folder: str | Path, header: Header) -> None:
    """The cheap half of the checks: the header's own digest, and the size of every file.

    Raises:
        FileFormatError: The store is not as it was written.
    """
    folder = Path(folder)
    if not check_header(folder):
        raise FileFormatError(f"{folder / HEADER} was changed after it was written; prepare the "
                              "data set again")
    for name, facts in header.files.items():
        if not (folder / name).is_file():
            raise FileFormatError(f"{folder / name} is missing; prepare the data set again")
        if (size := (folder / name).stat().st_size) != facts["bytes"]:
            raise FileFormatError(f"{folder / name} is damaged: expected {facts['bytes']} bytes, "
                                  f"got {size}; prepare the data set again")


def file_facts(path: Path) -> dict:
    """Size and SHA-256 of a file, as the header lists them."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _replace_digest(text: str, old: str, new: str) -> str:
    """Replace the digest of the header itself: the last entry."""
    before, entry, after = text.rpartition('"sha256": ')
    return before + entry + after.replace(old, new, 1)


def _describe_layout(layout: Layout) -> dict:
    return {
        "name": layout.name,
        "joints": layout.joints,
        "parents": layout.parents,
        "flip_pairs": layout.flip_pairs,
        "source_names": layout.source_names,
    }


def _restore_layout(content: dict) -> Layout:
    """The built-in layout of that name if it is the same, else the one spelled out."""
    layout = Layout(**{key: tuple(value) if isinstance(value, list) else value
                       for key, value in content.items()})
    if layout.name in builtin_layouts():
        builtin = get_layout(layout.name)
        if (builtin.joints, builtin.parents, builtin.flip_pairs) == (
                layout.joints, layout.parents, layout.flip_pairs):
            return builtin
    return layout

"""Corrections of a store: what a reviewer says of its clips, and the store with that applied.

The file is JSON, and the page of ``skelact data review`` writes it::

    {"format": "skelact corrections", "version": 1,
     "store": {"name": "mine", "fingerprint": "<64 hex digits>"},
     "new_classes": ["jump"],
     "clips": [{"clip": "ann_1", "label": {"from": "hop", "to": "jump"},
                "trim": {"first": 10, "last": 49, "start": 0.333, "end": 1.667},
                "note": "she hops first"},
               {"clip": "ben_2", "drop": true},
               {"clip": "untrimmed_1", "part": 3, "drop": true}]}

Frames decide on a trim, the first and the last that stay; its seconds are for the reader. ``part``
is the place of a labelled part among the annotations of an untrimmed clip.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from skelact.errors import ChoiceError, FileFormatError, one_line

FORMAT, VERSION = "skelact corrections", 1
_KEYS = {"clip", "part", "label", "drop", "trim", "note"}


@dataclass(frozen=True)
class Correction:
    """What is to become of a clip, or of a labelled part of one.

    Args:
        clip: Its id.
        part: Which of its annotations; None for the whole clip.
        label: Its class as the reviewer saw it (None for none), and the right one.
        drop: Leave it out.
        trim: First and last frame that stay, counted from 0 in the clip.
        note: What the reviewer says.

    Raises:
        ChoiceError: The trim ends before it starts.
    """

    clip: str
    part: int | None = None
    label: tuple[str | None, str] | None = None
    drop: bool = False
    trim: tuple[int, int] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.trim is not None and not 0 <= self.trim[0] <= self.trim[1]:
            raise ChoiceError(f"{self}: expected a trim from a frame to the same or a later one, "
                              f"got {self.trim[0]} to {self.trim[1]}")

    def __str__(self) -> str:
        return f"clip {self.clip}" + ("" if self.part is None else f", part {self.part}")


@dataclass(frozen=True)
class Corrections:
    """The corrections of one store.

    Args:
        fingerprint: `skelact.datasets.header.Header.fingerprint` of the store.
        clips: One entry a clip or part.
        new_classes: Classes that the store does not have yet.
        name: Of the data set.

    Raises:
        ChoiceError: Two entries are of the same clip or part.
    """

    fingerprint: str
    clips: tuple[Correction, ...]
    new_classes: tuple[str, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        counts = Counter((correction.clip, correction.part) for correction in self.clips)
        for correction in self.clips:
            if counts[correction.clip, correction.part] > 1:
                raise ChoiceError(f"expected one entry a clip or part, got several of "
                                  f"{correction}")

    def to_dict(self) -> dict:
        """The content of the file."""
        return {
            "format": FORMAT, "version": VERSION,
            "store": {"name": self.name, "fingerprint": self.fingerprint},
            "new_classes": list(self.new_classes),
            "clips": [_entry(correction) for correction in self.clips],
        }


def read_corrections(path: str | Path) -> Corrections:
    """Read a file of corrections.

    Raises:
        FileFormatError: It is missing, no such file, of a newer version, or says something that
            cannot be meant; the message names the entry.
    """
    path = Path(path)
    if not path.is_file():
        raise FileFormatError(f"no file of corrections at {path}; the page of `skelact data "
                              "review STORE` saves one")
    try:
        text = path.read_text("utf-8-sig")
        json.dumps(content := json.loads(text), ensure_ascii=False).encode()  # half a letter fails
        return _read(content)
    except ChoiceError as error:
        raise FileFormatError(f"{path}: {error}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{path} is no readable file of corrections: {one_line(error)}; "
                              "save it anew from the page of `skelact data review STORE`"
                              ) from error


def _read(content: object) -> Corrections:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ChoiceError(f'expected JSON with "format": "{FORMAT}", as the page of `skelact data '
                          "review STORE` saves it")
    if content.get("version") != VERSION:
        raise ChoiceError(f"expected version {VERSION}, got {content.get('version')!r}; update "
                          "skelact")
    store, clips = content.get("store"), content.get("clips")
    classes = content.get("new_classes", [])
    _check(isinstance(store, dict), "store", "an object", store)
    fingerprint = store.get("fingerprint")
    _check(isinstance(fingerprint, str) and re.fullmatch("[0-9a-f]{64}", fingerprint),
           "store.fingerprint", "64 hex digits", fingerprint)
    _check(isinstance(classes, list) and all(map(_is_name, classes)), "new_classes", "names",
           classes)
    _check(isinstance(clips, list), "clips", "a list", clips)
    return Corrections(
        fingerprint, tuple(_read_entry(entry, f"clips[{i}]") for i, entry in enumerate(clips)),
        tuple(classes), str(store.get("name", "")))


def _entry(correction: Correction) -> dict:
    entry: dict = {"clip": correction.clip}
    if correction.part is not None:
        entry["part"] = int(correction.part)
    if correction.label is not None:
        entry["label"] = dict(zip(("from", "to"), correction.label, strict=True))
    if correction.drop:
        entry["drop"] = True
    if correction.trim is not None:
        entry["trim"] = dict(zip(("first", "last"), map(int, correction.trim), strict=True))
    if correction.note:
        entry["note"] = correction.note
    return entry


def _read_entry(entry: object, where: str) -> Correction:
    _check(isinstance(entry, dict), where, "an object", entry)
    _check(_is_name(entry.get("clip")), f"{where}.clip", "the id of a clip", entry.get("clip"))
    where = f"{where} ({entry['clip']})"
    unknown = ", ".join(sorted(set(entry) - _KEYS))
    _check(not unknown, where, f"no other keys than {', '.join(sorted(_KEYS))}", unknown)
    part, drop, note = entry.get("part"), entry.get("drop", False), entry.get("note", "")
    _check(part is None or _is_count(part), f"{where}.part", "a number from 0", part)
    _check(isinstance(drop, bool), f"{where}.drop", "true or false", drop)
    _check(isinstance(note, str), f"{where}.note", "text", note)
    return Correction(entry["clip"], part, _read_label(entry.get("label"), where), drop,
                      _read_trim(entry.get("trim"), where), note)


def _read_label(label: object, where: str) -> tuple[str | None, str] | None:
    if label is None:
        return None
    fits = (isinstance(label, dict) and set(label) == {"from", "to"} and _is_name(label["to"])
            and (label["from"] is None or isinstance(label["from"], str)))
    _check(fits, f"{where}.label", 'an object with "from" (a class or null) and "to" (a class)',
           label)
    return label["from"], label["to"]


def _read_trim(trim: object, where: str) -> tuple[int, int] | None:
    if trim is None:
        return None
    fits = (isinstance(trim, dict) and set(trim) <= {"first", "last", "start", "end"}
            and _is_count(trim.get("first")) and _is_count(trim.get("last")))
    _check(fits, f"{where}.trim", '"first" and "last", frames from 0', trim)
    return trim["first"], trim["last"]


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _check(fits: object, where: str, expected: str, got: object) -> None:
    if not fits:
        raise ChoiceError(f"expected {where} to be {expected}; got {repr(got)[:80]}")

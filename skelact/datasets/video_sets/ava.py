"""AVA 2.2 and AVA-Kinetics: 80 actions of every person, once a second, with boxes."""

import re
from collections import defaultdict
from collections.abc import Container
from pathlib import Path

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.surroundings import class_name
from skelact.datasets.video_clips import Annotation, VideoClip
from skelact.datasets.video_sets.annotation_files import (
    each,
    find_annotations,
    read_lines,
    read_rows,
    read_text,
    seconds,
)
from skelact.errors import FileFormatError

_COLUMNS = ("video_id", "timestamp", "x1", "y1", "x2", "y2", "action_id", "person_id")
_LISTS = re.compile(r"(ava|kinetics)_(train|val|test)_v[\d.]+")
_ENTRY = re.compile(r"\b(?:label|item)\s*\{([^{}]*)\}")
_ID = re.compile(r"\b(?:label_)?id\s*:\s*(\d+)")
_NAME = re.compile(r"\bname\s*:\s*(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)')")
_STEP = 1.0
"""Seconds from one key frame to the next: how long a label is taken to hold."""
_CUT_AT = 900.0
"""Seconds: copies of the movies are often cut to the quarter of an hour that is annotated."""


def list_ava(
    annotations: str | Path, refuse: Refuse = raise_error, evaluated_only: bool = False
) -> list[VideoClip]:
    """The videos of AVA, on the lists ``train`` and ``val``, with their labelled boxes.

    A label starts at its key frame and ends a second later, at the next. Key frames that are
    officially excluded are left out.

    Args:
        annotations: Folder of ``ava_train_v2.2.csv``, ``ava_val_v2.2.csv``, the label map
            (``*.pbtxt``) and, where wanted, the excluded timestamps.
        refuse: Told of malformed lines.
        evaluated_only: Keep only the classes of the shorter label map (60 of 80), which must be
            there too.

    Raises:
        FileFormatError: The files are not there.

    Source: Gu et al., "AVA", CVPR 2018.
    """
    return _list_clips(annotations, refuse, evaluated_only, ("ava",))


def list_ava_kinetics(
    annotations: str | Path, refuse: Refuse = raise_error, evaluated_only: bool = False
) -> list[VideoClip]:
    """The videos of AVA and the clips of Kinetics-700 annotated alike; as `list_ava`.

    Args:
        annotations: Folder of the files of `list_ava` and ``kinetics_train_v1.0.csv``,
            ``kinetics_val_v1.0.csv``.
        refuse: Told of malformed lines.
        evaluated_only: As for `list_ava`.

    Raises:
        FileFormatError: The files are not there.

    Source: Li et al., "The AVA-Kinetics Localized Human Actions Video Dataset", 2020.
    """
    return _list_clips(annotations, refuse, evaluated_only, ("ava", "kinetics"))


def read_label_map(file: str | Path) -> dict[int, str]:
    """Numbers and names of classes in a ``.pbtxt`` label map, whatever its spacing and order.

    Raises:
        FileFormatError: It is no label map, or a number stands twice.
    """
    file = Path(file)
    text = re.sub(r"^\s*#.*$", "", read_text(file), flags=re.MULTILINE)
    names: dict[int, str] = {}
    for entry in _ENTRY.finditer(text):
        number, name = _ID.search(entry[1]), _NAME.search(entry[1])
        line = text.count("\n", 0, entry.start()) + 1
        if not number or not name or int(number[1]) in names:
            raise FileFormatError(f"{file}, line {line}: expected a name and an id not given "
                                  f"before; got {' '.join(entry[0].split())}")
        names[int(number[1])] = class_name(name[1] or name[2])
    if not names:
        raise FileFormatError(f"{file} is no label map: expected label {{ name: \"...\" "
                              "label_id: 1 } entries")
    return names


def _list_clips(
    annotations: str | Path, refuse: Refuse, evaluated_only: bool, origins: tuple[str, ...]
) -> list[VideoClip]:
    maps = [read_label_map(file) for file in find_annotations(
        annotations, "*.pbtxt", "the label map of AVA (ava_action_list_v2.2.pbtxt)")]
    every, fewest = max(maps, key=len), min(maps, key=len)
    if evaluated_only and not fewest.keys() < every.keys():
        raise FileFormatError(
            f"the label maps (*.pbtxt) in {annotations} list {', '.join(map(str, map(len, maps)))} "
            "classes; to keep the evaluated ones, expected the map of all 80 and that of 60 of "
            "them (ava_action_list_v2.2_for_activitynet_2019.pbtxt): put both there, or leave "
            "evaluated_only out")
    kept = fewest if evaluated_only else every
    excluded = _read_excluded(annotations, refuse)
    clips = []
    for file in find_annotations(annotations, "*_v*.csv",
                                 "the labels of AVA (ava_train_v2.2.csv, ava_val_v2.2.csv)"):
        match = _LISTS.fullmatch(file.stem)
        if not match or match[1] not in origins:
            continue
        parts = _read_parts(file, every, kept, refuse)
        for video, found in parts.items():
            found = tuple(part for part in found if (video, part.start) not in excluded)
            if found:
                clips.append(VideoClip(video, video, splits=(match[2],), annotations=found,
                                       cut_at=_CUT_AT if match[1] == "ava" else None))
    if not clips:
        raise FileFormatError(f"no labels of {' or '.join(origins)} in {annotations}; expected "
                              f"{origins[0]}_train_v*.csv and {origins[0]}_val_v*.csv")
    return clips


def _read_parts(
    file: Path, names: dict[int, str], kept: Container[int], refuse: Refuse
) -> dict[str, list[Annotation]]:
    def parse(where: str, row: dict[str, str]) -> tuple[str, Annotation] | None:
        start = seconds(row["timestamp"])
        if not row["action_id"]:  # a key frame in which nobody was boxed
            return None
        box = tuple(float(row[side]) for side in ("x1", "y1", "x2", "y2"))
        if not (0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1):
            raise ValueError("expected a box x1, y1, x2, y2 within 0 to 1")
        action = int(row["action_id"])
        if not row["video_id"] or action not in names:
            raise ValueError("expected a video_id, and an action_id of the label map")
        if action not in kept:
            return None
        return row["video_id"], Annotation(names[action], start, start + _STEP, box)

    parts: dict[str, list[Annotation]] = defaultdict(list)
    for video, part in each(read_rows(file, _COLUMNS, header=False), parse, refuse):
        parts[video].append(part)
    return parts


def _read_excluded(annotations: str | Path, refuse: Refuse) -> set[tuple[str, float]]:
    def parse(where: str, line: str) -> tuple[str, float]:
        video, timestamp = line.split(",")
        return video, seconds(timestamp)

    return {key for file in sorted(Path(annotations).rglob("*_excluded_timestamps_*.csv"))
            for key in each(read_lines(file), parse, refuse)}

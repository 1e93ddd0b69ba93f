"""UCF101: 13,320 clips of 101 actions; three official splits."""

import re
from pathlib import Path

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.surroundings import class_name
from skelact.datasets.video_clips import VideoClip
from skelact.datasets.video_sets.annotation_files import each, find_annotations, read_lines

_CLIP = re.compile(r"(?:(.*)/)?(v_([^/]+)_g(\d+)_c\d+)\.\w+")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WHERE = "the official lists of UCF101 (ucfTrainTestlist)"


def list_ucf101(annotations: str | Path, refuse: Refuse = raise_error) -> list[VideoClip]:
    """The clips of UCF101, on the lists ``train1``, ``test1``, ..., ``test3``.

    ``facts["subject"]`` is the group (1 to 25): the clips of a group come from one video, so that
    a validation split held out by it shows other people and places.

    Args:
        annotations: Folder of ``classInd.txt``, ``trainlist0N.txt`` and ``testlist0N.txt``.
        refuse: Told of malformed lines.

    Raises:
        FileFormatError: The files are not there.

    Source: Soomro, Zamir and Shah, "UCF101", 2012.
    """
    classes = _read_classes(annotations, refuse)
    found: dict[str, tuple[str, str, int, list[str]]] = {}
    for file in find_annotations(annotations, "t*list0[1-9].txt", _WHERE):
        role, number = re.fullmatch(r"(train|test)list0(\d)", file.stem).groups()

        def parse(where: str, line: str) -> tuple[str, str, str, int]:
            path, _, index = line.partition(" ")
            match = _CLIP.fullmatch(path)
            if not match:
                raise ValueError("expected Class/v_Class_g01_c01.avi")
            folder, clip, action, group = match.groups()
            name = folder or action
            if name not in classes or (index and classes[name] != int(index)):
                raise ValueError("the class or its number is not in classInd.txt")
            return clip, path, name, int(group)

        for clip, path, name, group in each(read_lines(file), parse, refuse):
            found.setdefault(clip, (path, name, group, []))[3].append(role + number)
    return [VideoClip(clip, path.rpartition(".")[0], class_name(_WORDS.sub("_", name)),
                      tuple(splits), facts={"subject": group})
            for clip, (path, name, group, splits) in found.items()]


def _read_classes(annotations: str | Path, refuse: Refuse) -> dict[str, int]:
    def parse(where: str, line: str) -> tuple[str, int]:
        number, name = line.split()
        return name, int(number)

    file = find_annotations(annotations, "classInd.txt", _WHERE)[0]
    return dict(each(read_lines(file), parse, refuse))

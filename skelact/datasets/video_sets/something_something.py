"""Something-Something v2: 220,847 clips of 174 things done with things."""

from pathlib import Path

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.surroundings import class_name
from skelact.datasets.video_clips import VideoClip
from skelact.datasets.video_sets.annotation_files import each, find_annotations, read_json
from skelact.errors import FileFormatError

_WHERE = "the annotations of Something-Something v2 (*train.json, *validation.json, *labels.json)"


def list_something_something(
    annotations: str | Path, refuse: Refuse = raise_error
) -> list[VideoClip]:
    """The clips of Something-Something v2, on the lists ``train`` and ``val``.

    The class is the template (``putting_something_on_a_surface``). The test clips have no label
    and are left out.

    Args:
        annotations: Folder of the JSON files.
        refuse: Told of malformed entries.

    Raises:
        FileFormatError: The files are not there.

    Source: Goyal et al., "The 'something something' video database", ICCV 2017.
    """
    labels = find_annotations(annotations, "*labels.json", _WHERE)[0]
    classes = {class_name(name) for name in read_json(labels, dict)}
    if len(classes) != len(read_json(labels, dict)):
        raise FileFormatError(f"{labels}: expected labels that differ in more than signs")
    clips = []
    for split, pattern in (("train", "*train.json"), ("val", "*validation.json")):
        def parse(where: str, entry: dict, split: str = split) -> VideoClip:
            label = class_name(entry["template"])
            if label not in classes:
                raise ValueError(f"the template is not in {labels.name}")
            return VideoClip(str(entry["id"]), str(entry["id"]), label, (split,))

        file = find_annotations(annotations, pattern, _WHERE)[0]
        entries = ((f"{file}, entry {i}", entry)
                   for i, entry in enumerate(read_json(file, list), start=1))
        clips += each(entries, parse, refuse)
    return clips

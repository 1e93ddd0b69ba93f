"""ActivityNet: untrimmed videos with segments of 200 activities."""

from pathlib import Path

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.surroundings import class_name
from skelact.datasets.video_clips import Annotation, VideoClip
from skelact.datasets.video_sets.annotation_files import each, find_annotations, read_json, span
from skelact.errors import FileFormatError

_SUBSETS = {"training": "train", "validation": "val", "testing": "test"}


def list_activitynet(annotations: str | Path, refuse: Refuse = raise_error) -> list[VideoClip]:
    """The videos of ActivityNet, on the lists ``train`` and ``val``, with their segments.

    The testing videos have no labels and are left out.

    Args:
        annotations: Folder of ``activity_net.v1-3.min.json``.
        refuse: Told of malformed entries.

    Raises:
        FileFormatError: The file is not there or holds no ``database``.

    Source: Heilbron et al., "ActivityNet", CVPR 2015.
    """
    file = find_annotations(annotations, "activity_net*.json",
                            "the annotations of ActivityNet (activity_net.v1-3.min.json)")[-1]
    database = read_json(file, dict).get("database")
    if not isinstance(database, dict):
        raise FileFormatError(f"{file}: expected a dict under 'database'")
    entries = ((f"{file}, video {video}", (video, entry)) for video, entry in database.items())
    return list(each(entries, _parse, refuse))


def _parse(where: str, item: tuple[str, dict]) -> VideoClip | None:
    video, entry = item
    if entry["subset"] not in _SUBSETS:
        raise ValueError(f"expected a subset out of {', '.join(_SUBSETS)}")
    parts = []
    for part in entry["annotations"]:
        start, end = part["segment"]
        parts.append(Annotation(class_name(part["label"]), *span(start, end)))
    if not parts:
        return None
    return VideoClip(video, f"v_{video}", splits=(_SUBSETS[entry["subset"]],),
                     annotations=tuple(parts))

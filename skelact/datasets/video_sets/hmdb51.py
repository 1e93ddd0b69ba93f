"""HMDB51: 6,766 clips of 51 actions; three official splits."""

import re
from collections.abc import Iterable
from pathlib import Path

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.surroundings import class_name
from skelact.datasets.video_clips import VideoClip
from skelact.datasets.video_sets.annotation_files import each, find_annotations, read_lines

_TAGS = re.compile(r"_[a-z]+_(?:nm|cm)_np\d+_[a-z]+_[a-z]+_\d+$", re.IGNORECASE)
"""The end of a clip's name: body parts, camera motion, people, view, quality, number."""
_FILE = re.compile(r"(.+)_test_split(\d)")
_ROLES = {"0": None, "1": "train", "2": "test"}


def list_hmdb51(annotations: str | Path, refuse: Refuse = raise_error) -> list[VideoClip]:
    """The clips of HMDB51, on the lists ``train1``, ``test1``, ..., ``test3``.

    ``facts["subject"]`` is the movie, numbered from 1 by its name, so that a validation split held
    out by it shares no movie with the training split.

    Args:
        annotations: Folder of ``<class>_test_split<n>.txt``.
        refuse: Told of malformed lines.

    Raises:
        FileFormatError: The files are not there.

    Source: Kuehne et al., "HMDB: a large video database for human motion recognition", ICCV 2011.
    """
    def parse(where: str, line: str) -> tuple[str, str | None]:
        video, _, number = line.rpartition(" ")
        if not video or number not in _ROLES:
            raise ValueError("expected a video and 0 (unused), 1 (train) or 2 (test)")
        return video.strip(), _ROLES[number]

    found: dict[str, tuple[str, str, list[str]]] = {}
    for file in find_annotations(annotations, "*_test_split[1-9].txt",
                                 "the official splits of HMDB51 (test_train_splits)"):
        name, number = _FILE.fullmatch(file.stem).groups()
        for video, role in each(read_lines(file), parse, refuse):
            clip = video.rpartition(".")[0] or video
            splits = found.setdefault(clip, (f"{name}/{clip}", class_name(name), []))[2]
            if role:
                splits.append(role + number)
    movies = _find_movies(found, {video.partition("/")[0] for video, _, _ in found.values()})
    numbers = {name: i for i, name in enumerate(sorted(set(movies.values())), start=1)}
    return [VideoClip(clip, video, label, tuple(splits), facts={"subject": numbers[movies[clip]]})
            for clip, (video, label, splits) in found.items()]


def _find_movies(clips: Iterable[str], classes: set[str]) -> dict[str, str]:
    """Clip -> movie: what stands before ``_<class>_<tags>_<n>``; otherwise the name of the clip.

    A few names carry another class than their list, so that of any class is taken off.
    """
    ends = sorted((f"_{name.lower()}" for name in classes), key=len, reverse=True)
    movies = {}
    for clip in clips:
        movie = _TAGS.sub("", clip).lower()
        end = next((end for end in ends if movie.endswith(end)), "")
        movies[clip] = movie.removesuffix(end) or movie
    return movies

"""Custom data: a folder of labelled videos.

Either a folder a class::

    DIR/jump/one.mp4   DIR/jump/two.mp4   DIR/clap/three.mov   ...

(below ``train``, ``val`` and ``test`` folders, if you have divided them yourself), or a table::

    DIR/labels.csv     file,label[,subject,camera,setup,repetition,split,start,end]
    DIR/videos/...     (or beside the table)
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from skelact.datasets.clip_checks import NUMBERS
from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.surroundings import class_name
from skelact.datasets.video_clips import VideoClip, VideoFolder, read_clips
from skelact.datasets.video_sets.annotation_files import each, read_rows, span
from skelact.errors import FileFormatError
from skelact.pose.cache import PoseCache
from skelact.pose.recording import Recording
from skelact.pose.video_files import SUFFIXES, search_videos

TABLE = "labels.csv"
_SPLITS = ("train", "val", "test")
_COLUMNS = ("file", "label", *NUMBERS, "split", "start", "end")


def find_labelled_videos(folder: str | Path) -> list[Path]:
    """The videos of such a folder, sorted; empty where it is none.

    It is one if it has a ``labels.csv``, or if every video lies in a folder named as its class.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return []
    videos = search_videos(_video_root(folder))
    if (folder / TABLE).is_file() or all(video.parent != folder for video in videos):
        return videos
    return []


def read_labelled_videos(
    folder: str | Path,
    poses: str | Path,
    estimator="auto",
    refuse: Refuse = raise_error,
    *,
    overwrite: bool = False,
    progress: bool = False,
) -> Iterator[Recording]:
    """The people in every labelled video, one pose file a video.

    Pose files that are there already, from the same video by the same estimator, are not made
    again: after an interruption, call it once more.

    Args:
        folder: Laid out as said above. In the table, ``file`` is relative to the videos;
            ``start`` and ``end`` (seconds) make a clip of a part of a video; subjects may be
            numbers or names; ``split`` is ``train``, ``val`` or ``test``, or lists of your own
            joined by ``;``.
        poses: Folder for the pose files; as ``skelact pose VIDEOS -o POSES`` writes them.
        estimator: As for `PoseCache`.
        refuse: Told of malformed rows, and of clips whose video is missing, broken or without
            people.
        overwrite: Replace pose files that were made from another video or by another estimator.
        progress: Show a progress bar for every video.

    Raises:
        FileFormatError: The folder is none of the two, or none of its videos can be used.
        SkelactError: The estimator cannot be used, or a pose file is of something else.
    """
    folder = Path(folder)
    if not find_labelled_videos(folder):
        raise FileFormatError(f"expected {folder} to hold class_name/*.mp4, or videos/ and a "
                              f"{TABLE} with the columns file,label; it does not")
    videos = VideoFolder(_video_root(folder), exact=True)
    table = folder / TABLE
    clips = _listed_clips(table, refuse) if table.is_file() else _foldered_clips(videos, refuse)
    return read_clips(clips, videos, PoseCache(poses, estimator, overwrite, progress), refuse)


def _video_root(folder: Path) -> Path:
    with_table = (folder / TABLE).is_file() and (folder / "videos").is_dir()
    return folder / "videos" if with_table else folder


def _foldered_clips(videos: VideoFolder, refuse: Refuse) -> list[VideoClip]:
    """A clip a video, its class the folder (below train, val or test, if all are)."""
    paths = [video.relative_to(videos.folder) for video in videos.videos]
    divided = all(path.parts[0] in _SPLITS for path in paths)
    _check_classes(videos.folder, {path.parts[divided] for path in paths
                                   if len(path.parts) > divided + 1})
    clips = []
    for video, path in zip(videos.videos, paths, strict=True):
        folders = path.parts[divided:-1]
        if not folders or not class_name(folders[0]):
            refuse(FileFormatError(f"{video}: expected it in a folder named as its class"))
            continue
        clips.append(VideoClip(videos.name(video), path.as_posix(), class_name(folders[0]),
                               path.parts[:1] if divided else ()))
    return clips


def _listed_clips(table: Path, refuse: Refuse) -> list[VideoClip]:
    rows = list(read_rows(table, _COLUMNS[:2]))
    if unknown := {str(name) for _, row in rows for name in row}.difference(_COLUMNS):
        raise FileFormatError(f"{table}, line 1: expected no columns but {', '.join(_COLUMNS)}; "
                              f"got {', '.join(sorted(unknown))}")
    people = _numbered_subjects(rows)
    names = _clip_names(_video(row["file"]) for _, row in rows)
    _check_classes(table, {(row["label"] or "").strip() for _, row in rows})

    def parse(where: str, row: dict[str, str]) -> VideoClip:
        cells = {name: (cell or "").strip() for name, cell in row.items() if isinstance(name, str)}
        if not cells["file"] or not class_name(cells["label"]):
            raise ValueError("expected a file and a label")
        times = (cells.get("start", ""), cells.get("end", ""))
        if any(times) and not all(times):
            raise ValueError("expected both start and end, or neither")
        start, end = span(*times) if any(times) else (None, None)
        facts = {name: int(people.get(cells[name], cells[name]) if name == "subject"
                           else cells[name]) for name in NUMBERS if cells.get(name)}
        video = _video(cells["file"])
        clip = names[video] + (f"_{_digits(start)}_{_digits(end)}" if any(times) else "")
        splits = tuple(filter(None, map(str.strip, cells.get("split", "").split(";"))))
        return VideoClip(clip, video, class_name(cells["label"]), splits, start, end, facts=facts)

    return list(each(iter(rows), parse, refuse))


def _video(cell: str) -> str:
    return cell.strip().removeprefix("./").removeprefix("videos/")


def _clip_names(videos: Iterable[str]) -> dict[str, str]:
    """Video -> its path without the suffix of a video where that tells it apart."""
    paths = {video: Path(video) for video in videos}
    bare = {video: str(path.with_suffix("") if path.suffix.lower() in SUFFIXES else path)
            for video, path in paths.items()}
    suffixes = defaultdict(set)
    for video, path in paths.items():
        if bare[video] != str(path):
            suffixes[bare[video]].add(path.suffix)
    return {video: bare[video] if len(suffixes[bare[video]]) < 2 else str(path)
            for video, path in paths.items()}


def _digits(seconds: float) -> str:
    """Seconds to the microsecond, without zeros at the end."""
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _numbered_subjects(rows: list[tuple[str, dict[str, str]]]) -> dict[str, int]:
    """Names of subjects -> 1, 2, ... in the order of the alphabet; nothing if all are numbers."""
    names = {(row.get("subject") or "").strip() for _, row in rows} - {""}
    if all(name.isdecimal() for name in names):
        return {}
    return {name: i for i, name in enumerate(sorted(names), start=1)}


def _check_classes(where: Path, names: set[str]) -> None:
    """Refuse names that would become one class for more than case, blanks and underscores."""
    written: dict[str, str] = {}
    for name in sorted(names):
        other = written.setdefault(class_name(name), name)
        if re.sub(r"[\s_]", "", other.lower()) != re.sub(r"[\s_]", "", name.lower()):
            raise FileFormatError(f"{where}: the classes {other!r} and {name!r} would both be "
                                  f"called {class_name(name)!r}; rename one")

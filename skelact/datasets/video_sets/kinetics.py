"""Kinetics-400, -600 and -700: ten seconds each of 400, 600 or 700 actions."""

from pathlib import Path

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.surroundings import class_name
from skelact.datasets.video_clips import VideoClip
from skelact.datasets.video_sets.annotation_files import each, find_annotations, read_rows, span

_SPLITS = {"train": "train", "val": "val", "validate": "val", "validation": "val", "test": "test",
           "holdout": "test"}


def list_kinetics(annotations: str | Path, refuse: Refuse = raise_error) -> list[VideoClip]:
    """The clips of a Kinetics release, on the lists ``train``, ``val`` and ``test``.

    Videos may be the clips (``<youtube_id>_000010_000020.mp4``, or ``<youtube_id>.mp4`` of ten
    seconds) or whole; clips without a label are left out.

    Args:
        annotations: Folder of the CSVs (``train.csv``, ``validate.csv``, ...).
        refuse: Told of malformed lines.

    Raises:
        FileFormatError: No CSV has the columns of Kinetics.

    Source: Kay et al., "The Kinetics Human Action Video Dataset", 2017.
    """
    def parse(where: str, row: dict[str, str]) -> VideoClip | None:
        if not row["label"]:
            return None
        start, end = span(row["time_start"], row["time_end"])
        if not row["youtube_id"] or row["split"] not in _SPLITS:
            raise ValueError(f"expected a youtube_id and a split out of {', '.join(_SPLITS)}")
        return VideoClip(f"{row['youtube_id']}_{round(start):06}_{round(end):06}",
                         row["youtube_id"], class_name(row["label"]), (_SPLITS[row["split"]],),
                         start, end, cut_at=start)

    columns = ("label", "youtube_id", "time_start", "time_end", "split")
    files = find_annotations(annotations, "*.csv", "the annotations of Kinetics "
                             "(train.csv, validate.csv, test.csv)")
    return [clip for file in files for clip in each(read_rows(file, columns), parse, refuse)]

"""EPIC-Kitchens-100: 700 untrimmed videos of hands at work, 90,000 action segments."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Literal

from skelact.checks import check_choice
from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.surroundings import class_name
from skelact.datasets.video_clips import Annotation, VideoClip
from skelact.datasets.video_sets.annotation_files import each, find_annotations, read_rows, span

_COLUMNS = ("participant_id", "video_id", "start_timestamp", "stop_timestamp", "verb_class",
            "noun_class")
_WHERE = "the annotations of EPIC-Kitchens-100 (EPIC_100_train.csv, EPIC_100_validation.csv)"


def list_epic_kitchens(
    annotations: str | Path,
    refuse: Refuse = raise_error,
    target: Literal["verb", "noun", "action"] = "verb",
) -> list[VideoClip]:
    """The videos of EPIC-Kitchens-100, on the lists ``train`` and ``val``, with their segments.

    ``facts["subject"]`` is the participant. The test videos have no labels and are left out.

    Args:
        annotations: Folder of the CSVs; ``EPIC_100_verb_classes.csv`` and
            ``EPIC_100_noun_classes.csv`` name the classes (``verb_0``, ... without them).
        refuse: Told of malformed lines.
        target: What a segment is labelled by; an action is a verb and a noun
            (``take_plate``).

    Raises:
        FileFormatError: The files are not there.

    Source: Damen et al., "Rescaling Egocentric Vision", IJCV 2022.
    """
    check_choice(target, ("verb", "noun", "action"), "target")
    kinds = ("verb", "noun") if target == "action" else (target,)
    names = {kind: _class_names(Path(annotations), kind, refuse) for kind in kinds}

    def parse(where: str, row: dict[str, str]) -> tuple[str, int, Annotation]:
        label = "_".join(names[kind].get(int(row[f"{kind}_class"]),
                                         f"{kind}_{int(row[f'{kind}_class'])}") for kind in kinds)
        participant = re.fullmatch(r"P(\d+)", row["participant_id"])
        if not participant or not row["video_id"]:
            raise ValueError("expected a participant_id such as P01 and a video_id")
        start, end = span(row["start_timestamp"], row["stop_timestamp"])
        return row["video_id"], int(participant[1]), Annotation(label, start, end)

    clips = []
    for split, pattern in (("train", "EPIC_100_train.csv"), ("val", "EPIC_100_validation.csv")):
        parts: dict[tuple[str, int], list[Annotation]] = defaultdict(list)
        file = find_annotations(annotations, pattern, _WHERE)[0]
        for video, participant, part in each(read_rows(file, _COLUMNS), parse, refuse):
            parts[video, participant].append(part)
        clips += [VideoClip(video, video, splits=(split,), annotations=tuple(found),
                            facts={"subject": participant})
                  for (video, participant), found in parts.items()]
    return clips


def _class_names(annotations: Path, kind: str, refuse: Refuse) -> dict[int, str]:
    def parse(where: str, row: dict[str, str]) -> tuple[int, str]:
        return int(row["id"]), class_name(row["key"])

    files = sorted(annotations.rglob(f"EPIC_100_{kind}_classes*.csv"))
    return dict(each(read_rows(files[0], ("id", "key")), parse, refuse)) if files else {}

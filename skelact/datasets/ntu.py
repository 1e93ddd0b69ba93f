"""NTU RGB+D: from raw captures to recordings by named rules, with a report of every body.

Profiles are ``skelact`` (ours), and ``pyskl``, ``ctrgcn``, ``stgcn`` and ``agcn``: what the
published code of those projects makes of the same file. Coordinates are metres; ``skelact``,
``pyskl`` and ``stgcn`` leave them in the sensor's frame. A joint that is all zero is missing.
"""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from skelact.checks import check_choice
from skelact.datasets.ntu_bodies import Body, drop_placeless, split_bodies
from skelact.datasets.ntu_profiles import agcn, ctrgcn, pyskl, skelact, stgcn
from skelact.datasets.readers.ntu_names import is_ntu_name, ntu_numbers
from skelact.datasets.readers.skeleton_file import RawCapture
from skelact.errors import EmptyClipError, FileFormatError
from skelact.output import write_text
from skelact.pose.recording import PoseTrack, Recording

PROFILES: Mapping[str, Callable[[RawCapture, list[Body]], tuple[list[PoseTrack], int]]] = {
    "skelact": skelact, "pyskl": pyskl, "ctrgcn": ctrgcn, "stgcn": stgcn, "agcn": agcn,
}
"""From a capture and its bodies to tracks and the number of frames; they note their decisions."""
FPS = 30.0
"""Stated by the data set."""
MISSING_COUNTS = {"ntu60": 302, "ntu120": 535}
"""Names in the official lists of samples without (whole) skeletons; the second list covers the
first."""


@dataclass(frozen=True)
class BodyRow:
    """What became of one body of one sample.

    Args:
        clip_id: The sample.
        body_id: The sensor's id.
        decision: ``kept``, ``merged`` or ``dropped``.
        reason: Why.
        track_id: The track that holds it, None if dropped.
        frames: How many frames show it.
        first_frame: The first of them, counted from 0.
        motion: Sum of the variances of x, y, z in square metres.
    """

    clip_id: str
    body_id: int
    decision: str
    reason: str
    track_id: int | None
    frames: int
    first_frame: int
    motion: float


def apply_profile(
    capture: RawCapture, profile: str = "skelact"
) -> tuple[Recording, list[BodyRow]]:
    """The recording that a profile makes of a capture, and what became of each body.

    ``skelact`` keeps bodies whole and apart: track ids are bodyIDs, frames are the true ones, gaps
    stay gaps, more motion comes first. Bodies without any joint are dropped; where several are
    left, those of 11 frames or fewer and those of no human shape, but never the last. Confidence
    is 1 for a tracked joint, 0.5 for an inferred one; a joint that is not tracked is missing.

    The others follow the published code, also where it closes gaps in time (``pyskl``,
    ``ctrgcn``), takes bodies by their place in the file (``stgcn``, ``agcn``), moves the origin
    (``ctrgcn``, ``agcn``), turns the body and fills 300 frames by repetition (``agcn``). Their
    track ids are 0 and 1. Padding with zeros and rounding to float16 are left to the writers of
    those formats.

    Args:
        capture: As `read_skeleton_file` gives it.
        profile: One of `PROFILES`.

    Returns:
        The recording and one row a body, most motion first.

    Raises:
        ChoiceError: No such profile.
        EmptyClipError: The capture has no body at all, or the profile drops every one.

    Source: Yan et al. 2018 (ST-GCN); Shi et al. 2019 (2s-AGCN); Zhang et al. 2020 (SGN) and Chen
    et al. 2021 (CTR-GCN); Duan et al. 2022 (PYSKL): their released data preparation.
    """
    check_choice(profile, PROFILES, "profile")
    if is_missing(capture):
        raise EmptyClipError(f"{capture.name}: no body in any of its {capture.num_frames} frames "
                             "(a missing skeleton)")
    bodies = split_bodies(capture)
    seen = [(len(body), int(body.frame_index[0])) for body in bodies]
    tracks, frames = PROFILES[profile](capture, bodies)
    drop_placeless(bodies)  # published rules may give one a track, which then shows nothing
    if not tracks:
        reasons = "; ".join(f"body {body.body_id}: {body.reason}" for body in bodies)
        other = ("'pyskl' takes joints that are not tracked" if profile == "skelact" else
                 "'skelact' keeps the longest one that has a tracked joint")
        raise EmptyClipError(f"{capture.name}: profile {profile!r} drops every body ({reasons}); "
                             f"profile {other}")
    recording = Recording(
        tuple(tracks), np.arange(frames) / FPS, "ntu25", dims=3, fps=FPS,
        source=f"{capture.name}.skeleton", estimator="Kinect v2", labels=capture.labels,
    )
    rows = [BodyRow(capture.name, body.body_id, body.decision, body.reason, body.track_id, *facts,
                    body.motion) for body, facts in zip(bodies, seen, strict=True)]
    return recording, sorted(rows, key=lambda row: -row.motion)


def is_missing(capture: RawCapture) -> bool:
    """Whether no frame shows a body with a place."""
    return not np.nan_to_num(capture.joints).any()


def write_body_report(
    rows: Iterable[BodyRow], path: str | Path, overwrite: bool = False
) -> Path:
    """Write what became of every body as CSV, atomically.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(BodyRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return write_text(path, text.getvalue(), overwrite)


def read_missing_list(path: str | Path) -> frozenset[str]:
    """The sample names of a list of missing skeletons; lines that are no name are passed over.

    Raises:
        FileFormatError: The file is missing, no text, or names no sample.
    """
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"cannot read the list of missing skeletons {path}: {error}"
                              ) from error
    words = (line.strip().removesuffix(".skeleton") for line in lines)
    names = frozenset(word for word in words if is_ntu_name(word))
    if not names:
        raise FileFormatError(f"{path} names no sample; expected lines such as "
                              "S001C002P005R002A008")
    return names


def describe_missing(names: Collection[str]) -> str:
    """One line that compares missing samples, listed or found, with the official counts."""
    actions = [ntu_numbers(name)["action"] for name in names if is_ntu_name(name)]
    of_60 = sum(action <= 60 for action in actions)
    return (f"{len(actions)} samples without a skeleton ({MISSING_COUNTS['ntu120']} in the "
            f"official list of NTU RGB+D 120), {of_60} of them of actions 1 to 60 "
            f"({MISSING_COUNTS['ntu60']} in that of NTU RGB+D)")

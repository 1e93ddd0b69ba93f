"""One self-contained page of the clips of a data set, class by class, to review and correct them.

The page draws with the player's scripts and saves what the reviewer corrects in the form that
`skelact.datasets.correction_file` reads.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from skelact.graph.layouts import Layout
from skelact.output import check_writable, write_text
from skelact.pose.recording import Recording
from skelact.visualization.packing import pack
from skelact.visualization.script_page import (
    DRAWING,
    SUMMARY_STYLE,
    drawing_facts,
    fill_page,
    script_json,
    to_base64,
    track_ink,
)

LARGEST = 15_000_000
"""Bytes of a page from which no more clips are put into it."""

_FOLDER = Path(__file__).parent / "gallery_page"
_SCRIPTS = (*DRAWING, *(_FOLDER / f"{name}.js" for name in (
    "corrections", "card", "clips", "editor", "storage", "page")))
_STEPS = 1024
"""Steps over the extent of a clip: finer than the pixels of its picture."""
_FRAMES = 600
"""A longer clip shows every second, third, ... of its frames."""


@dataclass(frozen=True, eq=False)
class GalleryClip:
    """One clip, or a labelled part of one.

    Args:
        recording: What is shown; in long recordings what lies around a part too.
        clip_id: Of the clip.
        label: Class index; -1 for none.
        part: Which annotation of the clip; None for the whole.
        offset: Frame of the clip that the recording begins with.
        first: First frame of the clip or part, counted in the clip.
        last: Its last frame.
        frames: Frames of the clip.
        flags: Places in the findings.
        facts: Name -> value, such as subject and split, to be shown.
        begin: Seconds from the start of the clip to the recording's.
    """

    recording: Recording
    clip_id: str
    label: int
    part: int | None
    offset: int
    first: int
    last: int
    frames: int
    flags: Sequence[int]
    facts: dict
    begin: float = 0.0


@dataclass(frozen=True)
class GallerySet:
    """What the page says of the data set.

    Args:
        name: Of the data set.
        fingerprint: Of the store; corrections carry it.
        layout: The skeleton.
        dims: 2 or 3.
        classes: Names, in the order of the label indices.
        totals: Clips of each class in the whole choice, shown or not; the last entry is those
            without a label.
        chosen: In words, what the clips were chosen from.
        findings: (severity, check, message) of what `validate` found.
        unit: What a card shows: ``"clip"`` or ``"labelled part"``.
    """

    name: str
    fingerprint: str
    layout: Layout
    dims: int
    classes: Sequence[str]
    totals: Sequence[int]
    chosen: str
    findings: Sequence[tuple[str, str, str]] = ()
    unit: str = "clip"


@dataclass(frozen=True)
class GalleryPage:
    """A page that was written.

    Args:
        path: Where.
        size: Bytes.
        clips: How many clips it shows.
        total: Out of how many.
        unit: What they are: ``"clip"`` or ``"labelled part"``.
    """

    path: Path
    size: int
    clips: int
    total: int
    unit: str


def write_gallery(
    about: GallerySet,
    clips: Iterable[GalleryClip],
    path: str | Path,
    overwrite: bool = False,
    largest: int = LARGEST,
) -> GalleryPage:
    """Write the page.

    Args:
        about: The data set.
        clips: The most wanted first; read one by one, until the page is full.
        path: The ``.html`` to write.
        overwrite: Replace an existing file.
        largest: Bytes of the page, about.

    Returns:
        Where the page is, how large, and how many clips it shows.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    path = check_writable(path, overwrite)
    total = sum(about.totals)
    entries, room = [], largest - len(_fill(about, [], total).encode())
    for clip in clips:
        entry = _entry(clip)
        room -= len(script_json(entry)) + 1
        if room < 0 and entries:
            break
        entries.append(entry)
    page = _fill(about, entries, total)
    write_text(path, page, overwrite)
    return GalleryPage(path, len(page.encode()), len(entries), total, about.unit)


def _fill(about: GallerySet, entries: list[dict], total: int) -> str:
    facts = drawing_facts(about.layout, about.dims) | {
        "store": {"name": about.name, "fingerprint": about.fingerprint},
        "unit": about.unit,
        "classes": list(about.classes),
        "totals": [int(count) for count in about.totals],
        "findings": [list(finding) for finding in about.findings],
        "clips": entries,
    }
    return fill_page(
        _FOLDER / "page.html", (SUMMARY_STYLE, _FOLDER / "gallery.css"), _SCRIPTS, facts,
        title=html.escape(f"Review of {about.name}"),
        about=html.escape(_about(about, len(entries), total)),
    )


def _about(about: GallerySet, shown: int, total: int) -> str:
    some = f"{shown:,} of {total:,}" if shown < total else f"All {total:,}"
    text = f"{some} {about.unit}s {about.chosen}, joints of {about.layout.name}, {about.dims}-D."
    if shown < total:
        text += (" Flagged ones come first, the others are spread evenly over each class; make"
                 " another page with --classes, --split or --clips to see more.")
    return text


def _entry(clip: GalleryClip) -> dict:
    """A clip as plain values, its joints packed."""
    every = max(1, -(-clip.recording.num_frames // _FRAMES))
    recording = _thin(clip.recording, every)
    # the scene is where people are, not the image: cards are small
    packed = pack(replace(recording, image_size=None), steps=_STEPS)
    times = recording.timestamps
    return {
        "id": clip.clip_id, "part": clip.part, "label": clip.label, "facts": clip.facts,
        "flags": list(clip.flags), "total": clip.frames, "offset": clip.offset, "every": every,
        "own": [clip.first, clip.last], "fps": round(float(clip.recording.fps), 4),
        "frames": recording.num_frames, "end": clip.offset + max(0, clip.recording.num_frames - 1),
        "first": float(times[0]) if len(times) else 0.0,
        "begin": round(clip.begin, 4),
        "step": _short(packed.step), "middle": [*map(_short, packed.middle)],
        "low": [*map(_short, packed.low)], "high": [*map(_short, packed.high)],
        "tracks": [{"id": track.track_id, "runs": runs} | track_ink(track.track_id)
                   for track, runs in zip(recording.tracks, packed.runs, strict=True)],
        "data": to_base64(packed.data),
    }


def _thin(recording: Recording, every: int) -> Recording:
    """Every so many frames of a recording."""
    if every == 1:
        return recording
    tracks = []
    for track in recording.tracks:
        kept = track.frame_index % every == 0
        tracks.append(replace(
            track, joints=track.joints[..., kept], frame_index=track.frame_index[kept] // every,
            boxes=None, confidence=None if track.confidence is None
            else track.confidence[:, kept]))
    return replace(recording, tracks=tuple(tracks), timestamps=recording.timestamps[::every])


def _short(number: float) -> float:
    return float(f"{number:.6g}")

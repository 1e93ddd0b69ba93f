"""One self-contained page that plays a recording: skeletons, video, who did what, when."""

import html
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from skelact.errors import SkelactError
from skelact.output import check_writable, write_text
from skelact.pose.recording import Recording
from skelact.pose.video_container import open_video, video_stream
from skelact.visualization.draw import open_source
from skelact.visualization.packing import pack
from skelact.visualization.result import check_result
from skelact.visualization.script_page import (
    DRAWING,
    SUMMARY_STYLE,
    drawing_facts,
    fill_page,
    to_base64,
    track_ink,
)

LARGEST = 15_000_000
"""Bytes of a page up to which the video is put inside."""

_FOLDER = Path(__file__).parent / "player_page"
_SCRIPTS = (*DRAWING, *(_FOLDER / f"{name}.js" for name in (
    "timeline", "film", "player", "controls", "page")))

_PLAYED = ("h264", "vp8", "vp9", "av1")
"""Codecs that browsers play."""


@dataclass(frozen=True)
class PlayerPage:
    """A page that was written.

    Args:
        path: Where.
        size: Bytes.
        video: ``"inside"``, ``"beside"`` (it plays while the video lies where it did), or
            ``"none"``.
    """

    path: Path
    size: int
    video: str


def write_player(
    recording: Recording,
    path: str | Path,
    video: str | Path | None = None,
    result: dict | None = None,
    overwrite: bool = False,
) -> PlayerPage:
    """Write a page that plays a recording in a browser, without network.

    Args:
        recording: A 2-D or 3-D recording; nobody in it is fine.
        path: The ``.html`` to write.
        video: Show this video under or beside the skeletons: MP4 or WebM that browsers play. It
            goes into the page while that stays within `LARGEST` bytes, else the page refers to
            it by its path from the page.
        result: What `Recognition.to_dict` gives, or the JSON of ``skelact recognize -o``.
        overwrite: Replace an existing file.

    Returns:
        Where the page is, how large, and whether the video is inside.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
        SkelactError: The recording has no frames; the video is not the recording's or is not
            played by browsers; the result is not one of this recording.
        VideoError: The video cannot be decoded.
    """
    path = check_writable(path, overwrite)
    if not recording.num_frames:
        raise SkelactError("the recording has no frames to play; `.png` gives a picture of it")
    size = recording.image_size
    kind = None
    if video is not None:
        kind, size = _check_video(recording, video)
    facts, joints = _facts(recording, size, result)
    page = _fill(recording, facts, joints, "")
    if video is None:
        write_text(path, page, overwrite)
        return PlayerPage(path, len(page.encode()), "none")
    film, facts["video"] = _place_video(Path(video), kind, path, LARGEST - len(page.encode()))
    page = _fill(recording, facts, joints, film)
    write_text(path, page, overwrite)
    return PlayerPage(path, len(page.encode()), "inside" if film else "beside")


def _check_video(recording: Recording, video: str | Path) -> tuple[str, tuple[int, int]]:
    """The media type and the size of a video, if browsers play it."""
    with open_source(recording, video) as reader, open_video(reader.path) as container:
        codec = video_stream(container, reader.path).codec_context.codec.canonical_name
        names = container.format.name
        kind = "video/mp4" if "mp4" in names else "video/webm" if "webm" in names else None
        if kind is None or codec not in _PLAYED:
            raise SkelactError(
                f"expected a video that browsers play (H.264, VP8, VP9 or AV1 in MP4 or WebM), "
                f"got {codec} in {names} in {video}; convert it, for example with "
                f"`ffmpeg -i {Path(video).name} -c:v libx264 -pix_fmt yuv420p OUT.mp4`")
        return kind, reader.size


def _place_video(video: Path, kind: str, page: Path, room: int) -> tuple[str, dict]:
    """The video as base64 if there is room for it, and what the page says of it."""
    if 4 * (video.stat().st_size + 2) // 3 + 100 <= room:
        return to_base64(video.read_bytes()), {"inside": kind, "name": video.name}
    link = os.path.relpath(video.absolute(), page.absolute().parent)
    return "", {"link": quote(Path(link).as_posix()), "name": Path(link).as_posix()}


def _facts(recording: Recording, size, result: dict | None) -> tuple[dict, str]:
    """What the page needs to know beside the joints, as plain values; and the joints."""
    tracks = check_result(result, recording) if result is not None else {}
    packed = pack(recording, size)
    facts = {
        **drawing_facts(recording.layout, recording.dims),
        "frames": recording.num_frames,
        "first": float(recording.timestamps[0]),
        "length": recording.duration,
        "middle": packed.middle,
        "step": packed.step,
        "low": packed.low,
        "high": packed.high,
        "result": result is not None,
        "video": None,
        "tracks": [
            {"id": track.track_id, "runs": runs, "segments": [], "curves": None}
            | tracks.get(track.track_id, {}) | track_ink(track.track_id)
            for track, runs in zip(recording.tracks, packed.runs, strict=True)
        ],
    }
    return facts, to_base64(packed.data)


def _fill(recording: Recording, facts: dict, joints: str, film: str) -> str:
    return fill_page(
        _FOLDER / "page.html", (SUMMARY_STYLE, _FOLDER / "player.css"), _SCRIPTS, facts,
        "blob: 'self' file:", joints=joints, film=film,
        title=html.escape(Path(recording.source).name or "Recording"),
        about=html.escape(_about(recording)),
    )


def _about(recording: Recording) -> str:
    people = len(recording.tracks)
    who = "nobody" if not people else "1 person" if people == 1 else f"{people} people"
    return (f"{who} in {recording.num_frames} frames, {recording.duration:.1f} s, joints of "
            f"{recording.layout.name}")

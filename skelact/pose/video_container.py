"""What lies in a video file: its stream, what its header promises, and what decodes."""

import logging
from collections.abc import Iterator
from pathlib import Path

from skelact.errors import VideoError
from skelact.pose.libav import load_av

logger = logging.getLogger("skelact")

_TEXT = {"tty", "lrc"}
"""What ffmpeg makes of plain text files."""

_TRUE_DURATION = {"matroska,webm", "flv", "asf"}
"""Formats without a frame count whose header states the duration."""


def open_video(path: Path):
    """The file as a libav container.

    Raises:
        VideoError: It is missing, empty, a folder, or nothing that ffmpeg knows as video.
    """
    av = load_av()
    if path.is_dir():
        what = "data set" if (path / "dataset.json").is_file() else "folder"
        raise VideoError(f"expected a video, got the {what} {path}" + (
            "; `skelact evaluate` takes one" if what == "data set" else ""))
    if not path.exists():
        raise VideoError(f"no video at {path}")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes)")
    try:
        # The prefix keeps a colon in a file name from being read as a network protocol.
        container = av.open(f"file:{path}", metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"{path} does not open as a video: it is truncated, damaged or of "
                         f"another kind ({_reason(error)})") from error
    if container.format.name in _TEXT:
        container.close()
        raise VideoError(f"expected a video, got the text file {path}")
    return container


def video_stream(container, path: Path):
    """The first video stream that is no cover picture.

    Raises:
        VideoError: There is none, or this build of ffmpeg has no decoder for it.
    """
    av = load_av()
    cover = av.stream.Disposition.attached_pic
    streams = [s for s in container.streams.video if not s.disposition & cover]
    if not streams:
        kinds = sorted({s.type for s in container.streams})
        raise VideoError(f"{path} has no video stream (it has {', '.join(kinds) or 'none'})")
    if streams[0].codec_context is None:
        raise VideoError(f"{path}: no decoder for its video stream; convert it, for example "
                         f"with `ffmpeg -i IN -c:v libx264 OUT.mp4`")
    return streams[0]


def seek(container, stream, seconds: float) -> bool:
    """Go to the key frame at or before a second; false where the container cannot."""
    try:
        container.seek(int(seconds / stream.time_base), stream=stream)
    except (load_av().FFmpegError, OSError):
        return False
    return True


def frame_rate(stream) -> float:
    """Frames a second: on average, else nominal, else 25."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate is not None and 0 < rate <= 1000:
            return float(rate)
    return 25.0


def promised_frames(container, stream) -> int | None:
    """How many frames the header promises to show; None if it does not say."""
    if not stream.frames:
        return None
    entries = stream.index_entries
    if "mov" not in container.format.name or not len(entries):
        return stream.frames
    # An edit list may leave out frames that the count includes.
    return min(stream.frames, sum(not entry.is_discard for entry in entries))


def promised_duration(container, stream, frames: int | None, fps: float) -> float | None:
    """Seconds that the header promises; None if it does not say."""
    if container.format.name == "avi" and frames:
        return frames / fps
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None


def find_cut(path: Path, container, end: float, fps: float) -> str | None:
    """How it shows that a file without a frame count was cut off; None if it does not.

    Args:
        path: The file.
        container: It, open.
        end: Seconds at which its last packet ends.
        fps: Frames a second.
    """
    kind, size = container.format.name, path.stat().st_size
    if kind in _TRUE_DURATION and container.duration:
        duration = container.duration / 1e6
        if 0 < end < duration - 1.5 / fps:
            return f"the data end at {end:.2f} s of {duration:.2f} s"
    if kind == "mpegts" and all(size % packet for packet in (188, 192, 204)):
        return "the file ends within a packet"
    if kind == "gif":
        with open(path, "rb") as file:
            file.seek(-1, 2)
            if file.read(1) != b";":
                return "the file lacks its end"
    return None


class Decoder:
    """Frames of one stream, in display order and without those that damage has touched.

    Iterating gives (libav frame, how many frames of the stream came before it, lost ones
    included).

    Args:
        container: An open container.
        stream: Its video stream.
        report: A `DecodeReport` that takes the counts of damage.
        strict: Raise VideoError at the first damage.

    Attributes:
        end: Seconds at which the last packet of any stream ends.
    """

    def __init__(self, container, stream, report, strict: bool = False) -> None:
        stream.thread_type = "AUTO"
        self._container, self._stream = container, stream
        self._report, self._strict = report, strict
        self._position, self._broken = 0, False
        self._latest_in = self._latest_out = None
        self.end = 0.0

    def __iter__(self) -> Iterator[tuple]:
        for packet in self._packets():
            for frame in self._decode(packet):
                self._position += 1
                self._latest_out = frame.pts
                self._broken = frame.is_corrupt or (self._broken and not frame.key_frame)
                if self._broken:
                    self._report.dropped += 1
                    self._refuse_damage()
                else:
                    yield frame, self._position - 1
        self._check_tail()

    def _packets(self) -> Iterator:
        """Packets of the stream; None at the end."""
        av = load_av()
        try:
            for packet in self._container.demux():
                if not packet.size:
                    continue  # what demux gives at the end of every stream
                at = packet.dts if packet.pts is None else packet.pts
                if at is not None:
                    end = float((at + (packet.duration or 0)) * packet.time_base)
                    self.end = max(self.end, end)
                if packet.stream is self._stream:
                    if packet.pts is not None and not packet.is_discard:
                        self._latest_in = max(packet.pts, self._latest_in or packet.pts)
                    yield packet
        except av.FFmpegError as error:
            self._damage(error)
        yield None

    def _decode(self, packet) -> list:
        av = load_av()
        try:
            return self._stream.decode(packet)
        except EOFError:
            return []
        except av.FFmpegError as error:
            self._damage(error)
            return []

    def _damage(self, error: Exception) -> None:
        logger.debug("%s: %s", self._report.path, _reason(error))
        self._report.damaged += 1
        self._position += 1
        self._broken = True
        self._refuse_damage()

    def _check_tail(self) -> None:
        """Count as damage that the last frames went in and did not come out."""
        if None not in (self._latest_in, self._latest_out) and not self._broken \
                and self._latest_out < self._latest_in:
            self._report.damaged += 1
            self._refuse_damage()

    def _refuse_damage(self) -> None:
        if self._strict:
            raise VideoError(f"{self._report.path} is damaged: only {self._report.decoded} frames "
                             f"decode before the first fault")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)

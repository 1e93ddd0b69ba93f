"""Reading videos: frames as they are displayed, at the container's own times.

What a container claims is not believed where it is known to err: AVI frames are counted instead
of timed, and the number of frames that decode is compared with the number that was promised.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from skelact.errors import VideoError
from skelact.pose.orientation import Upright, displayed_size
from skelact.pose.read_ahead import read_ahead
from skelact.pose.video_clock import FrameClock
from skelact.pose.video_container import (
    Decoder,
    find_cut,
    frame_rate,
    open_video,
    promised_duration,
    promised_frames,
    seek,
    video_stream,
)
from skelact.pose.video_writer import VideoWriter

__all__ = ["DecodeReport", "Frame", "VideoReader", "VideoWriter", "read_ahead"]

logger = logging.getLogger("skelact")

_UNTIMED = {"avi", "h264", "hevc", "m4v", "mjpeg", "mpegvideo", "obu"}
"""Formats (ffmpeg's names) that store no times, or times that cannot be trusted."""
_INDEXED = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
"""Formats in which a second of the video is found without reading what comes before."""
_EARLIER = 1.0
"""Seconds before the one wanted from which decoding begins: it builds on frames before it."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded frame.

    Args:
        image: ``[H, W, 3]`` uint8 RGB as displayed (rotated and mirrored as the file demands).
        index: Its number among the frames of the file that decode, from 0.
        time: Seconds, as the container has it; strictly rising from frame to frame.
    """

    image: np.ndarray = field(repr=False)
    index: int
    time: float


@dataclass
class DecodeReport:
    """What became of the frames of one file; whole once the iteration has ended.

    Args:
        path: The file.
        decoded: Frames given.
        expected: Frames that the file promises for the range and stride asked for, if it says.
        damaged: Pieces of the stream (packets, mostly one a frame) that did not decode.
        dropped: Frames not given because they are damaged or build on one that is.
        cut_off: How it shows that the file ends too early, or None.
        repaired_times: Frames whose time was missing or not later than the one before.
        finished: The file was read to the end of the range.
    """

    path: Path
    decoded: int = 0
    expected: int | None = None
    damaged: int = 0
    dropped: int = 0
    cut_off: str | None = None
    repaired_times: int = 0
    finished: bool = False

    @property
    def message(self) -> str | None:
        """One line that says what is missing; None when all is well."""
        short = self.finished and self.expected is not None and self.decoded < self.expected
        if not (short or self.damaged or self.dropped or self.cut_off):
            return None
        of = f" of {self.expected}" if self.expected is not None else ""
        why = []
        if self.damaged:
            why.append(f"{self.damaged} did not decode")
        if self.dropped:
            why.append(f"{self.dropped} dropped because they build on damaged ones")
        if self.cut_off:
            why.append(self.cut_off)
        reason = "; ".join(why) or "the file is truncated or its header wrong"
        return f"{self.path}: {self.decoded}{of} frames decode ({reason})"


class VideoReader:
    """The frames of a video file, or a range of them.

    Iterating decodes from the beginning of the file; every iteration starts anew. Frames that
    are skipped are decoded, because later ones build on them, but not converted to RGB. After
    damage nothing is given until the next frame that stands by itself (key frame), so every
    image is as it was encoded. Containers without a frame count hide some losses: Matroska and
    MPEG-TS skip what they cannot parse in the middle, and a raw stream may end anywhere.

    Args:
        path: A file with a video stream; a picture is a video of one frame.
        start: First frame number.
        stop: Frame number to stop before; None for all. May lie beyond the end.
        stride: Take every so-manieth frame from ``start`` on.
        strict: Raise at damage or missing frames, instead of warning through
            ``logging.getLogger("skelact")`` and `report`.

    Attributes:
        fps: Frames a second, nominal or on average.
        size: (width, height) in pixels, as displayed.
        duration: Seconds that the file promises, or None.
        expected_frames: How many frames an iteration should give; None if the file does not say.
        report: `DecodeReport` of the latest iteration.

    Raises:
        VideoError: The file is missing, empty, a folder, no video, has no frame that decodes, or
            (under ``strict``, while iterating) does not decode whole.
    """

    def __init__(self, path: str | Path, start: int = 0, stop: int | None = None, stride: int = 1,
                 strict: bool = False) -> None:
        if start < 0 or stride < 1 or (stop is not None and stop <= start):
            raise VideoError(f"expected a range of frames with 0 <= start < stop and stride >= 1, "
                             f"got start {start}, stop {stop}, stride {stride}")
        self.path = Path(path)
        self.start, self.stop, self.stride, self.strict = start, stop, stride, strict
        self._running: Iterator[Frame] | None = None
        with open_video(self.path) as container:
            self._probe(container)
        self.report = DecodeReport(self.path, expected=self.expected_frames)

    def at(self, times: Sequence[float]) -> Iterator[Frame]:
        """The frame nearest to each of some times, from any place of the file.

        Decoding begins shortly before the first time, where the container knows how to get there,
        and ends after the last. Frames that are not asked for are decoded, because others build on
        them, and not converted. The range and stride of the reader do not count, and `report` says
        nothing of it.

        Args:
            times: Seconds, rising (equal ones give the same frame again).

        Yields:
            A frame a time; beyond the end of the video its last one. ``index`` counts from where
            decoding began.

        Raises:
            VideoError: The times do not rise, or nothing decodes.
        """
        times = list(map(float, times))
        if any(later < time for time, later in pairwise(times)):
            raise VideoError(f"expected rising times to read {self.path} at, got {times[:8]} ...")
        given = 0
        if times and times[0] > 2 * _EARLIER:
            for frame in self._nearest(times, since=times[0] - _EARLIER):
                if abs(frame.time - times[given]) > 1.0 / self.fps:
                    break  # not where it should be, as after a time stamp that ran back
                yield frame
                given += 1
        if given < len(times):
            yield from self._nearest(times[given:])

    def _nearest(self, times: list[float], since: float | None = None) -> Iterator[Frame]:
        """The frame nearest to each time; nothing if it cannot begin at ``since``."""
        waiting, before, shown, upright = deque(times), None, None, Upright(self.size)
        with open_video(self.path) as container:
            for current in self._timed(container, since):
                while waiting and current[2] >= waiting[0]:
                    later = before is None or current[2] - waiting[0] < waiting[0] - before[2]
                    shown = _show(current if later else before, shown, upright)
                    yield shown
                    waiting.popleft()
                if not waiting:
                    return
                before = current
            if before is None and since is None:
                raise VideoError(f"{self.path} has no frame that decodes")
            for _ in waiting if before else ():
                shown = _show(before, shown, upright)
                yield shown

    def _timed(self, container, since: float | None) -> Iterator[tuple]:
        """(libav frame, number, seconds) of every frame, or of those from ``since`` on."""
        stream = video_stream(container, self.path)
        if since is not None and not (container.format.name in _INDEXED
                                      and seek(container, stream, since)):
            return
        clock = FrameClock(self.fps, trusted=container.format.name not in _UNTIMED)
        decoder = Decoder(container, stream, DecodeReport(self.path))
        for index, (raw, position) in enumerate(decoder):
            if since is not None and raw.pts is None:
                return
            yield raw, index, clock.time_of(raw.pts, stream.time_base, position)

    def _probe(self, container) -> None:
        stream = video_stream(container, self.path)
        self.fps = frame_rate(stream)
        self._total = promised_frames(container, stream)
        self.duration = promised_duration(container, stream, self._total, self.fps)
        self.expected_frames = None
        if self._total is not None:
            last = self._total if self.stop is None else min(self.stop, self._total)
            self.expected_frames = len(range(self.start, last, self.stride))
            if self.expected_frames == 0:
                raise VideoError(f"expected start below {self._total}, the number of frames of "
                                 f"{self.path}; got {self.start}")
        decoder = Decoder(container, stream, DecodeReport(self.path))
        first = next(iter(decoder), None)
        if first is None:
            raise VideoError(f"{self.path} holds no frame that decodes"
                             + (f" (it promises {self._total})" if self._total else "")
                             + "; it is damaged or encrypted")
        self.size = displayed_size(first[0])

    def __iter__(self) -> Iterator[Frame]:
        self.close()
        self._running = self._frames()
        return self._running

    def _frames(self) -> Iterator[Frame]:
        report = self.report = DecodeReport(self.path, expected=self.expected_frames)
        with open_video(self.path) as container:
            stream = video_stream(container, self.path)
            decoder = Decoder(container, stream, report, self.strict)
            clock = FrameClock(self.fps, trusted=container.format.name not in _UNTIMED)
            upright = Upright(self.size)
            for index, (raw, position) in enumerate(decoder):
                if index == self.stop:
                    break
                time = clock.time_of(raw.pts, stream.time_base, position)
                if index >= self.start and (index - self.start) % self.stride == 0:
                    report.decoded += 1
                    yield Frame(upright(raw), index, time)
            else:
                if self.stop is None:
                    report.cut_off = find_cut(self.path, container, decoder.end, self.fps)
        report.repaired_times, report.finished = clock.repaired, True
        self._conclude(report)

    def _conclude(self, report: DecodeReport) -> None:
        if not report.decoded:
            raise VideoError(f"{self.path} has no frame {self.start} that decodes; start earlier")
        if report.message and self.strict:
            raise VideoError(report.message)
        if report.message:
            logger.warning("%s", report.message)

    def close(self) -> None:
        """End the iteration that runs, if any, and let go of the file."""
        running, self._running = self._running, None
        if running is not None:
            running.close()

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *exception) -> None:
        self.close()


def _show(entry: tuple, shown: Frame | None, upright: Callable) -> Frame:
    """What was decoded as a frame; the one shown last, if it is the same."""
    raw, index, time = entry
    return shown if shown is not None and shown.index == index else Frame(upright(raw), index, time)

"""Frames kept while poses are found, so that a video is decoded once for joints and pixels."""

import bisect
import io
import tempfile
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from skelact.errors import VideoError
from skelact.pose.video import Frame

QUALITY = 95
"""Of JPEG: what it changes is less than what the video's own compression did."""


class KeptFrames:
    """Frames of one video, compressed, in a temporary file that ends with this object.

    Give it to `extract` as ``watch``; afterwards it gives back the frames as a `VideoReader` does.
    A frame of 1280 x 720 pixels takes some 100 kB on disk.

    Args:
        rate: Frames a second to keep, at most; None keeps all.

    Attributes:
        size: (width, height) of the frames; (0, 0) before the first.

    Example:
        >>> kept = KeptFrames(rate=6)
        >>> recording = extract("video.mp4", watch=kept)
        >>> recognizer.recognize(recording, kept)
    """

    def __init__(self, rate: float | None = None) -> None:
        self._step, self._due = 0.0 if rate is None else 1.0 / rate, -np.inf
        self._file = tempfile.TemporaryFile(prefix="skelact-frames-")  # noqa: SIM115 - its own end
        self._ends, self._times, self._numbers = [0], [], []
        self.size = (0, 0)

    def __call__(self, frame: Frame) -> None:
        """Keep a frame, if its turn has come."""
        if frame.time < self._due - 1e-6:
            return
        # on the grid of the step, so that frames of an odd rate are not thinned out further
        late = frame.time - self._due
        self._due = frame.time + self._step if late > self._step else self._due + self._step
        content = io.BytesIO()
        Image.fromarray(frame.image).save(content, "JPEG", quality=QUALITY)
        self._file.write(content.getbuffer())
        self._ends.append(self._ends[-1] + content.tell())
        self._times.append(frame.time)
        self._numbers.append(frame.index)
        self.size = (frame.image.shape[1], frame.image.shape[0])

    def __len__(self) -> int:
        return len(self._times)

    def find(self, times: np.ndarray) -> np.ndarray:
        """``[K]`` those of rising times at which a frame was kept."""
        if not self._times:
            return np.empty(0, np.int64)
        kept = np.asarray(self._times)
        nearest = kept[np.searchsorted(kept, times - 1e-6).clip(0, len(kept) - 1)]
        return np.flatnonzero(np.abs(nearest - times) < 1e-6)

    def at(self, times: Sequence[float]) -> Iterator[Frame]:
        """The kept frame nearest to each of some rising times.

        Raises:
            VideoError: No frame was kept.
        """
        if not self._times:
            raise VideoError("no frame was kept; pass it to extract(video, watch=...) first")
        shown = None
        for time in times:
            after = min(bisect.bisect_left(self._times, time), len(self) - 1)
            before = max(after - 1, 0)
            nearer = abs(self._times[before] - time) < abs(self._times[after] - time)
            shown = self._read(before if nearer else after, shown)
            yield shown

    def _read(self, place: int, shown: Frame | None) -> Frame:
        if shown is not None and shown.index == self._numbers[place]:
            return shown
        self._file.seek(self._ends[place])
        content = self._file.read(self._ends[place + 1] - self._ends[place])
        image = np.asarray(Image.open(io.BytesIO(content)))
        return Frame(image, self._numbers[place], self._times[place])

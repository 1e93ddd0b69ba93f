"""Writing H.264 videos."""

import contextlib
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

from skelact.errors import ShapeError, SkelactError
from skelact.output import atomic_write, check_writable
from skelact.pose.libav import load_av

_TICKS = 90_000
"""Time stamps a second: exact for all common frame rates, 11 microseconds for other times."""


class VideoWriter:
    """Writes RGB images as an H.264 MP4 (yuv420p) that browsers and players take.

    To be used in a ``with`` block. The file appears at ``path`` once the block ends well; after
    an exception nothing is left. H.264 needs even sizes: an odd width or height is rounded up
    by repeating the last column or row.

    Args:
        path: The ``.mp4``, ``.mov`` or ``.mkv`` to write.
        fps: Frames a second.
        size: (width, height) of the images.
        overwrite: Replace an existing file.
        quality: Constant rate factor of x264: 0 is lossless, 18 looks so, larger is smaller.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
        SkelactError: Another suffix, or a rate or size that no video can have.
    """

    def __init__(self, path: str | Path, fps: float, size: tuple[int, int],
                 overwrite: bool = False, quality: int = 21) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() not in (".mp4", ".mov", ".mkv"):
            raise SkelactError(f"a video that skelact writes ends in .mp4, .mov or .mkv; "
                               f"got {self.path}")
        if not fps > 0 or not all(0 < side <= 16384 for side in size):
            raise SkelactError(f"expected fps > 0 and sides of 1 to 16384 pixels for {self.path}; "
                               f"got {fps} fps, size {tuple(size)}")
        check_writable(self.path, overwrite)
        self.fps, self.size = float(fps), (int(size[0]), int(size[1]))
        self._overwrite, self._quality = overwrite, quality
        self._stack = self._container = self._stream = None
        self._count, self._last_tick, self._step = 0, None, round(_TICKS / self.fps)

    def __enter__(self) -> "VideoWriter":
        options = {"movflags": "+faststart"} if self.path.suffix.lower() != ".mkv" else {}
        with contextlib.ExitStack() as stack:
            temporary = stack.enter_context(atomic_write(self.path, self._overwrite))
            self._container = stack.enter_context(
                load_av().open(f"file:{temporary}", "w", options=options)
            )
            self._add_stream()
            self._stack = stack.pop_all()
        return self

    def _add_stream(self) -> None:
        rate = Fraction(self.fps).limit_denominator(1001)
        # One preset faster is twice as large, one slower takes twice as long as decoding.
        # Motion vectors of whole pixels: quicker, of drawings as small, of films 7 % larger.
        options = {"crf": str(self._quality), "preset": "superfast",
                   "x264-params": "me=dia:subme=0"}
        stream = self._container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height = (side + side % 2 for side in self.size)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        # Say how RGB became YUV (BT.601, limited range); players guess BT.709 for large videos.
        stream.codec_context.colorspace, stream.codec_context.color_range = 6, 1
        self._stream = stream

    def write(self, image: np.ndarray, time: float | None = None) -> None:
        """Append one frame.

        Args:
            image: ``[H, W, 3]`` uint8 RGB of the writer's size, or ``[H, W, 4]`` RGBA, whose
                opacity is left out.
            time: Seconds at which it is shown, later than the frame before; by default one step
                of ``fps`` after it.

        Raises:
            ShapeError: The image has another size or type.
            SkelactError: The time does not rise, or the writer is not in a ``with`` block.
        """
        if self._container is None:
            raise SkelactError("write frames inside `with VideoWriter(...) as writer:`")
        width, height = self.size
        if image.shape not in ((height, width, 3), (height, width, 4)) or image.dtype != np.uint8:
            raise ShapeError(f"expected images [{height}, {width}, 3] uint8 for {self.path}, "
                             f"got {list(image.shape)} {image.dtype}")
        if width % 2 or height % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        pixels = "rgb24" if image.shape[2] == 3 else "rgba"
        buffer = np.ascontiguousarray(image)
        frame = load_av().VideoFrame.from_numpy_buffer(buffer, pixels)
        frame.time_base = Fraction(1, _TICKS)
        frame.pts = self._tick(time)
        frame.duration = self._step
        self._container.mux(self._stream.encode(frame))
        self._count += 1

    def _tick(self, time: float | None) -> int:
        if time is not None:
            tick = round(time * _TICKS)
        elif self._last_tick is None:
            tick = 0
        else:  # from the count, so that the rate's fraction does not add up to a drift
            tick = self._last_tick + round((self._count + 1) * _TICKS / self.fps) \
                - round(self._count * _TICKS / self.fps)
        if self._last_tick is not None and tick <= self._last_tick:
            raise SkelactError(f"expected rising times for {self.path}; frame {self._count} at "
                               f"{time} s is not later than the one before")
        self._last_tick = tick
        return tick

    def __exit__(self, *exception) -> None:
        try:
            if exception[0] is None:
                if not self._count:
                    raise SkelactError(f"no frame was written to {self.path}")
                self._container.mux(self._stream.encode())
        except BaseException:
            self._stack.__exit__(*sys.exc_info())
            raise
        else:
            self._stack.__exit__(*exception)
        finally:
            self._stack = self._container = self._stream = None

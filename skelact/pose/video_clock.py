"""Times of frames: the container's own, made to rise where they do not."""

_JUMP_BACK = 1.0
"""Seconds; a larger step back is a recording that starts its clock anew, not a stray time."""


class FrameClock:
    """Gives every frame of a video, in display order, its time in seconds.

    Args:
        fps: Frames a second, for frames without a time.
        trusted: Whether the container's times count; if not, frames are counted.

    Attributes:
        repaired: Frames whose time was missing or not later than that of the frame before.
    """

    def __init__(self, fps: float, trusted: bool = True) -> None:
        self._step, self._trusted = 1.0 / fps, trusted
        self._last: float | None = None
        self._shift = 0.0
        self.repaired = 0

    def time_of(self, pts: int | None, time_base, position: int) -> float:
        """Time of the next frame.

        Args:
            pts: Its time stamp in the container, in units of ``time_base`` seconds, or None.
            time_base: Seconds a unit.
            position: How many frames came before it, lost ones included.
        """
        if not self._trusted:
            return position * self._step
        if pts is None:
            time = position * self._step if self._last is None else self._last + self._step
            self.repaired += 1
        else:
            time = self._rising(float(pts * time_base) + self._shift)
        self._last = time
        return time

    def _rising(self, time: float) -> float:
        if self._last is None or time > self._last:
            return time
        self.repaired += 1
        if self._last - time > _JUMP_BACK:
            self._shift += self._last + self._step - time
            return self._last + self._step
        # A small step leaves room before the next frame, whose own time may be right.
        return self._last + self._step / 16

"""The frames that a layer must remember when it is given one frame at a time."""

import torch
from torch import Tensor, nn


class FrameBuffer(nn.Module):
    """The last ``span`` frames of every person, side by side in memory.

    The first frame it is ever given is that of people who are absent; whoever is taken in later
    has had nothing but it so far.

    There is room for twice the span. A frame is written behind the one before it; at the end of
    the room the last frames move to its front. So the frames under a kernel are always one view,
    oldest first, and a product over them needs no copy.

    Args:
        span: Frames that are kept.
        stride: Answer every ``stride``-th frame, beginning with the ``span``-th.
    """

    def __init__(self, span: int, stride: int = 1):
        super().__init__()
        self.span = span
        self.stride = stride
        self.count = 0
        self.register_buffer("rest", None)
        self.register_buffer("frames", None)

    def push(self, frame: Tensor) -> bool:
        """Keep one frame ``[P, N, C]``; whether there is an answer to it."""
        if self.rest is None:
            self.rest, self.frames = frame, self._repeat(frame)
            self.count = self.span
            return True
        place = self._place(self.count)
        if place == self.span - 1 and self.count >= self.span:
            self.frames[:, :, :place] = self.frames[:, :, self.span + 1 :]
        self.frames[:, :, place] = frame
        self.count += 1
        return self.count >= self.span and (self.count - self.span) % self.stride == 0

    def window(self) -> Tensor:
        """The kept frames, a view ``[P, N, span, C]``, oldest first."""
        end = self._place(self.count - 1) + 1
        return self.frames[:, :, end - self.span : end]

    def take(self, rows: Tensor) -> None:
        """Keep other people.

        Args:
            rows: ``[P]`` numbers of rows: first come those of the people now kept, then those of
                people who have been absent so far.
        """
        self.frames = torch.cat([self.frames, self._repeat(self.rest)])[rows]

    def clear(self) -> None:
        """Begin anew, with nobody."""
        self.frames, self.count = self.frames[:0], 0

    def state(self) -> dict[str, Tensor]:
        """What it remembers: copies."""
        return {"count": torch.tensor(self.count), "frames": self.frames.clone()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Remember what `state` gave."""
        self.count = int(state["count"])
        self.frames = state["frames"].to(self.frames, copy=True)

    def _place(self, number: int) -> int:
        """Where in the room the frame of this number is, or was."""
        before = self.span - 1
        return number if number < before else before + (number - before) % (self.span + 1)

    def _repeat(self, frame: Tensor) -> Tensor:
        """``[P, N, C]`` all over the room."""
        return frame[:, :, None].repeat(1, 1, 2 * self.span, 1)

"""A mean over time that is kept up as values arrive."""

import torch
from torch import Tensor, nn


class RunningMean(nn.Module):
    """The mean of every person's values so far, or of the last ones.

    The first values it is ever given are those of people who are absent; whoever is taken in later
    has had nothing but them so far.

    Args:
        last: Over how many values; None for all.
    """

    def __init__(self, last: int | None = None):
        super().__init__()
        self.last = last
        self.count = 0
        self.register_buffer("rest", None)
        # in float64: what comes after hours would be rounded away in a smaller sum
        self.register_buffer("total", None)
        self.register_buffer("kept", None)

    def push(self, values: Tensor) -> Tensor:
        """Take ``[P, ...]`` values; gives the mean ``[P, ...]`` with them."""
        if self.rest is None:
            self.rest, self.total = values, values.double()
            self.kept = values[:, None].repeat_interleave(self.last or 0, dim=1)
            return values
        if self.last is not None:
            place = self.count % self.last
            if self.count >= self.last:
                self.total -= self.kept[:, place]
            self.kept[:, place] = values
        self.total += values
        self.count += 1
        if self.last is not None and self.count % self.last == 0:
            self.total = self.kept.double().sum(dim=1)  # rid of what rounding has left behind
        return self.mean()

    def mean(self) -> Tensor:
        """``[P, ...]``."""
        return (self.total / self._terms()).to(self.rest.dtype)

    def take(self, rows: Tensor) -> None:
        """Keep other people; see `FrameBuffer.take`."""
        total = self.rest.double() * self._terms()
        kept = self.rest[:, None].repeat_interleave(self.last or 0, dim=1)
        self.total = torch.cat([self.total, total])[rows]
        self.kept = torch.cat([self.kept, kept])[rows]

    def clear(self) -> None:
        """Begin anew, with nobody."""
        self.total, self.kept, self.count = self.total[:0], self.kept[:0], 0

    def state(self) -> dict[str, Tensor]:
        """What it remembers: copies."""
        return {"count": torch.tensor(self.count), "total": self.total.clone(),
                "kept": self.kept.clone()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Remember what `state` gave."""
        self.count = int(state["count"])
        self.total = state["total"].to(self.total, copy=True)
        self.kept = state["kept"].to(self.kept, copy=True)

    def _terms(self) -> int:
        """How many values the sum is of."""
        return self.count if self.last is None else min(self.count, self.last)

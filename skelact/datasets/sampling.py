"""Which frames of a clip a network sees: rules from clip lengths to positions in time.

A rule is called with the lengths ``[B]`` of a batch of clips and a `Chance`, and gives positions
``[B, K, F]``: K views of F frames each; whole numbers, or fractions where a rule resizes time. -1
stands for padding, a frame in which nobody is. Where a clip has fewer frames than wanted, rules
may ``"replay"`` it (start again), ``"stretch"`` it (show frames several times), ``"hold"`` its last
frame, or give ``"zero"``, padding, after it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from skelact.checks import check_choice
from skelact.datasets.chance import Chance
from skelact.datasets.pyskl_views import pyskl_views
from skelact.errors import ChoiceError


@dataclass(frozen=True)
class UniformSegments:
    """Cut a clip into equal segments and take one frame of each.

    Args:
        frames: Segments, F.
        random: A random frame of each segment (training), else the centre.
        crop: Shortest share of the clip that is cut up, placed at random; 1 for all of it.
        short: Of a clip with fewer frames, ``"replay"`` (from a random frame on) or ``"stretch"``.

    Source: Wang et al., "Temporal Segment Networks", ECCV 2016; for skeletons, Duan et al.,
    "Revisiting Skeleton-based Action Recognition", CVPR 2022.
    """

    frames: int = 100
    random: bool = True
    crop: float = 1.0
    short: Literal["replay", "stretch"] = "replay"

    def __post_init__(self) -> None:
        _check_counts(frames=self.frames)
        _check_share(self.crop, "crop")
        check_choice(self.short, ("replay", "stretch"), "short")

    def __call__(self, lengths: np.ndarray, chance: Chance) -> np.ndarray:
        """``[B, 1, F]`` int64."""
        lengths = np.asarray(lengths)[:, None]
        chosen = chance.even(self.frames + 3) if self.random else np.zeros((len(lengths), 3))
        share = self.crop + (1 - self.crop) * (chosen[:, :1] if self.random else 0.5)
        kept = np.maximum((lengths * share).astype(np.int64), 1)
        first = _spread(chosen[:, 1:2] if self.random else 0.5, lengths - kept)
        edges = np.arange(self.frames + 1) * kept // self.frames
        sizes = np.maximum(np.diff(edges), 1)
        inside = (chosen[:, 3:] * sizes).astype(np.int64) if self.random else sizes // 2
        positions = edges[:, :-1] + inside
        if self.short == "replay":
            again = (chosen[:, 2:3] * kept).astype(np.int64) + np.arange(self.frames)
            positions = np.where(kept < self.frames, again % kept, positions)
        return _finish(first + positions, lengths)


@dataclass(frozen=True)
class PysklTestClips:
    """The views that pyskl tests with: its uniform sampling, always from the same seed.

    Args:
        frames: Frames of a view, F.
        clips: Views, K.
        seed: pyskl's.

    Source: Duan et al., "PYSKL: Towards Good Practices for Skeleton Action Recognition", 2022.
    """

    frames: int = 100
    clips: int = 10
    seed: int = 255

    def __post_init__(self) -> None:
        _check_counts(frames=self.frames, clips=self.clips)

    def __call__(self, lengths: np.ndarray, chance: Chance | None = None) -> np.ndarray:
        """``[B, K, F]`` int64; there is no chance in it."""
        lengths = np.asarray(lengths)
        positions = np.full((len(lengths), self.clips, self.frames), -1)
        for length in np.unique(lengths[lengths > 0]):
            views = pyskl_views(int(length), self.frames, self.clips, self.seed)
            positions[lengths == length] = views
        return positions


@dataclass(frozen=True)
class ConsecutiveFrames:
    """Frames one after another, as C3D and I3D take them.

    Args:
        frames: Frames of a view, F.
        step: Take every n-th frame.
        clips: Views, K.
        where: Views start at ``"random"`` (training), ``"even"`` over the clip (one view: in its
            middle), or at the ``"first"`` frame (as st-gcn and 2s-AGCN do).
        short: What follows the last frame of a clip: ``"replay"``, ``"hold"`` or ``"zero"``.

    Source: Tran et al., "Learning Spatiotemporal Features with 3D Convolutional Networks", ICCV
    2015; Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017.
    """

    frames: int = 64
    step: int = 1
    clips: int = 1
    where: Literal["random", "even", "first"] = "random"
    short: Literal["replay", "hold", "zero"] = "replay"

    def __post_init__(self) -> None:
        _check_counts(frames=self.frames, step=self.step, clips=self.clips)
        check_choice(self.where, ("random", "even", "first"), "where")
        check_choice(self.short, ("replay", "hold", "zero"), "short")

    def __call__(self, lengths: np.ndarray, chance: Chance) -> np.ndarray:
        """``[B, K, F]`` int64."""
        lengths = np.asarray(lengths)[:, None, None]
        start = self._starts(lengths, chance)
        positions = start + np.arange(self.frames) * self.step
        return _finish(_past_end(positions, lengths, self.short), lengths)

    def _starts(self, lengths: np.ndarray, chance: Chance) -> np.ndarray:
        if self.where == "first":
            return np.zeros((1, self.clips, 1), np.int64)
        room = np.maximum(lengths - (self.frames - 1) * self.step - 1, 0)
        if self.where == "random":
            return _spread(chance.even(self.clips)[:, :, None], room)
        share = np.linspace(0, 1, self.clips) if self.clips > 1 else np.array([0.5])
        return (share[:, None] * room).astype(np.int64)


@dataclass(frozen=True)
class CropResize:
    """Crop a share of a clip and resize it to F frames by straight lines between frames.

    Args:
        frames: Frames wanted, F.
        crop: Smallest and largest share in training; its mean, from the middle, without chance.
        shortest: A random crop has at least this many frames, or all.
        random: Random crop (training).

    Source: Chen et al., "Channel-wise Topology Refinement Graph Convolution", ICCV 2021, released
    code (it tests with ``CropResize(crop=(0.95, 0.95), random=False)``).
    """

    frames: int = 64
    crop: tuple[float, float] = (0.5, 1.0)
    shortest: int = 64
    random: bool = True

    def __post_init__(self) -> None:
        _check_counts(frames=self.frames, shortest=self.shortest)
        object.__setattr__(self, "crop", tuple(self.crop))
        for share in self.crop:
            _check_share(share, "crop")
        if len(self.crop) != 2 or self.crop[0] > self.crop[1]:
            raise ChoiceError(f"expected crop as (smallest, largest), got {self.crop}")

    def __call__(self, lengths: np.ndarray, chance: Chance) -> np.ndarray:
        """``[B, 1, F]`` float64."""
        lengths = np.asarray(lengths)[:, None]
        low, high = self.crop
        if self.random:
            chosen = chance.even(2)
            kept = (lengths * (low + (high - low) * chosen[:, :1])).astype(np.int64)
            kept = np.clip(kept, np.minimum(self.shortest, lengths), lengths)
            first = _spread(chosen[:, 1:], lengths - kept)
        else:
            first = ((1 - (low + high) / 2) * lengths / 2).astype(np.int64)
            kept = lengths - 2 * first
        middles = (np.arange(self.frames) + 0.5) * kept / self.frames - 0.5
        return _finish(first + np.clip(middles, 0, np.maximum(kept - 1, 0)), lengths)


@dataclass(frozen=True)
class ResizedParts:
    """Parts of a clip, each resized to F frames by straight lines: views for testing.

    Args:
        frames: Frames of a view, F.
        parts: (share of the clip, where it lies: 0 at the beginning, 1 at the end) of each view.
    """

    frames: int = 64
    parts: tuple[tuple[float, float], ...] = ((1.0, 0.0),)

    def __post_init__(self) -> None:
        _check_counts(frames=self.frames)
        if not self.parts or not all(0 <= offset <= 1 for _, offset in self.parts):
            raise ChoiceError(f"expected parts that lie in 0..1 of a clip, got {self.parts}")
        for share, _ in self.parts:
            _check_share(share, "the share of a part")

    def __call__(self, lengths: np.ndarray, chance: Chance | None = None) -> np.ndarray:
        """``[B, K, F]`` float64; there is no chance in it."""
        lengths = np.asarray(lengths)[:, None, None]
        share, offset = np.array(self.parts).T[:, :, None]
        kept = np.maximum(lengths * share, 1)
        first = (lengths - kept) * offset
        inside = np.linspace(0, 1, self.frames) * (kept - 1)
        return _finish(np.minimum(first + inside, lengths - 1), lengths)


@dataclass(frozen=True)
class Instants:
    """One to six frames of a clip, stretched to F: a pose that is held.

    Args:
        frames: Frames of a view, F.
    """

    frames: int = 64

    def __post_init__(self) -> None:
        _check_counts(frames=self.frames)

    def __call__(self, lengths: np.ndarray, chance: Chance) -> np.ndarray:
        """``[B, 1, F]`` float64."""
        lengths = np.asarray(lengths)[:, None]
        chosen = chance.even(2)
        kept = np.minimum(1 + 5 * chosen[:, :1], lengths)
        first = chosen[:, 1:] * (lengths - kept)
        inside = np.linspace(0, 1, self.frames) * np.maximum(kept - 1, 0)
        return _finish(first + inside, lengths)


@dataclass(frozen=True)
class FramePairs:
    """The frames of another rule, and after them all the frame that follows each in the clip.

    For a motion stream that takes differences between neighbouring frames of the whole clip, as
    pyskl does, and not between the frames that were sampled. A clip's last frame is followed by
    padding.

    Args:
        rule: Which frames.
    """

    rule: UniformSegments | PysklTestClips | ConsecutiveFrames | CropResize

    def __call__(self, lengths: np.ndarray, chance: Chance) -> np.ndarray:
        """``[B, K, 2 * F]``."""
        positions = self.rule(lengths, chance)
        last = np.asarray(lengths)[:, None, None] - 1
        follows = (positions >= 0) & (positions + 1 <= last)
        return np.concatenate([positions, np.where(follows, positions + 1, -1)], axis=-1)


Sampling = (UniformSegments | PysklTestClips | ConsecutiveFrames | CropResize | ResizedParts
            | Instants | FramePairs)


def _past_end(positions: np.ndarray, lengths: np.ndarray, short: str) -> np.ndarray:
    if short == "replay":
        return positions % np.maximum(lengths, 1)
    if short == "hold":
        return np.minimum(positions, lengths - 1)
    return np.where(positions < lengths, positions, -1)


def _finish(positions: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """``[B, K, F]``, all padding where a clip has no frames at all."""
    positions = np.where(lengths > 0, positions, -1)
    return positions if positions.ndim == 3 else positions[:, None]


def _spread(share: np.ndarray | float, room: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 to ``room``, all as likely."""
    return (share * (room + 1)).astype(np.int64)


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ChoiceError(f"expected {name} from 1, got {count}")


def _check_share(share: float, name: str) -> None:
    if not 0 < share <= 1:
        raise ChoiceError(f"expected {name} above 0 and at most 1, got {share}")

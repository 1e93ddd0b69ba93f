"""Labelled clips of one person each, held in memory, and the batches drawn from them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Generator, Tensor

from skelact.config import AugmentConfig
from skelact.errors import SkelactError
from skelact.graph.layouts import Layout, get_layout
from skelact.pose.recording import Recording
from skelact.transforms.augment import augment, mirror
from skelact.transforms.remap import remap
from skelact.transforms.spatial import centre_and_scale, fill_missing, project
from skelact.transforms.temporal import bridge_gaps


@dataclass(frozen=True, eq=False)
class Clips:
    """Clips of one skeleton, one after another along the frame axis.

    Args:
        layout: The skeleton.
        joints: ``[S, N, 3]`` float32 with NaN for missing joints; frames first, because sampling
            gathers frames.
        offsets: ``[L + 1]`` where each clip starts.
        labels: ``[L]`` class of each clip; ``len(classes)`` for "no known action".
        dims: 2 (x, y, confidence) or 3 (x, y, z).
        facts: What each recording's ``labels`` say, L of them.
        classes: Names of the classes.
    """

    layout: Layout
    joints: Tensor
    offsets: Tensor
    labels: Tensor
    dims: int
    facts: tuple[dict, ...]
    classes: tuple[str, ...]

    @classmethod
    def from_recordings(
        cls, recordings: Iterable[Recording], layout: str | Layout, classes: Sequence[str]
    ) -> "Clips":
        """The person seen most in every recording, in another layout if need be.

        Absences of a joint are bridged by straight lines, so that a joint is missing throughout
        a clip or not at all. A recording in which nobody was seen is left out.

        Args:
            recordings: With ``labels["label"]``; all 2-D or all 3-D.
            layout: The skeleton to convert to.
            classes: Names of the classes; a label that is not among them becomes ``len(classes)``
                (no known action).

        Raises:
            SkelactError: No recordings with people, 2-D and 3-D mixed, or one without a label.
            LayoutError: A recording's skeleton cannot be converted.
        """
        layout = get_layout(layout)
        parts, labels, facts, dims = [], [], [], set()
        for recording in recordings:
            tracks = [track for track in recording.tracks if len(track)]
            if not tracks:
                continue
            seen_most = max(tracks, key=lambda track: (~track.missing).sum())
            recording = remap(replace(recording, tracks=(seen_most,)), layout)
            track = recording.tracks[0]
            times = torch.from_numpy(recording.track_times(track))
            parts.append(bridge_gaps(torch.from_numpy(track.joints), times).permute(2, 0, 1))
            if (label := recording.labels.get("label")) is None:
                raise SkelactError(f"expected labels['label'] in every recording; "
                                   f"{recording.source or 'one'} has none")
            labels.append(classes.index(label) if label in classes else len(classes))
            facts.append(recording.labels)
            dims.add(recording.dims)
        if not parts:
            raise SkelactError("expected recordings with people in them, got none")
        if len(dims) > 1:
            raise SkelactError("expected recordings that are all 2-D or all 3-D, got both")
        offsets = torch.tensor(np.cumsum([0] + [len(part) for part in parts]))
        return cls(layout, torch.cat(parts), offsets, torch.tensor(labels), dims.pop(),
                   tuple(facts), tuple(classes))

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, rows: Sequence[int] | Tensor) -> "Clips":
        """Only the clips at ``rows``: indices, or a mask ``[L]`` of bool.

        Raises:
            IndexError: An index is outside the clips, or the mask has another length.
        """
        rows = torch.as_tensor(rows)
        rows = torch.arange(len(self))[rows if rows.dtype == torch.bool else rows.long()]
        spans = [(int(self.offsets[i]), int(self.offsets[i + 1])) for i in rows]
        joints = [self.joints[a:b] for a, b in spans] or [self.joints[:0]]
        offsets = torch.tensor(np.cumsum([0] + [b - a for a, b in spans]))
        facts = tuple(self.facts[i] for i in rows)
        return Clips(self.layout, torch.cat(joints), offsets, self.labels[rows], self.dims, facts,
                     self.classes)

    def lengths(self) -> Tensor:
        """``[L]`` frames of each clip."""
        return self.offsets.diff()

    def sample(self, rows: Tensor, positions: Tensor, step: Tensor | None = None) -> Tensor:
        """Clips at given positions in time, by straight lines between frames.

        Args:
            rows: ``[B]`` which clips.
            positions: ``[B, F]`` frame positions, fractions allowed.
            step: ``[B]`` keep only every n-th frame, counted from the first position, as a
                camera of a lower rate would; by default all.

        Returns:
            ``[B, N, 3, F]``; beyond its last frame a clip stands still.
        """
        step = torch.ones(len(rows)) if step is None else step.to(torch.float32)
        first = positions[:, :1].floor()
        grid = (positions - first) / step[:, None]
        last = (self.lengths()[rows] - 1)[:, None]
        index = [
            torch.minimum((first + (grid.floor() + more) * step[:, None]).long(), last)
            + self.offsets[rows][:, None]
            for more in (0, 1)
        ]
        start, end = (self.joints[i] for i in index)  # [B, F, N, 3]
        return torch.lerp(start, end, (grid - grid.floor())[..., None, None]).permute(0, 2, 3, 1)


@dataclass(frozen=True)
class View:
    """One way to look at a clip: a part of it, as it is or mirrored.

    Args:
        share: How much of the clip.
        offset: Where the part lies: 0 at the beginning, 1 at the end.
        mirror: Swap left and right.
    """

    share: float = 1.0
    offset: float = 0.0
    mirror: bool = False


WHOLE = View()
TEN_VIEWS = tuple(
    View(share, offset, mirror)
    for share, offset in ((1.0, 0.0), (0.8, 0.0), (0.8, 0.5), (0.8, 1.0), (0.65, 0.5))
    for mirror in (False, True)
)
"""Ten views whose probabilities are averaged, as the field tests."""


def view_clips(clips: Clips, rows: Tensor, frames: int, view: View = WHOLE) -> Tensor:
    """Clips as a network takes them, unchanged but for the view: ``[B, 1, N, 3, frames]``."""
    lengths = clips.lengths()[rows]
    kept = (lengths * view.share).clamp_min(1)
    joints = clips.sample(rows, _spread((lengths - kept) * view.offset, kept, frames))
    joints = centre_and_scale(_flatten(clips, joints))
    if view.mirror:
        joints = mirror(joints, clips.layout)
    return fill_missing(joints).unsqueeze(1)


def random_clips(
    clips: Clips, rows: Tensor, frames: int, config: AugmentConfig, generator: Generator
) -> Tensor:
    """Randomly cropped and changed clips as a network takes them: ``[B, 1, N, 3, frames]``."""
    return finish_clips(draw_windows(clips, rows, frames, config, generator), clips.layout, config,
                        generator)


def draw_windows(
    clips: Clips, rows: Tensor, frames: int, config: AugmentConfig, generator: Generator
) -> Tensor:
    """Random time crops at random frame rates, 2-D: ``[B, N, 3, frames]`` with NaN."""
    lengths = clips.lengths()[rows]
    share = config.crop + (1 - config.crop) * torch.rand(len(rows), generator=generator)
    kept = (lengths * share).clamp_min(2)
    start = torch.rand(len(rows), generator=generator) * (lengths - kept).clamp_min(0)
    coarse = torch.randint(2, config.max_frame_step + 1, (len(rows),), generator=generator)
    some = torch.rand(len(rows), generator=generator) < config.low_rate
    step = torch.where(some, coarse, torch.ones_like(coarse))
    joints = clips.sample(rows, _spread(start, kept, frames), step)
    return _flatten(clips, joints, generator)


def draw_instants(clips: Clips, rows: Tensor, frames: int, generator: Generator) -> Tensor:
    """One to six frames of each clip, stretched to a whole clip: ``[B, N, 3, frames]`` with NaN."""
    lengths = clips.lengths()[rows]
    kept = torch.minimum(1 + 5 * torch.rand(len(rows), generator=generator), lengths)
    start = torch.rand(len(rows), generator=generator) * (lengths - kept)
    return _flatten(clips, clips.sample(rows, _spread(start, kept, frames)), generator)


def finish_clips(
    joints: Tensor, layout: Layout, config: AugmentConfig, generator: Generator
) -> Tensor:
    """Augment drawn windows ``[B, N, 3, T]``; gives ``[B, 1, N, 3, T]`` without NaN."""
    return fill_missing(augment(joints, layout, config, generator)).unsqueeze(1)


def shuffled_batches(count: int, size: int, generator: Generator) -> Iterator[Tensor]:
    """Every index below ``count`` once, in random order, in batches of about ``size``.

    All batches have the same size or differ by one, so that batch statistics never rest on the
    handful of clips that would remain at the end.
    """
    order = torch.randperm(count, generator=generator)
    batches = max(1, round(count / size))
    return iter(order.tensor_split(batches))


def _spread(start: Tensor, length: Tensor, frames: int) -> Tensor:
    """``[B, frames]`` positions evenly over ``length`` frames from ``start``."""
    share = torch.linspace(0, 1, frames)
    return start[:, None] + share * (length - 1).clamp_min(0)[:, None]


def _flatten(clips: Clips, joints: Tensor, generator: Generator | None = None) -> Tensor:
    """2-D clips as they are; 3-D ones seen from a random side (as the sensor, without chance)."""
    if clips.dims == 2:
        return joints
    if generator is None:
        yaw, pitch = torch.full((len(joints),), torch.pi), torch.zeros(len(joints))
    else:
        yaw = (torch.rand(len(joints), generator=generator) * 2 - 1) * torch.pi
        pitch = (torch.rand(len(joints), generator=generator) * 2 - 1) * 0.35
    return project(joints, yaw, pitch)

"""The pixels of the windows of a track; windows overlap, so every frame is cut out once a batch."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from skelact.pixel_config import PixelCut
from skelact.pose.recording import Recording
from skelact.rgb.frames import (
    FrameSource,
    choose_frames,
    cut_frames,
    find_candidates,
    find_squares,
)
from skelact.rgb.kept_frames import KeptFrames


def frame_rate(cut: PixelCut, window: float) -> float | None:
    """Frames a second that have to be kept for windows of so many seconds; None for all.

    Two for each one that a window looks at: windows begin anywhere, and frames take room.
    """
    return None if cut.sampling == "consecutive" else 2 * cut.length / window


def cut_window_pixels(
    source: FrameSource, recording: Recording, track_id: int, cut: PixelCut, spans: np.ndarray,
    batch: int = 8,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut out what a model wants to see of each window.

    Args:
        source: The frames of the video.
        recording: Made from it.
        track_id: Whom to look at.
        cut: What to cut out.
        spans: ``[W, 2]`` start and end of each window in seconds of the recording.
        batch: Windows at a time.

    Yields:
        ``[B, V, 3, T, H, W]`` uint8 pixels and ``[B, V]`` bool of which views are there, window
        after window.
    """
    frames, boxes = find_squares(recording, track_id, cut)
    times = recording.timestamps[frames]
    usable = np.arange(len(frames))
    if isinstance(source, KeptFrames):  # the others are gone
        usable = source.find(times)
    for first in range(0, len(spans), batch):
        chosen = [_choose(cut, times, usable, span) for span in spans[first : first + batch]]
        yield _cut_batch(source, cut, times, boxes, chosen)


def _choose(
    cut: PixelCut, times: np.ndarray, usable: np.ndarray, span: np.ndarray
) -> np.ndarray:
    """``[T]`` which frames of the track a window looks at; none where there are none."""
    first, last = np.searchsorted(times[usable], span - 1e-6)
    inside = usable[first:last]
    inside = inside[find_candidates(cut, len(inside))]
    return inside[choose_frames(cut, len(inside))]


def _cut_batch(
    source: FrameSource, cut: PixelCut, times: np.ndarray, boxes: np.ndarray,
    chosen: list[np.ndarray],
) -> tuple[Tensor, Tensor]:
    shape = (len(chosen), cut.views, 3, cut.length, cut.size, cut.size)
    values, present = np.zeros(shape, np.uint8), np.zeros(shape[:2], bool)
    needed = np.unique(np.concatenate(chosen))
    needed = needed[~np.isnan(boxes[..., needed]).any(axis=1).all(axis=0)]
    if len(needed):
        pixels = cut_frames(source, times[needed], boxes[..., needed], cut.size)
        for window, rows in enumerate(chosen):
            there = np.isin(rows, needed)
            place = np.searchsorted(needed, rows[there])
            values[window][:, :, there] = pixels[place].transpose(1, 2, 0, 3, 4)
            present[window] = ~np.isnan(boxes[..., rows]).any(axis=1).all(axis=1)
    return torch.from_numpy(values), torch.from_numpy(present)

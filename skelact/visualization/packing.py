"""A recording as few bytes, for a page that draws it.

Coordinates become 16-bit steps of one 8192nd of the scene, joints of a person planar ``[N, C, F]``
over its own frames F, each row as differences from frame to frame: those are small, so deflate
has little to keep. ``player_page/data.js`` is the other half.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from skelact.pose.recording import PoseTrack, Recording

STEPS = 8192
"""Quantisation steps over the extent of a scene; the error is half a step at most."""

SURENESS = 20
"""Steps of confidence: 0.15 and 0.5, where drawing begins and ends to fade, are whole ones."""

TICK = 1e-4
"""Seconds: what times of frames are rounded to."""

_FARTHEST = 32767
"""Steps from the middle of the scene; a joint farther away counts as missing."""


@dataclass(frozen=True, eq=False)
class PackedRecording:
    """Joints and times of a recording, quantised and compressed.

    Args:
        data: zlib stream: ticks between frames (uint32 little-endian ``[T]``), then for each
            track its coordinates and its sureness, laid out as `pack` says.
        channels: C, 2 or 3 coordinates a joint.
        middle: ``[C]`` coordinates of step 0.
        step: Pixels (2-D) or metres (3-D) a step.
        low: ``[C]`` lower end of where people are, a few outliers left out.
        high: ``[C]`` upper end.
        runs: For each track its frames as (first, how many).
    """

    data: bytes
    channels: int
    middle: tuple[float, ...]
    step: float
    low: tuple[float, ...]
    high: tuple[float, ...]
    runs: tuple[tuple[tuple[int, int], ...], ...]


def pack(recording: Recording, size: tuple[int, int] | None = None, steps: int = STEPS
         ) -> PackedRecording:
    """Quantise and compress a recording.

    A track of F frames takes ``3 N F`` or more bytes before compression: the low bytes of
    ``[N, C, F]`` differences (zigzag: 0, -1, 1, -2, ...), their high bytes, and ``[N, F]``
    sureness: 0 for a missing joint, else 1 + confidence in steps of 1 / `SURENESS`. A missing
    joint repeats the coordinates before it.

    Args:
        recording: A 2-D or 3-D recording, of nobody too.
        size: (width, height) of the image of a 2-D one; by default the recording's own, and if
            that is unknown, the scene is where people are.
        steps: Quantisation steps over the extent of the scene; fewer take fewer bytes.
    """
    channels = recording.dims
    low, high = _extent(recording, size or recording.image_size)
    middle = (low + high) / 2
    step = float(max((high - low).max(), 1e-6)) / steps
    parts = [_ticks(recording).tobytes()]
    for track in recording.tracks:
        parts += _pack_track(track, channels, middle, step)
    packer = zlib.compressobj(9)
    data = b"".join([packer.compress(part) for part in parts] + [packer.flush()])
    runs = tuple(_runs(track.frame_index) for track in recording.tracks)
    return PackedRecording(data, channels, tuple(middle.tolist()), step, tuple(low.tolist()),
                           tuple(high.tolist()), runs)


def _extent(recording: Recording, size) -> tuple[np.ndarray, np.ndarray]:
    """``[C]`` ends of the scene: the image, else where the joints are but for a few outliers."""
    if recording.dims == 2 and size is not None:
        return np.zeros(2), np.array(size, np.float64)
    rows = [track.joints[:, : recording.dims].transpose(1, 0, 2).reshape(recording.dims, -1)
            for track in recording.tracks]
    points = np.concatenate([np.empty((recording.dims, 0)), *rows], axis=1)
    points = points[:, np.isfinite(points).all(axis=0)]
    if recording.dims == 2 and (points != 0).any():
        # (0, 0) is what some estimators give for none
        points = points[:, (points != 0).any(axis=0)]
    if not points.size:
        return np.zeros(recording.dims), np.ones(recording.dims)
    low, high = np.percentile(points, [0.5, 99.5], axis=1)
    margin = 0.05 * max((high - low).max(), 1e-3)
    return low - margin, high + margin


def _ticks(recording: Recording) -> np.ndarray:
    """``[T]`` uint32 ticks from each frame to the next; the first counts from itself."""
    times = recording.timestamps
    ticks = np.round((times - times[:1]) / TICK).astype(np.int64)
    return np.diff(ticks, prepend=ticks[:1]).astype("<u4")


def _pack_track(track: PoseTrack, channels: int, middle: np.ndarray, step: float) -> list[bytes]:
    joints = track.joints[:, :channels]
    with np.errstate(invalid="ignore"):
        steps = np.round((joints - middle[:, None]) / step)
        missing = ~(np.abs(steps) <= _FARTHEST).all(axis=1)
    steps = _hold(np.where(missing[:, None], 0, steps).astype(np.int16), missing)
    moves = np.diff(steps, axis=2, prepend=np.int16(0))  # wraps around, and so does the sum
    zigzag = ((moves << 1) ^ (moves >> 15)).view(np.uint16)
    return [(zigzag & 255).astype(np.uint8).tobytes(), (zigzag >> 8).astype(np.uint8).tobytes(),
            _sureness(track, channels, missing).tobytes()]


def _hold(steps: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """``[N, C, F]`` with each missing joint where it was last seen, so that it costs nothing."""
    frames = np.arange(missing.shape[1])
    last = np.maximum.accumulate(np.where(missing, 0, frames), axis=1)
    return np.take_along_axis(steps, last[:, None], axis=2)


def _sureness(track: PoseTrack, channels: int, missing: np.ndarray) -> np.ndarray:
    """``[N, F]`` uint8; an unknown confidence counts as sure."""
    confidence = track.joints[:, 2] if channels == 2 else track.confidence
    sure = np.ones(missing.shape) if confidence is None else confidence.astype(np.float64)
    sure = np.clip(np.where(np.isnan(sure), 1.0, sure), 0.0, 1.0)
    levels = 1 + np.floor(sure * SURENESS + 1e-6)  # a float32 0.15 is a little off
    return np.where(missing, 0, levels).astype(np.uint8)


def _runs(frame_index: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Stretches of frames without a gap, as (first, how many)."""
    if not len(frame_index):
        return ()
    starts = np.flatnonzero(np.diff(frame_index, prepend=frame_index[0] - 2) != 1)
    counts = np.diff(starts, append=len(frame_index))
    return tuple(zip(frame_index[starts].tolist(), counts.tolist(), strict=True))

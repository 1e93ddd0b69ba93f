"""What was seen in one video or capture: who, where, when.

Axes are ``[N, C, T]``: joints, channels, frames. 2-D recordings hold x, y in pixels (origin top
left, y down) and the confidence in [0, 1]. 3-D recordings hold x, y, z in metres (y up). A
missing joint has no coordinates (NaN); a low confidence is not missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from skelact.checks import check_choice
from skelact.errors import ShapeError, SkelactError
from skelact.graph.layouts import Layout, check_joints, get_layout


@dataclass(frozen=True, eq=False)
class PoseTrack:
    """One person over the frames in which that person was seen.

    Args:
        track_id: Identity within the recording; never reused.
        joints: ``[N, 3, T]`` float32 over the track's own frames.
        frame_index: ``[T]`` int64, strictly rising: which frames of the recording these are.
        boxes: ``[4, T]`` float32 x1, y1, x2, y2 in pixels (2-D), or None.
        confidence: ``[N, T]`` float32 in [0, 1] (3-D sensors that give one), or None.

    Raises:
        ShapeError: Axes do not match, frames do not rise or are no whole numbers, or a value is
            infinite.
    """

    track_id: int
    joints: np.ndarray = field(repr=False)
    frame_index: np.ndarray = field(repr=False)
    boxes: np.ndarray | None = field(default=None, repr=False)
    confidence: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        convert = {"joints": np.float32, "frame_index": np.int64, "boxes": np.float32,
                   "confidence": np.float32}
        for name, dtype in convert.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _convert(value, dtype, name))
        object.__setattr__(self, "track_id", int(self.track_id))
        if self.joints.ndim != 3 or self.joints.shape[1] != 3:
            raise ShapeError(f"expected joints [N, 3, T], got {list(self.joints.shape)}")
        num_joints, _, frames = self.joints.shape
        expected = {"frame_index": (frames,), "boxes": (4, frames),
                    "confidence": (num_joints, frames)}
        for name, shape in expected.items():
            value = getattr(self, name)
            if value is not None and value.shape != shape:
                raise ShapeError(f"expected {name} {list(shape)} beside joints "
                                 f"{list(self.joints.shape)}, got {list(value.shape)}")
        if (np.diff(self.frame_index) <= 0).any() or (self.frame_index < 0).any():
            raise ShapeError(
                f"expected the frames of track {self.track_id} to rise strictly from 0 or later"
            )

    def __len__(self) -> int:
        return len(self.frame_index)

    @property
    def missing(self) -> np.ndarray:
        """``[N, T]`` bool: the joint has no coordinates in this frame."""
        return np.isnan(self.joints[:, :2]).any(axis=1)


@dataclass(frozen=True, eq=False)
class Recording:
    """All people seen in one video or capture.

    Args:
        tracks: The people, one `PoseTrack` each; none is allowed.
        timestamps: ``[T]`` float64 seconds, strictly rising, one a frame of the source.
        layout: The skeleton (a `Layout` or the name of one).
        dims: 2 or 3.
        fps: Nominal frames a second; by default the median of the timestamps.
        image_size: (width, height) in pixels, as displayed; None for 3-D captures.
        source: The file that it came from.
        estimator: What found the joints.
        labels: What is known of the sample: label, subject, camera, setup, clip_id, ...

    Raises:
        LayoutError: A track has another number of joints.
        ShapeError: Timestamps do not rise, a track lies outside them, or fps or image size is
            not positive.
        SkelactError: A track id appears twice.
    """

    tracks: tuple[PoseTrack, ...]
    timestamps: np.ndarray = field(repr=False)
    layout: Layout
    dims: int = 2
    fps: float | None = None
    image_size: tuple[int, int] | None = None
    source: str = ""
    estimator: str = ""
    labels: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        set_ = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        set_("tracks", tuple(self.tracks))
        set_("timestamps", np.asarray(self.timestamps, np.float64))
        set_("layout", get_layout(self.layout))
        check_choice(self.dims, (2, 3), "dims")
        size = self.image_size
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise ShapeError(f"expected image_size (width, height) in pixels, got {size}")
        if self.timestamps.ndim != 1 or not np.isfinite(self.timestamps).all():
            raise ShapeError("expected timestamps [T] in seconds, all finite, "
                             f"got {list(self.timestamps.shape)}")
        if (np.diff(self.timestamps) <= 0).any():
            at = int(np.argmax(np.diff(self.timestamps) <= 0))
            raise ShapeError(f"expected rising timestamps; frame {at + 1} is not later than {at}")
        if self.fps is None:
            set_("fps", median_fps(self.timestamps))
        if not 0 < self.fps < np.inf:
            raise ShapeError(f"expected fps above 0, got {self.fps}")
        ids = [track.track_id for track in self.tracks]
        if len(set(ids)) != len(ids):
            raise SkelactError(f"track ids must differ, got {ids}")
        for track in self.tracks:
            check_joints(track.joints, self.layout, f"joints of track {track.track_id}")
            if len(track) and track.frame_index[-1] >= len(self.timestamps):
                raise ShapeError(
                    f"track {track.track_id} has frame {track.frame_index[-1]}, but the "
                    f"recording only {len(self.timestamps)} frames"
                )

    @property
    def num_frames(self) -> int:
        """T, the number of frames of the source, with or without people."""
        return len(self.timestamps)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end of the last."""
        if not self.num_frames:
            return 0.0
        return float(self.timestamps[-1] - self.timestamps[0] + 1.0 / self.fps)

    def __iter__(self) -> Iterator[PoseTrack]:
        return iter(self.tracks)

    def track_times(self, track: PoseTrack) -> np.ndarray:
        """``[T]`` seconds of a track's own frames."""
        return self.timestamps[track.frame_index]

    def joints(self) -> np.ndarray:
        """Everyone over all frames: ``[M, N, 3, T]`` float32, NaN where a person is absent."""
        shape = (len(self.tracks), self.layout.num_joints, 3, self.num_frames)
        dense = np.full(shape, np.nan, np.float32)
        for person, track in zip(dense, self.tracks, strict=True):
            person[:, :, track.frame_index] = track.joints
        return dense

    def with_tracks(self, tracks) -> "Recording":
        """The same recording with other tracks."""
        return replace(self, tracks=tuple(tracks))


def _convert(value, dtype: type, name: str) -> np.ndarray:
    value = np.asarray(value)
    if value.size and value.dtype.kind not in ("iu" if dtype is np.int64 else "iuf"):
        kind = "whole numbers" if dtype is np.int64 else "numbers"
        raise ShapeError(f"expected {name} as {kind}, got {value.dtype}")
    value = value.astype(dtype, copy=False)
    if np.isinf(value).any():
        raise ShapeError(f"expected finite {name} (NaN where missing), got infinity")
    return value


def median_fps(timestamps: np.ndarray) -> float:
    """Frames a second by the median step; 30 for fewer than two frames."""
    return float(1.0 / np.median(np.diff(timestamps))) if len(timestamps) > 1 else 30.0

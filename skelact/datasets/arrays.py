"""The clips of a data set as flat arrays: what the loader gathers batches from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from skelact.checks import check_choice, check_shape
from skelact.errors import ShapeError, SkelactError
from skelact.graph.layouts import Layout, get_layout
from skelact.pose.recording import Recording
from skelact.transforms.remap import remap_joints


@dataclass(frozen=True, eq=False, repr=False)
class ClipArrays:
    """L clips with R person tracks of S frames in all, one track after another.

    Arrays may be memory-mapped and read-only; nothing here copies or changes them.

    Args:
        layout: The skeleton.
        dims: 2 (channels x, y in pixels, confidence) or 3 (x, y, z in metres).
        joints: ``[S, N, C]`` float32, frames first, because sampling gathers frames; NaN where a
            joint is missing.
        track_offsets: ``[R + 1]`` int64, where each track starts in ``joints``.
        frame_index: ``[S]`` int64, the frame of the clip that each row is; strictly rising within
            a track, with gaps where the person was not seen.
        clip_offsets: ``[L + 1]`` int64, where each clip's tracks start; most important first.
        num_frames: ``[L]`` int64, the length of each clip, with or without people.
        labels: ``[L]`` int64, class of each clip; -1 for none.
        fps: ``[L]`` frames a second.
        image_size: ``[L, 2]`` width and height in pixels, 0 where unknown; None for 3-D.

    Raises:
        ShapeError: The arrays do not fit each other.
        LayoutError: ``layout`` is unknown.
    """

    layout: Layout
    dims: int
    joints: np.ndarray
    track_offsets: np.ndarray
    frame_index: np.ndarray
    clip_offsets: np.ndarray
    num_frames: np.ndarray
    labels: np.ndarray
    fps: np.ndarray
    image_size: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "layout", get_layout(self.layout))
        check_choice(self.dims, (2, 3), "dims")
        frames, clips = len(self.joints), len(self.num_frames)
        check_shape(self.joints, (frames, self.layout.num_joints, "C"), "joints")
        check_shape(self.frame_index, (frames,), "frame_index")
        check_shape(self.track_offsets, ("R + 1",), "track_offsets")
        check_shape(self.clip_offsets, (clips + 1,), "clip_offsets")
        check_shape(self.labels, (clips,), "labels")
        check_shape(self.fps, (clips,), "fps")
        if self.image_size is not None:
            check_shape(self.image_size, (clips, 2), "image_size")
        for name, total in (("track_offsets", frames), ("clip_offsets", self.num_tracks)):
            offsets = getattr(self, name)
            if offsets[0] != 0 or offsets[-1] != total:
                raise ShapeError(f"expected {name} from 0 to {total}, got {offsets[0]} to "
                                 f"{offsets[-1]}")

    def __len__(self) -> int:
        return len(self.num_frames)

    def __repr__(self) -> str:
        return (f"ClipArrays({self.layout.name!r}, {len(self)} clips, {self.num_tracks} tracks, "
                f"{len(self.joints)} frames, {self.dims}-D)")

    @property
    def num_tracks(self) -> int:
        """R, the tracks of all clips together."""
        return len(self.track_offsets) - 1

    @classmethod
    def from_recordings(
        cls, recordings: Iterable[Recording], classes: Sequence[str] | None = None
    ) -> "ClipArrays":
        """Every recording as one clip.

        Args:
            recordings: At least one; all of one layout, all 2-D or all 3-D.
            classes: Names of the classes; by default all labels, sorted. A recording with another
                label, or none, gets -1.

        Raises:
            SkelactError: No recordings, layouts or dimensions mixed.
        """
        recordings = list(recordings)
        kinds = {(r.layout.name, r.dims) for r in recordings}
        if len(kinds) != 1:
            raise SkelactError("expected recordings of one layout and dimension, got "
                               f"{sorted(kinds) or 'none'}; remap(recording, layout) converts")
        names = [r.labels.get("label") for r in recordings]
        classes = sorted({n for n in names if n is not None}) if classes is None else list(classes)
        tracks = [track for r in recordings for track in r.tracks]
        shape = (0, recordings[0].layout.num_joints, 3)
        joints = [np.empty(shape, np.float32), *(t.joints.transpose(2, 0, 1) for t in tracks)]
        return cls(
            layout=recordings[0].layout,
            dims=recordings[0].dims,
            joints=np.concatenate(joints),
            track_offsets=np.cumsum([0] + [len(t) for t in tracks]),
            frame_index=np.concatenate([np.empty(0, np.int64), *(t.frame_index for t in tracks)]),
            clip_offsets=np.cumsum([0] + [len(r.tracks) for r in recordings]),
            num_frames=np.array([r.num_frames for r in recordings], np.int64),
            labels=np.array([classes.index(n) if n in classes else -1 for n in names], np.int64),
            fps=np.array([r.fps for r in recordings]),
            image_size=np.array([r.image_size or (0, 0) for r in recordings], np.int64),
        )


def remap_arrays(arrays: ClipArrays, layout: str | Layout) -> ClipArrays:
    """The same clips in another skeleton (in memory); their own arrays where the joints are theirs.

    Raises:
        LayoutError: The skeleton cannot be converted; see `skelact.transforms.remap`.
    """
    layout = get_layout(layout)
    if layout == arrays.layout:
        return arrays
    if layout.joints == arrays.layout.joints:  # such as that of a checkpoint: nothing to copy
        return replace(arrays, layout=layout)
    joints = remap_joints(arrays.joints.transpose(1, 2, 0), arrays.layout, layout,
                          dims=arrays.dims)
    joints = np.ascontiguousarray(joints.transpose(2, 0, 1))
    return replace(arrays, layout=layout, joints=joints)


def join_arrays(parts: Sequence[ClipArrays]) -> ClipArrays:
    """The clips of several data sets, one after another.

    Args:
        parts: At least one; all of one layout and dimension. Their labels must mean the same.

    Raises:
        SkelactError: Layouts or dimensions mixed.
    """
    kinds = {(part.layout.name, part.dims) for part in parts}
    if len(kinds) != 1:
        raise SkelactError(f"expected clips of one layout and dimension to join, got "
                           f"{sorted(kinds) or 'none'}")

    def join(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    def join_offsets(name: str) -> np.ndarray:
        steps = np.concatenate([np.diff(getattr(part, name)) for part in parts])
        return np.concatenate([[0], np.cumsum(steps)])

    sized = all(part.image_size is not None for part in parts)
    return ClipArrays(
        parts[0].layout, parts[0].dims, join("joints"), join_offsets("track_offsets"),
        join("frame_index"), join_offsets("clip_offsets"), join("num_frames"), join("labels"),
        join("fps"), join("image_size") if sized else None,
    )

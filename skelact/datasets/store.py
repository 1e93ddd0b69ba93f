"""The dataset store: a folder of Arrow tables that are memory-mapped, never loaded.

``tracks.arrow`` has one row a person track, ``clips.arrow`` one a clip, ``annotations.arrow`` one
a labelled part of a clip; ``dataset.json`` says what they are. Each table is one record batch, so
that the joints of all tracks are one array ``[S, N, C]`` in the file and in memory.
"""

import contextlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from skelact.datasets.arrays import ClipArrays
from skelact.datasets.clip_checks import NUMBERS
from skelact.datasets.header import Header, check_sizes, read_header
from skelact.datasets.store_writer import StoreWriter
from skelact.errors import FileFormatError, SkelactError
from skelact.pose.recording import PoseTrack, Recording

__all__ = ["Store", "StoreWriter"]


class Store:
    """A prepared data set. Opening it maps its tables; nothing is read before it is asked for.

    Opening compares the sizes of the files, not their contents, with what was written;
    `skelact.datasets.validation.integrity.check_whole` reads every byte.

    Args:
        folder: The folder that `StoreWriter` or ``skelact data prepare`` wrote.

    Raises:
        FileFormatError: It is no store, damaged, or of a newer format.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.header: Header = read_header(folder)
        check_sizes(folder, self.header)
        self._tracks, self._clips, self._annotations = (
            load_table(self.folder / f"{name}.arrow")
            for name in ("tracks", "clips", "annotations"))
        with self._reading("the store"):
            self.arrays: ClipArrays = _clip_arrays(self.header, self._tracks, self._clips)

    def __len__(self) -> int:
        return len(self.arrays)

    def __reduce__(self):
        return Store, (self.folder,)  # a process that gets a copy maps the files itself

    def joints(self, index: int) -> np.ndarray:
        """``[S, N, C]`` view of all tracks of a clip, one after another; nothing is copied."""
        offsets, tracks = self.arrays.clip_offsets, self.arrays.track_offsets
        return self.arrays.joints[tracks[offsets[index]] : tracks[offsets[index + 1]]]

    def recording(self, index: int) -> Recording:
        """A clip as it was added, with ``labels``.

        Raises:
            IndexError: There is no such clip.
            FileFormatError: The clip is damaged.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"expected a clip out of 0..{len(self) - 1}, got {index}")
        with self._reading(f"clip {index % len(self)}"):
            return self._recording(index % len(self))

    def columns(self) -> dict:
        """The facts that splits are made of, one entry a clip.

        Returns:
            ``clip_id`` and ``label`` (index, -1 for none), ``subject``, ``camera``, ``setup``
            (-1 for unknown) and ``source`` as arrays ``[L]``; ``splits`` as a list of tuples of
            names.
        """
        with self._reading("clips.arrow"):
            numbers = {name: _numbers(self._clips, name) for name in ("label", *NUMBERS)}
            texts = {name: np.array(_checked(self._clips.column(name)).to_pylist(), object)
                     for name in ("clip_id", "source")}
            splits = _checked(self._clips.column("splits")).to_pylist()
        return numbers | texts | {"splits": [tuple(names) for names in splits]}

    def annotations(self, index: int) -> list[dict]:
        """The labelled parts of a clip, as `skelact.datasets.readers.base` describes them."""
        with self._reading("annotations.arrow"):
            clips = _numbers(self._annotations, "clip")
            first, last = np.searchsorted(clips, [index, index + 1])
            rows = _checked(self._annotations.slice(first, last - first)).to_pylist()
        return [{key: tuple(value) if key == "box" else value
                 for key, value in row.items() if value is not None and key != "clip"}
                for row in rows]

    def annotated(self) -> np.ndarray:
        """``[L]`` bool: the clip has annotations."""
        with self._reading("annotations.arrow"):
            return np.isin(np.arange(len(self)), _numbers(self._annotations, "clip"))

    def annotation_labels(self) -> np.ndarray:
        """``[A]`` int64 class of each annotation."""
        with self._reading("annotations.arrow"):
            return _numbers(self._annotations, "label")

    def mean_fps(self) -> np.ndarray:
        """``[L]`` frames a second by the timestamps, where they are not simply those of ``fps``."""
        fps = self.arrays.fps.copy()
        with self._reading("clips.arrow"):
            column = self._clips.column("timestamps")
            ends, times = column.offsets.to_numpy(), column.values.to_numpy()
            rows = np.flatnonzero(np.diff(ends) > 1)
            first, last = ends[rows], ends[rows + 1] - 1
            fps[rows] = (last - first) / (times[last] - times[first])
        return fps

    def video_starts(self) -> np.ndarray:
        """``[L]`` float64 second of its video, its source, at which each clip begins.

        NaN where the clip is not of a video, or the store is older than that it was kept.
        """
        with self._reading("clips.arrow"):
            if "video_start" not in self._clips.schema.names:
                return np.full(len(self), np.nan)
            starts = _numbers(self._clips, "video_start")
            return np.where(self._clips.column("video_start").is_valid(), starts, np.nan)

    @contextlib.contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Say what is damaged, whatever a damaged table provokes."""
        try:
            yield
        except (pa.ArrowException, SkelactError, ValueError, TypeError, IndexError, KeyError,
                AttributeError, OverflowError, MemoryError) as error:
            raise FileFormatError(f"{what} of {self.folder} is damaged: {error}; "
                                  f"`skelact data validate {self.folder}` names the file"
                                  ) from error

    def _recording(self, index: int) -> Recording:
        row = _checked(self._clips.slice(index, 1)).drop_columns("tracks").to_pylist()[0]
        first, last = self.arrays.clip_offsets[index : index + 2]
        spans = pairwise(self.arrays.track_offsets[first : last + 1])
        tracks = [self._track(track, slice(*span))
                  for track, span in zip(range(first, last), spans, strict=True)]
        fps, times = row["fps"], row["timestamps"]
        if times is None:
            times = np.arange(row["num_frames"]) / fps
        labels = {key: row[key] for key in ("clip_id", "label", *NUMBERS) if row[key] is not None}
        optional = {"splits": row["splits"], "annotations": self.annotations(index),
                    "fps_assumed": bool(row["fps_assumed"])}
        if row.get("video_start") is not None:  # not in stores of earlier versions
            labels["video_start"] = row["video_start"]
        return Recording(
            tuple(tracks), np.asarray(times, np.float64), self.header.layout, self.header.dims,
            fps=fps, image_size=tuple(row["image_size"]) if any(row["image_size"]) else None,
            source=row["source"], estimator=row["estimator"],
            labels=labels | {key: value for key, value in optional.items() if value},
        )

    def _track(self, track: int, span: slice) -> PoseTrack:
        extras = {}
        for name in ("boxes", "confidence"):
            column = self._tracks.column(name).slice(track, 1)
            if column.null_count == 0:
                rows = _checked(column).flatten()  # one a frame
                extras[name] = rows.flatten().to_numpy().reshape(-1, rows.type.list_size).T
        return PoseTrack(
            _numbers(self._tracks, "track_id")[track],
            self.arrays.joints[span].transpose(1, 2, 0),
            self.arrays.frame_index[span],
            **extras,
        )


def load_table(path: Path) -> pa.RecordBatch:
    """The one record batch of a table, memory-mapped.

    Raises:
        FileFormatError: The file is missing or damaged.
    """
    if not path.is_file():
        raise FileFormatError(f"{path} is missing; prepare the data set again")
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        if reader.num_record_batches != 1:
            raise FileFormatError(f"{path}: expected one record batch, got "
                                  f"{reader.num_record_batches}")
        batch = reader.get_batch(0)
        batch.validate()
        return batch
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise FileFormatError(f"{path} is damaged: {error}; prepare the data set again") from error


def _clip_arrays(header: Header, tracks: pa.RecordBatch, clips: pa.RecordBatch) -> ClipArrays:
    """The tables as plain arrays that share their memory with the files."""
    joints = tracks.column("joints")
    width = header.layout.num_joints * 3
    if joints.values.type.list_size != width:
        raise ValueError(f"expected {width} numbers a frame for layout {header.layout.name!r}, got "
                         f"{joints.values.type.list_size}")
    size = clips.column("image_size").values.to_numpy()
    return ClipArrays(
        layout=header.layout,
        dims=header.dims,
        joints=joints.values.values.to_numpy().reshape(-1, header.layout.num_joints, 3),
        track_offsets=joints.offsets.to_numpy(),
        frame_index=tracks.column("frame_index").values.to_numpy(),
        clip_offsets=clips.column("tracks").offsets.to_numpy(),
        num_frames=_numbers(clips, "num_frames"),
        labels=_numbers(clips, "label"),
        fps=_numbers(clips, "fps"),
        image_size=None if header.dims == 3 else size.reshape(-1, 2),
    )


def _numbers(table: pa.RecordBatch, name: str) -> np.ndarray:
    """The raw values of a column ``[rows]``: -1 where it is null."""
    column = table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.indices
    data = column.buffers()[1]
    dtype = np.float64 if pa.types.is_floating(column.type) else np.int64
    return np.frombuffer(data, dtype, count=len(column)) if data else np.empty(0, dtype)


def _checked(part):
    """A part of a table, once its insides are known to be sound (or Arrow may read anywhere)."""
    part.validate(full=True)
    return part

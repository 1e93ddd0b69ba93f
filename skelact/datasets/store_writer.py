"""Writing a dataset store, one recording after the other, in a fixed amount of memory."""

import re
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from skelact.datasets.clip_checks import NUMBERS, check_clip
from skelact.datasets.columns import (
    ChoiceColumn,
    ChoiceListColumn,
    Column,
    ListColumn,
    NumberColumn,
    TextColumn,
    write_table,
)
from skelact.datasets.folders import check_folder, replace_folder
from skelact.datasets.header import HEADER, Header, file_facts
from skelact.errors import SkelactError
from skelact.graph.layouts import Layout
from skelact.output import write_text
from skelact.pose.recording import PoseTrack, Recording


class StoreWriter:
    """Collects recordings and puts the store in place, whole, when it is finished.

    ::

        with StoreWriter("store") as writer:
            for recording in recordings:
                writer.add(recording)
            writer.finish(name="my_data")

    Args:
        folder: The store to write.
        overwrite: Replace a store that is there.

    Raises:
        OutputExistsError: ``folder`` exists and ``overwrite`` is false.
    """

    def __init__(self, folder: str | Path, overwrite: bool = False):
        self.folder, self._overwrite = check_folder(folder, overwrite), overwrite
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._scratch = self.folder.with_name(f".{self.folder.name}.{secrets.token_hex(4)}.part")
        self._tables: dict[str, dict[str, Column]] | None = None
        self._labels: dict[str, int] = {}
        self._splits: Counter[str] = Counter()
        self._counts = Counter(clips=0, tracks=0, frames=0, annotations=0)
        self._ids: set[str] = set()
        self._fps_assumed = self._finished = False

    def __enter__(self) -> "StoreWriter":
        (self._scratch / "columns").mkdir(parents=True)
        return self

    def __exit__(self, kind, error, trace) -> None:
        for columns in (self._tables or {}).values():
            for column in columns.values():
                for spool in column.spools:
                    spool.close()
        shutil.rmtree(self._scratch, ignore_errors=True)
        if kind is None and not self._finished:
            raise SkelactError(f"{self.folder} was not written: call finish() after the last add()")

    def __len__(self) -> int:
        return self._counts["clips"]

    def cancel(self) -> None:
        """Write nothing."""
        self._finished = True

    def add(self, recording: Recording) -> None:
        """Add a clip, whole or not at all; labels as in `skelact.datasets.readers.base`.

        Raises:
            SkelactError: Another layout or dimension than the first recording's, a clip id for
                the second time, or what a store cannot hold; the clips before and after stay good.
        """
        clip_id = str(recording.labels.get("clip_id", f"clip_{len(self):06}"))
        check_clip(recording, clip_id)
        if clip_id in self._ids:
            raise SkelactError(f"clip {clip_id} stands twice in the data; clip ids must differ")
        if self._tables is None:
            self._begin(recording.layout, recording.dims)
        if (recording.layout, recording.dims) != (self._layout, self._dims):
            raise SkelactError(
                f"clip {clip_id} has {recording.dims}-D joints of layout "
                f"{recording.layout.name!r}, the clips before {self._dims}-D ones of "
                f"{self._layout.name!r}; prepare them apart, or remap(recording, "
                f"{self._layout.name!r})")
        self._ids.add(clip_id)
        self._add_clip(recording, clip_id)
        for track in recording.tracks:
            self._add_track(track)
        for annotation in recording.labels.get("annotations", ()):
            self._add_annotation(annotation)
        self._counts["clips"] += 1

    def finish(
        self,
        name: str = "custom",
        classes: Sequence[str] | None = None,
        format: str = "",
        profile: str | None = None,
        reports: Iterable[Path] = (),
    ) -> Header:
        """Write the tables and move the store into place.

        Args:
            name: Name of the data set.
            classes: Official order of the classes; by default (and for labels beyond it) sorted,
                numbers by value.
            format: What the store was made from.
            profile: How raw skeletons were cleaned.
            reports: Further files to copy into the store.

        Raises:
            SkelactError: Nothing was added.
        """
        if self._tables is None:
            raise SkelactError(f"no clips to write to {self.folder}")
        classes = list(classes or ())
        classes += sorted(set(self._labels) - set(classes), key=_by_number)
        for table, columns in self._tables.items():
            self._write_table(table, columns, classes)
        shutil.rmtree(self._scratch / "columns")
        for report in reports:
            shutil.copyfile(report, self._scratch / report.name)
        files = {file.name: file_facts(file) for file in sorted(self._scratch.iterdir())}
        header = Header(
            name=name, layout=self._layout, dims=self._dims, classes=tuple(classes),
            counts=dict(self._counts), splits=dict(sorted(self._splits.items())), format=format,
            profile=profile, fps_assumed=self._fps_assumed, files=files,
        )
        write_text(self._scratch / HEADER, header.to_text())
        replace_folder(self._scratch, self.folder, self._overwrite)
        self._finished = True
        return header

    def _begin(self, layout: Layout, dims: int) -> None:
        self._layout, self._dims = layout, dims
        folder, width, whole, real = self._scratch / "columns", layout.num_joints, np.int64, float
        self._tables = {
            "tracks": {
                "track_id": NumberColumn(folder / "track_id", whole),
                "joints": ListColumn(folder / "joints", np.float32, width * 3),
                "frame_index": ListColumn(folder / "frame_index", whole),
                "boxes": ListColumn(folder / "boxes", np.float32, 4),
                "confidence": ListColumn(folder / "confidence", np.float32, width),
            },
            "clips": {
                "clip_id": TextColumn(folder / "clip_id"),
                "label": ChoiceColumn(folder / "label", self._labels),
                **{key: NumberColumn(folder / key, whole, -1) for key in NUMBERS},
                "splits": ChoiceListColumn(folder / "splits"),
                "fps": NumberColumn(folder / "fps", real),
                "fps_assumed": NumberColumn(folder / "fps_assumed", np.uint8),
                "num_frames": NumberColumn(folder / "num_frames", whole),
                "image_size": NumberColumn(folder / "image_size", whole, width=2),
                "timestamps": ListColumn(folder / "timestamps", real),
                "tracks": ListColumn(folder / "tracks", whole),
                "source": TextColumn(folder / "source"),
                "video_start": NumberColumn(folder / "video_start", real, -1),
                "estimator": ChoiceColumn(folder / "estimator", {}),
            },
            "annotations": {
                "clip": NumberColumn(folder / "clip", whole),
                "label": ChoiceColumn(folder / "part", self._labels),
                "start": NumberColumn(folder / "start", real),
                "end": NumberColumn(folder / "end", real),
                "box": NumberColumn(folder / "box", real, -1, width=4),
                "track_id": NumberColumn(folder / "of_track", whole, -1),
            },
        }

    def _add_clip(self, recording: Recording, clip_id: str) -> None:
        labels, columns = recording.labels, self._tables["clips"]
        fps, frames = recording.fps, recording.num_frames
        steady = np.array_equal(recording.timestamps, np.arange(frames) / fps)
        first = self._counts["tracks"]
        values = {
            "clip_id": clip_id,
            "splits": labels.get("splits", ()),
            "fps": fps,
            "fps_assumed": bool(labels.get("fps_assumed", False)),
            "num_frames": frames,
            "image_size": recording.image_size or (0, 0),
            "timestamps": None if steady else recording.timestamps,
            "tracks": np.arange(first, first + len(recording.tracks)),
            "source": recording.source,
            "estimator": recording.estimator,
        }
        for name, column in columns.items():
            column.append(values[name] if name in values else labels.get(name))
        self._splits.update(values["splits"])
        self._fps_assumed |= values["fps_assumed"]

    def _add_track(self, track: PoseTrack) -> None:
        columns = self._tables["tracks"]
        columns["track_id"].append(track.track_id)
        columns["joints"].append(track.joints.transpose(2, 0, 1))
        columns["frame_index"].append(track.frame_index)
        for name in ("boxes", "confidence"):
            value = getattr(track, name)
            columns[name].append(None if value is None else value.T)
        self._counts["tracks"] += 1
        self._counts["frames"] += len(track)

    def _add_annotation(self, annotation: Mapping) -> None:
        columns = self._tables["annotations"]
        for name, column in columns.items():
            column.append(self._counts["clips"] if name == "clip" else annotation.get(name))
        self._counts["annotations"] += 1

    def _write_table(self, table: str, columns: Mapping[str, Column], classes: list[str]) -> None:
        arrays = {name: column.finish(classes) if name == "label" else column.finish()
                  for name, column in columns.items()}
        spools = [spool for column in columns.values() for spool in column.spools]
        write_table(self._scratch / f"{table}.arrow", arrays, spools)


def _by_number(name: str) -> list:
    """Sorting key in which ``class_10`` comes after ``class_9``."""
    return [(part.isdecimal(), int(part) if part.isdecimal() else part)
            for part in re.split(r"(\d+)", name)]

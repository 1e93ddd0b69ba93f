"""A store with corrections applied: labels, clips left out, clips and labelled parts cut."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from skelact.datasets.correction_file import Correction, Corrections, read_corrections
from skelact.datasets.folders import check_folder
from skelact.datasets.header import HEADER
from skelact.datasets.store import Store, StoreWriter
from skelact.datasets.validation.integrity import check_whole
from skelact.datasets.video_clips import keep_frames
from skelact.errors import SkelactError
from skelact.output import write_json
from skelact.pose.recording import Recording

__all__ = ["Applied", "Correction", "Corrections", "apply_corrections", "read_corrections"]

_TABLES = {f"{name}.arrow" for name in ("tracks", "clips", "annotations")}
_SHOWN = 5


@dataclass
class Applied:
    """What was done.

    Args:
        store: The new store.
        clips: How many it holds.
        before: How many clips the old one holds.
        relabelled: How many clips and parts went from one class to another.
        dropped: Clips left out.
        dropped_parts: Labelled parts left out of clips that stay.
        trimmed: Clips and parts that were cut.
        noted: Notes.
        file: In the new store, what keeps the corrections.
        new_classes: Classes that came in.
        emptied: Classes that no clip or part shows any more.
    """

    store: Path
    clips: int = 0
    before: int = 0
    relabelled: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    dropped: int = 0
    dropped_parts: int = 0
    trimmed: int = 0
    noted: int = 0
    file: str = ""
    new_classes: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()

    def __str__(self) -> str:
        moves = [f"{old or 'no label'} -> {new} {count}"
                 for (old, new), count in self.relabelled.most_common()]
        shown = ", ".join(moves[:_SHOWN]) + (f", {len(moves) - _SHOWN} more"
                                             if len(moves) > _SHOWN else "")
        left = f"{self.clips} of {self.before} clips"
        lines = [
            (self.relabelled.total(), "relabelled", shown),
            (self.dropped, "dropped", left + " are left"),
            (self.dropped_parts, "dropped", "labelled parts of untrimmed clips"),
            (self.trimmed, "trimmed", ""),
            (self.noted, "noted", f"{self.file} in the new store keeps the notes"),
            (len(self.new_classes), "new classes", ", ".join(self.new_classes)),
            (len(self.emptied), "empty classes", ", ".join(self.emptied)),
        ]
        text = [f"{what:<13} {count}" + (f": {more}" if more else "")
                for count, what, more in lines if count]
        return "\n".join([*(text or ["nothing to correct"]), f"-> {self.store}"])


def apply_corrections(
    store: str | Path,
    corrections: Corrections | str | Path,
    output: str | Path,
    overwrite: bool = False,
    progress: bool = False,
) -> Applied:
    """Write a store anew with its corrections; the store itself stays as it is.

    Clips without a correction keep every bit, classes their numbers; new classes come after the
    others. Official lists, subjects and cameras stay with their clips. The corrections lie in the
    new store as ``corrections.json``.

    Args:
        store: The store that was reviewed.
        corrections: What `read_corrections` gives, or its file.
        output: The store to write.
        overwrite: Replace a store that is there.
        progress: Show a progress bar.

    Raises:
        FileFormatError: The store or the file is damaged.
        OutputExistsError: ``output`` exists and ``overwrite`` is false.
        SkelactError: The corrections are of another store, or name a clip, a part, a class or
            frames that it does not have, or leave nothing of it.
    """
    if not isinstance(corrections, Corrections):
        corrections = read_corrections(corrections)
    output = check_folder(output, overwrite)
    _check_apart(Path(store).resolve(), output.resolve())
    check_whole(store)
    source = Store(store)
    _check_fingerprint(source, corrections)
    by_row = _find_rows(source, corrections)
    done = Applied(output, before=len(source), new_classes=_used_new(source, corrections))
    with StoreWriter(output, overwrite) as writer, tempfile.TemporaryDirectory() as folder:
        reports = _reports(source, corrections, Path(folder))
        done.file = reports[-1].name
        for recording in _corrected(source, by_row, done, progress):
            writer.add(recording)
        if not len(writer):
            raise SkelactError("these corrections drop every clip; nothing would be left")
        header = source.header
        writer.finish(header.name, [*header.classes, *done.new_classes], header.format,
                      header.profile, reports)
        done.clips = len(writer)
    done.emptied = _emptied(source, Store(output))
    return done


def _check_apart(store: Path, output: Path) -> None:
    if store == output or store in output.parents or output in store.parents:
        raise SkelactError(f"expected an output beside the store, got {output} for {store}; the "
                           "store that was reviewed stays as it is")


def _check_fingerprint(store: Store, corrections: Corrections) -> None:
    if corrections.fingerprint != store.header.fingerprint:
        name = f" {corrections.name}" if corrections.name else ""
        raise SkelactError(
            f"these corrections are of another store{name} (fingerprint "
            f"{corrections.fingerprint[:12]}) than {store.folder} (name {store.header.name}, "
            f"fingerprint {store.header.fingerprint[:12]}); name the store that was reviewed, or "
            "review this one")


def _used_new(store: Store, corrections: Corrections) -> tuple[str, ...]:
    """New classes that clips go to; those that nobody announced, or mistyped, are refused."""
    alike = {_plain(name): name for name in store.header.classes}
    known = set(store.header.classes)
    gone = {c.clip for c in corrections.clips if c.drop and c.part is None}
    used = {c.label[1]: c for c in corrections.clips
            if c.label and not c.drop and c.clip not in gone and c.label[1] not in known}
    for name, correction in used.items():
        if name not in corrections.new_classes:
            raise SkelactError(f"{correction}: expected a class of the store or one of "
                               f'"new_classes", got {name!r}')
        if (other := alike.setdefault(_plain(name), name)) != name:
            raise SkelactError(f"{correction}: expected a new class that differs from the others "
                               f"in more than case and spaces, got {name!r} beside {other!r}")
    return tuple(name for name in dict.fromkeys(corrections.new_classes) if name in used)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _find_rows(store: Store, corrections: Corrections) -> dict[int, list[Correction]]:
    """Row -> its corrections, each checked against what the store says of the clip."""
    columns = store.columns()
    rows = {str(clip): row for row, clip in enumerate(columns["clip_id"])}
    strangers = [c.clip for c in corrections.clips if c.clip not in rows]
    if strangers:
        more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
        raise SkelactError(f"the store {store.folder} has no clip {strangers[0]}{more}, which the "
                           "corrections name")
    annotated, by_row = store.annotated(), {}
    for correction in corrections.clips:
        row = rows[correction.clip]
        by_row.setdefault(row, []).append(correction)
        if correction.part is not None:
            parts = store.annotations(row)
            if not 0 <= correction.part < len(parts):
                raise SkelactError(f"{correction}: the clip has {len(parts)} labelled parts, "
                                   "counted from 0")
            _check_label(correction, parts[correction.part]["label"])
            continue
        label = store.arrays.labels[row]
        if annotated[row] and (correction.trim or (correction.label and label < 0)):
            raise SkelactError(f"{correction} has its labels in parts; correct the parts, or drop "
                               "the clip")
        _check_label(correction, store.header.classes[label] if label >= 0 else None)
    for row, those in by_row.items():
        for correction in those:
            _check_trim(correction, int(store.arrays.num_frames[row]))
    return by_row


def _check_label(correction: Correction, found: str | None) -> None:
    if correction.label and correction.label[0] != found:
        raise SkelactError(f"{correction}: the corrections take its class for "
                           f"{correction.label[0]!r}, the store says {found!r}")


def _check_trim(correction: Correction, frames: int) -> None:
    if correction.trim and correction.trim[1] >= frames:
        raise SkelactError(f"{correction}: expected a trim within its frames 0 to {frames - 1}, "
                           f"got {correction.trim[0]} to {correction.trim[1]}")


def _corrected(
    store: Store, by_row: Mapping[int, list[Correction]], done: Applied, progress: bool
) -> Iterator[Recording]:
    from tqdm import tqdm

    for row in tqdm(range(len(store)), unit="clip", desc=done.store.name,
                    disable=None if progress else True):
        corrections = by_row.get(row, ())
        done.noted += sum(bool(correction.note) for correction in corrections)
        if any(correction.drop and correction.part is None for correction in corrections):
            done.dropped += 1
            continue
        recording = store.recording(row)
        for correction in corrections:
            if correction.part is None:
                recording = _correct_clip(recording, correction, done)
        parts = {c.part: c for c in corrections if c.part is not None}
        yield _correct_parts(recording, parts, done) if parts else recording


def _correct_clip(recording: Recording, correction: Correction, done: Applied) -> Recording:
    first, last = correction.trim or (0, recording.num_frames - 1)
    if last - first + 1 < recording.num_frames:
        recording = keep_frames(recording, first, last + 1)
        done.trimmed += 1
        if not any(map(len, recording.tracks)):
            raise SkelactError(f"{correction}: nobody is in the frames {first} to {last} that "
                               "its trim leaves; drop the clip")
    labels = dict(recording.labels)
    if correction.label and correction.label[1] != labels.get("label"):
        labels["label"] = correction.label[1]
        done.relabelled[correction.label] += 1
    return replace(recording, labels=labels)


def _correct_parts(
    recording: Recording, parts: Mapping[int, Correction], done: Applied
) -> Recording:
    annotations = []
    for number, annotation in enumerate(recording.labels["annotations"]):
        correction = parts.get(number, Correction(""))
        if correction.drop:
            done.dropped_parts += 1
            continue
        annotation = dict(annotation)
        if correction.label and correction.label[1] != annotation["label"]:
            annotation["label"] = correction.label[1]
            done.relabelled[correction.label] += 1
        if correction.trim:
            annotation["start"], annotation["end"] = _span(recording, *correction.trim)
            done.trimmed += 1
        annotations.append(annotation)
    return replace(recording, labels=recording.labels | {"annotations": annotations})


def _span(recording: Recording, first: int, last: int) -> tuple[float, float]:
    """Seconds of the first frame, and of the end of the last."""
    times = recording.timestamps
    end = times[last + 1] if last + 1 < len(times) else times[last] + 1 / recording.fps
    return float(times[first]), float(end)


def _reports(store: Store, corrections: Corrections, folder: Path) -> list[Path]:
    """The lists that lie in the store, and the corrections."""
    reports = [store.folder / name for name in store.header.files
               if name not in _TABLES and name != HEADER]
    taken, number = {report.name for report in reports}, 1
    while (name := f"corrections{f'_{number}' if number > 1 else ''}.json") in taken:
        number += 1
    return [*reports, write_json(folder / name, corrections.to_dict())]


def _emptied(before: Store, after: Store) -> tuple[str, ...]:
    shown = [np.concatenate([store.arrays.labels, store.annotation_labels()])
             for store in (before, after)]
    return tuple(name for i, name in enumerate(before.header.classes)
                 if (shown[0] == i).any() and not (shown[1] == i).any())

"""What there is to look at in a store: its clips, and the labelled parts of untrimmed ones."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from skelact.datasets.labelled_parts import find_people, part_times
from skelact.datasets.splits import select_rows
from skelact.datasets.store import Store
from skelact.datasets.video_clips import keep_frames
from skelact.errors import SkelactError
from skelact.pose.recording import Recording

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Sample:
    """A clip, or a labelled part of a clip that has no label of its own.

    Args:
        row: The clip.
        part: Which of its annotations; None for the whole clip.
        label: Class index; -1 for none.
    """

    row: int
    part: int | None
    label: int


@dataclass(frozen=True, eq=False)
class OpenSample:
    """The frames of a sample, with what lies around it.

    Args:
        recording: What is shown; its frame 0 is frame ``offset`` of the clip.
        offset: See above.
        first: First frame of the sample, counted in the clip.
        last: Its last frame.
        begin: Seconds from the start of the clip to frame ``offset``.
    """

    recording: Recording
    offset: int
    first: int
    last: int
    begin: float = 0.0


def list_samples(store: Store, rows: np.ndarray) -> list[Sample]:
    """The samples of some clips, in their order.

    Args:
        store: The data set.
        rows: ``[K]`` clips.
    """
    labels, annotated = store.arrays.labels, store.annotated()
    where = {name: i for i, name in enumerate(store.header.classes)}
    samples = []
    for row in map(int, rows):
        if labels[row] >= 0 or not annotated[row]:
            samples.append(Sample(row, None, int(labels[row])))
            continue
        samples += [Sample(row, part, where[annotation["label"]])
                    for part, annotation in enumerate(store.annotations(row))]
    return samples


def open_sample(store: Store, sample: Sample, context: float = 0.0) -> OpenSample:
    """Read a sample; of a part, those people of whom it speaks.

    Args:
        store: The data set.
        sample: One of `list_samples`.
        context: Seconds to show before and after a part.
    """
    recording = store.recording(sample.row)
    if sample.part is None or not recording.num_frames:
        return OpenSample(recording, 0, 0, max(0, recording.num_frames - 1))
    annotation = recording.labels["annotations"][sample.part]
    recording = find_people(recording, annotation)
    first, last = part_frames(recording, annotation)
    around = round(context * recording.fps)
    begin, end = max(0, first - around), min(recording.num_frames, last + 1 + around)
    times = recording.timestamps
    return OpenSample(keep_frames(recording, begin, end), begin, first, last,
                      float(times[begin] - times[0]))


def part_frames(recording: Recording, annotation: dict) -> tuple[int, int]:
    """First and last frame of a labelled part; of one behind the end, the last there is."""
    times = recording.timestamps
    first, after = np.searchsorted(times, part_times(recording, annotation))
    first = min(int(first), len(times) - 1)
    return first, max(first, int(after) - 1)


def spread_samples(
    samples: Sequence[Sample], first: Collection[int] = (), count: int | None = None
) -> list[Sample]:
    """Samples class by class in rounds, so that the beginning of the list shows all of them.

    Args:
        samples: Of any classes.
        first: Clips that come before the others of their class.
        count: The most of a class; None for all.

    Returns:
        The first round holds one sample of every class, and so on. However many rounds are taken,
        those of a class are spread evenly over its samples.
    """
    if not samples:
        return []
    labels = np.array([sample.label for sample in samples])
    late = np.array([sample.row not in first for sample in samples])
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels + 1)
    place = np.empty(len(samples))
    place[order] = np.arange(len(samples)) - np.repeat(np.cumsum(counts) - counts, counts)
    spread = (place * _GOLDEN) % 1  # any run of multiples of the golden ratio is spread evenly
    order = np.lexsort((spread, late, labels))
    rank = np.empty(len(samples), np.int64)
    rank[order] = np.arange(len(samples)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = np.flatnonzero(rank < count) if count is not None else np.arange(len(samples))
    return [samples[i] for i in kept[np.lexsort((labels[kept], rank[kept]))]]


def name_parts(store: Store, columns: dict) -> list[str]:
    """What each clip is for by the first protocol of the data set: ``train``, ``val``, ``test``.

    Args:
        store: The data set.
        columns: What `Store.columns` gives.

    Returns:
        One entry a clip; empty for clips that stand in no part.
    """
    names = [""] * len(store)
    for part in ("train", "val", "test"):
        try:
            rows = select_rows(columns, part, dataset=store.header.name)
        except SkelactError:
            continue  # the clips do not say what the protocol needs, or nobody is in the part
        for row in rows:
            names[row] = part
    return names

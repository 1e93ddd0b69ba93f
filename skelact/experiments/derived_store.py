"""The training clips of a task as a store of their own, which `skelact train` takes as it is."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from skelact.datasets.arrays import ClipArrays
from skelact.datasets.store import Store, StoreWriter
from skelact.errors import ChoiceError, SkelactError
from skelact.evaluation.clip_rows import select_clips
from skelact.experiments.domains import Domain, Task
from skelact.pose.recording import PoseTrack, Recording
from skelact.transforms.projection import project_arrays

YAWS = (-60, -30, 0, 30, 60)
"""Degrees from which 3-D clips are looked at where 2-D ones are trained on beside them."""
SHARED = "-shared"
"""What the name of such a store ends in."""
_FACTS = ("subject", "camera", "setup", "repetition")


def derive_store(task: Task, folder: str | Path, protocol: str = "", validate: bool = False
                 ) -> Store:
    """Write the clips of the sources that show shared classes; one that is there is opened.

    It is called ``<sources>-shared``, so that no protocol of a source is meant any more. Its
    classes are the shared ones, its parts those of the sources' own protocol, on the lists
    ``train``, ``val`` and ``test``. Where 2-D and 3-D sources meet, the 3-D ones are seen by a
    pinhole camera: training clips from several sides, the others from the front.

    Args:
        task: What to learn.
        folder: The store to write.
        protocol: Which protocol divides the sources; by default the first of each.
        validate: Whether to hold a val part back from train.

    Raises:
        SkelactError: A source does not have the protocol, or no labelled clips in a part.
        ChoiceError: The protocol is ``all``, which leaves nobody to test in the domain.
    """
    folder = Path(folder)
    if (folder / "dataset.json").is_file():
        return Store(folder)
    flat = len({domain.arrays.dims for domain in task.sources}) > 1
    parts = divide_sources(task, protocol, validate)
    with StoreWriter(folder) as writer:
        for domain in task.sources:
            clips = _recordings(domain, task, parts[domain.name], flat)
            for recording in tqdm(clips, desc=f"clips of {domain.name}", leave=False,
                                  disable=None):
                writer.add(recording)
        writer.finish(task.source_name + SHARED, task.classes,
                      format="skelact cross-domain")
    return Store(folder)


def divide_sources(
    task: Task, protocol: str = "", validate: bool = False
) -> dict[str, dict[str, np.ndarray]]:
    """Name of a source -> part -> rows that show a shared class; the arguments of `derive_store`.

    Raises:
        SkelactError, ChoiceError: See `derive_store`.
    """
    if protocol == "all":
        raise ChoiceError("training on all clips leaves none for the in-domain figure; pass "
                          "--protocol drawn, which trains on four fifths of the subjects")
    return {domain.name: _divide(domain, task.labels[domain.name], protocol, validate)
            for domain in task.sources}


def store_arrays(
    arrays: ClipArrays, rows: Sequence[int], labels: Sequence[dict]
) -> Iterator[Recording]:
    """Clips as the recordings that a store is made of.

    Args:
        arrays: The clips.
        rows: ``[K]`` which of them.
        labels: What is known of each of the K; see `skelact.datasets.readers.base`.
    """
    for row, known in zip(rows, labels, strict=True):
        first, last = arrays.clip_offsets[row : row + 2]
        spans = [slice(*arrays.track_offsets[track : track + 2]) for track in range(first, last)]
        tracks = [PoseTrack(i, arrays.joints[span].transpose(1, 2, 0), arrays.frame_index[span])
                  for i, span in enumerate(spans)]
        size = None if arrays.image_size is None else tuple(map(int, arrays.image_size[row]))
        fps = float(arrays.fps[row])
        yield Recording(tracks, np.arange(arrays.num_frames[row]) / fps, arrays.layout,
                        arrays.dims, fps=fps, image_size=size if size and min(size) else None,
                        labels=known)


def _divide(domain: Domain, labels: np.ndarray, protocol: str, validate: bool
            ) -> dict[str, np.ndarray]:
    """Part -> rows with a shared label."""
    rows = {}
    for part in ("train", "val", "test"):
        try:
            chosen = domain.rows(f"{protocol}/{part}" if protocol else part)
        except SkelactError:
            if part != "val" or validate:
                raise
            continue
        rows[part] = chosen[labels[chosen] >= 0]
        if not len(rows[part]) and (part != "val" or validate):
            raise SkelactError(f"no clip of a shared class is in the {part} part of {domain.name}")
    if not validate and "val" in rows:
        rows["train"] = np.sort(np.concatenate([rows["train"], rows.pop("val")]))
    return rows


def _recordings(domain: Domain, task: Task, parts: dict[str, np.ndarray], flat: bool
                ) -> Iterator[Recording]:
    several = len(task.sources) > 1
    labels, ids = task.labels[domain.name], np.asarray(domain.columns["clip_id"]).astype(str)

    def facts(row: int, part: str, suffix: str) -> dict:
        known = {} if several else {name: int(domain.columns[name][row]) for name in _FACTS
                                    if name in domain.columns and domain.columns[name][row] >= 0}
        return known | {"clip_id": (f"{domain.name}/" if several else "") + ids[row] + suffix,
                        "label": task.classes[labels[row]], "splits": [part]}

    clips = {part: domain.convert(rows) for part, rows in parts.items()}
    if not (flat and domain.arrays.dims == 3):
        for part, rows in parts.items():
            yield from store_arrays(*clips[part], [facts(row, part, "") for row in rows])
        return
    clips = {part: select_clips(*chosen) for part, chosen in clips.items()}
    for yaw in YAWS:
        for part, rows in parts.items():
            if yaw == 0 or part == "train":
                suffix = f"@{yaw}" if yaw else ""
                seen = project_arrays(clips[part], math.radians(yaw))
                yield from store_arrays(seen, range(len(rows)),
                                        [facts(row, part, suffix) for row in rows])

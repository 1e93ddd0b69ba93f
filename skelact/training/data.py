"""The clips of a training run: `setup` reads and splits them, `draw_batch` mixes a batch."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Generator, Tensor
from tqdm import tqdm

from skelact.config import TrainConfig
from skelact.datasets.catalog import how_to_get
from skelact.datasets.clips import Clips, draw_instants, draw_windows, finish_clips, random_clips
from skelact.datasets.header import HEADER
from skelact.datasets.penn_action import CLASSES, TERMS, read_background
from skelact.datasets.readers.penn_action import find_penn_action, read_penn_action
from skelact.datasets.splits import select_rows
from skelact.datasets.store import Store
from skelact.datasets.validation.integrity import check_whole
from skelact.errors import SkelactError
from skelact.pose.recording import Recording

_HOLD_OUT_SEED = 2026
"""The same clips are held out in every run, whatever its seed."""


@dataclass(frozen=True)
class TrainingData:
    """The clips of one run.

    Args:
        name: What the data set is called.
        terms: On what terms the data set was published.
        train: What the network learns from.
        held_out: Labelled clips kept from training; they set the rejection threshold.
        test: The official test split; scored once, at the end.
        other: Clips of other actions to learn "no known action" from, or None.
        other_held_out: Clips of other actions by people that are not in ``other``, or None; they
            set the rejection threshold.
    """

    name: str
    terms: str
    train: Clips
    held_out: Clips
    test: Clips
    other: Clips | None = None
    other_held_out: Clips | None = None


def setup(config: TrainConfig) -> TrainingData:
    """Read the data set, split it as published, and hold clips back for the threshold.

    Raises:
        SkelactError: No data folder, data that cannot be used, or a split with nothing in it.
    """
    if config.data is None:
        raise SkelactError("pass --data FOLDER: a store that `skelact data prepare` made, or the "
                           "`labels` folder of Penn Action (annotations only, no images needed). "
                           f"{how_to_get('penn_action')}")
    if (Path(config.data) / HEADER).is_file():
        data = _read_store(config)
    elif find_penn_action(config.data):
        data = _read_penn_action(config)
    else:
        raise SkelactError(f"expected a store (`skelact data prepare NAME --raw DIR -o STORE`) or "
                           f"Penn Action annotations (0001.mat, ...) at {config.data}; found "
                           f"neither. {how_to_get('penn_action', config.data)}")
    if not config.background:
        return data
    other, other_held_out = _read_others(config, data.train)
    return replace(data, other=other, other_held_out=other_held_out)


def _read_store(config: TrainConfig) -> TrainingData:
    """The parts of a protocol; what the store holds back for choosing sets the threshold."""
    check_whole(config.data)
    store = Store(config.data)
    layout = store.header.layout if config.clip.layout == "auto" else config.clip.layout
    columns, parts = store.columns(), {}
    for part in ("train", "val", "test"):
        name = f"{config.protocol}/{part}" if config.protocol else part
        rows = select_rows(columns, name, dataset=store.header.name)
        rows = rows[columns["label"][rows] >= 0]
        recordings = tqdm(map(store.recording, rows), desc=f"reading {part}", total=len(rows),
                          unit=" clips")
        parts[part] = Clips.from_recordings(recordings, layout, store.header.classes)
    return TrainingData(store.header.name, "as the data set's", parts["train"], parts["val"],
                        parts["test"])


def _read_penn_action(config: TrainConfig) -> TrainingData:
    if config.clip.layout == "auto":
        config = replace(config, clip=replace(config.clip, layout="penn13"))
    recordings = list(tqdm(read_penn_action(config.data), desc="reading", unit=" clips"))
    labelled, test = (_select(recordings, split, config) for split in ("train", "test"))
    kept, held_out = hold_out(labelled.labels, config.held_out)
    if not len(kept):
        raise SkelactError(f"held_out {config.held_out} leaves nothing to train on; lower it")
    return TrainingData("Penn Action", TERMS, labelled.subset(kept), labelled.subset(held_out),
                        test)


def hold_out(labels: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Split rows into kept and held out, the same share of every class, always the same rows."""
    generator = Generator().manual_seed(_HOLD_OUT_SEED)
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        rows = (labels == label).nonzero()[:, 0]
        rows = rows[torch.randperm(len(rows), generator=generator)]
        held[rows[: round(len(rows) * share)]] = True
    return (~held).nonzero()[:, 0], held.nonzero()[:, 0]


def draw_batch(
    config: TrainConfig, data: TrainingData, rows: Tensor, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Labelled clips, with clips from the background and of people at rest among them.

    Returns:
        ``[B, 1, N, 3, T]`` clips and ``[B]`` labels; the class after the last is "no known
        action".
    """
    frames, augment = config.clip.frames, config.augment
    if data.other is None:
        return random_clips(data.train, rows, frames, augment, generator), data.train.labels[rows]
    others = _choose_others(data.other, round(len(rows) * augment.others), generator)
    stills = rows[torch.rand(len(rows), generator=generator) < augment.still]
    parts = [
        draw_windows(data.train, rows, frames, augment, generator),
        draw_windows(data.other, others, frames, augment, generator),
        draw_instants(data.train, stills, frames, generator),
    ]
    labels = [data.train.labels[rows], data.other.labels[others],
              torch.full_like(stills, len(data.train.classes))]
    # 3-D clips are in metres and 2-D ones in pixels: every clip is scaled by its own body
    clips = finish_clips(torch.cat(parts), data.train.layout, augment, generator)
    return clips, torch.cat(labels)


def _choose_others(other: Clips, count: int, generator: Generator) -> Tensor:
    """Rows of the background, a third of them (where it has any) of known actions."""
    known = other.labels < len(other.classes)
    weights = torch.where(known, (~known).sum() / (2 * known.sum().clamp_min(1)), 1.0)
    return torch.multinomial(weights, count, replacement=True, generator=generator)


def _select(recordings: list[Recording], split: str, config: TrainConfig) -> Clips:
    chosen = [recording for recording in recordings if split in recording.labels["splits"]]
    if not chosen:
        raise SkelactError(f"{config.data} holds no clip of the {split} split; pass the whole "
                           "`labels` folder")
    clips = Clips.from_recordings(chosen, config.clip.layout, CLASSES)
    if (clips.labels == len(CLASSES)).any():
        strange = {r.labels["label"] for r in chosen} - set(CLASSES)
        raise SkelactError(f"{config.data} has actions that are none of Penn Action's: "
                           f"{', '.join(sorted(strange))}")
    return clips


def _read_others(config: TrainConfig, train: Clips) -> tuple[Clips, Clips]:
    """Clips of other actions to train on, and those of the last subject of each set."""
    clips = Clips.from_recordings(read_background(config.background), train.layout, train.classes)
    # other people, not only other clips
    last = torch.tensor([facts["last_subject"] for facts in clips.facts])
    if last.all() or not last.any():
        raise SkelactError("expected a background of at least two subjects, one to learn from and "
                           "one to set the threshold with; pass whole data sets")
    return clips.subset(~last), clips.subset(last)

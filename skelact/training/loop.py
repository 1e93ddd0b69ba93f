"""The training loop: `setup` reads and splits the data, `fit` loops, `finish` judges once."""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor, nn
from tqdm import tqdm

from skelact.config import TrainConfig
from skelact.datasets.clips import (
    Clips,
    draw_windows,
    finish_clips,
    random_clips,
    shuffled_batches,
    whole_clips,
)
from skelact.datasets.penn_action import CLASSES, TERMS, read_background
from skelact.datasets.readers.penn_action import read_penn_action
from skelact.errors import SkelactError
from skelact.evaluation.metrics import mean_class_accuracy, rejection_threshold, top_k_accuracy
from skelact.models.checkpoint import ActionModel, build_network, save_model
from skelact.output import check_writable, write_text
from skelact.training.optim import choose_precision, learning_rate, make_optimizer

_LOG = logging.getLogger("skelact")
_STILL = 0.1  # share of a batch that is shown frozen: standing about is no action
_OTHER = 0.3  # clips of other actions a labelled clip


@dataclass(frozen=True)
class Data:
    """The clips of one run.

    ``held_out`` and ``other_held_out`` are kept from training and set the rejection threshold;
    ``test`` is scored once, at the end.
    """

    train: Clips
    held_out: Clips
    test: Clips
    other: Clips | None
    other_held_out: Clips | None


def train(config: TrainConfig, output: str | Path, overwrite: bool = False) -> ActionModel:
    """Train a recognizer and write ``model.pt``, ``metrics.jsonl`` and ``config.json``.

    Args:
        config: Everything about the run.
        output: The run folder.
        overwrite: Replace the results of an earlier run there.

    Raises:
        SkelactError: No data folder, or data that cannot be used.
        OutputExistsError: The folder holds a model and ``overwrite`` is false.
    """
    output = Path(output)
    check_writable(output / "model.pt", overwrite)
    data = setup(config)
    write_text(output / "config.json", json.dumps(asdict(config), indent=2), overwrite=True)
    network, architecture = fit(config, data, output)
    model = finish(config, data, network, architecture)
    save_model(model, output / "model.pt", overwrite)
    return model


def setup(config: TrainConfig) -> Data:
    """Read the data set, split it as published, and hold clips back for the threshold."""
    if config.data is None:
        raise SkelactError("pass --data FOLDER: the `labels` folder of Penn Action "
                           "(annotations only, no images needed)")
    recordings = list(tqdm(read_penn_action(config.data), desc="reading", unit=" clips"))
    layout = config.clip.layout
    train_ = Clips.from_recordings(
        (r for r in recordings if r.labels["split"] == "train"), layout, CLASSES)
    test = Clips.from_recordings(
        (r for r in recordings if r.labels["split"] == "test"), layout, CLASSES)
    kept, held_out = hold_out(train_.labels, config.held_out)
    other = other_held_out = None
    if config.background:
        clips = Clips.from_recordings(read_background(config.background), layout, CLASSES)
        # other people, not only other clips: the last subject of each set
        last = torch.tensor([facts["last_subject"] for facts in clips.facts])
        other, other_held_out = (clips.subset(rows.nonzero()[:, 0]) for rows in (~last, last))
    return Data(train_.subset(kept), train_.subset(held_out), test, other, other_held_out)


def hold_out(labels: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Split rows into kept and held out, the same share of every class, always the same rows."""
    generator = Generator().manual_seed(2026)
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        rows = (labels == label).nonzero()[:, 0]
        rows = rows[torch.randperm(len(rows), generator=generator)]
        held[rows[: round(len(rows) * share)]] = True
    return (~held).nonzero()[:, 0], held.nonzero()[:, 0]


def fit(config: TrainConfig, data: Data, output: Path) -> tuple[nn.Module, dict]:
    """Run all epochs; gives the network of the last one and the architecture to rebuild it."""
    torch.manual_seed(config.seed)
    device = _device(config.device)
    architecture = {
        "name": config.network.name,
        "arguments": {
            "num_classes": len(CLASSES) + (data.other is not None),
            "base_channels": config.network.base_channels,
            "partition": config.network.partition,
            "dropout": config.network.dropout,
        },
    }
    network = build_network(architecture, data.train.layout).to(device)
    optimizer = make_optimizer(network, config.optim)
    dtype = choose_precision(config.precision, device)
    loss_of = nn.CrossEntropyLoss(label_smoothing=config.optim.label_smoothing)
    rows_of_metrics, step = [], 0
    for epoch in range(config.optim.epochs):
        generator = Generator().manual_seed(config.seed * 100_003 + epoch)
        batches = list(shuffled_batches(len(data.train), config.optim.batch_size, generator))
        network.train()
        losses, right, seen = [], 0, 0
        for rows in tqdm(batches, desc=f"epoch {epoch + 1}/{config.optim.epochs}", leave=False):
            clips, labels = draw_batch(config, data, rows, generator)
            clips, labels = clips.to(device), labels.to(device)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, len(batches), config.optim)
            with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
                scores = network(clips)
            loss = loss_of(scores.float(), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if config.optim.clip_norm:
                nn.utils.clip_grad_norm_(network.parameters(), config.optim.clip_norm)
            optimizer.step()
            step += 1
            losses.append(loss.item())
            right += int((scores.argmax(1) == labels).sum())
            seen += len(labels)
        if not np.isfinite(losses).all():
            raise SkelactError(f"the loss is no longer finite in epoch {epoch + 1}; lower "
                               "--optim.lr")
        row = {"epoch": epoch + 1, "loss": float(np.mean(losses)), "train_accuracy": right / seen,
               "held_out_accuracy": accuracy(network, data.held_out, config.clip.frames)}
        rows_of_metrics.append(json.dumps(row))
        write_text(output / "metrics.jsonl", "\n".join(rows_of_metrics) + "\n", overwrite=True)
        tqdm.write("  ".join(f"{key} {value:.4g}" for key, value in row.items()))
    return network, architecture


def draw_batch(
    config: TrainConfig, data: Data, rows: Tensor, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Labelled clips, with clips of other actions and of people at rest among them.

    Returns:
        ``[B, 1, N, 3, T]`` clips and ``[B]`` labels; the class after the last is "no known
        action".
    """
    frames, augment = config.clip.frames, config.augment
    if data.other is None:
        return random_clips(data.train, rows, frames, augment, generator), data.train.labels[rows]
    others = torch.randint(len(data.other), (round(len(rows) * _OTHER),), generator=generator)
    known = draw_windows(data.train, rows, frames, augment, generator)
    other = draw_windows(data.other, others, frames, augment, generator)
    still = known[torch.rand(len(rows), generator=generator) < _STILL]
    still = still[..., :1].expand_as(still)
    none = torch.full((len(other) + len(still),), len(CLASSES))
    # 3-D clips are in metres and 2-D ones in pixels: every clip is scaled by its own body
    clips = finish_clips(torch.cat([known, other, still]), data.train.layout, augment, generator)
    return clips, torch.cat([data.train.labels[rows], none])


def finish(
    config: TrainConfig, data: Data, network: nn.Module, architecture: dict
) -> ActionModel:
    """Set the rejection threshold on held-out clips, then score the test split, once."""
    known = _top_probability(network, data.held_out, config, draws=8)
    threshold, unknown = 0.0, np.empty(0)
    if data.other_held_out is not None:
        unknown = _top_probability(network, data.other_held_out, config, draws=2)
        threshold = rejection_threshold(known, unknown)
    scores = _scores(network, data.test, config.clip.frames)[:, : len(CLASSES)]
    labels = data.test.labels.numpy()
    metrics = {
        "split": "official test, last epoch, one whole clip each",
        "num_clips": len(labels),
        "top1": top_k_accuracy(scores, labels),
        "top5": top_k_accuracy(scores, labels, k=5),
        "mean_class_accuracy": mean_class_accuracy(scores, labels),
        "accepted_held_out": float((known >= threshold).mean()),
        "accepted_other_held_out": float((unknown >= threshold).mean()) if len(unknown) else None,
        "accepted_test": float((scores.max(1) >= threshold).mean()),
    }
    fingerprint = hashlib.sha256(data.train.joints.numpy().tobytes()).hexdigest()
    return ActionModel(
        network=network.eval(), classes=CLASSES, clip=config.clip, architecture=architecture,
        rejects=data.other is not None, threshold=threshold, metrics=metrics,
        training=asdict(config) | {"data": Path(config.data).name,
                                   "background": [Path(b).name for b in config.background]},
        data={"name": "Penn Action", "train_clips": len(data.train),
              "other_clips": 0 if data.other is None else len(data.other),
              "sha256_of_joints": fingerprint, "terms": TERMS},
    )


def accuracy(network: nn.Module, clips: Clips, frames: int) -> float:
    """Share of whole clips recognized, among the actions alone."""
    if not len(clips):
        return float("nan")
    scores = _scores(network, clips, frames)[:, : len(CLASSES)]
    return top_k_accuracy(scores, clips.labels.numpy())


@torch.inference_mode()
def _scores(network: nn.Module, clips: Clips, frames: int) -> np.ndarray:
    network.eval()
    device = next(network.parameters()).device
    parts = [
        network(whole_clips(clips, rows, frames).to(device)).softmax(1).cpu()
        for rows in torch.arange(len(clips)).split(64)
    ]
    return torch.cat(parts).numpy()


@torch.inference_mode()
def _top_probability(
    network: nn.Module, clips: Clips, config: TrainConfig, draws: int
) -> np.ndarray:
    """Highest action probability of random windows, changed as in training."""
    network.eval()
    device = next(network.parameters()).device
    generator = Generator().manual_seed(7)
    rows = torch.arange(len(clips)).repeat(draws)
    top = []
    for part in rows.split(64):
        drawn = random_clips(clips, part, config.clip.frames, config.augment, generator)
        probability = network(drawn.to(device)).softmax(1)[:, : len(CLASSES)]
        top.append(probability.max(1).values.cpu())
    return torch.cat(top).numpy()


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)

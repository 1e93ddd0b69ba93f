"""The training loop: `setup` reads and splits the data, `fit` loops, `finish` judges once."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor, nn
from tqdm import tqdm

from skelact.config import OptimConfig, TrainConfig
from skelact.datasets.clips import shuffled_batches
from skelact.device import choose_device
from skelact.errors import SkelactError
from skelact.models.checkpoint import ActionModel, build_network, save_model
from skelact.output import check_writable, write_text
from skelact.training.data import TrainingData, draw_batch, setup
from skelact.training.optim import DTYPES, choose_precision, learning_rate, make_optimizer
from skelact.training.scoring import accuracy, finish


def train(config: TrainConfig, output: str | Path, overwrite: bool = False) -> ActionModel:
    """Train a recognizer and write ``model.pt``, ``metrics.jsonl`` and ``config.json``.

    Args:
        config: Everything about the run.
        output: The run folder.
        overwrite: Replace the results of an earlier run there.

    Raises:
        SkelactError: No data folder, data that cannot be used, or a loss that is not finite.
        OutputExistsError: The folder holds a model and ``overwrite`` is false.
        ChoiceError: This machine has no such device.
    """
    output = Path(output)
    check_writable(output / "model.pt", overwrite)
    device = choose_device(config.device)  # before the data is read, not after
    config = replace(config, precision=choose_precision(config.precision, device))
    data = setup(config)
    config = replace(config, clip=replace(config.clip, layout=data.train.layout.name))
    write_text(output / "config.json", json.dumps(asdict(config), indent=2), overwrite=True)
    network, architecture = fit(config, data, output)
    model = finish(config, data, network, architecture)
    save_model(model, output / "model.pt", overwrite)
    return model


def fit(config: TrainConfig, data: TrainingData, output: Path) -> tuple[nn.Module, dict]:
    """Run all epochs; gives the network of the last one and the architecture to rebuild it.

    ``config.precision`` is fp32 or bf16 here: `train` has settled ``auto``.

    Raises:
        SkelactError: The loss is no longer finite.
    """
    torch.manual_seed(config.seed)
    device = choose_device(config.device)
    architecture = _describe_network(config, data)
    network = build_network(architecture, data.train.layout).to(device)
    optimizer = make_optimizer(network, config.optim)
    dtype = DTYPES[config.precision]
    history, step, num_classes = [], 0, len(data.train.classes)
    for epoch in range(1, config.optim.epochs + 1):
        generator = Generator().manual_seed(config.seed * 100_003 + epoch - 1)
        batches = list(shuffled_batches(len(data.train), config.optim.batch_size, generator))
        network.train()
        losses, right, seen = [], 0, 0
        for rows in tqdm(batches, desc=f"epoch {epoch}/{config.optim.epochs}", leave=False):
            clips, labels = draw_batch(config, data, rows, generator)
            clips, labels = clips.to(device), labels.to(device)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, len(batches), config.optim)
            loss, scores = take_step(network, optimizer, clips, labels, config.optim, dtype,
                                     num_classes)
            step += 1
            losses.append(loss)
            known = labels < num_classes
            right += int((scores[known, :num_classes].argmax(1) == labels[known]).sum())
            seen += int(known.sum())
        if not np.isfinite(losses).all():
            raise SkelactError(f"the loss is no longer finite in epoch {epoch}; lower --optim.lr")
        history.append({
            "epoch": epoch, "loss": float(np.mean(losses)), "train_accuracy": right / seen,
            "held_out_accuracy": accuracy(network, data.held_out, config.clip.frames),
        })
        _write_history(history, output / "metrics.jsonl")
    return network, architecture


def take_step(
    network: nn.Module, optimizer: torch.optim.Optimizer, clips: Tensor, labels: Tensor,
    config: OptimConfig, dtype: torch.dtype, num_classes: int,
) -> tuple[float, Tensor]:
    """One step down the loss of a batch; gives the loss and the scores before it."""
    with torch.autocast(clips.device.type, dtype, enabled=dtype != torch.float32):
        scores = network(clips)
    loss = loss_of(scores.float(), labels, num_classes, config.label_smoothing)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if config.clip_norm:
        nn.utils.clip_grad_norm_(network.parameters(), config.clip_norm)
    optimizer.step()
    return loss.item(), scores


def loss_of(scores: Tensor, labels: Tensor, num_classes: int, smoothing: float) -> Tensor:
    """Cross-entropy of which action, for clips of one, plus that of whether any, for all.

    Args:
        scores: ``[B, classes]``, or one more where the network learns to reject.
        labels: ``[B]``; the class after the last is "no known action".
        num_classes: The number of actions.
        smoothing: Label smoothing of the first part.
    """
    known = labels < num_classes
    which = nn.functional.cross_entropy(scores[known, :num_classes], labels[known],
                                        label_smoothing=smoothing)
    if scores.shape[1] == num_classes:
        return which
    none = scores[:, num_classes]
    return which + nn.functional.binary_cross_entropy_with_logits(none, (~known).float())


def _describe_network(config: TrainConfig, data: TrainingData) -> dict:
    """The architecture that a checkpoint stores; see `build_network`."""
    return {
        "name": config.network.name,
        "arguments": {
            "num_classes": len(data.train.classes) + (data.other is not None),
            "base_channels": config.network.base_channels,
            "partition": config.network.partition,
            "dropout": config.network.dropout,
        },
    }


def _write_history(history: list[dict], path: Path) -> None:
    """One JSON line an epoch (null where there is nothing to measure), and the last one shown."""
    rows = [{key: None if value != value else value for key, value in row.items()}
            for row in history]
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows), overwrite=True)
    tqdm.write("  ".join(f"{key} {value:.4g}" for key, value in history[-1].items()))

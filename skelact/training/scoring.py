"""What a trained network is worth: its threshold, its accuracy, and the model to save."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor, nn

from skelact.config import TrainConfig
from skelact.datasets.clips import TEN_VIEWS, WHOLE, Clips, View, random_clips, view_clips
from skelact.evaluation.metrics import mean_class_accuracy, rejection_threshold, top_k_accuracy
from skelact.models.checkpoint import ActionModel
from skelact.models.classifier import action_probabilities
from skelact.training.data import TrainingData

FALSE_RATE = 0.02
"""Share of held-out clips of other actions that may get a name."""

_BATCH = 64


def finish(
    config: TrainConfig, data: TrainingData, network: nn.Module, architecture: dict
) -> ActionModel:
    """Set the rejection threshold on held-out clips, then score the test split, once."""
    known = _top_probability(network, data.held_out, config, draws=8)
    threshold, unknown = 0.0, np.empty(0)
    if data.other_held_out is not None:
        none = (data.other_held_out.labels == len(data.train.classes)).nonzero()[:, 0]
        unknown = _top_probability(network, data.other_held_out.subset(none), config, draws=4)
        threshold = rejection_threshold(known, unknown, FALSE_RATE)
    scores = score_clips(network, data.test, config.clip.frames, TEN_VIEWS)
    whole = score_clips(network, data.test, config.clip.frames)
    labels = data.test.labels.numpy()
    metrics = {
        "split": f"{config.protocol or 'official'} test, last epoch",
        "protocol": "ten views a clip, probabilities averaged; *_whole: each clip once, whole",
        "num_clips": len(labels),
        "top1_whole": top_k_accuracy(whole, labels),
        "top1": top_k_accuracy(scores, labels),
        "top5": top_k_accuracy(scores, labels, k=5),
        "mean_class_accuracy": mean_class_accuracy(scores, labels),
        "accepted_held_out": _share(known >= threshold),
        "accepted_other_held_out": _share(unknown >= threshold),
        "accepted_test_whole": _share(whole.max(1) >= threshold),
    }
    fingerprint = hashlib.sha256(data.train.joints.numpy().tobytes()).hexdigest()
    return ActionModel(
        network=network.eval(), classes=data.train.classes, clip=config.clip,
        architecture=architecture, rejects=data.other is not None, threshold=threshold,
        metrics=metrics,
        # folders by name: a checkpoint must not tell where on a machine the data lay
        training=asdict(config) | {"data": Path(config.data).name,
                                   "background": [Path(b).name for b in config.background]},
        data={"name": data.name, "train_clips": len(data.train),
              "other_clips": 0 if data.other is None else len(data.other),
              "sha256_of_joints": fingerprint, "terms": data.terms},
    )


def accuracy(network: nn.Module, clips: Clips, frames: int) -> float:
    """Share of whole clips recognized, among the actions alone; NaN without clips."""
    return top_k_accuracy(score_clips(network, clips, frames), clips.labels.numpy())


def score_clips(
    network: nn.Module, clips: Clips, frames: int, views: Sequence[View] = (WHOLE,)
) -> np.ndarray:
    """``[L, classes]`` float64 probability of every action for every clip, the mean of views."""
    rows = torch.arange(len(clips))
    return np.mean([
        _probabilities(network, len(clips.classes),
                       (view_clips(clips, part, frames, view) for part in _parts(rows)))
        for view in views
    ], axis=0)


def _top_probability(
    network: nn.Module, clips: Clips, config: TrainConfig, draws: int
) -> np.ndarray:
    """Highest action probability of random windows, changed as in training."""
    generator = Generator().manual_seed(7)
    parts = _parts(torch.arange(len(clips)).repeat(draws))
    drawn = (random_clips(clips, part, config.clip.frames, config.augment, generator)
             for part in parts)
    return _probabilities(network, len(clips.classes), drawn).max(axis=1)


@torch.inference_mode()
def _probabilities(
    network: nn.Module, num_classes: int, batches: Iterable[Tensor]
) -> np.ndarray:
    network.eval()
    device = next(network.parameters()).device
    parts = [action_probabilities(network(clips.to(device)), num_classes).cpu()
             for clips in batches]
    return torch.cat([torch.empty(0, num_classes), *parts]).double().numpy()


def _parts(rows: Tensor) -> list[Tensor]:
    return [part for part in rows.split(_BATCH) if len(part)]


def _share(accepted: np.ndarray) -> float | None:
    return float(accepted.mean()) if len(accepted) else None

"""Optimiser, learning-rate schedule, loss and arithmetic of a training run."""

import math

import torch
from torch import Tensor, nn

from skelact.config import OptimConfig


def make_optimizer(
    network: nn.Module, config: OptimConfig, encoder_lr: float = 1.0
) -> torch.optim.Optimizer:
    """SGD or AdamW; vectors and edge importances are not decayed, the head may learn faster.

    Args:
        network: What learns.
        config: How.
        encoder_lr: Rate of an encoder of pixels, as a share.
    """
    shares = {"head": 1.0, "body": config.body_lr, "encoder": encoder_lr}
    groups: dict[tuple[bool, str], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            decayed = (parameter.ndim > 1 and "edge_importance" not in name
                       and "adjacency" not in name and "bias" not in name)
            groups.setdefault((decayed, _part_of(name)), []).append(parameter)
    settings = [
        {"params": parameters, "weight_decay": config.weight_decay if decayed else 0.0,
         "share": shares[part]}
        for (decayed, part), parameters in groups.items()
    ]
    if config.optimizer == "adamw":
        return torch.optim.AdamW(settings, config.lr)
    return torch.optim.SGD(settings, config.lr, config.momentum, nesterov=config.nesterov,
                           fused=True)  # one pass over the weights


def _part_of(name: str) -> str:
    """Head, body or encoder; what is fused is new, as a head is."""
    if name.startswith("encoder."):
        return "encoder"
    return "head" if name.startswith(("head.", "skeleton.head.", "fusion.")) else "body"


def learning_rate(step: int, steps_per_epoch: int, config: OptimConfig) -> float:
    """Linear warm-up, then the schedule: a cosine reaches zero after the last step."""
    highest = config.lr * (config.batch_size / config.lr_batch if config.lr_batch else 1)
    total = config.epochs * steps_per_epoch
    warmup = min(config.warmup_epochs * steps_per_epoch, total / 2)
    if step < warmup:
        return highest * (step + 1) / (warmup + 1)
    if config.schedule == "cosine":
        return highest * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))
    passed = sum(step >= milestone * steps_per_epoch for milestone in config.milestones)
    return highest * 0.1**passed


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every group of `make_optimizer` its share of the rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]


def class_weights(labels: Tensor, num_classes: int) -> Tensor:
    """``[classes]`` weights under which every class counts the same; 1 on average over clips.

    Args:
        labels: ``[L]`` of the training clips. A class without clips gets 0.
        num_classes: How many there are.
    """
    counts = torch.bincount(labels, minlength=num_classes).float()
    return torch.where(counts > 0, counts.sum() / ((counts > 0).sum() * counts), 0.0)


def loss_of_actions(
    scores: Tensor, targets: Tensor, smoothing: float, weights: Tensor | None = None
) -> Tensor:
    """``[B]`` cross-entropy of which action, a clip.

    Args:
        scores: ``[B, classes]``.
        targets: ``[B]`` classes, or ``[B, classes]`` shares of them (`mixup`).
        smoothing: Label smoothing.
        weights: ``[classes]`` of the classes, as in `class_weights`.
    """
    return nn.functional.cross_entropy(scores, targets, weights, label_smoothing=smoothing,
                                       reduction="none")


def loss_of_rejection(none: Tensor, unknown: Tensor) -> Tensor:
    """``[B]`` cross-entropy of whether a clip shows no known action, from the last score."""
    return nn.functional.binary_cross_entropy_with_logits(none, unknown.float(), reduction="none")

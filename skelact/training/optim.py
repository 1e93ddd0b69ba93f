"""Optimiser, learning-rate schedule and arithmetic of a training run."""

import math
import time

import torch
from torch import nn

from skelact.config import OptimConfig


def make_optimizer(network: nn.Module, config: OptimConfig) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum; vectors and edge importances are not decayed."""
    decayed, free = [], []
    for name, parameter in network.named_parameters():
        keep = parameter.ndim > 1 and "edge_importance" not in name and "bias" not in name
        (decayed if keep else free).append(parameter)
    groups = [{"params": decayed, "weight_decay": config.weight_decay},
              {"params": free, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, config.lr, config.momentum, nesterov=True)


def learning_rate(step: int, steps_per_epoch: int, config: OptimConfig) -> float:
    """Linear warm-up, then a cosine that reaches zero after the last step."""
    total = config.epochs * steps_per_epoch
    warmup = min(config.warmup_epochs * steps_per_epoch, total / 2)
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
"""Names of the arithmetic of the products."""


def choose_precision(precision: str, device: torch.device) -> str:
    """``"fp32"`` or ``"bf16"``: as asked, or bf16 where a quick probe finds it twice as fast."""
    if precision != "auto":
        return precision
    native = torch.cuda.is_bf16_supported() if device.type == "cuda" else _bf16_pays()
    return "bf16" if native else "fp32"


def _bf16_pays() -> bool:
    def seconds(dtype: torch.dtype) -> float:
        a = torch.ones(512, 512, dtype=dtype)
        a @ a
        start = time.perf_counter()
        for _ in range(5):
            a @ a
        return time.perf_counter() - start

    return seconds(torch.bfloat16) * 2 < seconds(torch.float32)

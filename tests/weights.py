"""Weights for tests that compare two forms of one network."""

import torch


def shake(module: torch.nn.Module) -> None:
    """Give every parameter and statistic a value of its own, edge importance included."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        for name, buffer in module.named_buffers():
            if "running_mean" in name:
                buffer.normal_(std=0.3)
            if "running_var" in name:
                buffer.uniform_(0.5, 2)

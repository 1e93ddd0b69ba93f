"""A stand-in for a trained network: it knows people who walk to the right and to the left."""

import torch
from torch import nn

from skelact.config import ClipConfig
from skelact.graph import get_layout
from skelact.models.checkpoint import ActionModel

CLASSES = ("walk_right", "walk_left")


class Walking(nn.Module):
    """Scores by how far the joints move in x from the first to the last frame."""

    def __init__(self):
        super().__init__()
        self.layout = get_layout("penn13")
        self.gain = nn.Parameter(torch.tensor(20.0))
        self.batches: list[int] = []

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(clips))
        x = clips[:, 0, :, 0]
        way = (x[..., -1] - x[..., 0]).mean(dim=1) * self.gain
        none = 10 - 2 * way.abs()  # log-odds that it is neither
        return torch.stack([way, -way, none], dim=1)


def walking_model(**fields) -> ActionModel:
    """A model of 2 s windows."""
    return ActionModel(Walking(), CLASSES, ClipConfig(dims=2, frames=16, window=2.0),
                       {"name": "walking", "arguments": {}},
                       **({"rejects": True, "threshold": 0.5, "name": "walker"} | fields))

"""A stand-in for a trained network: it knows people who swing their arms, or their legs."""

import torch
from torch import nn

from skelact.config import ClipConfig
from skelact.graph import get_layout
from skelact.models.checkpoint import ActionModel


class Swinging(nn.Module):
    """Scores by how much elbows and wrists, or knees and ankles, move in x.

    Args:
        layout: The skeleton.
        order: Where arms and legs stand among the scores.
        rejects: Give a last score to people who hardly move.
    """

    def __init__(self, layout: str = "penn13", order=(0, 1), rejects: bool = False):
        super().__init__()
        self.layout, self.order, self.rejects = get_layout(layout), list(order), rejects
        self.gain = nn.Parameter(torch.tensor(20.0))
        joints = self.layout.joints
        self.parts = [[i for i, name in enumerate(joints) if part in name]
                      for part in ("wrist", "ankle")]

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        spread = clips[:, 0, :, 0].std(dim=-1)  # [B, N]
        moved = torch.stack([spread[:, part].mean(dim=1) for part in self.parts], dim=1)
        scores = (moved * self.gain)[:, torch.tensor(self.order).argsort()]
        if self.rejects:
            most, least = scores.amax(dim=1, keepdim=True), scores.amin(dim=1, keepdim=True)
            scores = torch.cat([scores, 2 - most + 2 * least], dim=1)
        return scores


def swinging_model(classes=("arms", "legs"), layout: str = "penn13", dims: int = 2,
                   order=(0, 1), **fields) -> ActionModel:
    """A model of whole clips."""
    network = Swinging(layout, order, fields.get("rejects", False))
    clip = fields.pop("clip", ClipConfig(layout=layout, dims=dims, frames=16))
    return ActionModel(network, classes, clip, {"name": "swinging", "arguments": {}},
                       **({"name": "swinger", "data": {"name": "elsewhere"}} | fields))

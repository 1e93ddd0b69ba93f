"""An encoder of a few weights that sees the mean colour of every frame: quick to train."""

import torch
from torch import Tensor, nn

from skelact.rgb.encoder import VideoEncoder


class TinyEncoder(VideoEncoder):
    """``[B, 3, T, H, W]`` to tokens ``[B, T, 8]``."""

    def __init__(self):
        super().__init__(8, (4, 32, 32), min_size=16)
        self.network = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8))
        self.looks = 0

    def encode(self, clips: Tensor) -> Tensor:
        self.looks += 1
        return self.network(clips.mean(dim=(3, 4)).transpose(1, 2))


def tiny(backbone: str = "resnet50", weights: str = "official", download: bool = False
         ) -> TinyEncoder:
    return TinyEncoder()


def random_clips(batch: int = 3, layout_joints: int = 17) -> Tensor:
    return torch.randn(batch, 1, layout_joints, 3, 8)

"""Self-attention between the joints of a frame, or between frames."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from skelact.checks import check_choice
from skelact.errors import ChoiceError
from skelact.nn.temporal_conv import TemporalConv

SLOWEST_WAVE = 10_000.0
"""Frames that the slowest wave of a position takes for one radian."""


class JointTokens(nn.Module):
    """Embeddings of every joint in short spans of frames (tubelets), with which joint it is.

    Args:
        num_joints: N.
        in_channels: C of the input.
        width: D of a token.
        kernel_size: Frames in a span, odd; spans overlap where this exceeds ``stride``.
        stride: Frames from one span to the next.

    Shapes:
        input ``[B, N, C, T]``, output ``[B, N, D, ceil(T / stride)]``.

    Raises:
        ChoiceError: ``kernel_size`` is even or not positive.
    """

    def __init__(
        self, num_joints: int, in_channels: int, width: int, kernel_size: int, stride: int
    ):
        super().__init__()
        self.embed = TemporalConv(in_channels, width, kernel_size, stride)
        self.joint = nn.Parameter(0.02 * torch.randn(num_joints, width, 1))

    def forward(self, joints: Tensor) -> Tensor:
        """Embed; ``[B, N, C, T]`` to ``[B, N, D, T']``."""
        return self.embed(joints) + self.joint


class AttentionLayer(nn.Module):
    """One layer of a transformer, along one axis.

    ``z = x + attention(norm(x))``, ``y = z + mlp(norm(z))``

    Args:
        width: D of a token.
        heads: Attentions side by side, on ``width / heads`` channels each.
        axis: ``joints`` of the same frame attend to each other, or ``frames`` of the same joint.
        dropout: Share of features zeroed in training, in both sums.

    Shapes:
        input and output ``[B, N, D, T]``.

    Raises:
        ChoiceError: ``heads`` does not divide ``width``, or no such axis.

    Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017; norms in front and GELU as in
    Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021.
    """

    def __init__(
        self, width: int, heads: int, axis: Literal["joints", "frames"], dropout: float = 0.0
    ):
        super().__init__()
        if heads < 1 or width % heads:
            raise ChoiceError(f"expected a number of heads that divides the width {width}, got "
                              f"{heads}")
        self.heads = heads
        self.axis = check_choice(axis, ("joints", "frames"), "axis")
        self.norm = nn.LayerNorm(width)
        # no biases: that of the keys would never have a gradient
        self.embed = nn.Linear(width, 3 * width, bias=False)
        self.mix = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(),
                                 nn.Linear(4 * width, width), nn.Dropout(dropout))
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Tensor:
        """Attend; the shape stays."""
        order = (0, 3, 1, 2) if self.axis == "joints" else (0, 1, 3, 2)
        back = (0, 2, 3, 1) if self.axis == "joints" else (0, 1, 3, 2)
        tokens = features.permute(order)  # [B, rows, tokens, D]
        tokens = tokens + self.dropout(self.mix(self._attend(self.norm(tokens))))
        return (tokens + self.mlp(tokens)).permute(back)

    def _attend(self, tokens: Tensor) -> Tensor:
        """``[B, rows, tokens, D]``; rows are apart."""
        split = self.embed(tokens).unflatten(3, (3, self.heads, -1))
        # rows count as heads, not as batch, of which GPUs allow 65535
        queries, keys, values = split.permute(3, 0, 1, 4, 2, 5).flatten(2, 3)
        attended = nn.functional.scaled_dot_product_attention(queries, keys, values)
        return attended.unflatten(1, (-1, self.heads)).transpose(2, 3).flatten(3)


class FrameTokens(nn.Module):
    """One token a frame, the mean of its joints', with its place in time.

    Places are waves of many lengths, so that there is one for any number of frames.

    Args:
        width: D of a token, even.

    Shapes:
        input ``[B, N, D, T]``, output ``[B, 1, D, T]``.

    Source: Vaswani et al., NeurIPS 2017, section 3.5.
    """

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, features: Tensor) -> Tensor:
        """Average; ``[B, N, D, T]`` to ``[B, 1, D, T]``."""
        tokens = self.norm(features.permute(0, 3, 1, 2)).mean(dim=2)
        return (tokens + self._places(tokens)).transpose(1, 2).unsqueeze(1)

    def _places(self, tokens: Tensor) -> Tensor:
        """``[T, D]``: sines and cosines of the number of the frame."""
        frames, width = tokens.shape[1:]
        waves = torch.arange(width // 2, device=tokens.device, dtype=torch.float32)
        pace = torch.exp(waves * (-2 * math.log(SLOWEST_WAVE) / width))
        angles = torch.arange(frames, device=tokens.device, dtype=torch.float32)[:, None] * pace
        return torch.cat([angles.sin(), angles.cos()], dim=1).to(tokens.dtype)


class FeatureNorm(nn.LayerNorm):
    """Layer normalisation of the channels of every joint and frame; ``[B, N, D, T]``."""

    def forward(self, features: Tensor) -> Tensor:
        """Normalise; the shape stays."""
        return super().forward(features.transpose(2, 3)).transpose(2, 3)

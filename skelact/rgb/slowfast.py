"""SlowFast: one pathway that sees few frames with many channels, one that sees many with few."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skelact.errors import ChoiceError
from skelact.rgb.encoder import VideoEncoder, as_tokens
from skelact.rgb.weights import State, build_filled, fill

COLOURS = ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225))
BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
"""Blocks of each stage, by the depth of the ResNet."""


class SlowFast(VideoEncoder):
    """Two ResNets over one clip, joined after the stem and after three stages.

    The fast pathway sees every frame with ``beta`` of the channels; the slow one sees every
    ``alpha``-th frame. A lateral connection is a 5 x 1 x 1 convolution with stride ``alpha`` in
    time, which brings the fast features to the slow frames; they are concatenated.

    Args:
        depth: 50 or 101.
        alpha: Fast frames for one slow frame.
        beta: Channels of the fast pathway, as a share of the slow one's: 1 / ``beta``.
        doubled: A lateral connection doubles the fast channels, as in the paper.

    Shapes:
        input ``[B, 3, T, H, W]``; T is stretched to a multiple of ``alpha``. For 32 frames of
        224 x 224 the stem gives ``[64, 4, 56, 56]`` (slow) and ``[8, 32, 56, 56]`` (fast), joined
        80 channels (72 undoubled). Output ``[B, 2304]``: 2048 slow, 256 fast.

    Raises:
        ChoiceError: Another depth, alpha below 1, or a beta that does not divide 64.

    Source: Feichtenhofer et al., "SlowFast Networks for Video Recognition", ICCV 2019, table 1.
    """

    def __init__(self, depth: int = 50, alpha: int = 8, beta: int = 8, doubled: bool = True):
        if depth not in BLOCKS or alpha < 1 or beta < 1 or 64 % beta:
            raise ChoiceError("expected a depth of 50 or 101, alpha from 1 and a beta that divides "
                              f"64, got depth={depth}, alpha={alpha}, beta={beta}")
        super().__init__(2048 + 2048 // beta, (4 * alpha, 224, 224), COLOURS, multiple=alpha)
        self.alpha = alpha
        self.network = nn.ModuleDict({
            "slow": _pathway(depth, 64, (1, 1, 1, 3, 3), 64 // beta * (1 + doubled)),
            "fast": _pathway(depth, 64 // beta, (5, 3, 3, 3, 3)),
            "lateral": nn.ModuleList(
                _lateral(width // beta, width // beta * (1 + doubled), alpha)
                for width in (64, 256, 512, 1024)),
        })

    def encode(self, clips: Tensor) -> Tensor:
        """``[B, L, D]`` of every place and slow frame: slow features, and the mean of the fast."""
        slow, fast = self.pathways(clips)[-1]
        fast = F.avg_pool3d(fast, (self.alpha, 1, 1))
        return as_tokens(torch.cat([slow, fast], dim=1))

    def pathways(self, clips: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What both pathways give after the stem and after each of four stages, not yet joined.

        Args:
            clips: ``[B, 3, T, H, W]``, T a multiple of alpha.

        Returns:
            Five pairs: slow ``[B, C, T / alpha, H', W']`` and fast ``[B, C / beta, T, H', W']``.
        """
        slow, fast = clips[:, :, :: self.alpha], clips
        features = []
        for i, (slow_stage, fast_stage) in enumerate(
            zip(self.network["slow"], self.network["fast"], strict=True)
        ):
            if i:
                slow = self.join(i - 1, slow, fast)
            slow, fast = slow_stage(slow), fast_stage(fast)
            features.append((slow, fast))
        return features

    def join(self, stage: int, slow: Tensor, fast: Tensor) -> Tensor:
        """Slow features with what the lateral connection after a stage brings to them."""
        return torch.cat([slow, self.network["lateral"][stage](fast)], dim=1)


def slowfast(
    weights: str | Path = "official", download: bool = False, depth: int = 50, alpha: int = 8,
    beta: int = 8, doubled: bool = True,
) -> SlowFast:
    """SlowFast.

    Args:
        weights: ``random``, or a file with the state dict of a `SlowFast`. torchvision publishes
            none, so ``official`` is refused.
        download: Changes nothing.
        depth: 50 or 101.
        alpha: Fast frames for one slow frame.
        beta: The fast pathway has 1 / ``beta`` of the channels.
        doubled: A lateral connection doubles the fast channels.

    Raises:
        ChoiceError: Numbers that make no SlowFast.
        WeightsError: Official weights, or those of something else.
    """
    def build(state: State | None) -> SlowFast:
        encoder = SlowFast(depth, alpha, beta, doubled)
        if state is not None:
            fill(encoder.network, state)
        return encoder

    return build_filled(build, weights, None, download)


class Bottleneck(nn.Module):
    """A residual block: ``t x 1 x 1``, ``1 x 3 x 3`` (strided), ``1 x 1 x 1``.

    Args:
        channels: C of the input.
        inner: Channels between; the output has four times as many.
        length: t, frames under the first kernel.
        stride: In space.
    """

    def __init__(self, channels: int, inner: int, length: int, stride: int):
        super().__init__()
        self.branch = nn.Sequential(
            *_conv(channels, inner, (length, 1, 1)), nn.ReLU(),
            *_conv(inner, inner, (1, 3, 3), (1, stride, stride)), nn.ReLU(),
            *_conv(inner, 4 * inner, (1, 1, 1)),
        )
        nn.init.zeros_(self.branch[-1].weight)  # a block begins as the identity
        same = channels == 4 * inner and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(
            *_conv(channels, 4 * inner, (1, 1, 1), (1, stride, stride)))

    def forward(self, features: Tensor) -> Tensor:
        """``[B, C, T, H, W]`` to ``[B, 4 inner, T, H / stride, W / stride]``."""
        return F.relu(self.shortcut(features) + self.branch(features))


def _pathway(depth: int, width: int, lengths: tuple[int, ...], joined: int = 0) -> nn.ModuleList:
    """A stem and four stages; ``joined`` channels are added before the first stage, then x 4."""
    stem = nn.Sequential(
        *_conv(3, width, (lengths[0], 7, 7), (1, 2, 2)), nn.ReLU(),
        nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)))
    stages, channels = [stem], width
    for i, blocks in enumerate(BLOCKS[depth]):
        inner = width * 2**i
        extra = joined if i == 0 else joined * 2 ** (i + 1)
        layers = [Bottleneck(channels + extra, inner, lengths[i + 1], 1 if i == 0 else 2)]
        layers += [Bottleneck(4 * inner, inner, lengths[i + 1], 1) for _ in range(blocks - 1)]
        stages.append(nn.Sequential(*layers))
        channels = 4 * inner
    return nn.ModuleList(stages)


def _lateral(channels: int, out_channels: int, alpha: int) -> nn.Sequential:
    return nn.Sequential(*_conv(channels, out_channels, (5, 1, 1), (alpha, 1, 1)), nn.ReLU())


def _conv(
    channels: int, out_channels: int, kernel: tuple[int, int, int],
    stride: tuple[int, int, int] = (1, 1, 1),
) -> tuple[nn.Module, nn.Module]:
    """A convolution that keeps the size but for its stride, and its norm."""
    padding = tuple(size // 2 for size in kernel)
    conv = nn.Conv3d(channels, out_channels, kernel, stride, padding, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv, nn.BatchNorm3d(out_channels)

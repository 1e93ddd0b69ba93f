"""ST-GCN++ as pyskl publishes it, in plain torch: what our network is compared with.

Letters are the source's own: N clips, M persons, T frames, V joints, C channels; contiguous NCHW
memory, one einsum over partitions and joints, branches one by one, and every person is convolved,
absent ones too.
"""

import torch
from torch import Tensor, nn

from skelact.models.rows import ROWS


class UnitGCN(nn.Module):
    """Graph convolution with a learned adjacency, norm, residual."""

    def __init__(self, channels: int, out_channels: int, adjacency: Tensor):
        super().__init__()
        self.A = nn.Parameter(adjacency.clone())
        self.conv = nn.Conv2d(channels, out_channels * len(adjacency), 1)
        self.bn = nn.BatchNorm2d(out_channels)
        self.down = None
        if channels != out_channels:
            self.down = nn.Sequential(nn.Conv2d(channels, out_channels, 1),
                                      nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T, V]``."""
        n, _, t, v = x.shape
        mixed = self.conv(x).view(n, len(self.A), -1, t, v)
        y = torch.einsum("nkctv,kvw->nctw", mixed, self.A).contiguous()
        return torch.relu(self.bn(y) + (x if self.down is None else self.down(x)))


class UnitTCN(nn.Module):
    """Convolution over frames, with or without a norm."""

    def __init__(self, channels: int, out_channels: int, kernel_size: int, stride: int,
                 dilation: int = 1, norm: bool = False):
        super().__init__()
        self.conv = nn.Conv2d(channels, out_channels, (kernel_size, 1), (stride, 1),
                              ((kernel_size - 1) * dilation // 2, 0), (dilation, 1))
        if norm:
            self.bn = nn.BatchNorm2d(out_channels)
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        y = self.conv(x)
        return self.bn(y) if self.norm else y


class MultiScaleTCN(nn.Module):
    """Kernels of 3 frames with dilations 1 to 4, a max-pool and a 1x1, then mixed."""

    def __init__(self, channels: int, stride: int):
        super().__init__()
        width = channels // 6
        first = channels - 5 * width
        rest = [(first if d == 1 else width,
                 UnitTCN(first if d == 1 else width, first if d == 1 else width, 3, stride, d))
                for d in (1, 2, 3, 4)]
        rest.append((width, nn.MaxPool2d((3, 1), (stride, 1), (1, 0))))
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, wide, 1), nn.BatchNorm2d(wide), nn.ReLU(), last)
            for wide, last in rest
        )
        self.branches.append(nn.Conv2d(channels, width, 1, (stride, 1)))
        self.transform = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(),
                                       nn.Conv2d(channels, channels, 1))
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C, T', V]``."""
        return self.bn(self.transform(torch.cat([branch(x) for branch in self.branches], dim=1)))


class Block(nn.Module):
    """Graph convolution, temporal convolution, residual."""

    def __init__(self, channels: int, out_channels: int, adjacency: Tensor, stride: int,
                 residual: bool):
        super().__init__()
        self.gcn = UnitGCN(channels, out_channels, adjacency)
        self.tcn = MultiScaleTCN(out_channels, stride)
        self.residual = None
        if residual:
            same = channels == out_channels and stride == 1
            self.residual = (nn.Identity() if same
                             else UnitTCN(channels, out_channels, 1, stride, norm=True))

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        y = self.tcn(self.gcn(x))
        return torch.relu(y if self.residual is None else y + self.residual(x))


class PlainSTGCNPP(nn.Module):
    """The network, with the parameter names of the published checkpoints.

    Args:
        adjacency: ``[K, V, V]`` first values of the learned adjacency.
        width: Channels of the first layer.
        num_classes: Number of scores.
        channels: C of the clips.
        rows: Width, as a multiple, and stride of every layer.
    """

    def __init__(self, adjacency: Tensor, width: int, num_classes: int, channels: int = 3,
                 rows: tuple[tuple[int, int], ...] = ROWS):
        super().__init__()
        blocks, before = [], channels
        for i, (multiple, stride) in enumerate(rows):
            blocks.append(Block(before, multiple * width, adjacency, stride, i > 0))
            before = multiple * width
        self.backbone = nn.Module()
        self.backbone.data_bn = nn.BatchNorm1d(channels * adjacency.shape[1])
        self.backbone.gcn = nn.ModuleList(blocks)
        self.cls_head = nn.Module()
        self.cls_head.fc_cls = nn.Linear(before, num_classes)

    def forward(self, clips: Tensor) -> Tensor:
        """``[N, M, T, V, C]`` to scores ``[N, classes]``."""
        n, m, t, v, c = clips.shape
        x = clips.permute(0, 1, 3, 4, 2).reshape(n * m, v * c, t)
        x = self.backbone.data_bn(x).view(n * m, v, c, t).permute(0, 2, 3, 1).contiguous()
        for block in self.backbone.gcn:
            x = block(x)
        return self.cls_head.fc_cls(x.mean((2, 3)).view(n, m, -1).mean(1))

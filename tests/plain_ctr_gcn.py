"""CTR-GCN as it is published, in plain torch: what our network is compared with.

Two forms, which differ in names, in the direction of the topologies and in one relu: that of
pyskl, ``einsum('ncuv,nctu->nctv')``, and that of the authors, ``einsum('ncuv,nctv->nctu')``.
Letters are the source's own: N clips, M persons, T frames, V joints, C channels; contiguous NCHW
memory, partitions and branches one by one, and every person is convolved, absent ones too.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from skelact.models.rows import ROWS


class Refined(nn.Module):
    """Graph convolution of one partition, with its topology refined for every channel."""

    def __init__(self, channels: int, out_channels: int, equation: str):
        super().__init__()
        compared = 8 if channels <= 16 else channels // 8
        self.equation = equation
        self.conv1 = nn.Conv2d(channels, compared, 1)
        self.conv2 = nn.Conv2d(channels, compared, 1)
        self.conv3 = nn.Conv2d(channels, out_channels, 1)
        self.conv4 = nn.Conv2d(compared, out_channels, 1)

    def forward(self, x: Tensor, adjacency: Tensor, alpha: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T, V]``."""
        x1, x2, x3 = self.conv1(x).mean(-2), self.conv2(x).mean(-2), self.conv3(x)
        differences = torch.tanh(x1.unsqueeze(-1) - x2.unsqueeze(-2))
        topology = self.conv4(differences) * alpha + adjacency
        return torch.einsum(self.equation, topology, x3)


class UnitGCN(nn.Module):
    """Graph convolution over all partitions, norm, residual."""

    def __init__(self, channels: int, out_channels: int, adjacency: Tensor, authors: bool):
        super().__init__()
        self.graph = "PA" if authors else "A"
        setattr(self, self.graph, nn.Parameter(adjacency.clone()))
        self.alpha = nn.Parameter(torch.zeros(1))
        equation = "ncuv,nctv->nctu" if authors else "ncuv,nctu->nctv"
        self.convs = nn.ModuleList(Refined(channels, out_channels, equation) for _ in adjacency)
        self.bn = nn.BatchNorm2d(out_channels)
        self.down = None
        if channels != out_channels:
            self.down = nn.Sequential(nn.Conv2d(channels, out_channels, 1),
                                      nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T, V]``."""
        graphs = getattr(self, self.graph)
        y = sum(conv(x, graphs[i], self.alpha) for i, conv in enumerate(self.convs))
        return torch.relu(self.bn(y) + (x if self.down is None else self.down(x)))


class UnitTCN(nn.Module):
    """Convolution over frames and batch norm."""

    def __init__(self, channels: int, out_channels: int, kernel_size: int, stride: int,
                 dilation: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(channels, out_channels, (kernel_size, 1), (stride, 1),
                              ((kernel_size - 1) * dilation // 2, 0), (dilation, 1))
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        return self.bn(self.conv(x))


class MultiScaleTCN(nn.Module):
    """Kernels of 5 frames with dilations 1 and 2, a max-pool, and a 1x1, side by side."""

    def __init__(self, channels: int, stride: int):
        super().__init__()
        width = channels // 4
        branches = [[UnitTCN(width, width, 5, stride, dilation)] for dilation in (1, 2)]
        branches.append([nn.MaxPool2d((3, 1), (stride, 1), (1, 0)), nn.BatchNorm2d(width)])
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.ReLU(), *rest)
            for rest in branches
        )
        rest = channels - 3 * width
        self.branches.append(nn.Sequential(nn.Conv2d(channels, rest, 1, (stride, 1)),
                                           nn.BatchNorm2d(rest)))

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C, T', V]``."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class Block(nn.Module):
    """Graph convolution, temporal convolution, residual."""

    def __init__(self, channels: int, out_channels: int, adjacency: Tensor, stride: int,
                 residual: bool, authors: bool, inner_relu: bool):
        super().__init__()
        self.gcn1 = UnitGCN(channels, out_channels, adjacency, authors)
        self.tcn1 = MultiScaleTCN(out_channels, stride)
        self.inner_relu = inner_relu
        self.residual = None
        if residual:
            same = channels == out_channels and stride == 1
            self.residual = nn.Identity() if same else UnitTCN(channels, out_channels, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        y = self.tcn1(self.gcn1(x))
        y = torch.relu(y) if self.inner_relu else y
        return torch.relu(y if self.residual is None else y + self.residual(x))


class PlainCTRGCN(nn.Module):
    """The network, with the parameter names of the published checkpoints.

    Args:
        adjacency: ``[K, V, V]`` first values of the topologies.
        width: Channels of the first layer.
        num_classes: Number of scores.
        channels: C of the clips.
        persons: M.
        authors: The form of the authors; else that of pyskl.
        inner_relu: A relu between temporal convolution and residual; by default pyskl's has it.
        rows: Width, as a multiple, and stride of every layer.
    """

    def __init__(self, adjacency: Tensor, width: int, num_classes: int, channels: int = 3,
                 persons: int = 2, authors: bool = False, inner_relu: bool | None = None,
                 rows: tuple[tuple[int, int], ...] = ROWS):
        super().__init__()
        inner_relu = not authors if inner_relu is None else inner_relu
        blocks, before = OrderedDict(), channels
        for i, (multiple, stride) in enumerate(rows):
            blocks[f"l{i + 1}" if authors else str(i)] = Block(
                before, multiple * width, adjacency, stride, i > 0, authors, inner_relu)
            before = multiple * width
        self.blocks = list(blocks.values())
        norm = nn.BatchNorm1d(persons * channels * adjacency.shape[1])
        head = nn.Linear(before, num_classes)
        if authors:
            self.data_bn, self.fc = norm, head
            for name, block in blocks.items():
                self.add_module(name, block)
        else:
            self.backbone = nn.Module()
            self.backbone.register_buffer("A", adjacency)
            self.backbone.data_bn, self.backbone.net = norm, nn.ModuleList(self.blocks)
            self.cls_head = nn.Module()
            self.cls_head.fc_cls = head
        self.ends = [norm, head]

    def forward(self, clips: Tensor) -> Tensor:
        """``[N, M, V, C, T]`` to scores ``[N, classes]``."""
        n, m, v, c, t = clips.shape
        norm, head = self.ends
        x = norm(clips.reshape(n, m * v * c, t)).view(n * m, v, c, t)
        x = x.permute(0, 2, 3, 1).contiguous()
        for block in self.blocks:
            x = block(x)
        return head(x.mean((2, 3)).view(n, m, -1).mean(1))

"""pyskl's formulation of AAGCN in plain torch: what our network is compared with.

Every 1x1 convolution for itself on contiguous ``[N M, C, T, V]``, partition by partition, joints
aggregated as one flat product, gates one after another, and every person is convolved, absent ones
(zeros) too. Letters are the source's own: N clips, M persons, T frames, V joints, C channels, K
partitions. Parameters have the names of the published checkpoints.
"""

import torch
from torch import Tensor, nn

from skelact.graph import Graph
from skelact.models.rows import ROWS


class UnitGCN(nn.Module):
    """Graph convolution that adapts to the motion, norm, residual, attention."""

    def __init__(self, channels: int, out_channels: int, graph: Tensor, reduction: int,
                 adaptive: bool, attention: bool):
        super().__init__()
        joints = graph.shape[1]
        self.conv_d = nn.ModuleList(nn.Conv2d(channels, out_channels, 1) for _ in graph)
        self.adaptive, self.attention = adaptive, attention
        if adaptive:
            self.A = nn.Parameter(graph.clone())
            self.alpha = nn.Parameter(torch.zeros(1))
            width = out_channels // reduction
            self.conv_a = nn.ModuleList(nn.Conv2d(channels, width, 1) for _ in graph)
            self.conv_b = nn.ModuleList(nn.Conv2d(channels, width, 1) for _ in graph)
        else:
            self.register_buffer("A", graph.clone())
        if attention:
            kernel = joints if joints % 2 else joints - 1
            self.conv_ta = nn.Conv1d(out_channels, 1, 9, padding=4)
            self.conv_sa = nn.Conv1d(out_channels, 1, kernel, padding=kernel // 2)
            self.fc1c = nn.Linear(out_channels, out_channels // 2)
            self.fc2c = nn.Linear(out_channels // 2, out_channels)
        self.down = None
        if channels != out_channels:
            self.down = nn.Sequential(nn.Conv2d(channels, out_channels, 1),
                                      nn.BatchNorm2d(out_channels))
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T, V]``."""
        n, c, t, v = x.shape
        y = 0
        for k, conv in enumerate(self.conv_d):
            adjacency = self.A[k]
            if self.adaptive:
                first = self.conv_a[k](x).permute(0, 3, 1, 2).contiguous().view(n, v, -1)
                second = self.conv_b[k](x).view(n, -1, v)
                alike = torch.tanh(torch.matmul(first, second) / first.shape[-1])
                adjacency = adjacency + alike * self.alpha
            y = y + conv(torch.matmul(x.reshape(n, c * t, v), adjacency).view(n, c, t, v))
        y = torch.relu(self.bn(y) + (x if self.down is None else self.down(x)))
        return self.attend(y) if self.attention else y

    def attend(self, y: Tensor) -> Tensor:
        """To joints, to frames, to channels; ``[N, C, T, V]``."""
        y = y * torch.sigmoid(self.conv_sa(y.mean(-2))).unsqueeze(-2) + y
        y = y * torch.sigmoid(self.conv_ta(y.mean(-1))).unsqueeze(-1) + y
        gate = torch.sigmoid(self.fc2c(torch.relu(self.fc1c(y.mean(-1).mean(-1)))))
        return y * gate[..., None, None] + y


class UnitTCN(nn.Module):
    """Convolution over frames and a norm."""

    def __init__(self, channels: int, out_channels: int, kernel_size: int, stride: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, out_channels, (kernel_size, 1), (stride, 1),
                              (kernel_size // 2, 0))
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        return self.bn(self.conv(x))


class Block(nn.Module):
    """Graph convolution, temporal convolution, residual."""

    def __init__(self, channels: int, out_channels: int, stride: int, residual: bool,
                 kernel_size: int, **graph):
        super().__init__()
        self.gcn = UnitGCN(channels, out_channels, **graph)
        self.tcn = UnitTCN(out_channels, out_channels, kernel_size, stride)
        self.residual = None
        if residual:
            same = channels == out_channels and stride == 1
            self.residual = nn.Identity() if same else UnitTCN(channels, out_channels, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        y = self.tcn(self.gcn(x))
        return torch.relu(y if self.residual is None else y + self.residual(x))


class PlainAAGCN(nn.Module):
    """The network, with the parameter names of the published checkpoints.

    Args:
        layout: The skeleton.
        width: Channels of the first layer.
        num_classes: Number of scores.
        channels: C of the clips.
        persons: M, each with an input norm of its own; 0 for one norm for all.
        kernel_size: Frames under the temporal kernel.
        reduction: How many times fewer channels compare joints.
        adaptive: Learn the graph and compare joints.
        attention: Attend to joints, frames and channels.
        rows: Width, as a multiple, and stride of every layer.
    """

    def __init__(self, layout: str, width: int, num_classes: int, channels: int = 3,
                 persons: int = 2, kernel_size: int = 9, reduction: int = 4,
                 adaptive: bool = True, attention: bool = True,
                 rows: tuple[tuple[int, int], ...] = ROWS):
        super().__init__()
        graph = torch.from_numpy(Graph(layout, "inward_outward").adjacency.copy()).float()
        shared = {"kernel_size": kernel_size, "graph": graph, "reduction": reduction,
                  "adaptive": adaptive, "attention": attention}
        blocks, before = [], channels
        for i, (multiple, stride) in enumerate(rows):
            blocks.append(Block(before, multiple * width, stride, residual=i > 0, **shared))
            before = multiple * width
        self.persons = persons
        self.backbone, self.cls_head = nn.Module(), nn.Module()
        self.backbone.register_buffer("A", graph)
        self.backbone.data_bn = nn.BatchNorm1d(max(persons, 1) * channels * graph.shape[1])
        self.backbone.gcn = nn.Sequential(*blocks)
        self.cls_head.fc_cls = nn.Linear(before, num_classes)

    def features(self, clips: Tensor) -> Tensor:
        """``[N, M, T, V, C]`` to ``[N, M, D, T', V]``."""
        n, m, t, v, c = clips.shape
        x = clips.permute(0, 1, 3, 4, 2).contiguous()
        x = x.view(n, m * v * c, t) if self.persons else x.view(n * m, v * c, t)
        x = self.backbone.data_bn(x).view(n * m, v, c, t)
        x = self.backbone.gcn(x.permute(0, 2, 3, 1).contiguous())
        return x.view(n, m, *x.shape[1:])

    def forward(self, clips: Tensor) -> Tensor:
        """``[N, M, T, V, C]`` to scores ``[N, classes]``."""
        return self.cls_head.fc_cls(self.features(clips).mean((3, 4)).mean(1))

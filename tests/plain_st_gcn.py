"""pyskl's formulation of ST-GCN in plain torch: what our network is compared with.

A 1x1 convolution to K C_out channels on ``[N M, C, T, V]``, ``einsum('nkctv,kvw->nctw')``, batch
norm, ReLU, a (9, 1) convolution, batch norm, residual; contiguous memory, and every person is
convolved, absent ones (zeros) too. Letters are the source's own: N clips, M persons, T frames,
V joints, C channels. Parameters have the names of the published checkpoints.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from skelact.graph.graph import Graph
from skelact.models.classifier import SkeletonClassifier
from skelact.models.st_gcn import stgcn

NAMES = {"gcn.PA": "graph_conv.edge_importance", "gcn.A": "graph_conv.adjacency",
         "gcn.conv": "graph_conv", "gcn.bn": "temporal.0", "tcn.conv": "temporal.2",
         "tcn.bn": "temporal.3", "residual.conv": "shortcut.0", "residual.bn": "shortcut.1"}
"""Our names for the parameters of a block."""


class UnitGCN(nn.Module):
    """Graph convolution: channels to K C_out, then one einsum over partitions and joints."""

    def __init__(self, channels: int, out_channels: int, adjacency: Tensor):
        super().__init__()
        self.register_buffer("A", adjacency)
        self.PA = nn.Parameter(torch.ones_like(adjacency))
        self.conv = nn.Conv2d(channels, out_channels * len(adjacency), 1)
        self.bn = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T, V]``."""
        n, _, t, v = x.shape
        mixed = self.conv(x).view(n, len(self.A), -1, t, v)
        return self.act(self.bn(torch.einsum("nkctv,kvw->nctw", mixed, self.A * self.PA)
                                .contiguous()))


class UnitTCN(nn.Module):
    """Convolution over frames and batch norm."""

    def __init__(self, channels: int, out_channels: int, kernel_size: int, stride: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, out_channels, (kernel_size, 1), (stride, 1),
                              ((kernel_size - 1) // 2, 0))
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        return self.bn(self.conv(x))


class Block(nn.Module):
    """Graph convolution, temporal convolution, residual."""

    def __init__(self, channels: int, out_channels: int, adjacency: Tensor, stride: int):
        super().__init__()
        self.gcn = UnitGCN(channels, out_channels, adjacency)
        self.tcn = UnitTCN(out_channels, out_channels, 9, stride)
        self.residual = None
        if channels != 3:
            same = channels == out_channels and stride == 1
            self.residual = nn.Identity() if same else UnitTCN(channels, out_channels, 1, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        y = self.tcn(self.gcn(x))
        return self.relu(y if self.residual is None else y + self.residual(x))


class PlainSTGCN(nn.Module):
    """The ten layers, with the parameter names of the published checkpoints."""

    def __init__(self, width: int, num_classes: int):
        super().__init__()
        adjacency = torch.tensor(Graph("ntu25", "spatial_released").adjacency, dtype=torch.float32)
        self.data_bn = nn.BatchNorm1d(3 * adjacency.shape[1])
        widths = [3] + [width] * 4 + [2 * width] * 3 + [4 * width] * 3
        self.gcn = nn.ModuleList(
            Block(widths[i], widths[i + 1], adjacency, 2 if i in (4, 7) else 1) for i in range(10)
        )
        self.fc_cls = nn.Linear(4 * width, num_classes)

    def features(self, clips: Tensor) -> Tensor:
        """``[N, M, T, V, C]`` to ``[N, M, D, T', V]``."""
        n, m, t, v, c = clips.shape
        x = clips.permute(0, 1, 3, 4, 2).contiguous()
        x = self.data_bn(x.view(n * m, v * c, t)).view(n, m, v, c, t)
        x = x.permute(0, 1, 3, 4, 2).contiguous().view(n * m, c, t, v)
        for block in self.gcn:
            x = block(x)
        return x.view(n, m, *x.shape[1:])

    def forward(self, clips: Tensor) -> Tensor:
        """``[N, M, T, V, C]`` to scores ``[N, classes]``."""
        return self.fc_cls(self.features(clips).mean((3, 4)).mean(1))


def load_plain(path: Path) -> PlainSTGCN:
    """The network of a published checkpoint, in float64 and eval mode."""
    checkpoint = torch.load(path, weights_only=True)["state_dict"]
    state = {key.split(".", 1)[1]: value for key, value in checkpoint.items()}
    num_classes, channels = state["fc_cls.weight"].shape
    plain = PlainSTGCN(channels // 4, num_classes)
    plain.load_state_dict(state)
    return plain.double().eval()


def convert(plain: PlainSTGCN, absent: str = "skip") -> SkeletonClassifier:
    """Our network with the weights of the plain one."""
    num_classes, channels = plain.fc_cls.weight.shape
    network = stgcn("ntu25", num_classes, base_channels=channels // 4,
                    partition="spatial_released", absent=absent).to(plain.fc_cls.weight)
    state = {f"input_norm.{key}": value for key, value in plain.data_bn.state_dict().items()}
    state |= {f"head.{key}": value for key, value in plain.fc_cls.state_dict().items()}
    for i, block in enumerate(plain.gcn):
        for key, value in block.state_dict().items():
            if key.startswith("gcn.conv."):  # [K C_out, C_in, 1, 1] or [K C_out]
                value = value.flatten(1) if value.ndim > 1 else value
                value = value.unflatten(0, (len(block.gcn.A), -1))
            for theirs, ours in NAMES.items():
                key = key.replace(theirs, ours)
            state[f"layers.{i}.{key}"] = value
    network.load_state_dict(state)
    return network.train(plain.training)

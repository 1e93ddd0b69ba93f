"""The published formulation of MS-G3D in plain torch: what our network is compared with.

Windows are unfolded and copied, joints are aggregated by an einsum over all scales, then a 1x1
convolution mixes; contiguous memory, one branch after the other. Letters are the source's own:
N clips, M persons, T frames, V joints, C channels. Parameters have the names of pyskl's
checkpoints, or with ``released`` those of the authors', whose graphs are normalised symmetrically,
apply from the other side and are not stored.
"""

import numpy as np
import torch
from torch import Tensor, nn

DILATIONS = (1, 2, 3, 4)


def multi_scale(binary: np.ndarray, scales: int, released: bool) -> Tensor:
    """``[K, V, V]`` of a ``[V, V]`` graph: joints exactly k steps away, and the joint itself."""
    identity = np.eye(len(binary))
    graphs = [identity]
    for k in range(1, scales):
        near, nearer = (np.minimum(np.linalg.matrix_power(binary + identity, power), 1)
                        for power in (k, k - 1))
        graphs.append(near - nearer + identity)
    if released:
        roots = [graph.sum(-1) ** -0.5 for graph in graphs]
        graphs = [root[:, None] * graph * root for root, graph in zip(roots, graphs, strict=True)]
    else:
        graphs = [graph / graph.sum(0) for graph in graphs]
    return torch.from_numpy(np.stack(graphs))


class MultiScaleGCN(nn.Module):
    """All scales of a graph, then a 1x1 convolution, norm and ReLU."""

    def __init__(self, channels: int, out_channels: int, graph: np.ndarray, scales: int,
                 released: bool):
        super().__init__()
        adjacency = multi_scale(graph, scales, released)
        self.scales, self.released = scales, released
        self.register_buffer("A", adjacency, persistent=not released)
        if released:
            self.A_res = nn.Parameter(1e-6 * torch.randn(scales * len(graph), len(graph)))
        else:
            self.PA = nn.Parameter(1e-6 * torch.randn(adjacency.shape))
        self.mlp = nn.Module()
        self.mlp.layers = nn.ModuleList([nn.Conv2d(channels * scales, out_channels, 1),
                                         nn.BatchNorm2d(out_channels)])

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T, V]``."""
        if self.released:
            adjacency = self.A.flatten(0, 1).to(x) + self.A_res
            gathered = torch.einsum("vu,nctu->nctv", adjacency, x)
            gathered = gathered.unflatten(3, (self.scales, -1)).permute(0, 3, 1, 2, 4)
        else:
            gathered = torch.einsum("kvu,nctv->nkctu", self.A.to(x) + self.PA, x)
        conv, norm = self.mlp.layers
        return torch.relu(norm(conv(gathered.flatten(1, 2))))


class UnitTCN(nn.Module):
    """Convolution over frames and batch norm."""

    def __init__(self, channels: int, out_channels: int, kernel: int, stride: int, dilation: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, out_channels, (kernel, 1), (stride, 1),
                              (dilation * (kernel - 1) // 2, 0), (dilation, 1))
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        return self.bn(self.conv(x))


class MultiScaleTCN(nn.Module):
    """Six branches over frames, side by side, and a residual; the ReLU behind it is optional."""

    def __init__(self, channels: int, out_channels: int, stride: int = 1, relu: bool = True):
        super().__init__()
        width = out_channels // (len(DILATIONS) + 2)
        rest = out_channels - width * (len(DILATIONS) + 1)

        def reduce() -> list[nn.Module]:
            return [nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.ReLU()]

        branches = [nn.Sequential(*reduce(), UnitTCN(width, width, 3, stride, dilation))
                    for dilation in DILATIONS]
        branches.append(nn.Sequential(*reduce(), nn.MaxPool2d((3, 1), (stride, 1), (1, 0)),
                                      nn.BatchNorm2d(width)))
        branches.append(nn.Sequential(nn.Conv2d(channels, rest, 1, (stride, 1)),
                                      nn.BatchNorm2d(rest)))
        self.branches = nn.ModuleList(branches)
        self.residual = nn.Identity()
        if channels != out_channels or stride > 1:
            self.residual = UnitTCN(channels, out_channels, 1, stride, 1)
        self.act = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        return self.act(torch.cat([branch(x) for branch in self.branches], 1) + self.residual(x))


class G3D(nn.Module):
    """Windows, graph convolution over all joints of a window, collapse of the window."""

    def __init__(self, channels: int, hidden: int, out_channels: int, graph: np.ndarray,
                 scales: int, window: int, stride: int, released: bool):
        super().__init__()
        self.window = window
        unfold = nn.Unfold((window, 1), stride=(stride, 1), padding=(window // 2, 0))
        spread = np.tile(graph + np.eye(len(graph)), (window, window))
        self.gcn3d = nn.Sequential(unfold, MultiScaleGCN(channels, hidden, spread, scales,
                                                         released))
        self.out_conv = nn.Conv3d(hidden, out_channels, (1, window, 1))
        self.out_bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        n, c, _, v = x.shape
        unfold, convolve = self.gcn3d
        windows = unfold(x).view(n, c, self.window, -1, v).permute(0, 1, 3, 2, 4)
        hidden = convolve(windows.reshape(n, c, -1, self.window * v))
        hidden = hidden.view(*hidden.shape[:3], self.window, v)
        return self.out_bn(self.out_conv(hidden).squeeze(3))


class MultiWindowG3D(nn.Module):
    """The sum of several windows."""

    def __init__(self, windows: tuple[int, ...], *sizes, **options):
        super().__init__()
        self.gcn3d = nn.ModuleList(G3D(*sizes, window=window, **options) for window in windows)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        return sum(branch(x) for branch in self.gcn3d)


class PlainMSG3D(nn.Module):
    """The three blocks.

    Args:
        graph: ``[V, V]`` 1 where a bone joins two joints.
        num_classes: Number of scores.
        width: Of the first block (96 as published).
        channels: C of the clips.
        scales: Distances told apart at one frame, and over windows.
        windows: Frames under each window.
        persons: M.
        released: The authors' form.
    """

    def __init__(self, graph: np.ndarray, num_classes: int, width: int = 96, channels: int = 3,
                 scales: tuple[int, int] = (13, 6), windows: tuple[int, ...] = (3, 5),
                 persons: int = 2, released: bool = False):
        super().__init__()
        self.data_bn = nn.BatchNorm1d(persons * len(graph) * channels)
        for block, (out_channels, stride) in enumerate(((width, 1), (2 * width, 2),
                                                        (4 * width, 2)), start=1):
            hidden = channels if block > 1 else out_channels
            self.add_module(f"gcn3d{block}", MultiWindowG3D(
                windows, channels, hidden, out_channels, graph, scales[1], stride=stride,
                released=released))
            self.add_module(f"sgcn{block}", nn.Sequential(
                MultiScaleGCN(channels, hidden, graph, scales[0], released),
                MultiScaleTCN(hidden, out_channels, stride),
                MultiScaleTCN(out_channels, out_channels, relu=False)))
            self.add_module(f"tcn{block}", MultiScaleTCN(out_channels, out_channels))
            channels = out_channels
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, clips: Tensor) -> Tensor:
        """``[N, M, T, V, C]`` to scores ``[N, classes]``."""
        n, m, t, v, c = clips.shape
        x = self.data_bn(clips.permute(0, 1, 3, 4, 2).reshape(n, m * v * c, t))
        x = x.view(n * m, v, c, t).permute(0, 2, 3, 1).contiguous()
        for block in "123":
            x = torch.relu(self.get_submodule(f"sgcn{block}")(x)
                           + self.get_submodule(f"gcn3d{block}")(x))
            x = self.get_submodule(f"tcn{block}")(x)
        return self.fc(x.view(n, m, *x.shape[1:]).mean((3, 4)).mean(1))


def name_as_pyskl(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of ours with pyskl's keys."""
    return {key.replace("fc.", "cls_head.fc_cls.") if key.startswith("fc.")
            else f"backbone.{key}": value for key, value in state.items()}

"""pyskl's formulation of DG-STGCN in plain torch: what our network is compared with.

Every 1x1 convolution for itself on contiguous ``[N M, C, T, V]``, one topology for every clip and
channel by ``einsum('nkctv,nkcvw->nkctw')``, temporal branches one by one, and every person is
convolved, absent ones (zeros) too. Letters are the source's own: N clips, M persons, T frames,
V joints, C channels, K topologies. Parameters have the names of the published checkpoints.
"""

import torch
from torch import Tensor, nn

from skelact.models.rows import ROWS

TOPOLOGIES = 8
STORED_JOINTS = 25


def conv_norm_relu(channels: int, out_channels: int) -> list[nn.Module]:
    """A 1x1 convolution and what follows it."""
    return [nn.Conv2d(channels, out_channels, 1), nn.BatchNorm2d(out_channels), nn.ReLU()]


class UnitGCN(nn.Module):
    """Graph convolution by topologies that follow the clip, norm, residual."""

    def __init__(self, channels: int, out_channels: int, joints: int):
        super().__init__()
        width = out_channels // 8 * TOPOLOGIES
        self.A = nn.Parameter(0.04 + 0.02 * torch.randn(TOPOLOGIES, joints, joints))
        self.alpha = nn.Parameter(torch.zeros(TOPOLOGIES))
        self.beta = nn.Parameter(torch.zeros(TOPOLOGIES))
        self.pre = nn.Sequential(*conv_norm_relu(channels, width))
        self.post = nn.Conv2d(width, out_channels, 1)
        self.conv1 = nn.Conv2d(channels, width, 1)
        self.conv2 = nn.Conv2d(channels, width, 1)
        self.bn = nn.BatchNorm2d(out_channels)
        self.down = None
        if channels != out_channels:
            self.down = nn.Sequential(nn.Conv2d(channels, out_channels, 1),
                                      nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T, V]``."""
        n, _, t, v = x.shape
        mean = x.mean(-2, keepdim=True)
        x1, x2 = (conv(mean).view(n, TOPOLOGIES, -1, v) for conv in (self.conv1, self.conv2))
        by_channel = torch.tanh(x1.unsqueeze(-1) - x2.unsqueeze(-2))
        by_joint = torch.einsum("nkcv,nkcw->nkvw", x1, x2)[:, :, None].softmax(-2)
        topology = by_channel * self.alpha[0] + self.A[None, :, None]
        topology = by_joint * self.beta[0] + topology
        y = self.pre(x).view(n, TOPOLOGIES, -1, t, v)
        y = torch.einsum("nkctv,nkcvw->nkctw", y, topology).contiguous()
        y = self.bn(self.post(y.view(n, -1, t, v)))
        return torch.relu(y + (x if self.down is None else self.down(x)))


class UnitTCN(nn.Module):
    """Convolution over frames, with a norm or without."""

    def __init__(self, channels: int, out_channels: int, kernel_size: int, stride: int,
                 dilation: int = 1, norm: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(channels, out_channels, (kernel_size, 1), (stride, 1),
                              ((kernel_size - 1) * dilation // 2, 0), (dilation, 1))
        self.bn = nn.BatchNorm2d(out_channels) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        return self.bn(self.conv(x))


class MultiScaleTCN(nn.Module):
    """Six branches over joints and their mean, which is added to the joints again."""

    def __init__(self, channels: int, stride: int):
        super().__init__()
        width = channels // 6
        first = channels - 5 * width
        self.add_coeff = nn.Parameter(torch.zeros(STORED_JOINTS))
        branches = [
            nn.Sequential(*conv_norm_relu(channels, out),
                          UnitTCN(out, out, 3, stride, dilation, norm=False))
            for out, dilation in ((first, 1), (width, 2), (width, 3), (width, 4))
        ]
        pool = nn.MaxPool2d((3, 1), (stride, 1), (1, 0))
        branches.append(nn.Sequential(*conv_norm_relu(channels, width), pool))
        branches.append(nn.Conv2d(channels, width, 1, (stride, 1)))
        self.branches = nn.ModuleList(branches)
        self.transform = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(),
                                       nn.Conv2d(channels, channels, 1))
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C, T', V]``."""
        v = x.shape[-1]
        x = torch.cat([x, x.mean(-1, keepdim=True)], -1)
        y = torch.cat([branch(x) for branch in self.branches], 1)
        together = torch.einsum("nct,v->nctv", y[..., v], self.add_coeff[:v])
        return self.bn(self.transform(y[..., :v] + together))


class Block(nn.Module):
    """Graph convolution, temporal convolution, residual."""

    def __init__(self, channels: int, out_channels: int, joints: int, stride: int, residual: bool):
        super().__init__()
        self.gcn = UnitGCN(channels, out_channels, joints)
        self.tcn = MultiScaleTCN(out_channels, stride)
        self.residual = None
        if residual:
            same = channels == out_channels and stride == 1
            self.residual = nn.Identity() if same else UnitTCN(channels, out_channels, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, T, V]`` to ``[N, C_out, T', V]``."""
        y = self.tcn(self.gcn(x))
        return torch.relu(y if self.residual is None else y + self.residual(x))


class PlainDGSTGCN(nn.Module):
    """The network, with the parameter names of the published checkpoints.

    Args:
        joints: V.
        width: Channels of the first layer, a multiple of 8.
        num_classes: Number of scores.
        channels: C of the clips.
        rows: Width, as a multiple, and stride of every layer.
    """

    def __init__(self, joints: int, width: int, num_classes: int, channels: int = 3,
                 rows: tuple[tuple[int, int], ...] = ROWS):
        super().__init__()
        blocks, before = [], channels
        for i, (multiple, stride) in enumerate(rows):
            blocks.append(Block(before, multiple * width, joints, stride, residual=i > 0))
            before = multiple * width
        self.backbone, self.cls_head = nn.Module(), nn.Module()
        self.backbone.data_bn = nn.BatchNorm1d(channels * joints)
        self.backbone.gcn = nn.Sequential(*blocks)
        self.cls_head.fc_cls = nn.Linear(before, num_classes)

    def features(self, clips: Tensor) -> Tensor:
        """``[N, M, T, V, C]`` to ``[N, M, D, T', V]``."""
        n, m, t, v, c = clips.shape
        x = clips.permute(0, 1, 3, 4, 2).contiguous()
        x = self.backbone.data_bn(x.view(n * m, v * c, t)).view(n * m, v, c, t)
        x = self.backbone.gcn(x.permute(0, 2, 3, 1).contiguous())
        return x.view(n, m, *x.shape[1:])

    def forward(self, clips: Tensor) -> Tensor:
        """``[N, M, T, V, C]`` to scores ``[N, classes]``."""
        return self.cls_head.fc_cls(self.features(clips).mean((3, 4)).mean(1))

"""Graph convolution over joints at several distances, within windows of frames."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad

from skelact.errors import ChoiceError
from skelact.graph.disentangled import disentangled
from skelact.graph.layouts import Layout

OFFSET_RANGE = 1e-6
"""Largest entry of a fresh ``adjacency_offset``, as published."""


class DisentangledGraphConv(nn.Module):
    """Multi-scale graph convolution with a learned offset to the graph (MS-GCN, MS-G3D).

    ``y[target] = b + sum over k, source of (A_k + O_k)[source, target] W_k x[source]`` where
    sources and targets are all joints at all frames of a window, A is `disentangled`, O is learned
    and W_k is one weight a scale. A window of one frame is convolution over the joints (MS-GCN).

    Where channels widen, joints are aggregated before channels are mixed; else channels are mixed
    first, because that is done once a frame and not once a window. Both are exact up to rounding;
    the constructor counts products and takes the cheaper.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        layout: The skeleton.
        scales: K, the number of distances told apart.
        window: W, frames under a window, odd, so that it has a middle.
        stride: Step between windows.
        normalise: Of the graph, see `disentangled`.

    Shapes:
        input ``[B, N, C_in, T]``, output ``[B, N * W, C_out, ceil(T / stride)]``: joint n at frame
        w of the window is entry ``n * W + w``. Frames before and after the clip count as 0.

    Raises:
        ChoiceError: ``window`` is even or not positive, or no such normalisation.

    Source: Liu et al., "Disentangling and Unifying Graph Convolutions for Skeleton-Based Action
    Recognition", CVPR 2020, sections 3.2 and 3.3.
    """

    def __init__(
        self, in_channels: int, out_channels: int, layout: Layout, scales: int, window: int = 1,
        stride: int = 1, normalise: str = "columns",
    ):
        super().__init__()
        if window < 1 or window % 2 == 0:
            raise ChoiceError(f"expected an odd window (it needs a middle), got {window}")
        self.window = window
        self.stride = stride
        adjacency = torch.from_numpy(disentangled(layout, scales, window, normalise))
        self.register_buffer("adjacency", adjacency.to(torch.get_default_dtype()))
        self.adjacency_offset = nn.Parameter(torch.empty_like(self.adjacency))
        self.weight = nn.Parameter(torch.empty(scales, out_channels, in_channels))
        self.bias = nn.Parameter(torch.empty(out_channels))
        # products a window, divided by N K W
        rows = window * layout.num_joints
        self.aggregate_first = (rows * in_channels + in_channels * out_channels
                                < rows * out_channels
                                + in_channels * out_channels * stride / window)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise as torch initialises a 1x1 convolution over all scales."""
        scales, _, in_channels = self.weight.shape
        bound = 1 / math.sqrt(scales * in_channels)
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)
        nn.init.uniform_(self.adjacency_offset, -OFFSET_RANGE, OFFSET_RANGE)

    def extra_repr(self) -> str:
        """Sizes for ``print(layer)``."""
        scales, out_channels, in_channels = self.weight.shape
        return (f"{in_channels}, {out_channels}, scales={scales}, window={self.window}, "
                f"stride={self.stride}")

    def forward(self, features: Tensor) -> Tensor:
        """Convolve over windows; ``[B, N, C_in, T]`` to ``[B, N W, C_out, T']``."""
        convolve = self._aggregate_then_mix if self.aggregate_first else self._mix_then_aggregate
        return convolve(features).permute(0, 2, 3, 1)

    def _split_adjacency(self) -> Tensor:
        """``[K, W, N, W, N]`` as [scale, source frame and joint, target frame and joint]."""
        adjacency = self.adjacency + self.adjacency_offset
        joints = adjacency.shape[1] // self.window
        return adjacency.view(-1, self.window, joints, self.window, joints)

    def _aggregate_then_mix(self, features: Tensor) -> Tensor:
        """``[B, T', N W, C_out]``; one product for the few channels of all windows."""
        scales, out_channels, in_channels = self.weight.shape
        columns = self._split_adjacency().permute(1, 2, 4, 3, 0).flatten(2).flatten(0, 1)
        windows = self._gather_windows(features.permute(0, 3, 1, 2))
        windows = windows.permute(0, 1, 4, 2, 3).flatten(3)  # [B, T', C, W N]
        # rows of one product: as it is, the few channels would be multiplied window by window
        aggregated = windows.flatten(0, 2) @ columns
        rows = columns.shape[1] // scales
        aggregated = aggregated.view(*windows.shape[:3], rows, scales)  # [B, T', C, N W, K]
        mixer = self.weight.permute(1, 0, 2).reshape(out_channels, scales * in_channels)
        return linear(aggregated.permute(0, 1, 3, 4, 2).flatten(3), mixer, self.bias)

    def _mix_then_aggregate(self, features: Tensor) -> Tensor:
        """``[B, T', N W, C_out]``; one small product a window."""
        left = self._split_adjacency().permute(4, 3, 1, 2, 0).flatten(0, 1).flatten(1)
        by_frame = features.permute(0, 3, 1, 2)
        # sizes of a view of overlapping windows are beyond torch.export
        mix = self._mix_in_graph if torch.compiler.is_compiling() else self._mix_timeline
        windows, each = mix(by_frame)
        # cast before it is expanded, or autocast would cast it once a window
        left = left.to(windows.dtype).expand(windows.shape[0], -1, -1)  # [.., N W, W N K]
        answers = 1 + (by_frame.shape[1] - 1) // self.stride
        kept = torch.bmm(left, windows).unflatten(0, (-1, each))[:, :answers]
        return kept + self.bias.to(kept.dtype)

    def _mix_in_graph(self, by_frame: Tensor) -> tuple[Tensor, int]:
        """``[B T', W N K, C_out]`` and T'."""
        windows = self._gather_windows(linear(by_frame, self.weight.flatten(0, 1)))
        return windows.reshape(-1, self.adjacency[..., 0].numel(), len(self.bias)), windows.shape[1]

    def _mix_timeline(self, by_frame: Tensor) -> tuple[Tensor, int]:
        """As `_mix_in_graph`, a view of mixed frames, with some windows more a clip."""
        batch, frames, joints, _ = by_frame.shape
        half, answers = self.window // 2, 1 + (frames - 1) // self.stride
        # All clips in one timeline, so that all windows are equally far apart. The zeros in front
        # of a clip are also those behind the clip before; the few windows over them are dropped.
        each = answers + -(-half // self.stride)
        behind = each * self.stride - half - frames
        timeline = pad(by_frame, (0, 0, 0, 0, half, behind)).flatten(0, 1)
        timeline = pad(timeline, (0, 0, 0, 0, 0, self.window))
        rows = linear(timeline, self.weight.flatten(0, 1)).view(-1, len(self.bias))
        size = joints * len(self.weight)  # rows a frame: joint, scale
        windows = rows.unfold(0, self.window * size, self.stride * size).transpose(1, 2)
        return windows[: batch * each], each

    def _gather_windows(self, by_frame: Tensor) -> Tensor:
        """``[B, T', W, N, C]`` of ``[B, T, N, C]``, copied."""
        if self.window == self.stride == 1:
            return by_frame.unsqueeze(2)
        half, answers = self.window // 2, 1 + (by_frame.shape[1] - 1) // self.stride
        first = torch.arange(answers, device=by_frame.device) * self.stride
        frames = first[:, None] + torch.arange(self.window, device=by_frame.device)
        padded = pad(by_frame, (0, 0, 0, 0, half, half))
        return padded.index_select(1, frames.flatten()).unflatten(1, (-1, self.window))

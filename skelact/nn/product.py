"""Convolutions and norms of a trained layer, folded into products."""

import torch
from torch import Tensor, nn


class Product(nn.Module):
    """``x W + b`` over the last axis.

    `nn.Linear` with W the other way round, which is faster for the few rows of one frame.

    Args:
        weight: ``[C_in, C_out]``.
        bias: ``[C_out]``.
        dtype: Arithmetic of the product.
    """

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype):
        super().__init__()
        # copies, also where nothing is to be converted: what is trained on changes its own
        ordered = torch.contiguous_format
        self.register_buffer("weight", weight.to(dtype, copy=True, memory_format=ordered))
        self.register_buffer("bias", bias.to(dtype, copy=True))

    def forward(self, values: Tensor) -> Tensor:
        """``[P, N, C_in]`` to ``[P, N, C_out]``; or ``[P, N, K, C_in / K]``, K frames of it."""
        people, joints = values.shape[:2]
        rows = values.flatten(0, 1).flatten(1)  # a view, also of the frames of a buffer
        return torch.addmm(self.bias, rows, self.weight).view(people, joints, len(self.bias))


def fold(conv: nn.Linear | nn.Conv2d, norm: nn.BatchNorm2d | None = None) -> Product:
    """A convolution, over frames or pointwise, and the norm behind it as one product.

    Args:
        conv: Its weight is ``[C_out, C_in]`` or ``[C_out, C_in, K, 1]``.
        norm: The norm behind it, if there is one.
    """
    weight, bias = conv.weight.detach().double(), conv.bias.detach().double()
    if weight.dim() == 4:
        weight = weight[..., 0].permute(0, 2, 1).flatten(1)  # frame by frame, as they are kept
    if norm is not None:
        scale, shift = affine(norm)
        weight, bias = weight * scale[:, None], bias * scale + shift
    return Product(weight.T, bias, conv.weight.dtype)


def join(*products: Product) -> Product:
    """Products of the same values, side by side, as one."""
    return Product(torch.cat([product.weight for product in products], dim=1),
                   torch.cat([product.bias for product in products]), products[0].weight.dtype)


def affine(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale and shift ``[C]``, in float64, of a batch norm in eval mode."""
    scale = norm.weight.detach().double() * (norm.running_var.double() + norm.eps).rsqrt()
    return scale, norm.bias.detach().double() - norm.running_mean.double() * scale

"""Inflation: a network for images becomes one for video, with the weights it has.

Source: Carreira and Zisserman, "Quo Vadis, Action Recognition? A New Model and the Kinetics
Dataset", CVPR 2017, section 2.4.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skelact.errors import ChoiceError, SkelactError, one_line
from skelact.rgb.weights import import_torchvision

SAME_IN_VIDEO = (nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.Hardswish, nn.Hardsigmoid, nn.Sigmoid,
                 nn.Tanh, nn.LeakyReLU, nn.ELU, nn.Identity, nn.Dropout, nn.Linear, nn.Flatten,
                 nn.GroupNorm, nn.LayerNorm)
"""Layers without children that do in video as they stand what they do in images."""
PERMUTED = {(0, 2, 3, 1): [0, 2, 3, 4, 1], (0, 3, 1, 2): [0, 4, 1, 2, 3]}
"""Axes with the channels last, and back, for images and for video."""


class InflatedConv(nn.Conv3d):
    """A convolution of images with its kernels repeated along time and divided by their length.

    Time is padded by the frame at the border, not by zeros: so a still image gives the output of
    the convolution that it was made of, at the borders as well.

    Args:
        conv: The convolution of images.
        length: Frames under the kernel.
        stride: Answer every ``stride``-th frame.
        dilation: Step between the frames under the kernel.

    Shapes:
        input ``[B, C, T, H, W]``, output ``[B, C', ceil(T / stride), H', W']``.

    Raises:
        SkelactError: The convolution pads images otherwise than by zeros.
    """

    def __init__(self, conv: nn.Conv2d, length: int, stride: int = 1, dilation: int = 1):
        if conv.padding_mode != "zeros" or isinstance(conv.padding, str):
            raise SkelactError("expected convolutions that pad by a number of zeros, got padding "
                               f"{conv.padding!r} of mode {conv.padding_mode!r}")
        super().__init__(
            conv.in_channels, conv.out_channels, (length, *conv.kernel_size),
            (stride, *conv.stride), (0, *conv.padding), (dilation, *conv.dilation),
            conv.groups, conv.bias is not None, device=conv.weight.device, dtype=conv.weight.dtype)
        with torch.no_grad():
            self.weight.copy_(conv.weight[:, :, None] / length)
            if conv.bias is not None:
                self.bias.copy_(conv.bias)
        reach = dilation * (length - 1)
        self.before, self.after = reach // 2, reach - reach // 2

    def forward(self, features: Tensor) -> Tensor:
        """Convolve ``[B, C, T, H, W]``."""
        if self.before or self.after:
            pad = (0, 0, 0, 0, self.before, self.after)
            features = F.pad(features, pad, mode="replicate")
        return super().forward(features)


class InflatedLayerNorm(nn.LayerNorm):
    """A norm over the channels of every place and moment of ``[B, C, T, H, W]``."""

    def forward(self, features: Tensor) -> Tensor:
        """Normalise; the shape stays."""
        return super().forward(features.movedim(1, -1)).movedim(-1, 1)


def inflate(
    network: nn.Module, time_kernel: int | None = None, time_stride: bool = True
) -> nn.Module:
    """A network for video out of a trained network for images; I3D.

    Every k x k convolution becomes k x k x k (a 1 x 1 stays one frame long), its kernel repeated
    and divided by its length; strides and dilations hold along time as well. Pooling leaves time
    alone until the end, which pools it all. So a repeated still image gives the output of the
    2-D network; that is checked on noise before the network is given away.

    It can inflate networks made of convolutions, batch, group and channel norms, pooling and
    pointwise layers: torchvision's ResNet, ResNeXt, ConvNeXt, VGG, EfficientNet and RegNet, whole
    or in parts. It cannot inflate attention (ViT, Swin), transposed convolutions, or networks
    whose ``forward`` itself counts on four axes (DenseNet, MobileNetV2).

    Args:
        network: Takes ``[B, C, H, W]``; it is copied, not changed.
        time_kernel: Frames under kernels that are wider than 1; by default as many as they are
            wide. 1 looks at every frame by itself.
        time_stride: Thin time out where a convolution thins space out.

    Returns:
        A network that takes ``[B, C, T, H, W]``, T from 1; in the same mode (train or eval).

    Raises:
        SkelactError: A layer that has no inflation; the message names it.
    """
    if time_kernel is not None and time_kernel < 1:
        raise ChoiceError(f"expected a time_kernel of at least one frame, got {time_kernel}")
    try:
        inflated = _inflate(copy.deepcopy(network), time_kernel, time_stride, "").eval()
        _check(copy.deepcopy(network).eval(), inflated)
    except SkelactError as error:
        raise SkelactError(f"cannot inflate {type(network).__name__}: {error}") from error
    for old, new in zip(network.modules(), inflated.modules(), strict=True):
        new.training = old.training
    return inflated


def _inflate(module: nn.Module, kernel: int | None, stride: bool, path: str) -> nn.Module:
    """The inflated form of a module; the children of one that has some are replaced in place."""
    inflated = _inflate_layer(module, kernel, stride)
    if inflated is not None:
        return inflated
    if not list(module.children()) and not isinstance(module, nn.Sequential):
        raise SkelactError(f"{path.rstrip('.') or 'it'} is a {type(module).__name__}, which has "
                           "no known inflation")
    for name, weight in module.named_parameters(recurse=False):
        if weight.shape[1:] != (1, 1):  # ConvNeXt's scale is [C, 1, 1]
            raise SkelactError(f"{path}{name} is a parameter {list(weight.shape)} of a "
                               f"{type(module).__name__}, which has no known inflation")
        setattr(module, name, nn.Parameter(weight.detach()[..., None], weight.requires_grad))
    for name, child in module.named_children():
        setattr(module, name, _inflate(child, kernel, stride, f"{path}{name}."))
    return module


def _inflate_layer(module: nn.Module, kernel: int | None, stride: bool) -> nn.Module | None:
    """The inflated form of a layer that is known; None for another, or what has children."""
    vision = import_torchvision()
    if type(module) is nn.Conv2d:
        return _inflate_conv(module, kernel, stride)
    if type(module) is nn.BatchNorm2d:
        return _take_over(module, nn.BatchNorm3d(
            module.num_features, module.eps, module.momentum, module.affine,
            module.track_running_stats))
    if type(module) in (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d):
        return _inflate_pool(module)
    if isinstance(module, vision.models.convnext.LayerNorm2d):
        return _take_over(module, InflatedLayerNorm(module.normalized_shape, module.eps))
    if isinstance(module, vision.ops.Permute) and tuple(module.dims) in PERMUTED:
        return vision.ops.Permute(PERMUTED[tuple(module.dims)])
    same = isinstance(module, (*SAME_IN_VIDEO, vision.ops.StochasticDepth))
    return module if same else None


def _inflate_conv(conv: nn.Conv2d, kernel: int | None, stride: bool) -> InflatedConv:
    """A convolution whose kernel is as long as it is wide, or ``kernel`` frames."""
    wide = max(conv.kernel_size)
    length = wide if kernel is None or wide == 1 else kernel
    dilation = max(conv.dilation) if length > 1 else 1
    inflated = InflatedConv(conv, length, max(conv.stride) if stride else 1, dilation)
    for name, weight in conv.named_parameters():
        getattr(inflated, name).requires_grad_(weight.requires_grad)
    return inflated


def _inflate_pool(pool: nn.Module) -> nn.Module:
    """A pooling that leaves time alone; the adaptive one, at the end, pools it all."""
    if type(pool) is nn.AdaptiveAvgPool2d:
        return nn.AdaptiveAvgPool3d((1, *_pair(pool.output_size)))
    size, step, padding = map(_pair, (pool.kernel_size, pool.stride, pool.padding))
    shape = ((1, *size), (1, *step), (0, *padding))
    if type(pool) is nn.AvgPool2d:
        return nn.AvgPool3d(*shape, pool.ceil_mode, pool.count_include_pad, pool.divisor_override)
    return nn.MaxPool3d(*shape, (1, *_pair(pool.dilation)), ceil_mode=pool.ceil_mode)


def _take_over(old: nn.Module, new: nn.Module) -> nn.Module:
    """The new layer with the weights of the old one."""
    new.load_state_dict(old.state_dict(), assign=True)
    for mine, its in zip(new.parameters(), old.parameters(), strict=True):
        mine.requires_grad_(its.requires_grad)
    return new


@torch.no_grad()
def _check(network: nn.Module, inflated: nn.Module) -> None:
    """Refuse an inflated network that says something else of a still image."""
    first = next((m for m in network.modules() if isinstance(m, nn.Conv2d)), None)
    if first is None:
        raise SkelactError("it has no convolution")
    noise = torch.randn(1, first.in_channels, 96, 96, generator=torch.Generator().manual_seed(0))
    image = noise.to(first.weight)
    video = copy.deepcopy(inflated).to("meta")  # runs on shapes alone, so it may be long
    try:
        wanted = network(image)
        got = inflated(image[:, :, None].expand(-1, -1, 2, -1, -1))
        shape = video(torch.empty(1, first.in_channels, 96, 96, 96, device="meta")).shape
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise SkelactError("its forward does not run on video; only its layers can be inflated "
                           f"({one_line(error)})") from error
    if got.dim() == 5:
        wanted = wanted[:, :, None].expand(-1, -1, got.shape[2], -1, -1)
    if got.shape != wanted.shape or (got.dim() < 5 and shape != wanted.shape):
        raise SkelactError(f"of a still image it gives {list(got.shape)}, and {list(shape)} of a "
                           f"longer one, instead of {list(wanted.shape)}")
    if wanted.is_meta:
        return
    off, most = (got - wanted).abs().max().item(), wanted.abs().max().item()
    if not off <= 1e3 * torch.finfo(wanted.dtype).eps * max(1.0, most):
        raise SkelactError(f"of a still image it gives values off by {off:.2g}")


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else tuple(size)

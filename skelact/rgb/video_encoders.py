"""Encoders that look at space and time together: I3D, and those of torchvision."""

from pathlib import Path

from torch import Tensor, nn

from skelact.checks import check_choice
from skelact.rgb.encoder import IMAGENET, KINETICS, VideoEncoder, as_tokens
from skelact.rgb.frame_encoders import BACKBONES, Backbone
from skelact.rgb.inflation import inflate
from skelact.rgb.weights import HEADS, State, build_filled, fill, import_torchvision

MVIT = ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225))


class InflatedEncoder(VideoEncoder):
    """I3D: a network for images, inflated; its mean over places and moments.

    Args:
        backbone: The network for images.
        native: Frames, height and width.
        time_kernel: As of `skelact.rgb.inflation.inflate`.
        time_stride: As of `skelact.rgb.inflation.inflate`.

    Shapes:
        input ``[B, 3, T, H, W]``, T from 1; output ``[B, D]``.

    Source: Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017.
    """

    def __init__(
        self, backbone: Backbone, native: tuple[int, int, int] = (32, 224, 224),
        time_kernel: int | None = None, time_stride: bool = True,
    ):
        super().__init__(backbone.dim, native)
        self.network = inflate(backbone.body, time_kernel, time_stride)
        self.norm = backbone.norm

    def encode(self, clips: Tensor) -> Tensor:
        """``[B, L, D]`` of every place and moment."""
        return as_tokens(self.network(clips))

    def pool(self, tokens: Tensor) -> Tensor:
        """``[B, D]``: the mean, and the norm of the network for images where it has one."""
        return self.norm(tokens.mean(dim=1))


class ConvEncoder(VideoEncoder):
    """A convolutional network of torchvision: the mean over places and moments.

    Args:
        network: Maps ``[B, 3, T, H, W]`` to features ``[B, D, T', H', W']``.
        dim: D.
        native: Frames, height and width.
        min_frames: As of `VideoEncoder`.

    Shapes:
        input ``[B, 3, T, H, W]``, T from 1; output ``[B, D]``.
    """

    def __init__(
        self, network: nn.Module, dim: int, native: tuple[int, int, int], min_frames: int = 1
    ):
        super().__init__(dim, native, KINETICS, min_frames=min_frames)
        self.network = network

    def encode(self, clips: Tensor) -> Tensor:
        """``[B, L, D]`` of every place and moment."""
        return as_tokens(self.network(clips))


class SwinEncoder(VideoEncoder):
    """Video Swin transformer: the mean over places and moments.

    Args:
        network: torchvision's, without its classifying layer.

    Shapes:
        input ``[B, 3, T, H, W]``, T from 1; output ``[B, 768]`` (tiny).

    Source: Liu et al., "Video Swin Transformer", CVPR 2022.
    """

    def __init__(self, network: nn.Module):
        super().__init__(network.num_features, (16, 224, 224), IMAGENET)
        self.network = network

    def encode(self, clips: Tensor) -> Tensor:
        """``[B, L, D]`` of every place and moment."""
        places = self.network.features(self.network.pos_drop(self.network.patch_embed(clips)))
        return self.network.norm(places).flatten(1, 3)


class MultiscaleEncoder(VideoEncoder):
    """MViT: attention over ever coarser places and moments; its class token is the vector.

    Args:
        network: torchvision's, without its classifying layer.

    Shapes:
        input ``[B, 3, T, 224, 224]``, T up to 16 (fewer are stretched), or as the network was
        made; tokens ``[B, 1 + 392, 768]``, the class token first; output ``[B, 768]``.

    Source: Li et al., "MViTv2: Improved Multiscale Vision Transformers for Classification and
    Detection", CVPR 2022.
    """

    def __init__(self, network: nn.Module):
        start, strides = network.pos_encoding, network.conv_proj.stride
        size = (start.temporal_size, *start.spatial_size)
        native = tuple(count * stride for count, stride in zip(size, strides, strict=True))
        super().__init__(network.norm.normalized_shape[0], native, MVIT, fixed=True)
        self.network = network

    def encode(self, clips: Tensor) -> Tensor:
        """``[B, 1 + L, D]``: the class token, and every place and moment."""
        start = self.network.pos_encoding
        tokens = start(self.network.conv_proj(clips).flatten(2).transpose(1, 2))
        size = (start.temporal_size, *start.spatial_size)
        for block in self.network.blocks:
            tokens, size = block(tokens, size)
        return self.network.norm(tokens)

    def pool(self, tokens: Tensor) -> Tensor:
        """The class token."""
        return tokens[:, 0]


def i3d(
    backbone: str = "resnet50", weights: str | Path = "official", download: bool = False,
    time_kernel: int | None = None, time_stride: bool = True,
) -> InflatedEncoder:
    """I3D: a network for images, inflated.

    Args:
        backbone: One of `skelact.rgb.frame_encoders.BACKBONES`.
        weights: ``official`` (ImageNet, of torchvision, inflated), ``random``, or a file; see
            `skelact.rgb.weights.build_filled`.
        download: Fetch official weights that are not in torch's cache.
        time_kernel: Frames under kernels wider than 1; by default as many as they are wide.
        time_stride: Thin time out where space is.

    Raises:
        ChoiceError: No such backbone.
        WeightsError: The weights are not there, or are those of something else.
    """
    check_choice(backbone, BACKBONES, "backbone")

    def build(state: State | None) -> InflatedEncoder:
        return InflatedEncoder(Backbone(backbone, state), (32, 224, 224), time_kernel, time_stride)

    return build_filled(build, weights, backbone, download)


def r2plus1d_18(weights: str | Path = "official", download: bool = False) -> ConvEncoder:
    """R(2+1)D with 18 layers: every 3-D convolution as one over space and one over time.

    Args:
        weights: ``official`` (Kinetics-400, of torchvision), ``random``, or a file; see
            `skelact.rgb.weights.build_filled`.
        download: Fetch official weights that are not in torch's cache.

    Raises:
        WeightsError: The weights are not there, or are those of something else.

    Source: Tran et al., "A Closer Look at Spatiotemporal Convolutions for Action Recognition",
    CVPR 2018.
    """
    def build(state: State | None) -> ConvEncoder:
        network = _torchvision("r2plus1d_18", state)
        stages = nn.Sequential()
        for name, part in network.named_children():
            if name not in ("avgpool", "fc"):
                stages.add_module(name, part)
        return ConvEncoder(stages, network.fc.in_features, (16, 112, 112))

    return build_filled(build, weights, "r2plus1d_18", download)


def s3d(weights: str | Path = "official", download: bool = False) -> ConvEncoder:
    """S3D: inception modules with convolutions over space, then over time.

    Args:
        weights: As of `r2plus1d_18`.
        download: As of `r2plus1d_18`.

    Raises:
        WeightsError: The weights are not there, or are those of something else.

    Source: Xie et al., "Rethinking Spatiotemporal Feature Learning", ECCV 2018.
    """
    def build(state: State | None) -> ConvEncoder:
        features = _torchvision("s3d", state).features
        return ConvEncoder(features, 1024, (64, 224, 224), min_frames=16)

    return build_filled(build, weights, "s3d", download)


def swin3d_t(weights: str | Path = "official", download: bool = False) -> SwinEncoder:
    """Video Swin transformer, tiny.

    Args:
        weights: As of `r2plus1d_18`.
        download: As of `r2plus1d_18`.

    Raises:
        WeightsError: The weights are not there, or are those of something else.
    """
    return build_filled(lambda state: SwinEncoder(_torchvision("swin3d_t", state)), weights,
                        "swin3d_t", download)


def mvit_v2_s(weights: str | Path = "official", download: bool = False) -> MultiscaleEncoder:
    """MViTv2, small.

    Args:
        weights: As of `r2plus1d_18`.
        download: As of `r2plus1d_18`.

    Raises:
        WeightsError: The weights are not there, or are those of something else.
    """
    return build_filled(lambda state: MultiscaleEncoder(_torchvision("mvit_v2_s", state)), weights,
                        "mvit_v2_s", download)


def _torchvision(name: str, state: State | None) -> nn.Module:
    """A video network of torchvision, its classifying layer left out where that is ``head``."""
    network = import_torchvision().models.get_model(name, weights=None)
    if state is not None:
        fill(network, state, HEADS)
    if hasattr(network, "head"):
        network.head = nn.Identity()
    return network

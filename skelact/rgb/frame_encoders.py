"""Encoders that look at frames one by one: TSN, TSM, CNN + LSTM, and the stream of optical flow."""

from pathlib import Path

import torch
from torch import Tensor, nn

from skelact.checks import check_choice
from skelact.errors import ChoiceError
from skelact.rgb.encoder import IMAGENET, VideoEncoder
from skelact.rgb.weights import State, build_filled, fill, import_torchvision

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnext50_32x4d")
BACKBONES = (*RESNETS, "convnext_tiny", "convnext_small", "convnext_base")
"""Networks for images that frames can be looked at with; the names are torchvision's."""
FLOW = ((0.0,), (0.452,))
"""Mean and deviation of optical flow in [-1, 1], as in TSN (which has it in [0, 1])."""


class Backbone(nn.Module):
    """A network for images without its classifying layer.

    Args:
        name: One of `BACKBONES`.
        state: Weights of the whole network as torchvision names them; None for random ones.
        channels: Channels of the images. Where they are not three, the mean over the three
            colours of the first kernels stands for each of them, as in TSN.

    Attributes:
        body: Maps ``[B, channels, H, W]`` to features ``[B, D, H / 32, W / 32]``.
        norm: What follows their mean.

    Shapes:
        input ``[B, channels, H, W]``, output ``[B, D]``.

    Raises:
        ChoiceError: Another name.
        WeightsError: The weights are not those of this network.
    """

    def __init__(self, name: str, state: State | None = None, channels: int = 3):
        super().__init__()
        check_choice(name, BACKBONES, "backbone")
        network = import_torchvision().models.get_model(name, weights=None)
        if state is not None:
            fill(network, state, ("fc.",) if name in RESNETS else ("classifier.2.",))
        if name in RESNETS:
            self.dim, self.norm = network.fc.in_features, nn.Identity()
            parts = [part for part in network.named_children() if part[0] not in ("avgpool", "fc")]
            self.body = nn.Sequential()
            for part in parts:
                self.body.add_module(*part)
        else:
            norm = network.classifier[0]
            self.dim, self.body = network.classifier[2].in_features, network.features
            self.norm = nn.LayerNorm(self.dim, eps=norm.eps)
            self.norm.load_state_dict(norm.state_dict(), assign=True)
        if channels != 3:
            _widen(self.body, channels)

    def forward(self, images: Tensor) -> Tensor:
        """``[B, D]`` the vector of each image."""
        return self.norm(self.body(images).mean(dim=(2, 3)))


class FrameEncoder(VideoEncoder):
    """Temporal segment network: every frame by itself, and the mean over frames.

    Args:
        backbone: What looks at frames.
        native: Frames, height and width.
        colours: As of `VideoEncoder`.
        channels: Channels of a frame.

    Shapes:
        input ``[B, channels, T, H, W]``, T from 1; tokens ``[B, T, D]``; output ``[B, D]``.

    Source: Wang et al., "Temporal Segment Networks", ECCV 2016.
    """

    def __init__(
        self, backbone: Backbone, native: tuple[int, int, int] = (8, 224, 224),
        colours: tuple = IMAGENET, channels: int = 3,
    ):
        super().__init__(backbone.dim, native, colours, channels)
        self.network = backbone

    def encode(self, clips: Tensor) -> Tensor:
        """``[B, T, D]`` the vector of every frame."""
        frames = clips.transpose(1, 2)
        return self.network(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])


class TemporalShift(nn.Module):
    """A share of the channels from the next frame, as many from the one before; the rest stays.

    Frames of one clip stand one after another along the first axis. What comes in from beyond the
    clip is 0.

    Args:
        share: 1 / share of the channels go each way.

    Attributes:
        frames: T, the frames of a clip; whoever calls it sets it.

    Shapes:
        input and output ``[B T, C, H, W]``.

    Source: Lin et al., "TSM: Temporal Shift Module for Efficient Video Understanding", ICCV 2019.
    """

    def __init__(self, share: int = 8):
        super().__init__()
        self.share = share
        self.frames = 1

    def forward(self, features: Tensor) -> Tensor:
        """Shift ``[B T, C, H, W]``."""
        clips = features.unflatten(0, (-1, self.frames))
        folded = features.shape[1] // self.share
        shifted = torch.zeros_like(clips)
        shifted[:, :-1, :folded] = clips[:, 1:, :folded]
        shifted[:, 1:, folded : 2 * folded] = clips[:, :-1, folded : 2 * folded]
        shifted[:, :, 2 * folded :] = clips[:, :, 2 * folded :]
        return shifted.flatten(0, 1)


class ShiftEncoder(FrameEncoder):
    """TSM: frames that exchange channels before every residual branch; no parameter is added.

    Args:
        backbone: A ResNet.
        share: 1 / share of the channels go each way.
        native: Frames, height and width.

    Shapes:
        input ``[B, 3, T, H, W]``, T from 1; tokens ``[B, T, D]``; output ``[B, D]``.
    """

    def __init__(
        self, backbone: Backbone, share: int = 8, native: tuple[int, int, int] = (8, 224, 224)
    ):
        super().__init__(backbone, native)
        self.shifts = []
        for name, layer in backbone.body.named_children():
            for block in layer if name.startswith("layer") else ():
                shift = TemporalShift(share)
                self.shifts.append(shift)
                block.conv1 = nn.Sequential(shift, block.conv1)

    def encode(self, clips: Tensor) -> Tensor:
        """``[B, T, D]`` the vector of every frame."""
        for shift in self.shifts:
            shift.frames = clips.shape[2]
        return super().encode(clips)


class RecurrentEncoder(FrameEncoder):
    """CNN + LSTM: an LSTM reads the vectors of the frames in turn; the mean of its states.

    Args:
        backbone: What looks at frames.
        hidden: D, the width of the LSTM.
        native: Frames, height and width.

    Shapes:
        input ``[B, 3, T, H, W]``, T from 1; tokens ``[B, T, D]``; output ``[B, D]``.

    Source: Donahue et al., "Long-term Recurrent Convolutional Networks for Visual Recognition and
    Description", CVPR 2015.
    """

    def __init__(
        self, backbone: Backbone, hidden: int = 512, native: tuple[int, int, int] = (16, 224, 224)
    ):
        super().__init__(backbone, native)
        self.lstm = nn.LSTM(backbone.dim, hidden, batch_first=True)
        self.dim = hidden

    def encode(self, clips: Tensor) -> Tensor:
        """``[B, T, D]`` the state after every frame."""
        return self.lstm(super().encode(clips))[0]


def tsn(
    backbone: str = "resnet50", weights: str | Path = "official", download: bool = False
) -> FrameEncoder:
    """TSN: a network for images on every frame, averaged.

    Args:
        backbone: One of `BACKBONES`.
        weights: ``official`` (ImageNet, of torchvision), ``random``, or a file; see
            `skelact.rgb.weights.build_filled`.
        download: Fetch official weights that are not in torch's cache.

    Raises:
        ChoiceError: No such backbone.
        WeightsError: The weights are not there, or are those of something else.
    """
    check_choice(backbone, BACKBONES, "backbone")
    return build_filled(lambda state: FrameEncoder(Backbone(backbone, state)), weights, backbone,
                        download)


def tsm(
    backbone: str = "resnet50", weights: str | Path = "official", download: bool = False,
    share: int = 8,
) -> ShiftEncoder:
    """TSM: a ResNet whose frames exchange 1 / ``share`` of their channels each way.

    Args:
        backbone: A ResNet of `BACKBONES`.
        weights: As of `tsn`.
        download: As of `tsn`.
        share: At least 2.

    Raises:
        ChoiceError: No such backbone, or no such share.
        WeightsError: The weights are not there, or are those of something else.
    """
    check_choice(backbone, RESNETS, "backbone of TSM")
    if share < 2:
        raise ChoiceError(f"expected a share of at least 2 (half of the channels each way), got "
                          f"{share}")
    return build_filled(lambda state: ShiftEncoder(Backbone(backbone, state), share), weights,
                        backbone, download)


def cnn_lstm(
    backbone: str = "resnet18", weights: str | Path = "official", download: bool = False,
    hidden: int = 512,
) -> RecurrentEncoder:
    """A network for images on every frame, and an LSTM over frames.

    Args:
        backbone: One of `BACKBONES`.
        weights: As of `tsn`; official ones are the backbone's, and the LSTM starts untrained.
        download: As of `tsn`.
        hidden: Width of the LSTM.

    Raises:
        ChoiceError: No such backbone.
        WeightsError: The weights are not there, or are those of something else.
    """
    check_choice(backbone, BACKBONES, "backbone")
    return build_filled(lambda state: RecurrentEncoder(Backbone(backbone, state), hidden), weights,
                        backbone, download)


def flow_stream(
    backbone: str = "resnet50", weights: str | Path = "official", download: bool = False,
    length: int = 10,
) -> FrameEncoder:
    """The temporal stream of a two-stream network: stacks of optical flow, averaged.

    It takes ``[B, 2 length, T, H, W]``: T moments, each with the flow of ``length`` frames (x and
    y in turn), as `skelact.rgb.flow.stack_flow` makes them.

    Args:
        backbone: One of `BACKBONES`.
        weights: As of `tsn`; the first kernels of ImageNet weights are averaged over colours.
        download: As of `tsn`.
        length: L, frames of flow in a stack.

    Raises:
        ChoiceError: No such backbone.
        WeightsError: The weights are not there, or are those of something else.

    Source: Simonyan and Zisserman, "Two-Stream Convolutional Networks for Action Recognition in
    Videos", NeurIPS 2014; Wang et al., 2016 (the first kernels).
    """
    check_choice(backbone, BACKBONES, "backbone")

    def build(state: State | None) -> FrameEncoder:
        network = Backbone(backbone, state, 2 * length)
        return FrameEncoder(network, (3, 224, 224), FLOW, 2 * length)

    return build_filled(build, weights, backbone, download)


def _widen(body: nn.Sequential, channels: int) -> None:
    """Let the first convolution take another number of channels, in place."""
    holder = body if isinstance(body[0], nn.Conv2d) else body[0]
    first = holder[0]
    wide = nn.Conv2d(channels, first.out_channels, first.kernel_size, first.stride, first.padding,
                     bias=first.bias is not None)
    state = first.state_dict()
    state["weight"] = state["weight"].mean(dim=1, keepdim=True).repeat(1, channels, 1, 1)
    wide.load_state_dict(state, assign=True)
    holder[0] = wide

"""The one interface of all encoders of pixels: a clip in, a vector (or tokens) out."""

import math

import torch
from torch import Tensor, nn

from skelact.checks import check_shape
from skelact.errors import ShapeError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of colours that ImageNet weights expect."""
KINETICS = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
"""Those that torchvision's convolutional Kinetics weights expect."""


class VideoEncoder(nn.Module):
    """Turns clips of pixels into vectors; every encoder is one.

    A subclass gives `encode` (tokens) and, where the vector is not their mean, `pool`. Its network
    stands in ``network``, under the names of whoever published it.

    One rule for short clips: a clip of fewer frames than the network can take, down to one image,
    is stretched by repeating its frames as evenly as can be. A network with a fixed size refuses
    longer clips and other images: sample ``native[0]`` frames.

    Args:
        dim: D, the length of the vector.
        native: Frames, height and width that the network was designed for.
        colours: Mean and deviation of every channel, of values in [0, 1].
        channels: Channels of the input; 3 for RGB.
        multiple: The number of frames is brought to a multiple of it.
        min_frames: The fewest frames that the network takes; fewer are stretched.
        min_size: The least height and width.
        fixed: The network takes its native size only.

    Shapes:
        input ``[B, channels, T, H, W]`` normalised, T from 1; output ``[B, D]``.

    Raises:
        ShapeError: Clips of another form.
    """

    def __init__(
        self, dim: int, native: tuple[int, int, int],
        colours: tuple[tuple[float, ...], tuple[float, ...]] = IMAGENET, channels: int = 3,
        multiple: int = 1, min_frames: int = 1, min_size: int = 32, fixed: bool = False,
    ):
        super().__init__()
        self.dim = dim
        self.native = native
        self.mean, self.std = colours
        self.channels = channels
        self.multiple = multiple
        self.min_frames = min_frames
        self.min_size = min_size
        self.fixed = fixed

    def forward(self, clips: Tensor) -> Tensor:
        """``[B, D]`` the vector of each clip."""
        return self.pool(self.tokens(clips))

    def tokens(self, clips: Tensor) -> Tensor:
        """``[B, L, D]`` what the network says of places and moments, for attention over them."""
        return self.encode(self.fit(clips))

    def encode(self, clips: Tensor) -> Tensor:
        """``[B, L, D]`` of clips that fit; a subclass gives it."""
        raise NotImplementedError

    def pool(self, tokens: Tensor) -> Tensor:
        """``[B, D]`` the vector of ``[B, L, D]`` tokens."""
        return tokens.mean(dim=1)

    def fit(self, clips: Tensor) -> Tensor:
        """The clips with a number of frames that the network takes.

        Raises:
            ShapeError: Other axes, no frames, or images of a size that it does not take.
        """
        check_shape(clips, ("B", self.channels, "T", "H", "W"), "clips of pixels")
        if not clips.is_floating_point():
            raise ShapeError(f"expected normalised clips as floats, got {clips.dtype}; "
                             "encoder.normalise(pixels) makes them of 0..255")
        self._check_size(*clips.shape[2:])
        frames, wanted = clips.shape[2], self._fit_frames(clips.shape[2])
        if wanted == frames:
            return clips
        return clips[:, :, torch.arange(wanted, device=clips.device) * frames // wanted]

    def normalise(self, pixels: Tensor) -> Tensor:
        """Pixels as the network wants them.

        Args:
            pixels: ``[B, channels, T, H, W]``: colours as uint8, or as floats in [0, 1]; optical
                flow as floats in [-1, 1].

        Returns:
            The same shape, float32 where uint8 came.

        Raises:
            ShapeError: Other axes, or other numbers.
        """
        check_shape(pixels, ("B", self.channels, "T", "H", "W"), "clips of pixels")
        colours = pixels.dtype == torch.uint8 and self.channels == 3
        values = pixels.float() / 255 if colours else pixels
        if not values.is_floating_point():
            raise ShapeError("expected colours as uint8 or as floats in [0, 1] (flow: [-1, 1]), "
                             f"got {pixels.dtype} in {self.channels} channels")
        mean, std = (values.new_tensor(part)[:, None, None, None] for part in (self.mean, self.std))
        return (values - mean) / std

    def _fit_frames(self, frames: int) -> int:
        if self.fixed:
            return self.native[0]
        return math.ceil(max(frames, self.min_frames) / self.multiple) * self.multiple

    def _check_size(self, frames: int, height: int, width: int) -> None:
        most, *size = self.native
        if frames < 1:
            raise ShapeError("expected clips of at least one frame, got none")
        if self.fixed and (frames > most or [height, width] != size):
            raise ShapeError(f"expected clips of at most {most} frames of {size[0]} x {size[1]} "
                             f"pixels, the only size of {type(self).__name__}; got {frames} of "
                             f"{height} x {width}")
        if min(height, width) < self.min_size:
            raise ShapeError(f"expected images of at least {self.min_size} x {self.min_size} "
                             f"pixels, got {height} x {width}; enlarge them")


def as_tokens(features: Tensor) -> Tensor:
    """A feature map ``[B, D, T, H, W]`` as tokens ``[B, T H W, D]``."""
    return features.flatten(2).transpose(1, 2)

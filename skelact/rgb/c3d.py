"""C3D: eight convolutions of 3 x 3 x 3."""

from pathlib import Path

from torch import Tensor, nn

from skelact.rgb.encoder import KINETICS, VideoEncoder, as_tokens
from skelact.rgb.weights import State, build_filled, fill


class C3D(VideoEncoder):
    """The network whose only kernel is 3 x 3 x 3.

    Its two wide layers hold 50 of its 78 million weights; without them the mean of the last feature
    map is the vector, which suits small data sets. With them, the maps of clips that are not of 16
    frames of 112 x 112 pixels are averaged to the 1 x 4 x 4 that they need.

    Args:
        wide: Keep the two layers of 4096.

    Shapes:
        input ``[B, 3, T, H, W]``, fewer than 16 frames are stretched to 16, images from 32 x 32;
        output ``[B, 4096]``, or ``[B, 512]`` without the wide layers.

    Source: Tran et al., "Learning Spatiotemporal Features with 3D Convolutional Networks", ICCV
    2015, figure 3.
    """

    def __init__(self, wide: bool = True):
        super().__init__(4096 if wide else 512, (16, 112, 112), KINETICS, min_frames=16)
        self.network = nn.Sequential(
            *_stage(3, 64, pool=(1, 2, 2)),
            *_stage(64, 128),
            *_stage(128, 256, 256),
            *_stage(256, 512, 512),
            *_stage(512, 512, 512, pad=(0, 1, 1)),
        )
        if wide:
            self.network.extend([
                nn.AdaptiveAvgPool3d((1, 4, 4)),
                nn.Flatten(),
                nn.Linear(512 * 4 * 4, 4096), nn.ReLU(), nn.Dropout(0.5),
                nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
                nn.Unflatten(1, (4096, 1, 1, 1)),
            ])

    def encode(self, clips: Tensor) -> Tensor:
        """``[B, L, D]`` of every place and moment; one token with the wide layers."""
        return as_tokens(self.network(clips))


def c3d(weights: str | Path = "official", download: bool = False, wide: bool = True) -> C3D:
    """C3D.

    Args:
        weights: ``random``, or a file with the state dict of a `C3D`. No library publishes its
            weights, so ``official`` is refused.
        download: Changes nothing.
        wide: Keep the two layers of 4096.

    Raises:
        WeightsError: Official weights, or those of something else.
    """
    def build(state: State | None) -> C3D:
        encoder = C3D(wide)
        if state is not None:
            fill(encoder.network, state)
        return encoder

    return build_filled(build, weights, None, download)


def _stage(
    channels: int, *widths: int, pool: tuple[int, int, int] = (2, 2, 2),
    pad: tuple[int, int, int] = (0, 0, 0),
) -> list[nn.Module]:
    """Convolutions, each with its ReLU, and a pooling."""
    layers = []
    for width in widths:
        layers += [nn.Conv3d(channels, width, 3, padding=1), nn.ReLU()]
        channels = width
    return [*layers, nn.MaxPool3d(pool, pool, pad)]

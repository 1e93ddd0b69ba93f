"""All encoders of pixels by name, and what they are made with.

Every one is a `VideoEncoder`: ``[B, 3, T, H, W] -> [B, D]``. See docs/rgb.md for a table.
"""

from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path

from skelact.checks import check_choice
from skelact.errors import ChoiceError
from skelact.rgb.c3d import c3d
from skelact.rgb.encoder import VideoEncoder
from skelact.rgb.frame_encoders import cnn_lstm, flow_stream, tsm, tsn
from skelact.rgb.inflation import inflate
from skelact.rgb.slowfast import slowfast
from skelact.rgb.video_encoders import i3d, mvit_v2_s, r2plus1d_18, s3d, swin3d_t
from skelact.rgb.video_transformers import timesformer, videomae, vivit

__all__ = ["ENCODERS", "VideoEncoder", "build_encoder", "inflate"]

ENCODERS: dict[str, Callable[..., VideoEncoder]] = {
    "tsn": tsn,
    "tsm": tsm,
    "cnn_lstm": cnn_lstm,
    "c3d": c3d,
    "i3d": i3d,
    "r2plus1d_18": r2plus1d_18,
    "s3d": s3d,
    "slowfast": slowfast,
    "mvit_v2_s": mvit_v2_s,
    "swin3d_t": swin3d_t,
    "timesformer": timesformer,
    "vivit": vivit,
    "videomae": videomae,
    "flow": flow_stream,
}
"""The functions that build an encoder, by name."""


def build_encoder(
    name: str, weights: str | Path = "official", download: bool = False, **arguments
) -> VideoEncoder:
    """The encoder of that name.

    Args:
        name: One of `ENCODERS`.
        weights: ``official``: published ones, out of the cache of torch (or transformers);
            ``random``: untrained; else a file with a state dict.
        download: Fetch official weights that are not in the cache.
        arguments: Further ones of its function.

    Raises:
        ChoiceError: No such encoder, or it takes no such argument.
        MissingDependencyError: It needs a package that is not installed.
        WeightsError: The weights are not there, or are those of something else.

    Example:
        >>> encoder = build_encoder("tsn", weights="random", backbone="resnet18")
        >>> encoder(torch.randn(2, 3, 1, 224, 224)).shape
        torch.Size([2, 512])
    """
    build = ENCODERS[check_choice(name, ENCODERS, "encoder")]
    taken = signature(build).parameters
    if not any(one.kind is Parameter.VAR_KEYWORD for one in taken.values()):
        for argument in arguments:
            if argument not in taken:
                raise ChoiceError(f"the encoder {name} takes no {argument}; it takes "
                                  f"{', '.join(taken)}")
    return build(weights=weights, download=download, **arguments)

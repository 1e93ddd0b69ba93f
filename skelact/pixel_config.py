"""Settings of pixels beside the skeleton: which are cut out, and what looks at them."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

from skelact.checks import check_choice
from skelact.errors import ChoiceError

RegionName = Literal["frame", "person", "hands"]
SamplingName = Literal["segments", "consecutive", "two_rates"]
EncoderName = Literal[
    "", "tsn", "tsm", "cnn_lstm", "c3d", "i3d", "r2plus1d_18", "s3d", "slowfast", "mvit_v2_s",
    "swin3d_t", "timesformer", "vivit", "videomae",
]
FusionName = Literal["late", "logistic", "concat", "gated", "attention"]


@dataclass(frozen=True)
class PixelCut:
    """Which pixels of a video are looked at; a checkpoint that wants pixels carries it."""

    region: RegionName = "person"
    """frame: the whole image; person: the square around the person; hands: two squares, around
    the left and the right hand."""
    sampling: SamplingName = "segments"
    """segments: a frame out of each of so many equal parts (TSN); consecutive: neighbouring frames
    from one place; two_rates: alpha frames, evenly spread, in each part (slow and fast)."""
    frames: int = 8
    """Frames looked at; with two_rates the slow ones."""
    size: int = 112
    """Pixels along each side of what is cut out."""
    step: int = 2
    """consecutive: frames of the video from one to the next."""
    alpha: int = 8
    """two_rates: fast frames for one slow frame."""
    margin: float = 0.2
    """What is added to each side of the square around a person or hand, as a share of it."""

    def __post_init__(self) -> None:
        check_choice(self.region, get_args(RegionName), "region")
        check_choice(self.sampling, get_args(SamplingName), "sampling")
        for name, low, high in (("frames", 1, 256), ("size", 16, 1024), ("step", 1, 256),
                                ("alpha", 1, 64), ("margin", 0, 4)):
            if not low <= getattr(self, name) <= high:
                raise ChoiceError(f"expected {name} of a cut in {low}..{high}, got "
                                  f"{getattr(self, name)}")

    @property
    def views(self) -> int:
        """V, how many squares are cut out of each frame."""
        return 2 if self.region == "hands" else 1

    @property
    def length(self) -> int:
        """T, how many frames are looked at in all."""
        return self.frames * (self.alpha if self.sampling == "two_rates" else 1)


@dataclass(frozen=True)
class RgbConfig(PixelCut):
    """Pixels beside the skeleton; by default none are looked at."""

    encoder: EncoderName = ""
    """What looks at the pixels (docs/rgb.md); empty for the skeleton alone."""
    backbone: str = ""
    """Network for images of tsn, tsm, cnn_lstm and i3d, such as resnet18; empty for its own."""
    weights: str = "official"
    """official: published ones out of torch's cache; random: untrained; or a file."""
    fusion: FusionName = "late"
    """late: mean of the probabilities of two networks; logistic: a regression on them, learned on
    validation clips; concat, gated, attention: features under one head."""
    tune: bool = False
    """late: weigh the two by validation clips instead of half and half."""
    videos: str = ""
    """Folder of the videos, where they no longer lie where the store was made from them."""
    cache: str = ""
    """Folder in which what was cut out is kept, so that every video is decoded once; may be
    removed at any time."""
    drop: float = 0.2
    """concat, gated, attention: share of training clips shown without pixels, so that the network
    also learns to do without."""
    lr: float = 1.0
    """Learning rate of the encoder, as a share of optim.lr; 0 keeps its weights."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.encoder, get_args(EncoderName), "rgb.encoder")
        check_choice(self.fusion, get_args(FusionName), "rgb.fusion")
        for name, high in (("drop", 0.99), ("lr", 1000.0)):
            if not 0 <= getattr(self, name) <= high:
                raise ChoiceError(f"expected rgb.{name} in 0..{high:g}, got {getattr(self, name)}")
        changed = [field.name for field in fields(self) if getattr(self, field.name)
                   != field.default]
        if changed and not self.encoder:
            raise ChoiceError(f"rgb.{changed[0]} says how pixels are looked at, and nothing looks "
                              "at them; pass --rgb.encoder too, such as tsn")
        if self.tune and self.fusion != "late":
            raise ChoiceError(f"rgb.tune weighs late fusion, got rgb.fusion {self.fusion}; leave "
                              "one of them out")

    @property
    def cut(self) -> PixelCut:
        """Which pixels."""
        return PixelCut(**{field.name: getattr(self, field.name) for field in fields(PixelCut)})

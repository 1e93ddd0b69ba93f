"""A skeleton network and an encoder of pixels as one network: late fusion, and what a model keeps.

Every network of two streams has ``skeleton`` and ``encoder``, and two steps: `look` at the pixels,
then `judge` them with the joints. So clips of joints that share their pixels (views of one clip)
are judged after one look.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from skelact.errors import ShapeError, WeightsError
from skelact.models.checkpoint import ActionModel, PixelPart
from skelact.models.classifier import SkeletonClassifier
from skelact.pixel_config import PixelCut
from skelact.rgb.encoder import VideoEncoder
from skelact.rgb.encoders import build_encoder
from skelact.rgb.fusion import FUSIONS, FusedClassifier, check_as_many, look_at

SMALLEST = 1e-6
"""Probabilities below it count as it, where a logarithm is taken."""


class TwoStream(Protocol):
    """What `LateClassifier` and `FusedClassifier` have in common."""

    skeleton: SkeletonClassifier
    encoder: VideoEncoder
    head: nn.Linear

    def look(
        self, pixels: Tensor | None, present: Tensor | None = None
    ) -> tuple[Tensor | None, Tensor | None]:
        """``[B, L, D]`` tokens of the pixels, and ``[B]`` of which clips there are any."""

    def judge(self, clips: Tensor, tokens: Tensor | None, seen: Tensor | None) -> Tensor:
        """``[B, num_scores]`` scores."""


class LateClassifier(nn.Module):
    """Two networks with a head each, whose probabilities are fused.

    In training each learns on its own, so `forward` gives the scores of both. Otherwise it gives
    logarithms of the fused probabilities, as scores before softmax: their softmax is the fusion.
    Of a clip without pixels the skeleton decides alone. Where the skeleton network has one score
    more, for "no known action", that one is the skeleton's.

    Args:
        skeleton: The skeleton network, with its head.
        encoder: Looks at pixels.
        num_classes: K, without "no known action".

    Attributes:
        weights: ``[2]`` of skeleton and pixels in the mean.
        coefficients: ``[2 K, K]`` of a logistic regression on log-probabilities, which takes the
            place of the mean where it is not 0; see `skelact.evaluation.modality_fusion`.
        intercepts: ``[K]`` of it.

    Shapes:
        clips ``[B, M, N, C, T]``; pixels ``[B, 3, T', H, W]`` or ``[B, V, 3, T', H, W]`` views,
        uint8 or normalised, or None; present ``[B]`` or ``[B, V]`` bool, None for all; output
        ``[B, K]``, with "no known action" ``[B, K + 1]``; in training also ``[B, K]`` of the
        pixels, and ``[B]`` bool of which clips there are any.
    """

    def __init__(self, skeleton: SkeletonClassifier, encoder: VideoEncoder, num_classes: int):
        super().__init__()
        self.skeleton = skeleton
        self.encoder = encoder
        self.num_classes = num_classes
        self.head = nn.Linear(encoder.dim, num_classes)
        self.register_buffer("weights", torch.tensor([0.5, 0.5]))
        self.register_buffer("coefficients", torch.zeros(2 * num_classes, num_classes))
        self.register_buffer("intercepts", torch.zeros(num_classes))

    def forward(
        self, clips: Tensor, pixels: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """Fused scores; in training those of both.

        Raises:
            ShapeError: Not as many clips of pixels as of joints.
        """
        check_as_many(clips, pixels)
        if not self.training:
            return self.judge(clips, *self.look(pixels, present))
        scores = self.skeleton(clips)  # first: its dropout then is what it would be alone
        tokens, seen = self.look(pixels, present)
        if tokens is None:
            return (scores, scores.new_zeros(len(scores), self.num_classes),
                    scores.new_zeros(len(scores), dtype=torch.bool))
        return scores, self._score_pixels(tokens), seen

    def look(
        self, pixels: Tensor | None, present: Tensor | None = None
    ) -> tuple[Tensor | None, Tensor | None]:
        """``[B, L, D]`` tokens of the pixels, and ``[B]`` of which clips there are any."""
        tokens, seen = look_at(self.encoder, pixels, present)
        if tokens is not None and seen is None:
            seen = tokens.new_ones(len(tokens), dtype=torch.bool)
        return tokens, seen

    def judge(self, clips: Tensor, tokens: Tensor | None, seen: Tensor | None) -> Tensor:
        """Fused scores of joints and of what `look` gave."""
        scores = self.skeleton(clips)
        if tokens is None:
            return scores
        actions = scores[:, : self.num_classes].float()
        fused = self._fuse(actions.softmax(dim=1),
                           self._score_pixels(tokens).float().softmax(dim=1))
        # softmax of logarithms gives back the very probabilities
        actions = torch.where(seen[:, None], fused, actions)
        return torch.cat([actions, scores[:, self.num_classes :].float()], dim=1)

    def _score_pixels(self, tokens: Tensor) -> Tensor:
        return self.head(self.encoder.pool(tokens))

    def _fuse(self, skeleton: Tensor, rgb: Tensor) -> Tensor:
        """``[B, K]`` scores of probabilities."""
        if self.coefficients.any():
            both = torch.cat([skeleton, rgb], dim=1).clamp_min(SMALLEST).log()
            return both @ self.coefficients + self.intercepts
        shares = self.weights / self.weights.sum()
        mean = shares[0] * skeleton + shares[1] * rgb
        return mean.clamp_min(torch.finfo(mean.dtype).tiny).log()


def build_two_stream(
    skeleton: SkeletonClassifier, encoder: VideoEncoder, num_classes: int, fusion: str
) -> LateClassifier | FusedClassifier:
    """A skeleton network and an encoder as one network.

    Args:
        skeleton: With a head; fusions of features take another in its place.
        encoder: Looks at pixels.
        num_classes: Without "no known action".
        fusion: ``late``, ``logistic``, or one of `FUSIONS`.
    """
    if fusion in FUSIONS:
        network = FusedClassifier(skeleton, encoder, skeleton.head.out_features, fusion)
        skeleton.head.requires_grad_(False)  # another takes its place
    else:
        network = LateClassifier(skeleton, encoder, num_classes)
    network.architecture = skeleton.architecture
    return network


def split_pixels(
    network: LateClassifier | FusedClassifier, cut: PixelCut, encoder: str, arguments: dict,
    fusion: str,
) -> tuple[SkeletonClassifier, PixelPart]:
    """A network of two streams as a model keeps it.

    The skeleton network gets the head that scores a clip without pixels as the two would: of
    fusions of features the part of their head that sees the skeleton.

    Args:
        network: Of `build_two_stream`.
        cut: Which pixels it wants.
        encoder: Name of its encoder.
        arguments: Those of the encoder's function.
        fusion: How the two are fused.
    """
    skeleton = network.skeleton
    if isinstance(network, FusedClassifier):
        with torch.no_grad():
            skeleton.head.weight.copy_(network.head.weight[:, : skeleton.head.in_features])
            skeleton.head.bias.copy_(network.head.bias)
    weights = {name: value for name, value in network.state_dict().items()
               if not name.startswith("skeleton.")}
    return skeleton, PixelPart(cut, encoder, arguments, fusion, weights)


def join_pixels(model: ActionModel) -> LateClassifier | FusedClassifier:
    """The network of a model that takes joints and pixels, in eval mode, where the model is.

    Raises:
        WeightsError: The model looks at skeletons only, or does not fit this skelact.
        MissingDependencyError: Its encoder needs a package that is not installed.
    """
    part = model.pixels
    if part is None:
        raise WeightsError(f"the model {model.name} looks at skeletons only; train one with "
                           "--rgb.encoder")
    device = next(model.network.parameters()).device
    encoder = build_encoder(part.encoder, "random", **part.arguments)
    network = build_two_stream(model.network, encoder, len(model.classes), part.fusion)
    fill_pixels(network, part.weights)
    return network.to(device).eval().requires_grad_(False)


def fill_pixels(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Load the weights that a `PixelPart` keeps; the skeleton's stay.

    Raises:
        WeightsError: They are of another network.
    """
    expected = {name: value.shape for name, value in network.state_dict().items()
                if not name.startswith("skeleton.")}
    given = {name: value.shape for name, value in weights.items()}
    if expected != given:
        odd = sorted(name for name in expected.keys() | given.keys()
                     if expected.get(name) != given.get(name))
        raise WeightsError(f"the checkpoint's pixel part does not fit this skelact: {len(odd)} "
                           f"weights differ, such as {odd[0]}")
    network.load_state_dict(weights, strict=False)


def check_look(encoder: VideoEncoder, cut: PixelCut) -> None:
    """Refuse a cut that an encoder cannot take, by trying it on nothing.

    Raises:
        ShapeError: It cannot; the message says what it takes.
    """
    length, height, width = encoder.native
    if encoder.fixed and (cut.length > length or (cut.size, cut.size) != (height, width)):
        raise ShapeError(f"expected at most {length} frames of {height} x {width} pixels, the only "
                         f"size of this encoder, got {cut.length} of {cut.size} x {cut.size}; pass "
                         f"--rgb.frames {length} --rgb.size {height}")
    if cut.size < encoder.min_size:
        raise ShapeError(f"expected --rgb.size of at least {encoder.min_size} for this encoder, "
                         f"got {cut.size}")

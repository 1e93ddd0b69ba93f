"""Fusion of features: what the skeleton says, with what the pixels say where there are any.

In every module, of a clip without pixels the result is what the skeleton alone would give, bit for
bit: whatever stands in its row of pixels (also NaN) is not looked at, and gives no gradient. The
fusion of scores is in `skelact.evaluation.fusion` and `skelact.evaluation.modality_fusion`.
"""

import torch
from torch import Tensor, nn

from skelact.checks import check_choice, check_shape
from skelact.errors import ChoiceError, ShapeError
from skelact.models.classifier import SkeletonClassifier
from skelact.rgb.encoder import VideoEncoder

AT_ONCE = 8
"""Clips of pixels that are looked at together outside of training; a clip may take 1 GB."""


class ConcatFusion(nn.Module):
    """Features side by side; 0 in place of pixels that are not there.

    Args:
        skeleton_dim: D of the skeleton's features.
        rgb_dim: D of the encoder's.

    Attributes:
        dim: Length of what comes out, the sum of both.

    Shapes:
        skeleton ``[B, D]``, rgb ``[B, L, D']`` or None, present ``[B]`` bool or None (all);
        output ``[B, D + D']``.

    Raises:
        ShapeError: Features of another form.
    """

    def __init__(self, skeleton_dim: int, rgb_dim: int):
        super().__init__()
        self.skeleton_dim = skeleton_dim
        self.rgb_dim = rgb_dim
        self.dim = skeleton_dim + rgb_dim

    def forward(
        self, skeleton: Tensor, rgb: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor:
        """Join the features, pixels by the mean of their tokens."""
        check_features(skeleton, rgb, present, self.skeleton_dim, self.rgb_dim)
        if rgb is None:
            pixels = skeleton.new_zeros(len(skeleton), self.rgb_dim)
        else:
            pixels = hide_absent(rgb, present).mean(dim=1)
        return torch.cat([skeleton, pixels], dim=1)


class GatedFusion(nn.Module):
    """The skeleton's features and a gated share of the pixels'.

    ``y = s + sigmoid(A [s; r] + a) * (W r + w)``, and ``y = s`` without pixels.

    Args:
        skeleton_dim: D of the skeleton's features.
        rgb_dim: D' of the encoder's.

    Attributes:
        dim: D.

    Shapes:
        skeleton ``[B, D]``, rgb ``[B, L, D']`` or None, present ``[B]`` bool or None (all);
        output ``[B, D]``.

    Raises:
        ShapeError: Features of another form.

    Source: after Arevalo et al., "Gated Multimodal Units for Information Fusion", 2017.
    """

    def __init__(self, skeleton_dim: int, rgb_dim: int):
        super().__init__()
        self.dim = self.skeleton_dim = skeleton_dim
        self.rgb_dim = rgb_dim
        self.gate = nn.Linear(skeleton_dim + rgb_dim, skeleton_dim)
        self.project = nn.Linear(rgb_dim, skeleton_dim)

    def forward(
        self, skeleton: Tensor, rgb: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor:
        """Add what the gate lets through."""
        check_features(skeleton, rgb, present, self.skeleton_dim, self.rgb_dim)
        if rgb is None:
            return skeleton
        pixels = hide_absent(rgb, present).mean(dim=1)
        gate = torch.sigmoid(self.gate(torch.cat([skeleton, pixels], dim=1)))
        return add_present(skeleton, gate * self.project(pixels), present)


class CrossAttentionFusion(nn.Module):
    """The skeleton's features ask the pixels' tokens, and what they answer is added.

    Args:
        skeleton_dim: D of the skeleton's features; a multiple of ``heads``.
        rgb_dim: D' of the encoder's tokens.
        heads: Heads of the attention.

    Attributes:
        dim: D.

    Shapes:
        skeleton ``[B, D]``, or ``[B, Q, D]`` to ask with several (joints or moments); rgb
        ``[B, L, D']`` or None, present ``[B]`` bool or None (all); output as the skeleton.

    Raises:
        ChoiceError: A D that ``heads`` do not divide.
        ShapeError: Features of another form.

    Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.2.
    """

    def __init__(self, skeleton_dim: int, rgb_dim: int, heads: int = 4):
        super().__init__()
        if heads < 1 or skeleton_dim % heads:
            raise ChoiceError(f"expected heads that divide {skeleton_dim} features, got {heads}")
        self.dim = self.skeleton_dim = skeleton_dim
        self.rgb_dim = rgb_dim
        self.norm_skeleton = nn.LayerNorm(skeleton_dim)
        self.norm_rgb = nn.LayerNorm(rgb_dim)
        self.attention = nn.MultiheadAttention(
            skeleton_dim, heads, kdim=rgb_dim, vdim=rgb_dim, batch_first=True)

    def forward(
        self, skeleton: Tensor, rgb: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor:
        """Add what the pixels answer."""
        asked = skeleton[:, None] if skeleton.dim() == 2 else skeleton
        check_shape(asked, ("B", "Q", self.skeleton_dim), "features of the skeleton")
        check_features(asked[:, 0], rgb, present, self.skeleton_dim, self.rgb_dim)
        if rgb is None:
            return skeleton
        tokens = self.norm_rgb(hide_absent(rgb, present))
        answer, _ = self.attention(self.norm_skeleton(asked), tokens, tokens, need_weights=False)
        return add_present(skeleton, answer.view_as(skeleton), present)


FUSIONS = {"concat": ConcatFusion, "gated": GatedFusion, "attention": CrossAttentionFusion}
"""Fusions of features, by name."""


class FusedClassifier(nn.Module):
    """A skeleton network and an encoder of pixels under one head.

    Without pixels, for a batch or for single clips, the same call scores by the skeleton alone:
    the encoder is not run on what is not there.

    Args:
        skeleton: Gives the features of the skeleton; its own head is not used.
        encoder: Gives tokens of the pixels.
        num_classes: Number of scores.
        fusion: One of `FUSIONS`.

    Shapes:
        clips ``[B, M, N, C, T]``; pixels ``[B, 3, T', H, W]`` or ``[B, V, 3, T', H, W]`` views,
        normalised or uint8, or None; present ``[B]`` or ``[B, V]`` bool, or None for all; output
        ``[B, num_classes]``.

    Raises:
        ChoiceError: No such fusion.
    """

    def __init__(
        self, skeleton: SkeletonClassifier, encoder: VideoEncoder, num_classes: int,
        fusion: str = "gated",
    ):
        super().__init__()
        self.skeleton = skeleton
        self.encoder = encoder
        kind = FUSIONS[check_choice(fusion, FUSIONS, "fusion of features")]
        self.fusion = kind(skeleton.head.in_features, encoder.dim)
        self.head = nn.Linear(self.fusion.dim, num_classes)

    def forward(
        self, clips: Tensor, pixels: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor:
        """Scores ``[B, num_classes]``.

        Raises:
            ShapeError: Not as many clips of pixels as of joints.
        """
        check_as_many(clips, pixels)
        return self.judge(clips, *self.look(pixels, present))

    def look(
        self, pixels: Tensor | None, present: Tensor | None = None
    ) -> tuple[Tensor | None, Tensor | None]:
        """``[B, L, D']`` tokens of the pixels, and ``[B]`` of which clips there are any."""
        return look_at(self.encoder, pixels, present)

    def judge(self, clips: Tensor, tokens: Tensor | None, seen: Tensor | None) -> Tensor:
        """Scores of joints and of what `look` gave."""
        return self.head(self.fusion(self.skeleton.embed(clips), tokens, seen))


def look_at(
    encoder: VideoEncoder, pixels: Tensor | None, present: Tensor | None = None
) -> tuple[Tensor | None, Tensor | None]:
    """What an encoder says of the clips that have pixels; it is not run on the others.

    Args:
        encoder: Looks at each view by itself.
        pixels: ``[B, 3, T, H, W]``, or ``[B, V, 3, T, H, W]`` views such as two hands; uint8, or
            normalised. None for none at all.
        present: ``[B]`` or ``[B, V]`` bool; None for all.

    Returns:
        ``[B, L, D]`` tokens, the mean of the views that are there and 0 where none is, and ``[B]``
        bool, whether any is (None where all are); both None where there is nothing to see.

    Raises:
        ShapeError: Other axes.
    """
    if pixels is None:
        return None, None
    views = pixels if pixels.dim() == 6 else pixels[:, None]
    check_shape(views, ("B", "V", encoder.channels, "T", "H", "W"), "clips of pixels")
    flat = views.flatten(0, 1)
    if present is None:
        tokens = _encode(encoder, flat)
        return tokens.unflatten(0, views.shape[:2]).mean(dim=1), None
    there = present if present.dim() == 2 else present[:, None]
    check_shape(there, views.shape[:2], "present")
    rows = there.flatten().nonzero()[:, 0]
    if not len(rows):
        return None, None
    tokens = _encode(encoder, flat[rows])
    every = tokens.new_zeros(len(flat), *tokens.shape[1:]).index_copy(0, rows, tokens)
    counts = there.sum(dim=1).clamp_min(1)[:, None, None]
    return every.unflatten(0, views.shape[:2]).sum(dim=1) / counts, there.any(dim=1)


def _encode(encoder: VideoEncoder, pixels: Tensor) -> Tensor:
    """Tokens; outside of training, where nothing depends on the batch, a few clips at a time."""
    def tokens(part: Tensor) -> Tensor:
        return encoder.tokens(encoder.normalise(part) if part.dtype == torch.uint8 else part)

    return tokens(pixels) if encoder.training else torch.cat([*map(tokens, pixels.split(AT_ONCE))])


def check_as_many(clips: Tensor, pixels: Tensor | None) -> None:
    """Refuse pixels that are not of these clips of joints.

    Raises:
        ShapeError: There are more or fewer.
    """
    if pixels is not None and len(pixels) != len(clips):
        raise ShapeError(f"expected pixels of {len(clips)} clips, one a clip of joints, got "
                         f"{list(pixels.shape)}")


def check_features(
    skeleton: Tensor, rgb: Tensor | None, present: Tensor | None, skeleton_dim: int, rgb_dim: int
) -> None:
    """Refuse features that do not fit a fusion.

    Raises:
        ShapeError: They do not.
    """
    check_shape(skeleton, ("B", skeleton_dim), "features of the skeleton")
    if rgb is not None:
        check_shape(rgb, (len(skeleton), "L", rgb_dim), "tokens of the pixels")
    if present is not None:
        check_shape(present, (len(skeleton),), "present")
        if present.dtype != torch.bool:
            raise ShapeError(f"expected present [B] as bool, got {present.dtype}")


def hide_absent(rgb: Tensor, present: Tensor | None) -> Tensor:
    """``[B, L, D]`` with 0 in the rows of clips without pixels, whatever stood there."""
    return rgb if present is None else torch.where(present[:, None, None], rgb, 0)


def add_present(skeleton: Tensor, answer: Tensor, present: Tensor | None) -> Tensor:
    """The sum where there are pixels, the skeleton's features alone elsewhere."""
    if present is None:
        return skeleton + answer
    rows = present.view(-1, *[1] * (skeleton.dim() - 1))
    return torch.where(rows, skeleton + answer, skeleton)

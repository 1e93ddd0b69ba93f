"""Tube masking: what VideoMAE hides of a clip."""

import torch
from torch import Tensor

from skelact.errors import ChoiceError


def tube_mask(
    batch: int, frames: int, places: int, share: float = 0.9,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Hide the same places in every frame, so that nothing can be copied from a neighbour in time.

    Args:
        batch: B, clips; each has a mask of its own.
        frames: T, frames of tokens (half as many as images, where a token sees two).
        places: Tokens of one frame.
        share: The share of places that is hidden, rounded down to whole places.
        generator: Where chance comes from; by default torch's own.

    Returns:
        ``[B, T places]`` bool, true for what is hidden, frame after frame.

    Raises:
        ChoiceError: A share that would hide nothing or everything.

    Source: Tong et al., "VideoMAE: Masked Autoencoders are Data-Efficient Learners for
    Self-Supervised Video Pre-Training", NeurIPS 2022, section 3.3.
    """
    hidden = int(share * places + 1e-9)
    if not 0 < hidden < places:
        raise ChoiceError(f"expected a share that hides some of {places} places and not all, got "
                          f"{share}")
    order = torch.rand(batch, places, generator=generator).argsort(dim=1)
    return (order < hidden).repeat(1, frames)

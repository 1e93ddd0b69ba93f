"""Transforms of time, on tensors ``[..., N, C, T]`` with NaN where a joint is missing."""

import torch
from torch import Tensor

from skelact.errors import ShapeError


def bridge_gaps(joints: Tensor, times: Tensor) -> Tensor:
    """Fill the absences of a joint by straight lines between the frames where it was seen.

    Before its first and after its last sighting a joint keeps the nearest position. A joint that
    is never seen stays NaN.

    Args:
        joints: ``[N, C, T]``; a joint counts as absent where any of its channels is NaN.
        times: ``[T]`` seconds, rising.
    """
    seen = ~joints.isnan().any(dim=1)  # [N, T]
    order = torch.arange(seen.shape[1])
    last = torch.where(seen, order, -1).cummax(dim=1).values
    following = torch.where(seen, order, seen.shape[1]).flip(1).cummin(dim=1).values.flip(1)
    last, following = (
        torch.where(last < 0, following, last),
        torch.where(following >= seen.shape[1], last, following),
    )
    lost = last >= seen.shape[1]  # never seen at all
    last, following = (index.clamp(0, max(seen.shape[1] - 1, 0)) for index in (last, following))
    span = (times[following] - times[last]).clamp_min(1e-9)
    share = ((times - times[last]) / span).clamp(0, 1)
    share = torch.where(last == following, torch.zeros_like(share), share)[:, None]
    start, end = (
        joints.gather(2, index[:, None].expand_as(joints)) for index in (last, following)
    )
    return torch.lerp(start, end, share.to(joints.dtype)).masked_fill(lost[:, None], torch.nan)


def resample(joints: Tensor, times: Tensor, at: Tensor) -> Tensor:
    """Joints at other instants, by straight lines between neighbouring frames.

    Instants outside ``times`` take the nearest frame. A joint missing on either side of an
    instant is missing there, unless the instant is the very time of the frame that has it.

    Args:
        joints: ``[..., N, C, T]``.
        times: ``[T]`` seconds, rising.
        at: ``[F]`` seconds.

    Returns:
        ``[..., N, C, F]``.

    Raises:
        ShapeError: There are no frames, or not one time a frame.
    """
    if not len(times) or len(times) != joints.shape[-1]:
        raise ShapeError(f"expected a time for each of at least one frame, got {len(times)} times "
                         f"for {joints.shape[-1]} frames")
    at = at.to(times.dtype)
    after = torch.searchsorted(times, at).clamp(0, len(times) - 1)
    before = (after - 1).clamp_min(0)
    span = (times[after] - times[before]).clamp_min(1e-9)
    share = ((at - times[before]) / span).clamp(0, 1).to(joints.dtype)
    start, end = joints[..., before], joints[..., after]
    between = torch.lerp(start, end, share)
    return torch.where(share >= 1, end, torch.where(share <= 0, start, between))

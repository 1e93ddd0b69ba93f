"""Transforms of time, on tensors ``[..., N, C, T]`` with NaN where a joint is missing."""

import math

import torch
from torch import Tensor

from skelact.errors import ChoiceError, ShapeError


def bridge_gaps(joints: Tensor, times: Tensor, longest: float = math.inf) -> Tensor:
    """Fill the absences of a joint by straight lines between the frames where it was seen.

    Before its first and after its last sighting a joint keeps the nearest position. A joint that
    is never seen stays NaN.

    Args:
        joints: ``[..., N, C, T]``; a joint counts as absent where any of its channels is NaN.
        times: ``[T]`` seconds, rising.
        longest: Sightings farther apart than this many seconds are not joined, and no position
            is kept for longer: there the joint stays NaN.
    """
    frames = joints.shape[-1]
    seen = ~joints.isnan().any(dim=-2)  # [..., N, T]
    order = torch.arange(frames)
    last = torch.where(seen, order, -1).cummax(dim=-1).values
    following = torch.where(seen, order, frames).flip(-1).cummin(dim=-1).values.flip(-1)
    before, after = last < 0, following >= frames
    last, following = torch.where(before, following, last), torch.where(after, last, following)
    lost = before & after  # never seen at all
    last, following = (index.clamp(0, max(frames - 1, 0)) for index in (last, following))
    if longest < math.inf:
        kept = torch.where(before | after, (times - times[last]).abs(),
                           times[following] - times[last])
        lost = lost | (kept > longest)
    span = (times[following] - times[last]).clamp_min(1e-9)
    share = ((times - times[last]) / span).clamp(0, 1)
    share = torch.where(last == following, torch.zeros_like(share), share).unsqueeze(-2)
    start, end = (
        joints.gather(-1, index.unsqueeze(-2).expand_as(joints)) for index in (last, following)
    )
    bridged = torch.lerp(start, end, share.to(joints.dtype))
    return bridged.masked_fill(lost.unsqueeze(-2), torch.nan)


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


def change_rate(joints: Tensor, from_fps: float, to_fps: float) -> Tensor:
    """The same motion at another frame rate, by straight lines between frames.

    Args:
        joints: ``[..., N, C, T]``.
        from_fps: Frames a second of ``joints``.
        to_fps: Frames a second wanted.

    Returns:
        ``[..., N, C, F]``, from the first frame to no later than the last.

    Raises:
        ChoiceError: A rate is not above 0.
        ShapeError: There are no frames.
    """
    if not 0 < from_fps < math.inf or not 0 < to_fps < math.inf:
        raise ChoiceError(f"expected frame rates above 0, got {from_fps} and {to_fps}")
    times = torch.arange(joints.shape[-1], dtype=torch.float64) / from_fps
    count = math.floor((joints.shape[-1] - 1) / from_fps * to_fps + 1e-6) + 1
    return resample(joints, times, torch.arange(count, dtype=torch.float64) / to_fps)


def smooth_savgol(joints: Tensor, window: int = 7, degree: int = 2, dims: int = 2) -> Tensor:
    """Smooth by Savitzky-Golay: a polynomial through every frame and its neighbours.

    Gaps are bridged for the fit and missing again afterwards.

    Args:
        joints: ``[..., N, C, T]`` at an even frame rate.
        window: Frames of a fit, odd; a shorter clip takes as many as it has.
        degree: Degree of the polynomial, below ``window``.
        dims: How many leading channels are coordinates; the others stay.

    Raises:
        ChoiceError: ``window`` is even, or not above ``degree``.

    Source: Savitzky and Golay, "Smoothing and Differentiation of Data by Simplified Least Squares
    Procedures", 1964.
    """
    if window % 2 == 0 or not 0 <= degree < window:
        raise ChoiceError(f"expected an odd window above the degree, got window {window} and "
                          f"degree {degree}")
    from scipy.signal import savgol_filter  # slow to import, and needed here only

    coordinates = joints[..., :dims, :]
    window = min(window, (coordinates.shape[-1] - 1) // 2 * 2 + 1)
    if window <= degree:
        return joints.clone()  # such a polynomial goes through every frame
    order = torch.arange(coordinates.shape[-1], dtype=torch.float64)
    whole = bridge_gaps(coordinates, order).nan_to_num(0.0)  # a joint that was never seen
    smooth = torch.from_numpy(savgol_filter(whole.numpy(), window, degree, axis=-1))
    missing = coordinates.isnan().any(dim=-2, keepdim=True)
    smooth = smooth.to(joints.dtype).masked_fill(missing, torch.nan)
    return torch.cat([smooth, joints[..., dims:, :]], dim=-2)


def smooth_one_euro(
    joints: Tensor, times: Tensor, min_cutoff: float = 1.0, beta: float = 0.0,
    speed_cutoff: float = 1.0, dims: int = 2,
) -> Tensor:
    """Smooth by the 1 euro filter: no look ahead, strong at rest, weak in fast motion.

    A joint that comes back after an absence goes on from where it was; the longer ago that is,
    the less it counts.

    Args:
        joints: ``[..., N, C, T]``.
        times: ``[T]`` seconds, rising.
        min_cutoff: Cut-off frequency at rest, Hz; lower is smoother.
        beta: Growth of the cut-off with speed, Hz a unit of ``joints`` a second.
        speed_cutoff: Cut-off frequency of the speed, Hz.
        dims: How many leading channels are coordinates; the others stay.

    Raises:
        ChoiceError: A cut-off is not above 0, or ``beta`` below 0.

    Source: Casiez et al., "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
    Interactive Systems", CHI 2012.
    """
    if not (min_cutoff > 0 and speed_cutoff > 0 and beta >= 0):
        raise ChoiceError(f"expected cut-offs above 0 and beta from 0, got {min_cutoff}, "
                          f"{speed_cutoff} and {beta}")
    frames = joints[..., :dims, :].unbind(dim=-1)
    place = speed = torch.zeros_like(frames[0]) if frames else None
    seen_at = torch.full_like(place, -math.inf, dtype=torch.float64) if frames else None
    smooth = []
    for now, time in zip(frames, times.double(), strict=True):
        missing, fresh = now.isnan(), seen_at.isinf()
        elapsed = torch.where(fresh, torch.ones_like(seen_at), time - seen_at).to(joints.dtype)
        drawn = (now - place) / elapsed
        new_speed = torch.lerp(speed, drawn, _weight(elapsed, speed_cutoff))
        new_speed = torch.where(fresh, torch.zeros_like(speed), new_speed)
        weight = _weight(elapsed, min_cutoff + beta * new_speed.abs())
        new_place = torch.where(fresh, now, torch.lerp(place, now, weight))
        smooth.append(new_place)
        place = torch.where(missing, place, new_place)
        speed = torch.where(missing, speed, new_speed)
        seen_at = torch.where(missing, seen_at, time)
    coordinates = torch.stack(smooth, dim=-1) if smooth else joints[..., :dims, :]
    return torch.cat([coordinates, joints[..., dims:, :]], dim=-2)


def _weight(elapsed: Tensor, cutoff: Tensor | float) -> Tensor:
    """How much a new value counts in a first-order low-pass filter."""
    angle = 2 * math.pi * cutoff * elapsed
    return angle / (angle + 1)

"""Clips of pixels that are aligned with tracks: which frames, which squares of them, cut out.

Everything is a square, so that nothing is distorted; what lies outside of the image is black.
Frames are found by the time stamps of the recording, so videos that are rotated, of a variable
frame rate, or without times of their own come out as their poses did.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from skelact.errors import ChoiceError, ShapeError, SkelactError, VideoError
from skelact.pixel_config import PixelCut
from skelact.pose.recording import PoseTrack, Recording
from skelact.pose.video import Frame, VideoReader
from skelact.rgb.crop_boxes import crop_boxes, whole_frame
from skelact.rgb.pixel_cache import PixelCache

__all__ = ["FrameSource", "PixelCut", "choose_frames", "crop_boxes", "cut_frames", "cut_pixels",
           "cut_square", "find_candidates"]

SPREAD = {"segments": 4, "two_rates": 2}
"""Candidates for each frame that is looked at; of consecutive ones every frame is one."""
HIDDEN = 1.0
"""Seconds to the frame from which the place of a hidden hand is taken, at most."""
FARTHEST = 1.0
"""Seconds from a frame that is wanted to the nearest that there is, at most."""


class FrameSource(Protocol):
    """Where images come from: a `VideoReader`, or frames kept while poses were found."""

    size: tuple[int, int]
    """(width, height) as displayed."""

    def at(self, times: Sequence[float]) -> Iterator[Frame]:
        """The frame nearest to each of some rising times in seconds."""


def cut_pixels(
    video: str | Path | FrameSource, recording: Recording, track_id: int | None, cut: PixelCut,
    start: float | None = None, end: float | None = None, *, offset: float = 0.0,
    draws: np.ndarray | None = None, cache: PixelCache | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of one person, or of the whole image, in a part of a recording.

    Args:
        video: The file (or an open source of frames) that the recording was made from.
        recording: Who was where.
        track_id: Whom to look at; of whole frames it is not read and may be None.
        cut: What to cut out.
        start: Second of the recording's time where the part begins; None for its beginning.
        end: Second where it ends; None for its end.
        offset: Second of the video at which the recording's time 0 lies.
        draws: ``[cut.length + 1]`` numbers in [0, 1) that choose frames at random (training);
            None takes those in the middle.
        cache: Keeps all frames that any draws may choose; ``video`` then is a file.

    Returns:
        ``[V, 3, T, H, W]`` uint8 pixels, V = 1, or 2 for the left and the right hand; and ``[V]``
        bool, whether there is anything to see. Views that are not present are 0.

    Raises:
        VideoError: The video is missing, does not decode, or is of another size.
        SkelactError: A 3-D recording, or no such track.
        LayoutError: Hands of a skeleton without wrists and elbows.
    """
    frames, boxes = plan_cut(recording, track_id, cut, start, end)
    chosen = choose_frames(cut, len(frames), draws)
    present = ~np.isnan(boxes).any(axis=1).all(axis=1)
    if not present.any():
        shape = (cut.views, 3, cut.length, cut.size, cut.size)
        return np.zeros(shape, np.uint8), np.zeros(cut.views, bool)
    times = recording.timestamps[frames] + offset

    def make(needed: np.ndarray | slice) -> np.ndarray:
        source = open_source(video, recording)
        return cut_frames(source, times[needed], boxes[..., needed], cut.size)

    if cache is not None:
        pixels = cache.get(video, times, boxes, cut.size, lambda: make(slice(None)))
        return arrange(pixels, chosen), present
    # a frame that is looked at several times is cut out once
    needed, place = np.unique(chosen, return_inverse=True)
    return arrange(make(needed), place), present


def plan_cut(
    recording: Recording, track_id: int | None, cut: PixelCut, start: float | None = None,
    end: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The frames that may be looked at, and where in them.

    Args:
        recording: As of `cut_pixels`.
        track_id: As of `cut_pixels`.
        cut: As of `cut_pixels`.
        start: As of `cut_pixels`.
        end: As of `cut_pixels`.

    Returns:
        ``[K]`` frames of the recording, and ``[V, 4, K]`` squares; see `find_squares`.

    Raises:
        SkelactError: A 3-D recording, or no such track.
        LayoutError: Hands of a skeleton without wrists and elbows.
    """
    frames, boxes = find_squares(recording, track_id, cut)
    times = recording.timestamps[frames]
    inside = np.ones(len(frames), bool) if start is None else times >= start - 1e-6
    inside = np.flatnonzero(inside if end is None else inside & (times < end - 1e-6))
    inside = inside[find_candidates(cut, len(inside))]
    return frames[inside], boxes[..., inside]


def find_squares(
    recording: Recording, track_id: int | None, cut: PixelCut
) -> tuple[np.ndarray, np.ndarray]:
    """Where to look in every frame.

    Args:
        recording: As of `cut_pixels`.
        track_id: As of `cut_pixels`.
        cut: As of `cut_pixels`.

    Returns:
        ``[T]`` frames of the recording, those of the track or (whole images) all; and ``[V, 4,
        T]`` squares. A hand that is hidden for up to `HIDDEN` seconds is looked for where it was
        seen last or comes next; NaN for longer.

    Raises:
        SkelactError: A 3-D recording, or no such track.
        LayoutError: Hands of a skeleton without wrists and elbows.
    """
    _check_in_pixels(recording)
    if cut.region == "frame":
        frames = np.arange(recording.num_frames)
        return frames, whole_frame(recording.image_size, len(frames))
    track = _find_track(recording, track_id)
    boxes = crop_boxes(track, recording.layout, cut.region, recording.image_size,
                       margin=cut.margin, fps=recording.fps)
    return track.frame_index, _hold(boxes, recording.track_times(track))


def find_candidates(cut: PixelCut, count: int) -> np.ndarray:
    """``[K]`` those of ``count`` frames that a cut may look at; the others are never read."""
    most = min(count, cut.length * SPREAD.get(cut.sampling, count))
    return ((np.arange(most) + 0.5) * count / max(most, 1)).astype(np.int64)


def choose_frames(cut: PixelCut, count: int, draws: np.ndarray | None = None) -> np.ndarray:
    """``[T]`` which of ``count`` candidates are looked at; fewer than T are shown several times.

    Args:
        cut: How.
        count: K, the candidates; of none the result is empty.
        draws: ``[T + 1]`` numbers in [0, 1); None for the middle.

    Raises:
        ShapeError: Another number of draws.
    """
    length = cut.length
    if draws is not None and np.shape(draws) != (length + 1,):
        raise ShapeError(f"expected {length + 1} draws for {length} frames, got "
                         f"{list(np.shape(draws))}")
    if not count:
        return np.empty(0, np.int64)
    draws = np.full(length + 1, 0.5) if draws is None else np.asarray(draws)
    steps = np.arange(length)
    if cut.sampling == "consecutive":
        span = (length - 1) * cut.step
        begin = int(draws[-1] * (max(count - 1 - span, 0) + 1))
        chosen = begin + steps * cut.step
        if span >= count:  # too short: slower, so that it is all seen once
            chosen = steps * count // length
    elif cut.sampling == "two_rates":
        chosen = ((steps + draws[-1]) * count / length).astype(np.int64)
    else:
        edges = np.arange(length + 1) * count // length
        chosen = edges[:-1] + (draws[:-1] * np.maximum(np.diff(edges), 1)).astype(np.int64)
    return np.minimum(chosen, count - 1)


def cut_frames(
    source: FrameSource, times: np.ndarray, boxes: np.ndarray, size: int
) -> np.ndarray:
    """Squares of the frames at some times, cut out as they are decoded.

    Args:
        source: Of the frames.
        times: ``[K]`` seconds of the video, rising.
        boxes: ``[V, 4, K]`` x1, y1, x2, y2 in pixels; what is NaN comes out as 0.
        size: Pixels along each side.

    Returns:
        ``[K, V, 3, size, size]`` uint8.

    Raises:
        VideoError: The video does not decode, or has no frame near one of these times.
    """
    pixels = np.zeros((len(times), len(boxes), 3, size, size), np.uint8)
    for k, frame in enumerate(source.at(times)):
        if abs(frame.time - times[k]) > FARTHEST:
            raise VideoError(f"expected a frame at second {times[k]:.2f}, the nearest of "
                             f"{getattr(source, 'path', 'the video')} lies at {frame.time:.2f}; it "
                             "is not the one that the poses were made from")
        for view, box in enumerate(boxes[..., k]):
            if not np.isnan(box).any():
                pixels[k, view] = cut_square(frame.image, box, size).transpose(2, 0, 1)
    return pixels


def cut_square(image: np.ndarray, box: np.ndarray, size: int) -> np.ndarray:
    """One square of an image, brought to ``[size, size, 3]``; outside of the image it is black.

    Args:
        image: ``[H, W, 3]`` uint8.
        box: ``[4]`` x1, y1, x2, y2 in pixels, fractions allowed.
        size: Pixels along each side.
    """
    height, width = image.shape[:2]
    left, top = np.floor(box[:2]).astype(int)
    right, bottom = np.maximum(np.ceil(box[2:]).astype(int), (left + 1, top + 1))
    part = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if left < 0 or top < 0 or right > width or bottom > height:
        inside, part = part, np.zeros((bottom - top, right - left, 3), np.uint8)
        at_y, at_x = max(-top, 0), max(-left, 0)
        part[at_y : at_y + inside.shape[0], at_x : at_x + inside.shape[1]] = inside
    within = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
    whole = Image.fromarray(np.ascontiguousarray(part))
    return np.asarray(whole.resize((size, size), Image.Resampling.BILINEAR, box=within))


def arrange(pixels: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """``[K, V, 3, H, W]`` candidates to the chosen ``[V, 3, T, H, W]``."""
    return np.ascontiguousarray(pixels[chosen].transpose(1, 2, 0, 3, 4))


def open_source(video: str | Path | FrameSource, recording: Recording) -> FrameSource:
    """The frames of a video, if they are those that a recording was made from.

    Raises:
        VideoError: The video is missing, does not decode, or is of another size.
        SkelactError: A recording that is not in pixels of a video.
    """
    _check_in_pixels(recording)
    source = VideoReader(video) if isinstance(video, str | Path) else video
    if tuple(source.size) != tuple(recording.image_size):
        wide, high = recording.image_size
        raise VideoError(f"expected the video of {wide} x {high} pixels that the poses were made "
                         f"from, got {getattr(source, 'path', 'one')} of {source.size[0]} x "
                         f"{source.size[1]}; make the poses of this one")
    return source


def _check_in_pixels(recording: Recording) -> None:
    if recording.dims != 2 or recording.image_size is None:
        raise SkelactError("expected a 2-D recording that knows the size of its image, whose "
                           "joints lie in pixels; make poses of the video with `skelact pose`")


def _find_track(recording: Recording, track_id: int | None) -> PoseTrack:
    for track in recording:
        if track.track_id == track_id:
            return track
    raise ChoiceError(f"expected a track out of {[track.track_id for track in recording]}, got "
                      f"{track_id}; --rgb.region frame needs none")


def _hold(boxes: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Squares ``[V, 4, T]`` where NaN is filled in from the nearest frame, if it is near."""
    held = boxes.copy()
    for view in held:
        known = np.flatnonzero(~np.isnan(view).any(axis=0))
        if len(known):
            after = np.searchsorted(times[known], times).clip(0, len(known) - 1)
            before = np.maximum(after - 1, 0)
            away = np.abs(times[known[np.stack([before, after])]] - times)
            nearest = np.where(away[0] <= away[1], before, after)
            view[:] = np.where(away.min(axis=0) <= HIDDEN, view[:, known[nearest]], np.nan)
    return held

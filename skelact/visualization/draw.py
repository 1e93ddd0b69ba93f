"""Drawing people on images, and whole recordings on their videos."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skelact.errors import ShapeError, SkelactError
from skelact.graph.layouts import Layout, get_layout
from skelact.pose.recording import Recording
from skelact.pose.video import VideoReader, VideoWriter, read_ahead
from skelact.visualization.colours import CANVAS, MIDDLE, person_colour, side_colours
from skelact.visualization.lettering import place_tags, tag_corners
from skelact.visualization.scene import Scene

if TYPE_CHECKING:
    from PIL import ImageDraw

FAINT, SURE = 0.15, 0.5
"""Confidence below which a joint is not drawn, and from which it is drawn in full."""


def blank(size: tuple[int, int]) -> np.ndarray:
    """A plain dark ``[H, W, 3]`` canvas of (width, height)."""
    return np.full((size[1], size[0], 3), CANVAS, np.uint8)


def draw_people(
    image: np.ndarray,
    joints: np.ndarray,
    layout: Layout | str,
    ids: Sequence[int],
    labels: Sequence[str | None] | None = None,
    boxes: np.ndarray | None = None,
    colour_by: str = "side",
    tags: bool = True,
) -> np.ndarray:
    """Draw skeletons on a copy of an image.

    Joints fade with their confidence and are left out when it is very low; missing ones (NaN)
    are left out with their bones.

    Args:
        image: ``[H, W, 3]`` uint8 RGB.
        joints: ``[M, N, 3]`` x, y in pixels and confidence (NaN counts as sure).
        layout: The skeleton.
        ids: M track ids; they give the colours of people.
        labels: M action labels or None; shown beside the id.
        boxes: ``[M, 4]`` x1, y1, x2, y2 in pixels, or None to draw none; NaN rows are left out.
        colour_by: Colours of bones: ``"side"`` (a person's own left blue, right orange) or
            ``"person"``; joints always have the person's.
        tags: Whether to write id and label beside each person.

    Returns:
        ``[H, W, 3]`` uint8 RGB.

    Raises:
        ShapeError: The joints do not match the layout, the ids or each other.
    """
    layout = get_layout(layout)
    joints = np.asarray(joints, np.float32)
    if joints.shape != (len(ids), layout.num_joints, 3):
        raise ShapeError(f"expected joints [M={len(ids)}, N={layout.num_joints}, 3] to draw with "
                         f"layout {layout.name!r}, got {list(joints.shape)}")
    points = _drawn_points(joints)
    frames = _frames(points, boxes)
    drawn, margin = image.copy(), _most_width(image.shape) + 3
    for person, place, track_id, frame in zip(joints, points, ids, frames, strict=True):
        colour = person_colour(track_id)
        with _pen(drawn, np.concatenate([place, frame.reshape(2, 2)]), margin) as (pen, corner):
            if boxes is not None and np.isfinite(frame).all():
                pen.rectangle((frame - np.tile(corner, 2)).tolist(), outline=(*colour, 160),
                              width=max(1, round(min(image.shape[:2]) / 400)))
            _draw_skeleton(pen, person - (*corner, 0), layout, colour, colour_by == "side",
                           image.shape)
    if tags:
        corners = tag_corners(points, frames, boxes is not None)
        for tag in place_tags(corners, ids, labels or [None] * len(ids), image.shape):
            with _pen(drawn, np.reshape(tag.box, (2, 2)), 1) as (pen, corner):
                tag.draw(pen, *corner)
    return drawn


@contextlib.contextmanager
def _pen(image: np.ndarray, places: np.ndarray, margin: float
         ) -> Iterator[tuple["ImageDraw.ImageDraw", tuple[int, int]]]:
    """Draw on the part of an image around ``[P, 2]`` places (NaN is none).

    Pillow copies what it draws on, there and back; large images cost more than what is drawn.

    Yields:
        A pen, and x and y of the part's corner in the image.
    """
    from PIL import Image, ImageDraw

    places = places[np.isfinite(places).all(axis=1)]
    if not len(places):
        places = np.zeros((1, 2))
    sides = (image.shape[1], image.shape[0])
    left, top = np.clip(np.floor(places.min(axis=0) - margin), 0, sides).astype(int).tolist()
    right, bottom = np.clip(np.ceil(places.max(axis=0) + margin) + 1, 0, sides).astype(int).tolist()
    right, bottom = max(right, left), max(bottom, top)
    part = Image.fromarray(np.ascontiguousarray(image[top:bottom, left:right]))
    yield ImageDraw.Draw(part, "RGBA"), (left, top)  # this mode blends what is translucent
    image[top:bottom, left:right] = np.asarray(part)


def overlay_video(
    recording: Recording,
    output: str | Path,
    video: str | Path | None = None,
    labels: Callable[[int, float], str | None] | None = None,
    skeleton_only: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> Path:
    """Draw a recording's people on its video; write an H.264 file.

    Args:
        recording: A 2-D recording.
        output: The ``.mp4`` to write.
        video: The video; by default the recording's ``source``.
        labels: Gives the action label of (track id, time in seconds), or None.
        skeleton_only: Draw on a plain canvas: no pixel of the video is in the output, and the
            video is not even opened.
        overwrite: Replace an existing file.
        progress: Show a progress bar on a terminal.

    Returns:
        The path written.

    Raises:
        SkelactError: The recording is 3-D or empty, or the video is of another size.
        VideoError: The video is missing or cannot be decoded.
        OutputExistsError: The output exists and ``overwrite`` is false.
    """
    from tqdm import tqdm

    if recording.dims != 2:
        raise SkelactError("a 3-D recording has no pixels to draw on; `skelact show` animates it")
    frames, fps, size = _background(recording, video, skeleton_only)
    total = recording.num_frames
    scene = Scene(recording)
    with VideoWriter(output, fps, size, overwrite) as writer:
        for time, image in tqdm(frames, total=total, unit="frame", desc=Path(output).name,
                                disable=None if progress else True):
            people = scene.at(time)
            names = [labels(i, time) if labels else None for i in people.ids]
            drawn = draw_people(image, people.joints, recording.layout, people.ids, names,
                                people.boxes)
            writer.write(drawn, time)
    return Path(output)


def _background(recording: Recording, video: str | Path | None, skeleton_only: bool):
    """Pairs (time, image) to draw on, their rate and their size."""
    if skeleton_only:
        if recording.image_size is None or not recording.num_frames:
            raise SkelactError("expected a recording with frames and an image size, to draw "
                               "skeletons only; this one has none")
        canvas = blank(recording.image_size)
        return ((float(t), canvas) for t in recording.timestamps), recording.fps, \
            recording.image_size
    reader = open_source(recording, video)
    return ((f.time, f.image) for f in read_ahead(reader)), reader.fps, reader.size


def open_source(recording: Recording, video: str | Path | None = None) -> VideoReader:
    """The video that a recording was made from.

    Args:
        recording: A recording.
        video: Where it is; by default at the recording's ``source``.

    Raises:
        SkelactError: It is not there, or has another size than the recording's.
        VideoError: It cannot be decoded.
    """
    path = video or recording.source
    if not path or not Path(path).is_file():
        raise SkelactError(f"expected the video of this recording at {str(path)!r}, and it is not "
                           f"there; name the video, or draw the skeletons only")
    reader = VideoReader(path)
    if recording.image_size is not None and tuple(recording.image_size) != reader.size:
        raise SkelactError(f"{path} has {reader.size[0]}x{reader.size[1]} pixels, but the "
                           f"recording was made from {recording.image_size[0]}x"
                           f"{recording.image_size[1]}; name the video that it was made from")
    return reader


def _drawn_points(joints: np.ndarray) -> np.ndarray:
    """``[M, N, 2]`` where joints are drawn; NaN for those that are not."""
    hidden = (joint_opacity(joints[..., 2]) == 0) | ~np.isfinite(joints[..., :2]).all(axis=-1)
    return np.where(hidden[..., None], np.nan, joints[..., :2])


def _frames(points: np.ndarray, boxes: np.ndarray | None) -> np.ndarray:
    """``[M, 4]`` the box of each person: as given, else around the joints that are drawn."""
    frames = np.full((len(points), 4), np.nan, np.float32)
    for row, drawn in zip(frames, points, strict=True):
        if not np.isnan(drawn).all():
            row[:] = [*np.nanmin(drawn, axis=0), *np.nanmax(drawn, axis=0)]
    if boxes is None:
        return frames
    boxes = np.asarray(boxes, np.float32)
    return np.where(np.isfinite(boxes).all(axis=1, keepdims=True), boxes, frames)


def _draw_skeleton(pen, person: np.ndarray, layout: Layout, colour, by_side: bool, shape
                   ) -> None:
    opacity = joint_opacity(person[:, 2])
    far = np.abs(person[:, :2]).max(axis=1) > 10 * max(shape)  # Pillow's limit, and no use
    shown = (opacity > 0) & np.isfinite(person[:, :2]).all(axis=1) & ~far
    if not shown.any():
        return
    width = line_width(person[shown, :2], layout, shape)
    points = [(float(x), float(y)) for x, y in person[:, :2]]
    sides = side_colours(layout)
    for below in (True, False):  # dark below, so that bones show on any background
        for a, b in layout.drawn_edges:
            if shown[a] and shown[b]:
                alpha = round(255 * min(opacity[a], opacity[b]))
                side = sides[a] if sides[a] == sides[b] else MIDDLE
                ink = (0, 0, 0, alpha // 2) if below else (*(side if by_side else colour), alpha)
                pen.line([points[a], points[b]], fill=ink, width=width + 2 * below)
    radius = max(1.0, 0.8 * width)
    for i in np.flatnonzero(shown):
        x, y = points[i]
        pen.ellipse([x - radius, y - radius, x + radius, y + radius],
                    fill=(*colour, round(255 * opacity[i])))


def joint_opacity(confidence: np.ndarray) -> np.ndarray:
    """How opaque joints are by their confidence (NaN counts as sure): 0 where not drawn at all."""
    sure = np.where(np.isnan(confidence), 1.0, confidence)
    opacity = np.clip((sure - FAINT) / (SURE - FAINT), 0.0, 1.0) * 0.75 + 0.25
    return np.where(sure < FAINT, 0.0, opacity)


def line_width(points: np.ndarray, layout: Layout, shape) -> int:
    """Pixels: by the image, but thinner on small people and on layouts with many joints."""
    person = float(np.ptp(points, axis=0).max())
    dense = min(1.0, math.sqrt(30 / layout.num_joints))
    return max(1, round(dense * min(_most_width(shape), max(person / 40, 1.5))))


def _most_width(shape) -> float:
    """Pixels of a bone of a large person."""
    return 1.5 + max(shape[:2]) / 420

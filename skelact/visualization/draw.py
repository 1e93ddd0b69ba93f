"""Drawing people on images, and whole recordings on their videos."""

import colorsys
import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from skelact.errors import ShapeError, SkelactError
from skelact.graph.layouts import Layout, get_layout
from skelact.pose.recording import Recording
from skelact.pose.video import VideoReader, VideoWriter, read_ahead
from skelact.visualization.scene import Scene

LEFT, RIGHT, MIDDLE = (86, 180, 233), (255, 146, 20), (240, 240, 240)
"""Colours of a person's own left, right and middle: blue against orange survives every kind of
colour blindness, and the three differ in brightness as well."""

PERSON_COLOURS = ((0, 158, 115), (204, 121, 167), (240, 228, 66), (213, 94, 0), (0, 114, 178),
                  (86, 180, 233), (230, 159, 0), (190, 190, 190))
"""Colours of the tracks, after Okabe and Ito (2008)."""

CANVAS = (24, 26, 32)
"""Background where no pixel of the video may appear."""

FAINT, SURE = 0.15, 0.5
"""Confidence below which a joint is not drawn, and from which it is drawn in full."""


def person_colour(track_id: int) -> tuple[int, int, int]:
    """The colour of a track, always the same for the same id."""
    cycle, place = divmod(int(track_id), len(PERSON_COLOURS))
    red, green, blue = (value / 255 for value in PERSON_COLOURS[place])
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    light *= (1.0, 0.75, 1.2)[cycle % 3]  # ids beyond the palette differ in lightness
    return tuple(round(255 * v) for v in colorsys.hls_to_rgb(hue, min(light, 0.9), saturation))


def is_bright(colour: tuple[int, int, int]) -> bool:
    """Whether letters on a colour are to be black."""
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue > 128


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
    from PIL import Image, ImageDraw

    layout = get_layout(layout)
    joints = np.asarray(joints, np.float32)
    if joints.shape != (len(ids), layout.num_joints, 3):
        raise ShapeError(f"expected joints [M={len(ids)}, N={layout.num_joints}, 3] to draw with "
                         f"layout {layout.name!r}, got {list(joints.shape)}")
    canvas = Image.fromarray(np.ascontiguousarray(image))
    pen = ImageDraw.Draw(canvas, "RGBA")  # this mode blends what is translucent
    points = _drawn_points(joints)
    frames = _frames(points, boxes)
    for person, track_id, frame in zip(joints, ids, frames, strict=True):
        colour = person_colour(track_id)
        if boxes is not None and np.isfinite(frame).all():
            pen.rectangle([*map(float, frame)], outline=(*colour, 160),
                          width=max(1, round(min(image.shape[:2]) / 400)))
        _draw_skeleton(pen, person, layout, colour, colour_by == "side", image.shape)
    if tags:
        corners = _tag_corners(points, frames, boxes is not None)
        _draw_tags(pen, corners, ids, labels or [None] * len(ids), image.shape)
    return np.array(canvas)


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


def _tag_corners(points: np.ndarray, frames: np.ndarray, boxed: bool) -> list[tuple[float, float]]:
    """Where a person's tag goes: on the box, or beside the topmost joint."""
    if boxed:
        return [(float(frame[0]), float(frame[1])) for frame in frames]
    tops = [drawn[np.nanargmin(drawn[:, 1])] if not np.isnan(drawn).all() else (np.nan, np.nan)
            for drawn in points]
    return [(float(x), float(y) - 4) for x, y in tops]


def _draw_skeleton(pen, person: np.ndarray, layout: Layout, colour, by_side: bool, shape) -> None:
    opacity = joint_opacity(person[:, 2])
    far = np.abs(person[:, :2]).max(axis=1) > 10 * max(shape)  # Pillow's limit, and no use
    shown = (opacity > 0) & np.isfinite(person[:, :2]).all(axis=1) & ~far
    if not shown.any():
        return
    width = line_width(person[shown, :2], layout, shape)
    points = [(float(x), float(y)) for x, y in person[:, :2]]
    sides = side_colours(layout)
    for outline in (True, False):  # dark below, so that bones show on any background
        for a, b in layout.drawn_edges:
            if shown[a] and shown[b]:
                alpha = round(255 * min(opacity[a], opacity[b]))
                side = sides[a] if sides[a] == sides[b] else MIDDLE
                ink = (0, 0, 0, alpha // 2) if outline else (*(side if by_side else colour), alpha)
                pen.line([points[a], points[b]], fill=ink, width=width + 2 * outline)
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
    return max(1, round(dense * min(1.5 + max(shape[:2]) / 420, max(person / 40, 1.5))))


@functools.lru_cache(maxsize=64)
def side_colours(layout: Layout) -> tuple[tuple[int, int, int], ...]:
    """The colour of every joint by the side of the body it is on."""
    mirrored = {layout.joints[i] for pair in layout.flip_pairs for i in pair}
    return tuple(
        MIDDLE if name not in mirrored else LEFT if "left" in name
        else RIGHT if "right" in name else MIDDLE  # points of a face do not say
        for name in layout.joints
    )


def _draw_tags(pen, corners, ids, labels, shape) -> None:
    height, width = shape[:2]
    size = max(11, round(max(height, width) / 70))
    taken: list[tuple[float, float, float, float]] = []
    for corner, track_id, label in zip(corners, ids, labels, strict=True):
        if not (-width < corner[0] < width and -height < corner[1] < height):
            continue  # outside of the picture, or nowhere at all
        text = f"{track_id} {label}" if label else str(track_id)
        wide, high = pen.textlength(text, font=font(size)) + 0.6 * size, 1.35 * size
        x = float(np.clip(corner[0], 0, max(0, width - wide)))
        y = float(np.clip(corner[1] - high, 0, max(0, height - high)))
        y = _free_place(x, y, wide, high, taken)
        taken.append((x, y, x + wide, y + high))
        colour = person_colour(track_id)
        pen.rectangle([x, y, x + wide, y + high], fill=(*colour, 235))
        pen.text((x + 0.3 * size, y + high / 2), text, font=font(size), anchor="lm",
                 fill=(0, 0, 0) if is_bright(colour) else (255, 255, 255))


def _free_place(x: float, y: float, wide: float, high: float, taken) -> float:
    """``y`` moved down until the tag covers no other one (or a few tries are spent)."""
    for _ in range(8):
        below = [bottom for left, top, right, bottom in taken
                 if x < right and left < x + wide and y < bottom and top < y + high]
        if not below:
            break
        y = max(below) + 1
    return y


@functools.cache
def font(size: int):
    """DejaVu Sans of that many pixels; it comes with matplotlib and knows most alphabets."""
    import matplotlib
    from PIL import ImageFont

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"
    return ImageFont.truetype(str(path), size)

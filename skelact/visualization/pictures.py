"""Pictures of a recording as they run: on a plain canvas, or on its video."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from skelact.errors import SkelactError
from skelact.output import atomic_write
from skelact.pose.recording import Recording
from skelact.visualization.draw import blank, draw_people, open_source
from skelact.visualization.scene import Scene, View

_GIF_FRAMES = 1500


def draw_recording(recording: Recording, times: list[float], view: View,
                   video: str | Path | None = None,
                   labels: Callable[[int, float], str | None] | None = None
                   ) -> Iterator[np.ndarray]:
    """One picture a time: the part of the plane that ``view`` shows, with people drawn.

    Args:
        recording: A 2-D or 3-D recording.
        times: Rising seconds.
        view: Where people go on the picture.
        video: Draw on this video; by default on a plain canvas.
        labels: Gives the action label of (track id, time in seconds), or None.

    Yields:
        ``[H, W, 3]`` uint8 RGB.

    Raises:
        SkelactError: The video does not belong to the recording, or that is 3-D.
    """
    scene = Scene(recording)
    canvas = blank(view.size)
    backgrounds = (canvas for _ in times) if video is None else \
        video_pictures(recording, times, view, video)
    for time, background in zip(times, backgrounds, strict=True):
        people = scene.at(time)
        names = [labels(i, time) if labels else None for i in people.ids]
        joints = view(people.joints)
        joints[..., 2] = people.confidence
        yield draw_people(background, joints, recording.layout, people.ids, names)


def video_pictures(recording: Recording, times: list[float], view: View,
                   video: str | Path) -> Iterator[np.ndarray]:
    """The frames shown at ``times``, cut to the view; the last frame serves all times after it.

    Raises:
        SkelactError: The video does not belong to the recording, or that is 3-D.
    """
    from PIL import Image

    if recording.dims != 2:
        raise SkelactError("a 3-D recording has no pixels; show it without a video")
    left, top, right, bottom = np.round(view.window).astype(int)
    given, image = 0, None
    with open_source(recording, video) as reader:
        for frame in reader:
            while given < len(times) and image is not None and frame.time > times[given] + 1e-3:
                yield image
                given += 1
            if given == len(times):
                return
            part = Image.fromarray(frame.image[top:bottom, left:right])
            image = np.asarray(part.resize(view.size, Image.Resampling.BILINEAR))
    for _ in range(given, len(times)):
        yield image


def check_gif_length(count: int, seconds: float) -> None:
    """Refuse a GIF that nobody could open.

    Raises:
        SkelactError: It would have too many pictures.
    """
    if count > _GIF_FRAMES:
        raise SkelactError(f"a GIF of {seconds:.0f} s ({count} frames) would be too large to open; "
                           f"write an .mp4")


def write_gif(pictures: Iterable[np.ndarray], path: str | Path, step: float,
              overwrite: bool = False) -> Path:
    """Write a GIF that runs in a loop.

    Args:
        pictures: ``[H, W, 3]`` uint8 RGB, one at least.
        path: The ``.gif`` to write.
        step: Seconds from one to the next.
        overwrite: Replace an existing file.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    from PIL import Image

    # As true as the median cut, many times as fast, and without the noise of dithering.
    few = {"colors": 128, "method": Image.Quantize.FASTOCTREE, "dither": Image.Dither.NONE}
    frames = [Image.fromarray(image).quantize(**few) for image in pictures]
    # The format counts hundredths of a second; rounding the sum keeps the speed true.
    ends = np.round(100 * step * np.arange(len(frames) + 1)).astype(int) * 10
    with atomic_write(path, overwrite) as temporary:
        frames[0].save(temporary, format="GIF", save_all=True, append_images=frames[1:], loop=0,
                       duration=np.diff(ends).tolist())
    return Path(path)


def progress_bar(items, total: int | None, path: str | Path, progress: bool):
    """A bar over the frames of a file, on a terminal, if wanted."""
    from tqdm import tqdm

    return tqdm(items, total=total, unit="frame", desc=Path(path).name,
                disable=None if progress else True)

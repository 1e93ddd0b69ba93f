"""Small videos for tests: made here, then damaged or turned on purpose."""

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np

from skelact.pose.video import VideoWriter

MATRICES = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0),
            "mirror": (-1, 0, 0, 1), "upside down": (1, 0, 0, -1), "transpose": (0, 1, 1, 0)}
"""a, b, c, d of the display matrix: a pixel (x, y) is displayed at (a x + c y, b x + d y)."""


def grey_images(count: int, size: tuple[int, int] = (64, 48)) -> list[np.ndarray]:
    """Images whose grey level tells their number: ``grey_number`` reads it back."""
    width, height = size
    return [np.full((height, width, 3), 20 + 4 * i, np.uint8) for i in range(count)]


def grey_number(image: np.ndarray) -> int:
    return round((float(image.mean()) - 20) / 4)


def make_video(path: Path, images, fps: float = 25.0, times=None) -> Path:
    """Write images (RGB uint8) as an H.264 video with our own writer."""
    height, width = images[0].shape[:2]
    with VideoWriter(path, fps, (width, height)) as writer:
        for i, image in enumerate(images):
            writer.write(image, None if times is None else times[i])
    return path


def encode(path: Path, images, fps: int = 25, codec: str = "libx264", pix_fmt: str = "yuv420p",
           **options) -> Path:
    """Write images with any codec and container that libav has, at even spacing."""
    import av

    with av.open(str(path), "w") as container:
        options = {name: str(value) for name, value in options.items()}
        stream = container.add_stream(codec, rate=fps, options=options)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def set_rotation(source: Path, target: Path, turn: int | str) -> Path:
    """Copy an MP4 and tell players to turn it ``turn`` degrees clockwise (see `MATRICES`)."""
    data = bytearray(Path(source).read_bytes())
    box = data.index(b"tkhd") + 4
    matrix = box + (52 if data[box] == 1 else 40)  # version 1 has 64-bit times
    a, b, c, d = (value << 16 for value in MATRICES[turn])
    struct.pack_into(">9i", data, matrix, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    Path(target).write_bytes(data)
    return Path(target)


def turn_by_hand(image: np.ndarray, turn: int | str) -> np.ndarray:
    """What `set_rotation` makes a player show."""
    turned = {"mirror": image[:, ::-1], "upside down": image[::-1],
              "transpose": image.swapaxes(0, 1)}
    return turned[turn] if turn in turned else np.rot90(image, -turn // 90)


def truncate(source: Path, target: Path, share: float) -> Path:
    """Copy the first ``share`` of a file's bytes."""
    data = Path(source).read_bytes()
    Path(target).write_bytes(data[: int(len(data) * share)])
    return Path(target)

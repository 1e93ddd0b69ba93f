"""Pixels that were cut out once, kept on disk: a training run looks at every clip many times."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from skelact.errors import SkelactError, VideoError
from skelact.output import atomic_write


class PixelCache:
    """A folder of cut-out pixels, a file a clip, memory-mapped.

    A file is named after all that determines it: the video (its name and its folder's, size, time
    of change), which frames, which squares. So nothing in it is ever out of date, files or the
    whole folder may be removed at any time, and several processes may share it.

    Args:
        folder: Made when first written to.

    Raises:
        SkelactError: It is a file.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise SkelactError(f"expected a folder to keep pixels in, got the file {folder}")

    def get(
        self, video: str | Path, times: np.ndarray, boxes: np.ndarray, size: int,
        make: Callable[[], np.ndarray],
    ) -> np.ndarray:
        """Pixels out of the folder, or made and kept there.

        Args:
            video: The file.
            times: ``[K]`` seconds of it.
            boxes: ``[V, 4, K]`` squares.
            size: Pixels along each side.
            make: Gives ``[K, V, 3, size, size]`` uint8, if they are not there or damaged.

        Raises:
            VideoError: The video is gone, or what ``make`` raises.
            SkelactError: The folder cannot be written.
        """
        path = self._path(Path(video), times, boxes, size)
        shape = (len(times), len(boxes), 3, size, size)
        pixels = _read(path)
        if pixels is None or pixels.shape != shape or pixels.dtype != np.uint8:
            pixels = make()
            with atomic_write(path, overwrite=True) as temporary:
                np.save(temporary, pixels, allow_pickle=False)
        return pixels

    def _path(self, video: Path, times: np.ndarray, boxes: np.ndarray, size: int) -> Path:
        try:
            facts = video.stat()
        except OSError as error:
            raise VideoError(f"no video at {video}") from error
        digest = hashlib.sha256(repr((video.parts[-2:], facts.st_size, facts.st_mtime_ns, size,
                                      np.shape(boxes))).encode())
        digest.update(np.ascontiguousarray(times, "<f8").tobytes())
        digest.update(np.ascontiguousarray(boxes, "<f4").tobytes())
        name = digest.hexdigest()[:32]
        return self.folder / name[:2] / f"{name}.npy"


def _read(path: Path) -> np.ndarray | None:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None

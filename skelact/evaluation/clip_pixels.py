"""The pixels of the clips of a store: found in their videos, cut out in batches."""

import logging
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skelact.datasets.chance import Chance
from skelact.datasets.store import Store
from skelact.errors import FileFormatError, SkelactError
from skelact.models.checkpoint import ActionModel, PixelPart
from skelact.pixel_config import PixelCut
from skelact.rgb.frames import cut_pixels
from skelact.rgb.pixel_cache import PixelCache

logger = logging.getLogger("skelact")
_PURPOSE = 4
"""Of chance; beside those of the loader."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """The pixels of a batch of clips.

    Args:
        values: ``[B, V, 3, T, H, W]`` uint8; 0 where a view is not there.
        present: ``[B, V]`` bool.
    """

    values: Tensor
    present: Tensor

    def to(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Both on a device, as networks of two streams take them."""
        return (self.values.to(device, non_blocking=True),
                self.present.to(device, non_blocking=True))


@dataclass(frozen=True)
class Chances:
    """What may happen to the pixels of training clips, as counted chance.

    Args:
        seed: Of the run.
        epoch: From 0.
        first: Which clip of the epoch the first one of the batch is; a clip that comes again in
            an epoch is changed in another way.
        drop: Share of clips shown without pixels.
        flip: Share of clips mirrored.
    """

    seed: int
    epoch: int
    first: int = 0
    drop: float = 0.0
    flip: float = 0.0


class ClipPixels:
    """Cuts the pixels of a store's clips out of their videos.

    Of a clip with several people the first, most important one is looked at.

    Args:
        store: Prepared from videos, so that it knows where each clip lies.
        cut: Which pixels.
        videos: Folder to look for videos in that are not where they were; "" for none.
        cache: Folder of `PixelCache`; "" for none.
        workers: Threads that cut clips side by side.

    Raises:
        FileFormatError: ``videos`` is no folder, or has one file for two of the videos.
        SkelactError: ``cache`` is a file.
    """

    def __init__(
        self, store: Store, cut: PixelCut, videos: str = "", cache: str = "", workers: int = 1
    ) -> None:
        if videos and not Path(videos).is_dir():
            raise FileFormatError(f"expected a folder of videos, got {videos}, which is none")
        self.store, self.cut, self._workers = store, cut, max(1, workers)
        self._folder, self._cache = videos, PixelCache(cache) if cache else None
        self._sources = store.columns()["source"]
        self._starts = store.video_starts()
        self._found = _find_all(dict.fromkeys(self._sources), videos) if videos else {}

    def find(self, rows: np.ndarray) -> np.ndarray:
        """``[L]`` bool: the clip's video is there, and where in it the clip lies is known."""
        return np.array([not np.isnan(self._starts[row]) and self._video(row) is not None
                         for row in rows], bool)

    def check(self, rows: np.ndarray) -> None:
        """Say which clips lack their video.

        Raises:
            SkelactError: All of them.
        """
        found = self.find(rows)
        if found.any():
            if not found.all():
                lost = rows[np.flatnonzero(~found)[0]]
                logger.warning("%d of %d clips have no video (%s); the skeleton alone decides "
                               "there", (~found).sum(), len(rows), self._sources[lost])
            return
        raise SkelactError(self._why(rows))

    def _why(self, rows: np.ndarray) -> str:
        store = self.store.folder
        if np.isnan(self._starts[rows]).all():
            return (f"expected a store that knows the videos of its clips, got {store}; prepare it "
                    "anew with `skelact data prepare NAME --from-videos DIR` (poses that are there "
                    "are used again)")
        where = f"below {self._folder}" if self._folder else "where it was made from them"
        return (f"none of the {len(rows)} clips of {store} has its video {where}, such as "
                f"{self._sources[rows[0]]}; pass the folder of the videos (--rgb.videos DIR in "
                "training, else --videos DIR)")

    def read(self, rows: np.ndarray, chances: Chances | None = None) -> Pixels:
        """Cut out the pixels of some clips.

        Args:
            rows: ``[B]`` clips of the store.
            chances: Of training clips; None looks at the frames in the middle.

        Raises:
            VideoError: A video does not decode, or is not the one that the poses were made from.
        """
        rows = np.asarray(rows, np.int64)
        cut = self.cut
        shape = (len(rows), cut.views, 3, cut.length, cut.size, cut.size)
        values, present = torch.zeros(shape, dtype=torch.uint8), np.zeros(shape[:2], bool)
        drawn = np.zeros((len(rows), 0))
        if chances is not None:
            chance = Chance(chances.seed, chances.epoch, chances.first + np.arange(len(rows)))
            drawn = chance.even(cut.length + 3, _PURPOSE)

        def read_one(place: int) -> None:
            pixels = self._read(rows[place], drawn[place], chances)
            if pixels is not None:
                values.numpy()[place], present[place] = pixels

        with ThreadPoolExecutor(self._workers, "skelact-pixels") as pool:
            list(pool.map(read_one, range(len(rows))))
        return Pixels(values, torch.from_numpy(present))

    def _read(
        self, row: int, drawn: np.ndarray, chances: Chances | None
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """``[V, 3, T, H, W]`` and ``[V]``; None where there is no video, or none is shown."""
        if np.isnan(self._starts[row]) or (video := self._video(row)) is None:
            return None
        if chances is not None and drawn[-1] < chances.drop:
            return None
        recording = self.store.recording(row)
        track = next((track.track_id for track in recording if len(track)), None)
        if track is None and self.cut.region != "frame":
            return None
        pixels, present = cut_pixels(
            video, recording, track, self.cut, offset=float(self._starts[row]),
            draws=None if chances is None else drawn[: self.cut.length + 1], cache=self._cache)
        if chances is not None and drawn[-2] < chances.flip:
            # in the mirror the left hand is a right one
            pixels, present = pixels[::-1, ..., ::-1], present[::-1]
        return pixels, present

    def _video(self, row: int) -> Path | None:
        source = self._sources[row]
        if source not in self._found:
            self._found[source] = find_video(source)
        return self._found[source]


def find_pixels(
    model: ActionModel, store: Store, rows: np.ndarray, rgb: bool = True, videos: str = "",
    workers: int = 0,
) -> tuple[ClipPixels | None, tuple[str, ...]]:
    """The pixels of clips for a model that wants them, and what a reader must know of it.

    Args:
        model: The model; one of skeletons gets none.
        store: The data set.
        rows: ``[L]`` its clips.
        rgb: Whether to look at pixels at all.
        videos: Folder of the videos, where they have moved.
        workers: Threads that cut clips side by side.

    Raises:
        FileFormatError: ``videos`` is no folder.
    """
    if model.pixels is None or not rgb:
        return None, explain_alone(model)
    what = _name(model.pixels)
    pixels = ClipPixels(store, model.pixels.cut, videos, workers=workers)
    found = int(pixels.find(rows).sum())
    if not found:
        return None, (f"The model wants {what}; no clip has its video here, so the skeleton alone "
                      "was judged (--videos DIR says where they are).",)
    others = "" if found == len(rows) else ", and at the skeleton alone of the others"
    return pixels, (f"The model looked at {what} of {found} of {len(rows)} clips{others}.",)


def explain_alone(model: ActionModel) -> tuple[str, ...]:
    """What to say where the skeleton network of a model is judged alone; nothing of others."""
    return () if model.pixels is None else (
        f"The model can look at {_name(model.pixels)}; it was asked by the skeleton alone.",)


def _name(part: PixelPart) -> str:
    return f"pixels ({part.cut.region}, {part.encoder}, {part.fusion})"


def find_video(source: str, folder: str = "") -> Path | None:
    """Where a video lies now.

    Args:
        source: Where it lay.
        folder: A folder that has it, itself or in folders named as before; looked at first.
    """
    candidates = [*_below(source, folder), Path(source)] if folder else [Path(source)]
    return next((path for path in candidates if source and path.is_file()), None)


def _find_all(sources: Iterable[str], folder: str) -> dict[str, Path | None]:
    """Where each video lies now, below a folder."""
    found: dict[str, Path | None] = {}
    taken: dict[Path, str] = {}
    for source in sources:
        path = found[source] = find_video(source, folder)
        other = source if path is None else taken.setdefault(path, source)
        if other != source:  # such as 0.mp4 of one class for 0.mp4 of another
            raise FileFormatError(f"{path} would be the video of both {other} and {source}; pass "
                                  f"the folder that has both instead of {folder}")
    return found


def _below(source: str, folder: str) -> Iterator[Path]:
    """The path below another folder, with as many of its folders as can be, then fewer."""
    parts = Path(source).parts
    for first in range(len(parts)):
        if parts[first] not in (os.sep, "..", "."):
            yield Path(folder, *parts[first:])

"""Pixels that are kept on disk."""

import os

import numpy as np
import pytest

from skelact.errors import SkelactError, VideoError
from skelact.rgb.pixel_cache import PixelCache

TIMES, BOXES = np.array([0.0, 0.5]), np.zeros((1, 4, 2), np.float32)


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(b"some video")
    return path


class Maker:
    """Gives other pixels at every call."""

    def __init__(self):
        self.calls = 0

    def __call__(self) -> np.ndarray:
        self.calls += 1
        return np.full((2, 1, 3, 16, 16), self.calls, np.uint8)


def test_what_was_made_is_found_again(tmp_path, video):
    make = Maker()
    for _ in range(3):
        pixels = PixelCache(tmp_path / "cache").get(video, TIMES, BOXES, 16, make)
    assert make.calls == 1
    assert isinstance(pixels, np.memmap)
    assert (pixels == 1).all()


def test_whatever_determines_it_has_a_file_of_its_own(tmp_path, video):
    cache, make = PixelCache(tmp_path / "cache"), Maker()
    cache.get(video, TIMES, BOXES, 16, make)
    cache.get(video, TIMES + 0.1, BOXES, 16, make)
    cache.get(video, TIMES, BOXES + 1, 16, make)
    os.utime(video, (1, 1))
    cache.get(video, TIMES, BOXES, 16, make)
    video.write_bytes(b"another video")
    os.utime(video, (1, 1))
    cache.get(video, TIMES, BOXES, 16, make)
    other = tmp_path / "class_b" / video.name  # as long, as old, of the same name
    other.parent.mkdir()
    other.write_bytes(b"a third video")
    os.utime(other, (1, 1))
    cache.get(other, TIMES, BOXES, 16, make)
    assert make.calls == 6
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 6


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY nonsense", None])
def test_damage_and_removal_only_cost_time(tmp_path, video, damage):
    cache, make = PixelCache(tmp_path / "cache"), Maker()
    cache.get(video, TIMES, BOXES, 16, make)
    (kept,) = (tmp_path / "cache").rglob("*.npy")
    if damage is None:
        kept.unlink()
    else:
        kept.write_bytes(damage)
    assert (cache.get(video, TIMES, BOXES, 16, make) == 2).all()
    assert (cache.get(video, TIMES, BOXES, 16, make) == 2).all()


def test_a_pickle_is_not_opened(tmp_path, video):
    cache, make = PixelCache(tmp_path / "cache"), Maker()
    cache.get(video, TIMES, BOXES, 16, make)
    (kept,) = (tmp_path / "cache").rglob("*.npy")
    np.save(kept, np.array([{"a": 1}], object), allow_pickle=True)
    assert (cache.get(video, TIMES, BOXES, 16, make) == 2).all()


def test_a_video_that_is_gone(tmp_path):
    with pytest.raises(VideoError, match=r"no video at .*gone\.mp4"):
        PixelCache(tmp_path).get(tmp_path / "gone.mp4", TIMES, BOXES, 16, Maker())


def test_a_file_is_no_folder(video):
    with pytest.raises(SkelactError, match="expected a folder to keep pixels in"):
        PixelCache(video)

"""The pixels of the clips of a store."""

import logging
import shutil

import numpy as np
import pytest
import torch
from held_things import COLOURS, write_things
from stores import walkers, write_store

from skelact.errors import FileFormatError, SkelactError, VideoError
from skelact.evaluation.clip_pixels import Chances, ClipPixels, find_video
from skelact.pixel_config import PixelCut

CUT = PixelCut(frames=2, size=16, margin=0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_things(tmp_path_factory.mktemp("clips"), each=4)


def test_every_clip_has_its_own_colour(store):
    pixels = ClipPixels(store, CUT, workers=2).read(np.arange(len(store)))
    assert pixels.values.shape == (8, 1, 3, 2, 16, 16)
    assert pixels.values.dtype == torch.uint8
    assert pixels.present.all()
    blue = np.array([COLOURS[store.header.classes[label]][2] for label in store.arrays.labels])
    middle = pixels.values[:, 0, 2, :, 8, 8].float().mean(dim=1).numpy()
    np.testing.assert_allclose(middle, blue, atol=25)  # what the video's compression leaves


def test_chance_is_counted(store, tmp_path):
    rows = np.array([0, 3, 5])
    plain = ClipPixels(store, CUT)
    first, again = (plain.read(rows, Chances(1, 2)).values for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, plain.read(rows, Chances(1, 3)).values)
    assert torch.equal(first[1:], plain.read(rows[1:], Chances(1, 2, first=1)).values)
    whole = ClipPixels(store, PixelCut("frame", frames=2, size=32))  # in which somebody walks
    repeated = whole.read(np.zeros(16, np.int64), Chances(1, 2)).values
    assert len(repeated.unique(dim=0)) > 4  # a clip that comes again is changed in another way
    kept = ClipPixels(store, CUT, cache=str(tmp_path / "cache"), workers=3)
    assert torch.equal(first, kept.read(rows, Chances(1, 2)).values)


def test_dropped_and_mirrored(store):
    pixels, rows = ClipPixels(store, CUT), np.arange(8).repeat(8)
    hidden = pixels.read(rows, Chances(0, 0, drop=0.999))
    assert not hidden.present.any()
    assert not hidden.values.any()
    whole = ClipPixels(store, PixelCut("frame", frames=2, size=32))
    plain, mirrored = (whole.read(np.arange(8), Chances(0, 0, flip=flip)).values
                       for flip in (0.0, 1.0))
    assert torch.equal(mirrored, plain.flip(-1))
    hands = ClipPixels(store, PixelCut("hands", frames=2, size=16))
    plain, mirrored = (hands.read(np.arange(8), Chances(0, 0, flip=flip)).values
                       for flip in (0.0, 1.0))
    assert torch.equal(mirrored, plain.flip(-1).flip(1))


def test_videos_that_have_moved(tmp_path, caplog):
    store = write_things(tmp_path, each=2)
    rows = np.arange(len(store))
    (tmp_path / "things" / "lemon" / "1.mp4").unlink()
    pixels = ClipPixels(store, CUT)
    with caplog.at_level(logging.WARNING):
        pixels.check(rows)
    assert "1 of 4 clips have no video" in caplog.text
    assert pixels.read(rows).present.sum() == 3
    shutil.move(tmp_path / "things", tmp_path / "moved")
    with pytest.raises(SkelactError, match=r"none of the 4 clips .*--rgb\.videos DIR"):
        ClipPixels(store, CUT).check(rows)
    assert ClipPixels(store, CUT, str(tmp_path / "moved")).find(rows).sum() == 3
    with pytest.raises(FileFormatError, match=r"0\.mp4 would be the video of both .*; pass the"):
        ClipPixels(store, CUT, str(tmp_path / "moved" / "plum")).find(rows)
    with pytest.raises(FileFormatError, match="expected a folder of videos"):
        ClipPixels(store, CUT, str(tmp_path / "nowhere"))


def test_a_video_that_was_replaced(tmp_path):
    store = write_things(tmp_path, each=1)
    (tmp_path / "things" / "plum" / "0.mp4").write_bytes(b"no video any more" * 99)
    with pytest.raises(VideoError, match=r"0\.mp4 does not open as a video"):
        ClipPixels(store, CUT).read(np.arange(2))


def test_a_store_without_videos(tmp_path):
    store = write_store(tmp_path / "store", walkers())
    with pytest.raises(SkelactError, match=r"knows the videos of its clips.*--from-videos"):
        ClipPixels(store, CUT).check(np.arange(len(store)))
    assert not ClipPixels(store, CUT).read(np.arange(2)).present.any()


def test_where_a_video_lies_now(tmp_path):
    for name in ("a/one.mp4", "new/clap/one.mp4", "new/two.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    new = str(tmp_path / "new")
    assert find_video(str(tmp_path / "a" / "one.mp4")) == tmp_path / "a" / "one.mp4"
    assert find_video("../old/clap/one.mp4", new) == tmp_path / "new" / "clap" / "one.mp4"
    assert find_video("/old/clap/two.mp4", new) == tmp_path / "new" / "two.mp4"
    assert find_video("/old/three.mp4", new) is None
    assert find_video("", new) is None

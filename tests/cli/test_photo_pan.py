import sys

import numpy as np
import pytest
from PIL import Image

from skelact.cli import photo_pan
from skelact.cli.photo_pan import PHOTOS, SIZE, Photo, find_photo, render_pan
from skelact.errors import OutputExistsError
from skelact.pose.video import VideoReader


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda p: p.package)
def test_the_camera_stays_inside_the_photo_and_keeps_its_shape(photo):
    with Image.open(photo.file) as image:
        width, height = image.size
    for left, top, right, bottom in (photo.first, photo.last):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert (right - left) / (bottom - top) == pytest.approx(SIZE[0] / SIZE[1], rel=2e-3)


def test_a_package_is_looked_up_and_never_imported():
    code = ("import sys; from skelact.cli.photo_pan import find_photo; assert find_photo();"
            "sys.exit(bool({'ultralytics', 'matplotlib', 'torch'} & set(sys.modules)))")
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_next_photo_stands_in_for_a_missing_one(monkeypatch):
    missing = Photo("no_such_package", "a.jpg", "nothing", (0, 0, 3, 4), (0, 0, 3, 4))
    monkeypatch.setattr(photo_pan, "PHOTOS", (missing, PHOTOS[1]))
    assert find_photo() is PHOTOS[1]
    monkeypatch.setattr(photo_pan, "PHOTOS", (missing,))
    assert find_photo() is None


def test_the_video_goes_from_the_first_part_to_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(photo_pan, "SECONDS", 0.4)
    picture = np.zeros((400, 300, 3), np.uint8)
    picture[200:] = 200
    Image.fromarray(picture).save(tmp_path / "photo.png")
    photo = Photo("here", "photo.png", "two halves", (0, 0, 300, 400), (0, 200, 150, 400))
    monkeypatch.setattr(Photo, "file", tmp_path / "photo.png")
    path = render_pan(photo, tmp_path / "pan.mp4")
    frames = list(VideoReader(path))
    light = [float((f.image > 100).mean()) for f in frames]
    assert len(frames) == 10
    assert frames[0].image.shape == (*SIZE[::-1], 3)
    assert light[0] == pytest.approx(0.5, abs=0.02)
    assert light[-1] == pytest.approx(1.0, abs=0.02)
    assert light == sorted(light)
    with pytest.raises(OutputExistsError):
        render_pan(photo, path)

"""Frames kept while poses are found."""

import numpy as np
import pytest
from dots import DotEstimator, dots_video
from videos import grey_images, grey_number, make_video

from skelact.errors import VideoError
from skelact.pose import extract as extract_module
from skelact.pose.extract import extract
from skelact.pose.video import VideoReader
from skelact.rgb.frames import PixelCut, cut_pixels
from skelact.rgb.kept_frames import KeptFrames


def test_frames_come_back_at_their_times(tmp_path):
    video = make_video(tmp_path / "video.mp4", grey_images(30))
    kept = KeptFrames()
    for frame in VideoReader(video):
        kept(frame)
    assert (len(kept), kept.size) == (30, (64, 48))
    times = np.array([0, 3, 3, 29]) / 25
    assert [grey_number(frame.image) for frame in kept.at(times)] == [0, 3, 3, 29]
    assert [grey_number(frame.image) for frame in kept.at([0.41, 9.0])] == [10, 29]
    np.testing.assert_array_equal(kept.find(np.arange(40) / 25), np.arange(30))


@pytest.mark.parametrize(("fps", "rate", "expected"), [(25, 5, 12), (25, 10, 24), (50, 6, 15)])
def test_so_many_a_second(tmp_path, fps, rate, expected):
    count = round(2.4 * fps)
    video = make_video(tmp_path / "video.mp4", grey_images(count, (16, 16)), fps=fps)
    kept = KeptFrames(rate)
    for frame in VideoReader(video):
        kept(frame)
    assert abs(len(kept) - expected) <= 1
    times = np.array([frame.time for frame in VideoReader(video)])
    assert len(kept.find(times)) == len(kept)


def test_none_was_kept():
    assert len(KeptFrames().find(np.arange(3.0))) == 0
    with pytest.raises(VideoError, match="no frame was kept"):
        next(KeptFrames().at([0.0]))


def test_a_video_is_decoded_once_for_poses_and_pixels(tmp_path, monkeypatch):
    video = dots_video(tmp_path / "video.mp4", frames=20, starts=(10,))
    opened = []

    class Counting(VideoReader):
        def __iter__(self):
            opened.append(self.path)
            return super().__iter__()

    monkeypatch.setattr(extract_module, "VideoReader", Counting)
    kept = KeptFrames()
    recording = extract(video, DotEstimator(), watch=kept)
    video.rename(tmp_path / "away.mp4")  # nobody can decode it again
    cut = PixelCut(frames=4, size=32)
    (track,) = recording.tracks
    pixels, present = cut_pixels(kept, recording, track.track_id, cut)
    again, _ = cut_pixels(tmp_path / "away.mp4", recording, track.track_id, cut)
    assert opened == [video]
    assert present.all()
    assert np.abs(pixels.astype(int) - again).mean() < 1.0  # what JPEG changes

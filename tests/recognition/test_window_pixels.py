"""The pixels of windows."""

import numpy as np
import pytest
from videos import grey_images, grey_number, make_video

from skelact.pixel_config import PixelCut
from skelact.pose.recording import PoseTrack, Recording
from skelact.pose.video import VideoReader
from skelact.recognition.window_pixels import cut_window_pixels, frame_rate
from skelact.rgb.frames import cut_pixels
from skelact.rgb.kept_frames import KeptFrames

CUT = PixelCut(frames=4, size=16, margin=0)
SPANS = np.array([[0.0, 1.0], [0.2, 1.2], [0.6, 1.6], [0.0, 2.0]])


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make_video(tmp_path_factory.mktemp("video") / "video.mp4", grey_images(50))


@pytest.fixture(scope="module")
def recording(video) -> Recording:
    boxes = np.repeat(np.array([[10.0], [5.0], [40.0], [35.0]], np.float32), 50, axis=1)
    track = PoseTrack(3, np.full((17, 3, 50), np.nan, np.float32), np.arange(50), boxes)
    return Recording((track,), [frame.time for frame in VideoReader(video)], "coco17",
                     image_size=(64, 48))


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_windows_are_what_parts_of_the_video_are(video, recording, batch):
    parts = list(cut_window_pixels(VideoReader(video), recording, 3, CUT, SPANS, batch))
    values, present = (np.concatenate(one) for one in zip(*parts, strict=True))
    assert present.all()
    for window, (start, end) in zip(values, SPANS, strict=True):
        np.testing.assert_array_equal(window, cut_pixels(video, recording, 3, CUT, start, end)[0])


def test_of_frames_that_were_kept_the_nearest_are_taken(video, recording):
    kept = KeptFrames(frame_rate(CUT, 1.0))
    for frame in VideoReader(video):
        kept(frame)
    assert 12 < len(kept) < 20  # 8 a second
    ((values, present),) = cut_window_pixels(kept, recording, 3, CUT, SPANS)
    assert present.all()
    for window, (start, end) in zip(values.numpy(), SPANS, strict=True):
        numbers = [grey_number(window[0, :, i]) for i in range(4)]
        whole = cut_pixels(video, recording, 3, CUT, start, end)[0]
        assert np.abs(np.subtract(numbers, [grey_number(whole[0, :, i]) for i in range(4)])
                      ).max() <= 2
    assert frame_rate(PixelCut(sampling="consecutive"), 1.0) is None


def test_a_window_in_which_nobody_is_seen(video, recording):
    track = recording.tracks[0]
    boxes = track.boxes.copy()
    boxes[:, :30] = np.nan
    hidden = recording.with_tracks([PoseTrack(3, track.joints, track.frame_index, boxes)])
    spans = np.array([[0.0, 0.1], [1.4, 2.0]])
    ((values, present),) = cut_window_pixels(VideoReader(video), hidden, 3, CUT, spans)
    assert present[:, 0].tolist() == [False, True]
    assert not values[0].any()
    ((values, present),) = cut_window_pixels(VideoReader(video), hidden, 3, CUT, spans[:1])
    assert not present.any()

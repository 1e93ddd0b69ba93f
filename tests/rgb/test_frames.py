"""Clips of pixels along tracks: which frames, which squares, from which videos."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import capture, walking
from videos import encode, grey_images, grey_number, make_video, set_rotation

from skelact.errors import ChoiceError, LayoutError, ShapeError, SkelactError, VideoError
from skelact.pose.recording import PoseTrack, Recording
from skelact.pose.video import VideoReader
from skelact.rgb.frames import (
    PixelCut,
    choose_frames,
    crop_boxes,
    cut_pixels,
    cut_square,
    find_candidates,
    find_squares,
    open_source,
)
from skelact.rgb.pixel_cache import PixelCache


def seen_in(video, box=(10.0, 5.0, 40.0, 35.0), region_layout="coco17", every=1) -> Recording:
    """A recording of a video in which somebody stays in a box, seen in every n-th frame."""
    reader = VideoReader(video)
    times = [frame.time for frame in reader]
    index = np.arange(0, len(times), every)
    joints = np.full((17, 3, len(index)), np.nan, np.float32)
    boxes = np.repeat(np.array(box, np.float32)[:, None], len(index), axis=1)
    return Recording((PoseTrack(3, joints, index, boxes),), times, region_layout, fps=reader.fps,
                     image_size=reader.size)


@given(st.sampled_from(["segments", "consecutive", "two_rates"]), st.integers(1, 9),
       st.integers(1, 60), st.integers(1, 4), st.randoms(use_true_random=False))
def test_frames_are_chosen_in_order_and_within_the_clip(sampling, frames, count, step, random):
    cut = PixelCut(sampling=sampling, frames=frames, step=step, alpha=2)
    candidates = find_candidates(cut, count)
    assert (np.diff(candidates) > 0).all()
    assert candidates[0] >= 0
    assert candidates[-1] < count
    for draws in (None, np.array([random.random() for _ in range(cut.length + 1)])):
        chosen = choose_frames(cut, len(candidates), draws)
        assert len(chosen) == cut.length
        assert (np.diff(chosen) >= 0).all()
        assert 0 <= chosen[0] <= chosen[-1] < len(candidates)


def test_segments_take_their_middle_and_in_training_any_of_theirs():
    cut = PixelCut(frames=3)
    candidates = find_candidates(cut, 90)
    np.testing.assert_array_equal(candidates[choose_frames(cut, 12)], [18, 48, 78])
    draws = np.random.default_rng(0).random((200, 4))
    chosen = candidates[np.array([choose_frames(cut, 12, row) for row in draws])]
    assert (chosen // 30 == [0, 1, 2]).all()
    assert [len(np.unique(column)) for column in chosen.T] == [4, 4, 4]


def test_consecutive_frames_and_two_rates():
    near = PixelCut(sampling="consecutive", frames=4, step=2)
    np.testing.assert_array_equal(choose_frames(near, 20), [7, 9, 11, 13])
    np.testing.assert_array_equal(choose_frames(near, 4), [0, 1, 2, 3])  # too short for steps of 2
    both = PixelCut(sampling="two_rates", frames=2, alpha=4)
    fast = find_candidates(both, 80)[choose_frames(both, 16)]
    np.testing.assert_array_equal(np.diff(fast), 10)
    np.testing.assert_array_equal(np.diff(fast[::4]), 40)  # the slow ones


def test_wrong_draws_and_settings():
    with pytest.raises(ShapeError, match="expected 9 draws for 8 frames"):
        choose_frames(PixelCut(), 8, np.zeros(8))
    with pytest.raises(ChoiceError, match=r"size of a cut in 16\.\.1024, got 8"):
        PixelCut(size=8)
    with pytest.raises(ChoiceError, match="region"):
        PixelCut(region="feet")


def test_pixels_are_those_of_their_time(tmp_path):
    times = np.array([0, 1, 2, 5, 6, 7, 12, 13, 20, 21, 22, 23]) / 25  # a variable rate
    video = make_video(tmp_path / "video.mp4", grey_images(12), times=times)
    recording = seen_in(video, every=2)
    cut = PixelCut(frames=6, size=16, margin=0)
    pixels, present = cut_pixels(video, recording, 3, cut)
    assert pixels.shape == (1, 3, 6, 16, 16)
    assert present.tolist() == [True]
    numbers = [grey_number(pixels[0, :, i]) for i in range(6)]
    assert numbers == [0, 2, 4, 6, 8, 10]
    part, _ = cut_pixels(video, recording, 3, cut, start=0.2, end=0.8)
    assert {grey_number(part[0, :, i]) for i in range(6)} == {4, 6}


def test_a_clip_that_was_cut_out_of_its_video(tmp_path):
    video = make_video(tmp_path / "video.mp4", grey_images(40))
    whole = seen_in(video)
    clip = Recording((PoseTrack(3, whole.tracks[0].joints[..., :5], np.arange(5),
                                whole.tracks[0].boxes[:, :5]),), np.arange(5) / 25, "coco17",
                     image_size=whole.image_size)
    pixels, _ = cut_pixels(video, clip, 3, PixelCut(frames=5, size=16), offset=30 / 25)
    assert [grey_number(pixels[0, 0, i, 8:9, 8:9]) for i in range(5)] == [30, 31, 32, 33, 34]


@pytest.mark.parametrize("turn", [0, 90, 180, "mirror"])
def test_a_rotated_video(tmp_path, turn):
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32] = 200  # a corner
    flat = make_video(tmp_path / "flat.mp4", [image] * 3)
    video = set_rotation(flat, tmp_path / "turned.mp4", turn)
    recording = seen_in(video, box=(4, 4, 20, 20))
    pixels, _ = cut_pixels(video, recording, 3, PixelCut(frames=1, size=16, margin=0))
    _, shown, _ = (frame.image for frame in VideoReader(video))  # the middle one was chosen
    np.testing.assert_array_equal(pixels[0, :, 0].transpose(1, 2, 0), shown[4:20, 4:20])


def test_an_avi_is_counted(tmp_path):
    video = encode(tmp_path / "video.avi", grey_images(30), codec="mpeg4")
    cut = PixelCut(frames=3, size=30, margin=0)
    pixels, _ = cut_pixels(video, seen_in(video), 3, cut, start=0.8)
    images = [frame.image[5:35, 10:40] for frame in VideoReader(video)]
    for i, number in enumerate((21, 24, 28)):
        np.testing.assert_array_equal(pixels[0, :, i].transpose(1, 2, 0), images[number])


@pytest.mark.shared
@pytest.mark.parametrize("name", ["video_90.mov", "vfr_no_frame_count.mkv", "h264_10bits.mp4",
                                  "corrupted.mp4", "unordered.mov"])
def test_awkward_videos(shared, name):
    video = shared / "videos" / "awkward" / name
    recording = seen_in(video, box=(8, 8, 40, 40))
    pixels, present = cut_pixels(video, recording, 3, PixelCut(frames=4, size=32, margin=0))
    assert present.all()
    images = {round(frame.time, 6): frame.image for frame in VideoReader(video)}
    frames, _ = find_squares(recording, 3, PixelCut())
    candidates = frames[find_candidates(PixelCut(frames=4), len(frames))]
    chosen = candidates[choose_frames(PixelCut(frames=4), len(candidates))]
    for i, frame in enumerate(chosen):
        image = images[round(recording.timestamps[frame], 6)]
        np.testing.assert_array_equal(pixels[0, :, i].transpose(1, 2, 0), image[8:40, 8:40])


def test_outside_of_the_image_is_black():
    image = np.full((20, 30, 3), 255, np.uint8)
    square = cut_square(image, np.array([-10.0, -10.0, 10.0, 10.0]), 20)
    assert square.shape == (20, 20, 3)
    assert (square[:9, :9] == 0).all()
    assert (square[11:, 11:] == 255).all()
    assert (cut_square(image, np.array([100.0, 100.0, 120.0, 120.0]), 16) == 0).all()
    fine = cut_square(image, np.array([5.2, 5.2, 5.4, 5.4]), 16)  # less than a pixel
    assert (fine == 255).all()


def test_the_whole_image_keeps_its_shape():
    recording = walking(4, size=(320, 200))
    boxes = crop_boxes(recording.tracks[0], "coco17", "frame", (320, 200))
    np.testing.assert_array_equal(boxes[0, :, 0], [0, -60, 320, 260])


def test_nobody_to_see(tmp_path):
    video = make_video(tmp_path / "video.mp4", grey_images(5))
    recording = seen_in(video)
    hidden = np.full((17, 3, 5), np.nan, np.float32)
    blind = recording.with_tracks([PoseTrack(3, hidden, np.arange(5))])
    pixels, present = cut_pixels(video, blind, 3, PixelCut(frames=2, size=16))
    assert not present.any()
    assert not pixels.any()
    pixels, present = cut_pixels(video, recording, 3, PixelCut(frames=2, size=16), start=50.0)
    assert not present.any()
    whole, present = cut_pixels(video, blind, None, PixelCut("frame", frames=2, size=16))
    assert present.all()
    assert whole.any()


def test_what_cannot_be_cut(tmp_path):
    video = make_video(tmp_path / "video.mp4", grey_images(5))
    recording = seen_in(video)
    with pytest.raises(ChoiceError, match=r"a track out of \[3\], got 8"):
        cut_pixels(video, recording, 8, PixelCut())
    with pytest.raises(SkelactError, match="2-D recording"):
        cut_pixels(video, capture(), 1, PixelCut())
    other = make_video(tmp_path / "small.mp4", grey_images(5, (32, 32)))
    with pytest.raises(VideoError, match=r"64 x 48 pixels .*small.mp4 of 32 x 32"):
        cut_pixels(other, recording, 3, PixelCut())
    long = make_video(tmp_path / "long.mp4", grey_images(50))
    with pytest.raises(VideoError, match=r"second 1\.\d+, the nearest of .*video.mp4 lies at 0.16"):
        cut_pixels(video, seen_in(long), 3, PixelCut())
    with pytest.raises(SkelactError, match="knows the size of its image"):
        open_source(video, replace(recording, image_size=None))
    with pytest.raises(VideoError, match="no video at"):
        cut_pixels(tmp_path / "gone.mp4", recording, 3, PixelCut())
    with pytest.raises(LayoutError, match="wrists and elbows"):
        crop_boxes(PoseTrack(0, np.ones((21, 3, 2)), np.arange(2)), "hand21", "hands")


def test_the_cache_gives_the_same_pixels(tmp_path):
    video = make_video(tmp_path / "video.mp4", grey_images(30))
    recording, cache = seen_in(video), PixelCache(tmp_path / "cache")
    cut = PixelCut(frames=4, size=16)
    draws = np.random.default_rng(1).random(5)
    for chance in (None, draws):
        plain = cut_pixels(video, recording, 3, cut, draws=chance)
        for _ in range(2):
            kept = cut_pixels(video, recording, 3, cut, draws=chance, cache=cache)
            np.testing.assert_array_equal(kept[0], plain[0])
            np.testing.assert_array_equal(kept[1], plain[1])
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 1  # for all draws

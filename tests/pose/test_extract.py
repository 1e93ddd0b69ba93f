import logging
import threading

import numpy as np
import pytest
from dots import BODY, SIZE, DotEstimator, dots_video
from videos import grey_images, make_video, truncate

from skelact.errors import VideoError
from skelact.pose.extract import detect, extract
from skelact.pose.video import Frame


@pytest.fixture(scope="module")
def walkers(tmp_path_factory):
    return dots_video(tmp_path_factory.mktemp("videos") / "walkers.mp4", frames=23)


@pytest.mark.parametrize("batch_size", [1, 5, 23, 64])
def test_people_are_followed_over_all_frames_whatever_the_batch(walkers, batch_size):
    recording = extract(walkers, DotEstimator(batch_size))
    assert recording.num_frames == 23
    assert [len(track) for track in recording] == [23, 23]
    assert recording.image_size == SIZE
    assert recording.fps == pytest.approx(25)
    assert recording.source == str(walkers)
    assert recording.estimator == "dots"
    for track, start in zip(recording, (10, 100), strict=True):
        np.testing.assert_allclose(track.boxes[0], start + 2 * np.arange(23), atol=1)
        np.testing.assert_allclose(track.boxes[2] - track.boxes[0], BODY[0], atol=1)
        np.testing.assert_array_equal(track.frame_index, np.arange(23))


def test_frames_keep_the_times_of_the_container(tmp_path):
    times = [0.0, 0.04, 0.1, 0.12, 0.5, 0.54]
    video = dots_video(tmp_path / "vfr.mp4", frames=6, times=times)
    np.testing.assert_allclose(extract(video, DotEstimator()).timestamps, times, atol=1e-3)


def test_frames_without_people_are_kept(tmp_path):
    video = dots_video(tmp_path / "gap.mp4", frames=20, hidden=range(8, 12))
    recording = extract(video, DotEstimator())
    assert recording.num_frames == 20
    for track in recording:
        np.testing.assert_array_equal(track.frame_index, [*range(8), *range(12, 20)])


def test_an_empty_scene_has_no_tracks(tmp_path):
    recording = extract(make_video(tmp_path / "empty.mp4", grey_images(5)), DotEstimator())
    assert recording.tracks == ()
    assert recording.num_frames == 5
    assert recording.joints().shape == (0, 17, 3, 5)


def test_range_and_stride_select_frames_and_keep_their_times(walkers):
    whole = extract(walkers, DotEstimator())
    part = extract(walkers, DotEstimator(2), start=3, stop=20, stride=4)
    np.testing.assert_allclose(part.timestamps, whole.timestamps[3:20:4])
    assert part.fps == pytest.approx(whole.fps / 4)
    for short, long in zip(part, whole, strict=True):
        np.testing.assert_array_equal(short.frame_index, np.arange(len(part.timestamps)))
        np.testing.assert_allclose(short.joints, long.joints[..., 3:20:4])


def test_videos_do_not_influence_one_another(tmp_path, walkers):
    estimator = DotEstimator()
    alone = extract(walkers, estimator)
    extract(dots_video(tmp_path / "other.mp4", starts=(40,)), estimator)
    again = extract(walkers, estimator)
    assert [track.track_id for track in again] == [track.track_id for track in alone]
    np.testing.assert_array_equal(again.joints(), alone.joints())
    assert estimator.resets == 3


def test_a_stateful_estimator_is_asked_in_order_and_once_at_a_time(walkers):
    estimator = DotEstimator(batch_size=2, stateful=True)
    extract(walkers, estimator)
    assert estimator.most_at_once == 1
    assert sum(estimator.batches) == 23


def test_batches_are_inferred_while_the_next_one_is_read():
    second_read = threading.Event()

    class Waiting(DotEstimator):
        def estimate(self, images):
            assert second_read.wait(10), "the second batch was not read during the first"
            return super().estimate(images)

    def frames():
        for i in range(4):
            if i == 2:
                second_read.set()
            yield Frame(np.zeros((8, 8, 3), np.uint8), i, float(i))

    found = list(detect(frames(), Waiting(batch_size=2)))
    assert [time for time, _ in found] == [0.0, 1.0, 2.0, 3.0]


def test_a_damaged_video_gives_what_decodes_and_says_so(tmp_path, caplog):
    noise = np.random.default_rng(0).integers(0, 255, (30, 64, 96, 3), np.uint8)
    whole = make_video(tmp_path / "whole.mkv", list(noise))
    video = truncate(whole, tmp_path / "cut.mkv", 0.6)
    with caplog.at_level(logging.WARNING, "skelact"):
        recording = extract(video, DotEstimator())
    assert 0 < recording.num_frames < 30
    assert "cut.mkv" in caplog.text
    assert str(recording.num_frames) in caplog.text
    with pytest.raises(VideoError, match=r"cut\.mkv"):
        extract(video, DotEstimator(), strict=True)


def test_an_error_of_the_estimator_ends_the_run_and_its_threads(walkers):
    class Broken(DotEstimator):
        def estimate(self, images):
            if len(self.batches) >= 2:  # two threads may both pass the second
                raise RuntimeError("out of memory")
            return super().estimate(images)

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="out of memory"):
        extract(walkers, Broken(batch_size=2))
    assert threading.active_count() == before


def test_a_missing_video_is_refused_before_the_estimator_is_asked(tmp_path):
    estimator = DotEstimator()
    with pytest.raises(VideoError, match=r"nothing\.mp4"):
        extract(tmp_path / "nothing.mp4", estimator)
    assert estimator.batches == []

"""Who does what, when, on made-up recordings."""

import json
from dataclasses import replace

import numpy as np
import pytest
from recordings import capture, walking
from walking_model import CLASSES, walking_model

from skelact.errors import ChoiceError, SkelactError, WeightsError
from skelact.pose.recording import PoseTrack, Recording
from skelact.recognition.recognizer import Recognizer


def there_and_back(fps: int = 25, times=None) -> Recording:
    """One person: 4 s to the right, 4 s at rest, 4 s to the left."""
    times = np.arange(12 * fps) / fps if times is None else times
    way = np.interp(times, [0, 4, 8, 12], [0, 200, 200, 0])
    track = walking(frames=len(times), step=0).tracks[0]
    joints = track.joints.copy()
    joints[:, 0] += way.astype(np.float32)
    return Recording((PoseTrack(3, joints, track.frame_index),), times, "coco17", source="walk.mp4",
                     image_size=(640, 200))


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(walking_model())


def labels(track) -> list[str]:
    return [segment.label for segment in track.segments]


@pytest.mark.parametrize("fps", [5, 25, 50])
def test_actions_are_found_with_their_times_at_any_frame_rate(recognizer, fps):
    (track,) = recognizer.recognize(there_and_back(fps)).tracks
    assert track.track_id == 3
    assert labels(track) == list(CLASSES)
    right, left = track.segments
    # a window that is half walk and half rest still counts as walk
    assert right.start == 0
    assert abs(right.end - 4) <= 1.5
    assert abs(left.start - 8) <= 1.5
    assert left.end == pytest.approx(12)
    assert track.watched == pytest.approx(12)
    assert right.score > 0.5
    assert right.top[0] == ("walk_right", right.score)


def test_uneven_times(recognizer):
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 300))
    times = times / times[-1] * 11.9
    assert labels(recognizer.recognize(there_and_back(times=times)).tracks[0]) == list(CLASSES)


def test_everyone_is_judged_alone(recognizer):
    recording = walking(frames=100, people=3, step=2)
    tracks = list(recording.tracks)
    tracks[1].joints[:, 0] *= -1  # the second walks the other way
    tracks[2] = PoseTrack(9, np.repeat(tracks[2].joints[..., :1], 100, 2), np.arange(100))
    result = recognizer.recognize(recording.with_tracks(tracks))
    assert [(t.track_id, labels(t)) for t in result.tracks] == [
        (1, ["walk_right"]), (2, ["walk_left"]), (9, [])]
    assert result.tracks[2].watched == pytest.approx(4.0)  # judged, and nothing found


def test_gaps_late_arrivals_and_short_visits(recognizer):
    recording = walking(frames=250, people=3, first=50, step=2)
    first, second, third = recording.tracks
    seen = (first.frame_index < 120) | (first.frame_index >= 170)
    tracks = [PoseTrack(1, first.joints[:, :, seen], first.frame_index[seen]),
              PoseTrack(2, second.joints[:, :, :10], second.frame_index[:10]), third]
    result = recognizer.recognize(recording.with_tracks(tracks))
    gone, brief, late = result.tracks
    assert [(s.start, s.end) for s in gone.segments] == [
        (pytest.approx(2.0), pytest.approx(4.8)), (pytest.approx(6.8), pytest.approx(10.0))]
    assert gone.watched == pytest.approx(2.8 + 3.2)
    assert (brief.segments, brief.watched) == ((), 0)
    assert (brief.start, brief.end) == (pytest.approx(2.0), pytest.approx(2.36))
    assert late.segments[0].start == pytest.approx(2.0)


def test_missing_joints_do_not_matter_until_most_are_gone(recognizer):
    recording = walking(frames=100, step=2)
    names = recording.layout.joints
    joints = recording.tracks[0].joints
    joints[[names.index("left_wrist"), names.index("left_elbow")]] = np.nan
    assert labels(recognizer.recognize(recording).tracks[0]) == ["walk_right"]
    joints[5:] = np.nan
    (track,) = recognizer.recognize(recording).tracks
    assert (track.segments, track.watched) == ((), 0)


def test_nobody_and_nothing(recognizer):
    for frames in (0, 5):
        result = recognizer.recognize(Recording((), np.arange(frames) / 5, "coco17"))
        assert result.tracks == ()
        assert result.duration == frames / 5 or frames == 0
    empty = PoseTrack(7, np.empty((17, 3, 0)), np.empty(0, int))
    assert recognizer.recognize(Recording((empty,), np.arange(5) / 5, "coco17")).tracks == ()


def test_three_dimensions_are_seen_from_the_sensor(recognizer):
    deep = capture(60)
    (track,) = recognizer.recognize(deep).tracks
    assert labels(track) == ["walk_left"]  # towards +x, which is on the left of its picture


def test_two_dimensions_are_refused_by_a_model_of_three():
    model = walking_model()
    model = replace(model, clip=replace(model.clip, dims=3))
    with pytest.raises(SkelactError, match=r"expected a 3-D recording .* --clip.dims 2"):
        Recognizer(model).recognize(walking(frames=60))


def test_the_threshold_of_the_model_unless_another_is_given():
    recording, model = walking(frames=100, step=2), walking_model(threshold=0.999)
    model.network.gain.data.fill_(8.0)  # less sure
    strict, lax = Recognizer(model), Recognizer(model, threshold=0.2)
    assert (strict.threshold, lax.threshold) == (0.999, 0.2)
    assert labels(strict.recognize(recording).tracks[0]) == []
    assert labels(lax.recognize(recording).tracks[0]) == ["walk_right"]


def test_steps_and_batches():
    model = walking_model()
    recording = walking(frames=1000, fps=100, step=0.5)  # 10 s
    Recognizer(model, step=0.1).recognize(recording)
    assert model.network.batches == [64, 64, 14]  # 81 of 2 s, 61 of 4 s
    model.network.batches.clear()
    Recognizer(model, step=4.0).recognize(recording)
    assert sum(model.network.batches) == 6  # three at either scale


@pytest.mark.parametrize(("arguments", "message"), [
    ({"threshold": 1.01}, r"threshold in 0\.\.1, got 1\.01"),
    ({"threshold": -0.1}, r"threshold in 0\.\.1, got -0\.1"),
    ({"threshold": float("nan")}, "threshold"),
    ({"step": 0.0}, "step above 0 seconds, got 0"),
    ({"step": float("inf")}, "step above 0"),
])
def test_wrong_settings_are_refused_before_a_model_is_loaded(arguments, message):
    with pytest.raises(ChoiceError, match=message):
        Recognizer("absent.pt", **arguments)
    with pytest.raises(WeightsError, match=r"no model at absent\.pt"):
        Recognizer("absent.pt")


def test_the_label_at_a_time(recognizer):
    result = recognizer.recognize(there_and_back())
    right = result.tracks[0].segments[0]
    assert result.label_at(3, 0.0) == "walk_right"
    assert result.label_at(3, right.end) is None
    assert result.label_at(3, 6.0) is None
    assert result.label_at(3, 11.0) == "walk_left"
    assert result.label_at(4, 0.0) is None


def test_the_json(recognizer):
    result = recognizer.recognize(there_and_back())
    content = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert list(content) == ["source", "fps", "duration", "model", "classes", "tracks"]
    assert content["source"] == "walk.mp4"
    assert content["fps"] == pytest.approx(25)
    assert content["duration"] == pytest.approx(12)
    assert content["model"] == "walker"
    assert content["classes"] == list(CLASSES)
    (track,) = content["tracks"]
    assert (track["track_id"], track["start"], track["end"]) == (3, 0, pytest.approx(11.96))
    segment = track["segments"][0]
    assert list(segment) == ["start", "end", "label", "score", "top"]
    assert segment["top"][0] == [segment["label"], segment["score"]]

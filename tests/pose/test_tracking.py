import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.errors import ShapeError
from skelact.evaluation.identity import evaluate_identities, frames_of
from skelact.pose.estimators.base import Detections
from skelact.pose.tracking import Tracker, TrackingRules

SIZE = (640, 480)
# a standing person of height 1, centred on the origin: COCO-17
STANDING = np.array([
    (0, -.42), (.02, -.44), (-.02, -.44), (.04, -.43), (-.04, -.43), (.11, -.3), (-.11, -.3),
    (.15, -.13), (-.15, -.13), (.16, .03), (-.16, .03), (.08, .02), (-.08, .02), (.08, .26),
    (-.08, .26), (.08, .48), (-.08, .48),
])
KNEELING = STANDING * [1.6, 0.6] + [0, 0.2]


def person(x, y=240.0, height=200.0, score=0.9, pose=STANDING, confidence=0.9):
    joints = np.column_stack([pose * height + [x, y], np.full(len(pose), confidence)])
    low, high = joints[:, :2].min(axis=0), joints[:, :2].max(axis=0)
    margin = 0.03 * height
    return joints, np.concatenate([low - margin, high + margin]), score


def together(*people):
    if not people:
        return Detections(np.empty((0, 17, 3), np.float32), np.empty((0, 4), np.float32),
                          np.empty(0, np.float32))
    joints, boxes, scores = zip(*people, strict=True)
    return Detections(*(np.array(part, np.float32) for part in (joints, boxes, scores)))


def follow(frames, fps=25.0, tracker=None):
    tracker = tracker or Tracker("coco17", SIZE)
    ids = [tracker.update(found, i, i / fps) for i, found in enumerate(frames)]
    return ids, tracker.finish()


def centre_x(track):
    return 0.5 * (track.boxes[0] + track.boxes[2])


def test_one_person_standing_still():
    _, (track,) = follow([together(person(300))] * 20)
    expected = person(300)
    assert track.track_id == 1
    assert track.frame_index.tolist() == list(range(20))
    np.testing.assert_allclose(track.joints[..., 7], expected[0], rtol=1e-6)
    np.testing.assert_allclose(track.boxes[:, 7], expected[1], rtol=1e-6)


@pytest.mark.parametrize(("confidence", "tracks_expected"), [(0.2, 0), (0.6, 1)])
def test_what_has_no_sure_joints_is_no_person(confidence, tracks_expected):
    frames = [together(person(300, confidence=confidence))] * 20
    assert len(follow(frames)[1]) == tracks_expected


@pytest.mark.parametrize("fps", [5, 10, 25, 50])
def test_two_people_cross(fps):
    # 120 px/s = 0.6 body heights a second; they meet at t = 2 s, one somewhat nearer
    times = np.arange(0, 4, 1 / fps)
    frames = [together(person(80 + 120 * t), person(560 - 120 * t, 250, 215)) for t in times]
    _, tracks = follow(frames, fps)
    assert len(tracks) == 2
    for track in tracks:
        steps = np.diff(centre_x(track))
        assert len(track) > 0.9 * len(times)
        assert (np.sign(steps) == np.sign(steps[0])).all()  # nobody turns back: no swap


@pytest.mark.parametrize("fps", [5, 50])
def test_person_hidden_behind_another_keeps_the_identity(fps):
    times = np.arange(0, 4, 1 / fps)
    frames = [
        together(person(320, 260, 230),
                 *([person(80 + 120 * t)] if abs(80 + 120 * t - 320) > 50 else []))
        for t in times
    ]
    _, tracks = follow(frames, fps)
    assert len(tracks) == 2
    walker, standing = sorted(tracks, key=len)
    assert len(standing) == len(times)
    assert np.ptp(centre_x(standing)) < 1
    assert centre_x(walker)[0] < 100
    assert centre_x(walker)[-1] > 500
    assert np.diff(walker.frame_index).max() / fps > 0.7  # the hole stays a hole


@pytest.mark.parametrize(("gap", "tracks_expected"), [(0.5, 1), (1.5, 1), (3.0, 2)])
@pytest.mark.parametrize("fps", [5, 25, 50])
def test_gap_up_to_the_limit_is_bridged(gap, tracks_expected, fps):
    seen, hidden = [together(person(300))] * int(1.5 * fps), [together()] * int(gap * fps)
    _, tracks = follow(seen + hidden + seen, fps)
    assert [t.track_id for t in tracks] == list(range(1, tracks_expected + 1))
    assert sum(map(len, tracks)) == 2 * len(seen)  # hidden frames are left out


def test_walker_is_expected_farther_on_after_a_gap():
    positions = [100 + 6 * i for i in range(70)]  # 150 px/s
    frames = [together() if 30 <= i < 45 else together(person(x))
              for i, x in enumerate(positions)]
    _, tracks = follow(frames)
    assert len(tracks) == 1


def test_someone_else_elsewhere_does_not_inherit_the_identity():
    frames = ([together(person(150))] * 25 + [together()] * 20
              + [together(person(480, 300, 320))] * 25)
    ids, tracks = follow(frames)
    assert len(tracks) == 2
    assert ids[20] != ids[-1]


def test_whoever_leaves_over_the_edge_is_gone():
    out = [together(person(500 + 8 * i)) for i in range(17)]  # 200 px/s to x = 628
    frames = out + [together()] * 20 + [together(person(600))] * 25
    _, tracks = follow(frames)
    assert len(tracks) == 2


def test_person_found_twice_is_one_track():
    view = person(300)
    double = person(303, 242, 198, score=0.6)
    frames = [together(view, double), together(double, view)] * 15
    ids, tracks = follow(frames)
    assert len(tracks) == 1
    assert sorted(ids[-1].tolist()) == [-1, 1]
    assert tracks[0].joints[0, 0, -1] == pytest.approx(view[0][0, 0])  # the better view


def test_close_people_in_different_poses_are_two():
    frames = [together(person(300), person(306, pose=KNEELING, score=0.8))] * 20
    assert len(follow(frames)[1]) == 2


def test_weak_detections_continue_but_do_not_begin_a_track():
    strong, weak = together(person(300)), together(person(300, score=0.15))
    _, (track,) = follow([strong] * 10 + [weak] * 10 + [strong] * 10)
    assert len(track) == 30
    assert follow([weak] * 30)[1] == []
    too_weak = together(person(300, score=0.05))
    ids, (track,) = follow([strong] * 10 + [too_weak] * 5)
    assert ids[-1].tolist() == [-1]
    assert len(track) == 10


@pytest.mark.parametrize("fps", [5, 50])
def test_confirmation_takes_time_not_frames(fps):
    ids, (track,) = follow([together(person(300))] * fps, fps)
    first = next(i for i, found in enumerate(ids) if found[0] == 1)
    assert first == pytest.approx(0.3 * fps, abs=1)
    assert len(track) == fps  # the frames before it are not lost


def test_flicker_is_no_person():
    frames = [together(person(300), *([person(100)] if i % 40 < 3 else [])) for i in range(120)]
    _, tracks = follow(frames)
    assert [t.track_id for t in tracks] == [1]


def test_ids_are_never_reused_and_finish_forgets():
    tracker = Tracker("coco17", SIZE)
    visitor, nobody = [together(person(300))] * 25, [together()] * 75
    ids, tracks = follow(visitor + nobody + visitor + nobody + visitor, tracker=tracker)
    assert [t.track_id for t in tracks] == [1, 2, 3]
    again, second = follow(visitor, tracker=tracker)  # time and frames begin anew
    assert [t.track_id for t in second] == [1]
    np.testing.assert_array_equal(again, ids[:25])
    assert tracker.finish() == []


def test_video_without_people_or_frames():
    assert follow([together()] * 10)[1] == []
    assert follow([])[1] == []


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_recording_too_short_to_confirm_keeps_its_people(frames):
    _, tracks = follow([together(person(150), person(450))] * frames)
    assert [len(t) for t in tracks] == [frames, frames]
    assert [t.track_id for t in tracks] == [1, 2]


def test_update_agrees_with_the_finished_tracks():
    frames = [together(person(80 + 5 * i), person(560 - 5 * i, 250, 215)) for i in range(80)]
    ids, tracks = follow(frames)
    for frame, (found, names) in enumerate(zip(frames, ids, strict=True)):
        for row, name in enumerate(names):
            if name >= 0:
                track = next(t for t in tracks if t.track_id == name)
                at = np.flatnonzero(track.frame_index == frame)
                np.testing.assert_array_equal(track.joints[..., at[0]], found.joints[row])


def test_missing_joints_and_useless_boxes():
    half = person(300)
    half[0][9:, :2] = np.nan
    broken = (np.full((17, 3), np.nan), np.array([np.nan] * 4), 0.9)
    empty = (half[0], np.array([5.0, 5, 5, 5]), 0.9)
    frames = [together(half, broken, empty)] * 15
    ids, (track,) = follow(frames)
    assert ids[-1].tolist() == [1, -1, -1]
    assert track.missing[9:].all()
    assert not track.missing[:9].any()


def test_layout_without_sigmas():
    assert follow([], tracker=Tracker("ntu25", SIZE))[1] == []
    tracker = Tracker("penn13", SIZE)
    found = together(person(300))
    found = Detections(found.joints[:, :13], found.boxes, found.scores)
    assert len(follow([found] * 20, tracker=tracker)[1]) == 1


def test_rules_can_be_changed():
    frames = [together(person(300))] * 25 + [together()] * 25 + [together(person(300))] * 25
    strict = Tracker("coco17", SIZE, TrackingRules(max_gap=0.5))
    assert len(follow(frames, tracker=strict)[1]) == 2


@pytest.mark.parametrize(("frame", "time"), [(3, 1.0), (4, 0.1), (4, 0.12), (4, float("nan"))])
def test_frames_out_of_order_are_refused(frame, time):
    tracker = Tracker("coco17", SIZE)
    for i in range(4):
        tracker.update(together(person(300)), i, i / 25)
    with pytest.raises(ShapeError, match="later than 3"):
        tracker.update(together(person(300)), frame, time)


def test_detections_of_another_layout_are_refused():
    with pytest.raises(ShapeError, match="mediapipe33"):
        Tracker("mediapipe33", SIZE).update(together(person(300)), 0, 0.0)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_order_of_detections_does_not_matter(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    count, fps = data.draw(st.integers(1, 5)), data.draw(st.sampled_from([5, 10, 30]))
    starts, speeds = rng.uniform(50, 590, count), rng.uniform(-100, 100, count)
    frames, shuffles = [], []
    for i in range(20):
        people = [
            person(start + speed * i / fps + rng.normal(0, 2), 240 + 10 * k, 180 + 15 * k,
                   score=rng.uniform(0.08, 0.95))
            for k, (start, speed) in enumerate(zip(starts, speeds, strict=True))
            if rng.random() > 0.2
        ]
        frames.append(together(*people))
        shuffles.append(rng.permutation(len(people)))
    ids, tracks = follow(frames, fps)
    shuffled, same = follow([f[s] for f, s in zip(frames, shuffles, strict=True)], fps)
    for names, order, expected in zip(shuffled, shuffles, ids, strict=True):
        np.testing.assert_array_equal(names, expected[order])
    for one, other in zip(tracks, same, strict=True):
        np.testing.assert_array_equal(one.joints, other.joints)


def annotated(name):
    """Frame numbers, people and ignored boxes of an annotated video."""
    file = json.loads((Path(__file__).parent / "identities.json").read_text())
    frames = file["videos"][name]["frames"]
    people = [frame["people"] for frame in frames.values()]
    truth = [(list(p), np.array(list(p.values())).reshape(-1, 4)) for p in people]
    return list(map(int, frames)), truth, [frame.get("ignore", []) for frame in frames.values()]


@pytest.mark.shared
@pytest.mark.parametrize(("name", "people"), [
    ("two_people_1080p_vfr.mp4", 2),  # all 72 frames, they embrace
    ("three_people_exercise.avi", 3),  # 100 of 393 frames; all of them in benchmarks/tracking.py
])
def test_real_people_keep_their_identity(shared, name, people):
    from skelact.pose.estimators.yolo import YoloEstimator
    from skelact.pose.extract import extract

    stop = 100
    estimator = YoloEstimator(shared / "weights" / "yolo11n-pose.pt", device="cpu")
    recording = extract(shared / "videos" / name, estimator, stop=stop)
    indices, truth, ignored = annotated(name)
    kept = [i for i, index in enumerate(indices) if index < stop]
    predicted = frames_of(recording.tracks, [indices[i] for i in kept])
    result = evaluate_identities([truth[i] for i in kept], predicted, [ignored[i] for i in kept])
    assert len(recording.tracks) == people
    assert (result["switches"], result["misses"], result["false_positives"]) == (0, 0, 0)
    assert all(len(track) == recording.num_frames for track in recording.tracks)

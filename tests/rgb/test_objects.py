"""Objects around hands: known distances and motions, and everything that may be missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import capture, walking

from skelact.errors import ChoiceError, LayoutError, SkelactError
from skelact.graph.layouts import get_layout
from skelact.pose.recording import PoseTrack, Recording
from skelact.rgb.detections import ObjectDetections
from skelact.rgb.objects import CHANNELS, HandContext, find_hands, object_context, pool_context

LAYOUT = get_layout("coco17")
FOREARM = 20.0


def waving(frames: int = 41, fps: float = 20.0, amplitude: float = 60.0) -> Recording:
    """Somebody whose left hand goes to and fro at x = 200, and whose right one rests at x = 50.

    Forearms are level and 20 pixels long, so the middle of a hand is 7 pixels beyond its wrist.
    """
    joints = np.ones((17, 3, frames), np.float32)
    swing = amplitude * np.sin(np.linspace(0, 4 * np.pi, frames))
    for side, x, path in (("left", 200, swing), ("right", 50, 0)):
        joints[LAYOUT.index(f"{side}_elbow"), :2] = np.stack([x + path, np.full(frames, 100)]) \
            if side == "left" else np.array([[x], [100]])
        joints[LAYOUT.index(f"{side}_wrist"), :2] = joints[LAYOUT.index(f"{side}_elbow"), :2] \
            + [[FOREARM], [0]]
    return Recording((PoseTrack(1, joints, np.arange(frames)),), np.arange(frames) / fps, LAYOUT)


def square(x, y, half: float = 4.0) -> list[np.ndarray]:
    return [x - half, y - half, x + half, y + half]


def seen(recording: Recording, centres: dict, frames=None, score: float = 0.8) -> ObjectDetections:
    """Squares around paths ``[2, T]``, found in the given frames."""
    frames = np.arange(recording.num_frames) if frames is None else np.asarray(frames)
    boxes = [np.stack(square(*np.broadcast_to(np.asarray(path).T, (recording.num_frames, 2)).T))
             [:, frames] for path in centres.values()]
    return ObjectDetections(
        recording.timestamps, np.tile(frames, len(centres)), np.repeat([*centres], len(frames)),
        np.concatenate(boxes, axis=1), np.full(len(frames) * len(centres), score))


def hand_path(recording: Recording) -> np.ndarray:
    return find_hands(recording.tracks[0], LAYOUT)[0]


def channel(context: HandContext, hand: str, name: str) -> np.ndarray:
    return context.values[("left", "right").index(hand), context.channels.index(name)]


def test_hands_lie_beyond_the_wrists():
    recording = waving()
    hands, forearms = find_hands(recording.tracks[0], LAYOUT)
    np.testing.assert_allclose(hands[1], np.array([[50 + 1.35 * FOREARM], [100]]) * np.ones(41))
    np.testing.assert_allclose(forearms, FOREARM, rtol=1e-5)


def test_an_object_in_the_hand_one_that_rests_and_none():
    recording = waving()
    detections = seen(recording, {"cup": hand_path(recording)[0], "book": [77 + 24, 100]})
    [context] = object_context(recording, detections, ["cup", "book", "ball"])
    assert (context.values.shape, context.values.dtype) == ((2, 9, 41), np.float32)
    assert context.channels[:4] == (*(f"cup {what}" for what in CHANNELS), "book presence")
    np.testing.assert_allclose(channel(context, "left", "cup nearness"), 1)
    assert channel(context, "left", "cup together").min() > 0.9
    np.testing.assert_allclose(channel(context, "right", "book nearness"), np.exp(-1), rtol=1e-5)
    assert np.abs(channel(context, "right", "book together")).max() < 1e-6
    assert np.abs(channel(context, "left", "book together")).max() < 1e-6
    np.testing.assert_allclose(channel(context, "right", "cup presence"), 0.8)
    assert (context.values[:, 6:] == 0).all()
    assert context.known.all()


def test_against_each_other_and_alike_but_faster():
    recording = waving()
    hand = hand_path(recording)[0]
    mirrored, faster = hand.copy(), hand.copy()
    mirrored[0] = 2 * hand[0, 0] - hand[0]
    faster[0] = hand[0, 0] + 3 * (hand[0] - hand[0, 0])
    detections = seen(recording, {"mirrored": mirrored, "faster": faster})
    [context] = object_context(recording, detections)
    assert channel(context, "left", "mirrored together").max() < -0.9
    faster = channel(context, "left", "faster together")  # 2 * 3 / (1 + 9)
    assert 0.5 < faster.min() <= faster.max() < 0.6 + 1e-6


def test_what_moves_hardly_at_all_is_not_together():
    recording = waving(amplitude=0.1)
    [context] = object_context(recording, seen(recording, {"cup": hand_path(recording)[0]}))
    assert 0 < channel(context, "left", "cup together").max() < 0.3


def test_the_nearest_of_several_counts():
    recording = waving()
    near, far = np.array([[77 + 24], [100]]), np.array([[77 + 64], [100]])
    both = seen(recording, {"near": near, "far": far})
    renamed = ObjectDetections(both.times, both.frame, ["cup"] * len(both), both.boxes, both.scores)
    [context] = object_context(recording, renamed)
    np.testing.assert_allclose(channel(context, "right", "cup nearness"), np.exp(-1), rtol=1e-5)
    order = np.random.default_rng(0).permutation(len(both))
    mixed = ObjectDetections(both.times, both.frame[order], ["cup"] * len(both),
                             both.boxes[:, order], both.scores[order])
    [again] = object_context(recording, mixed)
    np.testing.assert_array_equal(again.values, context.values)


@pytest.mark.parametrize("every", [2, 4, 8])
def test_frames_that_were_not_looked_at_take_the_nearest_sighting(every):
    recording = waving()
    path = hand_path(recording)[0]
    dense = seen(recording, {"cup": path})
    looked = np.arange(0, 41, every)
    rows = np.isin(dense.frame, looked)
    sparse = ObjectDetections(recording.timestamps[looked], dense.frame[rows] // every,
                              ["cup"] * len(looked), dense.boxes[:, rows], dense.scores[rows])
    [context] = object_context(recording, sparse, carry=0.25)
    np.testing.assert_allclose(channel(context, "left", "cup nearness"), 1)
    assert channel(context, "left", "cup together").min() > 0.9


def test_a_sighting_holds_for_so_long_and_no_longer():
    recording = waving()
    detections = seen(recording, {"cup": hand_path(recording)[0]}, frames=[0, 1, 2])
    [context] = object_context(recording, detections, carry=0.25)
    expected = np.arange(41) <= 2 + 5  # 20 frames a second
    np.testing.assert_array_equal(channel(context, "left", "cup presence") > 0, expected)
    np.testing.assert_array_equal(channel(context, "left", "cup nearness") > 0, expected)
    np.testing.assert_array_equal(channel(context, "left", "cup together") != 0, expected)


def test_hands_that_are_not_seen():
    recording = waving()
    [track] = recording.tracks
    joints = track.joints.copy()
    joints[LAYOUT.index("left_wrist"), :, 10:20] = np.nan
    joints[LAYOUT.index("left_elbow"), 2, 20:25] = 0.1
    joints[LAYOUT.index("right_wrist"), :2] = np.nan
    recording = recording.with_tracks([PoseTrack(1, joints, track.frame_index)])
    path = hand_path(waving())[0]
    [context] = object_context(recording, seen(recording, {"cup": path}))
    np.testing.assert_array_equal(context.known[0], ~np.isin(np.arange(41), np.arange(10, 25)))
    assert not context.known[1].any()
    assert np.isfinite(context.values).all()
    assert (context.values[1, 1:] == 0).all()
    assert (context.values[0, 1:, 10:25] == 0).all()
    assert (channel(context, "left", "cup presence") > 0).all()
    assert pool_context([context]).max() == pytest.approx(1)


def test_people_who_come_later_and_nobody():
    recording = walking(frames=30, people=2, first=10)
    hands = [find_hands(track, LAYOUT)[0][0] for track in recording]
    path = np.full((2, 30), 1e4)
    path[:, 10:] = hands[1]
    first, second = object_context(recording, seen(recording, {"bag": path}))
    assert first.values.shape == second.values.shape == (2, 3, 20)
    assert channel(second, "left", "bag nearness").min() > 0.99
    assert channel(first, "left", "bag nearness").max() < 0.2
    assert object_context(recording.with_tracks(()), seen(recording, {"bag": path})) == ()
    nothing = ObjectDetections(recording.timestamps, [], [], np.empty((4, 0)), [])
    for context in object_context(recording, nothing, ["bag"]):
        assert context.values.shape == (2, 3, 20)
        assert (context.values == 0).all()
    assert [c.values.shape for c in object_context(recording, nothing)] == [(2, 0, 20)] * 2


def test_detections_of_other_moments_are_not_those_of_the_person():
    recording = waving()
    detections = seen(recording, {"cup": hand_path(recording)[0]})
    later = ObjectDetections(detections.times + 60, detections.frame, detections.names,
                             detections.boxes, detections.scores)
    [context] = object_context(recording, later)
    assert (context.values == 0).all()


@settings(max_examples=30)
@given(missing=st.lists(st.booleans(), min_size=41, max_size=41), scale=st.floats(0.1, 10))
def test_distances_are_in_forearms_whatever_the_size_and_always_bounded(missing, scale):
    recording = waving()
    detections = seen(recording, {"cup": [120, 90]}, frames=np.flatnonzero(~np.array(missing)))
    [context] = object_context(recording, detections)
    [track] = recording.tracks
    joints = track.joints.copy()
    joints[:, :2] *= scale
    larger = recording.with_tracks([PoseTrack(1, joints, track.frame_index)])
    boxes = ObjectDetections(detections.times, detections.frame, detections.names,
                             detections.boxes * scale, detections.scores)
    if FOREARM * scale >= 1:
        [again] = object_context(larger, boxes)
        np.testing.assert_allclose(again.values, context.values, atol=1e-3)
    assert np.abs(context.values).max(initial=0) <= 1 + 1e-6


def test_one_vector_a_clip():
    recording = waving()
    [context] = object_context(recording, seen(recording, {"cup": hand_path(recording)[0]}))
    vector = pool_context([context])
    assert (vector.shape, vector.dtype) == ((6,), np.float32)
    np.testing.assert_allclose(vector[[0, 1, 3, 4]], [0.8, 1, 0.8, 1], rtol=1e-5)
    assert pool_context([context], each_hand=True).shape == (12,)
    swapped = HandContext(2, context.classes, context.values[::-1], context.known[::-1])
    np.testing.assert_array_equal(pool_context([swapped]), vector)
    silent = HandContext(3, context.classes, 0 * context.values, ~context.known)
    np.testing.assert_array_equal(pool_context([silent, context]), vector)
    other = HandContext(4, ("book",), context.values, context.known)
    for wrong in ([], [context, other]):
        with pytest.raises(SkelactError, match="at least one person"):
            pool_context(wrong)


def test_what_is_refused():
    recording = waving()
    detections = seen(recording, {"cup": [0, 0]})
    with pytest.raises(ChoiceError, match="dims"):
        object_context(capture(), detections)
    for classes in (["cup", "cup"], []):
        with pytest.raises(ChoiceError, match="each once"):
            object_context(recording, detections, classes)
    for limits in ({"carry": 0}, {"window": -1}):
        with pytest.raises(ChoiceError, match="above 0 seconds"):
            object_context(recording, detections, **limits)
    hand = Recording((PoseTrack(1, np.ones((21, 3, 2)), [0, 1]),), [0, 0.1], "hand21")
    with pytest.raises(LayoutError, match="left_elbow"):
        object_context(hand, detections)

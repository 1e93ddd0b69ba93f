"""Cutting tracks into clips: by time and not by frame, nothing left out, nothing made up."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import capture, walking
from stores import standing_3d

from skelact.config import ClipConfig
from skelact.errors import LayoutError, SkelactError
from skelact.graph import get_layout
from skelact.pose.recording import PoseTrack, Recording
from skelact.recognition.windows import cut_windows, place_windows, runs
from skelact.transforms.remap import remap
from skelact.transforms.streams import take_stream

PENN = get_layout("penn13")
CLIP = ClipConfig(dims=2, layout="penn13", frames=16, window=2.0, min_confidence=0.1)


def cut(recording, clip=CLIP, step=0.5):
    return list(cut_windows(recording, PENN, clip, step))


def only(recording, **arguments):
    ((_, windows),) = cut(recording, **arguments)
    return windows


@pytest.mark.parametrize(
    ("stretch", "length", "step", "starts"),
    [
        ((0, 1), 2, 0.5, [0]),
        ((0, 2), 2, 0.5, [0]),
        ((1, 5), 2, 1.0, [1, 2, 3]),
        ((0, 2.4), 2, 0.5, [0, 0.4]),
        ((0, 3.1), 2, 0.5, [0, 1.1 / 3, 2.2 / 3, 1.1]),
        ((0, 9), 2, 100.0, [0, 7]),
    ],
)
def test_windows_by_hand(stretch, length, step, starts):
    windows = place_windows(*stretch, length, step)
    np.testing.assert_allclose(windows[:, 0], starts, atol=1e-9)
    np.testing.assert_allclose(windows[:, 1], np.minimum(np.array(starts) + length, stretch[1]))


@given(st.floats(0, 100), st.floats(0.1, 60), st.floats(0.2, 5), st.floats(0.05, 3))
@settings(max_examples=80, deadline=None)
def test_windows_cover_the_stretch_from_end_to_end(start, duration, length, step):
    windows = place_windows(start, start + duration, length, step)
    assert windows[0, 0] == pytest.approx(start)
    assert windows[-1, 1] == pytest.approx(start + duration)
    gaps = np.diff(windows[:, 0])
    assert (gaps > 0).all()
    if step < length:
        assert (gaps <= step + 1e-6).all()
        assert (windows[1:, 0] <= windows[:-1, 1]).all()
    assert len(windows) <= max(1, duration / step + 2)


def test_an_absence_of_over_a_second_ends_a_run():
    times = np.array([0, 0.5, 1.5, 2.6, 2.7])
    assert runs(times) == [slice(0, 3), slice(3, 5)]
    assert runs(times[:1]) == [slice(0, 1)]
    assert runs(np.empty(0)) == []


def test_clips_are_ready_for_the_network():
    windows = only(walking(frames=100, fps=25))
    assert windows.clips.shape == (6, 1, 13, 3, 16)
    assert windows.clips.dtype == torch.float32
    assert windows.clips.isfinite().all()
    np.testing.assert_allclose(windows.spans, [[s, s + 2] for s in (0, 0.5, 1, 1.5, 2)] + [[0, 4]])
    coordinates = windows.clips[:, 0, :, :2]
    size = (coordinates.amax(1) - coordinates.amin(1)).amax(1).mean(-1)
    torch.testing.assert_close(size, torch.ones(6))


def test_the_frame_rate_does_not_matter():
    """The same walk at 5, 25 and 60 frames a second, and at uneven times."""
    def at(fps):
        return walking(frames=4 * fps, fps=fps, step=50 / fps)

    reference = only(at(25))
    for fps in (5, 60):
        windows = only(at(fps))
        np.testing.assert_allclose(windows.spans, reference.spans)
        # the last frame of a window lies up to a frame before its end
        assert (windows.clips - reference.clips).abs().max() < 0.15
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 120))
    steady = walking(frames=120, step=0).tracks[0].joints
    steady[:, 0] += (50 * times).astype(np.float32)
    uneven = Recording((PoseTrack(1, steady, np.arange(120)),), times, "coco17")
    path = only(uneven).clips[0, 0, 0, 0]
    assert path.diff().std() < 1e-3 * path.diff().mean()  # even steps in time


def test_people_come_late_and_leave():
    recording = walking(frames=150, first=50, fps=25)
    windows = only(recording)
    assert windows.spans[0, 0] == pytest.approx(2.0)
    assert windows.spans[-1, 1] == pytest.approx(6.0)


def without(recording: Recording, keep) -> Recording:
    track = recording.tracks[0]
    return recording.with_tracks([PoseTrack(1, track.joints[:, :, keep], track.frame_index[keep])])


def test_no_window_spans_a_long_absence_and_short_ones_are_bridged():
    frames = np.arange(200)
    long = only(without(walking(frames=200, fps=25), (frames < 75) | (frames >= 110)))
    assert not any(start < 3.0 < end - 0.05 for start, end in long.spans)
    assert long.spans[:, 1].max() == pytest.approx(8.0)
    assert (long.spans[:, 0] >= 4.4 - 1e-9).any()
    short = only(without(walking(frames=200, fps=25), (frames < 75) | (frames >= 95)))
    whole = only(walking(frames=200, fps=25))
    np.testing.assert_allclose(short.spans, whole.spans)
    around = (whole.spans[:, 0] < 3.0) & (whole.spans[:, 1] > 3.8)  # the walk is straight
    assert around.sum() >= 2
    assert (short.clips - whole.clips)[around].abs().max() < 0.01


@pytest.mark.parametrize(("frames", "fps", "count"), [
    (19, 25, 0),  # 0.76 s
    (20, 25, 1),
    (3, 5, 0),
    (4, 5, 1),  # 0.8 s at 5 frames a second
    (3, 2, 0),  # long enough, but of three frames only
    (1, 25, 0),
])
def test_what_is_seen_too_briefly_is_not_judged(frames, fps, count):
    windows = only(walking(frames=frames, fps=fps))
    assert len(windows.spans) == len(windows.clips) == count
    assert windows.clips.shape[1:] == (1, 13, 3, 16)
    if count:
        np.testing.assert_allclose(windows.spans, [[0, frames / fps]])


def test_what_is_seen_too_partially_is_not_judged():
    recording = walking(frames=50)
    joints = recording.tracks[0].joints
    body = [i for i, name in enumerate(recording.layout.joints)
            if name.split("_")[-1] in ("hip", "knee", "ankle")]
    joints[body[:4]] = np.nan
    assert len(only(recording).spans) == 1  # 9 of 13
    joints[body] = np.nan
    windows = only(recording)
    assert len(windows.spans) == 1  # 7 of 13
    hidden = [PENN.index(f"{side}_{part}") for side in ("left", "right")
              for part in ("hip", "knee", "ankle")]
    assert (windows.clips[0, 0, hidden] == 0).all()
    shown = [i for i in range(13) if i not in hidden]
    assert (windows.clips[0, 0, shown, 2] == 1).all()
    joints[recording.layout.index("left_wrist")] = np.nan
    assert len(only(recording).spans) == 0  # 6 of 13


def test_unsure_joints_count_as_missing():
    recording = walking(frames=50)
    wrist = recording.layout.index("left_wrist")
    recording.tracks[0].joints[wrist, 2] = 0.09
    assert (only(recording).clips[0, 0, PENN.index("left_wrist")] == 0).all()
    recording.tracks[0].joints[wrist, 2, 10:] = 0.5  # seen most of the time
    assert (only(recording).clips[0, 0, PENN.index("left_wrist")] != 0).any()


def test_every_track_is_cut_and_the_recording_stays():
    recording = walking(frames=60, people=3)
    before = [track.joints.copy() for track in recording.tracks]
    results = cut(recording)
    assert [track.track_id for track, _ in results] == [1, 2, 3]
    for track, joints in zip(recording.tracks, before, strict=True):
        np.testing.assert_array_equal(track.joints, joints)


def test_nobody_and_a_track_without_frames():
    nobody = Recording((), np.arange(5) / 5, "coco17")
    assert cut(nobody) == []
    empty = PoseTrack(7, np.empty((17, 3, 0)), np.empty(0, int))
    assert cut(nobody.with_tracks([empty])) == []


def test_what_the_network_cannot_take_is_refused():
    deep = replace(CLIP, dims=3, normalise="canonical")
    with pytest.raises(SkelactError, match=r"expected a 3-D recording .* got a 2-D"):
        cut(walking(frames=50), deep)
    with pytest.raises(SkelactError, match=r"size of its image .* --clip.normalise body"):
        cut(replace(walking(frames=50), image_size=None), replace(CLIP, normalise="image"))
    hand = Recording((PoseTrack(0, np.zeros((21, 3, 40)), np.arange(40)),), np.arange(40) / 25,
                     "hand21")
    with pytest.raises(LayoutError, match="hand21"):
        cut(hand)


def test_three_dimensions_for_a_network_of_two_are_seen_from_the_front():
    windows = only(capture(60))
    head, ankle, left, right = (windows.clips[:, 0, PENN.index(name)] for name in
                                ("head", "left_ankle", "left_shoulder", "right_shoulder"))
    assert (head[:, 1] < ankle[:, 1]).all()  # y down, as in a picture
    assert (left[:, 0] > right[:, 0]).all()  # somebody who faces us
    assert (windows.clips[:, 0, :, 2] == 1).all()  # confidence


@pytest.mark.parametrize("stream", ["joint", "bone", "joint_motion", "bone_motion"])
def test_windows_are_the_stream_that_the_network_learned(stream):
    recording = walking(frames=60, step=3)
    joints = only(recording).clips
    found = only(recording, clip=replace(CLIP, stream=stream)).clips
    torch.testing.assert_close(found, take_stream(joints, PENN, stream))


def test_pixels_by_the_size_of_the_image():
    recording = walking(frames=50, size=(400, 300))
    clip = only(recording, clip=replace(CLIP, normalise="image", frames=50)).clips[0, 0]
    track = remap(recording, PENN).tracks[0].joints
    expected = (track[:, :2] - np.array([[200], [150]])) / np.array([[200], [150]])
    np.testing.assert_allclose(clip[:, :2], expected, atol=1e-4)


def test_upright_people_in_metres():
    ntu = get_layout("ntu25")
    body = np.repeat(standing_3d(ntu)[..., None], 60, axis=2)
    turned = np.einsum("ij,njt->nit", [[0, 0, 1], [0, 1, 0], [-1, 0, 0]], body)
    clip = ClipConfig(layout="ntu25", dims=3, frames=8, normalise="canonical")
    clips = []
    for joints in (body, turned):
        recording = Recording((PoseTrack(0, joints, np.arange(60)),), np.arange(60) / 30, "ntu25",
                              dims=3, fps=30.0)
        ((_, windows),) = cut_windows(recording, ntu, clip, 0.5)
        clips.append(windows.clips)
    torch.testing.assert_close(clips[0], clips[1], atol=1e-4, rtol=0)
    shoulders = [clips[0][0, 0, ntu.index(f"{side}_shoulder")] for side in ("left", "right")]
    across = shoulders[0] - shoulders[1]
    assert (across[0].abs() > 0.3).all()
    torch.testing.assert_close(across[1:], torch.zeros(2, 8), atol=1e-4, rtol=0)


def test_a_window_shorter_than_its_length_is_the_whole_of_it():
    clip = ClipConfig(dims=2, frames=30, window=9.0)
    windows = only(walking(frames=30, fps=25, step=4), clip=clip)
    assert windows.spans.tolist() == [[0, pytest.approx(1.2)]]
    path = windows.clips[0, 0, 0, 0]
    assert math.isclose(float(path[-1] - path[0]) / 29, float(path[1] - path[0]), rel_tol=1e-3)


def test_a_network_for_two_gets_an_empty_second_slot():
    clips = only(walking(frames=60, fps=25, step=4), clip=replace(CLIP, people=2)).clips
    alone = only(walking(frames=60, fps=25, step=4)).clips
    assert torch.equal(clips[:, :1], alone)
    assert clips.shape[1] == 2
    assert not clips[:, 1].any()


def test_a_network_that_was_trained_on_padded_clips_gets_them():
    clip = replace(CLIP, frames=100, window=1.0, sampling="pad")
    clips = only(walking(frames=60, fps=25, step=4), clip=clip).clips
    seen = clips.abs().sum(dim=(1, 2, 3)) > 0
    assert seen[:, :25].all()  # a second at its own rate
    assert not seen[:, 51:].any()  # two seconds are the longest window
    resized = replace(clip, frames=25, sampling="resize")
    whole = only(walking(frames=60, fps=25, step=4), clip=resized)
    torch.testing.assert_close(clips[0, ..., :25], whole.clips[0])

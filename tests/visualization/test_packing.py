from dataclasses import replace

import numpy as np
import pytest
from crowds import crowd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from packed import unpack
from recordings import capture, walking

from skelact.pose.recording import PoseTrack, Recording
from skelact.visualization.packing import STEPS, pack


def assert_same(recording, packed=None):
    """Whatever is seen comes back within half a step, whatever is not comes back as missing."""
    packed = packed or pack(recording)
    times, tracks = unpack(packed, recording)
    np.testing.assert_allclose(times, recording.timestamps - recording.timestamps[0], atol=6e-5)
    for track, (joints, levels, frames) in zip(recording.tracks, tracks, strict=True):
        np.testing.assert_array_equal(frames, track.frame_index)
        np.testing.assert_array_equal(levels == 0, track.missing)
        expected = np.where(track.missing[:, None], np.nan, track.joints[:, : packed.channels])
        np.testing.assert_allclose(joints, expected, atol=0.5001 * packed.step + 1e-4)


@pytest.mark.parametrize("recording", [
    walking(people=3), walking(first=7, times=np.cumsum(np.linspace(0.02, 0.2, 30)) + 40),
    capture(), Recording((), np.arange(4) / 4, "coco17"), walking(frames=1)])
def test_joints_come_back_within_half_a_step(recording):
    assert_same(recording)


def test_a_step_is_a_small_part_of_the_image():
    assert pack(walking(size=(1920, 1080))).step == 1920 / STEPS
    assert pack(capture()).step < 0.001


def test_missing_joints_and_absent_people_stay_missing():
    recording = walking(people=2, frames=20)
    joints = recording.tracks[0].joints[:, :, [0, 1, 2, 9, 10, 15]].copy()
    joints[3, :, :2] = np.nan
    joints[4, :, 2:4] = np.nan
    joints[5, 0, 5] = np.nan  # only x is missing, so the joint is
    joints[6] = np.nan
    track = PoseTrack(1, joints, np.array([0, 1, 2, 9, 10, 15]))
    nothing = PoseTrack(9, joints[..., :0], np.empty(0, int))
    recording = recording.with_tracks([track, nothing, recording.tracks[1]])
    packed = pack(recording)
    assert packed.runs == (((0, 3), (9, 2), (15, 1)), (), ((0, 20),))
    assert_same(recording, packed)


def test_confidence_comes_back_in_steps_and_keeps_the_thresholds_of_drawing():
    given_ = np.array([0.0, 0.149, 0.15, 0.4999, 0.5, 1.0, np.nan], np.float32)
    recording = walking(frames=len(given_))
    joints = recording.tracks[0].joints.copy()
    joints[:, 2] = given_
    recording = recording.with_tracks([replace(recording.tracks[0], joints=joints)])
    _, [(_, levels, _)] = unpack(pack(recording), recording)
    assert levels[0].tolist() == [1, 3, 4, 10, 11, 21, 21]


def test_the_confidence_of_a_sensor_is_kept():
    recording = capture(frames=3)
    confidence = np.tile(np.array([0.0, 0.5, 1.0], np.float32), (17, 1))
    recording = recording.with_tracks([replace(recording.tracks[0], confidence=confidence)])
    _, [(_, levels, _)] = unpack(pack(recording), recording)
    assert levels[5].tolist() == [1, 11, 21]


def test_a_wild_outlier_goes_missing_and_spoils_nobody_else():
    recording = capture(frames=400)
    joints = recording.tracks[0].joints.copy()
    joints[2, 0, 5] = 1e6
    wild = recording.with_tracks([replace(recording.tracks[0], joints=joints)])
    packed = pack(wild)
    assert packed.step < 0.001
    _, [(found, levels, _)] = unpack(packed, wild)
    assert levels[2, 5] == 0
    np.testing.assert_allclose(found[:, :, 6:], joints[:, :, 6:], atol=packed.step)


@given(arrays(np.float32, (17, 3, 6),
              elements=st.one_of(st.just(np.nan), st.floats(-500, 900, width=32))))
def test_any_joints(joints):
    joints[:, 2] = np.clip(np.nan_to_num(joints[:, 2] / 900), 0, 1)
    track = PoseTrack(1, joints, np.array([0, 2, 3, 4, 8, 9]))
    assert_same(Recording((track,), np.arange(10) / 10, "coco17", image_size=(640, 360)))


@pytest.mark.parametrize(("fields", "most"), [({}, 45), ({"dims": 3, "layout": "ntu25"}, 95)])
def test_a_noisy_person_costs_few_bytes_a_frame(fields, most):
    recording = crowd(seconds=20, people=2, **fields)
    assert len(pack(recording).data) / (2 * recording.num_frames) < most

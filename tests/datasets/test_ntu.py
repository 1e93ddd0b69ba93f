"""Profiles of NTU RGB+D: which bodies become which tracks, and that the report says so."""

import csv

import numpy as np
import pytest
from captures import NAME, STANDING, capture, chair, person
from hypothesis import given, settings
from hypothesis import strategies as st
from ntu_plain import prepare_agcn, prepare_ctrgcn

from skelact.datasets.ntu import (
    PROFILES,
    apply_profile,
    describe_missing,
    is_missing,
    read_missing_list,
    write_body_report,
)
from skelact.datasets.readers.skeleton_file import RawCapture, read_skeleton_file
from skelact.errors import FileFormatError, OutputExistsError

A, B, C = 72057594037931101, 72057594037931102, 72057594037931690
SPINE, LEFT_SHOULDER, RIGHT_SHOULDER = 1, 4, 8


def dense(recording) -> np.ndarray:
    """``[M, T, 25, 3]`` with 0 for what is missing, as the published arrays are."""
    return np.nan_to_num(recording.joints()).transpose(0, 3, 1, 2)


def decisions(rows) -> dict[int, tuple]:
    return {row.body_id: (row.decision, row.track_id) for row in rows}


@pytest.mark.shared
def test_pyskl_is_what_pyskl_makes(shared):
    folder = shared / "reference" / "ntu_raw"
    with np.load(folder / "expected_pyskl.npz") as file:
        expected = dict(file)
    assert len(expected) == 8
    for name, joints in expected.items():
        recording, rows = apply_profile(read_skeleton_file(folder / f"{name}.skeleton"), "pyskl")
        np.testing.assert_array_equal(dense(recording), joints)  # to the bit, before float16
        assert recording.num_frames == joints.shape[1]
        assert all(row.reason and row.decision in ("kept", "merged", "dropped") for row in rows)


def test_skelact_keeps_time_and_ids():
    frames = np.array([2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 19])
    captured = capture(25, {A: (frames, person(12, 0.1)), B: (frames + 1, person(12, 0.3, 1.0))})
    recording, rows = apply_profile(captured)
    assert recording.num_frames == 25
    assert [track.track_id for track in recording.tracks] == [B, A]  # the livelier first
    for track, index, joints in zip(recording.tracks, (frames + 1, frames),
                                    (person(12, 0.3, 1.0), person(12, 0.1)), strict=True):
        np.testing.assert_array_equal(track.frame_index, index)
        np.testing.assert_array_equal(track.joints, joints.transpose(1, 2, 0))
        assert (track.confidence == 1).all()
    assert decisions(rows) == {B: ("kept", B), A: ("kept", A)}
    assert [(row.frames, row.first_frame) for row in rows] == [(12, 3), (12, 2)]


def test_motion_is_the_variance_over_joints_and_frames():
    joints = person(20)
    _, (row,) = apply_profile(capture(20, {A: (np.arange(20), joints)}))
    assert row.motion == pytest.approx(joints.reshape(-1, 3).var(axis=0).sum(), rel=1e-5)


@pytest.mark.parametrize("profile", ["skelact", "pyskl", "ctrgcn"])
def test_noise_is_dropped_with_a_reason(profile):
    bodies = {A: (np.arange(30), person(30)), B: (np.arange(11), person(11, 0.5)),
              C: (np.arange(30), chair(30))}
    recording, rows = apply_profile(capture(30, bodies), profile)
    assert len(recording.tracks) == 1
    reasons = {row.body_id: row.reason for row in rows if row.decision == "dropped"}
    assert reasons == {B: "seen in 11 frames; 11 or fewer are noise",
                       C: "wider than 0.8 of its height in 100% of its frames"}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_lone_body_is_kept_however_odd(profile):
    recording, (row,) = apply_profile(capture(5, {A: (np.arange(5), chair(5))}), profile)
    assert row.decision == "kept"
    assert len(recording.tracks) == 1


def test_where_all_is_noise_skelact_keeps_the_longest_and_others_refuse():
    captured = capture(9, {A: (np.arange(5), person(5, 0.5)), B: (np.arange(9), person(9))})
    recording, rows = apply_profile(captured)
    assert [track.track_id for track in recording.tracks] == [B]
    assert decisions(rows) == {A: ("dropped", None), B: ("kept", B)}
    assert "the longest of 2 that all look like noise" in rows[1].reason
    for profile in ("pyskl", "ctrgcn"):
        with pytest.raises(FileFormatError, match=rf"{NAME}: profile '{profile}' drops every body"):
            apply_profile(captured, profile)


def test_some_bad_frames_lower_the_motion():
    joints = person(20)
    joints[:6] = chair(6, swing=1.0, x=0)
    bodies = {A: (np.arange(20), joints), B: (np.arange(20), person(20, 0.12, 1))}
    _, rows = apply_profile(capture(20, bodies))
    motion = {row.body_id: row.motion for row in rows}
    assert motion[A] == pytest.approx(joints[6:].reshape(-1, 3).var(axis=0).sum(), rel=1e-4)
    assert rows[0].body_id == B


def test_missing_joints_and_untracked_ones():
    joints = person(4)
    joints[1, 7] = 0
    joints[3] = 0
    captured = capture(4, {A: (np.arange(4), joints)})
    captured.tracking[0, 3] = 0
    captured.tracking[0, 4] = 1
    (track,) = apply_profile(captured)[0].tracks
    np.testing.assert_array_equal(track.frame_index, [0, 1, 2])  # nothing is seen in frame 3
    assert set(zip(*np.nonzero(track.missing), strict=True)) == {(3, 0), (7, 1)}
    assert track.confidence[3, 0] == track.confidence[7, 1] == 0
    assert track.confidence[4, 0] == 0.5
    (track,) = apply_profile(captured, "pyskl")[0].tracks
    assert set(zip(*np.nonzero(track.missing), strict=True)) == {(7, 1)}  # as published


@pytest.mark.parametrize("profile", PROFILES)
def test_a_capture_without_bodies_is_refused(profile):
    for captured in (capture(3, {}), capture(3, {A: (np.arange(3), np.zeros((3, 25, 3)))})):
        assert is_missing(captured)
        with pytest.raises(FileFormatError, match="no body in any of its 3 frames"):
            apply_profile(captured, profile)
    assert not is_missing(capture(3, {A: (np.arange(3), person(3))}))


@pytest.mark.parametrize("profile", ["pyskl", "ctrgcn"])
def test_published_code_closes_gaps_and_joins_bodies(profile):
    first, later = person(15, 0.3), person(16, 0.2)
    gappy = np.delete(np.arange(3, 21), [5, 6, 7])
    bodies = {A: (gappy, first), C: (np.arange(21, 37), later),
              B: (np.arange(3, 37), person(34, 0.1, 1))}
    recording, rows = apply_profile(capture(40, bodies), profile)
    assert decisions(rows) == {A: ("kept", 0), C: ("merged", 0), B: ("kept", 1)}
    joints = dense(recording)
    assert joints.shape == (2, 34, 25, 3)  # three frames are empty before and after
    if profile == "ctrgcn":
        np.testing.assert_array_equal(joints[0, 0, SPINE], 0)
        joints += first[0, SPINE]
        joints[np.abs(joints - first[0, SPINE]).sum(axis=(2, 3)) == 0] = 0
    np.testing.assert_allclose(joints[0, :15], first, atol=1e-6)
    np.testing.assert_allclose(joints[0, 18:], later, atol=1e-6)
    assert len(recording.tracks[0]) == 31  # its gap has moved to the end of the first body


def test_one_common_frame_is_an_overlap_for_pyskl_only():
    bodies = {A: (np.arange(15), person(15, 0.3)), B: (np.arange(14, 30), person(16, 0.2))}
    captured = capture(30, bodies)
    assert decisions(apply_profile(captured, "pyskl")[1])[B] == ("kept", 1)
    assert decisions(apply_profile(captured, "ctrgcn")[1])[B] == ("merged", 0)


def test_pyskl_swaps_persons_when_the_first_comes_later():
    bodies = {A: (np.arange(10, 30), person(20, 0.3)), B: (np.arange(30), person(30, 0.1, 1))}
    recording, rows = apply_profile(capture(30, bodies), "pyskl")
    assert decisions(rows) == {A: ("kept", 1), B: ("kept", 0)}
    np.testing.assert_array_equal(recording.tracks[1].frame_index, np.arange(10, 30))


def test_stgcn_takes_places_in_the_file():
    frames = np.arange(12)
    bodies = {A: (frames[6:], person(6)), B: (frames, person(12, x=1)),
              C: (frames, person(12, x=2))}
    recording, rows = apply_profile(capture(14, bodies), "stgcn")
    assert recording.num_frames == 14
    joints = dense(recording)
    np.testing.assert_array_equal(joints[0, :6], person(12, x=1)[:6])
    np.testing.assert_array_equal(joints[0, 6:12], person(6))
    np.testing.assert_array_equal(joints[1, :6], person(12, x=2)[:6])
    np.testing.assert_array_equal(joints[1, 6:12], person(12, x=1)[6:])
    assert {row.body_id: row.reason for row in rows}[C] == (
        "in 6 of 12 frames it is body 1 or 2 of its frame")


def test_agcn_takes_the_livelier_places_and_repeats_each_to_300_frames():
    calm, lively = person(20, 0.05), person(12, 0.3, x=1)
    bodies = {B: (np.arange(20), calm), A: (np.arange(8, 20), lively)}
    recording, rows = apply_profile(capture(20, bodies), "agcn")
    joints = dense(recording)
    assert decisions(rows) == {A: ("kept", 0), B: ("kept", 1)}
    assert joints.shape == (2, 300, 25, 3)
    np.testing.assert_allclose(joints[0, 12:], joints[0, :-12], atol=1e-6)  # from its first frame
    np.testing.assert_allclose(joints[0, :, SPINE], 0, atol=1e-6)
    apart = np.linalg.norm(calm[5, SPINE] - lively[5, SPINE])  # both count from where they begin
    np.testing.assert_allclose(np.linalg.norm(joints[1, 5, SPINE]), apart, rtol=1e-5)


def test_agcn_takes_a_place_for_a_person():
    bodies = {B: (np.arange(8, 20), person(12, x=1)), A: (np.arange(8), person(8))}
    recording, rows = apply_profile(capture(20, bodies), "agcn")
    assert decisions(rows) == {A: ("kept", 0), B: ("kept", 0)}
    joints = dense(recording)
    np.testing.assert_allclose(joints[0, 20:], joints[0, :-20], atol=1e-6)


def test_agcn_rotation_keeps_lengths_and_points_the_spine_up():
    joints = np.zeros((3, 25, 3), np.float32)
    joints[..., :2] = STANDING
    joints[..., 2] = 3
    turned = dense(apply_profile(capture(3, {A: (np.arange(3), joints)}), "agcn")[0])[0]
    np.testing.assert_allclose(np.linalg.norm(turned[0, :, None] - turned[0], axis=-1),
                               np.linalg.norm(joints[0, :, None] - joints[0], axis=-1), atol=1e-6)
    np.testing.assert_allclose(turned[0, SPINE] - turned[0, 0], [0, 0, 0.3], atol=1e-6)
    np.testing.assert_allclose(turned[0, RIGHT_SHOULDER] - turned[0, LEFT_SHOULDER], [0.4, 0, 0],
                               atol=1e-6)


@st.composite
def crowds(draw, swings: tuple[float, ...] = (0, 0.1, 0.4)) -> RawCapture:
    length = draw(st.integers(1, 40))
    bodies = {}
    for body_id in draw(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5, unique=True)):
        shown = draw(st.sets(st.integers(0, length - 1), min_size=1))
        make = draw(st.sampled_from([person, chair]))
        bodies[body_id] = (sorted(shown), make(len(shown), draw(st.sampled_from(swings))))
    return capture(length, bodies)


@settings(deadline=None, max_examples=60)
@given(captured=crowds(), profile=st.sampled_from(sorted(PROFILES)))
def test_every_body_is_accounted_for(captured, profile):
    try:
        recording, rows = apply_profile(captured, profile)
    except FileFormatError as error:
        assert profile != "skelact"
        assert "drops every body" in str(error)  # noqa: PT017
        return
    assert sorted(row.body_id for row in rows) == sorted(set(captured.body_ids.tolist()))
    assert sum(row.frames for row in rows) == len(captured.body_ids)
    tracks = {track.track_id for track in recording.tracks}
    named = {row.track_id for row in rows if row.decision != "dropped"}
    # a place of the file may change hands: a body is reported with the track it is mostly in
    assert named <= tracks if profile in ("stgcn", "agcn") else named == tracks
    assert all((row.track_id is None) == (row.decision == "dropped") for row in rows)
    assert [row.motion for row in rows] == sorted((row.motion for row in rows), reverse=True)
    assert not np.isnan(recording.tracks[0].joints).all()


def assert_as_published(captured: RawCapture) -> None:
    expected = prepare_ctrgcn(captured)
    if expected is None:
        with pytest.raises(FileFormatError, match="drops every body"):
            apply_profile(captured, "ctrgcn")
    else:
        joints = dense(apply_profile(captured, "ctrgcn")[0])
        expected = expected[: len(joints)] if not expected[len(joints) :].any() else expected
        np.testing.assert_array_equal(joints, expected)
    joints = dense(apply_profile(captured, "agcn")[0])
    expected = prepare_agcn(captured)
    assert not expected[len(joints) :].any()
    np.testing.assert_allclose(joints, expected[: len(joints)], atol=2e-5)


@settings(deadline=None, max_examples=60)
@given(captured=crowds(swings=(0.1, 0.4)))  # exactly level shoulders have no shortest turn
def test_ctrgcn_and_agcn_are_what_plain_loops_make(captured):
    assert_as_published(captured)


@pytest.mark.shared
def test_ctrgcn_and_agcn_on_the_fixtures(shared):
    for file in sorted((shared / "reference" / "ntu_raw").glob("*.skeleton")):
        assert_as_published(read_skeleton_file(file))


def test_the_report_is_a_table(tmp_path):
    bodies = {A: (np.arange(30), person(30)), B: (np.arange(4, 9), person(5))}
    _, rows = apply_profile(capture(30, bodies))
    path = write_body_report(rows, tmp_path / "bodies.csv")
    with open(path, newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["reason"] for row in table] == ["seen in 5 frames; 11 or fewer are noise",
                                                "rank 1 of 1 by motion"]
    assert {row["body_id"]: (row["clip_id"], row["decision"], row["track_id"], row["frames"],
                             row["first_frame"]) for row in table} == {
        str(A): (NAME, "kept", str(A), "30", "0"), str(B): (NAME, "dropped", "", "5", "4")}
    with pytest.raises(OutputExistsError):
        write_body_report(rows, path)


def test_lists_of_missing_skeletons(tmp_path):
    path = tmp_path / "missing.txt"
    path.write_text("302 samples in this dataset have missing skeletons.\nThey are:\n\n"
                    "S001C002P005R002A008\n  S018C003P045R001A070.skeleton \n")
    names = read_missing_list(path)
    assert names == {"S001C002P005R002A008", "S018C003P045R001A070"}
    assert describe_missing(names) == (
        "2 samples without a skeleton (535 in the official list of NTU RGB+D 120), 1 of them of "
        "actions 1 to 60 (302 in that of NTU RGB+D)")
    path.write_text("nothing here\n")
    with pytest.raises(FileFormatError, match=r"missing\.txt names no sample"):
        read_missing_list(path)
    with pytest.raises(FileFormatError, match="cannot read"):
        read_missing_list(tmp_path / "absent.txt")

"""Profiles of NTU RGB+D on bodies of which no joint has a place, or none is tracked."""

import numpy as np
import pytest
from captures import capture, chair, person

from skelact.datasets.ntu import PROFILES, apply_profile
from skelact.errors import FileFormatError

A, B = 72057594037931101, 72057594037931102
SPINE = 1
NOWHERE = np.zeros((20, 25, 3), np.float32)


def decisions(rows) -> dict[int, tuple]:
    return {row.body_id: (row.decision, row.track_id) for row in rows}


@pytest.mark.parametrize("profile", ["skelact", "ctrgcn"])
@pytest.mark.parametrize("seen", [person(5), chair(20, x=0)])
def test_a_body_without_a_place_does_not_count_against_the_last(profile, seen):
    bodies = {A: (np.arange(20), NOWHERE), B: (np.arange(len(seen)), seen)}
    recording, rows = apply_profile(capture(20, bodies), profile)
    (track,) = recording.tracks
    assert decisions(rows) == {A: ("dropped", None), B: ("kept", track.track_id)}
    assert {row.body_id: row.reason for row in rows}[A] == "none of its joints has a place"
    joints = track.joints.transpose(2, 0, 1)
    np.testing.assert_allclose(joints - joints[0, SPINE], seen - seen[0, SPINE], atol=1e-6)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_body_without_a_place_is_reported_without_a_track(profile):
    bodies = {A: (np.arange(20), NOWHERE), B: (np.arange(20), person(20, 0.3))}
    recording, rows = apply_profile(capture(20, bodies), profile)
    assert decisions(rows) == {A: ("dropped", None), B: ("kept", recording.tracks[0].track_id)}


def test_the_error_advises_a_profile_that_helps():
    bodies = {A: (np.arange(20), NOWHERE), B: (np.arange(5), person(5))}
    with pytest.raises(FileFormatError, match=f"body {A}: none of its joints has a place; body {B}:"
                                              " seen in 5 frames.*'skelact' keeps the longest"):
        apply_profile(capture(20, bodies), "pyskl")
    untracked = capture(20, {A: (np.arange(20), person(20))}, tracking=0)
    with pytest.raises(FileFormatError, match=r"none of its joints is tracked.*profile 'pyskl'"):
        apply_profile(untracked)
    assert len(apply_profile(untracked, "pyskl")[0].tracks) == 1

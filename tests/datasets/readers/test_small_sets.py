"""MSR-Action3D and PRECOG16: counts, facts, damage; zeros of 3-D captures."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from archives import unpack

from skelact.datasets.readers.each_clip import single_person
from skelact.datasets.readers.msr_action3d import CLASSES as MSR_CLASSES
from skelact.datasets.readers.msr_action3d import find_msr_action3d, read_msr_action3d
from skelact.datasets.readers.nw_ucla import read_nw_ucla
from skelact.datasets.readers.precog16 import CLASSES as PRECOG_CLASSES
from skelact.datasets.readers.precog16 import find_precog16, read_precog16
from skelact.datasets.readers.utd_mhad import CLASSES as UTD_CLASSES
from skelact.datasets.readers.utd_mhad import read_utd_mhad
from skelact.errors import FileFormatError


@pytest.fixture(scope="module")
def msr(shared, tmp_path_factory):
    return unpack(shared / "datasets" / "msr_action3d.tar.xz", tmp_path_factory.mktemp("msr"))


@pytest.fixture(scope="module")
def precog(shared, tmp_path_factory):
    return unpack(shared / "datasets" / "precog16.tar.xz", tmp_path_factory.mktemp("precog"))


@pytest.mark.shared
def test_msr_action3d_as_published(msr):
    assert len(find_msr_action3d(msr)) == 567
    refused = []
    recordings = list(read_msr_action3d(msr, refused.append))
    (empty,) = refused
    assert "a13_s09_e02" in str(empty)
    assert "zeros" in str(empty)
    assert len(recordings) == 566
    assert {r.labels["label"] for r in recordings} == set(MSR_CLASSES)
    assert {r.labels["subject"] for r in recordings} == set(range(1, 11))
    assert sum(r.labels.get("splits") == ["used"] for r in recordings) == 557
    tracks = [r.tracks[0] for r in recordings]
    assert sum(r.num_frames - len(r.tracks[0]) for r in recordings) == 1075  # frames of zeros
    assert sum((~track.missing).sum() for track in tracks) == 447_300
    guessed = sum(((track.confidence == 0) & ~track.missing).sum() for track in tracks)
    assert guessed == 115_626
    assert {(r.fps, r.dims, r.layout.name) for r in recordings} == {(15, 3, "msr20")}
    head, ankle = (recordings[0].layout.index(j) for j in ("head", "left_ankle"))
    heights = [np.nanmean(track.joints[head, 1] - track.joints[ankle, 1]) for track in tracks]
    assert 1.2 < np.median(heights) < 1.8  # metres, y up


@pytest.mark.shared
def test_msr_action3d_without_the_list_says_no_split(msr, tmp_path):
    file = find_msr_action3d(msr)[0]
    (tmp_path / file.name).write_bytes(file.read_bytes())
    (recording,) = read_msr_action3d(tmp_path)
    assert "splits" not in recording.labels


@pytest.mark.shared
def test_precog16_as_published(precog):
    assert len(find_precog16(precog)) == 72
    refused = []
    recordings = list(read_precog16(precog, refused.append))
    assert len(recordings) == 70
    assert [str(e).split(".csv")[0][-7:] for e in refused] == ["Seq2_10", "Seq4_10"]  # all zeros
    assert {r.labels["subject"] for r in recordings} == set(range(1, 13))
    found = Counter(a["label"] for r in recordings for a in r.labels["annotations"])
    assert set(found) == set(PRECOG_CLASSES)
    assert sum(count for name, count in found.items() if name != "none") == 353
    for recording in recordings:
        runs = recording.labels["annotations"]
        edges = [run["start"] for run in runs] + [runs[-1]["end"]]
        assert edges == [runs[0]["start"]] + [run["end"] for run in runs]  # no gaps
        assert (edges[0], edges[-1]) == (0, pytest.approx(recording.duration))
        assert all(a["label"] != b["label"] for a, b in pairwise(runs))
        assert recording.layout.name == "kinect20"


@pytest.mark.shared
def test_precog16_classes_are_named_after_the_limb_that_moves(precog):
    moved = {name: Counter() for name in PRECOG_CLASSES[1:]}
    for recording in read_precog16(precog, lambda error: None):
        joints, layout = recording.tracks[0].joints, recording.layout
        ends = [layout.index(n) for n in ("left_hand", "right_hand", "left_foot", "right_foot")]
        relative = joints[ends] - joints[[layout.index("pelvis")]]
        rest = relative[..., :5].mean(axis=-1, keepdims=True)
        distance = np.linalg.norm(relative - rest, axis=1)
        for run in recording.labels["annotations"]:
            if run["label"] != "none":
                span = slice(round(run["start"] * 30), round(run["end"] * 30))
                moved[run["label"]][int(distance[:, span].max(axis=1).argmax())] += 1
    for name, counts in moved.items():
        limb = ("left_punch", "right_punch", "left_kick", "right_kick")
        assert limb[counts.most_common(1)[0][0]] == name.rpartition("_")[0]


@pytest.mark.shared
def test_utd_mhad_and_nw_ucla_whole(shared, tmp_path):
    unpack(shared / "datasets" / "utd_mhad.tar.xz", tmp_path / "utd")
    unpack(shared / "datasets" / "nw_ucla.tar.xz", tmp_path / "ucla")
    utd = list(read_utd_mhad(tmp_path / "utd"))
    assert len(utd) == 861
    assert {r.labels["label"] for r in utd} == set(UTD_CLASSES)
    assert {r.labels["subject"] for r in utd} == set(range(1, 9))
    assert {r.labels["repetition"] for r in utd} == {1, 2, 3, 4}
    ucla = list(read_nw_ucla(tmp_path / "ucla"))
    assert Counter(r.labels["camera"] < 3 for r in ucla) == {True: 1020, False: 464}
    assert sum(r.num_frames == 1 for r in ucla) == 2
    assert all(r.labels["fps_assumed"] for r in ucla)
    assert len({r.labels["clip_id"] for r in ucla}) == 1484


def test_zeros_are_what_the_sensor_lost():
    joints = np.random.default_rng(0).normal(size=(20, 3, 5)).astype(np.float32)
    joints[..., 1] = 0
    joints[4, :, 3] = 0
    given = joints.copy()
    confidence = np.ones((20, 5), np.float32)
    recording = single_person(joints, confidence, layout="msr20", fps=15.0)
    (track,) = recording.tracks
    assert recording.num_frames == 5
    assert track.frame_index.tolist() == [0, 2, 3, 4]
    assert np.argwhere(track.missing).tolist() == [[4, 2]]
    assert track.confidence.shape == (20, 4)
    np.testing.assert_array_equal(joints, given)  # the argument stays as it was


ROW = "0.1 0.2 2.0 1.0\n"
POINTS = ";".join(["0.1 0.2 2.0"] * 20)
HEAD = ("HipCenter; Spine; ShoulderCenter; Head; ShoulderLeft; ElbowLeft; WristLeft; HandLeft; "
        "ShoulderRight; ElbowRight; WristRight; HandRight; HipLeft; KneeLeft; AnkleLeft; FootLeft; "
        "HipRight; KneeRight; AnkleRight; FootRight")


@pytest.mark.parametrize(
    ("read", "name", "text", "message"),
    [
        (read_msr_action3d, "a01_s01_e01_skeleton3D.txt", ROW * 19, "got 76 numbers"),
        (read_msr_action3d, "a01_s01_e01_skeleton3D.txt", "", "got 0 numbers"),
        (read_msr_action3d, "a01_s01_e01_skeleton3D.txt", ROW * 19 + "x 0 0 1", "could not conv"),
        (read_msr_action3d, "a01_s01_e01_skeleton3D.txt", ROW * 19 + "inf 0 0 1", "infinity"),
        (read_msr_action3d, "a21_s01_e01_skeleton3D.txt", ROW * 20, "no 21 in it"),
        (read_msr_action3d, "a01_s01_e01_skeleton3D.txt", "0 0 0 0\n" * 20, "zeros"),
        (read_precog16, "Seq1_1.csv", "Hip; Spine\n", "line 1: expected the 20 joints"),
        (read_precog16, "Seq1_1.csv", "", "not enough values"),
        (read_precog16, "Seq1_1.csv", f"{HEAD}\n{POINTS};0\n{POINTS}\n", "line 3: expected 20 po"),
        (read_precog16, "Seq1_1.csv", f"{HEAD}\n{POINTS};9\n", "line 2: .* ending in 9"),
        (read_precog16, "Seq1_1.csv", f"{HEAD}\n{POINTS};0.5\n", "line 2"),
        (read_precog16, "Seq1_1.csv", f"{HEAD}\n{POINTS};x\n", "line 2: could not convert"),
        (read_precog16, "Seq1_1.csv", HEAD + "\n", "at least one frame"),
    ],
)
def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path, read, name, text, message):
    whole = {read_msr_action3d: ("a02_s01_e01_skeleton3D.txt", ROW * 40),
             read_precog16: ("Seq2_1.csv", f"{HEAD}\n{POINTS};0\n{POINTS};3\n")}[read]
    (tmp_path / name).write_text(text)
    (tmp_path / whole[0]).write_text(whole[1])
    refused = []
    (recording,) = read(tmp_path, refused.append)
    assert recording.num_frames == 2
    (error,) = refused
    assert isinstance(error, FileFormatError)
    with pytest.raises(FileFormatError, match=message) as caught:
        list(read(tmp_path))
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("read", [read_msr_action3d, read_precog16])
def test_a_folder_without_such_files_is_refused(tmp_path, read):
    with pytest.raises(FileFormatError, match=r"^no .* in "):
        list(read(tmp_path))


def test_a_damaged_list_of_used_sequences_is_named(tmp_path):
    (tmp_path / "a01_s01_e01_skeleton3D.txt").write_text(ROW * 20)
    (tmp_path / "files_used.mat").write_text("garbage")
    with pytest.raises(FileFormatError, match=r"files_used\.mat is not the list"):
        list(read_msr_action3d(tmp_path))

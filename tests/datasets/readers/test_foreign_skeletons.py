"""Readers of published data sets: their counts, their facts, and files that are damaged."""

import json
import re
from collections import Counter

import numpy as np
import pytest
import scipy.io
from archives import swinging, unpack, write_penn_clip

from skelact.datasets.background import LOOKALIKES
from skelact.datasets.readers.nw_ucla import CLASSES as NW_UCLA_CLASSES
from skelact.datasets.readers.nw_ucla import read_nw_ucla
from skelact.datasets.readers.penn_action import read_penn_action
from skelact.datasets.readers.utd_mhad import CLASSES as UTD_CLASSES
from skelact.datasets.readers.utd_mhad import read_utd_mhad
from skelact.errors import FileFormatError

PENN_CLASSES = {
    "baseball_pitch", "baseball_swing", "bench_press", "bowl", "clean_and_jerk", "golf_swing",
    "jump_rope", "jumping_jacks", "pullup", "pushup", "situp", "squat", "strum_guitar",
    "tennis_forehand", "tennis_serve",
}


@pytest.fixture(scope="module")
def penn(shared, tmp_path_factory):
    return unpack(shared / "datasets" / "penn_action.tar.xz", tmp_path_factory.mktemp("penn"))


@pytest.mark.shared
def test_penn_action_as_published(penn):
    recordings = list(read_penn_action(penn / "PennAction"))
    assert len(recordings) == 2326
    assert Counter(r.labels["splits"][0] for r in recordings) == {"train": 1258, "test": 1068}
    assert {r.labels["label"] for r in recordings} == PENN_CLASSES
    assert [r.labels["clip_id"] for r in recordings] == [f"{i + 1:04}" for i in range(2326)]
    hidden = lost = 0
    for recording in recordings:
        (track,) = recording.tracks
        guessed = (track.joints[:, 2] == 0).sum()
        hidden += guessed
        lost += track.missing.sum()
        assert np.isin(track.joints[:, 2], (0, 1)).all()
    assert hidden == 469_501  # occluded; most still carry a guessed place
    assert lost == 187_352  # 9,837 at (1, 1), the others at (0.67, 0.67), (1.5, 1.5), ...


@pytest.mark.shared
def test_a_clip_of_penn_action_is_its_file(penn):
    file = penn / "PennAction" / "labels" / "0001.mat"
    content = scipy.io.loadmat(file)
    recording = next(iter(read_penn_action(file.parent)))
    joints = recording.tracks[0].joints
    kept = ~recording.tracks[0].missing.T
    np.testing.assert_allclose(joints[:, 0].T[kept], content["x"][kept], rtol=1e-6)
    np.testing.assert_allclose(joints[:, 1].T[kept], content["y"][kept], rtol=1e-6)
    assert recording.labels["label"] == str(content["action"][0])
    height, width, frames = content["dimensions"][0]
    assert recording.image_size == (width, height)
    assert recording.num_frames == frames == content["nframes"][0, 0]
    assert recording.fps == 30
    assert recording.layout.name == "penn13"
    # what the data set calls left is the person's right: its third joint is our right shoulder
    assert recording.layout.joints[1] == "right_shoulder"
    assert recording.layout.source_names[1] != recording.layout.joints[1]


@pytest.mark.parametrize("scale", [1, 2 / 3, 0.75, 1.365, 1.5])
def test_joints_left_in_the_corner_are_missing_however_the_clip_was_scaled(tmp_path, scale):
    x, y = swinging(0, frames=4)
    visible = np.ones_like(x)
    x[1, 2] = y[1, 2] = scale
    visible[1, 2] = 0
    x[2, 3] = y[2, 3] = 1  # visible there: a real place
    visible[3, 4] = 0  # guessed
    write_penn_clip(tmp_path / "0007.mat", "strumming_guitar", False, x, y, visibility=visible)
    (recording,) = read_penn_action(tmp_path)
    missing = np.argwhere(recording.tracks[0].missing)
    assert missing.tolist() == [[2, 1]]
    assert recording.tracks[0].joints[4, 2, 3] == 0
    assert recording.labels == {"label": "strum_guitar", "splits": ["test"], "clip_id": "0007",
                                "fps_assumed": True}


@pytest.mark.shared
def test_utd_mhad(shared, tmp_path):
    unpack(shared / "datasets" / "utd_mhad.tar.xz", tmp_path, first=12)
    recordings = list(read_utd_mhad(tmp_path))
    assert len(recordings) == 12
    for recording in recordings:
        action, subject = map(int, re.findall(r"\d+", recording.labels["clip_id"])[:2])
        assert recording.labels["label"] == UTD_CLASSES[action - 1]
        assert recording.labels["subject"] == subject
        joints = recording.tracks[0].joints
        file = next(tmp_path.rglob(recording.source))
        np.testing.assert_allclose(joints, scipy.io.loadmat(file)["d_skel"], rtol=1e-6)
        assert (recording.dims, recording.fps, recording.layout.name) == (3, 30, "utd20")
        height = {name: joints[i, 1].mean() for i, name in enumerate(recording.layout.joints)}
        assert height["head"] > height["pelvis"] > height["left_ankle"]  # metres, y up
        assert 0.8 < height["head"] - height["left_ankle"] < 2.2
    assert (len(UTD_CLASSES), UTD_CLASSES[0], UTD_CLASSES[26]) == (27, "swipe_left", "squat")


@pytest.mark.shared
def test_nw_ucla(shared, tmp_path):
    unpack(shared / "datasets" / "nw_ucla.tar.xz", tmp_path, first=20)
    recordings = list(read_nw_ucla(tmp_path))
    assert len(recordings) == 20
    for recording in recordings:
        action, subject, _, view = map(int, re.findall(r"\d+", recording.labels["clip_id"]))
        assert recording.labels["label"] == NW_UCLA_CLASSES[action]
        assert (recording.labels["subject"], recording.labels["camera"]) == (subject, view)
        file = next(tmp_path.rglob(recording.source))
        frames = np.array(json.loads(file.read_text())["skeletons"], np.float32)
        np.testing.assert_array_equal(recording.tracks[0].joints, frames.transpose(1, 2, 0))
        assert (recording.dims, recording.layout.name) == (3, "kinect20")
    assert sorted(NW_UCLA_CLASSES) == [1, 2, 3, 4, 5, 6, 8, 9, 11, 12]


BODY = np.ones((20, 3, 4))
PENN = dict(zip("xy", swinging(0, 5), strict=True))


def penn_file(**changes):
    def write(folder):
        clip = PENN | changes
        return write_penn_clip(folder / "0001.mat", "squat", True, clip.pop("x"), clip.pop("y"),
                               **clip)
    return write


def mat_file(name, **content):
    def write(folder):
        scipy.io.savemat(folder / name, content)
        return folder / name
    return write


def text_file(name, text):
    def write(folder):
        (folder / name).write_text(text)
        return folder / name
    return write


@pytest.mark.parametrize(
    ("read", "write"),
    [
        (read_penn_action, penn_file(visibility=None)),
        (read_penn_action, penn_file(y=PENN["y"][:3])),
        (read_penn_action, penn_file(train=0)),
        (read_penn_action, penn_file(dimensions=[0, 0, 5])),
        (read_penn_action, penn_file(x=PENN["x"][:, :12], y=PENN["y"][:, :12],
                                     visibility=np.ones((5, 12)))),
        (read_penn_action, penn_file(x=PENN["x"] * np.inf)),
        (read_penn_action, text_file("0001.mat", "garbage")),
        (read_utd_mhad, mat_file("a1_s1_t1_skeleton.mat", skeleton=BODY)),
        (read_utd_mhad, mat_file("a28_s1_t1_skeleton.mat", d_skel=BODY)),
        (read_utd_mhad, mat_file("a0_s1_t1_skeleton.mat", d_skel=BODY)),
        (read_utd_mhad, mat_file("a1_s1_t1_skeleton.mat", d_skel=BODY[:19])),
        (read_utd_mhad, mat_file("a1_s1_t1_skeleton.mat", d_skel=BODY[0])),
        (read_utd_mhad, text_file("a1_s1_t1_skeleton.mat", "")),
        (read_nw_ucla, text_file("a01_s01_e00_v01.json", "{")),
        (read_nw_ucla, text_file("a01_s01_e00_v01.json", "[1]")),
        (read_nw_ucla, text_file("a01_s01_e00_v01.json", '{"skeletons": []}')),
        (read_nw_ucla, text_file("a01_s01_e00_v01.json", '{"skeletons": [[[1, 2, 3]]]}')),
        (read_nw_ucla, text_file("a07_s01_e00_v01.json",
                                 json.dumps({"skeletons": np.zeros((2, 20, 3)).tolist()}))),
        (read_nw_ucla, text_file("a01_s01_e00_v01.json", "[" * 100_000)),
    ],
)
def test_a_damaged_file_is_named(tmp_path, read, write):
    file = write(tmp_path)
    with pytest.raises(FileFormatError, match=r"is not an? ") as caught:
        list(read(tmp_path))
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.95])
def test_a_truncated_file_is_named(tmp_path, kept):
    file = penn_file()(tmp_path)
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(FileFormatError, match=r"0001\.mat is not a Penn Action annotation"):
        list(read_penn_action(tmp_path))


@pytest.mark.parametrize("read", [read_penn_action, read_utd_mhad, read_nw_ucla])
def test_a_folder_without_such_files_is_refused(tmp_path, read):
    (tmp_path / "notes.txt").write_text("nothing here")
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(FileFormatError, match=r"^no .* in ") as caught:
            list(read(folder))
        assert str(folder) in str(caught.value)


def test_every_lookalike_is_a_label_of_a_background():
    assert set(UTD_CLASSES) | set(NW_UCLA_CLASSES.values()) >= LOOKALIKES.keys()
    assert set(NW_UCLA_CLASSES.values()) - LOOKALIKES.keys()

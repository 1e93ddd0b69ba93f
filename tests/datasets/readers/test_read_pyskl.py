"""The reader of pyskl pickles: all their variants, and clips that cannot be used."""

import numpy as np
import pytest
from pyskl_files import clip_2d, clip_3d, write, write_kinetics

from skelact.datasets.readers.pyskl import find_pyskl, read_pyskl
from skelact.errors import ChoiceError, FileFormatError


def read_one(path, **options):
    (recording,) = read_pyskl(path, **options)
    return recording


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_3d_with_splits(tmp_path, protocol):
    clip = clip_3d()
    other = clip_3d("S001C001P001R001A060", 59)
    lists = {"xsub_train": [clip["frame_dir"]], "xsub_val": [other["frame_dir"]],
             "xview_train": [clip["frame_dir"], other["frame_dir"]]}
    path = write(tmp_path / "ntu60_3danno.pkl", {"split": lists, "annotations": [clip, other]},
                 protocol)
    first, second = read_pyskl(path)
    assert first.labels == {
        "clip_id": "S001C002P003R002A005", "label": "drop", "setup": 1, "camera": 2, "subject": 3,
        "repetition": 2, "splits": ["xsub_train", "xview_train"], "fps_assumed": True}
    assert second.labels["splits"] == ["xsub_val", "xview_train"]
    assert (first.dims, first.layout.name, first.fps, first.num_frames) == (3, "ntu25", 30, 12)
    assert first.image_size is None
    expected = clip["keypoint"].astype(np.float32).transpose(0, 2, 3, 1)
    first_person, second_person = first.tracks
    assert second_person.frame_index.tolist() == list(range(6))  # zeros are absence
    np.testing.assert_array_equal(second_person.joints, expected[1, ..., :6])
    assert first_person.missing.sum() == 1
    assert first_person.missing[7, 3]
    seen = ~np.isnan(first_person.joints)
    np.testing.assert_array_equal(first_person.joints[seen], expected[0][seen])


def test_2d_with_scores(tmp_path):
    clip = clip_2d()
    recording = read_one(write(tmp_path / "hmdb.pkl", {
        "split": {"train1": [clip["frame_dir"]], "test1": []}, "annotations": [clip]}))
    assert (recording.dims, recording.layout.name) == (2, "coco17")
    assert recording.image_size == (320, 240)
    assert recording.labels == {"clip_id": "v_bow_g01_c01", "label": "class_004",
                                "splits": ["train1"], "fps_assumed": True}
    joints = recording.tracks[0].joints
    assert np.isnan(joints[5, :2, 2]).all()
    assert joints[5, 2, 2] == 0
    seen = ~np.isnan(joints[:, :2])
    np.testing.assert_array_equal(
        joints[:, :2][seen], clip["keypoint"][0].transpose(1, 2, 0).astype(np.float32)[seen])
    np.testing.assert_array_equal(
        joints[:, 2], np.minimum(clip["keypoint_score"][0].T.astype(np.float32), 1))


def test_a_bare_list_of_older_files(tmp_path):
    clip = clip_2d()
    clip["filename"] = clip.pop("frame_dir")
    clip["keypoint"] = clip["keypoint"].astype(np.float64)
    clip["label"] = np.int64(2)
    recording = read_one(write(tmp_path / "a.pkl", [clip]), classes=["a", "b", "c"])
    assert recording.labels["splits"] == []
    assert recording.labels["label"] == "c"


def test_three_numbers_a_joint_without_a_score(tmp_path):
    flat = clip_2d()
    both = np.concatenate([flat["keypoint"], flat.pop("keypoint_score")[..., None]], -1)
    flat["keypoint"] = both
    path = write(tmp_path / "a.pkl", [flat])
    recording = read_one(path)  # an image size: x, y, confidence
    assert recording.dims == 2
    assert 0 < recording.tracks[0].joints[:, 2].max() <= 1
    flat["keypoint"] = np.abs(both) * 300
    with pytest.raises(FileFormatError, match="no confidence"):
        read_one(write(tmp_path / "b.pkl", [flat]))
    assert read_one(write(tmp_path / "b.pkl", [flat]), dims=3).dims == 3


def test_2d_without_scores_is_sure_of_what_it_has(tmp_path):
    clip = clip_2d()
    del clip["keypoint_score"]
    joints = read_one(write(tmp_path / "a.pkl", [clip])).tracks[0].joints
    assert joints[5, 2, 2] == 0
    assert joints[:, 2].sum() == joints[:, 2].size - 1


def test_layouts(tmp_path):
    path = write(tmp_path / "a.pkl", [clip_3d(joints=20)])
    with pytest.raises(FileFormatError, match=r"kinect20.*utd20.*layout="):
        read_one(path)
    assert read_one(path, layout="utd20").layout.name == "utd20"
    with pytest.raises(FileFormatError, match="expected 25 joints"):
        read_one(path, layout="ntu25")
    assert read_one(write(tmp_path / "b.pkl", [clip_3d(joints=21)])).layout.name == "hand21"


def test_class_names_from_a_file(tmp_path):
    (tmp_path / "names.txt").write_text("a\nb\n c \n\nd\ne\n")
    path = write(tmp_path / "a.pkl", [clip_2d(label=2)])
    assert read_one(path, classes=tmp_path / "names.txt").labels["label"] == "c"
    with pytest.raises(FileFormatError, match="below 2"):
        read_one(path, classes=["a", "b"])
    with pytest.raises(ChoiceError, match="different"):
        read_one(path, classes=["a", "a"])
    with pytest.raises(FileFormatError, match="no readable list"):
        read_one(path, classes=tmp_path / "other.txt")


def test_kinetics_people_are_followed(tmp_path):
    frames = np.arange(40)
    left, right = 60 + 2 * frames, 260 - 1.5 * frames
    people = [(left, right), (right, left)]  # their order changes from frame to frame
    walk = np.array([[f, *(people[f % 2][who][f] + np.linspace(-15, 15, 17))]
                     for f in frames for who in (0, 1)])
    path = write_kinetics(tmp_path, {"abc_000001_000011": walk})
    assert find_pyskl(tmp_path) == [path]
    (recording,) = read_pyskl(tmp_path)
    assert recording.labels["splits"] == ["train"]
    assert (recording.layout.name, recording.num_frames) == ("coco17", 40)
    assert len(recording.tracks) == 2
    for track in recording.tracks:
        steps = np.diff(track.joints[0, 0])
        assert np.abs(steps).max() < 4  # nobody jumps into the other's place
        assert len(track) == 40


def test_kinetics_keypoints_that_are_not_there(tmp_path):
    walk = np.column_stack([np.arange(20), np.full((20, 17), 50)])
    path = write_kinetics(tmp_path, {"a": walk})
    (tmp_path / "kpfiles" / "part_0.pkl").rename(tmp_path / "part_0.pkl")
    refused = []
    assert not list(read_pyskl(path, refused.append))
    assert "part_0.pkl" in str(refused[0])
    write(tmp_path / "kpfiles" / "part_0.pkl", {"b": {"keypoint": np.zeros((20, 17, 3))}})
    assert not list(read_pyskl(path, refused.append))
    assert "does not have it" in str(refused[1])


@pytest.mark.parametrize("raw_file", ["../secret.pkl", "/etc/passwd", "..", "", "..\\secret.pkl"])
def test_keypoints_are_looked_for_in_kpfiles_only(tmp_path, raw_file):
    walk = np.column_stack([np.arange(20), np.full((20, 17), 50)])
    path = write_kinetics(tmp_path, {"a": walk})
    (tmp_path / "kpfiles" / "part_0.pkl").rename(tmp_path / "secret.pkl")
    path.write_bytes(path.read_bytes().replace(
        b"\x8c\x18/data/kpfiles/part_0.pkl", bytes([0x8C, len(raw_file)]) + raw_file.encode()))
    refused = []
    assert not list(read_pyskl(path, refused.append))
    assert f"{tmp_path / 'kpfiles'}" in str(refused[0])


def changed(**changes) -> dict:
    clip = clip_2d() | changes
    return {key: value for key, value in clip.items() if value is not None}


@pytest.mark.parametrize(("clip", "message"), [
    (3, "expected a dict"),
    (changed(frame_dir=None), "frame_dir"),
    (changed(label="bow"), "'label' as a class number, got str"),
    (changed(label=-1), "class number, got int -1"),
    (changed(total_frames=13), "13 frames"),
    (changed(total_frames=2**40), "total_frames"),
    (changed(img_shape=(0, 3)), "img_shape"),
    (changed(keypoint=None), r"expected 'keypoint' \[M, T, V, C\] of numbers, got NoneType"),
    (changed(keypoint=np.zeros((1, 12, 17, 4))), "2 or 3"),
    (changed(keypoint=np.zeros((1, 12, 17, 2), bool)), "of numbers"),
    (changed(keypoint_score=np.zeros((1, 12, 16))), "keypoint_score"),
    (changed(keypoint=np.full((1, 12, 17, 2), np.inf)), "finite"),
    (changed(fps="fast"), "fps"),
])
def test_a_clip_that_cannot_be_used_is_refused_and_the_next_is_read(tmp_path, clip, message):
    path = write(tmp_path / "a.pkl", {"split": {}, "annotations": [clip, clip_2d("good")]})
    refused = []
    (recording,) = read_pyskl(path, refused.append)
    assert recording.labels["clip_id"] == "good"
    (error,) = refused
    assert isinstance(error, FileFormatError)
    assert str(error).startswith(f"{path}: annotation 0")
    with pytest.raises(FileFormatError, match=message):
        list(read_pyskl(path))


def test_numbers_of_a_clip(tmp_path):
    clip = changed(subject=7, camera="left", setup=-1, repetition=np.int64(2))
    labels = read_one(write(tmp_path / "a.pkl", [clip])).labels
    assert labels["subject"] == 7
    assert labels.get("repetition", 2) == 2
    assert not {"camera", "setup"} & labels.keys()


def test_a_name_that_stands_twice(tmp_path):
    path = write(tmp_path / "a.pkl", [clip_2d("a"), clip_2d("a"), clip_2d("b")])
    refused = []
    assert [r.labels["clip_id"] for r in read_pyskl(path, refused.append)] == ["a", "b"]
    assert "twice" in str(refused[0])


@pytest.mark.parametrize("content", [
    b"annotations", {"annotations": 3}, {"annotations": [], "split": {"train": [3]}},
    {"annotations": [], "split": ["train"]}, {"annotations": [], "classes": ["a", "a"]},
])
def test_files_that_are_something_else(tmp_path, content):
    path = write(tmp_path / "a.pkl", content)
    refused = []
    assert not list(read_pyskl(path, refused.append))
    assert str(refused[0]).startswith(f"{path}: ")


def test_finding(tmp_path):
    with pytest.raises(FileFormatError, match="no pyskl annotations"):
        next(read_pyskl(tmp_path))
    write(tmp_path / "train_label.pkl", (["a.skeleton"], [1]))
    (tmp_path / "a.pkl").write_text("not a pickle")
    path = write(tmp_path / "sub" / "b.pkl", [clip_2d()])
    many = {"xsub_train": [f"clip_{i}" for i in range(20_000)]}
    other = write(tmp_path / "sub" / "c.pkl", {"split": many, "annotations": [clip_2d("c")]})
    assert find_pyskl(tmp_path) == [path, other]
    assert [r.labels["clip_id"] for r in read_pyskl(tmp_path)] == ["v_bow_g01_c01", "c"]


@pytest.mark.shared
def test_what_pyskl_makes_of_raw_ntu(shared, tmp_path):
    expected = np.load(shared / "reference" / "ntu_raw" / "expected_pyskl.npz")
    path = write(tmp_path / "a.pkl", [
        {"frame_dir": name, "label": int(name[-3:]) - 1, "total_frames": expected[name].shape[1],
         "keypoint": expected[name].astype(np.float16)} for name in expected])
    for recording in read_pyskl(path):
        keypoint = expected[recording.labels["clip_id"]].astype(np.float16).astype(np.float32)
        joints = np.zeros((len(keypoint), *recording.joints().shape[1:]), np.float32)
        for track in recording.tracks:
            joints[track.track_id][..., track.frame_index] = np.nan_to_num(track.joints)
        np.testing.assert_array_equal(joints.transpose(0, 3, 1, 2), keypoint)

"""Pickles for pyskl: read back as they were, and as pyskl itself would read them."""

import pickle

import numpy as np
import pytest
from recordings import capture, walking

from skelact.datasets.readers.pyskl import read_pyskl
from skelact.datasets.writers.pyskl import write_pyskl
from skelact.errors import ChoiceError, OutputExistsError, SkelactError
from skelact.pose.recording import PoseTrack, Recording


def named(recording: Recording, clip_id: str, label: str, **labels) -> Recording:
    recording.labels.update({"clip_id": clip_id, "label": label}, **labels)
    return recording


def flat() -> list[Recording]:
    return [named(walking(people=2, fps=25.0), "a", "wave", splits=["train"]),
            named(walking(frames=12, first=4), "b", "bow", splits=["test", "val"]),
            named(walking(frames=9, people=0), "nobody", "wave")]


def deep() -> list[Recording]:
    """A clip of an NTU name, which keeps its facts, and one of two people who come and go."""
    labels = {"clip_id": "S001C002P003R002A005", "label": "drop", "splits": ["xsub_train"],
              "setup": 1, "camera": 2, "subject": 3, "repetition": 2, "fps_assumed": True}
    joints = capture().tracks[0].joints.copy()
    joints[3, :, 5] = np.nan
    people = (PoseTrack(7, joints, np.arange(20)),
              PoseTrack(9, joints[..., :4] + 1, np.array([2, 3, 5, 8])))
    times = np.arange(20) / 30
    return [Recording(capture().tracks, times, "coco17", 3, 30, labels=labels),
            Recording(people, times, "coco17", 3, 30, labels={"clip_id": "b", "label": "wave"})]


def assert_same(read: list[Recording], written: list[Recording]) -> None:
    for a, b in zip(read, written, strict=True):
        lost = [np.isnan(recording.joints()[:, :, :2]) for recording in (a, b)]
        np.testing.assert_array_equal(*lost)
        np.testing.assert_array_equal(np.nan_to_num(a.joints()), np.nan_to_num(b.joints()))
        assert (a.dims, a.layout, a.image_size, a.fps) == (b.dims, b.layout, b.image_size, b.fps)
        np.testing.assert_allclose(a.timestamps, b.timestamps)
        assert {"splits": []} | a.labels == {"splits": []} | b.labels


@pytest.mark.parametrize("make", [flat, deep])
def test_round_trip(tmp_path, make):
    recordings = make()
    path = write_pyskl(recordings, tmp_path / "a.pkl")
    assert_same(list(read_pyskl(path)), recordings)


def test_what_pyskl_finds_in_it(tmp_path):
    path = write_pyskl(flat(), tmp_path / "a.pkl", dtype="float16")
    content = pickle.loads(path.read_bytes())
    assert content["split"] == {"train": ["a"], "test": ["b"], "val": ["b"]}
    first, second, third = content["annotations"]
    assert first["keypoint"].shape == (2, 30, 17, 2)
    assert first["keypoint_score"].shape == (2, 30, 17)
    assert first["keypoint"].dtype == np.float16
    assert (first["img_shape"], first["total_frames"], first["frame_dir"]) == ((200, 320), 30, "a")
    assert [c["label"] for c in content["annotations"]] == [1, 0, 1]
    assert content["classes"] == ["bow", "wave"]
    assert (second["keypoint"][:, :4] == 0).all()
    assert third["keypoint"].shape == (0, 9, 17, 2)


def test_splits_classes_and_numbers(tmp_path):
    path = write_pyskl(flat(), tmp_path / "a.pkl", {"mine": iter(["b"])},
                       classes=["run", "wave", "bow"])
    content = pickle.loads(path.read_bytes())
    assert content["split"] == {"mine": ["b"]}
    assert [c["label"] for c in content["annotations"]] == [1, 2, 1]
    with pytest.raises(ChoiceError, match="bow"):
        write_pyskl(flat(), tmp_path / "b.pkl", classes=["wave"])
    recordings = [named(walking(), "a", "class_012"), named(walking(), "b", "class_003")]
    content = pickle.loads(write_pyskl(recordings, tmp_path / "c.pkl").read_bytes())
    assert [c["label"] for c in content["annotations"]] == [12, 3]
    assert "classes" not in content


def test_refusals(tmp_path):
    with pytest.raises(SkelactError, match="got none"):
        write_pyskl([], tmp_path / "a.pkl")
    with pytest.raises(SkelactError, match="one skeleton"):
        write_pyskl([*flat(), *deep()], tmp_path / "a.pkl")
    with pytest.raises(SkelactError, match="clip_id"):
        write_pyskl([walking()], tmp_path / "a.pkl")
    with pytest.raises(SkelactError, match="clip_id"):
        write_pyskl([*flat(), *flat()], tmp_path / "a.pkl")
    with pytest.raises(ChoiceError, match="dtype"):
        write_pyskl(flat(), tmp_path / "a.pkl", dtype="int8")
    assert not list(tmp_path.iterdir())
    write_pyskl(flat(), tmp_path / "a.pkl")
    with pytest.raises(OutputExistsError):
        write_pyskl(flat(), tmp_path / "a.pkl")
    write_pyskl(flat(), tmp_path / "a.pkl", overwrite=True)

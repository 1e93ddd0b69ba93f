"""CTR-GCN arrays: read back as they were, and what the format has no room for."""

import logging

import numpy as np
import pytest
from recordings import capture, walking

from skelact.datasets.readers.ctrgcn import read_ctrgcn
from skelact.datasets.writers.ctrgcn import write_ctrgcn
from skelact.errors import ChoiceError, OutputExistsError, SkelactError
from skelact.pose.recording import PoseTrack, Recording


def clip(label: str, frames: int = 20, people: int = 1, moving: int = 0) -> Recording:
    """Somebody stands; person ``moving`` walks."""
    body = capture(1).tracks[0].joints
    tracks = []
    for who in range(people):
        joints = np.repeat(body, frames, axis=2) + who
        if who == moving:
            joints[:, 0] += np.linspace(0, 1, frames)
        tracks.append(PoseTrack(who + 5, joints, np.arange(frames)))
    return Recording(tracks, np.arange(frames) / 30, "coco17", dims=3, labels={"label": label})


def test_round_trip(tmp_path):
    train = [clip("bow"), clip("wave", people=2)]
    test = [clip("bow", frames=7)]
    joints = train[0].tracks[0].joints.copy()
    joints[3, :, 5] = np.nan
    train[0] = train[0].with_tracks([PoseTrack(1, joints[..., 4:], np.arange(4, 20))])
    path = write_ctrgcn(iter(train), iter(test), tmp_path / "a.npz")
    read = list(read_ctrgcn(path, layout="coco17", classes=["bow", "wave"]))
    for a, b in zip(read, train + test, strict=True):
        np.testing.assert_array_equal(a.joints(), b.joints())
        assert a.labels["label"] == b.labels["label"]
        assert a.labels["splits"] == ["train" if b in train else "test"]


def test_what_ctrgcn_finds_in_it(tmp_path):
    path = write_ctrgcn([clip("class_002"), clip("class_004")], [], tmp_path / "a.npz", frames=30)
    with np.load(path) as arrays:
        assert {name: (array.dtype, array.shape) for name, array in arrays.items()} == {
            "x_train": (np.float32, (2, 30, 102)), "y_train": (np.float64, (2, 5)),
            "x_test": (np.float32, (0, 30, 102)), "y_test": (np.float64, (0, 5))}
        assert arrays["y_train"].argmax(1).tolist() == [2, 4]
        np.testing.assert_array_equal(
            arrays["x_train"][1, :20].reshape(20, 2, 17, 3)[:, 0].transpose(1, 2, 0),
            clip("").tracks[0].joints)


def test_losses_are_logged(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        write_ctrgcn([clip("a", 50), clip("a", people=3, moving=2)], [clip("b")],
                     tmp_path / "a.npz", frames=30)
    assert "1 clips were cut to 30 frames, 1 to 2 people" in caplog.text
    cut, crowd, _ = read_ctrgcn(tmp_path / "a.npz", layout="coco17")
    assert cut.num_frames == 30
    moving = clip("a", people=3, moving=2).tracks[2].joints
    assert any(np.array_equal(track.joints, moving) for track in crowd)


def test_refusals_leave_nothing_behind(tmp_path):
    def broken():
        yield clip("a")
        raise OSError("the disk is gone")

    for train, message in (([], "got none"), ([walking(labels={"label": "a"})], "3-D"),
                           ([capture()], "label"), ([clip("a"), clip("b")], None)):
        if message:
            with pytest.raises(SkelactError, match=message):
                write_ctrgcn(train, [], tmp_path / "a.npz")
    with pytest.raises(OSError, match="gone"):
        write_ctrgcn(broken(), [], tmp_path / "a.npz")
    with pytest.raises(ChoiceError, match="labels out of classes"):
        write_ctrgcn([clip("c")], [], tmp_path / "a.npz", classes=["a", "b"])
    assert not list(tmp_path.iterdir())
    write_ctrgcn([clip("a")], [], tmp_path / "a.npz")
    with pytest.raises(OutputExistsError):
        write_ctrgcn([clip("a")], [], tmp_path / "a.npz")

"""`load_dataset`: clips, labels, masks, splits."""

import numpy as np
import pytest
import torch
from recordings import walking
from stores import captures, walkers, write_store
from torch.utils.data import DataLoader

from skelact.datasets import load_dataset
from skelact.errors import ChoiceError, FileFormatError
from skelact.pose.recording import PoseTrack, Recording


@pytest.fixture
def folder(tmp_path):
    return write_store(tmp_path / "store", walkers()).folder


def test_clips_are_dense_with_zero_for_missing(tmp_path):
    joints = np.arange(1, 1 + 17 * 3 * 3, dtype=np.float32).reshape(17, 3, 3)
    joints[4, :2, 1] = np.nan
    recording = Recording((PoseTrack(7, joints, [0, 2, 3]), PoseTrack(9, joints[..., :1], [4])),
                          np.arange(6) / 30, "coco17", image_size=(9, 9),
                          labels={"clip_id": "a", "label": "x"})
    dataset = load_dataset(write_store(tmp_path / "store", [recording]).folder)
    clip = dataset[0]
    assert clip.joints.shape == (2, 17, 3, 6)
    assert clip.joints.dtype == torch.float32
    assert clip.label == 0
    assert clip.mask.int().tolist() == [[1, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 0]]
    dense = np.nan_to_num(recording.joints())
    dense[0, 4, :, 2] = 0  # the confidence of a joint without a place says nothing
    np.testing.assert_array_equal(clip.joints, dense)


def test_recordings_and_facts(folder):
    dataset = load_dataset(folder)
    assert len(dataset) == 8
    assert dataset.classes == ("run", "walk")
    assert dataset.layout.name == "coco17"
    assert dataset.labels.tolist() == [0, 1] * 4
    assert dataset.recording(3).labels["clip_id"] == "clip3"
    assert "official" in dataset.splits
    assert repr(dataset) == "Dataset('custom', 8 of 8 clips, 2 classes, layout 'coco17')"


def test_splits_choose_rows(folder):
    test = load_dataset(folder, "test")
    assert [test.recording(i).labels["clip_id"] for i in range(len(test))] == ["clip3", "clip7"]
    assert test.labels.tolist() == [test[i].label for i in range(2)] == [1, 1]
    train, val = (load_dataset(folder, part) for part in ("train", "val"))
    assert len(train) + len(val) == 6
    with pytest.raises(ChoiceError, match="xview"):
        load_dataset(folder, "xview/test")
    with pytest.raises(FileFormatError, match="no dataset store"):
        load_dataset(folder / "nothing")


def test_a_transform_sees_missing_joints_as_nan(tmp_path):
    clips = [walking(12, people=2, first=4, labels={"clip_id": "a", "label": "x"})]
    seen = []

    def transform(joints):
        seen.append(joints.isnan().any(dim=(0, 1, 2)).tolist())
        return joints[..., 2:8] - 100

    clip = load_dataset(write_store(tmp_path / "store", clips).folder, transform=transform)[0]
    assert seen == [[True] * 4 + [False] * 8]
    assert clip.mask.tolist() == [[False] * 2 + [True] * 4] * 2
    assert (clip.joints[..., :2] == 0).all()
    assert (clip.joints[..., 2:] != 0).any()


def test_workers_read_the_same_clips(tmp_path):
    dataset = load_dataset(write_store(tmp_path / "store", captures(5)).folder)
    loader = DataLoader(dataset, batch_size=2, num_workers=1, multiprocessing_context="spawn")
    batches = list(loader)
    assert [len(batch.label) for batch in batches] == [2, 2, 1]
    joints = torch.cat([batch.joints for batch in batches])
    assert torch.equal(joints, torch.stack([dataset[i].joints for i in range(5)]))

"""`load_dataset`: clips, labels, masks, splits."""

import inspect
import re
import textwrap

import numpy as np
import pytest
import torch
from recordings import walking
from stores import captures, walkers, write_store
from torch.utils.data import DataLoader

from skelact.datasets import load_dataset, loader
from skelact.datasets.loader import Loader
from skelact.datasets.sampling import ConsecutiveFrames
from skelact.errors import ChoiceError, FileFormatError
from skelact.pose.recording import PoseTrack, Recording
from skelact.transforms.compose import Compose
from skelact.transforms.random_steps import Flip, Jitter
from skelact.transforms.steps import CanonicalView, Centre, Stream


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

    def transform(joints, info, generator):
        seen.append(joints.isnan().any(dim=(0, 1, 2, 3)).tolist())
        assert joints.shape == (1, 2, 17, 3, 12)
        assert (info.layout.name, info.dims) == ("coco17", 2)
        assert info.image_size.tolist() == [[320, 200]]
        return joints[..., 2:8] - 100

    clip = load_dataset(write_store(tmp_path / "store", clips).folder, transform=transform)[0]
    assert seen == [[True] * 4 + [False] * 8]
    assert clip.mask.tolist() == [[False] * 2 + [True] * 4] * 2
    assert (clip.joints[..., :2] == 0).all()
    assert (clip.joints[..., 2:] != 0).any()


def test_steps_change_clips_as_in_a_loader(tmp_path):
    store = write_store(tmp_path / "store", captures(4, "ntu25"))
    for steps in (CanonicalView(up="y"), Compose(CanonicalView(), Centre(), Stream("bone"))):
        dataset = load_dataset(store.folder, transform=steps, people=2)
        batches = Loader(store.arrays, sampling=ConsecutiveFrames(20, where="first"),
                         transform=steps, shuffle=False)
        batch = next(iter(batches))
        for i, clip in enumerate(batch.clips):
            torch.testing.assert_close(dataset[i].joints, clip)
            assert torch.equal(dataset[i].mask, batch.mask[i])


def test_chance_follows_from_seed_epoch_and_clip(folder):
    transform = Compose(Flip(), Jitter(5.0))
    one, other = (load_dataset(folder, transform=transform) for _ in range(2))
    test = load_dataset(folder, "test", transform)
    assert torch.equal(one[3].joints, one[3].joints)
    assert torch.equal(one[3].joints, other[3].joints)
    assert torch.equal(one[3].joints, test[0].joints)
    assert torch.equal(one[-1].joints, one[7].joints)
    other.set_epoch(1)
    seeded = load_dataset(folder, transform=transform, seed=1)
    plain = load_dataset(folder)
    for changed in (other, seeded, plain):
        assert not torch.equal(one[3].joints, changed[3].joints)
        assert torch.equal(one[3].mask, changed[3].mask)


def test_absent_people_stay_absent_when_missing_joints_become_zero(tmp_path):
    store = write_store(tmp_path / "store", captures(1, "ntu25"))
    clip = load_dataset(store.folder, transform=Stream("bone", zero_first=True), people=2)[0]
    assert clip.mask.all(dim=1).tolist() == [True, False]
    assert not clip.mask[1].any()


def test_slots_for_a_number_of_people(tmp_path):
    joints = np.ones((17, 3, 5), np.float32)
    tracks = (PoseTrack(1, joints, range(5)), PoseTrack(2, joints * 2, range(6, 11)),
              PoseTrack(3, joints * 3, range(3, 8)), PoseTrack(4, joints * 4, range(3, 8)))
    recording = Recording(tracks, np.arange(12) / 30, "coco17", image_size=(9, 9),
                          labels={"clip_id": "a", "label": "x"})
    folder = write_store(tmp_path / "store", [recording]).folder
    two = load_dataset(folder, people=2)[0]
    assert two.joints[:, 0, 0].int().tolist() == [[1] * 5 + [0] + [2] * 5 + [0],
                                                  [0] * 3 + [3] * 5 + [0] * 4]
    assert torch.equal(two.mask, two.joints[:, 0, 0] > 0)
    assert load_dataset(folder)[0].joints.shape == (4, 17, 3, 12)
    three = load_dataset(folder, people=6)[0]
    assert three.mask.any(dim=1).tolist() == [True] * 3 + [False] * 3


@pytest.mark.parametrize("people", [None, 2])
def test_a_transform_of_nobody(tmp_path, people):
    empty = Recording((), np.arange(4) / 30, "ntu25", dims=3, fps=30.0,
                      labels={"clip_id": "a", "label": "x"})
    folder = write_store(tmp_path / "store", [empty, *captures(1, "ntu25")]).folder
    steps = Compose(CanonicalView(), Flip(), Stream("bone"))
    clip = load_dataset(folder, transform=steps, people=people)[0]
    assert clip.joints.shape == (people or 0, 25, 3, 4)
    assert not clip.joints.any()
    assert not clip.mask.any()


def test_what_makes_no_sense_is_refused(folder):
    for fields, words in [({"transform": lambda joints: joints}, "Compose"),
                          ({"transform": CanonicalView}, "Compose"), ({"transform": 3}, "Compose"),
                          ({"people": 0}, "people"), ({"seed": -1}, "seed")]:
        with pytest.raises(ChoiceError, match=words):
            load_dataset(folder, **fields)


@pytest.mark.parametrize(("told", "printed"), [
    (load_dataset.__doc__, "stand clip4"), (loader.__doc__, "torch.Size([3, 2, 25, 3, 100])")])
def test_the_examples_work(tmp_path, monkeypatch, capsys, told, printed):
    clips = captures(4, "ntu25", subject=1) + captures(4, "ntu25", subject=3)
    for i, clip in enumerate(clips):
        clip.labels["clip_id"] = f"clip{i}"
    write_store(tmp_path / "ntu60.store", clips, "ntu60")
    monkeypatch.chdir(tmp_path)
    example = re.search(r"^    from .*?(?=^\S|\Z)", inspect.cleandoc(told), re.M | re.S)[0]
    exec(textwrap.dedent(example), {})
    assert printed in capsys.readouterr().out


def test_workers_read_the_same_clips(tmp_path):
    dataset = load_dataset(write_store(tmp_path / "store", captures(5)).folder)
    loader = DataLoader(dataset, batch_size=2, num_workers=1, multiprocessing_context="spawn")
    batches = list(loader)
    assert [len(batch.label) for batch in batches] == [2, 2, 1]
    joints = torch.cat([batch.joints for batch in batches])
    assert torch.equal(joints, torch.stack([dataset[i].joints for i in range(5)]))

"""Stores as files of other libraries, and back."""

import json

import numpy as np
import pytest
from pyskl_files import clip_2d, write
from stores import captures, walkers, write_store

from skelact.datasets.convert import convert
from skelact.datasets.prepare import prepare
from skelact.datasets.readers.pyskl import read_pyskl
from skelact.datasets.splits import select_rows
from skelact.datasets.store import Store
from skelact.errors import OutputExistsError, SkelactError


def test_to_pyskl_and_back(tmp_path):
    folder = write_store(tmp_path / "store", walkers()).folder
    assert convert(folder, tmp_path / "a.pkl") == []
    assert convert(tmp_path / "a.pkl", tmp_path / "back") == []
    store, back = Store(folder), Store(tmp_path / "back")
    assert back.header.classes == store.header.classes
    assert back.header.splits == store.header.splits
    np.testing.assert_array_equal(back.arrays.joints, store.arrays.joints)
    np.testing.assert_array_equal(back.arrays.labels, store.arrays.labels)


@pytest.mark.parametrize("suffix", [".pkl", ".npz"])
def test_the_order_of_the_classes_stays(tmp_path, suffix):
    clips = captures(8, "ntu25")
    for i, clip in enumerate(clips):
        clip.labels.update(label=("walk", "bow")[i % 2], splits=[("train", "test")[i > 4]])
    order = ("walk", "sit", "bow")
    store = write_store(tmp_path / "store", clips, classes=order)
    (tmp_path / "classes.txt").write_text("\n".join(order))
    convert(store.folder, tmp_path / f"a{suffix}")
    options = {"classes": tmp_path / "classes.txt"} if suffix == ".npz" else {}
    convert(tmp_path / f"a{suffix}", tmp_path / "back", **options)
    back = Store(tmp_path / "back")
    assert back.header.classes == order
    assert sorted(back.arrays.labels.tolist()) == sorted(store.arrays.labels.tolist())


def test_names_of_numbered_classes_keep_the_order_of_their_list(tmp_path):
    write(tmp_path / "a.pkl", [clip_2d("x", label=2), clip_2d("y", label=0)])
    prepare("mine", tmp_path / "a.pkl", tmp_path / "store", classes=["walk", "sit", "bow"])
    store = Store(tmp_path / "store")
    assert store.header.classes == ("walk", "sit", "bow")
    assert store.arrays.labels.tolist() == [2, 0]


@pytest.mark.parametrize("suffix", [".pkl", ".npz"])
def test_labelled_parts_become_clips(tmp_path, suffix):
    clips = captures(4, "ntu25")
    for i, clip in enumerate(clips):
        del clip.labels["label"]
        clip.labels.update(subject=i, splits=[("train", "test")[i % 2]], annotations=[
            {"label": "sit", "start": 0.0, "end": 0.3}, {"label": "bow", "start": 0.3, "end": 9}])
    folder = write_store(tmp_path / "store", clips).folder
    convert(folder, tmp_path / f"a{suffix}")
    prepare("back", tmp_path / f"a{suffix}", tmp_path / "back")
    back = Store(tmp_path / "back")
    assert (len(back), np.bincount(back.arrays.labels).tolist()) == (8, [4, 4])


def test_a_pickle_carries_the_protocol_and_what_it_needs(tmp_path):
    clips = captures(6)
    for i, clip in enumerate(clips):
        clip.labels.update(camera=1 + i % 3, subject=i, repetition=2)
    store = write_store(tmp_path / "store", clips, "nw_ucla")
    convert(store.folder, tmp_path / "a.pkl")
    prepare("mine", tmp_path / "a.pkl", tmp_path / "back")
    back = Store(tmp_path / "back")
    assert back.header.splits == {"xview_train": 4, "xview_val": 2}
    for name in ("camera", "subject", "repetition", "setup"):
        assert back.columns()[name].tolist() == store.columns()[name].tolist()
    prepare("nw_ucla", tmp_path / "a.pkl", tmp_path / "named", format="pyskl")
    columns = Store(tmp_path / "named").columns()
    assert select_rows(columns, "xview/test", dataset="nw_ucla").tolist() == [2, 5]


def test_only_a_split(tmp_path):
    folder = write_store(tmp_path / "store", walkers()).folder
    convert(folder, tmp_path / "a.pkl", split="test")
    assert [r.labels["clip_id"] for r in read_pyskl(tmp_path / "a.pkl")] == ["clip3", "clip7"]


def test_to_ctrgcn_divides_as_the_protocol_says(tmp_path):
    clips = captures(8, "ntu25")
    for i, clip in enumerate(clips):
        clip.labels.update(label=("sit", "stand")[i % 2], splits=[("train", "test")[i > 4]])
    folder = write_store(tmp_path / "store", clips).folder
    convert(folder, tmp_path / "a.npz", split="official")
    with np.load(tmp_path / "a.npz") as file:
        assert file["x_train"].shape == (5, 300, 150)
        assert file["x_test"].shape == (3, 300, 150)
        assert file["y_test"].argmax(axis=1).tolist() == [1, 0, 1]
        clip = file["x_train"][2].reshape(300, 2, 25, 3)
        np.testing.assert_array_equal(clip[:20, 0], Store(folder).joints(2))


def test_to_coco(tmp_path):
    folder = write_store(tmp_path / "store", walkers(3)).folder
    convert(folder, tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text())
    assert len(content["videos"]) == 3
    assert len(content["annotations"]) == Store(folder).header.counts["frames"]


def test_what_cannot_be_is_refused(tmp_path):
    folder = write_store(tmp_path / "store", walkers(3)).folder
    with pytest.raises(SkelactError, match=r"expected an output with suffix \.pkl .*got .*a\.txt"):
        convert(folder, tmp_path / "a.txt")
    with pytest.raises(SkelactError, match="is a store already"):
        convert(folder, tmp_path / "other")
    (tmp_path / "a.pkl").write_text("mine")
    with pytest.raises(OutputExistsError):
        convert(folder, tmp_path / "a.pkl")
    assert (tmp_path / "a.pkl").read_text() == "mine"

"""The clips of a run: who is in which part."""

import logging
import shutil
from dataclasses import replace

import numpy as np
import pytest
from actions import settings, swinging, write_actions
from stores import write_store

from skelact.config import ClipConfig, TrainConfig
from skelact.errors import ChoiceError, FileFormatError, LayoutError, SkelactError
from skelact.training.data import (
    find_store,
    open_data,
)


def test_parts_do_not_overlap_and_validation_holds_back_whole_subjects(store):
    _, data = open_data(settings(store.folder))
    parts = [set(rows.tolist()) for rows in (data.train, data.val, data.test)]
    assert sorted(set().union(*parts)) == list(range(32))
    assert sum(map(len, parts)) == 32
    subjects = store.columns()["subject"]
    assert not set(subjects[data.val]) & set(subjects[data.train])
    lists = store.columns()["splits"]
    assert all("test" in lists[row] for row in data.test)
    assert data.classes == ("arms", "legs")
    assert data.clip_ids[3] == "clip03"
    assert data.name == "gym"


def test_without_validation_all_of_train_is_learned_from(store):
    _, held = open_data(settings(store.folder))
    _, data = open_data(settings(store.folder, validate=False))
    assert data.train.tolist() == sorted([*held.train, *held.val])
    assert len(data.val) == 0
    assert data.test.tolist() == held.test.tolist()
    again = held.with_all_of_train()
    assert again.train.tolist() == data.train.tolist()
    assert len(again.val) == 0


def test_too_few_clips_to_hold_any_back_can_be_trained_on_all_the_same(tmp_path):
    folder = write_store(tmp_path / "few", [
        swinging(("arms", "legs")[i % 2], i, clip_id=str(i), splits=[part])
        for i, part in enumerate(("train", "train", "test"))]).folder
    with pytest.raises(SkelactError, match="--validate false trains without"):
        open_data(settings(folder))
    _, data = open_data(settings(folder, validate=False))
    assert (data.train.tolist(), data.val.tolist(), data.test.tolist()) == ([0, 1], [], [2])


def test_a_protocol_of_the_store(store):
    _, data = open_data(settings(store.folder, protocol="loso-2"))
    subjects = np.asarray(store.columns()["subject"])
    assert set(subjects[data.test]) == {2}
    with pytest.raises(ChoiceError, match="expected a split of gym"):
        open_data(settings(store.folder, protocol="xsub"))


def test_clips_may_be_left_out_by_name(tmp_path):
    folder = write_store(tmp_path / "store", [
        swinging(("arms", "legs")[i % 2], i, clip_id=f"leg work/{i}", subject=i % 4,
                 splits=[("train", "test")[i % 4 == 3]]) for i in range(16)]).folder
    path = tmp_path / "leaked.txt"
    path.write_text("leg work/0\n\n leg work/3\nleg work/7\n")
    _, whole = open_data(settings(folder))
    _, data = open_data(settings(folder, exclude=str(path)))
    gone = {"leg work/0", "leg work/3", "leg work/7"}
    for part in ("train", "val", "test"):
        kept = [row for row in getattr(whole, part) if whole.clip_ids[row] not in gone]
        assert getattr(data, part).tolist() == kept
    assert len(data.test) == len(whole.test) - 2
    for text, message in (("leg work/0\nleg work/99\n", r"names 1 clips .*such as leg work/99;"),
                          ("leg", "called like leg work/0")):
        path.write_text(text)
        with pytest.raises(SkelactError, match=message):
            open_data(settings(folder, exclude=str(path)))
    with pytest.raises(FileFormatError, match="text file of clip ids, one a line"):
        open_data(settings(folder, exclude=str(tmp_path / "absent")))
    path.write_text("\n".join(f"leg work/{i}" for i in range(3, 16, 4)))
    with pytest.raises(SkelactError, match="no labelled clip is in the split test"):
        open_data(settings(folder, exclude=str(path)))


def test_clips_without_a_label_are_not_used(tmp_path):
    folder = write_store(tmp_path / "store", [
        swinging("arms", i, clip_id=str(i), subject=i % 4,
                 label=None if i % 5 == 2 else ("arms", "legs")[i // 4 % 2],
                 splits=[("train", "test")[i % 4 == 3]]) for i in range(16)]).folder
    _, data = open_data(settings(folder))
    assert {*data.train, *data.val, *data.test} == set(range(16)) - {2, 7, 12}


def test_the_store_is_found_by_name_here_or_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = TrainConfig(dataset="utd_mhad")
    with pytest.raises(FileFormatError) as error:
        find_store(config)
    words = str(error.value)
    for part in ("expected a store at utd_mhad.store; there is none", "Get it from https://",
                 "Skeleton.zip, unpacked",
                 "skelact data prepare utd_mhad --raw DIR -o utd_mhad.store"):
        assert part in words
    store = write_actions(tmp_path / "data" / "utd_mhad.store", clips=4, name="utd_mhad")
    monkeypatch.setenv("SKELACT_DATA", str(tmp_path / "data"))
    assert find_store(config) == store.folder
    here = write_actions(tmp_path / "utd_mhad.store", clips=4, name="utd_mhad")
    assert find_store(config).resolve() == here.folder
    assert find_store(replace(config, data=str(store.folder))) == store.folder
    with pytest.raises(FileFormatError, match=r"store at elsewhere; there is none\. utd_mhad is"):
        find_store(replace(config, data="elsewhere"))
    with pytest.raises(FileFormatError, match="skelact data prepare NAME --raw DIR"):
        find_store(TrainConfig(data="elsewhere"))
    with pytest.raises(FileFormatError, match=r"pass --data STORE, .*--from-videos"):
        find_store(TrainConfig())


def test_a_preset_is_for_its_own_data_set(store):
    with pytest.raises(SkelactError, match=r"for ntu60, but .* holds gym; take its own preset"):
        open_data(settings(store.folder, dataset="ntu60"))
    assert open_data(settings(store.folder, dataset="my_gym"))[1].name == "gym"


def test_another_skeleton_may_be_asked_for(store, tmp_path):
    coco = write_actions(tmp_path / "coco", clips=8, layout="coco17").folder
    config, data = open_data(settings(coco))
    assert config.clip.layout == data.arrays.layout.name == "coco17"
    config, data = open_data(settings(coco, clip=ClipConfig(layout="penn13")))
    assert config.clip.layout == data.arrays.layout.name == "penn13"
    with pytest.raises(LayoutError, match="penn14"):
        open_data(settings(store.folder, clip=ClipConfig(layout="penn14")))


def test_the_form_is_settled_by_what_the_store_holds(store, tmp_path):
    auto = ClipConfig(layout="auto", dims=0, normalise="auto")
    config, _ = open_data(settings(store.folder, clip=auto))
    assert (config.clip.dims, config.clip.normalise) == (2, "image")
    deep = write_actions(tmp_path / "deep", clips=8, layout="ntu25", dims=3).folder
    config, _ = open_data(settings(deep, clip=auto))
    assert (config.clip.dims, config.clip.normalise) == (3, "canonical")
    with pytest.raises(ChoiceError, match=r"--clip\.dims 2"):
        open_data(settings(store.folder, clip=replace(auto, dims=3)))


def test_a_damaged_store_is_refused(store, others, tmp_path):
    for folder, fields in ((store.folder, {}), (others, {"background": True})):
        copy = tmp_path / str(bool(fields))
        shutil.copytree(folder, copy)
        file = copy / "tracks.arrow"
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        config = (settings(store.folder, background=[str(copy)]) if fields else settings(copy))
        with pytest.raises(FileFormatError, match=r"tracks\.arrow was changed after"):
            open_data(config)


def test_the_fingerprint_tells_other_data_and_other_parts(store, others, tmp_path):
    def fingerprint(folder=store.folder, **fields):
        return open_data(settings(folder, **fields))[1].fingerprint

    moved = tmp_path / "moved"
    shutil.copytree(store.folder, moved)
    assert fingerprint(moved) == fingerprint()
    relabelled = write_store(tmp_path / "other", [
        swinging(("arms", "legs")[i % 2], i, clip_id=f"clip{i:02}", subject=i // 2 % 4,
                 splits=["test" if i // 2 % 4 == 3 else "train"],
                 label=("arms", "legs")[(i % 2) ^ (i == 5)]) for i in range(32)], "gym").folder
    (tmp_path / "out").write_text("clip00")
    found = {fingerprint(), fingerprint(relabelled), fingerprint(protocol="loso-2"),
             fingerprint(exclude=str(tmp_path / "out")), fingerprint(background=[others])}
    assert len(found) == 5


def test_a_flat_background_is_refused_for_a_network_in_space(others, tmp_path):
    deep = write_actions(tmp_path / "deep", clips=16, layout="kinect20", dims=3).folder
    config = settings(deep, background=[others], clip=ClipConfig(layout="penn13", dims=3,
                                                                 normalise="body"))
    with pytest.raises(SkelactError, match=r"2-D background .* --clip\.dims 2"):
        open_data(config)


def test_the_data_set_itself_is_no_background(store, tmp_path):
    """Its test clips would be learned from, under their own labels."""
    copied = shutil.copytree(store.folder, tmp_path / "copied")
    for folder in (store.folder, copied, write_actions(tmp_path / "again", first=90).folder):
        with pytest.raises(SkelactError, match=r"other data sets than gym, .* leave out"):
            open_data(settings(store.folder, background=[str(folder)]))


def three_classes(folder, labels_of_test) -> str:
    """A store of six clips a class, in which some classes are on the list ``test`` only."""
    return str(write_store(folder, (
        swinging("arms", 10 * n + i, label=label, subject=i, clip_id=f"{label}{i}",
                 splits=["test" if label in labels_of_test or not i else "train"])
        for n, label in enumerate(("arms", "head", "legs")) for i in range(6)), "gym").folder)


def test_one_class_is_nothing_to_learn(tmp_path):
    folder = three_classes(tmp_path / "store", ("arms", "legs"))
    with pytest.raises(SkelactError, match=r"two classes to train on; .*only head in train and"):
        open_data(settings(folder))
    alone = write_store(tmp_path / "alone", (swinging("arms", i, clip_id=f"arms{i}")
                                             for i in range(2)), "gym").folder
    with pytest.raises(SkelactError, match=r"two classes to train on; .*alone has only arms$"):
        open_data(settings(str(alone)))  # and not that two clips cannot be divided


def test_a_class_without_training_clips_is_said(tmp_path, caplog):
    folder = three_classes(tmp_path / "store", ("head",))
    with caplog.at_level(logging.WARNING):
        _, data = open_data(settings(folder))
    assert "no training clips of: head (6 test clips)" in caplog.text
    assert str(data).endswith("8 test clips; 2 of 3 classes in train")

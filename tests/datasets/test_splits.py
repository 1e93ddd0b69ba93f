"""Splits: published counts, and parts that never overlap."""

import itertools
import re

import numpy as np
import pytest
from archives import unpack
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.datasets.protocols import EXEMPLARS, PROTOCOLS
from skelact.datasets.readers.msr_action3d import read_msr_action3d
from skelact.datasets.readers.penn_action import read_penn_action
from skelact.datasets.readers.precog16 import read_precog16
from skelact.datasets.splits import protocols, select_rows
from skelact.errors import ChoiceError, FileFormatError, SkelactError

PARTS = ("train", "val", "test")


def columns(clips, label=None, splits=None, **numbers) -> dict:
    """Columns of a set; what is not given is unknown."""
    unknown = np.full(len(clips), -1)
    return {"clip_id": np.array(clips), "label": unknown if label is None else np.array(label),
            "splits": [()] * len(clips) if splits is None else splits,
            **{name: np.array(numbers.get(name, unknown)) for name in
               ("subject", "camera", "setup")}}


def ntu(setups, subjects, actions) -> dict:
    """One clip a combination, in the three cameras, by names alone."""
    return columns([f"S{s:03}C{c:03}P{p:03}R001A{a:03}" for s, c, p, a in
                    itertools.product(setups, (1, 2, 3), subjects, actions)])


def numbers(table, rows, which) -> set[int]:
    place = {"setup": 1, "camera": 5, "subject": 9, "action": 17}[which]
    return {int(str(clip)[place : place + 3]) for clip in table["clip_id"][rows]}


def check_parts(table, protocol, dataset, **more):
    """The three parts are disjoint; gives them."""
    parts = [set(select_rows(table, f"{protocol}/{part}", dataset=dataset, **more))
             for part in PARTS]
    assert sum(map(len, parts)) == len(set().union(*parts))
    return parts


def test_ntu60():
    table = ntu(range(1, 18), range(1, 41), (1, 60))
    for protocol, train, test, kind in (("xsub", 20, 20, "subject"), ("xview", 2, 1, "camera")):
        parts = check_parts(table, protocol, "ntu60")
        assert len(parts[0] | parts[1]) + len(parts[2]) == len(table["clip_id"])
        assert len(parts[0] | parts[1]) / len(parts[2]) == train / test
        assert len(numbers(table, list(parts[2]), kind)) == test
        trained, held = (numbers(table, list(part), "subject") for part in parts[:2])
        assert trained.isdisjoint(held)
    assert numbers(table, select_rows(table, "test", dataset="ntu60"), "subject") == {
        3, 6, 7, 10, 11, 12, 20, 21, 22, 23, 24, 26, 29, 30, 32, 33, 36, 37, 39, 40}
    assert numbers(table, select_rows(table, "xview/test", dataset="ntu60"), "camera") == {1}


def test_ntu120():
    table = ntu(range(1, 33), range(1, 107), (1, 119))
    subjects = check_parts(table, "xsub", "ntu120")
    assert len(numbers(table, list(subjects[2]), "subject")) == 53
    trained = numbers(table, list(subjects[0] | subjects[1]), "subject")
    assert len(trained) == 53
    assert {38, 45, 59, 85, 103} <= trained
    assert trained.isdisjoint({44, 48, 51, 60, 79, 87, 106})
    setups = check_parts(table, "xset", "ntu120")
    assert numbers(table, list(setups[0] | setups[1]), "setup") == set(range(2, 33, 2))
    assert numbers(table, list(setups[2]), "setup") == set(range(1, 33, 2))


def test_ntu120_one_shot():
    table = ntu((1, 18), (8, 9), range(1, 121))
    novel = set(range(1, 116, 6))
    assert len(novel) == 20
    train, val, test = check_parts(table, "oneshot", "ntu120")
    assert numbers(table, list(test), "action") == novel
    assert numbers(table, list(train | val), "action") == set(range(1, 121)) - novel
    exemplars = select_rows(table, "oneshot/exemplars", dataset="ntu120")
    assert set(table["clip_id"][exemplars]) == EXEMPLARS
    assert numbers(table, exemplars, "action") == novel
    assert test.isdisjoint(exemplars)
    auxiliary = select_rows(table, "oneshot/auxiliary", dataset="ntu120")
    assert set(auxiliary) == train | val


def test_what_the_names_of_ntu_do_not_say_is_in_the_columns_or_an_error():
    table = columns([f"x{i}" for i in range(40)], subject=range(1, 41))
    assert len(select_rows(table, "xsub/test", dataset="ntu60")) == 20
    with pytest.raises(SkelactError, match=r"xview of ntu60 needs the camera .* 40 of 40 .*x0"):
        select_rows(table, "xview/test", dataset="ntu60")


def test_numbers_that_the_set_does_not_have_are_refused():
    table = ntu((18,), range(40, 50), (61,))
    with pytest.raises(SkelactError, match=r"P041.* has subject 41, which ntu60 does not have"):
        select_rows(table, "xsub/test", dataset="ntu60")


def test_names_without_numbers_go_by_their_lists():
    lists = [("xsub_train",), ("xsub_train",), ("xsub_test",)] * 10
    table = columns([f"clip{i}" for i in range(30)], label=[0] * 30, splits=lists)
    assert len(select_rows(table, "xsub/test", dataset="ntu60")) == 10


@pytest.mark.shared
@pytest.mark.parametrize(("archive", "dataset", "pattern", "protocol", "counts"), [
    ("nw_ucla", "nw_ucla", r"a\d+_s(?P<subject>\d+)_e\d+_v(?P<camera>\d+)\.json", "xview",
     (1020, 464)),
    ("utd_mhad", "utd_mhad", r"a\d+_s(?P<subject>\d+)_t\d+_skeleton\.mat", "xsub", (431, 430)),
])
def test_the_counts_of_the_shared_sets(shared, tmp_path, archive, dataset, pattern, protocol,
                                       counts):
    unpack(shared / "datasets" / f"{archive}.tar.xz", tmp_path)
    names = sorted(path.name for path in tmp_path.rglob("*") if re.fullmatch(pattern, path.name))
    facts = [re.fullmatch(pattern, name).groupdict() for name in names]
    table = columns(names, **{key: [int(fact[key]) for fact in facts] for key in facts[0]})
    train, val, test = check_parts(table, protocol, dataset)
    assert (len(train | val), len(test)) == counts
    assert select_rows(table, "test", dataset=dataset).tolist() == sorted(test)
    seen = table["subject"][list(train)]
    assert set(seen).isdisjoint(table["subject"][list(val)])


@pytest.mark.shared
@pytest.mark.parametrize(("dataset", "read", "counts"), [
    ("penn_action", read_penn_action, (1258, 1068)),
    ("msr_action3d", read_msr_action3d, (284, 273)),
])
def test_the_counts_of_the_shared_sets_as_read(shared, tmp_path, dataset, read, counts):
    table = read_columns(read(unpack(shared / "datasets" / f"{dataset}.tar.xz", tmp_path),
                              lambda error: None))
    name = next(iter(PROTOCOLS[dataset]))
    train, val, test = check_parts(table, name, dataset)
    assert (len(train | val), len(test)) == counts
    if (table["subject"] >= 0).all():  # one of five subjects
        assert len(set(table["subject"][list(val)])) == 1
        assert set(table["subject"][list(train)]).isdisjoint(table["subject"][list(val)])
    else:
        assert len(val) == pytest.approx(0.1 * counts[0], rel=0.05)


@pytest.mark.shared
def test_the_subjects_of_precog16_as_read(shared, tmp_path):
    folder = unpack(shared / "datasets" / "precog16.tar.xz", tmp_path)
    table = read_columns(read_precog16(folder, lambda error: None))
    tested = [select_rows(table, f"loso-{subject}/test", dataset="precog16")
              for subject in range(1, 13)]
    assert sorted(np.concatenate(tested)) == list(range(len(table["clip_id"])))
    assert [len(rows) for rows in tested] == [6] * 9 + [4] + [6] * 2  # two of all zeros


def read_columns(recordings) -> dict:
    """Columns as a store has them."""
    facts = [recording.labels for recording in recordings]
    classes = sorted({fact.get("label", "") for fact in facts})
    return columns([fact["clip_id"] for fact in facts],
                   [classes.index(fact.get("label", "")) for fact in facts],
                   [tuple(fact.get("splits", ())) for fact in facts],
                   subject=[fact.get("subject", -1) for fact in facts])


def test_msr_is_restricted_to_the_files_that_papers_use():
    table = columns([f"c{i}" for i in range(20)], subject=[*range(1, 11)] * 2,
                    splits=[("used",)] * 15 + [()] * 5)
    train, val, test = check_parts(table, "xsub", "msr_action3d")
    assert (len(train | val), len(test)) == (8, 7)
    without = columns([f"c{i}" for i in range(20)], subject=[*range(1, 11)] * 2)
    assert len(select_rows(without, "xsub/test", dataset="msr_action3d")) == 10


@pytest.mark.parametrize("number", [1, 2, 3])
def test_numbered_official_splits(number):
    splits = [(f"train{number}", "test9"), (f"test{number}",), ()] * 20
    table = columns([f"c{i}" for i in range(60)], label=[0] * 60, splits=splits)
    train, val, test = check_parts(table, f"split{number}", "ucf101")
    assert sorted(test) == list(range(1, 60, 3))
    assert sorted(train | val) == list(range(0, 60, 3))
    assert select_rows(table, f"train{number}").tolist() == sorted(train | val)
    assert select_rows(table, "lists/test9").tolist() == sorted(train | val)
    assert f"split{number}" in protocols("", table)


def test_the_official_validation_list_tests_where_test_labels_are_secret():
    splits = [("train",)] * 30 + [("val",)] * 10 + [("test",)] * 10
    table = columns([f"c{i}" for i in range(50)], label=[i % 3 for i in range(50)], splits=splits)
    train, val, test = check_parts(table, "official", "kinetics400")
    assert sorted(test) == list(range(30, 40))
    assert sorted(train | val) == list(range(30))
    assert len(val) == 3
    assert select_rows(table, "lists/val", dataset="kinetics400").tolist() == sorted(test)
    own = check_parts(table, "official", "")  # custom data: the user's val is to select by
    assert [len(part) for part in own] == [30, 10, 10]


def test_custom_data_without_lists_is_drawn_and_the_test_part_never_moves():
    table = columns([f"c{i}" for i in range(100)], label=[i % 5 for i in range(100)])
    train, val, test = check_parts(table, "drawn", "")
    assert len(train | val | test) == 100
    assert (len(test), len(val)) == (20, 10)
    for part in (test, val):
        assert np.bincount(table["label"][list(part)]).tolist() == [len(part) // 5] * 5
    other = check_parts(table, "drawn", "", seed=1)
    assert other[2] == test
    assert other[1] != val
    assert select_rows(table, "test").tolist() == sorted(test)


def test_parts_do_not_depend_on_the_order_of_the_clips():
    table = columns([f"c{i}" for i in range(60)], label=[i % 4 for i in range(60)])
    order = np.random.default_rng(0).permutation(60)
    turned = columns(table["clip_id"][order], label=table["label"][order])
    for part in PARTS:
        assert (set(table["clip_id"][select_rows(table, part)])
                == set(turned["clip_id"][select_rows(turned, part)]))


def test_clips_of_one_video_stay_together():
    table = columns([f"c{i}" for i in range(90)], label=[i // 3 % 3 for i in range(90)])
    table["source"] = np.array([f"v{i // 3}.mp4" for i in range(90)])
    parts = check_parts(table, "drawn", "")
    videos = [set(table["source"][list(part)]) for part in parts]
    assert sum(map(len, videos)) == 30
    assert min(map(len, videos)) >= 3


def test_clips_of_few_long_videos_stay_together_whatever_their_classes():
    table = columns([f"c{i:02}" for i in range(50)], label=[i % 4 for i in range(50)])
    table["source"] = np.array([f"v{i % 5}.mp4" for i in range(50)])
    assert [len(part) for part in check_parts(table, "drawn", "")] == [30, 10, 10]


@pytest.mark.parametrize("videos", [1, 2])
def test_parts_of_one_or_two_videos_are_not_divided(videos):
    table = columns([f"c{i:02}" for i in range(50)], label=[i % 2 for i in range(50)])
    table["source"] = np.array([f"v{i % videos}.MP4" for i in range(50)])
    with pytest.raises(SkelactError, match="a class needs four videos"):
        select_rows(table, "test")
    subjects = table | {"subject": np.arange(50) % 5}  # people decide, where they are known
    assert len(select_rows(subjects, "test")) == 10


def test_pieces_of_a_video_stay_together_in_whatever_folder_they_lie():
    table = columns([f"c{i:02}" for i in range(40)], label=[i % 2 for i in range(40)])
    table["source"] = np.array([f"{('jump', 'clap')[i % 2]}/v{i // 4}_{i:06}_{i + 1:06}.mp4"
                                for i in range(40)])
    parts = check_parts(table, "drawn", "")
    videos = [{i // 4 for i in part} for part in parts]
    assert sum(map(len, videos)) == 10
    assert [len(part) for part in parts] == [28, 4, 8]


def test_one_file_that_holds_every_clip_is_no_video():
    table = columns([f"c{i:02}" for i in range(50)], label=[i % 5 for i in range(50)])
    alone = check_parts(table, "drawn", "")
    table["source"] = np.full(50, "everything.pkl")
    assert check_parts(table, "drawn", "") == alone
    assert len(alone[2]) == 10


@given(sizes=st.lists(st.integers(1, 30), min_size=2, max_size=12), seed=st.integers(0, 99),
       classes=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_val_holds_whole_subjects_and_about_its_share(sizes, seed, classes):
    subject = np.repeat(np.arange(len(sizes)) * 3, sizes)
    total = len(subject)
    table = columns([f"c{i}" for i in range(total)], label=np.arange(total) % classes,
                    subject=subject, splits=[("train",)] * total)
    train, val = (select_rows(table, part, seed=seed) for part in ("train", "val"))
    assert sorted([*train, *val]) == list(range(total))
    assert not set(subject[train]) & set(subject[val])
    smallest = min(sizes)
    assert abs(len(val) - 0.1 * total) <= max(0.1 * total, smallest)


def test_leave_one_subject_out():
    table = columns([f"c{i}" for i in range(60)], subject=[i % 12 + 1 for i in range(60)])
    for subject in (1, 12):
        train, val, test = check_parts(table, f"loso-{subject}", "precog16")
        assert set(table["subject"][list(test)]) == {subject}
        assert len(train | val | test) == 60
    with pytest.raises(ChoiceError, match=r"1, 2, 3, .*12; got loso-13"):
        select_rows(table, "loso-13/test", dataset="precog16")
    with pytest.raises(ChoiceError, match=r"precog16 has no fixed train and test; take loso"):
        select_rows(table, "train", dataset="precog16")


@given(sizes=st.lists(st.integers(1, 20), min_size=3, max_size=15), data=st.data())
@settings(max_examples=40, deadline=None)
def test_folds_by_subject_cover_every_clip_once(sizes, data):
    folds = data.draw(st.integers(2, len(sizes)))
    subject = np.repeat(np.arange(len(sizes)), sizes)
    table = columns([f"c{i}" for i in range(len(subject))], subject=subject)
    tested = [select_rows(table, f"kfold{folds}-{i}/test") for i in range(1, folds + 1)]
    assert sorted(np.concatenate(tested)) == list(range(len(subject)))
    assert sum(len(set(subject[rows])) for rows in tested) == len(sizes)
    for i in (1, folds):
        assert set(select_rows(table, f"kfold{folds}-{i}/train")).isdisjoint(tested[i - 1])


@pytest.mark.parametrize("split", ["kfold1-1/test", "kfold5-1/test", "kfold3-4/test",
                                   "kfold3-0/test"])
def test_impossible_folds_are_refused(split):
    table = columns(["a", "b", "c", "d"], subject=[1, 2, 3, 4])
    with pytest.raises(ChoiceError, match=r"2 <= k <= 4"):
        select_rows(table, split)


def test_a_table_of_clips_and_splits(tmp_path, caplog):
    file = tmp_path / "mine.csv"
    file.write_text("clip_id,split\n" + "".join(
        f"c{i},{'train' if i < 40 else 'test'}\n" for i in range(50)) + "gone,test\n")
    table = columns([f"c{i}" for i in range(60)], label=[i % 2 for i in range(60)])
    train, val, test = check_parts(table, file, "")
    assert sorted(test) == list(range(40, 50))
    assert sorted(train | val) == list(range(40))
    assert len(val) == 4
    assert "1 of 51 clips are not in the data set, such as gone" in caplog.text


@pytest.mark.parametrize(("text", "said"), [
    ("clip,split\nc1,train\n", "columns clip_id and split"),
    ("clip_id,split\nc1,training\n", "line 2"),
    ("clip_id,split\nc1,train\nc1,test\n", "line 3"),
    ("clip_id,split\nx1,train\n", "names none of the clips"),
    ("", "columns clip_id and split"),
    (None, "no readable CSV"),
])
def test_a_bad_table_is_refused(tmp_path, text, said):
    file = tmp_path / "mine.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(FileFormatError, match=said) as caught:
        select_rows(columns(["c1", "c2"]), f"{file}/train")
    assert str(file) in str(caught.value)


def test_unknown_splits_list_those_that_exist():
    table = columns(["a", "b"], subject=[1, 2], splits=[("train1",), ("test1",)])
    for split in ("nonsense", "nonsense/train", "xsub/train"):
        with pytest.raises(ChoiceError, match=r"split1, all, loso-<subject>") as caught:
            select_rows(table, split)
        assert repr(split) in str(caught.value)
    with pytest.raises(ChoiceError, match=r"out of train, test, val; got 'dev'"):
        select_rows(table, "split1/dev")
    with pytest.raises(ChoiceError, match=r"out of test1, train1; got 'test2'"):
        select_rows(table, "lists/test2")
    with pytest.raises(ChoiceError, match="on no official list"):
        select_rows(columns(["a"]), "lists/train")


def test_what_a_set_lacks_is_named():
    table = columns(["a", "b"])
    with pytest.raises(SkelactError, match=r"needs the subject of every clip; 2 of 2 .*such as a"):
        select_rows(table, "loso-1/train")
    with pytest.raises(SkelactError, match="needs the official lists test, train; no clip"):
        select_rows(table, "train", dataset="penn_action")
    listed = columns(["a", "b"], splits=[("xsub_train", "xview_train"), ("xsub_val", "xview_val")])
    with pytest.raises(ChoiceError, match=r"say which, such as xsub/train, out of xsub, xview"):
        select_rows(listed, "train")


def test_a_clip_in_two_parts_is_refused():
    table = columns(["a", "b"], splits=[("train", "test"), ("train",)])
    with pytest.raises(SkelactError, match="1 clips stand in several parts of official, such as a"):
        select_rows(table, "train")


def test_a_split_without_clips_is_refused():
    table = columns(["a", "b"], splits=[("train",), ("train",)], label=[0, 0])
    with pytest.raises(SkelactError, match="no clip is in the split 'test'"):
        select_rows(table, "test")


def test_four_videos_of_a_class_are_the_least_that_train_validate_and_test():
    four = columns([f"c{i}" for i in range(8)], label=[i % 2 for i in range(8)])
    assert [len(part) for part in check_parts(four, "drawn", "")] == [4, 2, 2]
    three = columns([f"c{i}" for i in range(6)], label=[i % 2 for i in range(6)])
    with pytest.raises(SkelactError, match="a class needs four videos"):
        select_rows(three, "drawn/val")


def test_every_data_set_says_what_its_protocols_are():
    for dataset, known in PROTOCOLS.items():
        described = protocols(dataset)
        assert list(described)[: len(known)] == list(known)
        assert all(described.values())
    assert "40,091 / 16,487" in protocols("ntu60")["xsub"]


def test_a_million_clips(tmp_path):
    count = 1_000_000
    table = {"clip_id": np.arange(count).astype(str), "label": np.arange(count) % 400,
             "splits": [("train",), ("val",)] * (count // 2)}
    val = select_rows(table, "val", dataset="kinetics400")
    assert len(val) == pytest.approx(0.1 * count / 2, rel=0.02)

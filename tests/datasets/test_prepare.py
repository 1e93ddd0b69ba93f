"""Foreign data in, one store out: counts, drops, resuming, memory."""

import csv
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from archives import unpack, write_penn_action, write_utd_mhad
from recordings import walking

from skelact.datasets import parts
from skelact.datasets.dropped import Dropped
from skelact.datasets.folders import make_parts_folder
from skelact.datasets.formats import FORMATS
from skelact.datasets.prepare import prepare, write_store
from skelact.datasets.store import Store
from skelact.errors import ChoiceError, FileFormatError, OutputExistsError, SkelactError

SETS = {  # NW-UCLA: see test_validate.py
    "utd_mhad": ("utd_mhad", 861, 0, 27, "utd20", {}),
    "penn_action": ("penn_action", 2326, 0, 15, "penn13", {"train": 1258, "test": 1068}),
    "msr_action3d": ("msr_action3d", 566, 1, 20, "msr20", {"used": 557}),
    "precog16": ("precog16", 70, 2, 9, "kinect20", {}),
}


@pytest.mark.shared
@pytest.mark.parametrize("name", SETS)
def test_shared_data_sets_have_their_published_counts(shared, tmp_path, name):
    archive, clips, dropped, classes, layout, lists = SETS[name]
    raw = unpack(shared / "datasets" / f"{archive}.tar.xz", tmp_path / "raw")
    report = prepare(name, raw, tmp_path / "store", jobs=1)
    header = report.header
    assert (header.counts["clips"], len(report.dropped)) == (clips, dropped)
    assert report.failed == 0  # recordings of nobody are known of these sets
    assert (len(header.classes), header.layout.name) == (classes, layout)
    assert dict(header.splits) == lists


@pytest.mark.shared
def test_ntu_is_cleaned_by_profile_and_its_bodies_are_reported(shared, tmp_path):
    raw = tmp_path / "raw"
    shutil.copytree(shared / "reference" / "ntu_raw", raw)
    (raw / "S001C001P001R001A002.skeleton").write_text("3\n0\n0\n0\n")
    report = prepare("ntu60", raw, tmp_path / "store", profile="pyskl", jobs=1)
    assert report.header.profile == "pyskl"
    assert report.failed == 0
    assert report.header.counts["clips"] == 7  # S018 is not of the first 60 classes
    assert len(report.header.classes) == 60
    assert "1 samples without a skeleton (535" in str(report)
    with open(tmp_path / "store" / "bodies.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["decision"] for row in rows} <= {"kept", "merged", "dropped"}
    assert len({row["clip_id"] for row in rows}) == 7
    whole = prepare("ntu120", raw, tmp_path / "all", jobs=1,
                    missing={"S001C001P001R001A001"})
    assert whole.header.profile == "skelact"
    assert (whole.header.counts["clips"], len(whole.header.classes)) == (7, 120)
    assert "2 samples without a skeleton" in str(whole)


def test_several_processes_give_the_same_store(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "FILES_A_PART", 5)
    raw = write_penn_action(tmp_path / "raw", train=9, test=3)
    one = prepare("penn_action", raw, tmp_path / "one", jobs=1).header
    two = prepare("penn_action", raw, tmp_path / "two", jobs=2).header
    assert one == two
    assert {path.name for path in tmp_path.iterdir()} == {"raw", "one", "two"}


def test_bad_files_are_dropped_and_listed(tmp_path):
    raw = write_utd_mhad(tmp_path / "raw")
    (raw / "a2_s1_t1_skeleton.mat").write_bytes(b"no MATLAB")
    (raw / "a3_s1_t1_skeleton.mat").write_bytes(b"")
    report = prepare("utd_mhad", raw, tmp_path / "store", jobs=1)
    assert report.header.counts["clips"] == 4
    with open(tmp_path / "store" / "dropped.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [os.path.basename(row["source"])[:2] for row in rows] == ["a2", "a3"]
    assert all("not a UTD-MHAD skeleton" in row["reason"] for row in rows)
    assert "2 dropped" in str(report)


def test_a_fault_of_ours_costs_one_file(tmp_path, monkeypatch):
    from dataclasses import replace

    raw = write_utd_mhad(tmp_path / "raw")
    known = FORMATS["utd_mhad"]

    def read(file, refuse):
        if "a1_s2" in file.name:
            raise AssertionError("never")
        return known.read(file, refuse)

    monkeypatch.setitem(FORMATS, "utd_mhad", replace(known, read=read))
    report = prepare("utd_mhad", raw, tmp_path / "store", jobs=1)
    assert report.header.counts["clips"] == 3
    assert "unexpected AssertionError('never')" in report.dropped[0][1]


def test_only_parts_whose_files_changed_are_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "FILES_A_PART", 4)
    raw = write_penn_action(tmp_path / "raw", train=8, test=4)
    files = sorted(raw.rglob("*.mat"))
    planned = parts.plan_parts(make_parts_folder(tmp_path / "store"), "penn_action", files)
    assert parts.make_parts(planned[:2], jobs=1) == 0
    shutil.copyfile(files[7], files[5])  # the second part is out of date now
    made = []
    make = parts._make_part
    monkeypatch.setattr(parts, "_make_part", lambda part: made.append(part) or make(part))
    report = prepare("penn_action", raw, tmp_path / "store", jobs=1)
    assert report.taken_over == 4
    assert [len(part.files) for part in made] == [4, 4]
    assert "4 files had been read by an earlier run" in str(report)
    assert not (tmp_path / "store.parts").exists()
    np.testing.assert_array_equal(Store(tmp_path / "store").joints(5),
                                  Store(tmp_path / "store").joints(7))


def test_two_runs_may_make_the_same_part(tmp_path, monkeypatch):
    raw = write_penn_action(tmp_path / "raw", train=3, test=1)
    folder = make_parts_folder(tmp_path / "store")
    (part,) = parts.plan_parts(folder, "penn_action", sorted(raw.rglob("*.mat")))
    write, calls = parts.write_body_report, []

    def other_run_is_faster(bodies, path):
        calls.append(path)
        if len(calls) == 1:  # the other one begins and ends while the first is at work
            parts.make_parts([part], jobs=1)
        write(bodies, path)

    monkeypatch.setattr(parts, "write_body_report", other_run_is_faster)
    parts.make_parts([part], jobs=1)
    assert len({path.parent for path in calls}) == 2
    assert [path for path in folder.iterdir() if path.is_dir()] == [part.folder]
    assert len(Store(part.folder / "store")) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_run_goes_on(tmp_path):
    raw = write_penn_action(tmp_path / "raw", train=90, test=40)
    code = """
import os, signal, sys
from skelact.datasets import parts
from skelact.datasets.prepare import prepare
from skelact.datasets.store import StoreWriter
add, added = StoreWriter.add, []
def add_and_die(writer, recording):
    add(writer, recording)
    added.append(recording)
    if len(added) == 70:  # in the second part
        os.kill(os.getpid(), signal.SIGKILL)
StoreWriter.add = add_and_die
prepare("penn_action", sys.argv[1], sys.argv[2], jobs=1)
"""
    store = tmp_path / "store"
    done = subprocess.run([sys.executable, "-c", code, str(raw), str(store)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not store.exists()
    report = prepare("penn_action", raw, store, jobs=1)
    assert (report.header.counts["clips"], report.taken_over) == (130, parts.FILES_A_PART)
    assert {path.name for path in tmp_path.iterdir()} == {"raw", "store"}


def test_memory_does_not_grow_with_the_files(tmp_path):
    code = """
import resource, shutil, sys
from pathlib import Path
from skelact.datasets.prepare import prepare
raw, peaks = Path(sys.argv[1]), []
for count in (50, 250):
    some = raw.parent / str(count)
    some.mkdir()
    for i in range(count):
        shutil.copyfile(raw / "a1_s1_t1_skeleton.mat", some / f"a1_s1_t{i}_skeleton.mat")
    prepare("utd_mhad", some, raw.parent / f"store{count}", jobs=1)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(peaks[1] - peaks[0])
"""
    from scipy.io import savemat

    (tmp_path / "raw").mkdir()
    body = np.random.default_rng(0).normal(size=(20, 3, 600))
    savemat(tmp_path / "raw" / "a1_s1_t1_skeleton.mat", {"d_skel": body})  # 144 KB as float32
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "raw")], check=True,
                          text=True, capture_output=True)
    assert int(done.stdout) < 15_000  # KB; the 200 further clips are 29 MB


def test_clips_of_another_skeleton_are_dropped(tmp_path):
    dropped: Dropped = []
    clips = [walking(5, labels={"clip_id": "a"}, source="a.mp4"),
             walking(5, labels={"clip_id": "a"}, source="b.mp4")]
    report = write_store(clips, tmp_path / "store", "mine", dropped)
    assert report.header.counts["clips"] == 1
    assert dropped == report.dropped == [
        ("b.mp4", "clip a stands twice in the data; clip ids must differ", "failed")]
    assert report.failed == 1


def test_nothing_usable_leaves_nothing(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a2_s1_t1_skeleton.mat").write_bytes(b"no MATLAB")
    with pytest.raises(FileFormatError, match="no clip could be used; 1 dropped"):
        prepare("utd_mhad", tmp_path / "raw", tmp_path / "store", jobs=1)
    assert not (tmp_path / "store").exists()
    with pytest.raises(FileFormatError, match="no clip could be used"):
        write_store([], tmp_path / "other", "mine", [])
    assert not (tmp_path / "other.parts").exists()


def test_what_is_not_there_comes_with_a_way_to_get_it(tmp_path):
    for raw, message in ((tmp_path / "absent", "no file or folder"),
                         (tmp_path, "no skeleton data that skelact reads")):
        with pytest.raises(FileFormatError, match=message) as published:
            prepare("ntu60", raw, tmp_path / "store", jobs=1)
        assert "Get it from https://rose1.ntu.edu.sg" in str(published.value)
        with pytest.raises(FileFormatError, match=message) as own:
            prepare("mine", raw, tmp_path / "store", jobs=1)
        assert "Get it" not in str(own.value)
    raw = write_utd_mhad(tmp_path / "raw")
    with pytest.raises(FileFormatError, match=r"no NTU .* of ntu60 in .*Get it from"):
        prepare("ntu60", raw, tmp_path / "store", format="ntu", jobs=1)


def test_wrong_words_are_refused_before_any_work(tmp_path):
    raw = write_utd_mhad(tmp_path / "raw")
    with pytest.raises(ChoiceError, match="a format out of"):
        prepare("mine", raw, tmp_path / "store", format="word")
    with pytest.raises(SkelactError, match="are for NTU RGB"):
        prepare("mine", raw, tmp_path / "store", profile="pyskl")
    with pytest.raises(ChoiceError, match="an option of utd_mhad to be one of none; got 'fps'"):
        prepare("mine", raw, tmp_path / "store", fps=15)
    with pytest.raises(ChoiceError, match="at least one job, got 0"):
        prepare("mine", raw, tmp_path / "store", jobs=0)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a.txt").write_text("")
    with pytest.raises(OutputExistsError, match="other things"):
        prepare("mine", raw, tmp_path / "store", overwrite=True)


def test_a_folder_of_the_user_is_never_scratch(tmp_path):
    raw = write_utd_mhad(tmp_path / "raw")
    precious = tmp_path / "store.parts" / "precious.txt"
    precious.parent.mkdir()
    precious.write_text("years of work")

    def never():
        raise AssertionError("work was spent")
        yield

    with pytest.raises(OutputExistsError, match="did not put there; move it away"):
        prepare("utd_mhad", raw, tmp_path / "store", jobs=1)
    with pytest.raises(OutputExistsError, match=r"store\.parts"):
        write_store(never(), tmp_path / "store", "mine", [])
    assert precious.read_text() == "years of work"
    assert [path.name for path in precious.parent.iterdir()] == ["precious.txt"]
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("format", [None, "utd_mhad"])
def test_data_of_another_set_get_no_official_name(tmp_path, format):
    raw = write_utd_mhad(tmp_path / "raw")
    with pytest.raises(FileFormatError, match=r"expected data of nw_ucla .*got UTD-MHAD \.mat"):
        prepare("nw_ucla", raw, tmp_path / "store", format, jobs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]

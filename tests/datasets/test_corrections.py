"""Corrections applied to stores, against doing it by hand."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import walking
from stores import captures, walkers, write_store

from skelact.datasets.corrections import (
    Correction,
    Corrections,
    apply_corrections,
    read_corrections,
)
from skelact.datasets.store import Store
from skelact.datasets.validation.validate import validate
from skelact.errors import FileFormatError, OutputExistsError, SkelactError

CLIPS = 5


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Clips of 12 to 16 frames, with uneven times and a joint that is missing now and then."""
    clips = walkers(CLIPS)
    joints = clips[2].tracks[0].joints.copy()
    joints[3, :, 4:7] = np.nan
    clips[2] = replace(clips[2], tracks=(replace(clips[2].tracks[0], joints=joints),),
                       timestamps=np.cumsum(np.linspace(0.03, 0.05, 14)))
    return write_store(tmp_path_factory.mktemp("store") / "walkers.store", clips)


@pytest.fixture(scope="module")
def untrimmed(tmp_path_factory):
    """Two clips of labelled parts, and one with a label of its own."""
    parts = [{"label": "bow", "start": 0.2, "end": 0.8}, {"label": "wave", "start": 0.8, "end": 2}]
    clips = [walking(50, labels={"clip_id": "a", "annotations": parts}),
             walking(50, step=1, labels={"clip_id": "b", "annotations": parts[:1]}),
             walking(50, step=3, labels={"clip_id": "c", "label": "bow"})]
    return write_store(tmp_path_factory.mktemp("store") / "untrimmed.store", clips)


def corrections(store, *clips, new_classes=()):
    return Corrections(store.header.fingerprint, clips, new_classes, store.header.name)


def digests(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def assert_same(found, expected):
    """Every bit of two recordings."""
    assert found.labels == expected.labels
    assert found.timestamps.tobytes() == expected.timestamps.tobytes()
    assert (found.fps, found.image_size, found.source) == (
        expected.fps, expected.image_size, expected.source)
    for a, b in zip(found.tracks, expected.tracks, strict=True):
        assert a.track_id == b.track_id
        for name in ("joints", "frame_index", "boxes", "confidence"):
            x, y = getattr(a, name), getattr(b, name)
            assert (x is None and y is None) or x.tobytes() == y.tobytes()


@st.composite
def said(draw):
    """What may be said of each of the clips, and the names of the classes."""
    entries = []
    for row in range(CLIPS):
        first = draw(st.integers(0, 11))
        entries.append((draw(st.booleans()) if row else False,
                        draw(st.sampled_from([None, "run", "walk", "stroll"])),
                        draw(st.none() | st.integers(first, 11 + row).map(lambda e, f=first:
                                                                          (f, e)))))
    return entries


@given(said())
@settings(max_examples=25)
def test_applying_is_the_same_as_doing_it_by_hand(tmp_path_factory, store, entries):
    clips, expected = [], []
    for row, (drop, label, trim) in enumerate(entries):
        recording = store.recording(row)
        labels = dict(recording.labels)
        clips.append(Correction(labels["clip_id"], drop=drop, trim=trim,
                                label=(labels["label"], label) if label else None))
        if drop:
            continue
        labels["label"] = label or labels["label"]
        first, last = trim or (0, recording.num_frames - 1)
        joints = recording.joints()[..., first : last + 1]
        times = recording.timestamps[first : last + 1] - recording.timestamps[first]
        if trim is None:
            times = recording.timestamps
        expected.append((labels, joints, times))
    folder = tmp_path_factory.mktemp("out")
    done = apply_corrections(store.folder, corrections(store, *clips, new_classes=("stroll",)),
                             folder / "new")
    new = Store(done.store)
    assert done.clips == len(new) == len(expected)
    for row, (labels, joints, times) in enumerate(expected):
        found = new.recording(row)
        assert found.labels == labels
        np.testing.assert_array_equal(found.joints(), joints)
        np.testing.assert_allclose(found.timestamps, times, rtol=0, atol=1e-12)
    used = any(label == "stroll" and not drop for drop, label, _ in entries)
    assert new.header.classes == ("run", "walk") + ("stroll",) * used
    assert not [f for f in validate(done.store) if f.check in ("files", "checksum", "tables")]


def test_untouched_clips_keep_every_bit(tmp_path, store):
    before = digests(store.folder)
    done = apply_corrections(store.folder, corrections(
        store, Correction("clip1", drop=True),
        Correction("clip4", label=("run", "walk"), note="looks so")), tmp_path / "new")
    new = Store(tmp_path / "new")
    for row, old in enumerate((0, 2, 3)):
        assert_same(new.recording(row), store.recording(old))
    assert digests(store.folder) == before
    assert (done.clips, done.dropped, done.noted) == (4, 1, 1)
    assert new.header.splits == {"train": 3, "test": 1}
    assert json.loads((new.folder / "corrections.json").read_text()) == corrections(
        store, Correction("clip1", drop=True),
        Correction("clip4", label=("run", "walk"), note="looks so")).to_dict()
    assert validate(new.folder) == []


def test_confidence_and_depth_keep_every_bit(tmp_path):
    clips = captures(3)
    clips[0] = replace(clips[0], tracks=(replace(
        clips[0].tracks[0], confidence=np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)),))
    store = write_store(tmp_path / "old", clips)
    apply_corrections(store.folder, corrections(store, Correction("c1", trim=(5, 14))),
                      tmp_path / "new")
    new = Store(tmp_path / "new")
    assert_same(new.recording(0), store.recording(0))
    assert_same(new.recording(2), store.recording(2))
    np.testing.assert_array_equal(new.recording(1).timestamps, np.arange(10) / 30)


def test_a_clip_without_a_label_gets_one(tmp_path):
    store = write_store(tmp_path / "old", [*walkers(2), walking(9, labels={"clip_id": "bare"})])
    done = apply_corrections(store.folder, corrections(
        store, Correction("bare", label=(None, "walk"))), tmp_path / "new")
    assert Store(tmp_path / "new").recording(2).labels["label"] == "walk"
    assert "no label -> walk 1" in str(done)


def test_numbers_of_numpy_are_numbers(tmp_path, store):
    done = apply_corrections(store.folder, corrections(store, *(
        Correction(clip, drop=bad, trim=None if bad else (first, np.int64(9)))
        for clip, bad, first in zip(np.array(["clip0", "clip1"]), np.array([True, False]),
                                    np.array([0, 3]), strict=True))), tmp_path / "new")
    assert (done.dropped, done.trimmed) == (1, 1)
    assert read_corrections(tmp_path / "new" / "corrections.json").clips[1].trim == (3, 9)


def test_a_class_of_dropped_clips_alone_does_not_come_in(tmp_path, untrimmed):
    done = apply_corrections(untrimmed.folder, corrections(
        untrimmed, Correction("a", drop=True), Correction("a", 0, label=("bow", "nod")),
        new_classes=("nod",)), tmp_path / "new")
    assert done.new_classes == ()
    assert Store(tmp_path / "new").header.classes == untrimmed.header.classes


def test_a_second_round_keeps_the_first(tmp_path, store):
    apply_corrections(store.folder, corrections(store, Correction("clip0", drop=True)),
                      tmp_path / "one")
    one = Store(tmp_path / "one")
    done = apply_corrections(one.folder, corrections(one, Correction("clip1", drop=True,
                                                                     note="twice")),
                             tmp_path / "two")
    assert "corrections_2.json in the new store keeps the notes" in str(done)
    two = Store(tmp_path / "two")
    assert {"corrections.json", "corrections_2.json"} <= set(two.header.files)
    assert len(two) == 3


def test_labelled_parts(tmp_path, untrimmed):
    done = apply_corrections(untrimmed.folder, corrections(
        untrimmed, Correction("a", 0, label=("bow", "wave")), Correction("a", 1, trim=(25, 49)),
        Correction("b", 0, drop=True), Correction("c", label=("bow", "wave"))), tmp_path / "new")
    new = Store(tmp_path / "new")
    assert new.annotations(0) == [{"label": "wave", "start": 0.2, "end": 0.8},
                                  {"label": "wave", "start": 1.0, "end": 2.0}]
    assert new.annotations(1) == []
    assert new.recording(2).labels["label"] == "wave"
    np.testing.assert_array_equal(new.recording(0).joints(), untrimmed.recording(0).joints())
    assert str(done).splitlines() == [
        "relabelled    2: bow -> wave 2", "dropped       1: labelled parts of untrimmed clips",
        "trimmed       1", "empty classes 1: bow", f"-> {tmp_path / 'new'}"]


REFUSED = [
    (Correction("gone"), "no clip gone"),
    (Correction("clip0", label=("walk", "run")), "take its class for 'walk', the store says 'run'"),
    (Correction("clip0", label=("run", "runn")), 'one of "new_classes", got \'runn\''),
    (Correction("clip0", label=("run", "Walk")), "got 'Walk' beside 'walk'"),
    (Correction("clip0", label=("run", "new\xa0 ")), "got 'new\\\\xa0 ' beside 'NEW'"),
    (Correction("clip0", trim=(0, 12)), "within its frames 0 to 11, got 0 to 12"),
    (Correction("clip0", 0, drop=True), "clip0, part 0: the clip has 0 labelled parts"),
    (Correction("clip0", -1, drop=True), "part -1: the clip has 0 labelled parts"),
]


@pytest.mark.parametrize(("correction", "message"), REFUSED)
def test_what_the_store_does_not_have_is_refused(tmp_path, store, correction, message):
    with pytest.raises(SkelactError, match=message):
        apply_corrections(store.folder, corrections(
            store, Correction("clip2", label=("run", "NEW")), correction,
            new_classes=("NEW", "Walk", "new\xa0 ")), tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_more_refusals_write_nothing(tmp_path, store, untrimmed):
    nobody = write_store(tmp_path / "late", [walking(20, first=10, labels={
        "clip_id": "late", "label": "walk"})])
    every = [Correction(f"clip{i}", drop=True) for i in range(CLIPS)]
    new = tmp_path / "new"
    for other, said_, output, message in (
            (untrimmed, corrections(store), new, "of another store custom"),
            (store, corrections(store, *every), new, "nothing would be left"),
            (store, corrections(store), store.folder, "beside the store"),
            (store, corrections(store), store.folder / "new", "beside the store"),
            (untrimmed, corrections(untrimmed, Correction("a", trim=(0, 9))), new, "in parts"),
            (untrimmed, corrections(untrimmed, Correction("a", label=(None, "bow"))), new,
             "in parts"),
            (nobody, corrections(nobody, Correction("late", trim=(0, 9))), new, "nobody is in")):
        with pytest.raises(SkelactError, match=message):
            apply_corrections(other.folder, said_, output, overwrite=True)
        assert not new.exists()
    assert not (store.folder / "new").exists()
    write_store(new, walkers(2))
    with pytest.raises(OutputExistsError, match="--overwrite"):
        apply_corrections(store.folder, corrections(store), new)
    apply_corrections(store.folder, corrections(store), new, overwrite=True)
    assert len(Store(new)) == CLIPS


def test_a_damaged_store_is_not_passed_on(tmp_path):
    store = write_store(tmp_path / "old", walkers(3))
    tracks = store.folder / "tracks.arrow"
    content = bytearray(tracks.read_bytes())
    content[len(content) // 2] ^= 1
    tracks.write_bytes(content)
    with pytest.raises(FileFormatError, match="was changed"):
        apply_corrections(store.folder, corrections(store), tmp_path / "new")


def test_a_file_is_what_was_said(tmp_path, store):
    said_ = corrections(store, Correction("clip0", label=("run", "stroll"), trim=(1, 5), note="n"),
                        Correction("long", 3, drop=True), new_classes=("stroll",))
    (tmp_path / "c.json").write_text(json.dumps(said_.to_dict()))
    assert read_corrections(tmp_path / "c.json") == said_

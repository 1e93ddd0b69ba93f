"""The store: what goes in comes out, mapped and not copied, and damage is told."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import walking
from stores import walkers, write_store

from skelact.datasets.arrays import ClipArrays
from skelact.datasets.dataset import load_dataset
from skelact.datasets.info import describe
from skelact.datasets.store import Store, StoreWriter
from skelact.errors import FileFormatError, OutputExistsError, SkelactError
from skelact.graph.layouts import Layout
from skelact.pose.recording import PoseTrack, Recording

STICK = Layout("stick3", ("low", "left_high", "right_high"), (0, 0, 0))
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
whole = st.integers(0, 2**40)


@st.composite
def tracks(draw, frames: int, dims: int, track_id: int) -> PoseTrack:
    index = np.flatnonzero(draw(st.lists(st.booleans(), min_size=frames, max_size=frames)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    joints = random.normal(size=(3, 3, len(index))).astype(np.float32)
    joints.transpose(0, 2, 1)[random.random((3, len(index))) < 0.2] = np.nan
    return PoseTrack(
        track_id, joints, index,
        boxes=random.random((4, len(index))) if draw(st.booleans()) else None,
        confidence=random.random((3, len(index))) if dims == 3 and draw(st.booleans()) else None)


@st.composite
def recordings(draw, dims: int, clip_id: str) -> Recording:
    frames = draw(st.integers(0, 9))
    people = [draw(tracks(frames, dims, i)) for i in draw(st.sets(whole, max_size=3))]
    fps = draw(st.floats(0.5, 1000))
    steps = draw(st.lists(st.floats(0.001, 5), min_size=frames, max_size=frames))
    times = np.cumsum(steps) - 3 if draw(st.booleans()) else np.arange(frames) / fps
    facts = {
        "label": names, "subject": whole, "camera": whole, "setup": whole, "repetition": whole,
        "splits": st.lists(names, min_size=1, max_size=3), "fps_assumed": st.just(True),
        "annotations": st.lists(st.fixed_dictionaries(
            {"label": names, "start": st.floats(0, 9), "end": st.floats(0, 9)},
            optional={"track_id": whole, "box": st.tuples(*[st.floats(0, 2000)] * 4)}),
            min_size=1, max_size=3),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(facts))))
    size = (draw(st.integers(1, 4000)), draw(st.integers(1, 4000))) if dims == 2 else None
    return Recording(tuple(people), times, STICK, dims, fps, size, draw(names), draw(names),
                     {"clip_id": clip_id} | {key: draw(facts[key]) for key in sorted(chosen)})


@st.composite
def data_sets(draw) -> list[Recording]:
    dims = draw(st.sampled_from((2, 3)))
    ids = draw(st.lists(names, min_size=4, max_size=6, unique=True))
    return [draw(recordings(dims, clip_id)) for clip_id in ids]


def same(a: Recording, b: Recording) -> None:
    assert a.labels == b.labels
    for name in ("layout", "dims", "fps", "image_size", "source", "estimator"):
        assert getattr(a, name) == getattr(b, name), name
    np.testing.assert_array_equal(a.timestamps, b.timestamps)
    assert len(a.tracks) == len(b.tracks)
    for one, other in zip(a.tracks, b.tracks, strict=True):
        assert one.track_id == other.track_id
        for name in ("joints", "frame_index", "boxes", "confidence"):
            x, y = getattr(one, name), getattr(other, name)
            assert (x is None) == (y is None), name
            if x is not None:
                np.testing.assert_array_equal(x, y, strict=True)


@given(data_sets())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_recordings_come_back_as_they_were(tmp_path_factory, data):
    sync, os.fsync = os.fsync, lambda descriptor: None  # durability is not what is tested
    try:
        store = write_store(tmp_path_factory.mktemp("s") / "store", data)
    finally:
        os.fsync = sync
    for i, recording in enumerate(data):
        same(recording, store.recording(i))
    expected = ClipArrays.from_recordings(data, store.header.classes)
    for name in ("joints", "track_offsets", "frame_index", "clip_offsets", "num_frames", "labels",
                 "fps"):
        np.testing.assert_array_equal(getattr(store.arrays, name), getattr(expected, name))


def test_arrays_lie_in_the_file(tmp_path):
    store = write_store(tmp_path / "store", walkers())
    arrays = store.arrays
    for array in (arrays.joints, arrays.frame_index, arrays.labels, arrays.clip_offsets,
                  store.joints(3)):
        assert not array.flags.owndata
        assert not array.flags.writeable
    assert np.shares_memory(store.joints(3), arrays.joints)
    assert store.joints(3).shape == (2 * 15, 17, 3)
    assert arrays.image_size.tolist() == [[320, 200]] * 8


def test_header_counts_and_orders_classes(tmp_path):
    clips = [walking(5, labels={"clip_id": str(i), "label": f"class_{i}"}) for i in (10, 9, 2)]
    header = write_store(tmp_path / "a", clips).header
    assert header.classes == ("class_2", "class_9", "class_10")
    assert header.counts == {"clips": 3, "tracks": 3, "frames": 15, "annotations": 0}
    store = write_store(tmp_path / "b", clips, classes=("class_1", "class_9", "class_10"))
    assert store.header.classes == ("class_1", "class_9", "class_10", "class_2")
    assert store.arrays.labels.tolist() == [2, 1, 3]


def test_columns_say_what_splits_need(tmp_path):
    columns = write_store(tmp_path / "store", walkers(4)).columns()
    assert columns["clip_id"].tolist() == ["clip0", "clip1", "clip2", "clip3"]
    assert columns["label"].tolist() == [0, 1, 0, 1]
    assert columns["subject"].tolist() == [0, 1, 2, 3]
    assert columns["camera"].tolist() == [-1] * 4
    assert columns["splits"] == [("train",)] * 3 + [("test",)]


def test_where_clips_begin_in_their_videos(tmp_path):
    clips = [walking(labels={"clip_id": "a", "video_start": 0.0}),
             walking(labels={"clip_id": "b"}),
             walking(labels={"clip_id": "c", "video_start": 2.52})]
    store = write_store(tmp_path / "store", clips)
    np.testing.assert_array_equal(store.video_starts(), [0.0, np.nan, 2.52])
    assert [store.recording(i).labels.get("video_start") for i in range(3)] == [0.0, None, 2.52]


def test_other_programs_can_read_the_tables(tmp_path):
    write_store(tmp_path / "store", walkers(3))
    with pa.memory_map(str(tmp_path / "store" / "clips.arrow")) as file:
        clips = pa.ipc.open_file(file).read_all()
        assert clips.column("label").to_pylist() == ["run", "walk", "run"]
        assert clips.column("camera").to_pylist() == [None] * 3
        assert clips.column("tracks").to_pylist() == [[0], [1, 2], [3]]


def test_a_copy_for_another_process_maps_the_files_itself(tmp_path):
    store = write_store(tmp_path / "store", walkers(40, frames=50))
    sent = pickle.dumps(store)
    assert len(sent) < 1000
    same(pickle.loads(sent).recording(3), store.recording(3))


def test_memory_does_not_grow_with_the_store(tmp_path):
    """Writing and opening 60 MB of joints costs a process less than half of that."""
    code = """
import resource, sys
import numpy as np
from skelact.datasets.store import Store, StoreWriter
from skelact.pose.recording import PoseTrack, Recording
joints = np.ones((25, 3, 1000), np.float32)
def write(folder, clips):
    with StoreWriter(folder) as writer:
        for i in range(clips):
            track = PoseTrack(0, joints, np.arange(1000))
            writer.add(Recording((track,), np.arange(1000) / 30, "ntu25", 3, 30.0))
        writer.finish()
    return Store(folder)
write(sys.argv[1] + "/small", 3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
store = write(sys.argv[1] + "/large", 200)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, store.arrays.joints.nbytes)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, text=True,
                          capture_output=True)
    grown, size = map(int, done.stdout.split())
    assert size == 60_000_000
    assert grown * 1024 < size / 2


def test_nothing_is_left_of_a_store_that_failed(tmp_path):
    def write(then: Callable[[], None]) -> None:
        with StoreWriter(tmp_path / "store") as writer:
            writer.add(walking(4))
            then()

    with pytest.raises(KeyboardInterrupt):
        write(Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(SkelactError, match="call finish"):
        write(lambda: None)
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_replaced_only_if_asked(tmp_path):
    write_store(tmp_path / "store", walkers(2))
    with pytest.raises(OutputExistsError, match="overwrite"):
        StoreWriter(tmp_path / "store")
    with StoreWriter(tmp_path / "store", overwrite=True) as writer:
        writer.add(walking(4))
        assert len(Store(tmp_path / "store")) == 2  # the old one, until the new one is whole
        writer.finish()
    assert len(Store(tmp_path / "store")) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputExistsError, match="other things"):
        StoreWriter(tmp_path / "mine", overwrite=True)


@pytest.mark.parametrize(("labels", "message"), [
    ({"colour": "red"}, "no place for the labels colour"),
    ({"label": 5}, "as text; got 5"),
    ({"subject": "Anna"}, "b: expected subject as .*whole numbers .* got 'Anna'"),
    ({"annotations": [{"label": "a", "start": 0.0}]}, "start and end"),
    ({"annotations": [{"label": "a", "start": 0.0, "end": 1.0, "box": (1, 2)}]}, "4 numbers"),
    ({"annotations": [{"start": 0.0, "end": 1.0}]}, "label, start and end"),
    ({"annotations": [{"label": "a", "start": 0.0, "end": 1.0, "who": 3}]}, "labels who"),
])
def test_labels_of_another_kind_are_refused_and_the_rest_goes_on(tmp_path, labels, message):
    with StoreWriter(tmp_path / "store") as writer:
        writer.add(walking(4, labels={"clip_id": "a", "label": "x"}))
        with pytest.raises(SkelactError, match=message):
            writer.add(walking(5, labels={"clip_id": "b", **labels}))
        writer.add(walking(6, labels={"clip_id": "c", "label": "y"}))
        writer.finish()
    store = Store(tmp_path / "store")
    assert [store.recording(i).num_frames for i in range(len(store))] == [4, 6]


def test_clips_that_do_not_fit_are_refused(tmp_path):
    with StoreWriter(tmp_path / "store") as writer:
        writer.add(walking(4, labels={"clip_id": "a"}))
        with pytest.raises(SkelactError, match="a stands twice"):
            writer.add(walking(4, labels={"clip_id": "a"}))
        with pytest.raises(SkelactError, match=r"'stick3', the clips before .*'coco17'"):
            writer.add(Recording((), np.arange(3) / 30, STICK))
        writer.finish()


def test_no_store_is_said_to_be_none(tmp_path):
    with pytest.raises(FileFormatError, match="skelact data prepare"):
        Store(tmp_path)
    store = write_store(tmp_path / "store", walkers(2))
    with pytest.raises(IndexError, match=r"0\.\.1, got 2"):
        store.recording(2)
    (tmp_path / "store" / "tracks.arrow").unlink()
    with pytest.raises(FileFormatError, match=r"tracks\.arrow is missing"):
        Store(tmp_path / "store")


def test_damage_raises_one_kind_of_error(tmp_path):
    """A slice of what was run at length: no flipped or lost byte gives any other error."""
    write_store(tmp_path / "store", walkers(5))
    files = sorted((tmp_path / "store").iterdir())
    random, refused = np.random.default_rng(0), 0
    for _ in range(400):
        file = files[random.integers(len(files))]
        content = file.read_bytes()
        damaged = bytearray(content)
        damaged[random.integers(len(damaged))] = random.integers(256)
        file.unlink()  # a new file: an old map of this one stays as it was
        file.write_bytes(damaged[: random.integers(len(damaged))] if random.random() < 0.2
                         else damaged)
        try:
            store = Store(tmp_path / "store")
            for i in range(len(store)):
                store.recording(i)
            store.columns()
        except FileFormatError:
            refused += 1
        file.unlink()
        file.write_bytes(content)
    assert refused > 100


@pytest.mark.parametrize(("file", "message"), [
    ("dataset.json", r"dataset\.json was changed after it was written"),
    ("clips.arrow", r"clips\.arrow is damaged: expected \d+ bytes, got \d+"),
    ("dropped.csv", r"dropped\.csv is damaged: expected 14 bytes, got 28"),
])
def test_opening_notices_files_of_another_size_and_a_changed_header(tmp_path, file, message):
    report = tmp_path / "dropped.csv"
    report.write_text("source,reason\n")
    folder = write_store(tmp_path / "store", walkers(4), reports=[report]).folder
    content = (folder / file).read_bytes()
    changed = content.replace(b'"walk"', b'"wait"') if file.endswith("json") else content * 2
    assert changed != content
    (folder / file).write_bytes(changed)
    for use in (Store, load_dataset, describe):
        with pytest.raises(FileFormatError, match=message):
            use(folder)

"""What there is to look at in a store."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import walking
from stores import walkers, write_store

from skelact.datasets.samples import (
    Sample,
    list_samples,
    name_parts,
    open_sample,
    spread_samples,
)
from skelact.pose.recording import Recording


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    parts = [{"label": "wave", "start": 1.0, "end": 2.0, "track_id": 2},
             {"label": "bow", "start": 3.0, "end": 3.0}, {"label": "bow", "start": 90, "end": 91},
             {"label": "bow", "start": 1.0, "end": 2.0, "box": (0, 0, 9, 9)}]
    clips = [walking(100, people=2, labels={"clip_id": "a", "annotations": parts}),
             walking(9, labels={"clip_id": "b", "label": "wave"}),
             walking(9, step=3, labels={"clip_id": "c"})]
    empty = Recording((), [], "coco17", image_size=(640, 480), labels={
        "clip_id": "d", "annotations": parts[:1]})
    return write_store(tmp_path_factory.mktemp("store") / "mixed", [*clips, empty])


def test_parts_stand_for_clips_without_a_label(store):
    bow, wave = range(2)
    assert list_samples(store, np.arange(4)) == [
        Sample(0, 0, wave), Sample(0, 1, bow), Sample(0, 2, bow), Sample(0, 3, bow),
        Sample(1, None, wave), Sample(2, None, -1), Sample(3, 0, wave)]


def test_a_part_is_shown_with_what_lies_around_it(store):
    part = open_sample(store, Sample(0, 0, 1), context=0.4)
    assert (part.offset, part.first, part.last, part.recording.num_frames) == (15, 25, 49, 45)
    assert [track.track_id for track in part.recording] == [2]
    np.testing.assert_array_equal(part.recording.tracks[0].joints,
                                  store.recording(0).tracks[1].joints[..., 15:60])
    np.testing.assert_array_equal(part.recording.timestamps, np.arange(45) / 25)


def test_an_instant_and_a_part_behind_the_end_are_one_frame(store):
    instant, late = (open_sample(store, Sample(0, part, 0)) for part in (1, 2))
    assert (instant.first, instant.last, instant.recording.num_frames) == (75, 75, 1)
    assert (late.first, late.last, late.recording.num_frames) == (99, 99, 1)


def test_a_box_that_no_track_fills_shows_nobody(store):
    assert len(open_sample(store, Sample(0, 0, 1)).recording.tracks) == 1
    assert len(open_sample(store, Sample(0, 1, 0)).recording.tracks) == 2
    assert not open_sample(store, Sample(0, 3, 0)).recording.tracks


def test_a_part_of_a_clip_without_frames(store):
    assert open_sample(store, Sample(3, 0, 1), context=1.0).recording.num_frames == 0


def test_a_whole_clip_is_itself(store):
    whole = open_sample(store, Sample(1, None, 1), context=5.0)
    assert (whole.offset, whole.first, whole.last) == (0, 0, 8)


@given(st.lists(st.integers(-1, 4), max_size=60), st.sets(st.integers(0, 59)),
       st.none() | st.integers(1, 5))
def test_rounds_show_every_class(labels, first, count):
    samples = [Sample(row, None, label) for row, label in enumerate(labels)]
    chosen = spread_samples(samples, first, count)
    assert len(set(chosen)) == len(chosen)
    for label in set(labels):
        of_class = [s for s in chosen if s.label == label]
        all_ = labels.count(label)
        assert len(of_class) == (all_ if count is None else min(count, all_))
        late = [sample.row not in first for sample in of_class]
        assert late == sorted(late)
    ranks = {}
    rounds = [ranks.setdefault(s.label, []).append(s) or len(ranks[s.label]) for s in chosen]
    assert rounds == sorted(rounds)


def test_few_of_many_are_spread_evenly():
    samples = [Sample(row, None, 0) for row in range(1000)]
    for count in (5, 8, 40):
        rows = np.sort([sample.row for sample in spread_samples(samples, count=count)])
        assert np.diff(rows).max() < 3 * 1000 / count


def test_parts_by_the_first_protocol(tmp_path):
    store = write_store(tmp_path / "walkers", walkers(8))
    parts = name_parts(store, store.columns())
    assert [i for i, part in enumerate(parts) if part == "test"] == [3, 7]
    assert set(parts) == {"train", "val", "test"}

"""A clip that a store cannot hold is refused as a whole; those around it stay good."""

from dataclasses import replace

import numpy as np
import pytest
from recordings import walking

from skelact.datasets.clip_checks import check_clip
from skelact.datasets.prepare import write_store
from skelact.datasets.store import Store, StoreWriter
from skelact.errors import SkelactError
from skelact.pose.recording import PoseTrack

PART = {"label": "a", "start": 0.0, "end": 1.0}
REFUSED = {
    "large subject": {"labels": {"subject": 10**30}},
    "negative subject": {"labels": {"subject": -5}},
    "the number that stands for none": {"labels": {"camera": -1}},
    "large track id": {"labels": {"annotations": [PART | {"track_id": 10**30}]}},
    "box of letters": {"labels": {"annotations": [PART | {"box": ("a",) * 4}]}},
    "box of one": {"labels": {"annotations": [PART, PART | {"box": 3}]}},
    "time in words": {"labels": {"annotations": [PART | {"start": "now"}]}},
    "endless time": {"labels": {"annotations": [PART | {"end": 10**400}]}},
    "annotation of another kind": {"labels": {"annotations": ["a"]}},
    "no list of annotations": {"labels": {"annotations": 3}},
    "half a character": {"labels": {"label": "a\ud800"}},
    "half a character in a list": {"labels": {"splits": ["train", "\ud800"]}},
    "one word for lists": {"labels": {"splits": "train"}},
    "source that is no text": {"source": 5},
    "source with half a character": {"source": "\udcff.mp4"},
    "estimator with half a character": {"estimator": "\ud800"},
    "large picture": {"image_size": (10**30, 10)},
    "large track": {"tracks": (PoseTrack(10**30, np.zeros((17, 3, 0)), np.arange(0)),)},
}


@pytest.mark.parametrize("fields", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("first", [True, False])
def test_a_refused_clip_leaves_no_trace(tmp_path, fields, first):
    fields = {**fields, "labels": {"clip_id": "bad", **fields.get("labels", {})}}
    bad = replace(walking(5), **fields)
    with StoreWriter(tmp_path / "store") as writer:
        if not first:
            writer.add(walking(4, labels={"clip_id": "a", "label": "x"}))
        with pytest.raises(SkelactError, match=r"clip bad: expected .*; got "):
            writer.add(bad)
        writer.add(walking(6, labels={"clip_id": "b", "label": "y", "annotations": [PART]}))
        writer.add(walking(7, labels={"clip_id": "bad", "subject": 2**63 - 1}))
        writer.finish()
    store = Store(tmp_path / "store")
    clips = [store.recording(i) for i in range(len(store))]
    assert [clip.num_frames for clip in clips] == [6, 7] if first else [4, 6, 7]
    assert clips[-1].labels == {"clip_id": "bad", "subject": 2**63 - 1}
    assert clips[-2].labels["annotations"] == [PART]


def test_refused_clips_are_dropped_and_listed(tmp_path):
    clips = [walking(5, labels={"clip_id": "a", "subject": int("9" * 30)}, source="a.mp4"),
             walking(5, labels={"clip_id": "b"}, source="\udcff.mp4"),
             walking(5, labels={"clip_id": "\ud800"}, source="c.mp4"),
             walking(5, labels={"clip_id": "d", "subject": 9}, source="d.mp4")]
    report = write_store(clips, tmp_path / "store", "mine", [])
    assert (report.header.counts["clips"], report.failed) == (1, 3)
    assert "clip a: expected subject as one of the whole numbers" in str(report)
    assert "\\udcff.mp4" in (tmp_path / "store" / "dropped.csv").read_text(encoding="utf-8")
    str(report).encode("utf-8")


def test_numbers_of_every_kind_are_taken():
    box = np.array([1, 2, 3, 4], np.float32)
    check_clip(walking(4, labels={"subject": np.int64(3), "splits": ("train",), "label": None,
                                  "annotations": ({"label": "a", "start": 0, "end": np.float32(2),
                                                   "box": box, "track_id": np.int32(1)},)}), "a")

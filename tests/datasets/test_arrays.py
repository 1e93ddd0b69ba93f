"""Clips as flat arrays: what the recordings hold, nothing more."""

from dataclasses import replace

import numpy as np
import pytest

from skelact.datasets.arrays import ClipArrays, join_arrays, remap_arrays
from skelact.errors import LayoutError, ShapeError, SkelactError
from skelact.graph.layouts import Layout
from skelact.transforms.remap import remap
from tests.recordings import capture, walking


def test_recordings_one_after_another():
    recordings = [walking(5, people=2, first=1, labels={"label": "walk"}),
                  walking(4, people=0), walking(3, labels={"label": "run"})]
    arrays = ClipArrays.from_recordings(recordings)
    assert (len(arrays), arrays.num_tracks, arrays.dims) == (3, 3, 2)
    assert repr(arrays) == "ClipArrays('coco17', 3 clips, 3 tracks, 11 frames, 2-D)"
    assert arrays.track_offsets.tolist() == [0, 4, 8, 11]
    assert arrays.clip_offsets.tolist() == [0, 2, 2, 3]
    assert arrays.num_frames.tolist() == [5, 4, 3]
    assert arrays.labels.tolist() == [1, -1, 0]
    assert arrays.frame_index.tolist() == [1, 2, 3, 4, 1, 2, 3, 4, 0, 1, 2]
    assert arrays.image_size.tolist() == [[320, 200]] * 3
    second = recordings[0].tracks[1]
    np.testing.assert_array_equal(arrays.joints[4:8].transpose(1, 2, 0), second.joints)


def test_classes_decide_the_numbers():
    recordings = [walking(2, labels={"label": name}) for name in "cab"]
    assert ClipArrays.from_recordings(recordings).labels.tolist() == [2, 0, 1]
    assert ClipArrays.from_recordings(recordings, ["b", "c"]).labels.tolist() == [1, -1, 0]


def test_nobody_at_all():
    arrays = ClipArrays.from_recordings([walking(4, people=0)])
    assert arrays.joints.shape == (0, 17, 3)
    assert arrays.frame_index.dtype == np.int64


def test_what_does_not_fit_is_refused():
    with pytest.raises(SkelactError, match="none"):
        ClipArrays.from_recordings([])
    with pytest.raises(SkelactError, match="remap"):
        ClipArrays.from_recordings([walking(3), capture(3)])
    good = vars(ClipArrays.from_recordings([walking(3), walking(4)]))
    for name, value in {"frame_index": np.arange(3), "labels": np.arange(3), "fps": np.ones(1),
                        "clip_offsets": np.array([0, 1, 3]), "track_offsets": np.array([1, 3, 7]),
                        "joints": np.zeros((7, 25, 3)), "image_size": np.ones(2)}.items():
        with pytest.raises(ShapeError, match=name):
            ClipArrays(**{**good, name: value})
    with pytest.raises(LayoutError):
        ClipArrays(**{**good, "layout": "nothing"})


def test_another_skeleton():
    recordings = [walking(5, people=2), walking(4, people=0), walking(3)]
    arrays = ClipArrays.from_recordings(recordings)
    assert remap_arrays(arrays, "coco17") is arrays
    found = remap_arrays(arrays, "penn13")
    expected = ClipArrays.from_recordings([remap(r, "penn13") for r in recordings])
    assert found.layout == expected.layout
    np.testing.assert_array_equal(found.joints, expected.joints)
    for name in ("track_offsets", "clip_offsets", "frame_index", "num_frames", "labels",
                 "image_size"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert arrays.joints.shape[1] == 17
    with pytest.raises(LayoutError):
        remap_arrays(arrays, "hand21")


def test_one_after_another_is_all_at_once():
    recordings = [walking(5, people=2, first=1, labels={"label": "walk"}), walking(4, people=0),
                  walking(3, labels={"label": "run"}), walking(6, people=3)]
    classes = ["run", "walk"]
    parts = [ClipArrays.from_recordings(recordings[span], classes)
             for span in (slice(2), slice(2, 3), slice(3, 4))]
    joined, whole = join_arrays(parts), ClipArrays.from_recordings(recordings, classes)
    for name, value in vars(whole).items():
        np.testing.assert_array_equal(getattr(joined, name), value)
    assert join_arrays([replace(parts[0], image_size=None), parts[1]]).image_size is None


def test_what_cannot_be_joined_is_refused():
    flat, deep = (ClipArrays.from_recordings([r]) for r in (walking(3), capture(3)))
    with pytest.raises(SkelactError, match=r"one layout and dimension .*coco17"):
        join_arrays([flat, deep])
    with pytest.raises(SkelactError, match="none"):
        join_arrays([])


def test_a_layout_of_the_same_joints_copies_nothing():
    arrays = ClipArrays.from_recordings([walking(5)])
    stored = arrays.layout
    own = Layout(stored.name, stored.joints, stored.parents, stored.flip_pairs,
                 source_names=tuple(name.upper() for name in stored.joints))
    remapped = remap_arrays(arrays, own)
    assert remapped.layout == own != stored
    assert remapped.joints is arrays.joints

"""Clips as flat arrays: what the recordings hold, nothing more."""

import numpy as np
import pytest

from skelact.datasets.arrays import ClipArrays
from skelact.errors import LayoutError, ShapeError, SkelactError
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

"""What `skelact data info` says."""

import numpy as np
import pytest
from PIL import Image
from recordings import walking
from stores import captures, walkers, write_store

from skelact.datasets.info import class_counts, describe, draw_overview, missing_rates, split_sizes
from skelact.errors import OutputExistsError, SkelactError
from skelact.pose.recording import PoseTrack, Recording


def test_the_page_says_what_is_in_the_store(tmp_path):
    text = describe(write_store(tmp_path / "store", walkers(), name="mine", format="pyskl").folder)
    for line in ("name  mine", "made from  pyskl", "clips  8 with 12 tracks of 188 frames",
                 "people a clip  1 to 2, mean 1.50", "subjects  8: 0, 1, 2, 3, 4, 5, 6, 7",
                 "frames  12 to 19, median 15", "fps  25", "layout  coco17, 17 joints, 2-D",
                 "missing joints  none", "classes  2", "0  run  4", "1  walk  4",
                 "official list  test: 2", "split  official: train 5, val 1, test 2"):
        assert line in text, line
    assert "assumed" not in text


def test_assumed_rates_and_missing_joints_are_said(tmp_path):
    joints = walking(10).tracks[0].joints.copy()
    joints[3, :, :4] = np.nan
    joints[5, :, :1] = np.nan
    clip = Recording((PoseTrack(0, joints, np.arange(10)),), np.arange(10) / 30, "coco17",
                     labels={"clip_id": "a", "fps_assumed": True, "annotations": [
                         {"label": "x", "start": 0, "end": 0.1}]})
    store = write_store(tmp_path / "store", [clip])
    rates = missing_rates(store)
    assert rates[[3, 5, 0]].tolist() == [0.4, 0.1, 0.0]
    assert class_counts(store).tolist() == [1]  # of the annotation: the clip has no label
    text = describe(store.folder)
    assert "fps  30 (assumed, the source states none)" in text
    assert "left_ear 40.00%, left_shoulder 10.00%" in text
    assert "annotations  1 labelled parts of 1 clips" in text


def test_protocols_that_the_clips_do_not_serve_are_left_out(tmp_path):
    store = write_store(tmp_path / "store", captures(4), name="nw_ucla")  # no cameras
    assert "xview" not in dict(split_sizes(store, store.columns()))


@pytest.mark.parametrize("clips", [
    walkers(), captures(), [Recording((), np.arange(3) / 30, "ntu25", 3)], captures(2, subject=4)])
def test_the_overview_is_a_picture(tmp_path, clips):
    folder = write_store(tmp_path / "store", clips).folder
    path = draw_overview(folder, tmp_path / "a.png")
    with Image.open(path) as image:
        assert image.size == (1500, 900)
        assert len(np.unique(np.asarray(image)[..., 0])) > 10
    with pytest.raises(OutputExistsError):
        draw_overview(folder, path)
    with pytest.raises(SkelactError, match=r"\.png"):
        draw_overview(folder, tmp_path / "a.jpg")

"""Clips of other actions: what is known keeps its name, the last subject sets the threshold."""

import numpy as np
import pytest
from actions import write_actions, write_others

from skelact.datasets.background import LOOKALIKES, SAME_ACTION, read_background
from skelact.datasets.store import Store
from skelact.errors import FileFormatError, SkelactError
from skelact.graph import get_layout
from skelact.transforms.remap import remap

PENN = get_layout("penn13")
CLASSES = ("bowl", "jump", "squat")
NONE = len(CLASSES)


def test_known_actions_keep_their_number_and_all_others_are_none(tmp_path):
    folder = write_others(tmp_path / "a", ("bowling", "jump", "wave"))
    background = read_background([folder], PENN, CLASSES)
    assert SAME_ACTION["bowling"] == "bowl"
    assert background.arrays.labels.tolist() == [0, 0, 0, 1, 1, 1, NONE, NONE, NONE]
    assert background.train.tolist() == [0, 1, 3, 4, 6, 7]
    assert background.held_out.tolist() == [8]  # the last subject, and no known action


def test_what_nearly_is_a_known_action_is_left_out(tmp_path):
    assert LOOKALIKES["lunge"] == "squat"
    folder = write_others(tmp_path / "a", ("lunge", "wave"))
    background = read_background([folder], PENN, CLASSES)
    assert background.train.tolist() == [3, 4]
    assert background.held_out.tolist() == [5]
    without_squats = read_background([folder], PENN, ("bowl", "jump"))
    assert without_squats.train.tolist() == [0, 1, 3, 4]
    known = read_background([folder], PENN, ("lunge", "squat"))
    assert known.arrays.labels.tolist() == [0, 0, 0, 2, 2, 2]
    assert known.train.tolist() == [0, 1, 3, 4]


def test_a_name_of_the_run_counts_before_one_of_penn_action(tmp_path):
    folder = write_others(tmp_path / "a", ("bowling", "wave"))
    background = read_background([folder], PENN, ("bowl", "bowling"))
    assert background.arrays.labels.tolist() == [1, 1, 1, 2, 2, 2]


def test_several_stores_follow_one_another_in_the_skeleton_of_the_network(tmp_path):
    folders = [write_others(tmp_path / "a", ("wave",), (1, 2)),
               write_others(tmp_path / "b", ("bow", "squat"), (7, 9), layout="coco17")]
    background = read_background(folders, PENN, CLASSES)
    arrays = background.arrays
    assert arrays.layout == PENN
    assert arrays.labels.tolist() == [NONE, NONE, NONE, NONE, 2, 2]
    assert background.train.tolist() == [0, 2, 4]
    assert background.held_out.tolist() == [1, 3]  # 2 of the one, 9 of the other
    last = remap(Store(folders[1]).recording(3), PENN).tracks[0].joints
    np.testing.assert_array_equal(arrays.joints[-16:].transpose(1, 2, 0), last)


def test_clips_without_a_label_are_left_out(tmp_path):
    folder = write_others(tmp_path / "a", ("wave", None))
    background = read_background([folder], PENN, CLASSES)
    assert background.train.tolist() == [0, 1]
    assert background.held_out.tolist() == [2]


def test_what_cannot_be_a_background_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="absent"):
        read_background([str(tmp_path / "absent")], PENN, CLASSES)
    lonely = write_others(tmp_path / "lonely", subjects=(1,))
    with pytest.raises(SkelactError, match=r"at least two subjects.*lonely has 1"):
        read_background([lonely], PENN, CLASSES)
    unknown = write_actions(tmp_path / "unknown", clips=4, subjects=0)
    with pytest.raises(SkelactError, match=r"at least two subjects.*unknown has 0"):
        read_background([str(unknown.folder)], PENN, CLASSES)
    for labels in (("bowling", "jump"), ("lunge",)):  # all known; nothing to learn from
        same = write_others(tmp_path / labels[0], labels)
        with pytest.raises(SkelactError, match=rf"clips of other actions.*{labels[0]}"):
            read_background([same], PENN, CLASSES)
    flat, deep = write_others(tmp_path / "flat"), write_others(tmp_path / "deep", dims=3)
    with pytest.raises(SkelactError, match="one layout and dimension"):
        read_background([flat, deep], PENN, CLASSES)

"""NTU RGB+D as a data set: which files, which facts, what is refused."""

import pickle

import numpy as np
import pytest
from captures import capture, person

from skelact.datasets.ntu import read_missing_list
from skelact.datasets.readers.ntu import CLASSES, find_ntu, read_capture, read_ntu
from skelact.datasets.readers.ntu_classes import PKU_MMD_CLASSES
from skelact.datasets.writers.skeleton_file import write_skeleton_file
from skelact.errors import ChoiceError, FileFormatError

NAMES = ["S001C001P001R001A001", "S001C001P001R002A001", "S018C002P045R001A120"]


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        body = {7: (np.arange(15), person(15))}
        write_skeleton_file(capture(15, body, name), tmp_path / "deep" / f"{name}.skeleton")
    (tmp_path / "walk.skeleton").write_text("0\n")
    (tmp_path / "notes.txt").write_text("nothing")
    return tmp_path


def test_the_classes_are_named_once_and_in_the_official_order():
    assert len(CLASSES) == len(set(CLASSES)) == 120
    assert len(PKU_MMD_CLASSES) == len(set(PKU_MMD_CLASSES)) == 51
    assert [CLASSES[i - 1] for i in (1, 27, 43, 60, 61, 120)] == [
        "drink_water", "jump_up", "fall", "walk_apart_from_each_other", "put_on_headphone",
        "play_rock_paper_scissors"]
    assert [PKU_MMD_CLASSES[i - 1] for i in (1, 12, 51)] == [
        "bow", "give_something_to_other_person", "write"]
    for name in CLASSES + PKU_MMD_CLASSES:
        assert name == name.lower()
        assert name.replace("_", "").isalnum()
    only_pku = set(PKU_MMD_CLASSES) - set(CLASSES)
    assert only_pku == {"bow", "put_something_into_pocket", "take_something_out_of_pocket"}


def test_files_are_found_by_name_at_any_depth(folder):
    assert [file.stem for file in find_ntu(folder)] == NAMES
    one = folder / "deep" / f"{NAMES[0]}.skeleton"
    assert find_ntu(one) == [one]
    assert find_ntu(folder / "notes.txt") == find_ntu(folder / "absent") == []


def test_recordings_say_what_the_data_set_says(folder):
    recordings = list(read_ntu(folder))
    assert [recording.labels["clip_id"] for recording in recordings] == NAMES
    last = recordings[-1]
    assert last.labels == {"clip_id": NAMES[2], "label": "play_rock_paper_scissors", "setup": 18,
                           "camera": 2, "subject": 45, "repetition": 1}
    assert (last.layout.name, last.dims, last.fps, last.num_frames) == ("ntu25", 3, 30.0, 15)
    assert last.timestamps[-1] == pytest.approx(14 / 30)
    assert last.tracks[0].track_id == 7
    np.testing.assert_array_equal(last.tracks[0].joints, person(15).transpose(1, 2, 0))


def test_a_bad_file_is_told_and_the_rest_is_read(folder):
    (folder / "deep" / f"{NAMES[1]}.skeleton").write_text("2\n0\n0\n")
    (folder / "deep" / f"{NAMES[2]}.skeleton").write_text("2\n1\n")
    refused = []
    assert [r.labels["clip_id"] for r in read_ntu(folder, refused.append)] == NAMES[:1]
    assert "no body in any of its 2 frames" in str(refused[0])
    assert f"{NAMES[2]}.skeleton, line 3" in str(refused[1])
    with pytest.raises(FileFormatError, match="no body in any"):
        list(read_ntu(folder))


def test_named_clips_are_left_out(folder, tmp_path):
    listed = tmp_path / "missing.txt"
    listed.write_text("The following 1 samples have missing skeletons:\n\n" + NAMES[1] + "\n")
    found = list(read_ntu(folder, missing=read_missing_list(listed)))
    assert [recording.labels["clip_id"] for recording in found] == [NAMES[0], NAMES[2]]


def test_no_files_and_no_such_profile(folder):
    with pytest.raises(FileFormatError, match="no NTU RGB"):
        list(read_ntu(folder / "absent"))
    with pytest.raises(ChoiceError, match="skelact, pyskl, ctrgcn, stgcn, agcn; got 'sgn'"):
        list(read_ntu(folder, profile="sgn"))


def test_one_file_can_be_read_in_another_process(folder):
    read = pickle.loads(pickle.dumps(read_capture))
    recording, rows = pickle.loads(pickle.dumps(read(find_ntu(folder)[0])))
    assert recording.labels["clip_id"] == NAMES[0]
    assert [row.decision for row in rows] == ["kept"]

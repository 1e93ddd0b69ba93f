"""Our own pose files, labelled by a table or by folders."""

import numpy as np
import pytest
from recordings import walking

from skelact.datasets.readers.pose_folder import find_pose_folder, read_pose_folder
from skelact.errors import FileFormatError
from skelact.pose.files import save_recording


@pytest.fixture
def folder(tmp_path):
    save_recording(walking(frames=8, people=2), tmp_path / "jog" / "a.npz")
    save_recording(walking(frames=9), tmp_path / "sit down" / "b.npz")
    np.savez(tmp_path / "x_train.npz", x_train=np.zeros(3))
    (tmp_path / "broken.npz").write_bytes(b"PK")
    return tmp_path


def test_class_folders(folder):
    a, b = read_pose_folder(folder)
    assert a.labels == {"clip_id": "jog/a", "label": "jog"}
    assert b.labels == {"clip_id": "sit down/b", "label": "sit_down"}
    assert (a.num_frames, len(a.tracks)) == (8, 2)
    np.testing.assert_array_equal(a.joints(), walking(frames=8, people=2).joints())
    assert [file.name for file in find_pose_folder(folder)] == ["a.npz", "b.npz"]


def test_a_table_says_more_and_its_mistakes_are_reported(folder):
    (folder / "labels.csv").write_text("file,label,subject,camera,setup,split\n"
                                       "jog/a.npz,run,3,1,2,train\nnothing.npz,run,1,1,1,test\n")
    refused = []
    (a,) = read_pose_folder(folder, refused.append)
    assert a.labels == {"clip_id": "jog/a", "label": "run", "subject": 3, "camera": 1, "setup": 2,
                        "splits": ["train"]}
    unlisted, absent = map(str, refused)
    assert "b.npz" in unlisted
    assert "does not list it" in unlisted
    assert "lists nothing.npz, which is no pose file" in absent


def test_a_damaged_pose_file_is_refused_and_the_others_read(folder):
    file = folder / "jog" / "a.npz"
    content = bytearray(file.read_bytes())
    content[200:260] = bytes(60)
    file.write_bytes(content)
    refused = []
    (b,) = read_pose_folder(folder, refused.append)
    assert b.labels["label"] == "sit_down"
    assert str(file) in str(refused[0])


def test_no_pose_files(tmp_path):
    with pytest.raises(FileFormatError, match="no pose files"):
        list(read_pose_folder(tmp_path))

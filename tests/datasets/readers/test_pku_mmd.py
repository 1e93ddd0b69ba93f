"""PKU-MMD: untrimmed recordings with labels of parts."""

import numpy as np
import pytest

from skelact.datasets.readers.pku_mmd import find_pku_mmd, read_pku_mmd
from skelact.errors import FileFormatError

FRAMES = 40


def write_rows(path, rows: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(" ".join(f"{x:.6f}" for x in row) + "\n" for row in rows))


@pytest.fixture
def rows():
    """``[T, 150]``: one person, and another in frames 10 to 19."""
    rows = np.random.default_rng(0).normal(0, 1, (FRAMES, 150)).round(6)
    rows[:10, 75:] = rows[20:, 75:] = 0
    rows[3, 6:9] = 0  # the neck of the first person
    return rows


@pytest.fixture
def folder(tmp_path, rows):
    for name in ("0002-L", "0002-M", "0003-R"):
        write_rows(tmp_path / "Skeleton" / f"{name}.txt", rows)
        (tmp_path / "Label").mkdir(exist_ok=True)
        (tmp_path / "Label" / f"{name}.txt").write_text("8,3,12,2\n51,25,14,1\n\n1,30,99,1\n")
    (tmp_path / "cross-subject.txt").write_text("Training videos:\n0002-L, 0002-M, \n")
    return tmp_path


def test_skeletons_are_found_and_labels_are_not(folder):
    skeletons = folder / "Skeleton"
    names = ["0002-L.txt", "0002-M.txt", "0003-R.txt"]
    assert find_pku_mmd(folder) == find_pku_mmd(skeletons) == [skeletons / name for name in names]
    assert find_pku_mmd(skeletons / names[0]) == [skeletons / names[0]]
    assert find_pku_mmd(folder / "Label") == find_pku_mmd(folder / "absent") == []


@pytest.mark.parametrize("start", [".", "Skeleton", "Skeleton/0002-L.txt"])
def test_a_recording_and_its_labels(folder, rows, start):
    recording = next(iter(read_pku_mmd(folder / start)))
    assert recording.num_frames == FRAMES
    assert (recording.layout.name, recording.dims, recording.fps) == ("ntu25", 3, 30.0)
    first, second = recording.tracks
    np.testing.assert_array_equal(second.frame_index, np.arange(10, 20))
    expected = rows[:, :75].reshape(FRAMES, 25, 3).transpose(1, 2, 0).astype(np.float32)
    seen = ~first.missing
    np.testing.assert_array_equal(first.joints.transpose(0, 2, 1)[seen],
                                  expected.transpose(0, 2, 1)[seen])
    assert np.argwhere(first.missing).tolist() == [[2, 3]]
    assert recording.labels == {"clip_id": "0002-L", "camera": 1, "annotations": [
        {"label": "drink_water", "start": 0.1, "end": 0.4},
        {"label": "write", "start": 14 / 30, "end": 25 / 30},  # its ends were swapped
        {"label": "bow", "start": 1.0, "end": 40 / 30}]}  # it ended after the recording


def test_cameras_are_numbered(folder):
    assert [r.labels["camera"] for r in read_pku_mmd(folder)] == [1, 2, 3]


def test_without_a_label_file_nothing_is_made_up(folder):
    (folder / "Label" / "0002-L.txt").unlink()
    assert "annotations" not in next(iter(read_pku_mmd(folder))).labels


@pytest.mark.parametrize(("place", "text", "message"), [
    ("Label", "52,1,2,1\n", r"0002-L\.txt, line 1: expected action 1 to 51"),
    ("Label", "1,1,2,1\n0,5,6,1\n", r"line 2: expected action 1 to 51"),
    ("Label", "1,40,50,1\n", r"line 1: .* a start before frame 40"),
    ("Label", "bow,1,2\n", r"line 1: expected action,start,end,confidence, got 'bow,1,2'"),
    ("Label", "1,-1,2,1\n", r"line 1: expected action,start,end"),
    ("Skeleton", " ".join(["0.5"] * 150) + "\n0.5 0.5\n", r"0002-L\.txt is not a PKU-MMD skeleton"),
    ("Skeleton", " ".join(["0.5"] * 149) + " x\n", r"is not a PKU-MMD skeleton: could not convert"),
    ("Skeleton", " ".join(["inf"] * 150) + "\n", r"is not a PKU-MMD skeleton: .*infinity"),
    ("Skeleton", " ".join(["1"] * 150) + "\n\xff\n", r"is not a PKU-MMD skeleton"),
])
def test_damage_is_told_and_the_rest_is_read(folder, place, text, message):
    (folder / place / "0002-L.txt").write_text(text)
    refused = []
    found = [r.labels["clip_id"] for r in read_pku_mmd(folder, refused.append)]
    assert found == ["0002-M", "0003-R"]
    assert len(refused) == 1
    with pytest.raises(FileFormatError, match=message):
        list(read_pku_mmd(folder))


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "0002-L.txt").write_text("1 2 3\n")
    with pytest.raises(FileFormatError, match=r"no PKU-MMD skeletons .*150 numbers a line"):
        list(read_pku_mmd(tmp_path))

"""The reader of st-gcn's array pairs."""

import pickle

import numpy as np
import pytest

from skelact.datasets.readers.stgcn_arrays import find_stgcn_arrays, read_stgcn_arrays
from skelact.errors import FileFormatError

NAMES = ["S001C002P003R002A013.skeleton", "S017C003P009R002A060.skeleton"]


def write(folder, data, labels, part: str = "val", protocol: int = 2):
    folder.mkdir(exist_ok=True)
    np.save(folder / f"{part}_data.npy", data)
    (folder / f"{part}_label.pkl").write_bytes(pickle.dumps(labels, protocol))
    return folder / f"{part}_data.npy"


def ntu() -> np.ndarray:
    data = np.random.default_rng(0).normal(0, 1, (2, 3, 30, 25, 2)).astype(np.float32)
    data[:, :, 18:] = 0
    data[..., 1] = 0
    data[1, :, 4:8, :, 1] = 2
    return data


@pytest.mark.parametrize("labels", [(NAMES, [12, 59]), [NAMES, [12, 59]],
                                    (tuple(NAMES), np.array([12, 59]))])
def test_ntu(tmp_path, labels):
    path = write(tmp_path / "xsub", ntu(), labels)
    assert find_stgcn_arrays(tmp_path) == [path]
    first, second = read_stgcn_arrays(tmp_path)
    assert first.labels == {
        "clip_id": "S001C002P003R002A013", "label": "tear_up_paper", "splits": ["xsub_val"],
        "setup": 1, "camera": 2, "subject": 3, "repetition": 2, "fps_assumed": True}
    assert (first.layout.name, first.dims, first.num_frames) == ("ntu25", 3, 18)
    np.testing.assert_array_equal(first.joints()[0], ntu()[0, :, :18, :, 0].transpose(2, 0, 1))
    assert second.tracks[1].frame_index.tolist() == [4, 5, 6, 7]


def test_kinetics_people_change_places_and_are_followed(tmp_path):
    data = np.zeros((1, 3, 300, 18, 2), np.float32)
    frames = np.arange(60)
    body = np.linspace(-0.1, 0.1, 18)
    for m in (0, 1):
        walker = np.where((frames + m) % 2 == 0, 0.2 + frames / 400, 0.8 - frames / 400)
        data[0, 0, :60, :, m] = walker[:, None] + body / 2 - 0.5
        data[0, 1, :60, :, m] = body
        data[0, 2, :60, :, m] = 0.9
    data[0, :, :60, 4, :] = 0  # a joint that OpenPose did not find
    path = write(tmp_path, data, (["---QUuC4vJs.json"], [7]), part="train")
    (recording,) = read_stgcn_arrays(path)
    assert recording.labels["clip_id"] == "---QUuC4vJs"
    assert recording.labels["label"] == "class_007"
    assert recording.labels["splits"] == ["train"]
    assert (recording.layout.name, recording.image_size) == ("openpose18", (340, 256))
    assert len(recording.tracks) == 2
    for track in recording.tracks:
        x = track.joints[0, 0]
        assert abs(x[0] / 340 - (0.2 if x[0] < 170 else 0.8)) < 0.06
        assert np.abs(np.diff(x)).max() < 2
        assert track.missing[4].all()
        assert track.missing.sum() == len(track)
        np.testing.assert_allclose(track.joints[17, 1], (0.1 + 0.5) * 256, rtol=1e-5)


@pytest.mark.parametrize(("data", "labels", "message"), [
    (ntu(), (NAMES, [12]), "as many class numbers"),
    (ntu(), (NAMES, ["a", "b"]), "as many class numbers"),
    (ntu(), {"names": NAMES}, "expected a pair"),
    (ntu()[:1], (NAMES, [12, 59]), r"\[2 clips, 3, T, V, M\]"),
    (ntu()[:, :2], (NAMES, [12, 59]), r"\[2 clips, 3, T, V, M\]"),
    (ntu().astype(complex), (NAMES, [12, 59]), "expected numbers"),
    (np.array([{}] * 2), (NAMES, [12, 59]), "expected numbers"),
    (ntu()[:0], ([], []), r"\[0 clips, 3, T, V, M\]"),
    (ntu() * 0, (NAMES, [12, 59]), "all its joints are zero"),
    (ntu(), (NAMES, [12, 200]), "below 60"),
    (ntu(), ([NAMES[0]] * 2, [12, 12]), "twice"),
])
def test_what_cannot_be_used_is_named(tmp_path, data, labels, message):
    path = write(tmp_path, data, labels)
    with pytest.raises(FileFormatError, match=message) as error:
        list(read_stgcn_arrays(path, classes=[f"c{i}" for i in range(60)]))
    assert str(tmp_path) in str(error.value)


def test_truncated_data_and_hostile_labels(tmp_path):
    path = write(tmp_path, ntu(), (NAMES, [12, 59]))
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(FileFormatError, match="truncated"):
        list(read_stgcn_arrays(path))
    (tmp_path / "val_label.pkl").write_bytes(b"cos\nsystem\n(S'touch canary'\ntR.")
    refused = []
    assert not list(read_stgcn_arrays(path, refused.append))
    assert "os.system" in str(refused[0])


def test_finding(tmp_path):
    with pytest.raises(FileFormatError, match="no st-gcn arrays"):
        next(read_stgcn_arrays(tmp_path))
    np.save(tmp_path / "train_data.npy", ntu())
    assert find_stgcn_arrays(tmp_path) == []  # nothing says what the clips are


def test_clips_that_are_too_large_are_refused(tmp_path):
    path = write(tmp_path, np.zeros((1, 3, 120_000, 25, 2), np.int8), (NAMES[:1], [12]))
    with pytest.raises(FileFormatError, match="at most 16777216 numbers"):
        list(read_stgcn_arrays(path))

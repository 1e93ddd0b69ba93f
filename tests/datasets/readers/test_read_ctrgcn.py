"""The reader of CTR-GCN arrays."""

import tracemalloc
import zipfile

import numpy as np
import pytest

from skelact.datasets.readers.ctrgcn import find_ctrgcn, read_ctrgcn
from skelact.errors import FileFormatError


def arrays(train: int = 3, test: int = 2, frames: int = 30, width: int = 150) -> dict:
    random = np.random.default_rng(0)
    content = {}
    for part, count in (("train", train), ("test", test)):
        x = random.normal(0, 1, (count, frames, width)).astype(np.float32)
        x[:, 20:] = 0  # filled up
        x[0, 10:15] = 0  # nobody in the middle
        x[:, :, width // 2 :] = 0
        x[-1, 5:9, width // 2 :] = 1  # a second person for a while
        content |= {f"x_{part}": x, f"y_{part}": np.eye(60)[np.arange(count) + 2]}
    return content


def write(path, compressed: bool = False, **changes):
    content = arrays() | changes
    (np.savez_compressed if compressed else np.savez)(path, **content)
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_clips_as_they_were(tmp_path, compressed):
    path = write(tmp_path / "NTU60_CS.npz", compressed)
    recordings = list(read_ctrgcn(tmp_path))
    x = arrays()["x_train"]
    assert [r.labels["clip_id"] for r in recordings] == [
        f"NTU60_CS_{name}" for name in ("train_00000", "train_00001", "train_00002",
                                        "test_00000", "test_00001")]
    assert [r.labels["splits"] for r in recordings] == 3 * [["xsub_train"]] + 2 * [["xsub_test"]]
    assert [r.labels["label"] for r in recordings[:3]] == ["brush_teeth", "brush_hair", "drop"]
    assert find_ctrgcn(path) == [path]
    first, last = recordings[0], recordings[2]
    assert (first.layout.name, first.dims, first.num_frames) == ("ntu25", 3, 20)
    assert first.tracks[0].frame_index.tolist() == [*range(10), *range(15, 20)]
    np.testing.assert_array_equal(
        last.joints()[0], x[2, :20, :75].reshape(20, 25, 3).transpose(1, 2, 0))
    assert last.tracks[1].frame_index.tolist() == [5, 6, 7, 8]


def test_names_and_numbers_of_other_sets(tmp_path):
    path = write(tmp_path / "mine.npz", y_train=np.array([4, 5, 6]))
    first, *_ = read_ctrgcn(path)
    assert first.labels["label"] == "class_004"
    assert first.labels["splits"] == ["train"]
    first, *_ = read_ctrgcn(path, classes=list("abcdefgh"))
    assert first.labels["label"] == "e"


def test_memory_does_not_hang_on_the_number_of_clips(tmp_path):
    x = np.zeros((400, 300, 150), np.float32)  # 72 MB
    x[:, 0, 0] = 1
    write(tmp_path / "a.npz", compressed=True, x_train=x, y_train=np.eye(60)[np.zeros(400, int)])
    del x
    tracemalloc.start()
    count = sum(1 for _ in read_ctrgcn(tmp_path / "a.npz"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 402
    assert peak < 25e6


@pytest.mark.parametrize(("changes", "message"), [
    ({"x_train": np.zeros((3, 30, 151), np.float32)}, r"\[3 clips, T, 2 people x V joints x 3\]"),
    ({"x_train": np.zeros((2, 30, 150), np.float32)}, "expected x_train"),
    ({"x_train": np.asfortranarray(arrays()["x_train"])}, "columns first"),
    ({"x_train": np.array([{}], object)}, "expected numbers"),
    ({"y_train": np.ones((3, 60))}, "one-hot"),
    ({"y_train": np.zeros((3, 60))}, "one-hot"),
])
def test_a_part_that_is_damaged_is_refused_and_the_other_is_read(tmp_path, changes, message):
    path = write(tmp_path / "a.npz", **changes)
    refused = []
    assert len(list(read_ctrgcn(path, refused.append))) == 2
    assert str(path) in str(refused[0])
    with pytest.raises(FileFormatError, match=message):
        list(read_ctrgcn(path))


def test_an_empty_clip_is_refused(tmp_path):
    x = arrays()["x_train"]
    x[1] = 0
    x[2, 0, 0] = np.inf
    refused = []
    recordings = list(read_ctrgcn(write(tmp_path / "a.npz", x_train=x), refused.append))
    assert len(recordings) == 3
    assert "clip 1 of x_train: all its joints are zero" in str(refused[0])
    assert "infinity" in str(refused[1])


def test_damage_to_the_archive(tmp_path):
    path = write(tmp_path / "a.npz", compressed=True)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 255
    path.write_bytes(content)
    refused = []
    recordings = list(read_ctrgcn(path, refused.append))
    assert refused
    assert len(recordings) < 5
    path.write_bytes(content[:1000])
    assert find_ctrgcn(path) == []
    with pytest.raises(FileFormatError, match="no CTR-GCN arrays"):
        next(read_ctrgcn(path))


def test_a_thousand_damaged_archives(tmp_path):
    random = np.random.default_rng(0)
    path = write(tmp_path / "a.npz", **arrays(2, 1, 4))
    content = path.read_bytes()
    outcomes = {"read": 0, "refused": 0}
    for _ in range(1000):
        damaged = bytearray(content)
        for place in random.integers(len(content), size=random.integers(1, 4)):
            damaged[place] ^= 1 << random.integers(8)
        path.write_bytes(damaged[: random.integers(len(content))] if random.random() < 0.1
                         else damaged)
        try:
            outcomes["read"] += bool(list(read_ctrgcn(path)))
        except FileFormatError:
            outcomes["refused"] += 1
    assert sum(outcomes.values()) == 1000
    assert outcomes["refused"] > 700  # the archive has checksums


def test_a_header_that_lies(tmp_path):
    path = tmp_path / "a.npz"
    write(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["x_train.npy"] = parts["x_train.npy"].replace(b"(3, 30, 150)", b"(9, 30, 150)")
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    with pytest.raises(FileFormatError, match="another number"):
        list(read_ctrgcn(path))


@pytest.mark.parametrize(("changes", "message"), [
    ({"x_train": np.zeros((1, 150_000, 150), np.int8), "y_train": np.zeros(1, int)},
     "at most 16777216 numbers"),
    ({"y_train": np.zeros((2**20 + 1, 1), np.int8)}, "at most 1048576 clips"),
    ({"y_train": np.zeros((3, 2**26), np.int8)}, "134217728 bytes"),
])
def test_what_unpacks_to_too_much_is_refused(tmp_path, changes, message):
    path = write(tmp_path / "a.npz", compressed=True, **changes)
    tracemalloc.start()
    with pytest.raises(FileFormatError, match=message):
        list(read_ctrgcn(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 25e6

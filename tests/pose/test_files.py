"""The pose file: what goes in comes out, and no damaged file ever passes or crashes."""

import io
import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.errors import FileFormatError, OutputExistsError, SkelactError
from skelact.graph.layouts import Layout, get_layout
from skelact.pose import files
from skelact.pose.files import is_pose_file, load_recording, read_options, save_recording
from skelact.pose.recording import PoseTrack, Recording


@st.composite
def recordings(draw) -> Recording:
    layout = get_layout(draw(st.sampled_from(["coco17", "ntu25", "hand21"])))
    total = draw(st.integers(0, 12))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    boxes, confidence = draw(st.booleans()), draw(st.booleans())
    dims = draw(st.sampled_from([2, 3]))
    tracks = []
    for track_id in draw(st.lists(st.integers(0, 10**6), max_size=4, unique=True)):
        frames = np.flatnonzero(random.random(total) < draw(st.floats(0, 1)))
        joints = random.normal(size=(layout.num_joints, 3, len(frames)))
        missing = random.random((layout.num_joints, 1, len(frames))) < 0.2
        joints = np.where(missing, np.nan, joints)
        tracks.append(
            PoseTrack(
                track_id, joints, frames,
                random.random((4, len(frames))) if boxes else None,
                random.random((layout.num_joints, len(frames))) if confidence else None,
            )
        )
    return Recording(
        tracks=tuple(tracks),
        timestamps=np.cumsum(random.random(total) + 0.001),
        layout=layout,
        dims=dims,
        image_size=(random.integers(1, 4000), random.integers(1, 4000)) if dims == 2 else None,
        source=draw(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)),
        estimator="drawn",
    )


def assert_same(actual: Recording, expected: Recording) -> None:
    for name in ("layout", "dims", "fps", "image_size", "source", "estimator"):
        assert getattr(actual, name) == getattr(expected, name), name
    np.testing.assert_array_equal(actual.timestamps, expected.timestamps)
    assert len(actual.tracks) == len(expected.tracks)
    for a, b in zip(actual, expected, strict=True):
        assert a.track_id == b.track_id
        for name in ("joints", "frame_index", "boxes", "confidence"):
            left, right = getattr(a, name), getattr(b, name)
            if right is None or not right.size:
                assert left is None or not left.size
            else:
                np.testing.assert_array_equal(left, right)


def two_people() -> Recording:
    random = np.random.default_rng(0)
    tracks = [
        PoseTrack(5, random.random((17, 3, 4)), [0, 1, 3, 4], random.random((4, 4))),
        PoseTrack(2, random.random((17, 3, 2)), [1, 2]),
    ]
    return Recording(tuple(tracks), np.arange(5) / 30, "coco17", image_size=(640, 360), source="v")


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("pose") / "sound.npz"
    save_recording(two_people(), path)
    return path.read_bytes()


def rewrite(content: bytes, path, **changes) -> None:
    """A pose file with some arrays replaced, or left out where None."""
    with np.load(io.BytesIO(content)) as file:
        arrays = {**file, **changes}
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})


@settings(max_examples=60, deadline=None)
@given(recording=recordings())
def test_what_is_saved_is_loaded(tmp_path_factory, recording):
    path = tmp_path_factory.mktemp("trip") / "r.npz"
    assert save_recording(recording, path) == path
    assert_same(load_recording(path), recording)


def test_a_video_with_nobody_in_it(tmp_path):
    path = tmp_path / "empty.npz"
    save_recording(Recording((), np.arange(9) / 30, "coco17", image_size=(8, 8)), path)
    back = load_recording(path)
    assert (back.tracks, back.num_frames, back.joints().shape) == ((), 9, (0, 17, 3, 9))


def test_three_dimensions_with_confidence_of_some(tmp_path):
    random = np.random.default_rng(1)
    joints, confidence = random.normal(size=(25, 3, 3)), random.random((25, 3))
    sure = PoseTrack(0, joints, [0, 1, 2], confidence=confidence)
    unsaid = PoseTrack(1, random.normal(size=(25, 3, 1)), [2])
    recording = Recording((sure, unsaid), [0.0, 0.1, 0.2], "ntu25", dims=3)
    path = tmp_path / "kinect.npz"
    save_recording(recording, path)
    assert_same(load_recording(path), recording)


def test_a_layout_of_ones_own_travels_in_the_file(tmp_path):
    own = Layout("dog", ("chest", "paw_a", "paw_b", "tail"), (0, 0, 0, 0), flip_pairs=((1, 2),))
    recording = Recording((PoseTrack(0, np.ones((4, 3, 2)), [0, 1]),), [0.0, 1.0], own)
    path = tmp_path / "dog.npz"
    save_recording(recording, path)
    assert load_recording(path).layout == own


def test_a_changed_layout_is_not_taken_for_the_builtin_of_its_name(tmp_path):
    ntu = get_layout("ntu25")
    fan = ntu.with_parents([*ntu.parents[:21], 7, 7, 11, 11])
    path = tmp_path / "fan.npz"
    save_recording(Recording((), [0.0], fan), path)
    assert load_recording(path).layout.parents == fan.parents


def test_a_file_without_flips_gets_them_from_the_names(tmp_path, sound):
    path = tmp_path / "foreign.npz"
    rewrite(sound, path, flip_order=None, layout=np.array("mine"))
    assert load_recording(path).layout.flip_pairs == get_layout("coco17").flip_pairs


def test_options_are_kept(tmp_path):
    path = tmp_path / "a.npz"
    save_recording(two_people(), path, options={"weights": "n.pt", "stride": 2})
    assert read_options(path) == {"weights": "n.pt", "stride": 2}


def test_plain_numpy_reads_the_file(tmp_path, sound):
    path = tmp_path / "a.npz"
    path.write_bytes(sound)
    program = (
        "import numpy, sys, json\n"
        f"f = numpy.load({str(path)!r}, allow_pickle=False)\n"
        "assert not any('skelact' in name for name in sys.modules)\n"
        "print(json.dumps({k: [str(f[k].dtype), list(f[k].shape)] for k in f.files}))\n"
    )
    result = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=True)
    arrays = json.loads(result.stdout)
    assert arrays["joints"] == ["float32", [17, 3, 6]]
    assert arrays["boxes"] == ["float32", [4, 6]]
    assert arrays["track_offsets"] == ["int64", [3]]
    assert arrays["frame_index"] == ["int64", [6]]
    assert arrays["timestamps"] == ["float64", [5]]
    assert arrays["joint_names"][1] == arrays["parents"][1] == [17]


def test_a_long_video_with_many_people_stays_small(tmp_path):
    """500 people of 20 frames each in an hour: ragged, so no 500 x 90000 array."""
    tracks = [PoseTrack(i, np.zeros((17, 3, 20)), 150 * i + np.arange(20)) for i in range(500)]
    path = tmp_path / "hour.npz"
    save_recording(Recording(tuple(tracks), np.arange(90_000) / 25, "coco17"), path)
    with np.load(path) as file:
        assert sum(file[name].nbytes for name in file.files) < 5e6
    assert len(load_recording(path).tracks) == 500


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "a.npz"
    save_recording(two_people(), path)
    before = path.read_bytes()
    with pytest.raises(OutputExistsError, match="--overwrite"):
        save_recording(two_people().with_tracks([]), path)
    assert path.read_bytes() == before
    save_recording(two_people().with_tracks([]), path, overwrite=True)
    assert load_recording(path).tracks == ()


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    save_recording(two_people(), path)
    before = path.read_bytes()

    def half(file, **arrays):
        file.write(before[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr(files.np, "savez_compressed", half)
    with pytest.raises(KeyboardInterrupt):
        save_recording(two_people(), path, overwrite=True)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_the_name_must_say_what_it_is(tmp_path):
    assert is_pose_file("a.npz")
    assert not is_pose_file("a.mp4")
    with pytest.raises(SkelactError, match=r"\.npz"):
        save_recording(two_people(), tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_refused(tmp_path):
    for path in (tmp_path / "absent.npz", tmp_path):
        with pytest.raises(FileFormatError, match="skelact pose"):
            load_recording(path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused(tmp_path, sound, share):
    path = tmp_path / "cut.npz"
    path.write_bytes(sound[: int(share * len(sound))])
    with pytest.raises(FileFormatError, match=r"cut\.npz"):
        load_recording(path)


@pytest.mark.parametrize("kind", ["npy", "text", "other npz", "other zip"])
def test_another_kind_of_file_is_refused(tmp_path, kind):
    path = tmp_path / "other.npz"
    if kind == "npy":
        with open(path, "wb") as file:
            np.save(file, np.zeros(3))
    elif kind == "text":
        path.write_text("joints")
    elif kind == "other npz":
        np.savez(path, keypoint=np.zeros(3))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("joints", "hello")
            archive.writestr("format_version", "hello")
    with pytest.raises(FileFormatError, match=r"other\.npz"):
        load_recording(path)


class Trap:
    """Unpickling this leaves a mark in a file."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


def test_a_pickle_is_refused_without_being_run(tmp_path, sound):
    mark = tmp_path / "mark"
    trap = np.empty(17, object)
    trap[0] = Trap(mark)
    inside, bare = tmp_path / "inside.npz", tmp_path / "bare.npz"
    rewrite(sound, inside, joints=trap)
    bare.write_bytes(pickle.dumps(Trap(mark)))
    for path in (inside, bare):
        with pytest.raises(FileFormatError):
            load_recording(path)
        with pytest.raises(FileFormatError):
            read_options(path)
    assert not mark.exists()
    np.load(inside, allow_pickle=True)["joints"]
    assert mark.exists(), "the trap would have sprung"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": np.array(2)}, "newer than this skelact"),
        ({"track_offsets": None}, "lacks track_offsets"),
        ({"parents": None, "dims": None}, "lacks dims, parents"),
        ({"track_offsets": np.array([0, 4, 5])}, "do not divide 6"),
        ({"track_offsets": np.array([0, 8, 6])}, "do not divide 6"),
        ({"track_offsets": np.array([0.0, 4.5, 6.0])}, "not a valid"),
        ({"track_offsets": np.array(6)}, "not a valid"),
        ({"track_ids": np.array([3, 3])}, "must differ"),
        ({"frame_index": np.arange(6) * 0}, "rise strictly"),
        ({"frame_index": np.arange(6) + 9}, "only 5 frames"),
        ({"joints": np.zeros((16, 3, 6))}, "coco17"),
        ({"joints": np.zeros((17, 2, 6))}, "N, 3, T"),
        ({"joints": np.full((17, 3, 6), np.inf)}, "finite"),
        ({"joints": np.array("hello")}, "not a valid"),
        ({"boxes": np.zeros((4, 5))}, "boxes"),
        ({"timestamps": np.zeros(5)}, "rising"),
        ({"timestamps": np.full(5, np.nan)}, "finite"),
        ({"dims": np.array(7)}, "dims"),
        ({"dims": np.array(np.inf)}, "not a valid"),
        ({"fps": np.array(-1.0)}, "fps"),
        ({"fps": np.array("fast")}, "not a valid"),
        ({"image_size": np.array([3, -4])}, "image_size"),
        ({"image_size": np.array([1, 2, 3])}, "not a valid"),
        ({"parents": np.zeros(3, int)}, "parents"),
        ({"parents": np.arange(17)}, "exactly one joint"),
        ({"parents": np.full(17, 99)}, "outside"),
        ({"layout": np.array("x"), "flip_order": np.roll(np.arange(17), 1)}, "flip"),
    ],
)
def test_contradicting_arrays_are_refused(tmp_path, sound, changes, message):
    path = tmp_path / "bad.npz"
    rewrite(sound, path, **changes)
    with pytest.raises(FileFormatError, match=message) as caught:
        load_recording(path)
    assert "bad.npz" in str(caught.value)


def test_damaged_options_are_refused(tmp_path, sound):
    path = tmp_path / "a.npz"
    for options in (None, np.array("{"), np.array("3"), np.array("null")):
        rewrite(sound, path, options=options)
        with pytest.raises(FileFormatError, match="options"):
            read_options(path)


def test_no_damaged_byte_crashes_the_reader_or_changes_what_it_reads(tmp_path, sound):
    """A slice of ``benchmarks/pose_file_mutations.py``: checksums guard what is inside."""
    random = np.random.default_rng(0)
    path, expected, loaded = tmp_path / "flipped.npz", two_people(), 0
    for _ in range(300):
        content = bytearray(sound)
        for place in random.integers(len(content), size=random.integers(1, 4)):
            content[place] ^= 1 << random.integers(8)
        path.write_bytes(content)
        try:
            recording = load_recording(path)
        except FileFormatError:
            continue
        loaded += 1
        np.testing.assert_array_equal(recording.joints(), expected.joints())
    assert loaded < 150

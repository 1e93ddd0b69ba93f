"""The shapes in which landmarks of MediaPipe and tfjs are saved."""

import json

import keypoint_files as made
import numpy as np
import pytest

from skelact.datasets.readers.mediapipe import find_mediapipe, read_mediapipe
from skelact.errors import FileFormatError
from skelact.graph.layouts import get_layout
from skelact.pose.video import VideoReader

PEOPLE = made.walkers("mediapipe33", people=1)
POINTS = PEOPLE[0].transpose(2, 0, 1)  # [T, N, 3] pixels and confidence
NAMES = get_layout("mediapipe33").source_names


@pytest.mark.shared
def test_blazepose_of_tfjs_beside_its_video(shared):
    file = shared / "videos" / "labelled" / "squats.blazepose.json"
    (recording,) = read_mediapipe(file)
    assert recording.layout.name == "mediapipe33"
    assert (recording.num_frames, recording.fps, recording.image_size) == (65, 5.0, (720, 1280))
    assert "fps_assumed" not in recording.labels  # the video says so
    (track,) = recording.tracks
    content = np.array(json.loads(file.read_text()))
    np.testing.assert_allclose(track.joints[:, :2], content[:, :, :2].transpose(1, 2, 0), rtol=1e-6)
    assert (track.joints[:, 2] == 1).all()  # no visibility in the file
    height = dict(zip(recording.layout.joints, track.joints[:, 1, 0], strict=True))
    assert height["nose"] < height["left_hip"] < height["left_ankle"]
    assert recording.num_frames == VideoReader(file.parent / "squats.mp4").expected_frames


@pytest.mark.shared
def test_movenet_of_tfjs_by_names(shared):
    (recording,) = read_mediapipe(shared / "videos" / "pose_1.json")
    assert recording.layout.name == "coco17"
    assert (recording.num_frames, recording.fps, recording.image_size) == (120, 30.0, (576, 576))
    first = json.loads((shared / "videos" / "pose_1.json").read_text())[0]
    wrist = recording.tracks[0].joints[recording.layout.index("left_wrist"), :2, 0]
    np.testing.assert_allclose(wrist, [first["left_wrist"]["x"], first["left_wrist"]["y"]])


def as_dicts(frame, **names):
    return [{"x": x, "y": y, "z": 0.0, "visibility": c} for x, y, c in frame.tolist()]


SHAPES = {
    "lists": lambda p: [[x, y, 0.0, c] for x, y, c in p.tolist()],
    "with presence": lambda p: [[x, y, 0.0, c, 0.9] for x, y, c in p.tolist()],
    "objects": as_dicts,
    "names": lambda p: dict(zip(NAMES, as_dicts(p), strict=True)),
    "upper-case names": lambda p: {n.upper(): q for n, q in zip(NAMES, as_dicts(p), strict=True)},
    "solutions": lambda p: {"pose_landmarks": {"landmark": as_dicts(p)}},
    "landmark": lambda p: {"landmark": as_dicts(p)},
    "tasks": lambda p: {"pose_landmarks": [as_dicts(p)],
                        "pose_world_landmarks": [[{"x": 0, "y": 0, "z": 0}] * 33]},
    "javascript": lambda p: {"poseLandmarks": as_dicts(p)},
    "tfjs": lambda p: [{"score": 0.9, "keypoints": [
        {"x": x, "y": y, "score": c, "name": n} for n, (x, y, c) in
        zip(NAMES, p.tolist(), strict=True)]}],
    "tfjs in any order": lambda p: [{"keypoints": [
        {"x": x, "y": y, "score": c, "name": n} for n, (x, y, c) in
        reversed(list(zip(NAMES, p.tolist(), strict=True)))]}],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("nobody", [None, [], {}])
def test_every_shape_gives_the_same_landmarks(tmp_path, shape, nobody):
    frames = [SHAPES[shape](frame) for frame in POINTS]
    frames[0] = nobody
    (tmp_path / "a.json").write_text(json.dumps(frames))
    (recording,) = read_mediapipe(tmp_path)
    (track,) = recording.tracks
    assert track.frame_index.tolist() == list(range(1, made.FRAMES))
    np.testing.assert_allclose(track.joints, PEOPLE[0][..., 1:], rtol=1e-6)
    assert recording.labels == {"clip_id": "a", "fps_assumed": True}


def test_several_people_are_followed_or_told_apart_by_id(tmp_path):
    people = made.walkers("mediapipe33", people=2)
    for ids in (False, True):
        frames = []
        for t in range(made.FRAMES):
            poses = [{"keypoints": as_dicts(person[:, :, t])} | ({"id": 7 - m} if ids else {})
                     for m, person in enumerate(people)]
            frames.append(poses[::-1] if t % 2 else poses)
        (tmp_path / "a.json").write_text(json.dumps(frames))
        (recording,) = read_mediapipe(tmp_path)
        tracks = sorted(recording.tracks, key=lambda track: track.joints[0, 0, 0])
        for track, person in zip(tracks, people, strict=True):
            np.testing.assert_allclose(track.joints, person, rtol=1e-6)
        if ids:
            assert [track.track_id for track in tracks] == [7, 6]


def test_times_and_frame_numbers_of_the_file_are_kept(tmp_path):
    frames = [{"frame": 10 + 2 * t, "landmarks": as_dicts(p)} for t, p in enumerate(POINTS)]
    (tmp_path / "a.json").write_text(json.dumps(frames))
    (recording,) = read_mediapipe(tmp_path)
    assert recording.tracks[0].frame_index.tolist() == list(range(0, 2 * made.FRAMES, 2))
    times = [0.0, 0.1, 0.25, 0.3]
    frames = [{"timestamp_ms": 1000 * s, "landmarks": as_dicts(p)}
              for s, p in zip(times, POINTS, strict=False)]
    (tmp_path / "a.json").write_text(json.dumps(frames))
    (recording,) = read_mediapipe(tmp_path)
    np.testing.assert_allclose(recording.timestamps, times)
    assert recording.fps == pytest.approx(10)
    assert "fps_assumed" not in recording.labels


def test_shares_of_the_image_need_its_size(tmp_path):
    shares = (POINTS * [1 / 640, 1 / 480, 1]).tolist()
    (tmp_path / "a.json").write_text(json.dumps([[[x, y, 0, c] for x, y, c in f] for f in shares]))
    refused = []
    assert list(read_mediapipe(tmp_path, refused.append)) == []
    assert "image_size" in str(refused[0])
    (recording,) = read_mediapipe(tmp_path, image_size=(640, 480))
    np.testing.assert_allclose(recording.tracks[0].joints, PEOPLE[0], rtol=1e-5)


def test_world_landmarks_are_not_taken_for_those_of_the_image(tmp_path):
    world = (POINTS - POINTS.mean(axis=(0, 1))) * 0.01
    (tmp_path / "a.json").write_text(json.dumps([as_dicts(frame) for frame in world]))
    with pytest.raises(FileFormatError, match="world landmarks in metres"):
        list(read_mediapipe(tmp_path, image_size=(640, 480)))


def test_some_names_are_enough_and_the_others_are_missing(tmp_path):
    frames = [{n: q for n, q in zip(NAMES, as_dicts(p), strict=True) if "mouth" not in n}
              for p in POINTS]
    (tmp_path / "a.json").write_text(json.dumps(frames))
    (recording,) = read_mediapipe(tmp_path)
    missing = recording.tracks[0].missing.all(axis=1)
    assert [recording.layout.joints[i] for i in np.flatnonzero(missing)] == ["left_mouth",
                                                                             "right_mouth"]


def wide(header, rows):
    return "\n".join([",".join(header), *(",".join(map(str, row)) for row in rows)])


TABLES = {
    "numbered from 1": wide(
        ["class", *(f"{a}{i}" for i in range(1, 34) for a in "xyzv")],
        [["jog", *(v for x, y, c in p for v in (x, y, 0, c))] for p in POINTS]),
    "named": wide(
        [f"{n}_{a}" for n in NAMES for a in ("x", "y", "z", "visibility")],
        [[v for x, y, c in p for v in (x, y, 0, c)] for p in POINTS]),
    "upper case, with dots": wide(
        ["Timestamp", *(f"{n.upper()}.{a}" for n in NAMES for a in "XYZV")],
        [[t / 30, *(v for x, y, c in p for v in (x, y, 0, c))] for t, p in enumerate(POINTS)]),
    "numbers in front": wide(
        [f"landmark_{i}_{a}" for i in range(33) for a in ("x", "y", "visibility")],
        [[v for x, y, c in p for v in (x, y, c)] for p in POINTS]),
    "long, numbers": wide(
        ["frame", "landmark", "x", "y", "z", "visibility"],
        [[t, i, x, y, 0, c] for t, p in enumerate(POINTS) for i, (x, y, c) in enumerate(p)]),
    "long, names": wide(
        ["frame", "landmark_name", "x", "y", "visibility"],
        [[t, n, x, y, c] for t, p in enumerate(POINTS)
         for n, (x, y, c) in zip(NAMES, p, strict=True)]),
}


@pytest.mark.parametrize("table", TABLES)
def test_every_table_gives_the_same_landmarks(tmp_path, table):
    (tmp_path / "a.csv").write_text(TABLES[table])
    (recording,) = read_mediapipe(tmp_path)
    np.testing.assert_allclose(recording.tracks[0].joints, PEOPLE[0], rtol=1e-6)
    if table == "numbered from 1":
        assert recording.labels["label"] == "jog"
    if "upper" in table:
        assert "fps_assumed" not in recording.labels
        assert recording.fps == pytest.approx(30)


def test_people_of_a_table_by_a_column_and_gaps_by_empty_cells(tmp_path):
    people = made.walkers("mediapipe33", people=2)
    rows = [[t, m, *(v for x, y, _ in people[m, :, :, t] for v in (x, y))]
            for t in range(made.FRAMES) for m in (0, 1)]
    rows[5][2:4] = "", ""
    header = ["frame", "person", *(f"{a}_{i}" for i in range(33) for a in "xy")]
    (tmp_path / "a.csv").write_text(wide(header, rows))
    (recording,) = read_mediapipe(tmp_path)
    assert [track.track_id for track in recording.tracks] == [0, 1]
    assert np.argwhere(recording.tracks[1].missing).tolist() == [[0, 2]]
    np.testing.assert_allclose(recording.tracks[0].joints[:, :2], people[0][:, :2], rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TABLES["named"].replace("\n", "\n1,", 1), "line 2: expected 132 cells as in line 1"),
        (TABLES["named"].replace("0.5", "half", 1), r"line \d+, column .*: expected a number"),
        (TABLES["numbered from 1"].replace("jog", "run", 1), "'class' changes within the file"),
        (TABLES["numbered from 1"].replace("x33", "x34", 1), "34 of a hand|got 34"),
        (TABLES["long, numbers"] + "\n0,0,1,1,0,1", "a landmark stands twice"),
        (TABLES["long, names"].replace("nose", "beak"), "no layout has the landmarks beak"),
        (TABLES["named"].split("\n")[0], "no lines below the header"),
    ],
)
def test_a_damaged_table_is_refused_by_line(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    assert find_mediapipe(tmp_path) == [tmp_path / "a.csv"]
    with pytest.raises(FileFormatError, match=message) as caught:
        list(read_mediapipe(tmp_path))
    assert str(tmp_path / "a.csv") in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frames: frames[3].pop(), "frame 3: expected 33 landmarks"),
        (lambda frames: frames[3][0].update(x="1.5"), "landmark 99: expected numbers, got '1.5'"),
        (lambda frames: frames[3][1].pop("y"), "no 'y' in it"),
        (lambda frames: frames.__setitem__(3, 5), "frame 3: expected people, got 5"),
        (lambda frames: frames[3][0].update(x=1e39), "frame 3: a joint lies more than"),
    ],
)
def test_a_damaged_frame_is_refused_by_number(tmp_path, change, message):
    frames = [as_dicts(frame) for frame in POINTS]
    change(frames)
    (tmp_path / "a.json").write_text(json.dumps(frames))
    with pytest.raises(FileFormatError, match=message):
        list(read_mediapipe(tmp_path))

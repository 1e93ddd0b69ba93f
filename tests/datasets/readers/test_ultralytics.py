"""Ultralytics results in memory and as saved text."""

import os
import subprocess
import sys
from types import SimpleNamespace

import keypoint_files as made
import numpy as np
import pytest
import torch
from videos import encode

from skelact.datasets.readers.ultralytics import from_ultralytics, read_ultralytics
from skelact.errors import FileFormatError, LayoutError

PEOPLE = made.walkers()


def results(identity: bool = True, empty: tuple[int, ...] = ()) -> list[SimpleNamespace]:
    """What a pose model returns, with the attributes that its Results have."""
    frames = []
    for t in range(made.FRAMES):
        order = [0, 1] if t % 2 else [1, 0]
        points = torch.tensor(PEOPLE[order, :, :, t] if t not in empty else np.empty((0, 17, 3)))
        boxes = torch.cat([points[..., :2].amin(1), points[..., :2].amax(1)], 1)
        ids = torch.tensor(order[: len(points)]) + 5.0
        frames.append(SimpleNamespace(
            keypoints=SimpleNamespace(data=points), path="/videos/walk.mp4",
            orig_shape=made.SIZE[::-1],
            boxes=SimpleNamespace(xyxy=boxes, conf=torch.full((len(points),), 0.9),
                                  id=ids if identity and len(points) else None)))
    return frames


@pytest.mark.parametrize("identity", [True, False])
def test_results_in_memory(identity):
    recording = from_ultralytics(results(identity, empty=(4,)), fps=25)
    assert (recording.fps, recording.image_size) == (25, made.SIZE)
    assert (recording.num_frames, recording.source) == (made.FRAMES, "walk.mp4")
    tracks = sorted(recording.tracks, key=lambda track: track.joints[0, 0, 0])
    seen = [t for t in range(made.FRAMES) if t != 4]
    for track, person in zip(tracks, PEOPLE, strict=True):
        assert track.frame_index.tolist() == seen
        np.testing.assert_allclose(track.joints, person[..., seen], rtol=1e-6)
    if identity:
        assert [track.track_id for track in tracks] == [5, 6]


def test_frame_rate_layout_and_joints_at_the_corner():
    frames = results()
    frames[0].keypoints.data[0, 3] = 0
    recording = from_ultralytics(frames)
    assert recording.labels == {"fps_assumed": True}
    assert sum(track.missing.sum() for track in recording.tracks) == 1
    with pytest.raises(LayoutError):
        from_ultralytics(frames, layout="openpose18")
    for frame in frames:
        frame.keypoints = None
    for wrong in ([], frames):
        with pytest.raises(FileFormatError, match="results of a pose model"):
            from_ultralytics(wrong)


THE_LIBRARY = """
import sys
import numpy as np, torch
from ultralytics.engine.results import Results
from skelact.datasets.readers.ultralytics import from_ultralytics
folder = sys.argv[1]
people = np.load(folder + "/people.npy")
results = []
for t in range(people.shape[3]):
    points = torch.tensor(people[..., t], dtype=torch.float32)
    corners = torch.cat([points[..., :2].amin(1), points[..., :2].amax(1)], 1)
    rest = torch.tensor([[5.0, 0.9, 0.0], [6.0, 0.8, 0.0]])
    results.append(Results(np.zeros((480, 640, 3), np.uint8), "walk.mp4", {0: "person"},
                           boxes=torch.cat([corners, rest], 1), keypoints=points))
    results[-1].save_txt(f"{folder}/labels/walk_{t + 1}.txt", save_conf=True)
recording = from_ultralytics(results, fps=25)
np.save(folder + "/joints.npy", recording.joints())
print(*[track.track_id for track in recording.tracks], recording.image_size)
"""


def test_results_and_saved_text_of_the_library_itself(tmp_path):
    np.save(tmp_path / "people.npy", PEOPLE)
    quiet = {"YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", THE_LIBRARY, str(tmp_path)], text=True,
                          env=os.environ | quiet, capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == "5 6 (640, 480)"
    np.testing.assert_allclose(np.load(tmp_path / "joints.npy"), PEOPLE, rtol=1e-5)
    (recording,) = read_ultralytics(tmp_path, image_size=(640, 480))
    assert [track.track_id for track in recording.tracks] == [5, 6]
    np.testing.assert_allclose(recording.joints(), PEOPLE, rtol=1e-3, atol=0.01)
    assert recording.labels == {"clip_id": "walk", "fps_assumed": True}


def test_saved_text_beside_its_video(tmp_path):
    run = tmp_path / "predict"
    people = made.write_ultralytics(run / "labels", "walk")
    grey = np.full((20, 480, 640, 3), 99, np.uint8)
    encode(run / "walk.mp4", grey, fps=10)
    (recording,) = read_ultralytics(tmp_path)
    assert (recording.fps, recording.image_size, recording.num_frames) == (10, made.SIZE, 20)
    assert [track.track_id for track in recording.tracks] == [1, 2]
    assert recording.tracks[0].frame_index.tolist() == list(range(made.FRAMES))
    np.testing.assert_allclose(recording.tracks[0].joints, people[0], rtol=1e-4, atol=0.01)
    assert "fps_assumed" not in recording.labels
    assert recording.labels["clip_id"] == "predict/walk"


def test_saved_text_needs_an_image_size(tmp_path):
    made.write_ultralytics(tmp_path)
    with pytest.raises(FileFormatError, match="image_size"):
        list(read_ultralytics(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0.5 0.5 0.1 0.1\n", "clip_3.txt, line 1: expected 56 to 58 numbers, got 5"),
        ("0 0.5 0.5 0.1 x\n", "clip_3.txt, line 1: could not convert"),
        ("0 " * 58, "expected lines of one length"),
    ],
)
def test_damaged_text_is_refused_by_line(tmp_path, text, message):
    made.write_ultralytics(tmp_path)
    (tmp_path / "clip_3.txt").write_text(text)
    with pytest.raises(FileFormatError, match=message):
        list(read_ultralytics(tmp_path, image_size=made.SIZE))

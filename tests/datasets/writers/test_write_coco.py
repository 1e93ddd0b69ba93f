"""COCO files of ours give the same recordings back."""

import json
from dataclasses import replace

import numpy as np
import pytest
from archives import unpack
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import capture, walking

from skelact.datasets.readers.coco import read_coco
from skelact.datasets.readers.penn_action import read_penn_action
from skelact.datasets.writers.coco import write_coco
from skelact.errors import LayoutError, OutputExistsError, SkelactError
from skelact.pose.recording import PoseTrack, Recording


def assert_same(back: Recording, recording: Recording) -> None:
    assert back.layout is recording.layout
    assert (back.fps, back.image_size) == (recording.fps, recording.image_size)
    assert (back.source, back.estimator) == (recording.source, recording.estimator)
    np.testing.assert_array_equal(back.timestamps, recording.timestamps)
    for own, track in zip(back.tracks, sorted(recording.tracks, key=lambda t: t.track_id),
                          strict=True):
        assert own.track_id == track.track_id
        np.testing.assert_array_equal(own.frame_index, track.frame_index)
        np.testing.assert_array_equal(own.missing, track.missing)
        np.testing.assert_allclose(own.joints, track.joints, rtol=1e-6, atol=6e-5)
        if track.boxes is not None:
            np.testing.assert_allclose(own.boxes, track.boxes, rtol=1e-5, atol=1e-3)


@st.composite
def recordings(draw):
    frames = draw(st.integers(1, 6))
    number = st.floats(-50, 5000, width=32)
    tracks = []
    for track_id in draw(st.sets(st.integers(0, 2**53 - 1), max_size=3)):
        index = sorted(draw(st.sets(st.integers(0, frames - 1), min_size=1)))
        joints = np.array(draw(st.lists(number, min_size=6 * len(index), max_size=6 * len(index))),
                          np.float32).reshape(2, 3, len(index))
        joints = np.concatenate([joints] * 8 + [joints[:1]])
        joints[:, 2] = np.abs(joints[:, 2]) % 1
        joints[3, :2], joints[3, 2] = np.nan, 0
        tracks.append(PoseTrack(track_id, joints, np.array(index)))
    times = np.cumsum(draw(st.lists(st.floats(0.01, 0.5), min_size=frames, max_size=frames)))
    size = draw(st.none() | st.tuples(st.integers(1, 4000), st.integers(1, 4000)))
    labels = draw(st.fixed_dictionaries({}, optional={
        "label": st.text("abc_", min_size=1), "subject": st.integers(0, 99),
        "splits": st.lists(st.sampled_from(["train", "test"])), "fps_assumed": st.just(True)}))
    return Recording(tuple(tracks), times, "coco17", fps=draw(st.floats(1, 100)), image_size=size,
                     labels=labels, source="video.mp4")


@settings(max_examples=100, deadline=None)
@given(st.lists(recordings(), min_size=1, max_size=3))
def test_round_trip(tmp_path_factory, clips):
    clips = [replace(r, labels=r.labels | {"clip_id": f"clip {i}"}) for i, r in enumerate(clips)]
    file = write_coco(clips, tmp_path_factory.mktemp("coco") / "out.json")
    back = {r.labels["clip_id"]: r for r in read_coco(file)}
    assert len(back) == len(clips)
    for clip in clips:
        own = back[clip.labels["clip_id"]]
        assert own.labels == clip.labels
        assert_same(own, clip)


@pytest.mark.shared
def test_penn_action_round_trip(shared, tmp_path):
    unpack(shared / "datasets" / "penn_action.tar.xz", tmp_path, first=8)
    clips = list(read_penn_action(tmp_path))
    file = write_coco(clips, tmp_path / "out.json")
    back = {r.labels["clip_id"]: r for r in read_coco(file)}
    for clip in clips:
        own = back[clip.labels["clip_id"]]
        assert own.labels == clip.labels
        assert_same(own, clip)


def test_the_file_is_what_coco_asks_for(tmp_path):
    content = json.loads(write_coco([walking(frames=4, people=2)], tmp_path / "a.json").read_text())
    assert {"images", "annotations", "categories"} <= set(content)
    (category,) = content["categories"]
    assert category["keypoints"][:2] == ["nose", "left_eye"]
    assert all(1 <= joint <= 17 for edge in category["skeleton"] for joint in edge)
    ids = {image["id"] for image in content["images"]}
    assert len(ids) == 4
    assert [row["id"] for row in content["annotations"]] == list(range(1, 9))
    for row in content["annotations"]:
        assert row["image_id"] in ids
        assert len(row["keypoints"]) == 51
        assert row["num_keypoints"] == sum(v > 0 for v in row["keypoints"][2::3]) == 17
        x, y, width, height = row["bbox"]
        assert row["area"] == pytest.approx(width * height, abs=1e-3)
        assert x <= min(row["keypoints"][0::3]) + 1e-3
        assert y + height >= max(row["keypoints"][1::3]) - 1e-3


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path):
    file = tmp_path / "a.json"
    with pytest.raises(SkelactError, match="got none"):
        write_coco([], file)
    with pytest.raises(SkelactError, match="2-D"):
        write_coco([capture()], file)
    other = walking(frames=3)
    with pytest.raises(LayoutError, match="remap"):
        write_coco([other, replace(other, layout="openpose18", tracks=())], file)
    twice = replace(other, labels={"clip_id": "a"})
    with pytest.raises(SkelactError, match="'a' twice"):
        write_coco([twice, twice], file)
    assert list(tmp_path.iterdir()) == []
    write_coco([other], file)
    with pytest.raises(OutputExistsError):
        write_coco([other], file)

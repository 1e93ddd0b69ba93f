"""OpenPose folders: identity, layouts, several videos, holes, damage."""

import json

import keypoint_files as made
import numpy as np
import pytest

from skelact.datasets.readers.openpose import find_openpose, read_openpose
from skelact.errors import FileFormatError


def change_frame(folder, number, change):
    file = sorted(folder.glob("*.json"))[number]
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    return file


@pytest.mark.parametrize("layout", ["body25", "openpose18"])
def test_the_layout_is_that_of_the_number_of_joints(tmp_path, layout):
    people = made.write_openpose(tmp_path / "clip", layout)
    (recording,) = read_openpose(tmp_path)
    assert recording.layout.name == layout
    tracks = sorted(recording.tracks, key=lambda track: track.joints[0, 0, 0])
    for track, person in zip(tracks, people, strict=True):  # their order alternates in the files
        np.testing.assert_allclose(track.joints, person, rtol=1e-5)


def test_zeros_are_missing_and_a_frame_without_people_is_a_hole(tmp_path):
    people = made.write_openpose(tmp_path)

    def lose(frame):
        for person in frame["people"]:
            person["pose_keypoints_2d"][30:33] = 0, 0, 0

    change_frame(tmp_path, 2, lose)
    change_frame(tmp_path, 4, lambda frame: frame["people"].clear())
    (recording,) = read_openpose(tmp_path)
    assert recording.num_frames == made.FRAMES
    for track in recording.tracks:
        assert 4 not in track.frame_index
        assert len(track) == made.FRAMES - 1
        assert np.argwhere(track.missing).tolist() == [[10, 2]]
    assert len(recording.tracks) == len(people)


def test_several_videos_in_one_folder(tmp_path):
    made.write_openpose(tmp_path / "all", video="a_1")
    made.write_openpose(tmp_path / "all", "openpose18", video="b")
    assert find_openpose(tmp_path) == [tmp_path / "all"]
    recordings = list(read_openpose(tmp_path / "all"))
    assert [r.labels["clip_id"] for r in recordings] == ["a_1", "b"]
    assert [r.layout.name for r in recordings] == ["body25", "openpose18"]


def test_one_file_stands_for_its_folder(tmp_path):
    made.write_openpose(tmp_path / "clip")
    (recording,) = read_openpose(min((tmp_path / "clip").iterdir()))
    assert recording.num_frames == made.FRAMES


def test_shares_of_the_image_need_its_size(tmp_path):
    people = made.write_openpose(tmp_path)
    for number in range(made.FRAMES):
        def shrink(frame):
            for person in frame["people"]:
                points = np.reshape(person["pose_keypoints_2d"], (-1, 3)) / [*made.SIZE, 1]
                person["pose_keypoints_2d"] = points.ravel().tolist()
        change_frame(tmp_path, number, shrink)
    with pytest.raises(FileFormatError, match="image_size"):
        list(read_openpose(tmp_path))
    (recording,) = read_openpose(tmp_path, image_size=made.SIZE)
    tracks = sorted(recording.tracks, key=lambda track: track.joints[0, 0, 0])
    np.testing.assert_allclose(tracks[0].joints, people[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f["people"][1]["pose_keypoints_2d"].pop(), "person 7: expected 75 numbers"),
        (lambda f: f["people"][1].pop("pose_keypoints_2d"), "000003_keypoints.json has a person w"),
        (lambda f: f.pop("people"), "000003_keypoints.json: no 'people' in it"),
        (lambda f: f.update(people=3), "000003_keypoints.json: 'int' object"),
    ],
)
def test_a_damaged_frame_is_named(tmp_path, change, message):
    made.write_openpose(tmp_path / "clip")
    change_frame(tmp_path / "clip", 3, change)
    with pytest.raises(FileFormatError, match=message) as caught:
        list(read_openpose(tmp_path))
    assert str(tmp_path / "clip") in str(caught.value)


def test_frames_numbered_twice_and_recordings_of_nobody_are_refused(tmp_path):
    made.write_openpose(tmp_path / "clip")
    (tmp_path / "clip" / "clip_3_keypoints.json").write_text('{"version": 1, "people": []}')
    with pytest.raises(FileFormatError, match="two files have the same frame number"):
        list(read_openpose(tmp_path / "clip"))
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "a_1_keypoints.json").write_text('{"version": 1, "people": []}')
    with pytest.raises(FileFormatError, match="nobody in any of its 1 frames"):
        list(read_openpose(tmp_path / "none"))

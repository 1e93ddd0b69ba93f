"""COCO keypoints: videos, photographs, results; visibility and identity."""

import json

import keypoint_files as made
import numpy as np
import pytest

from skelact.datasets.readers.coco import find_coco, read_coco
from skelact.errors import FileFormatError

PEOPLE = made.walkers()


@pytest.fixture
def content():
    return made.coco_annotations(PEOPLE)


def save(folder, content):
    (folder / "a.json").write_text(json.dumps(content))
    return folder / "a.json"


def test_identity_is_the_track_id_wherever_it_stands(tmp_path, content):
    for place in ("track_id", "instance_id", "attributes"):
        for row in content["annotations"]:
            who = row.pop("track_id", None) or row.pop("instance_id", None)
            row |= {"attributes": {"track_id": who}} if place == "attributes" else {place: who}
        (recording,) = read_coco(save(tmp_path, content))
        assert [track.track_id for track in recording.tracks] == [3, 4]
        np.testing.assert_allclose(recording.tracks[1].joints[:, :2], PEOPLE[1][:, :2], rtol=1e-6)


def test_without_identity_people_are_followed(tmp_path):
    (recording,) = read_coco(save(tmp_path, made.coco_annotations(PEOPLE, identity=False)))
    tracks = sorted(recording.tracks, key=lambda track: track.joints[0, 0, 0])
    for track, person in zip(tracks, PEOPLE, strict=True):
        np.testing.assert_allclose(track.joints[:, :2], person[:, :2], rtol=1e-6)


def test_visibility_is_confidence_and_zero_is_missing(tmp_path, content):
    row = content["annotations"][0]["keypoints"]
    row[2], row[5] = 1, 0
    row[6:9] = 0.0, 0.0, 2  # annotated in the corner
    (recording,) = read_coco(save(tmp_path, content))
    track = next(t for t in recording.tracks if t.track_id == content["annotations"][0]["track_id"])
    assert track.joints[0, 2, 0] == 0.5
    assert track.missing[:, 0].nonzero()[0].tolist() == [1]
    np.testing.assert_array_equal(track.joints[2, :, 0], [0, 0, 1])
    assert (track.joints[3:, 2] == 1).all()


def test_images_are_in_the_order_of_their_numbers(tmp_path, content):
    content["images"].reverse()
    (recording,) = read_coco(save(tmp_path, content))
    np.testing.assert_allclose(recording.tracks[0].joints[:, :2], PEOPLE[0][:, :2], rtol=1e-6)
    assert recording.image_size == made.SIZE


def test_videos_are_told_apart_by_folder_or_video_id(tmp_path, content):
    second = json.loads(json.dumps(content))
    for image in second["images"]:
        image["id"] += 100
        image["file_name"] = image["file_name"].replace("video/", "other/")
    for row in second["annotations"]:
        row["image_id"] += 100
        row["id"] += 1000
    both = content | {"images": content["images"] + second["images"],
                      "annotations": content["annotations"] + second["annotations"]}
    recordings = list(read_coco(save(tmp_path, both)))
    assert [r.labels["clip_id"] for r in recordings] == ["a/other", "a/video"]
    assert all(r.num_frames == made.FRAMES and len(r.tracks) == 2 for r in recordings)
    for image in both["images"]:
        image["video_id"] = image["id"] // 100
        image["file_name"] = image["file_name"].split("/")[1]
    assert len(list(read_coco(save(tmp_path, both)))) == 2


def test_photographs_are_recordings_of_one_frame(tmp_path, content):
    for i, image in enumerate(content["images"]):
        image |= {"file_name": f"photo_{i}.jpg", "width": 640 + i}
    recordings = list(read_coco(save(tmp_path, content)))
    assert len(recordings) == made.FRAMES
    assert all(r.num_frames == 1 and len(r.tracks) == 2 for r in recordings)
    assert recordings[3].labels["clip_id"] == "a/photo_3"
    assert recordings[3].image_size == (643, 480)


def test_results_over_photographs_are_refused(tmp_path):
    made.write_coco_results(tmp_path / "a.json")
    rows = json.loads((tmp_path / "a.json").read_text())
    for row in rows:
        row["image_id"] = row["image_id"] * 4999
    save(tmp_path, rows)
    with pytest.raises(FileFormatError, match="no frame numbers of a video"):
        list(read_coco(tmp_path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["annotations"][7]["keypoints"].pop(), "keypoints of person 7: expected 51"),
        (lambda c: c["annotations"][0].update(keypoints="abc"), "keypoints of person 0"),
        (lambda c: c["annotations"][1].update(track_id=4), "person 4 is in frame 0 twi"),
        (lambda c: c["annotations"][0].update(image_id=1), "image_id 1, which is no image"),
        (lambda c: c["images"][1].update(id=5), "two images have the same id"),
        (lambda c: c["images"][0].update(width=0), "image size"),
        (lambda c: c["categories"][0].update(keypoints=["left_wing"]), "no layout has the keypoi"),
        (lambda c: c["annotations"][0].update(track_id=1.5), "whole numbers as track ids"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, content, change, message):
    change(content)
    if "image size" in message:
        for image in content["images"]:
            image["width"] = 0
    file = save(tmp_path, content)
    with pytest.raises(FileFormatError, match=message) as caught:
        list(read_coco(tmp_path))
    assert str(file) in str(caught.value)


def test_a_long_preamble_does_not_hide_the_kind(tmp_path, content):
    long = {"info": {"note": "x" * 5000}, "licenses": [{"id": i} for i in range(2000)]}
    assert find_coco(save(tmp_path, long | content).parent) == [tmp_path / "a.json"]


@pytest.mark.parametrize("length", [3000, 4000, 4070, 4090, 60_000, 131_000])
def test_a_string_with_brackets_may_be_cut_anywhere(tmp_path, content, length):
    file = save(tmp_path, {"info": "[}], \\\"" * (length // 7)} | content)
    assert find_coco(tmp_path) == [file]


def test_annotations_without_keypoints_are_something_else(tmp_path, content):
    for row in content["annotations"]:
        del row["keypoints"]
    order = {key: content[key] for key in ("annotations", "images", "categories")}
    assert find_coco(save(tmp_path, order).parent) == []

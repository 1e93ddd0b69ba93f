"""What is peculiar to AlphaPose, MMPose and Kinetics-skeleton."""

import json

import keypoint_files as made
import numpy as np
import pytest

from skelact.datasets.readers.alphapose import read_alphapose
from skelact.datasets.readers.kinetics_skeleton import read_kinetics_skeleton
from skelact.datasets.readers.mmpose import read_mmpose
from skelact.errors import FileFormatError

PEOPLE = made.walkers()


def save(folder, content):
    (folder / "a.json").write_text(json.dumps(content))
    return folder


def assert_people(recording, people=PEOPLE):
    tracks = sorted(recording.tracks, key=lambda track: track.joints[0, 0, 0])
    for track, person in zip(tracks, people, strict=True):
        np.testing.assert_allclose(track.joints, person, rtol=1e-5)


def test_alphapose_idx_is_the_identity_if_it_tells_people_apart(tmp_path):
    rows = made.alphapose_rows(PEOPLE)
    (recording,) = read_alphapose(save(tmp_path, rows))
    assert [track.track_id for track in recording.tracks] == [1, 2]
    assert_people(recording)
    for row in rows:
        row["idx"] = [row["idx"]]  # as some versions write it
    (recording,) = read_alphapose(save(tmp_path, rows))
    assert [track.track_id for track in recording.tracks] == [1, 2]
    (recording,) = read_alphapose(save(tmp_path, made.alphapose_rows(PEOPLE, identity=False)))
    assert_people(recording)
    assert recording.tracks[0].boxes is not None


def test_alphapose_counts_the_frames_of_a_video_from_0(tmp_path):
    rows = [row for row in made.alphapose_rows(PEOPLE) if row["image_id"] not in ("0.jpg", "3.jpg")]
    (recording,) = read_alphapose(save(tmp_path, rows))
    assert recording.num_frames == made.FRAMES
    assert recording.tracks[0].frame_index.tolist() == [1, 2, *range(4, made.FRAMES)]
    for row in rows:  # images of a folder
        row["image_id"] = f"shot_{int(row['image_id'][:-4]) + 500:05}.png"
    (recording,) = read_alphapose(save(tmp_path, rows))
    assert recording.tracks[0].frame_index[0] == 0


def test_an_alphapose_result_goes_by_the_name_of_its_folder(tmp_path):
    for name in ("drum/a", "drum/b", "jog/a"):
        made.write_alphapose(tmp_path / name / "alphapose-results.json")
    facts = [recording.labels for recording in read_alphapose(tmp_path)]
    assert [(f["clip_id"], f["label"]) for f in facts] == [
        ("drum/a", "drum"), ("drum/b", "drum"), ("jog/a", "jog")]


def test_alphapose_with_halpes_joints(tmp_path):
    rows = made.alphapose_rows(made.walkers("halpe26"))
    (recording,) = read_alphapose(save(tmp_path, rows))
    assert recording.layout.name == "halpe26"
    for row in rows:
        row["keypoints"] += [1.0, 1.0, 0.5] * 110
    (full,) = read_alphapose(save(tmp_path, rows))
    assert full.layout.name == "halpe26"
    np.testing.assert_array_equal(full.tracks[0].joints, recording.tracks[0].joints)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[5].update(image_id="frame.jpg"), "does not end in a frame number"),
        (lambda rows: rows[5]["keypoints"].append(1), "keypoints of person 5: expected 51"),
        (lambda rows: rows[5].update(box=[1, 2]), "box of person 5: expected 4 numbers, got 2"),
        (lambda rows: rows[5].pop("image_id"), "no 'image_id' in it"),
        (lambda rows: rows[5].update(image_id=rows[3]["image_id"]), "in frame 1 twice"),
    ],
)
def test_damaged_alphapose_is_refused_by_row(tmp_path, change, message):
    rows = made.alphapose_rows(PEOPLE)
    change(rows)
    with pytest.raises(FileFormatError, match=message):
        list(read_alphapose(save(tmp_path, rows)))


def test_mmpose_shapes(tmp_path):
    frames = made.mmpose_frames(PEOPLE)
    (inferencer,) = read_mmpose(save(tmp_path, frames))
    assert_people(inferencer)
    for frame in frames:
        frame["frame_id"] += 1
    (demo,) = read_mmpose(save(tmp_path, {"meta_info": {"joints": 17}, "instance_info": frames}))
    assert_people(demo)
    assert demo.num_frames == made.FRAMES
    (image,) = read_mmpose(save(tmp_path, frames[0]["instances"]))
    assert image.num_frames == 1


def test_mmpose_identity_and_frames_without_people(tmp_path):
    frames = made.mmpose_frames(PEOPLE)
    for frame in frames:
        for person in frame["instances"]:
            person["track_id"] = 8 if person["keypoints"][0][0] < 300 else 9
    frames[3]["instances"] = []
    (recording,) = read_mmpose(save(tmp_path, frames))
    assert [track.track_id for track in recording.tracks] == [8, 9]
    assert all(3 not in track.frame_index for track in recording.tracks)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f[2]["instances"][0]["keypoints"].pop(), "expected 17 keypoints of every perso"),
        (lambda f: f[2]["instances"][0]["keypoint_scores"].pop(), "person 4: expected 17 numbers"),
        (lambda f: f[2].update(frame_id=1), "a frame_id appears twice"),
        (lambda f: f[2].update(instances=None), "not iterable"),
        (lambda f: [p["keypoints"].__setitem__(slice(None), [[1, 2, 3]] * 17)
                    for frame in f for p in frame["instances"]], "3-D"),
        (lambda f: [frame["instances"].clear() for frame in f], "nobody in any of its frames"),
    ],
)
def test_damaged_mmpose_is_refused(tmp_path, change, message):
    frames = made.mmpose_frames(PEOPLE)
    change(frames)
    with pytest.raises(FileFormatError, match=message):
        list(read_mmpose(save(tmp_path, frames)))


def test_kinetics_skeleton(tmp_path):
    people = made.write_kinetics(tmp_path / "kinetics_train" / "abc.json")
    (recording,) = read_kinetics_skeleton(tmp_path)
    assert recording.labels == {"clip_id": "abc", "label": "air_drumming", "splits": ["train"]}
    assert (recording.layout.name, recording.image_size) == ("openpose18", (340, 256))
    assert recording.fps == 30
    assert_people(recording, people)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["data"][2]["skeleton"][1]["pose"].pop(), "pose of skeleton 5: expected 36"),
        (lambda c: c["data"][2]["skeleton"][1].pop("score"), "no 'score' in it"),
        (lambda c: c["data"][2].update(frame_index=2), "a frame_index appears twice"),
        (lambda c: c["data"][2].update(frame_index="3"), "frame number 2: expected numbers"),
        (lambda c: c["data"].clear(), "no frames in it"),
    ],
)
def test_damaged_kinetics_skeleton_is_refused(tmp_path, change, message):
    made.write_kinetics(tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text())
    change(content)
    with pytest.raises(FileFormatError, match=message):
        list(read_kinetics_skeleton(save(tmp_path, content)))


def test_a_kinetics_clip_in_which_nobody_was_found_has_no_tracks(tmp_path):
    data = [{"frame_index": t + 1, "skeleton": []} for t in range(5)]
    (recording,) = read_kinetics_skeleton(
        save(tmp_path, {"data": data, "label": "a b", "label_index": 1}))
    assert (recording.num_frames, recording.tracks) == (5, ())

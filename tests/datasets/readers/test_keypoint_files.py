"""What holds for every keypoint format that people bring, on one made-up video in each."""

import copy
import json

import keypoint_files as made
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skelact.datasets.readers.alphapose import find_alphapose, read_alphapose
from skelact.datasets.readers.coco import find_coco, read_coco
from skelact.datasets.readers.kinetics_skeleton import (
    find_kinetics_skeleton,
    read_kinetics_skeleton,
)
from skelact.datasets.readers.mediapipe import find_mediapipe, read_mediapipe
from skelact.datasets.readers.mmpose import find_mmpose, read_mmpose
from skelact.datasets.readers.msr_action3d import find_msr_action3d
from skelact.datasets.readers.nw_ucla import find_nw_ucla
from skelact.datasets.readers.openpose import find_openpose, read_openpose
from skelact.datasets.readers.penn_action import find_penn_action
from skelact.datasets.readers.pose_folder import find_pose_folder
from skelact.datasets.readers.precog16 import find_precog16
from skelact.datasets.readers.ultralytics import find_ultralytics, read_ultralytics
from skelact.datasets.readers.utd_mhad import find_utd_mhad
from skelact.errors import FileFormatError

# name: how to write it (a file or folder below tmp_path / "set"), find, read
FORMATS = {
    "kinetics": ("kinetics_val/clip.json", made.write_kinetics, find_kinetics_skeleton,
                 read_kinetics_skeleton),
    "openpose": ("drum/clip", made.write_openpose, find_openpose, read_openpose),
    "coco": ("drum/clip.json", made.write_coco_annotations, find_coco, read_coco),
    "coco results": ("drum/clip.json", made.write_coco_results, find_coco, read_coco),
    "alphapose": ("drum/clip.json", made.write_alphapose, find_alphapose, read_alphapose),
    "mmpose": ("drum/clip.json", made.write_mmpose, find_mmpose, read_mmpose),
    "mediapipe json": ("drum/clip.json", made.write_mediapipe, find_mediapipe, read_mediapipe),
    "mediapipe csv": ("drum/clip.csv", made.write_mediapipe_csv, find_mediapipe, read_mediapipe),
    "ultralytics": ("drum/labels", made.write_ultralytics, find_ultralytics,
                    lambda path, *rest: read_ultralytics(path, *rest, image_size=made.SIZE)),
}
FINDERS = {find for _, _, find, _ in FORMATS.values()} | {
    find_msr_action3d, find_nw_ucla, find_penn_action, find_pose_folder, find_precog16,
    find_utd_mhad}


@pytest.fixture(params=FORMATS)
def sample(request, tmp_path):
    """The folder of a set, what lies in it, its people, and the two functions of its format."""
    name, write, find, read = FORMATS[request.param]
    place = tmp_path / "set" / name
    people = write(place)
    return tmp_path / "set", place, people, find, read


def test_a_format_is_found_by_its_own_finder_and_no_other(sample):
    root, place, _, find, _ = sample
    for finder in FINDERS:
        assert finder(root) == ([place] if finder is find else []), finder.__name__


def test_people_are_those_that_were_written(sample):
    root, _, people, _, read = sample
    (recording,) = read(root)
    assert recording.dims == 2
    assert recording.num_frames == made.FRAMES
    assert len(recording.tracks) == len(people)
    tracks = sorted(recording.tracks, key=lambda track: track.joints[0, 0, 0])
    for track, person in zip(tracks, people, strict=True):
        np.testing.assert_array_equal(track.frame_index, np.arange(made.FRAMES))
        np.testing.assert_allclose(track.joints, person, rtol=1e-5, atol=1e-3)


def test_the_class_is_that_of_the_file_or_its_folder(sample):
    root, place, _, _, read = sample
    (recording,) = read(root)
    assert recording.labels["label"] in ("drum", "air_drumming")
    assert isinstance(recording.labels["clip_id"], str)
    (alone,) = read(place)
    assert alone.labels["clip_id"]


def test_labels_are_those_of_the_contract(sample):
    root, *_, read = sample
    (recording,) = read(root)
    assert set(recording.labels) <= {"clip_id", "label", "subject", "camera", "setup",
                                     "repetition", "splits", "fps_assumed", "annotations"}
    assert recording.source
    assert isinstance(recording.fps, float)


def test_labels_of_a_table_come_first(sample):
    root, place, _, _, read = sample
    (root / "labels.csv").write_text("file,label,subject,split\ndrum/clip,Air Drums,4,train;a\n")
    (recording,) = read(root)
    facts = {key: recording.labels.get(key) for key in ("label", "subject", "splits")}
    if place.parent.name == "kinetics_val":  # states its own
        assert facts == {"label": "air_drumming", "subject": None, "splits": ["val"]}
    else:
        assert facts == {"label": "air_drums", "subject": 4, "splits": ["train", "a"]}


def test_nothing_of_the_format_is_an_error_that_names_the_place(sample, tmp_path):
    *_, read = sample
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileFormatError, match=r"^no .* in .*empty"):
        list(read(tmp_path / "empty"))


def test_a_damaged_clip_is_refused_and_the_others_are_read(sample):
    root, place, people, _, read = sample
    file = min(place.glob("*")) if place.is_dir() else place
    other = root / "drum2" / place.name
    other.parent.mkdir(parents=True, exist_ok=True)
    next(write for name, write, _, r in FORMATS.values()
         if r is read and name.split("/")[-1] == place.name)(other)
    text = file.read_text()
    file.write_text(text[: text.rindex("1") - 1])  # cut off
    refused = []
    (recording,) = read(root, refused.append)
    assert len(recording.tracks) == len(people)
    (error,) = refused
    assert isinstance(error, FileFormatError)
    assert place.name in str(error)
    with pytest.raises(FileFormatError, match=r"clip|labels"):
        list(read(root))


def _anywhere(draw, content):
    """A random place in nested lists and objects: (container, key)."""
    places = []
    for _ in range(draw(st.integers(1, 8))):
        if isinstance(content, dict) and content:
            key = draw(st.sampled_from(sorted(content)))
        elif isinstance(content, list) and content:
            key = draw(st.integers(0, len(content) - 1))
        else:
            break
        places.append((content, key))
        content = content[key]
    return places[-1] if places else None


JUNK = st.one_of(
    st.none(), st.booleans(), st.text(max_size=4), st.floats(allow_nan=True), st.just([]),
    st.just({}), st.just([[[]]]), st.integers(-5, 5), st.just(10**400), st.just(1e39),
    st.just("1.5"), st.just({"x": 1}), st.just([1, 2, 3]), st.just({"a": {"b": [None]}}),
)


@pytest.mark.parametrize("name", [n for n in FORMATS if n not in ("mediapipe csv", "ultralytics")])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutated_json_gives_recordings_or_a_clear_refusal(name, tmp_path_factory, data):
    place, write, _, read = FORMATS[name]
    folder = tmp_path_factory.mktemp("mutated")
    write(folder / place)
    files = sorted(folder.rglob("*.json"))
    file = data.draw(st.sampled_from(files))
    content = json.loads(file.read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        if spot := _anywhere(data.draw, content):
            container, key = spot
            action = data.draw(st.sampled_from(["replace", "delete", "repeat"]))
            if action == "replace":
                container[key] = copy.deepcopy(data.draw(JUNK))  # junk may be changed in turn
            elif action == "delete":
                del container[key]
            elif isinstance(container, list):
                container.insert(key, container[key])
    file.write_text(json.dumps(content))
    refused = []
    try:
        for recording in read(folder, refused.append):
            for track in recording:
                assert not track.missing.all(axis=0).any()
                assert not np.isinf(track.joints).any()
    except FileFormatError as error:
        refused.append(error)
    assert all(isinstance(error, FileFormatError) and str(folder) in str(error)
               for error in refused)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_cut_and_flipped_text_gives_recordings_or_a_clear_refusal(name, tmp_path_factory, data):
    place, write, _, read = FORMATS[name]
    folder = tmp_path_factory.mktemp("flipped")
    write(folder / place)
    file = data.draw(st.sampled_from(sorted(f for f in folder.rglob("*") if f.is_file())))
    text = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del text[data.draw(st.integers(0, len(text) - 1)):]
    file.write_bytes(text)
    refused = []
    try:
        list(read(folder, refused.append))
    except FileFormatError as error:
        refused.append(error)
    assert all(isinstance(error, FileFormatError) and str(folder) in str(error)
               for error in refused)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"image_id": 1, "keypoints": [', '{"data":['])
def test_deep_nesting_ends_in_an_answer(tmp_path, opening):
    (tmp_path / "deep.json").write_text(opening * 50_000)
    for *_, read in FORMATS.values():
        with pytest.raises(FileFormatError):
            list(read(tmp_path))

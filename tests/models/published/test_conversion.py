"""Published weights as models of ours: the publisher's form of a clip, names, and refusals."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hands import FOUR, held_up

from skelact.config import ClipConfig
from skelact.errors import ChoiceError, WeightsError
from skelact.models.checkpoint import load_model, save_model
from skelact.models.published import read_published
from skelact.models.published.class_names import HAND_GESTURES
from skelact.models.published.conversion import convert_published, find_publisher, published_clip
from skelact.pose.extract import extract
from skelact.recognition.recognizer import Recognizer


@pytest.fixture(scope="module")
def gestures(shared):
    """The published hand gestures: path and reading."""
    path = shared / "weights" / "stgcnpp_hand_gestures_pyskl.pth"
    return path, read_published(path)


@pytest.mark.parametrize(("publisher", "channels", "layout", "dims", "expected"), [
    ("pyskl", 3, "ntu25", 0, (3, 2, 100, "uniform", "canonical_z", "layout")),
    ("pyskl", 3, "coco17", 0, (2, 2, 100, "uniform", "image", "pyskl")),
    ("pyskl", 3, "ntu25", 2, (2, 2, 100, "uniform", "image", "pyskl")),
    ("pyskl", 2, "hand21", 0, (2, 1, 10, "uniform", "image_corner", "layout")),
    ("st-gcn", 3, "ntu25", 0, (3, 2, 300, "pad", "none", "layout")),
    ("st-gcn", 3, "openpose18", 0, (2, 2, 300, "pad", "image_half", "layout")),
    ("2s-agcn", 3, "ntu25", 0, (3, 2, 300, "pad", "canonical_z", "layout")),
    ("ctr-gcn", 3, "ntu25", 0, (3, 2, 64, "resize", "spine", "layout")),
])
def test_clips_are_in_the_form_of_the_publisher(publisher, channels, layout, dims, expected):
    clip = published_clip(publisher, channels, layout, dims)
    assert (clip.dims, clip.people, clip.frames, clip.sampling, clip.normalise,
            clip.bones) == expected
    assert (clip.layout, clip.stream, clip.channels) == (layout, "joint", channels)


def test_clips_that_no_recording_gives_are_refused():
    with pytest.raises(ChoiceError, match=r"2 or 3 channels .* got one of 6"):
        published_clip("pyskl", 6, "ntu25")
    with pytest.raises(ChoiceError, match=r"ctr-gcn published no 2-D weights; pass --clip\.dims 3"):
        published_clip("ctr-gcn", 3, "coco17")


@pytest.mark.parametrize(("key", "network", "publisher"), [
    ("backbone.data_bn.weight", "ctrgcn", "pyskl"), ("cls_head.fc_cls.bias", "stgcn", "pyskl"),
    ("A", "stgcn", "st-gcn"), ("data_bn.weight", "ctrgcn", "ctr-gcn"),
    ("data_bn.weight", "aagcn", "2s-agcn"), ("data_bn.weight", "msg3d", "2s-agcn"),
])
def test_the_publisher_is_told_by_the_names(tmp_path, key, network, publisher):
    torch.save({key: torch.ones(1)}, tmp_path / "weights.pth")
    reading = SimpleNamespace(network=network)
    assert find_publisher(tmp_path / "weights.pth", reading) == publisher


@pytest.mark.shared
def test_a_converted_model_scores_as_published(gestures, shared, tmp_path):
    path, reading = gestures
    clip = published_clip(find_publisher(*gestures), 2, "hand21")
    model = convert_published(path, reading, clip, HAND_GESTURES, absent="zeros")
    restored = load_model(save_model(model, tmp_path / "gestures.pt"))
    assert restored.classes == HAND_GESTURES
    assert restored.clip == clip
    assert restored.data["file"] == path.name
    assert len(restored.data["sha256"]) == 64
    assert "its dilations are 1, 2, 3, 4" in restored.training["assumptions"]
    with np.load(shared / "reference" / "pyskl_hand_gestures" / "io.npz") as file:
        clips = torch.from_numpy(file["x"]).permute(0, 1, 3, 4, 2)
        expected = torch.from_numpy(file["logits"]).softmax(dim=1)
    np.testing.assert_allclose(restored.probabilities(clips), expected, atol=1e-5)


@pytest.mark.shared
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("fingers", "thumb", "name"), [
    (FOUR, "out", "Palm"), (FOUR, "in", "Four"), (("index",), "in", "One"),
    (("index", "middle"), "in", "Two Up"), (("index", "pinky"), "in", "Rock"), ((), "in", "Fist"),
    (("index", "middle", "ring"), "in", "Three-Middle"),
])
def test_drawn_gestures_are_named(gestures, fingers, thumb, name, mirrored):
    clip = published_clip("pyskl", 2, "hand21")
    model = convert_published(*gestures, clip, HAND_GESTURES)
    found = Recognizer(model).recognize(held_up(*fingers, thumb=thumb, mirrored=mirrored))
    (segment,) = found.tracks[0].segments
    assert segment.label == name
    assert segment.score > 0.7


@pytest.mark.shared
def test_a_real_hand_that_waves_is_a_stop_sign_and_one_at_rest_is_none(gestures, shared):
    video = shared / "videos" / "labelled" / "right_hand_wave.mp4"
    recording = extract(video, "mediapipe-hands", start=36, stop=64, stride=2)
    model = convert_published(*gestures, published_clip("pyskl", 2, "hand21"), HAND_GESTURES)
    found = Recognizer(model).recognize(recording)
    by_height = sorted(recording.tracks, key=lambda track: track.boxes[1].mean())
    named = {track.track_id: [s.label for s in track.segments] for track in found.tracks}
    assert [named[track.track_id] for track in by_height] == [["Stop Sign"], ["No Gesture"]]


@pytest.mark.shared
def test_what_does_not_fit_is_refused(gestures):
    clip = published_clip("pyskl", 2, "hand21")
    with pytest.raises(ChoiceError, match="names of 40 classes, got 2: wave, grab"):
        convert_published(*gestures, clip, ("wave", "grab"))
    with pytest.raises(ChoiceError, match="40 different class names, got 'a' twice"):
        convert_published(*gestures, clip, ("a",) * 40)
    with pytest.raises(ChoiceError, match=r"clips of 2 channels .* got 3; --clip\.confidence"):
        convert_published(*gestures, ClipConfig(layout="hand21", dims=2))
    with pytest.raises(ChoiceError, match=r"threshold in 0\.\.1"):
        convert_published(*gestures, clip, (), 2)
    with pytest.raises(WeightsError, match="takes no colour"):
        convert_published(*gestures, clip, colour="red")
    model = convert_published(*gestures, clip)
    assert model.classes[:2] == ("class_0", "class_1")
    assert len(model.classes) == 40


@pytest.mark.shared
def test_person_slots_that_are_normalised_apart_limit_the_people(shared):
    path = shared / "reference" / "pyskl_ctrgcn_ntu25" / "checkpoint.pth"
    reading = read_published(path)
    clip = published_clip("pyskl", 3, "ntu25")
    assert reading.arguments["norm_slots"] == 2
    assert convert_published(path, reading, clip).clip.people == 2
    with pytest.raises(ChoiceError, match=r"at most 2 people.*got --clip\.people 3"):
        convert_published(path, reading, ClipConfig(layout="ntu25", dims=3, people=3))

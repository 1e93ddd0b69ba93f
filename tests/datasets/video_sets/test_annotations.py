"""Annotation files of video data sets, written here in their published forms."""

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from annotation_lists import (
    ACTIVITYNET,
    AVA,
    EPIC,
    HMDB51,
    KINETICS,
    KINETICS_BOXES,
    SOMETHING,
    UCF101,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.datasets.splits import select_rows
from skelact.datasets.video_clips import Annotation
from skelact.datasets.video_sets import VIDEO_SETS
from skelact.datasets.video_sets.activitynet import list_activitynet
from skelact.datasets.video_sets.annotation_files import seconds
from skelact.datasets.video_sets.ava import list_ava, list_ava_kinetics, read_label_map
from skelact.datasets.video_sets.epic_kitchens import list_epic_kitchens
from skelact.datasets.video_sets.hmdb51 import list_hmdb51
from skelact.datasets.video_sets.kinetics import list_kinetics
from skelact.datasets.video_sets.something_something import list_something_something
from skelact.datasets.video_sets.ucf101 import list_ucf101
from skelact.errors import ChoiceError, FileFormatError


def by_id(clips) -> dict:
    assert len({clip.clip_id for clip in clips}) == len(clips)
    return {clip.clip_id: clip for clip in clips}


def test_ucf101(tmp_path):
    clips = by_id(list_ucf101(write(tmp_path, UCF101)))
    assert len(clips) == 3
    clip = clips["v_HandStandPushups_g25_c07"]  # the file is spelled otherwise than its class
    assert clip.video == "HandstandPushups/v_HandStandPushups_g25_c07"
    assert (clip.label, clip.splits) == ("handstand_pushups", ("train1",))
    assert dict(clip.facts) == {"subject": 25}
    assert clips["v_YoYo_g01_c02"].splits == ("test1", "train2")
    assert clips["v_ApplyEyeMakeup_g08_c01"].label == "apply_eye_makeup"


def test_hmdb51(tmp_path):
    clips = by_id(list_hmdb51(write(tmp_path, HMDB51)))
    assert {clip.label for clip in clips.values()} == {"brush_hair"}
    assert clips["a_(x)_brush_hair_u_nm_np1_ba_goo_0"].splits == ("train1", "test2")
    assert clips["b_brush"].splits == ("test1", "train2")
    assert clips["c_brush"].splits == ("train2",)
    assert clips["c_brush"].video == "brush_hair/c_brush"
    assert len({clip.facts["subject"] for clip in clips.values()}) == 3


def test_clips_of_a_movie_of_hmdb51_are_held_out_together(tmp_path):
    movies = [f"April_{i:02}_(x)" for i in range(30)]
    lists = {f"{name}_test_split1.txt": "".join(
        f"{movie}_{written}_u_{camera}_np1_ba_goo_{n}.avi 1\n"
        for movie in movies for n, camera in enumerate(("nm", "cm", "cm")))
        for name, written in (("brush_hair", "brush_hair"), ("hair", "hair"),
                              ("shoot_bow", "Hair"))}  # a few files are called by another class
    clips = list_hmdb51(write(tmp_path, lists))
    table = {"clip_id": np.array([clip.clip_id for clip in clips]),
             "label": np.array([["brush_hair", "hair", "shoot_bow"].index(clip.label)
                                for clip in clips]),
             "subject": np.array([clip.facts["subject"] for clip in clips]),
             "source": np.array([clip.video for clip in clips]),
             "splits": [clip.splits for clip in clips]}
    train, val = ({re.match(r"April_\d+", table["clip_id"][row])[0]
                   for row in select_rows(table, part, dataset="hmdb51")}
                  for part in ("train", "val"))
    assert (len(train), len(val)) == (27, 3)
    assert train.isdisjoint(val)


def test_kinetics(tmp_path):
    clips = by_id(list_kinetics(write(tmp_path, KINETICS)))
    assert len(clips) == 3  # the test clip has no label
    clip = clips["_9aBcDeFgH0_000054_000064"]
    assert (clip.video, clip.start, clip.end, clip.cut_at) == ("_9aBcDeFgH0", 54.0, 64.0, 54.0)
    assert (clip.label, clip.splits) == ("catching_or_throwing_baseball", ("train",))
    assert clips["zzzzzzzzzzz_000003_000013"].splits == ("val",)
    assert "--0edUL8zmA_000000_000010" in clips


def test_something_something(tmp_path):
    clips = by_id(list_something_something(write(tmp_path, SOMETHING)))
    assert {clip: (of.label, of.splits) for clip, of in clips.items()} == {
        "78687": ("holding_something_next_to_something", ("train",)),
        "74225": ("spinning_something_that_quickly_stops_spinning", ("val",))}


def test_epic_kitchens(tmp_path):
    clips = by_id(list_epic_kitchens(write(tmp_path, EPIC)))
    assert clips["P01_01"].annotations == (Annotation("open", 0.14, 3.37),
                                           Annotation("turn_on", 64.37, 66.17))
    assert (clips["P01_01"].splits, clips["P37_101"].splits) == (("train",), ("val",))
    assert dict(clips["P37_101"].facts) == {"subject": 37}
    assert clips["P01_01"].label is None
    actions = by_id(list_epic_kitchens(tmp_path, target="action"))
    assert [part.label for part in actions["P01_01"].annotations] == ["open_door",
                                                                      "turn_on_noun_114"]
    (tmp_path / "EPIC_100_verb_classes.csv").unlink()
    assert by_id(list_epic_kitchens(tmp_path))["P37_101"].annotations[0].label == "verb_0"
    with pytest.raises(ChoiceError, match="verb, noun, action"):
        list_epic_kitchens(tmp_path, target="thing")


def test_activitynet(tmp_path):
    clips = by_id(list_activitynet(write(tmp_path, ACTIVITYNET)))
    assert set(clips) == {"sJFgo9H6zNo", "V1zhqaGFY2A"}
    assert clips["V1zhqaGFY2A"].annotations == (Annotation("tai_chi", 1, 9.5),
                                                Annotation("tai_chi", 11, 19))
    assert clips["V1zhqaGFY2A"].video == "v_V1zhqaGFY2A"
    assert clips["sJFgo9H6zNo"].splits == ("train",)


def test_ava(tmp_path):
    clips = by_id(list_ava(write(tmp_path, AVA | KINETICS_BOXES)))
    box = (0.077, 0.151, 0.283, 0.811)
    assert clips["-5KQ66BBWC4"].annotations == (
        Annotation("watch_a_person", 902, 903, box), Annotation("answer_phone", 902, 903, box),
        Annotation("stand", 903, 904, (0.226, 0.032, 0.366, 0.497)))  # second 904 is excluded
    assert clips["-5KQ66BBWC4"].cut_at == 900
    assert clips["1j20qq1JyX4"].splits == ("val",)
    assert set(clips) == {"-5KQ66BBWC4", "1j20qq1JyX4"}
    evaluated = by_id(list_ava(tmp_path, evaluated_only=True))["-5KQ66BBWC4"].annotations
    assert [part.label for part in evaluated] == ["watch_a_person", "stand"]


SHORTER = "ava_action_list_v2.2_for_activitynet_2019.pbtxt"


@pytest.mark.parametrize("shorter", [None, AVA["ava_action_list_v2.2.pbtxt"],
                                     'item { name: "stand" id: 13 }'])
def test_evaluated_classes_of_ava_need_the_shorter_label_map(tmp_path, shorter):
    write(tmp_path, AVA, **{SHORTER: shorter})
    assert len(list_ava(tmp_path)) == 2
    with pytest.raises(FileFormatError, match=f"expected .* that of 60 .*{SHORTER}"):
        list_ava(tmp_path, evaluated_only=True)


def test_evaluated_classes_of_ava_are_told_by_their_number(tmp_path):
    write(tmp_path, AVA, **{SHORTER: 'item { name: "stand up straight" id: 12 }'})
    clips = by_id(list_ava(tmp_path, evaluated_only=True))
    assert {part.label for clip in clips.values() for part in clip.annotations} == {"stand"}


def test_ava_kinetics(tmp_path):
    clips = by_id(list_ava_kinetics(write(tmp_path, AVA | KINETICS_BOXES)))
    assert set(clips) == {"-5KQ66BBWC4", "1j20qq1JyX4", "zzzzzzzzzzz"}
    assert clips["zzzzzzzzzzz"].cut_at is None
    assert clips["zzzzzzzzzzz"].annotations[0].start == 4


@pytest.mark.parametrize("text", [
    'label { name: "a b" label_id: 1 label_type: X }label{label_id:2 name:"c {not really}"}',
    "# comment { name\nitem {\n id: 1\n\n name: 'a b' }\nitem { name: \"c\" id: 2 }",
    'item{name:"a b"id:1}item{name:"c"id:2}',
])
def test_label_maps_are_read_whatever_their_spacing(tmp_path, text):
    file = tmp_path / "map.pbtxt"
    file.write_text(text.replace("{not really}", ""))
    assert read_label_map(file) == {1: "a_b", 2: "c"}


@pytest.mark.parametrize("text", ["", "nothing", 'label { name: "a" }', "label { label_id: 3 }",
                                  'item { name: "a" id: 1 } item { name: "b" id: 1 }'])
def test_what_is_no_label_map_is_refused(tmp_path, text):
    file = tmp_path / "map.pbtxt"
    file.write_text(text)
    with pytest.raises(FileFormatError, match=r"map\.pbtxt"):
        read_label_map(file)


@pytest.mark.parametrize(("text", "value"), [("00:01:04.37", 64.37), ("0902", 902), (1.5, 1.5),
                                             ("1:00:00", 3600)])
def test_seconds(text, value):
    assert seconds(text) == pytest.approx(value)


MALFORMED = [
    ("ucf101", UCF101, "trainlist01.txt", 3, "ApplyEyeMakeup/v_ApplyEyeMakeup_g08.avi 1"),
    ("ucf101", UCF101, "trainlist01.txt", 3, "YoYo/v_YoYo_g08_c02.avi 2"),
    ("ucf101", UCF101, "testlist01.txt", 2, "Jumping/v_Jumping_g08_c02.avi"),
    ("ucf101", UCF101, "classInd.txt", 5, "three ThreeThings"),
    ("hmdb51", HMDB51, "brush_hair_test_split1.txt", 4, "d_brush.avi 3"),
    ("hmdb51", HMDB51, "brush_hair_test_split1.txt", 4, "d_brush.avi"),
    ("kinetics400", KINETICS, "train.csv", 4, "zumba,abc,10,0,train"),
    ("kinetics400", KINETICS, "train.csv", 4, "zumba,abc,nan,10,train"),
    ("kinetics400", KINETICS, "train.csv", 4, "zumba,abc,0,10"),
    ("epic_kitchens100", EPIC, "EPIC_100_train.csv", 4, "P01_01_2,P01,P01_01,,x,00:00:03.37,1,2"),
    ("epic_kitchens100", EPIC, "EPIC_100_train.csv", 4,
     "P01_01_2,someone,P01_01,,00:00:01,00:00:03.37,1,2,a,b,3,c,4"),
    ("ava", AVA, "ava_train_v2.2.csv", 5, "-5KQ66BBWC4,0905,0.2,0.1,0.1,0.5,12,0"),
    ("ava", AVA, "ava_train_v2.2.csv", 5, "-5KQ66BBWC4,0905,0.1,0.1,0.2,1.5,12,0"),
    ("ava", AVA, "ava_train_v2.2.csv", 5, "-5KQ66BBWC4,0905,0.1,0.1,0.2,0.5,13,0"),
    ("ava", AVA, "ava_train_v2.2.csv", 5, "-5KQ66BBWC4,then,0.1,0.1,0.2,0.5,12,0"),
    ("ava", AVA, "ava_train_excluded_timestamps_v2.2.csv", 3, "only_a_name"),
]


@pytest.mark.parametrize(("name", "files", "file", "line", "text"), MALFORMED)
def test_a_malformed_line_is_named_and_the_rest_is_read(tmp_path, name, files, file, line, text):
    list_clips = VIDEO_SETS[name].list_clips
    whole = list_clips(write(tmp_path, files))
    (tmp_path / file).write_text(files[file] + text + "\n")
    refused = []
    assert list_clips(tmp_path, refused.append) == whole
    assert len(refused) == 1
    assert f"{file}, line {line}: " in str(refused[0])
    with pytest.raises(FileFormatError, match=f"line {line}"):
        list_clips(tmp_path)


@pytest.mark.parametrize(("name", "files", "file", "content", "place"), [
    ("something_something_v2", SOMETHING, "something-something-v2-train.json",
     [{"id": "1"}], "entry 1: no 'template'"),
    ("something_something_v2", SOMETHING, "something-something-v2-train.json",
     [{"id": "1", "template": "Eating [something]"}], "entry 1: the template is not in"),
    ("something_something_v2", SOMETHING, "something-something-v2-train.json", [7], "entry 1"),
    ("activitynet", ACTIVITYNET, "activity_net.v1-3.min.json",
     {"database": {"x": {"subset": "dev", "annotations": []}}}, "video x: expected a subset"),
    ("activitynet", ACTIVITYNET, "activity_net.v1-3.min.json",
     {"database": {"x": {"subset": "training", "annotations": [{"segment": [3], "label": "a"}]}}},
     "video x"),
    ("activitynet", ACTIVITYNET, "activity_net.v1-3.min.json",
     {"database": {"x": {"subset": "training", "annotations": [{"segment": [3, 2],
                                                                "label": "a"}]}}}, "video x"),
])
def test_a_malformed_entry_is_named(tmp_path, name, files, file, content, place):
    write(tmp_path, files, **{file: content})
    refused = []
    VIDEO_SETS[name].list_clips(tmp_path, refused.append)
    assert [place in str(error) and file in str(error) for error in refused] == [True]


@pytest.mark.parametrize(("name", "files", "file", "content"), [
    ("something_something_v2", SOMETHING, "something-something-v2-train.json", "{"),
    ("something_something_v2", SOMETHING, "something-something-v2-train.json", {}),
    ("something_something_v2", SOMETHING, "something-something-v2-labels.json", "[" * 100_000),
    ("activitynet", ACTIVITYNET, "activity_net.v1-3.min.json", {"videos": {}}),
    ("kinetics600", KINETICS, "train.csv", "id,label\n1,zumba\n"),
    ("ucf101", UCF101, "classInd.txt", None),
    ("hmdb51", HMDB51, "brush_hair_test_split1.txt", "no list"),
    ("ava", AVA, "ava_action_list_v2.2.pbtxt", "label { }"),
])
def test_a_file_of_another_kind_is_refused(tmp_path, name, files, file, content):
    write(tmp_path, files, **{file: content})
    with pytest.raises(FileFormatError) as caught:
        VIDEO_SETS[name].list_clips(tmp_path)
    assert file in str(caught.value)


@pytest.mark.parametrize("name", VIDEO_SETS)
def test_a_folder_without_annotations_says_which_are_wanted(tmp_path, name):
    with pytest.raises(FileFormatError, match=f"in {tmp_path}; expected the "):
        VIDEO_SETS[name].list_clips(tmp_path)


@given(data=st.data())
@settings(max_examples=75, deadline=None)
def test_damaged_files_raise_nothing_but_a_named_error(data):
    """Bytes of any annotation file are replaced, dropped or added."""
    name, files = data.draw(st.sampled_from([
        ("ucf101", UCF101), ("hmdb51", HMDB51), ("kinetics700", KINETICS),
        ("something_something_v2", SOMETHING), ("epic_kitchens100", EPIC),
        ("activitynet", ACTIVITYNET), ("ava_kinetics", AVA | KINETICS_BOXES)]))
    with tempfile.TemporaryDirectory() as folder:
        folder = write(Path(folder), files)
        damaged = folder / data.draw(st.sampled_from(sorted(files)))
        content = damaged.read_bytes()
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.integers(start, min(start + 40, len(content))))
        junk = data.draw(st.one_of(
            st.binary(max_size=20),
            st.sampled_from([b"-1", b"1e999", b"nan", b"99999999999999999999", b"null", b"[", b'"',
                             b"\x00", b"\n", b",,,", b"{}"])))
        damaged.write_bytes(content[:start] + junk + content[stop:])
        refused = []
        try:
            VIDEO_SETS[name].list_clips(folder, refused.append)
        except FileFormatError as error:
            refused.append(error)
        assert all(str(folder) in str(error) for error in refused)

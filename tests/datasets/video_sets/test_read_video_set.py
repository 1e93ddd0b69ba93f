"""Video data sets from their videos and annotation files to recordings."""

import numpy as np
import pytest
from annotation_lists import AVA, EPIC, KINETICS, KINETICS_BOXES, UCF101, write
from dots import SIZE, DotEstimator, dots_video
from videos import make_video

from skelact.datasets.splits import select_rows
from skelact.datasets.video_sets import VIDEO_SETS, read_video_set
from skelact.errors import ChoiceError, FileFormatError


@pytest.fixture
def annotations(tmp_path):
    folder = tmp_path / "annotations"
    folder.mkdir()
    return folder


def read(name, annotations, refuse=None, estimator=None, **options) -> dict:
    """Recordings by clip id."""
    root = annotations.parent
    more = options if refuse is None else {"refuse": refuse, **options}
    found = read_video_set(name, root / "videos", annotations, root / "poses",
                           estimator or DotEstimator(), **more)
    return {recording.labels["clip_id"]: recording for recording in found}


def test_ucf101_with_a_missing_and_an_empty_video(annotations):
    write(annotations, UCF101)
    videos = annotations.parent / "videos"
    dots_video(videos / "ApplyEyeMakeup" / "v_ApplyEyeMakeup_g08_c01.avi.mp4", frames=2)
    dots_video(videos / "HandstandPushups" / "v_HandStandPushups_g25_c07.mp4", frames=5)
    make_video(videos / "v_YoYo_g01_c02.mp4", [np.zeros((48, 64, 3), np.uint8)] * 3)
    refused = []
    recordings = read("ucf101", annotations, refused.append)
    assert list(recordings) == ["v_HandStandPushups_g25_c07"]
    assert recordings["v_HandStandPushups_g25_c07"].labels == {
        "clip_id": "v_HandStandPushups_g25_c07", "label": "handstand_pushups", "subject": 25,
        "splits": ["train1"], "video_start": 0.0}
    assert len(refused) == 2
    assert "1 of 3 clips lack theirs" in str(refused[0])
    assert "nobody was found" in str(refused[1])
    with pytest.raises(FileFormatError, match="1 of 3 clips lack theirs"):
        read("ucf101", annotations)


def test_kinetics_as_clips_as_whole_videos_and_as_renamed_clips(annotations):
    write(annotations, KINETICS)
    videos = annotations.parent / "videos"
    dots_video(videos / "air drumming" / "--0edUL8zmA_000000_000010.mp4", frames=50, fps=5)
    dots_video(videos / "_9aBcDeFgH0.mp4", frames=70, fps=1, step=1)
    dots_video(videos / "zzzzzzzzzzz.mp4", frames=50, fps=5)
    recordings = read("kinetics400", annotations)
    assert {clip: of.num_frames for clip, of in recordings.items()} == {
        "--0edUL8zmA_000000_000010": 50, "_9aBcDeFgH0_000054_000064": 10,
        "zzzzzzzzzzz_000003_000013": 50}
    cut = recordings["_9aBcDeFgH0_000054_000064"]
    assert cut.timestamps[0] == 0
    np.testing.assert_allclose(cut.tracks[0].boxes[0], 10 + 54 + np.arange(10), atol=1)


def test_epic_kitchens_stays_whole_with_its_segments(annotations):
    write(annotations, EPIC)
    videos = annotations.parent / "videos"
    dots_video(videos / "P01" / "videos" / "P01_01.mp4", frames=70, fps=1, step=1)
    dots_video(videos / "P37" / "videos" / "P37_101.mp4", frames=10, fps=5)
    recordings = read("epic_kitchens100", annotations, target="action")
    assert recordings["P01_01"].num_frames == 70
    assert recordings["P01_01"].labels["annotations"] == [
        {"label": "open_door", "start": 0.14, "end": 3.37},
        {"label": "turn_on_noun_114", "start": 64.37, "end": 66.17}]
    columns = {"clip_id": np.array(list(recordings)),
               "splits": [of.labels["splits"] for of in recordings.values()]}
    tested = select_rows(columns, "test", dataset="epic_kitchens100")
    assert columns["clip_id"][tested].tolist() == ["P37_101"]


def test_ava_boxes_become_pixels_and_find_their_tracks(annotations):
    """A movie cut to its annotated part: second 900 is the first of the file."""
    width, height = SIZE
    video = "-5KQ66BBWC4"
    dots_video(annotations.parent / "videos" / f"{video}.mp4", frames=50, fps=10)  # step 20 px/s
    rows = []
    for second, left in ((902, 50), (903, 70), (903, 130), (904, 90)):
        box = (left / width, 24 / height, (left + 16) / width, 72 / height)
        rows.append(f"{video},{second:04},{','.join(f'{side:.3f}' for side in box)},12,0\n")
        rows.append(f"{video},{second:04},{','.join(f'{side:.3f}' for side in box)},80,0\n")
    write(annotations, AVA, **{"ava_train_v2.2.csv": "".join(rows), "ava_val_v2.2.csv": ""})
    [recording] = read("ava", annotations).values()
    assert recording.labels["splits"] == ["train"]
    shown = recording.labels["annotations"]
    assert [(part["label"], part["start"]) for part in shown] == [
        (label, second) for second in (2, 3, 3) for label in ("stand", "watch_a_person")]
    np.testing.assert_allclose(shown[0]["box"], (50, 24, 66, 72), atol=0.2)
    first = recording.tracks[0].track_id
    assert [part.get("track_id") for part in shown] == [first] * 4 + [None] * 2
    assert all(part["end"] == part["start"] + 1 for part in shown)


def test_clips_of_ava_kinetics_keep_the_clock_of_their_video(annotations):
    write(annotations, AVA | KINETICS_BOXES)
    dots_video(annotations.parent / "videos" / "zzzzzzzzzzz_000003_000013.mp4", frames=50, fps=5)
    refused = []
    [recording] = read("ava_kinetics", annotations, refused.append).values()
    assert recording.labels["annotations"][0]["start"] == pytest.approx(1.0)
    assert len(refused) == 2


def test_a_second_reading_extracts_nothing(annotations):
    write(annotations, UCF101)
    dots_video(annotations.parent / "videos" / "v_YoYo_g01_c02.mp4", frames=4)
    estimator, again = DotEstimator(), DotEstimator()
    first = read("ucf101", annotations, lambda error: None, estimator)
    second = read("ucf101", annotations, lambda error: None, again)
    assert (estimator.resets, again.resets) == (1, 0)
    np.testing.assert_array_equal(first["v_YoYo_g01_c02"].joints(),
                                  second["v_YoYo_g01_c02"].joints())


def test_wrong_names_and_folders_are_refused(annotations, tmp_path):
    with pytest.raises(ChoiceError, match="a video data set to be one of ucf101, hmdb51"):
        read("ucf_101", annotations)
    with pytest.raises(FileFormatError, match="expected a folder of annotation files, got"):
        read("ucf101", tmp_path / "absent")
    write(annotations, UCF101)
    with pytest.raises(FileFormatError, match="no videos in"):
        read("ucf101", annotations)


def test_every_video_set_says_what_it_is():
    assert all(known.what for known in VIDEO_SETS.values())
    assert set(VIDEO_SETS) >= {"ucf101", "hmdb51", "kinetics400", "kinetics600", "kinetics700",
                               "something_something_v2", "epic_kitchens100", "activitynet", "ava",
                               "ava_kinetics"}

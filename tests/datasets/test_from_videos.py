"""Custom data: a folder of labelled videos becomes recordings."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dots import DotEstimator, dots_video
from videos import grey_images, make_video

from skelact.datasets.from_videos import find_labelled_videos, read_labelled_videos
from skelact.errors import FileFormatError
from skelact.pose.files import read_options


@pytest.fixture
def classes(tmp_path) -> Path:
    root = tmp_path / "mydata"
    for i, path in enumerate(("Jump Rope/one.mp4", "Jump Rope/two.mp4", "clap/deep/three.mp4")):
        dots_video(root / path, frames=6, starts=(10 + 5 * i,))
    return root


@pytest.fixture
def table(tmp_path) -> Path:
    root = tmp_path / "mydata"
    dots_video(root / "videos" / "a.mp4", frames=10)
    dots_video(root / "videos" / "sub" / "b.mp4", frames=6, starts=(30,))
    (root / "labels.csv").write_text(
        "file,label,subject,camera,setup,split,start,end\n"
        "a.mp4,Jump,zoe,2,,train,,\n"
        "videos/sub/b.mp4,clap,adam,1,5,test;mine,,\n"
        "a.mp4,clap,zoe,2,,train,0.1,0.3\n")
    return root


def read(root, tmp_path, refuse=None, estimator=None):
    more = {} if refuse is None else {"refuse": refuse}
    return list(read_labelled_videos(root, tmp_path / "poses", estimator or DotEstimator(), **more))


def test_a_folder_a_class(classes, tmp_path):
    assert len(find_labelled_videos(classes)) == 3
    recordings = {of.labels["clip_id"]: of for of in read(classes, tmp_path)}
    assert {clip: of.labels["label"] for clip, of in recordings.items()} == {
        "Jump Rope/one": "jump_rope", "Jump Rope/two": "jump_rope", "clap/deep/three": "clap"}
    for clip, recording in recordings.items():
        assert recording.num_frames == 6
        assert recording.fps == pytest.approx(25)
        assert recording.labels["splits"] == []
        assert not recording.labels.keys() & {"fps_assumed", "subject", "annotations"}
        assert (tmp_path / "poses" / f"{clip}.npz").is_file()


def test_folders_of_train_and_test(classes, tmp_path):
    for part in ("train", "test"):
        dots_video(tmp_path / "divided" / part / "clap" / f"{part}.mp4", frames=4)
    labels = [of.labels for of in read(tmp_path / "divided", tmp_path)]
    assert {(of["label"], *of["splits"]) for of in labels} == {("clap", "train"), ("clap", "test")}


def test_a_table(table, tmp_path):
    assert len(find_labelled_videos(table)) == 2
    estimator = DotEstimator()
    recordings = {of.labels["clip_id"]: of for of in read(table, tmp_path, estimator=estimator)}
    assert {clip: of.labels for clip, of in recordings.items()} == {
        "a": {"clip_id": "a", "label": "jump", "subject": 2, "camera": 2, "splits": ["train"],
              "video_start": 0.0},
        "sub/b": {"clip_id": "sub/b", "label": "clap", "subject": 1, "camera": 1, "setup": 5,
                  "splits": ["test", "mine"], "video_start": 0.0},
        "a_0.1_0.3": {"clip_id": "a_0.1_0.3", "label": "clap", "subject": 2, "camera": 2,
                      "splits": ["train"], "video_start": 0.12}}  # its first frame
    assert [recordings[clip].num_frames for clip in ("a", "sub/b", "a_0.1_0.3")] == [10, 6, 5]
    assert estimator.resets == 2  # a video with two clips is looked at once


def test_a_table_beside_the_videos(tmp_path):
    dots_video(tmp_path / "in" / "a.mp4", frames=4)
    (tmp_path / "in" / "labels.csv").write_text("label,file\njump,a\n", encoding="utf-8-sig")
    assert [of.labels["label"] for of in read(tmp_path / "in", tmp_path)] == ["jump"]


def test_every_row_of_a_table_has_an_id_of_its_own(tmp_path):
    root = tmp_path / "in"
    names = ["a.mp4", "a.mkv", "b.mp4", "take.v1.mp4", "take.v2.mp4"]
    for name in names:
        dots_video(root / "videos" / name, frames=4)
    for name, start in (("long", 1234), ("late", 123456)):
        dots_video(root / "videos" / f"{name}_{start:06}_{start + 5:06}.mp4", frames=50)
    rows = ["a.mp4", "videos/a.mkv", "./b.mp4", "take.v1", "take.v2", "long,1234.501,1235.001",
            "long,1234.502,1235.002", "late,123456,123457", "late,123456.25,123457", "b,0.0,0.10"]
    (root / "labels.csv").write_text("label,file,start,end\n" + "".join(
        f"jump,{row}\n" if "," in row else f"jump,{row},,\n" for row in rows))
    assert {of.labels["clip_id"] for of in read(root, tmp_path)} == {
        "a.mp4", "a.mkv", "b", "take.v1", "take.v2", "long_1234.501_1235.001",
        "long_1234.502_1235.002", "late_123456_123457", "late_123456.25_123457", "b_0_0.1"}


def test_what_cannot_be_used_is_refused_with_the_reason(classes, tmp_path):
    make_video(classes / "clap" / "empty.mp4", grey_images(4))
    (classes / "clap" / "broken.mp4").write_bytes(b"no video" * 99)
    dots_video(classes / "stray.mp4", frames=4)
    assert find_labelled_videos(classes) == []  # a video outside of any class
    (classes / "stray.mp4").unlink()
    refused = []
    assert len(read(classes, tmp_path, refused.append)) == 3
    assert sorted(map(str, refused))[0].startswith("clip clap/broken: ")
    assert "clip clap/empty: nobody was found in" in str(refused[1])
    with pytest.raises(FileFormatError, match="broken"):
        read(classes, tmp_path)


@pytest.mark.parametrize(("row", "said"), [
    ("gone.mp4,jump,,,,,,", "lacks the video gone.mp4 of clip gone; 1 of 4 clips"),
    (",jump,,,,,,", "line 5: expected a file and a label"),
    ("a.mp4,--,,,,,,", "line 5: expected a file and a label"),
    ("a.mp4,jump,,left,,,,", "line 5: invalid literal"),
    ("a.mp4,jump,,,,,3,2", "line 5: expected a start before the end"),
    ("a.mp4,jump,,,,,3,", "line 5: expected both start and end, or neither"),
    ("a.mp4,jump,,,,,9,10", "no frame from second 9 to 10"),
    ("../../a.mp4,jump,,,,,,", "lacks the video ../../a.mp4"),
    ("other/a.mp4,jump,,,,,,", "lacks the video other/a.mp4"),
    ("a.mp4,jump,,,,,,", "clip a stands twice"),
])
def test_rows_that_cannot_be_used_are_refused(table, tmp_path, row, said):
    with open(table / "labels.csv", "a") as file:
        file.write(row + "\n")
    refused = []
    assert len(read(table, tmp_path, refused.append)) == 3
    assert len(refused) == 1
    assert said in str(refused[0])


@pytest.mark.parametrize("make", [
    lambda root: None,
    lambda root: dots_video(root / "one.mp4", frames=2),
    lambda root: (root / "notes.txt").write_text("nothing"),
    lambda root: (root / "labels.csv").write_text("file,label\na.mp4,jump\n"),
])
def test_another_kind_of_folder_is_refused(tmp_path, make):
    root = tmp_path / "in"
    root.mkdir()
    make(root)
    assert find_labelled_videos(root) == []
    with pytest.raises(FileFormatError, match=r"to hold class_name/\*\.mp4, or videos/ and a"):
        read(root, tmp_path)
    assert find_labelled_videos(tmp_path / "absent") == []


def test_classes_that_would_become_one_are_refused(tmp_path):
    for name in ("arm+", "arm-"):
        dots_video(tmp_path / "in" / name / "a.mp4", frames=2)
    with pytest.raises(FileFormatError, match=r"'arm\+' and 'arm-' would both be called 'arm'"):
        read(tmp_path / "in", tmp_path)


def test_a_table_without_its_columns_is_refused(table, tmp_path):
    (table / "labels.csv").write_text("video,class\na.mp4,jump\n")
    with pytest.raises(FileFormatError, match=r"labels\.csv, line 1: expected the columns file"):
        read(table, tmp_path)
    (table / "labels.csv").write_text("file,label,splits\na.mp4,jump,train\n")
    with pytest.raises(FileFormatError, match=r"expected no columns but file, label, .*got splits"):
        read(table, tmp_path)


def test_a_second_reading_extracts_nothing(classes, tmp_path):
    read(classes, tmp_path)
    estimator = DotEstimator()
    assert len(read(classes, tmp_path, estimator=estimator)) == 3
    assert estimator.batches == []


def test_after_a_kill_only_the_rest_is_extracted(classes, tmp_path):
    program = (
        "import sys, time\nfrom dots import DotEstimator\n"
        "from skelact.datasets.from_videos import read_labelled_videos\n"
        "class Slow(DotEstimator):\n"
        "    def estimate(self, images):\n"
        "        if self.resets == 2:\n"
        "            print('second video', flush=True); time.sleep(60)\n"
        "        return super().estimate(images)\n"
        "list(read_labelled_videos(sys.argv[1], sys.argv[2], Slow()))\n")
    tests = str(Path(__file__).parents[1])
    with subprocess.Popen([sys.executable, "-c", program, classes, tmp_path / "poses"],
                          stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": tests}) as run:
        assert run.stdout.readline().startswith(b"second video")  # of each thread
        run.send_signal(signal.SIGKILL)
    made = [path for path in (tmp_path / "poses").rglob("*") if path.is_file()]
    assert [path.name for path in made] == ["one.npz"]  # whole, and nothing half written
    written = made[0].stat().st_mtime_ns
    estimator = DotEstimator()
    assert len(read(classes, tmp_path, estimator=estimator)) == 3
    assert estimator.resets == 2
    assert made[0].stat().st_mtime_ns == written


@pytest.mark.shared
def test_a_real_video_with_mediapipe(shared, tmp_path):
    folder = tmp_path / "in" / "squat"
    folder.mkdir(parents=True)
    os.symlink(shared / "videos" / "labelled" / "squats.mp4", folder / "squats.mp4")
    [recording] = read(tmp_path / "in", tmp_path, estimator="mediapipe")
    assert recording.labels == {"clip_id": "squat/squats", "label": "squat", "splits": [],
                                "video_start": 0.0}
    assert len(recording.tracks) == 1
    assert len(recording.tracks[0]) > 0.8 * recording.num_frames
    options = read_options(tmp_path / "poses" / "squat" / "squats.npz")
    assert options["estimator"]["estimator"] == "mediapipe"

"""Clips of videos: found, cut, labelled; what is missing is said."""

import logging
import shutil

import numpy as np
import pytest
from dots import DotEstimator, dots_video
from recordings import walking
from videos import grey_images, make_video

from skelact.datasets.video_clips import (
    Annotation,
    VideoClip,
    VideoFolder,
    cut_recording,
    read_clips,
    show_clip,
)
from skelact.errors import FileFormatError
from skelact.pose.cache import PoseCache


def test_a_cut_keeps_the_frames_within_and_starts_at_zero():
    whole = walking(frames=50, people=2, first=10, fps=25.0)
    part = cut_recording(whole, 0.2, 1.0)  # frames 5 to 24; people from frame 10 on
    assert part.num_frames == 20
    np.testing.assert_allclose(part.timestamps, np.arange(20) / 25, atol=1e-12)
    for short, long in zip(part, whole, strict=True):
        np.testing.assert_array_equal(short.frame_index, np.arange(5, 20))
        np.testing.assert_array_equal(short.joints, long.joints[..., :15])
        np.testing.assert_array_equal(short.boxes, long.boxes[:, :15])
    assert whole.num_frames == 50
    assert cut_recording(whole, 0.0, 0.3).tracks == ()
    assert cut_recording(whole, 5.0, 6.0).num_frames == 0
    everything = cut_recording(whole, 0.0, 99.0)
    np.testing.assert_array_equal(everything.joints(), whole.joints())


def test_a_clip_without_frames_or_people_is_refused():
    whole = walking(frames=50, first=25, source="a.mp4")
    with pytest.raises(FileFormatError, match=r"clip x: a\.mp4 has no frame from second 9 to 10"):
        show_clip(whole, VideoClip("x", "a", start=9.0, end=10.0))
    with pytest.raises(FileFormatError, match=r"clip x: nobody was found in a\.mp4"):
        show_clip(whole, VideoClip("x", "a", start=0.0, end=0.9))


def test_a_file_that_was_cut_already_is_not_cut_again():
    clip = VideoClip("x", "a", "jump", start=54.0, end=64.0, cut_at=54.0)
    assert show_clip(walking(frames=250), clip).num_frames == 250
    whole = walking(frames=25 * 70)
    shown = show_clip(whole, clip)
    assert shown.num_frames == 250
    np.testing.assert_array_equal(shown.tracks[0].joints, whole.tracks[0].joints[..., 1350:1600])


def test_labels_say_all_that_is_known():
    parts = (Annotation("a", 0.2, 0.6), Annotation("b", 0.5, 99.0),
             Annotation("c", 0.4, 1.4, (0.1, 0.2, 0.5, 0.6)))
    clip = VideoClip("x", "a", splits=("train",), annotations=parts, facts={"subject": 3})
    labels = show_clip(walking(frames=50, size=(320, 200)), clip).labels
    assert (labels["clip_id"], labels["splits"], labels["subject"]) == ("x", ["train"], 3)
    assert "label" not in labels
    assert labels["annotations"] == [
        {"label": "a", "start": 0.2, "end": 0.6}, {"label": "b", "start": 0.5, "end": 2.0},
        {"label": "c", "start": 0.4, "end": 1.4, "box": pytest.approx((32, 40, 160, 120))}]


def test_parts_beyond_the_file_are_left_out_and_counted(caplog):
    whole = walking(frames=50, times=100 + np.arange(50) / 25)  # a clock that starts late
    parts = tuple(Annotation("a", start, start + 1.0) for start in (900.5, 901.0, 950.0))
    clip = VideoClip("x", "a", annotations=parts, cut_at=900.0)
    with caplog.at_level(logging.WARNING, "skelact"):
        shown = show_clip(whole, clip)
    assert [part["start"] for part in shown.labels["annotations"]] == [0.5, 1.0]
    assert "1 of 3 annotations lie outside" in caplog.text
    with pytest.raises(FileFormatError, match=r"shows 0 to 2 s, none of its annotations"):
        show_clip(whole, VideoClip("x", "a", annotations=parts))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("videos")
    video = dots_video(root / "walk" / "a.mp4", frames=6)
    for path in ("walk/b.mp4", "run/b.mp4", "c_000010_000020.mp4", "run/d.mp4", "run/d.avi"):
        (root / path).parent.mkdir(exist_ok=True)
        shutil.copy(video, root / path)
    make_video(root / "empty.mp4", grey_images(4))
    (root / "broken.mp4").write_bytes(b"no video at all" * 50)
    (root / "notes.txt").write_text("no video either")
    return root


def found(folder, video, **fields):
    match = VideoFolder(folder).find(VideoClip("x", video, **fields))
    return match and (match[0].relative_to(folder).as_posix(), match[1])


def test_videos_are_found_by_path_or_name(folder):
    assert found(folder, "walk/a") == found(folder, "a") == ("walk/a.mp4", 0.0)
    assert found(folder, "elsewhere/a") == found(folder, "a.mp4") == ("walk/a.mp4", 0.0)
    assert found(folder, "run/b") == ("run/b.mp4", 0.0)
    assert found(folder, "run/d.avi") == ("run/d.avi", 0.0)
    assert found(folder, "nothing") is None
    assert found(folder, "../a.mp4/..") is None
    for ambiguous in ("b", "other/b", "run/d"):
        with pytest.raises(FileFormatError, match="several files may be its video"):
            found(folder, ambiguous)


def test_a_piece_of_a_video_is_found_by_its_seconds(folder):
    piece = ("c_000010_000020.mp4", 10.0)
    assert found(folder, "c", start=10.0, end=20.0) == piece
    assert found(folder, "c", start=20.0, end=30.0) is None
    assert found(folder, "c") is None
    assert found(folder, "c", annotations=(Annotation("a", 15, 16),)) == piece


def test_names_of_pose_files_differ(folder):
    videos = VideoFolder(folder)
    names = [videos.name(video) for video in videos.videos]
    assert len(set(names)) == len(names)
    assert {"walk/b", "run/b", "run/d.avi", "run/d.mp4", "empty"} <= set(names)


def test_what_cannot_be_used_is_refused_and_the_rest_is_read(folder, tmp_path):
    estimator, refused = DotEstimator(), []
    clips = [VideoClip("one", "walk/a", "walk", start=0.0, end=0.1),
             VideoClip("gone", "gone/e", "walk"), VideoClip("two", "run/b", "run"),
             VideoClip("lost", "f", "walk"), VideoClip("broken", "broken", "walk"),
             VideoClip("empty", "empty", "walk"), VideoClip("three", "walk/a", "walk"),
             VideoClip("one", "walk/a", "walk"), VideoClip("which", "b", "walk")]
    shown = list(read_clips(clips, VideoFolder(folder), PoseCache(tmp_path, estimator),
                            refused.append))
    assert {of.labels["clip_id"]: (of.num_frames, of.labels["label"]) for of in shown} == {
        "one": (3, "walk"), "two": (6, "run"), "three": (6, "walk")}
    said = "\n".join(map(str, refused))
    assert len(refused) == 6
    for text in ("clip one stands twice", "clip which: several files",
                 "lacks the video gone/e of clip gone; 2 of 9 clips lack theirs",
                 "lacks the video f of clip lost", "broken.mp4", "nobody was found in"):
        assert text in said
    assert estimator.resets == 3  # every video once, the broken one not at all
    assert sorted(path.name for path in tmp_path.rglob("*.npz")) == ["a.npz", "b.npz", "empty.npz"]


def test_no_video_at_all_is_an_error(folder, tmp_path):
    clips = [VideoClip("x", "gone/x"), VideoClip("y", "gone/y")]
    with pytest.raises(FileFormatError, match=r"none of the 2 clips .* such as gone/x\.mp4"):
        list(read_clips(clips, VideoFolder(folder), PoseCache(tmp_path, DotEstimator()),
                        lambda error: None))
    with pytest.raises(FileFormatError, match="no videos in"):
        VideoFolder(tmp_path)

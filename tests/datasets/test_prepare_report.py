"""What the user is told of a store that was made just now."""

from dataclasses import replace

import pytest
from actions import swinging

from skelact.datasets.prepare import write_store


def prepared(folder, labels, sources, format="videos", name="mine", **fields):
    """What is said of a store of these clips; fields are facts of each."""
    clips = (replace(swinging("arms", i, clip_id=f"clip{i}", frames=4), source=source)
             for i, source in enumerate(sources))
    return write_store((
        replace(clip, labels=clip.labels | {"label": labels[i % len(labels)]}
                | {fact: values[i] for fact, values in fields.items()})
        for i, clip in enumerate(clips)), folder / "store", name, [], format=format)


def test_one_class_is_a_warning(tmp_path):
    report = prepared(tmp_path, ["clap"], ["a.mp4", "b.mp4"])
    assert "2 clips of 2 videos, 2 tracks, 8 frames, 1 class, layout" in str(report)
    assert report.notes == (
        "warning: all labelled clips show one class, clap: `skelact train` needs two; add clips of "
        "another. `skelact show` and `skelact recognize` do without.",)
    assert report.shown == ("clap",)


def test_a_class_of_which_there_is_no_clip_does_not_count(tmp_path):
    clips = (swinging("arms", i, clip_id=f"clip{i}") for i in range(3))
    report = write_store(clips, tmp_path / "store", "mine", [], classes=["arms", "legs"])
    assert "2 classes" in str(report)
    assert "one class, arms" in report.notes[0]


def test_one_video_a_clip_needs_no_words(tmp_path):
    report = prepared(tmp_path, ["clap", "jump"], [f"{i}.mp4" for i in range(8)])
    assert (report.videos, report.notes, report.trainable) == (8, (), True)


def test_parts_of_videos_stay_together_and_it_is_said(tmp_path):
    report = prepared(tmp_path, ["clap", "jump"], [f"{i // 4}.mp4" for i in range(24)])
    assert "24 clips of 6 videos, 24 tracks" in str(report)
    assert report.notes == ("Clips of one video stay together: all of them train, validate or "
                            "test.",)


@pytest.mark.parametrize("videos", [1, 2])
def test_too_few_videos_are_told_before_training(tmp_path, videos):
    report = prepared(tmp_path, ["clap", "jump"], [f"{i % videos}.mp4" for i in range(24)])
    assert report.videos == videos
    [note] = report.notes
    assert note.startswith("warning: `skelact train` cannot divide this set by itself: no clip")
    assert "a class needs four videos" in note
    assert not report.trainable


def test_skeletons_of_videos_are_told_too(tmp_path):
    sources = [f"{'ab'[i % 2]}.mp4" for i in range(24)]
    report = prepared(tmp_path, ["clap", "jump"], sources, format="coco")
    assert "cannot divide" in report.notes[0]


def test_a_division_of_ones_own_that_cuts_a_video_is_a_warning(tmp_path):
    sources = [f"{i // 4}.mp4" for i in range(24)]
    lists = [["test" if i % 4 == 3 or i < 4 else "train"] for i in range(24)]
    report = prepared(tmp_path / "lists", ["clap", "jump"], sources, splits=lists)
    assert report.notes[0].startswith("warning: 5 of 6 videos have clips in test and in train or "
                                      "val, such as 1.mp4: figures will be too good.")
    people = [i % 4 for i in range(24)]
    report = prepared(tmp_path / "people", ["clap", "jump"], sources, subject=people)
    assert "warning: 6 of 6 videos" in report.notes[0]
    whole = [i // 4 for i in range(24)]
    assert "stay together" in prepared(tmp_path / "whole", ["clap", "jump"], sources,
                                       subject=whole).notes[0]


def test_skeletons_are_of_no_video(tmp_path):
    report = prepared(tmp_path, ["clap", "jump"], ["all.json"] * 6, format="coco")
    assert str(report).startswith(f"{tmp_path / 'store'}: 6 clips, 6 tracks, ")
    assert (report.videos, report.notes) == (0, ())

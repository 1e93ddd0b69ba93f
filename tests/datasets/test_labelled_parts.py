"""Labelled parts as clips of their own."""

import logging

import numpy as np
from recordings import walking

from skelact.datasets.labelled_parts import cut_labelled_parts


def untrimmed(annotations: list[dict], **labels):
    return walking(50, people=2, fps=25.0, labels={"clip_id": "a", "subject": 3,
                                                   "annotations": annotations} | labels)


def test_a_part_becomes_a_clip():
    whole = untrimmed([{"label": "sit", "start": 0.0, "end": 0.4},
                       {"label": "bow", "start": 0.4, "end": 2.0, "track_id": 2}])
    first, second = cut_labelled_parts([whole])
    assert first.labels == {"clip_id": "a_part000", "label": "sit", "subject": 3}
    assert second.labels["clip_id"] == "a_part001"
    assert (first.num_frames, second.num_frames) == (10, 40)
    assert [track.track_id for track in first.tracks] == [1, 2]
    (track,) = second.tracks
    np.testing.assert_array_equal(track.joints, whole.tracks[1].joints[..., 10:])
    np.testing.assert_array_equal(track.boxes, whole.tracks[1].boxes[:, 10:])
    assert (track.frame_index[0], second.timestamps[0]) == (0, 0)


def test_a_part_knows_where_in_the_video_it_begins():
    whole = untrimmed([{"label": "bow", "start": 0.4, "end": 2.0}], video_start=3.0)
    (clip,) = cut_labelled_parts([whole])
    assert abs(clip.labels["video_start"] - 3.4) < 1e-9


def test_an_instant_is_one_frame():
    (clip,) = cut_labelled_parts([untrimmed([{"label": "sit", "start": 1.0, "end": 1.0}])])
    assert clip.num_frames == 1


def test_what_is_left_out_is_said(caplog):
    box = (0.0, 0.0, 9.0, 9.0)
    parts = [{"label": "sit", "start": 9.0, "end": 9.4},
             {"label": "sit", "start": 0.0, "end": 0.4, "track_id": 7},
             {"label": "sit", "start": 0.0, "end": 0.4, "box": box},
             {"label": "sit", "start": 0.0, "end": 0.4}]
    with caplog.at_level(logging.WARNING):
        (clip,) = cut_labelled_parts([untrimmed(parts)])
    assert clip.labels["clip_id"] == "a_part003"
    assert "3 of 4 labelled parts" in caplog.text


def test_a_clip_with_a_label_stays_whole(caplog):
    whole = untrimmed([{"label": "sit", "start": 0.0, "end": 0.4}], label="bow")
    assert list(cut_labelled_parts([whole])) == [whole]
    assert "1 labelled parts" in caplog.text
    plain = walking(labels={"clip_id": "b"})
    assert list(cut_labelled_parts([plain])) == [plain]

"""Segments and frame labels, by hand; random cases stand in test_metric_oracles.py."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelact.errors import ChoiceError, ShapeError, SkelactError
from skelact.evaluation.temporal import (
    Segments,
    edit_score,
    find_segments,
    frame_accuracy,
    frame_labels,
    join_segments,
    segment_f1,
    temporal_iou,
    temporal_map,
)
from skelact.recognition.segments import Segment

NONE = Segments([], [])


def test_overlap_by_hand():
    found = temporal_iou(np.array([[0.0, 10]]), np.array([[0.0, 10], [5, 15], [12, 20], [2, 4]]))
    assert found.tolist() == [[1, pytest.approx(1 / 3), 0, 0.2]]
    assert temporal_iou(np.zeros((1, 2)), np.zeros((1, 2))).tolist() == [[0]]  # both empty


def test_f1_by_hand():
    truth = Segments([[0, 10], [10, 20], [20, 30]], [0, 1, 0])
    predicted = Segments([[0, 10], [10, 13], [13, 20], [20, 24]], [0, 1, 1, 0])
    # tIoU 1, .3, .7, .4: the second comes first and has the instance only at .1 and .25 as well
    assert segment_f1(truth, predicted).tolist() == pytest.approx([6 / 7, 6 / 7, 4 / 7])
    assert segment_f1(truth, truth).tolist() == [1, 1, 1]


def test_a_segment_cut_in_two_is_found_once():
    found = segment_f1(Segments([[0, 10]], [0]), Segments([[0, 5], [5, 10]], [0, 0]), (0.5,))
    assert found.tolist() == pytest.approx([2 / 3])


def test_of_equal_overlaps_the_earlier_is_meant():
    truth = Segments([[10, 20], [0, 10]], [0, 0])
    # a third of either; the other is all of the earlier, which thus is found twice
    assert segment_f1(truth, Segments([[5, 15], [0, 10]], [0, 0]), (0.25,)).tolist() == [0.5]


def test_edit_score_by_hand():
    truth = Segments([[0, 1], [1, 2], [2, 3]], [0, 1, 2])
    assert edit_score(truth, Segments([[5, 9], [0, 5]], [1, 0])) == pytest.approx(2 / 3)
    assert edit_score(truth, NONE) == 0
    assert edit_score(truth, truth) == 1
    nested = Segments([[2, 5], [0, 10]], [1, 0])  # in order of their starts
    assert edit_score(nested, Segments([[0, 1], [1, 2]], [0, 1])) == 1
    other = Segments([[0, 1]], [0], recordings=["b"])
    both = join_segments([Segments(truth.spans, truth.labels, recordings=["a"] * 3), other])
    assert np.isnan(edit_score(NONE, NONE))
    assert edit_score(both, other) == 0.5  # the mean of recordings, not of segments


def test_scored_segments_by_hand():
    truth = Segments([[0, 10], [20, 30]], [0, 0])
    predicted = Segments([[0, 10], [40, 50], [20, 26]], [0, 0, 0], [0.9, 0.8, 0.7])
    found = temporal_map(truth, predicted, 1)
    assert found.mean(0.5) == found.mean(0.6) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert found.mean(0.65) == 0.5
    assert found.mean() == pytest.approx((3 * (0.5 + 1 / 3) + 7 * 0.5) / 10)


def test_what_was_found_leaves_the_second_best():
    truth = Segments([[0, 10], [2, 10]], [0, 0])
    predicted = Segments([[1, 10], [0, 10]], [0, 0], [0.9, 0.8])
    assert temporal_map(truth, predicted, 1).mean(0.5) == 1


def test_recordings_do_not_mix():
    truth = Segments([[0, 10]], [0], recordings=["a"])
    predicted = Segments([[0, 10]], [0], recordings=["b"])
    assert segment_f1(truth, predicted).tolist() == [0, 0, 0]
    assert temporal_map(truth, predicted, 1).mean() == 0
    assert edit_score(truth, predicted) == 0


def test_names_and_numbers_of_recordings_never_meet():
    named, numbered = Segments([[0, 1]], [0], recordings=["a"]), Segments([[0, 1]], [0])
    for metric in (segment_f1, edit_score, lambda *pair: temporal_map(*pair, 1)):
        with pytest.raises(ShapeError, match="both names, or both numbers"):
            metric(named, numbered)
    assert edit_score(named, NONE) == 0


def test_nothing_true_and_nothing_predicted():
    assert np.isnan(segment_f1(NONE, NONE)).all()
    assert math.isnan(edit_score(NONE, NONE))
    assert math.isnan(temporal_map(NONE, NONE, 3).mean())
    assert math.isnan(frame_accuracy([], []))
    one = Segments([[0, 1]], [0])
    assert segment_f1(one, NONE).tolist() == segment_f1(NONE, one).tolist() == [0, 0, 0]


@given(st.lists(st.integers(-1, 3), max_size=40))
def test_frame_labels_and_segments_are_the_same(labels):
    segments = find_segments(np.array(labels, int))
    assert frame_labels(segments, np.arange(len(labels))).tolist() == labels
    if (np.array(labels) >= 0).any():
        assert segment_f1(segments, segments).tolist() == [1, 1, 1]
        assert edit_score(segments, segments) == 1


def test_the_surest_segment_names_a_moment():
    segments = Segments([[0, 4], [2, 6]], [3, 1], [0.9, 0.5])
    assert frame_labels(segments, np.arange(0, 8, 0.5)).tolist() == [3] * 8 + [1] * 4 + [-1] * 4
    with pytest.raises(ShapeError, match="one recording"):
        frame_labels(Segments([[0, 1]] * 2, [0, 0], recordings=["a", "b"]), np.arange(3))


def test_accuracy_of_frames():
    assert frame_accuracy([0, -1, 1, 1], [0, -1, 0, 1]) == 0.75
    with pytest.raises(ShapeError, match="one prediction a frame"):
        frame_accuracy([0, 1], [0, 1, 2])


def test_what_a_recognizer_found():
    found = [Segment(0.5, 2.0, "wave", 0.8, ()), Segment(3.0, 4.0, "clap", 0.6, ())]
    segments = Segments.of_recording(found, ("clap", "wave"), "video")
    assert segments.spans.tolist() == [[0.5, 2], [3, 4]]
    assert segments.labels.tolist() == [1, 0]
    assert segments.scores.tolist() == [0.8, 0.6]
    assert segments.recordings.tolist() == ["video"] * 2
    assert len(Segments.of_recording([], ("clap",))) == 0
    with pytest.raises(ChoiceError, match="label of a segment to be one of clap"):
        Segments.of_recording(found, ("clap",))


def test_what_does_not_fit_is_refused():
    with pytest.raises(SkelactError, match=r"start before they end, got \[2\.0, 1\.0\]"):
        Segments([[0, 1], [2, 1]], [0, 0])
    with pytest.raises(SkelactError, match="start before they end"):
        Segments([[0, np.nan]], [0])
    with pytest.raises(ShapeError, match="spans"):
        Segments([[0, 1, 2]], [0])
    with pytest.raises(ShapeError, match="labels, one a span"):
        Segments([[0, 1]], [0, 1])
    with pytest.raises(ShapeError, match="scores, one a label"):
        Segments([[0, 1]], [0], [0.5, 0.4])
    with pytest.raises(ShapeError, match=r"true labels in 0\.\.1, got 5"):
        temporal_map(Segments([[0, 1]], [5]), NONE, 2)

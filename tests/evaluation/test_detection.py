"""Boxes and tubes, by hand; random cases stand in test_metric_oracles.py."""

import math

import numpy as np
import pytest

from skelact.errors import ShapeError, SkelactError
from skelact.evaluation.detection import Boxes, Tubes, frame_map, keep_best, tube_iou, video_map

A, B = [0, 0, 10, 10], [20, 0, 30, 10]
HALF_A = [0, 0, 10, 5]


def tube(video, frames, box, label=0, score=1.0):
    return video, np.arange(*frames), np.tile(np.array(box, float), (len(range(*frames)), 1)), \
        label, score


def tubes(*rows):
    videos, frames, boxes, labels, scores = zip(*rows, strict=True)
    return Tubes(videos, frames, boxes, np.array(labels), scores)


def test_several_labels_a_box():
    truth = Boxes(["f"] * 3, [A, A, B], [0, 1, 0])
    predicted = Boxes(["f"] * 3, [A, B, A], [0, 1, 1], [0.9, 0.8, 0.7])
    found = frame_map(truth, predicted, 3)
    assert found.per_class[0, :2].tolist() == [0.5, 0.5]  # one of two; the second of two guesses
    assert math.isnan(found.per_class[0, 2])
    assert found.mean(0.5) == 0.5


def test_frames_do_not_mix():
    assert frame_map(Boxes(["f"], [A], [0]), Boxes(["g"], [A], [0]), 1).mean(0.5) == 0


def test_overlap_suffices_from_the_threshold_on():
    pair = Boxes([0], [A], [0]), Boxes([0], [HALF_A], [0])
    found = frame_map(*pair, 1, thresholds=(0.5, 0.51))
    assert found.per_class.tolist() == [[1], [0]]


def test_boxes_to_ignore():
    truth = Boxes([0, 0], [A, B], [0, 0], ignored=[False, True])
    predicted = Boxes([0, 0, 0], [B, B, A], [0, 0, 0], [0.9, 0.8, 0.7])
    assert frame_map(truth, predicted, 1).mean(0.5) == 1
    assert frame_map(Boxes([0, 0], [A, B], [0, 0]), predicted, 1).mean(0.5) == pytest.approx(
        0.5 * 1 + 0.5 * 2 / 3)


def test_time_stamps_to_exclude():
    boxes = Boxes(["v,0902", "v,0903", "v,0902"], [A, A, B], [0, 1, 0])
    rest = boxes.select(~np.isin(boxes.frames, ["v,0902"]))
    assert rest.frames.tolist() == ["v,0903"]
    assert rest.labels.tolist() == [1]


def test_only_the_best_rows_of_a_frame_are_looked_at():
    boxes = Boxes([0, 0, 0, 1], [A, B, A, A], [0, 1, 2, 0], [0.1, 0.9, 0.5, 0.01])
    assert keep_best(boxes, 2).labels.tolist() == [1, 2, 0]
    truth = Boxes([0], [A], [0])
    assert frame_map(truth, boxes, 3, most=2).mean(0.5) == 0
    assert frame_map(truth, boxes, 3, most=None).mean(0.5) == 1


def test_overlap_of_tubes():
    frames, boxes = np.arange(10), np.tile(A, (10, 1)).astype(float)
    half = np.tile(HALF_A, (10, 1)).astype(float)
    assert tube_iou(frames, boxes, frames, boxes) == 1
    assert tube_iou(frames, boxes, frames, half) == 0.5
    assert tube_iou(frames, boxes, frames + 5, boxes) == pytest.approx(5 / 15)
    assert tube_iou(frames, boxes, frames + 5, half) == pytest.approx(0.5 * 5 / 15)
    assert tube_iou(frames, boxes, frames + 10, boxes) == 0
    gaps = frames % 2 == 0  # a tube with gaps covers half of the frames
    assert tube_iou(frames, boxes, frames[gaps], boxes[gaps]) == 0.5


def test_tubes_by_hand():
    truth = tubes(tube("a", (0, 10), A), tube("b", (0, 10), B))
    predicted = tubes(tube("a", (0, 10), A, score=0.9), tube("a", (0, 10), A, score=0.8),
                      tube("b", (0, 10), [20, 0, 30, 6.2], score=0.7))
    found = video_map(truth, predicted, 1)
    assert found.mean(0.2) == found.mean(0.5) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert found.mean() == pytest.approx((3 * (0.5 + 1 / 3) + 7 * 0.5) / 10)
    assert video_map(truth, predicted, 1, (0.5,), trapezoid=True).mean(0.5) == pytest.approx(
        0.5 + 0.5 * (1 / 2 + 2 / 3) / 2)


def test_a_tube_that_was_found_leaves_the_second_best():
    truth = tubes(tube("a", (0, 10), A), tube("a", (2, 10), A))
    predicted = tubes(tube("a", (1, 10), A, score=0.9), tube("a", (0, 10), A, score=0.8))
    assert video_map(truth, predicted, 1).mean(0.5) == 1


def test_nothing_at_all():
    none, empty = Boxes([], [], np.empty(0, int)), Tubes([], [], [], np.empty(0, int))
    assert math.isnan(frame_map(none, none, 2).mean(0.5))
    assert math.isnan(video_map(empty, empty, 2).mean())
    assert frame_map(Boxes([0], [A], [0]), none, 2).mean(0.5) == 0
    assert video_map(tubes(tube("a", (0, 3), A)), empty, 2).mean() == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(SkelactError, match="x1 <= x2"):
        Boxes([0], [[10, 0, 0, 10]], [0])
    with pytest.raises(SkelactError, match="x1 <= x2"):
        Boxes([0], [[0, 0, np.nan, 10]], [0])
    with pytest.raises(ShapeError, match="boxes"):
        Boxes([0], [A, B], [0])
    with pytest.raises(ShapeError, match="ignored"):
        Boxes([0], [A], [0], ignored=[True, False])
    with pytest.raises(SkelactError, match="rising frame numbers"):
        Tubes(["a"], [[1, 1]], [[A, A]], [0])
    with pytest.raises(ShapeError, match="frames and boxes of 1 tubes, got 2 and 1"):
        Tubes(["a"], [[1], [2]], [[A]], [0])

"""One random case of each metric against its oracle; used by the tests and a long campaign.

Every function draws a case (small, full of ties, empty and absent classes) from a generator and
asserts that ours and the oracle agree.
"""

import math
import warnings

import numpy as np
import torch
from plain_metrics import (
    plain_auroc,
    plain_box_iou,
    plain_calibration_error,
    plain_detection_ap,
    plain_edit_score,
    plain_mcnemar,
    plain_reliability,
    plain_segment_f1,
    plain_span_iou,
    plain_tube_iou,
    plain_wilson,
)
from sklearn import metrics as sklearn
from torchmetrics.functional import classification as torchmetrics

from skelact.evaluation.calibration import (
    expected_calibration_error,
    reliability,
    unknown_auroc,
)
from skelact.evaluation.detection import Boxes, Tubes, frame_map, video_map
from skelact.evaluation.intervals import mcnemar, wilson
from skelact.evaluation.metrics import (
    average_precision,
    confusion_matrix,
    mean_average_precision,
    mean_class_accuracy,
    precision_recall_f1,
    top_k_accuracy,
)
from skelact.evaluation.temporal import (
    Segments,
    edit_score,
    find_segments,
    frame_accuracy,
    join_segments,
    segment_f1,
    temporal_map,
)

TOLERANCE = 1e-9


def close(ours, oracle, tolerance=TOLERANCE):
    np.testing.assert_allclose(ours, oracle, rtol=0, atol=tolerance)


def check_top_k(random):
    """Without ties scikit-learn; with ties a loop in which they count against the true class."""
    count, classes = random.integers(1, 25), int(random.integers(3, 8))
    labels, k = random.integers(0, classes, count), int(random.integers(1, classes))
    smooth = random.random((count, classes))
    close(top_k_accuracy(smooth, labels, k),
          sklearn.top_k_accuracy_score(labels, smooth, k=k, labels=range(classes)))
    tied = random.integers(0, 3, (count, classes)) / 2
    right = [sum(value >= row[label] for value in row) <= k
             for row, label in zip(tied, labels, strict=True)]
    close(top_k_accuracy(tied, labels, k), sum(right) / count)


def check_mean_class_accuracy(random):
    """scikit-learn's balanced accuracy; tied best classes are given to a wrong one."""
    count, classes = random.integers(1, 25), int(random.integers(2, 8))
    labels, scores = random.integers(0, classes, count), random.integers(0, 4, (count, classes)) / 4
    predicted = scores.argmax(axis=1)
    for row, label in enumerate(labels):
        rivals = [k for k in range(classes) if k != label and scores[row, k] >= scores[row, label]]
        predicted[row] = rivals[0] if rivals else label
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # predictions of classes that never occur
        close(mean_class_accuracy(scores, labels),
              sklearn.balanced_accuracy_score(labels, predicted))


def check_class_figures(random):
    """Confusion, precision, recall, F1: per class and the three means; both libraries."""
    count, classes = random.integers(1, 30), int(random.integers(2, 9))
    labels, predicted = random.integers(0, classes, (2, count))
    if classes > 3:
        labels[labels == 0] = 1  # never true
        predicted[predicted == 2] = 1  # never predicted
        labels[labels == 3], predicted[predicted == 3] = 1, 1  # neither
    confusion = confusion_matrix(predicted, labels, classes)
    assert (confusion == sklearn.confusion_matrix(labels, predicted, labels=range(classes))).all()
    figures = precision_recall_f1(confusion)
    each = sklearn.precision_recall_fscore_support(labels, predicted, labels=range(classes),
                                                   zero_division=0)
    for ours, oracle in zip((figures.precision, figures.recall, figures.f1, figures.support), each,
                            strict=True):
        close(ours, oracle)
    pair = torch.tensor(predicted), torch.tensor(labels)
    for average in ("macro", "micro", "weighted"):
        ours = figures.mean(average)
        close(ours, sklearn.precision_recall_fscore_support(
            labels, predicted, average=average, zero_division=0)[:3])
        close(ours, [metric(*pair, num_classes=classes, average=average)
                     for metric in (torchmetrics.multiclass_precision,
                                    torchmetrics.multiclass_recall,
                                    torchmetrics.multiclass_f1_score)], 1e-6)


def check_average_precision(random):
    """One class, ties included."""
    count = random.integers(1, 40)
    scores, positive = random.integers(0, 6, count) / 5, random.random(count) < random.random()
    if not positive.any():
        assert math.isnan(average_precision(scores, positive))
        return
    close(average_precision(scores, positive), sklearn.average_precision_score(positive, scores))


def check_mean_average_precision(random):
    """Several labels a sample; classes without a positive."""
    count, classes = random.integers(1, 30), int(random.integers(2, 6))
    scores = random.integers(0, 9, (count, classes)) / 8
    targets = random.random((count, classes)) < 0.25
    targets[:, 0] = False
    found = mean_average_precision(scores, targets)
    present = targets.any(axis=0)
    if not present.any():
        assert math.isnan(found)
        return
    close(found, sklearn.average_precision_score(targets[:, present], scores[:, present],
                                                 average="macro"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchmetrics tells of the classes without a positive
        each = torchmetrics.multilabel_average_precision(
            torch.tensor(scores), torch.tensor(targets).long(), classes, average=None)
    close(found, each[torch.tensor(present)].mean(), 1e-5)


def check_calibration(random):
    """torchmetrics off the edges of bins; a loop on them, with ties."""
    count, classes, bins = random.integers(1, 40), int(random.integers(2, 6)), 10
    labels = random.integers(0, classes, count)
    smooth = random.dirichlet(np.full(classes, 0.5), count) * 0.999
    close(expected_calibration_error(smooth, labels, bins),
          torchmetrics.multiclass_calibration_error(torch.tensor(smooth), torch.tensor(labels),
                                                    classes, n_bins=bins), 1e-5)
    tied = random.multinomial(8, np.full(classes, 1 / classes), count) / 8
    close(expected_calibration_error(tied, labels, 8), plain_calibration_error(tied, labels, 8))
    found, oracle = reliability(tied, labels, 8), plain_reliability(tied, labels, 8)
    assert found.count.tolist() == [len(members) for members in oracle]
    for number, members in enumerate(oracle):
        if members:
            close([found.confidence[number], found.accuracy[number]], np.mean(members, axis=0))
        else:
            assert math.isnan(found.confidence[number])
            assert math.isnan(found.accuracy[number])


def check_unknown_auroc(random):
    known, unknown = (random.integers(0, 8, random.integers(1, 20)) / 7 for _ in range(2))
    ours = unknown_auroc(known, unknown)
    close(ours, plain_auroc(known, unknown))
    close(ours, sklearn.roc_auc_score([1] * len(known) + [0] * len(unknown),
                                      np.concatenate([known, unknown])))


def check_mcnemar(random):
    right_a, right_b = random.random((2, random.integers(0, 40))) < random.random((2, 1))
    close(mcnemar(right_a, right_b), plain_mcnemar(right_a, right_b))


def check_wilson(random):
    trials = int(random.integers(1, 60))
    successes = int(random.integers(0, trials + 1))
    found = wilson(successes, trials)
    close([found.low, found.high], plain_wilson(successes, trials, 1.959963984540054), 1e-7)


def draw_segments(random, classes, most=12):
    """(recording, label, span, score): whole seconds, scores with ties, overlaps, empty spans."""
    count = random.integers(0, most)
    starts, lengths = random.integers(0, 12, count), random.integers(0, 7, count)
    return [(f"video {v}", int(k), (float(a), float(a + n)), float(s)) for v, k, a, n, s in
            zip(random.integers(0, 3, count), random.integers(0, classes, count), starts, lengths,
                random.integers(0, 5, count) / 4, strict=True)]


def as_segments(rows):
    return Segments([span for _, _, span, _ in rows], [label for _, label, _, _ in rows],
                    [score for *_, score in rows], [video for video, *_ in rows])


def check_segment_f1(random):
    truth, predicted = draw_segments(random, 3), draw_segments(random, 3)
    found = segment_f1(as_segments(truth), as_segments(predicted))
    if not truth and not predicted:
        assert np.isnan(found).all()
        return
    # ours serves surer segments first, the plain one as they come: who finds it does not matter
    close(found, [plain_segment_f1([t[:3] for t in truth], [p[:3] for p in predicted], threshold)
                  for threshold in (0.10, 0.25, 0.50)])


def check_edit_score(random):
    """From frame labels, as MS-TCN takes them."""
    recordings = [random.integers(-1, 3, (2, random.integers(1, 25))) for _ in range(2)]
    oracle = []
    for labels in recordings:
        first, second = (
            [a for a, b in zip(row, [None, *row[:-1]], strict=True) if a != b and a >= 0]
            for row in labels.tolist())
        if first or second:
            oracle.append(plain_edit_score(first, second))
    truth, predicted = (
        [find_segments(labels[side], recording=number) for number, labels in enumerate(recordings)]
        for side in (0, 1))
    found = edit_score(join_segments(truth), join_segments(predicted))
    assert math.isnan(found) if not oracle else abs(found - np.mean(oracle)) < TOLERANCE
    both = np.concatenate(recordings, axis=1)
    close(frame_accuracy(*both), sklearn.accuracy_score(*both))


def check_temporal_map(random):
    truth, predicted = draw_segments(random, 4, 10), draw_segments(random, 3, 25)
    thresholds = (0.3, 0.5, 0.75)
    found = temporal_map(as_segments(truth), as_segments(predicted), 5, thresholds)
    _check_per_class(found, truth, predicted, plain_span_iou, thresholds, 5, True)


def draw_boxes(random, most):
    count = random.integers(0, most)
    corners, sizes = random.integers(0, 4, (count, 2)), random.integers(0, 5, (count, 2))
    return [(f"frame {f}", int(k), (*map(float, a), *map(float, a + n)), float(s))
            for f, k, a, n, s in zip(random.integers(0, 3, count), random.integers(0, 3, count),
                                     corners, sizes, random.integers(0, 5, count) / 4,
                                     strict=True)]


def as_boxes(rows, ignored=None):
    return Boxes([row[0] for row in rows], [row[2] for row in rows],
                 np.array([row[1] for row in rows], int), [row[3] for row in rows], ignored)


def check_frame_map(random):
    """AVA's rule with ignored boxes, and the rule of JHMDB."""
    truth, predicted = draw_boxes(random, 10), draw_boxes(random, 30)
    ignored = random.random(len(truth)) < 0.2
    boxes = as_boxes(truth, ignored), as_boxes(predicted)
    thresholds = (0.25, 0.5)
    found = frame_map(*boxes, 4, thresholds, most=None)
    _check_per_class(found, truth, predicted, plain_box_iou, thresholds, 4, False, False, ignored)
    found = frame_map(*boxes, 4, thresholds, None, True, True)
    _check_per_class(found, truth, predicted, plain_box_iou, thresholds, 4, True, True, ignored)


def draw_tubes(random, most):
    """(video, label, {frame: box}, score): short, with gaps."""
    rows = []
    for video, label, _, score in draw_boxes(random, most):
        frames = np.flatnonzero(random.random(6) < 0.7)
        corners, sizes = random.integers(0, 3, (6, 2)), random.integers(1, 4, (6, 2))
        rows.append((video, label, {int(f): (*map(float, corners[f]),
                                             *map(float, corners[f] + sizes[f]))
                                    for f in frames}, score))
    return rows


def as_tubes(rows):
    return Tubes([row[0] for row in rows], [np.array(sorted(row[2]), int) for row in rows],
                 [[row[2][frame] for frame in sorted(row[2])] for row in rows],
                 np.array([row[1] for row in rows], int), [row[3] for row in rows])


def check_video_map(random):
    truth, predicted = draw_tubes(random, 8), draw_tubes(random, 16)
    thresholds = (0.1, 0.2, 0.5)
    for trapezoid in (False, True):
        found = video_map(as_tubes(truth), as_tubes(predicted), 4, thresholds, trapezoid)
        _check_per_class(found, truth, predicted, plain_tube_iou, thresholds, 4, True, trapezoid)


def _check_per_class(found, truth, predicted, iou, thresholds, classes, free_only,
                     trapezoid=False, ignored=None):
    ignored = [False] * len(truth) if ignored is None else ignored.tolist()
    oracle = np.array([[plain_detection_ap(
        [(place, shape, skip) for (place, label, shape, _), skip in zip(truth, ignored, strict=True)
         if label == k],
        [(place, shape, score) for place, label, shape, score in predicted if label == k],
        iou, threshold, free_only, trapezoid) for k in range(classes)] for threshold in thresholds])
    close(found.per_class, oracle)
    for mean, row in zip(found.means, oracle.tolist(), strict=True):
        present = [value for value in row if not math.isnan(value)]
        close(mean, sum(present) / len(present) if present else math.nan)


CASES = {name.removeprefix("check_"): function for name, function in list(globals().items())
         if name.startswith("check_")}
"""Every check by the name of its metric."""

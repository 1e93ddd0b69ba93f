"""Metrics as their papers and official code define them, loop by loop, to check ours against.

Shares in [0, 1]; truth and detections are lists of tuples. Nothing here imports skelact.
"""

import math


def plain_reliability(scores, labels, bins):
    """Bins as lists of (confidence, right); a sample with tied best classes is wrong."""
    filled = [[] for _ in range(bins)]
    for row, label in zip(scores, labels, strict=True):
        confidence = max(row)
        right = [k for k, value in enumerate(row) if value == confidence] == [label]
        for number in range(bins):
            low, high = number / bins, (number + 1) / bins
            if low < confidence <= high or (number == 0 and confidence <= 0):
                filled[number].append((float(confidence), right))
    return filled


def plain_calibration_error(scores, labels, bins):
    error = 0.0
    for members in plain_reliability(scores, labels, bins):
        if members:
            confidence = sum(c for c, _ in members) / len(members)
            accuracy = sum(r for _, r in members) / len(members)
            error += len(members) / len(labels) * abs(confidence - accuracy)
    return error


def plain_auroc(known, unknown):
    """Over all pairs; ties count half."""
    won = sum((a > b) + 0.5 * (a == b) for a in known for b in unknown)
    return won / (len(known) * len(unknown))


def plain_mcnemar(right_a, right_b):
    """Twice the smaller tail of the binomial distribution, at most 1."""
    only_a = sum(a and not b for a, b in zip(right_a, right_b, strict=True))
    only_b = sum(b and not a for a, b in zip(right_a, right_b, strict=True))
    total = only_a + only_b
    tail = sum(math.comb(total, k) for k in range(min(only_a, only_b) + 1)) / 2**total
    return min(1.0, 2 * tail)


def plain_wilson(successes, trials, z):
    share = successes / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    whole = 1 + z * z / trials
    return (middle - spread) / whole, (middle + spread) / whole


def plain_span_iou(a, b):
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - shared
    return shared / union if union > 0 else 0.0


def plain_box_iou(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0.0


def plain_tube_iou(a, b):
    """Tubes as dictionaries from frame to box."""
    shared = sorted(a.keys() & b.keys())
    if not shared:
        return 0.0
    spatial = sum(plain_box_iou(a[frame], b[frame]) for frame in shared) / len(shared)
    return spatial * (len(shared) / len(a.keys() | b.keys()))


def plain_segment_f1(truth, predicted, threshold):
    """MS-TCN: (recording, label, span) lists; counts over everything, each prediction judged by
    the true segment of its class that it overlaps most."""
    found, wrong = set(), 0
    truth = sorted(truth, key=lambda segment: segment[2][0])
    for recording, label, span in predicted:
        best, best_overlap = None, 0.0
        for number, (true_recording, true_label, true_span) in enumerate(truth):
            if (true_recording, true_label) == (recording, label):
                overlap = plain_span_iou(span, true_span)
                if overlap > best_overlap:
                    best, best_overlap = number, overlap
        if best is not None and best_overlap >= threshold and best not in found:
            found.add(best)
        else:
            wrong += 1
    missed = len(truth) - len(found)
    precision = len(found) / (len(found) + wrong) if predicted else 0.0
    recall = len(found) / (len(found) + missed) if truth else 0.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def plain_edit_score(first, second):
    """Two sequences of labels; the full table of Levenshtein distances."""
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i in range(len(first) + 1):
        for j in range(len(second) + 1):
            if i == 0 or j == 0:
                table[i][j] = i + j
            else:
                table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1,
                                  table[i - 1][j - 1] + (first[i - 1] != second[j - 1]))
    return 1 - table[-1][-1] / max(len(first), len(second))


def plain_detection_ap(truth, detections, iou, threshold, free_only, trapezoid=False):
    """Average precision of one class.

    ``truth``: (place, shape, ignored); ``detections``: (place, shape, score). The detections that
    reach each score are matched from scratch, which makes one point of the curve.
    """
    wanted = sum(not ignored for _, _, ignored in truth)
    if not wanted:
        return math.nan

    def best_overlap(detection):
        return max((iou(detection[1], shape) for place, shape, _ in truth
                    if place == detection[0]), default=0.0)

    points = []
    for score in sorted({score for _, _, score in detections}, reverse=True):
        kept = [one for one in detections if one[2] >= score]
        kept.sort(key=lambda one: (-one[2], -best_overlap(one)))
        right, wrong = plain_match(truth, kept, iou, threshold, free_only)
        points.append((right / wanted, right / (right + wrong) if right + wrong else None))
    points = [point for point in points if point[1] is not None]
    if trapezoid:
        area, last = 0.0, (0.0, 1.0)
        for point in points:
            area += (point[0] - last[0]) * (point[1] + last[1]) / 2
            last = point
        return area
    area, last = 0.0, 0.0
    for number, (recall, _) in enumerate(points):
        area += (recall - last) * max(precision for _, precision in points[number:])
        last = recall
    return area


def plain_match(truth, detections, iou, threshold, free_only):
    """Greedy, in the given order: how many are right, how many wrong."""
    taken, right, wrong = set(), 0, 0
    for place, shape, _ in detections:
        best, best_overlap = None, -1.0
        for number, (true_place, true_shape, _) in enumerate(truth):
            if true_place != place or (free_only and number in taken):
                continue
            overlap = iou(shape, true_shape)
            if overlap > best_overlap:
                best, best_overlap = number, overlap
        if best is None or best_overlap < threshold:
            wrong += 1
        elif truth[best][2]:
            pass  # ignored: neither right nor wrong
        elif best in taken:
            wrong += 1
        else:
            taken.add(best)
            right += 1
    return right, wrong

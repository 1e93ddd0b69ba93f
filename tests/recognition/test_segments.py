"""From window scores to segments: by hand, and what must always hold."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.recognition.segments import SHORTEST_SEGMENT, merge_windows, score_curves

CLASSES = ("run", "sit", "wave")
RUN, SIT, NONE = [0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.2, 0.2, 0.2]


def merge(spans, scores, threshold=0.5, **arguments):
    return merge_windows(np.array(spans, float).reshape(-1, 2),
                         np.array(scores, float).reshape(-1, 3), CLASSES, threshold, **arguments)


def brief(segments):
    return [(pytest.approx(s.start), pytest.approx(s.end), s.label) for s in segments]


def test_one_window():
    (segment,) = merge([[1, 3]], [RUN])
    assert (segment.start, segment.end, segment.label) == (1, 3, "run")
    assert segment.score == pytest.approx(0.8)
    assert segment.top == (("run", pytest.approx(0.8)), ("sit", pytest.approx(0.1)),
                           ("wave", pytest.approx(0.1)))


def test_nothing_and_nothing_sure():
    assert merge([], []) == []
    assert merge([[0, 2], [1, 3]], [NONE, NONE]) == []


def test_the_threshold_is_reached_by_equality():
    assert len(merge([[0, 2]], [[0.5, 0.25, 0.25]])) == 1
    assert merge([[0, 2]], [[0.5, 0.25, 0.25]], threshold=0.5001) == []
    assert len(merge([[0, 2]], [NONE], threshold=0.0)) == 1


def test_overlapping_windows_are_averaged_where_they_overlap():
    # 0-1: run alone; 1-2: mean of run and sit = .45, .4 -> none; 2-3: sit alone
    segments = merge([[0, 2], [1, 3]], [RUN, SIT])
    assert segments[0] == merge([[0, 1]], [RUN])[0]
    assert brief(segments) == [(0, 1, "run"), (2, 3, "sit")]
    assert brief(merge([[0, 2], [1, 3]], [RUN, SIT], threshold=0.4)) == [(0, 2, "run"),
                                                                         (2, 3, "sit")]


def test_scores_are_weighted_by_time():
    (segment,) = merge([[0, 4], [3, 5]], [[0.9, 0.1, 0], [0.6, 0.4, 0]])
    # 0-3: .9; 3-4: .75; 4-5: .6
    assert segment.score == pytest.approx((3 * 0.9 + 0.75 + 0.6) / 5)
    assert (segment.start, segment.end) == (0, 5)


def test_the_same_action_before_and_after_a_pause_is_two_segments():
    assert brief(merge([[0, 2], [4, 6]], [RUN, RUN])) == [(0, 2, "run"), (4, 6, "run")]
    assert brief(merge([[0, 2], [2, 4]], [RUN, RUN])) == [(0, 4, "run")]
    assert brief(merge([[0, 2], [2, 4], [4, 6]], [RUN, NONE, RUN])) == [(0, 2, "run"),
                                                                        (4, 6, "run")]


def test_what_lasts_too_briefly_is_noise():
    just = SHORTEST_SEGMENT
    assert len(merge([[0, just]], [RUN])) == 1
    assert merge([[0, just - 0.01]], [RUN]) == []
    # 2 s of run, 0.5 s of sit, 2 s of run: the sit is dropped, the runs stay apart
    assert brief(merge([[0, 2], [2, 2.5], [2.5, 4.5]], [RUN, SIT, RUN])) == [(0, 2, "run"),
                                                                            (2.5, 4.5, "run")]


def test_times_that_differ_by_rounding_are_one():
    segments = merge([[0, 1 / 3 * 3], [0.1 + 0.9 + 1e-9, 2]], [RUN, RUN])
    assert brief(segments) == [(0, 2, "run")]


def test_only_so_many_are_listed():
    (segment,) = merge([[0, 2]], [[0.5, 0.2, 0.3]], keep_top=2)
    assert segment.top == (("run", 0.5), ("wave", pytest.approx(0.3)))


@given(st.integers(0, 100_000), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_always(seed, threshold):
    random = np.random.default_rng(seed)
    starts = np.sort(random.uniform(0, 20, random.integers(1, 12))).round(2)
    spans = np.stack([starts, starts + random.choice([0.7, 2.0, 2.5])], axis=1)
    scores = random.dirichlet(np.ones(3) * 0.5, len(starts))
    segments = merge(spans, scores, threshold)
    for segment in segments:
        assert segment.end - segment.start >= SHORTEST_SEGMENT
        assert segment.score >= threshold - 1e-9
        assert segment.top[0] == (segment.label, segment.score)
        assert [s for _, s in segment.top] == sorted((s for _, s in segment.top), reverse=True)
        middle = (segment.start + segment.end) / 2
        for time in (segment.start + 1e-4, middle, segment.end - 1e-4):
            over = (spans[:, 0] <= time) & (time < spans[:, 1])
            assert over.any()  # seen
            mean = scores[over].mean(axis=0)
            assert CLASSES[mean.argmax()] == segment.label
            assert mean.max() >= threshold - 1e-9
    for before, after in itertools.pairwise(segments):
        assert before.end <= after.start
        assert before.label != after.label or before.end < after.start
    order = random.permutation(len(starts))
    assert merge(spans[order], scores[order], threshold) == pytest.approx(segments) or brief(
        merge(spans[order], scores[order], threshold)) == brief(segments)


def test_curves_are_the_means_that_segments_are_named_by():
    spans = np.array([[0.0, 2.0], [1.0, 3.0], [5.0, 6.0]])
    scores = np.array([[0.9, 0.1, 0.0], [0.5, 0.3, 0.2], [0.0, 1.0, 0.0]])
    curves = score_curves(spans, scores, ("run", "walk", "sit"), keep_top=2)
    assert curves.labels == ("walk", "run")
    assert curves.edges.tolist() == [0, 1, 2, 3, 5, 6]
    np.testing.assert_allclose(curves.scores, [[0.1, 0.2, 0.3, np.nan, 1.0],
                                               [0.9, 0.7, 0.5, np.nan, 0.0]])
    assert curves.to_dict()["scores"][1] == [0.9, 0.7, 0.5, None, 0.0]
    assert score_curves(np.empty((0, 2)), np.empty((0, 3)), ("a", "b", "c")).to_dict() \
        == {"edges": [], "labels": [], "scores": []}

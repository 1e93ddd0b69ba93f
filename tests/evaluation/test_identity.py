import numpy as np
import pytest

from skelact.errors import ShapeError
from skelact.evaluation.identity import (
    count_switches,
    evaluate_identities,
    frames_of,
    identity_f1,
)
from skelact.pose.recording import PoseTrack

A, B, C = [0, 0, 10, 20], [100, 0, 110, 20], [200, 0, 210, 20]


def frame(**people):
    return list(people), np.array(list(people.values()), float).reshape(-1, 4)


def numbered(people: dict):
    return list(people), np.array(list(people.values()), float).reshape(-1, 4)


def as_arrays(frames):
    return [(np.array(ids), boxes) for ids, boxes in frames]


def test_perfect_tracks_score_one_under_any_names():
    truth = [frame(ann=A, ben=B)] * 4
    result = evaluate_identities(truth, [numbered({7: A, 3: B})] * 4)
    assert result == {
        "idf1": 1.0, "id_precision": 1.0, "id_recall": 1.0, "switches": 0, "fragments": 0,
        "misses": 0, "false_positives": 0, "people": 2, "tracks": 2, "boxes": 8,
    }


def test_one_swap_halfway():
    # 3 of 5 frames under the first naming, 2 of 5 under the other: 6 of 10 boxes agree
    truth = [frame(ann=A, ben=B)] * 5
    predicted = [numbered({1: A, 2: B})] * 3 + [numbered({2: A, 1: B})] * 2
    result = evaluate_identities(truth, predicted)
    assert result["idf1"] == pytest.approx(2 * 6 / (10 + 10))
    assert result["switches"] == 2
    assert result["fragments"] == 0


def test_new_id_after_a_gap_is_a_switch_and_a_fragment():
    truth = [frame(ann=A)] * 6
    nobody = numbered({})
    predicted = [numbered({1: A})] * 2 + [nobody] * 2 + [numbered({2: A})] * 2
    result = evaluate_identities(truth, predicted)
    # 2 of 6 true boxes and 2 of 4 predicted ones belong to the one agreed name
    assert (result["switches"], result["fragments"], result["misses"]) == (1, 1, 2)
    assert result["id_recall"] == pytest.approx(2 / 6)
    assert result["id_precision"] == pytest.approx(2 / 4)
    assert result["idf1"] == pytest.approx(4 / 10)


def test_same_id_after_a_gap_is_only_a_fragment():
    truth = [frame(ann=A)] * 5
    predicted = [numbered({1: A}), numbered({}), numbered({1: A}), numbered({}), numbered({1: A})]
    counts = count_switches(as_arrays(truth), as_arrays(predicted))
    assert counts == {"switches": 0, "fragments": 2, "misses": 2, "false_positives": 0}


def test_absence_of_the_person_is_no_fragment():
    truth = [frame(ann=A), frame(), frame(ann=A)]
    predicted = [numbered({1: A}), numbered({}), numbered({1: A})]
    counts = count_switches(as_arrays(truth), as_arrays(predicted))
    assert counts["fragments"] == counts["switches"] == 0


def test_a_pair_that_still_holds_is_kept_although_another_overlaps_more():
    shifted = [2, 0, 12, 20]
    truth = [frame(ann=A)] * 2
    predicted = [numbered({1: A}), numbered({1: shifted, 2: A})]
    counts = count_switches(as_arrays(truth), as_arrays(predicted))
    assert counts == {"switches": 0, "fragments": 0, "misses": 0, "false_positives": 1}


def test_min_iou_is_where_a_match_begins():
    half = [0, 0, 10, 10]  # IoU 0.5 with A
    truth, predicted = [frame(ann=A)], [numbered({1: half})]
    assert evaluate_identities(truth, predicted, min_iou=0.5)["idf1"] == 1.0
    assert evaluate_identities(truth, predicted, min_iou=0.51)["idf1"] == 0.0


def test_false_track_costs_precision_unless_ignored():
    truth, predicted = [frame(ann=A)] * 3, [numbered({1: A, 2: C})] * 3
    crowd = [190, 0, 400, 50]
    result = evaluate_identities(truth, predicted)
    assert result["false_positives"] == 3
    assert result["idf1"] == pytest.approx(6 / 9)
    assert evaluate_identities(truth, predicted, [[crowd]] * 3)["idf1"] == 1.0


def test_ignored_region_never_takes_a_matched_person():
    truth, predicted = [frame(ann=A)], [numbered({1: A})]
    result = evaluate_identities(truth, predicted, [[[0, 0, 50, 50]]])
    assert (result["idf1"], result["misses"]) == (1.0, 0)


def test_nobody_at_all_is_perfect():
    result = evaluate_identities([frame()] * 3, [numbered({})] * 3)
    assert (result["idf1"], result["switches"], result["boxes"]) == (1.0, 0, 0)


def test_one_track_over_two_people_names_only_one():
    truth = as_arrays([frame(ann=A), frame(ann=A), frame(ben=A)])
    predicted = as_arrays([numbered({1: A})] * 3)
    assert identity_f1(truth, predicted)["idf1"] == pytest.approx(2 * 2 / 6)
    assert count_switches(truth, predicted)["switches"] == 0  # each person has one track only


def test_frames_of_tracks_with_holes():
    boxes = np.array([A, B, C], float).T
    track = PoseTrack(5, np.zeros((2, 3, 3)), [0, 2, 3], boxes)
    (ids, first), (none, empty), (_, third) = frames_of([track], [0, 1, 3])
    assert ids.tolist() == [5]
    assert first.tolist() == [A]
    assert len(none) == 0
    assert empty.shape == (0, 4)
    assert third.tolist() == [C]


def test_tracks_without_boxes_are_refused():
    with pytest.raises(ShapeError, match="boxes"):
        frames_of([PoseTrack(1, np.zeros((2, 3, 1)), [0])], [0])


@pytest.mark.parametrize("predicted", [[], [([1, 1], [A, B])], [([1], [A, B])]])
def test_malformed_frames_are_refused(predicted):
    with pytest.raises(ShapeError, match="expected"):
        evaluate_identities([frame(ann=A)], predicted)

"""Boxes of annotations find their tracks."""

import numpy as np
import pytest

from skelact.datasets.box_matching import match_boxes
from skelact.pose.recording import PoseTrack, Recording


def recording(boxes, frames=range(50), fps=25.0, with_boxes=True) -> Recording:
    """A track for every box (x1, y1, x2, y2), standing still, joints at its corners."""
    tracks = []
    for i, (x1, y1, x2, y2) in enumerate(boxes, start=7):
        corners = np.full((17, 3), np.nan, np.float32)
        corners[:2] = (x1, y1, 1), (x2, y2, 1)
        joints = np.repeat(corners[..., None], len(frames), axis=2)
        box = np.repeat(np.array([[x1], [y1], [x2], [y2]], np.float32), len(frames), axis=1)
        tracks.append(PoseTrack(i, joints, np.array(frames), box if with_boxes else None))
    return Recording(tuple(tracks), np.arange(50) / fps, "coco17", image_size=(400, 300))


def at(time, box, label="stand") -> dict:
    return {"label": label, "start": time, "end": time + 1, "box": box}


def ids(matched) -> list:
    return [annotation.get("track_id") for annotation in matched]


LEFT, RIGHT = (10.0, 10.0, 60.0, 200.0), (200.0, 20.0, 260.0, 210.0)


@pytest.mark.parametrize("with_boxes", [True, False])
def test_each_box_gets_the_track_it_covers(with_boxes):
    seen = recording([RIGHT, LEFT], with_boxes=with_boxes)
    given = [at(0.0, LEFT), at(1.0, RIGHT), at(1.0, RIGHT, "talk"), at(1.5, (11, 12, 58, 190))]
    matched = match_boxes(seen, given)
    assert ids(matched) == [8, 7, 7, 8]
    assert [annotation["label"] for annotation in matched] == ["stand", "stand", "talk", "stand"]
    assert "track_id" not in given[0]  # the input is left as it was


def test_a_box_of_nobody_stays_without_a_track():
    seen = recording([LEFT])
    assert ids(match_boxes(seen, [at(0.0, RIGHT), at(0.0, (10, 10, 60, 60))])) == [None, None]
    assert ids(match_boxes(seen, [at(0.0, (10, 10, 60, 60))], min_iou=0.2)) == [7]


def test_one_track_is_not_two_people():
    near = (12.0, 10.0, 62.0, 200.0)
    assert ids(match_boxes(recording([LEFT]), [at(0.0, near), at(0.0, LEFT)])) == [None, 7]
    assert sorted(ids(match_boxes(recording([LEFT, near]), [at(0, near), at(0, LEFT)]))) == [7, 8]


def test_people_are_paired_so_that_they_overlap_most_in_all():
    first, second = (0.0, 0.0, 100.0, 100.0), (20.0, 0.0, 120.0, 100.0)
    moved = [(14.0, 0.0, 114.0, 100.0), (40.0, 0.0, 140.0, 100.0)]  # both fit the second best
    assert ids(match_boxes(recording([first, second]), [at(0, box) for box in moved])) == [7, 8]


def test_a_track_is_looked_for_at_the_time_of_the_box():
    seen = recording([LEFT], frames=range(20, 30))  # seconds 0.8 to 1.16
    times = (0.5, 0.6, 1.0, 1.4, 1.5)
    assert ids(match_boxes(seen, [at(time, LEFT) for time in times])) == [None, 7, 7, 7, None]


def test_labels_without_a_box_and_recordings_without_people_pass():
    segment = {"label": "run", "start": 0.0, "end": 1.0}
    assert match_boxes(recording([LEFT]), [segment]) == [segment]
    assert ids(match_boxes(recording([]), [at(0.0, LEFT), segment])) == [None, None]

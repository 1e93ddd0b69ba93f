import numpy as np
import pytest

from skelact.errors import ShapeError
from skelact.graph.layouts import get_layout
from skelact.pose.estimators import Detections


def people(count: int) -> Detections:
    numbers = np.arange(count, dtype=np.float32)
    return Detections(np.tile(numbers[:, None, None], (1, 17, 3)), np.tile(numbers[:, None], 4),
                      numbers)


@pytest.mark.parametrize("rows", [[2, 0], slice(1, 3), np.array([True, False, True])])
def test_rows_select_people_in_all_arrays(rows):
    part = people(3)[rows]
    expected = np.arange(3)[rows]
    np.testing.assert_array_equal(part.scores, expected)
    np.testing.assert_array_equal(part.joints[:, 5, 1], expected)
    np.testing.assert_array_equal(part.boxes[:, 3], expected)
    assert len(part) == len(expected)


def test_none_is_nobody_of_the_layout():
    nobody = Detections.none(get_layout("mediapipe33"))
    assert len(nobody) == 0
    assert nobody.joints.shape == (0, 33, 3)
    assert nobody.boxes.shape == (0, 4)


@pytest.mark.parametrize(("joints", "boxes"), [((2, 17, 3), (3, 4)), ((3, 17, 2), (3, 4)),
                                               ((3, 17, 3), (2, 4)), ((3, 17, 3), (3, 5))])
def test_axes_that_do_not_match_are_refused(joints, boxes):
    with pytest.raises(ShapeError, match="expected"):
        Detections(np.zeros(joints), np.zeros(boxes), np.zeros(3))

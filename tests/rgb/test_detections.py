"""Detections of objects: files that go round, files of other hands, and looking at a video."""

import json

import numpy as np
import pytest
from videos import grey_images, grey_number, make_video

from skelact.errors import ChoiceError, FileFormatError, OutputExistsError, ShapeError, SkelactError
from skelact.pose.estimators.yolo_objects import FoundObjects
from skelact.rgb.detections import (
    ObjectDetections,
    detect_objects,
    read_detections,
    save_detections,
)


def some() -> ObjectDetections:
    return ObjectDetections([0, 0.2, 0.4], [0, 0, 2], ["cup", "book", "cup"],
                            np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12.5]]),
                            [0.5, 0.25, 1])


def same(first: ObjectDetections, second: ObjectDetections) -> None:
    assert first.names == second.names
    for name in ("times", "frame", "boxes", "scores"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_a_file_goes_round(tmp_path):
    path = save_detections(some(), tmp_path / "objects.json")
    same(read_detections(path), some())
    with pytest.raises(OutputExistsError):
        save_detections(some(), path)
    nothing = ObjectDetections([0.5], [], [], np.empty((4, 0)), [])
    same(read_detections(save_detections(nothing, tmp_path / "nothing.json")), nothing)
    assert some().classes == ("book", "cup")


def test_a_table(tmp_path):
    path = tmp_path / "objects.csv"
    path.write_text("class, time, x1, y1, x2, y2, score\nbook,0.0,2,5,8,11,0.25\n"
                    "cup,0.4,3,6,9,12.5,\n,0.2,,,,,\ncup,0.0,1,4,7,10,0.5\n")
    found = read_detections(path)
    np.testing.assert_array_equal(found.times, [0, 0.2, 0.4])
    assert found.names == ("book", "cup", "cup")
    np.testing.assert_array_equal(found.frame, [0, 2, 0])
    np.testing.assert_array_equal(found.scores, np.float32([0.25, 1, 0.5]))
    np.testing.assert_array_equal(found.boxes[:, 1], [3, 6, 9, 12.5])


@pytest.mark.parametrize(("name", "text", "why"), [
    ("a.json", "{", "a.json"), ("b.json", "{}", "no 'frames'"), ("c.json", "[]", "c.json"),
    ("d.json", json.dumps({"frames": [{"time": 0, "objects": [{"class": "cup"}]}]}), "no 'box'"),
    ("e.json", json.dumps({"frames": [{"time": 0, "objects": [{"class": 3, "box": []}]}]}), "name"),
    ("f.json", json.dumps({"frames": [{"time": 0, "objects": [
        {"class": "cup", "box": [5, 5, 1, 1]}]}]}), "x1 < x2"),
    ("g.json", json.dumps({"frames": [{"time": "NaN", "objects": []}]}), "rise"),
    ("h.csv", "time,class,x1,y1,x2\n0,cup,1,2,3\n", "no 'y2'"),
    ("i.csv", "time,class,x1,y1,x2,y2\n0,cup,1,2,3,4\n0,cup,1,2,wide,4\n", "line 3"),
    ("j.csv", "time,class,x1,y1,x2,y2,score\n0,cup,1,2,3,4,5\n", "scores"),
    ("k.txt", "", ".json or .csv"),
])
def test_files_that_are_none(tmp_path, name, text, why):
    (tmp_path / name).write_text(text)
    with pytest.raises(FileFormatError, match=why):
        read_detections(tmp_path / name)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileFormatError, match="does not exist"):
        read_detections(tmp_path / "objects.json")


@pytest.mark.parametrize(("changed", "kind"), [
    ({"times": [0, 0, 1]}, ShapeError), ({"frame": [0, 1, 3]}, ShapeError),
    ({"boxes": np.zeros((4, 3))}, ShapeError), ({"boxes": np.full((4, 3), np.nan)}, ShapeError),
    ({"scores": [0, 1]}, ShapeError), ({"scores": [0, 1, 1.5]}, SkelactError),
    ({"scores": [0, 1, np.nan]}, SkelactError),
])
def test_detections_that_contradict_themselves(changed, kind):
    fields = {name: getattr(some(), name) for name in ("times", "frame", "names", "boxes",
                                                       "scores")}
    with pytest.raises(kind):
        ObjectDetections(**{**fields, **changed})


class Counter:
    """Finds, in frame i, i % 3 things, and remembers which frames it was shown."""

    def __init__(self):
        self.shown = []

    def detect(self, images):
        found = []
        for image in images:
            number = grey_number(image)
            self.shown.append(number)
            boxes = np.tile(np.float32([1, 2, 3, 4]), (number % 3, 1))
            found.append(FoundObjects(("thing",) * (number % 3), boxes + number,
                                      np.full(number % 3, 0.5, np.float32)))
        return found


@pytest.mark.parametrize(("every", "shown"), [(0, range(20)), (0.2, range(0, 20, 5)),
                                              (60, range(1))])
def test_sampled_frames_are_looked_at(tmp_path, every, shown):
    video = make_video(tmp_path / "v.mp4", grey_images(20), fps=25)
    detector = Counter()
    found = detect_objects(video, detector, every)
    assert detector.shown == [*shown]
    np.testing.assert_allclose(found.times, np.array([*shown]) / 25, atol=1e-3)
    numbers = np.array([*shown])
    np.testing.assert_array_equal(numbers[found.frame], np.repeat(numbers, numbers % 3))
    np.testing.assert_array_equal(found.boxes[0], numbers[found.frame] + 1)
    assert len(found) == sum(numbers % 3)


def test_no_such_step(tmp_path):
    for every in (-1, float("nan")):
        with pytest.raises(ChoiceError, match="from 0 on"):
            detect_objects(tmp_path / "v.mp4", Counter(), every)

"""Detection of objects through the door of ultralytics, by a small network without training.

No published detection weights are at hand, so what is tested is that the boxes, classes and scores
are those which ultralytics itself gives of the same network.
"""

import numpy as np
import pytest
import torch

from skelact.errors import ChoiceError, ShapeError, SkelactError, WeightsError
from skelact.pose.estimators.containment import contained
from skelact.pose.estimators.yolo_objects import YoloObjects


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A network of four classes whose scores are raised until it finds something."""
    with contained():
        from ultralytics.nn.tasks import DetectionModel

        torch.manual_seed(0)
        model = DetectionModel("yolo11n.yaml", nc=4, verbose=False)
    model.names = {0: "cup", 1: "book", 2: "ball", 3: "phone"}
    for branch in model.model[-1].cv3:
        torch.nn.init.normal_(branch[-1].weight, std=2.0)
        branch[-1].bias.data.fill_(0.0)
    path = tmp_path_factory.mktemp("weights") / "objects.pt"
    torch.save({"model": model}, path)
    return path


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (120, 200, 3), np.uint8)


def test_objects_equal_those_of_ultralytics(weights, image):
    [found] = YoloObjects(weights, device="cpu", image_size=320).detect([image])
    with contained():
        from ultralytics import YOLO

        [result] = YOLO(weights).predict(np.ascontiguousarray(image[..., ::-1]), conf=0.25,
                                         iou=0.7, imgsz=320, verbose=False)
    assert len(found) == len(result.boxes) > 3
    assert len(set(found.names)) > 1
    assert found.names == tuple(result.names[int(i)] for i in result.boxes.cls)
    np.testing.assert_allclose(found.boxes, result.boxes.xyxy.numpy(), atol=0.5)
    np.testing.assert_allclose(found.scores, result.boxes.conf.numpy(), atol=0.01)


def test_classes_that_are_looked_for(weights, image):
    every = YoloObjects(weights, device="cpu", image_size=320)
    assert every.classes == ("cup", "book", "ball", "phone")
    [found] = every.detect([image])
    wanted = found.names[0]
    [some] = YoloObjects(weights, [wanted], device="cpu", image_size=320).detect([image])
    assert set(some.names) == {wanted}
    np.testing.assert_allclose(some.boxes[0], found.boxes[0], atol=0.01)
    with pytest.raises(ChoiceError, match="cup, book, ball, phone"):
        YoloObjects(weights, ["sandwich"], device="cpu")
    with pytest.raises(ChoiceError, match="at least one"):
        YoloObjects(weights, [], device="cpu")


def test_what_is_refused(weights, tmp_path):
    with pytest.raises(WeightsError, match=r"yolo11n\.pt"):
        YoloObjects(tmp_path / "nothing.pt")
    torch.save({"model": torch.nn.Linear(2, 2).state_dict()}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="does not load"):
        YoloObjects(tmp_path / "other.pt")
    with contained():
        from ultralytics.nn.tasks import PoseModel

        torch.save({"model": PoseModel("yolo11n-pose.yaml", verbose=False)}, tmp_path / "pose.pt")
    with pytest.raises(WeightsError, match="another task"):
        YoloObjects(tmp_path / "pose.pt", device="cpu")
    for wrong in ({"image_size": 100}, {"min_score": 0}):
        with pytest.raises(SkelactError, match="expected"):
            YoloObjects(weights, **wrong)
    with pytest.raises(ShapeError, match="uint8"):
        YoloObjects(weights, device="cpu").detect([np.zeros((32, 32, 3))])

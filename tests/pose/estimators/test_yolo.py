import itertools
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from videos import encode, set_rotation

from skelact.errors import ShapeError, SkelactError, WeightsError
from skelact.pose.estimators.containment import contained
from skelact.pose.estimators.yolo import YoloEstimator
from skelact.pose.extract import extract
from skelact.pose.video import VideoReader

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def weights(shared):
    return shared / "weights" / "yolo11n-pose.pt"


@pytest.fixture(scope="module")
def estimator(weights):
    return YoloEstimator(weights, device="cpu", threads=2)


def images_of(shared, name: str, count: int, stride: int = 20) -> list[np.ndarray]:
    reader = VideoReader(shared / "videos" / name, stride=stride)
    return [frame.image for frame in itertools.islice(reader, count)]


@pytest.mark.parametrize("name", ["two_people_1080p_vfr.mp4", "three_people_exercise.avi"])
def test_keypoints_equal_those_of_ultralytics(shared, weights, estimator, name):
    images = images_of(shared, name, 3)
    ours = estimator.estimate(images)
    with contained():
        from ultralytics import YOLO

        results = YOLO(weights).predict([np.ascontiguousarray(image[..., ::-1])
                                         for image in images], conf=0.1, verbose=False)
    for people, result in zip(ours, results, strict=True):
        assert len(people) == len(result) > 1
        theirs = result.keypoints.data.numpy()
        assert np.abs(people.joints[..., :2] - theirs[..., :2]).max() <= 0.5
        np.testing.assert_allclose(people.joints[..., 2], theirs[..., 2], atol=0.01)
        np.testing.assert_allclose(people.boxes, result.boxes.xyxy.numpy(), atol=0.5)
        np.testing.assert_allclose(people.scores, result.boxes.conf.numpy(), atol=0.01)


def test_a_frame_does_not_depend_on_its_batch(shared, estimator):
    images = images_of(shared, "three_people_exercise.avi", 5, stride=3)
    together = estimator.estimate(images)
    for image, people in zip(images, together, strict=True):
        [alone] = estimator.estimate([image])
        np.testing.assert_allclose(alone.joints, people.joints, atol=0.05)
    assert estimator.estimate([]) == []


def test_threads_with_images_of_several_sizes_do_not_disturb_one_another(shared, estimator):
    image = images_of(shared, "three_people_exercise.avi", 1)[0]
    sizes = [image, image[:200], image[:, :300]]
    alone = [estimator.estimate([part])[0].joints for part in sizes]
    found = {}

    def work(i: int) -> None:
        found[i] = [estimator.estimate([sizes[i]])[0].joints for _ in range(3)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(sizes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, joints in itertools.product(range(3), range(3)):
        np.testing.assert_allclose(found[i][joints], alone[i], atol=0.05)


def test_nobody_in_an_empty_picture(estimator):
    [people] = estimator.estimate([np.zeros((48, 64, 3), np.uint8)])
    assert len(people) == 0
    assert people.joints.shape == (0, 17, 3)


@pytest.mark.parametrize("images", [
    [np.zeros((8, 8), np.uint8)], [np.zeros((8, 8, 4), np.uint8)], [np.zeros((8, 8, 3))],
    [np.zeros((8, 8, 3), np.uint8), np.zeros((9, 8, 3), np.uint8)],
])
def test_what_is_no_image_is_refused(estimator, images):
    with pytest.raises(ShapeError, match="expected"):
        estimator.estimate(images)


@pytest.mark.parametrize("words", [{"image_size": 100}, {"min_score": 0}, {"device": "tpu9"},
                                   {"device": "cuda:99"}, {"device": "nonsense"}])
def test_bad_arguments_are_refused(weights, words):
    with pytest.raises(SkelactError, match=r"expected|asked for"):
        YoloEstimator(weights, **words)


class Evil:
    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return open, (self.target, "w")


def test_weights_run_no_code(tmp_path):
    torch.save({"model": Evil(tmp_path / "was here"), "ema": None}, tmp_path / "evil.pt")
    with pytest.raises(WeightsError, match=r"evil\.pt"):
        YoloEstimator(tmp_path / "evil.pt")
    assert not (tmp_path / "was here").exists()


def test_files_that_are_no_weights_are_refused(tmp_path, weights):
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "empty.pt").touch()
    (tmp_path / "cut.pt").write_bytes(weights.read_bytes()[:100_000])
    (tmp_path / "model.onnx").write_bytes(b"x")
    torch.save({"model": torch.nn.Linear(2, 2).state_dict()}, tmp_path / "other.pt")
    for name in ("text.pt", "empty.pt", "cut.pt", "model.onnx", "other.pt", "nothing.pt"):
        with pytest.raises(WeightsError, match=name):
            YoloEstimator(tmp_path / name)


def test_models_of_other_joints_are_refused(tmp_path):
    with contained():
        from ultralytics.nn.tasks import DetectionModel, PoseModel

        hand = PoseModel("yolo11n-pose.yaml", data_kpt_shape=(21, 3), verbose=False)
        boxes = DetectionModel("yolo11n.yaml", verbose=False)
    torch.save({"model": hand}, tmp_path / "hand.pt")
    torch.save({"model": boxes}, tmp_path / "boxes.pt")
    with pytest.raises(WeightsError, match="21 keypoints"):
        YoloEstimator(tmp_path / "hand.pt")
    with pytest.raises(WeightsError, match="no keypoints"):
        YoloEstimator(tmp_path / "boxes.pt")


def test_the_process_is_as_before_and_nothing_leaves_it(weights, tmp_path):
    program = """
import json, os, socket, subprocess, sys
import cv2, numpy as np, torch, torchvision  # what these do themselves is not at issue

def refuse(*arguments, **words):
    raise SystemExit(f"ultralytics reached out: {arguments}")

socket.getaddrinfo = socket.socket.connect = refuse
torch.set_num_threads(3)
np.set_printoptions(linewidth=77)
torch.set_printoptions(precision=5)

def state():
    return {
        "environment": dict(os.environ), "numpy": str(np.get_printoptions()),
        "torch": str(torch._tensor_str.PRINT_OPTS), "save": id(torch.save),
        "threads": torch.get_num_threads(), "cv2": cv2.getNumThreads(),
        "globals": len(torch.serialization.get_safe_globals()),
    }

before = state()
from skelact.pose.estimators.yolo import YoloEstimator
estimator = YoloEstimator(sys.argv[1], device="cpu", threads=2)
estimator.estimate([np.zeros((64, 64, 3), np.uint8)] * 3)
from ultralytics.utils import AUTOINSTALL, ONLINE, SAFE_LOAD
assert (AUTOINSTALL, ONLINE, SAFE_LOAD) == (False, False, True)
after = state()
changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
print(json.dumps(changed))
"""
    home = tmp_path / "home"
    home.mkdir()
    result = subprocess.run(
        [sys.executable, "-c", program, str(weights)], capture_output=True, text=True, cwd=home,
        env={**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {}  # and nothing else was printed
    assert not (home / ".config" / "Ultralytics").exists()


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_videos_give_the_same_poses(shared, estimator, tmp_path, turn):
    images = [image[::2, ::2] for image in images_of(shared, "two_people_1080p_vfr.mp4", 3, 1)]
    lossless = {"pix_fmt": "yuv444p", "qp": 0}
    upright = extract(encode(tmp_path / "upright.mp4", images, **lossless), estimator)
    stored = [np.ascontiguousarray(np.rot90(image, turn // 90)) for image in images]
    raw = encode(tmp_path / "raw.mp4", stored, **lossless)
    turned = extract(set_rotation(raw, tmp_path / "turned.mp4", turn), estimator)
    assert turned.image_size == upright.image_size == (960, 540)
    assert len(turned.tracks) == len(upright.tracks) == 2
    assert np.abs(turned.joints() - upright.joints())[:, :, :2].max() <= 1.0

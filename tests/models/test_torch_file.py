"""Files that are no weights are named for what they are."""

import pytest
import torch
from torch import nn

from skelact.errors import WeightsError
from skelact.models.torch_file import read_torch_file


@pytest.mark.parametrize(("content", "kind"), [
    (b"\x1c\0\0\0TFL3\x14\0", "a TensorFlow Lite model"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x40\0\0\0\0\0\0\0{\"weight\":{}}", "a safetensors file"),
    (b"\x08\x0a\x12\x07pytorch\x1a\x05", "an ONNX model"),
    (b"PK\x03\x04" + bytes(26) + b"joints.npy", "a file of numpy arrays, such as a pose file"),
    (b"<!DOCTYPE html><html>", "a text file"),
    (b"# layers of the network", "a text file"),
])
def test_files_of_other_programs_are_named(tmp_path, content, kind):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"model.pt is {kind}.*; expected a torch file"):
        read_torch_file(path)


def test_a_pickled_network_is_refused_by_the_name_of_its_code(tmp_path):
    torch.save(nn.Linear(2, 3), tmp_path / "model.pt")
    with pytest.raises(WeightsError, match=r"asks for torch\.nn\.modules\.linear\.Linear; .*could "
                                           "run code, so it is refused"):
        read_torch_file(tmp_path / "model.pt")


@pytest.mark.shared
@pytest.mark.parametrize(("name", "message"), [
    ("yolo11n-pose.pt", r"asks for ultralytics\.nn\.tasks\.PoseModel"),
    ("movenet_lightning_int8.tflite", "a TensorFlow Lite model"),
])
def test_real_pose_models_are_no_action_models(shared, name, message):
    with pytest.raises(WeightsError, match=message):
        read_torch_file(shared / "weights" / name)


@pytest.mark.parametrize("old", [False, True])
def test_tensors_come_back(tmp_path, old):
    weights = {"weight": torch.randn(3, 2)}
    torch.save(weights, tmp_path / "model.pt", _use_new_zipfile_serialization=not old)
    assert read_torch_file(tmp_path / "model.pt")["weight"].equal(weights["weight"])

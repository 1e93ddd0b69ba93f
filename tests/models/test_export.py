"""Exported models: the same answers elsewhere, and a file only where they are."""

import json
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from weights import shake

from skelact.config import ClipConfig
from skelact.errors import (
    ChoiceError,
    MissingDependencyError,
    OutputExistsError,
    SkelactError,
)
from skelact.graph import Graph
from skelact.models import export
from skelact.models.checkpoint import ActionModel
from skelact.models.classifier import SkeletonClassifier, action_probabilities
from skelact.models.export import METADATA, export_model
from skelact.nn.stgcn import STGCN
from skelact.nn.stgcn_pp import STGCNPP

CLASSES = ("wave", "jump", "sit")
SHAPES = [(1, 1, 8), (2, 3, 9), (5, 2, 16), (1, 4, 31)]
"""Batch, people, frames."""


def make_model(kinds: tuple[type[nn.Module], ...] = (STGCN,), absent: str = "skip") -> ActionModel:
    """One layer of each kind, each with a stride."""
    torch.manual_seed(0)
    graph = Graph("penn13")
    layers = [kind(12 if row else 3, 12, graph, stride=2) for row, kind in enumerate(kinds)]
    network = SkeletonClassifier(graph.layout, 3, nn.Sequential(*layers), 12, 4, absent=absent)
    shake(network)
    clip = ClipConfig(frames=8, window=1.5, stream="bone")
    return ActionModel(network.eval(), CLASSES, clip, {}, rejects=True, threshold=0.25)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model and its two files."""
    model, folder = make_model((STGCN, STGCNPP)), tmp_path_factory.mktemp("exported")
    for name in ("model.onnx", "model.pt2"):
        assert export_model(model, folder / name) <= 1e-5
    return model, folder


def draw(batch: int, people: int, frames: int) -> Tensor:
    """Clips with a person absent here and there, and one with nobody."""
    clips = torch.randn(batch, people, 13, 3, frames)
    clips[torch.rand(batch, people) < 0.3] = 0
    clips[1:2] = 0
    return clips


def answers(model: ActionModel, clips: Tensor) -> list[np.ndarray]:
    with torch.inference_mode():
        scores = model.network(clips)
        return [scores.numpy(), action_probabilities(scores, len(CLASSES)).numpy()]


def check_onnx(model: ActionModel, path: Path) -> None:
    session = onnxruntime.InferenceSession(path)
    assert [entry.shape for entry in session.get_inputs()] == [["batch", "people", 13, 3, "frames"]]
    for shape in SHAPES:
        clips = draw(*shape)
        ours = session.run(["scores", "probabilities"], {"clips": clips.numpy()})
        for output, expected in zip(ours, answers(model, clips), strict=True):
            np.testing.assert_allclose(output, expected, atol=1e-5)
        assert ours[1].shape == (len(clips), 3)


def check_pt2(model: ActionModel, path: Path) -> None:
    module = torch.export.load(path).module()
    for shape in SHAPES:
        clips = draw(*shape)
        for output, expected in zip(module(clips), answers(model, clips), strict=True):
            np.testing.assert_allclose(output.numpy(), expected, atol=1e-5)


def test_the_files_give_the_same_answers(exported):
    model, folder = exported
    check_onnx(model, folder / "model.onnx")
    check_pt2(model, folder / "model.pt2")


def test_published_zeros_count_there_too_and_the_model_is_left_as_it_is(tmp_path):
    model = make_model(absent="zeros")
    model.network.train()
    export_model(model, tmp_path / "model.pt2")
    assert model.network.training
    assert all(parameter.requires_grad for parameter in model.network.parameters())
    model.network.eval()
    check_pt2(model, tmp_path / "model.pt2")


def test_both_files_say_what_a_deployer_must_know(exported):
    model, folder = exported
    entries = onnxruntime.InferenceSession(folder / "model.onnx").get_modelmeta()
    facts = {key: json.loads(value) for key, value in entries.custom_metadata_map.items()}
    assert facts["classes"] == list(CLASSES)
    assert facts["layout"]["joints"] == list(model.layout.joints)
    assert facts["clip"]["frames"] == 8
    assert facts["clip"]["stream"] == "bone"
    assert facts["threshold"] == 0.25
    assert facts["rejects"] is True
    assert facts["absent"] == model.network.absent
    extra = {METADATA: ""}
    torch.export.load(folder / "model.pt2", extra_files=extra)
    assert json.loads(extra[METADATA]) == facts


def test_a_file_stands_alone_and_names_no_folder_of_this_machine(exported):
    _, folder = exported
    assert sorted(os.listdir(folder)) == ["model.onnx", "model.pt2"]  # no file of weights beside
    onnx.checker.check_model(folder / "model.onnx", full_check=True)
    with zipfile.ZipFile(folder / "model.pt2") as archive:
        parts = [archive.read(name) for name in archive.namelist()]
    here = os.path.dirname(os.path.abspath(export.__file__)).encode()
    for content in ((folder / "model.onnx").read_bytes(), *parts):
        assert here not in content
        assert b".py" not in content


class Counting(nn.Module):
    """A head that remembers what it saw, as no exported program does."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, pooled: Tensor) -> Tensor:
        self.calls += 1
        return pooled[:, :4] + 0.001 * self.calls


def test_a_file_that_answers_otherwise_is_not_written(tmp_path):
    model = make_model()
    model.network.head = Counting()
    with pytest.raises(SkelactError, match=r"differs from torch by .*model\.pt2 was not written"):
        export_model(model, tmp_path / "model.pt2")
    assert os.listdir(tmp_path) == []


def test_answers_that_are_no_numbers_are_not_written(tmp_path):
    model = make_model()
    with torch.no_grad():
        model.network.head.bias[0] = torch.nan
    with pytest.raises(SkelactError, match="differs from torch by nan"):
        export_model(model, tmp_path / "model.pt2")
    assert os.listdir(tmp_path) == []


class Choosy(nn.Module):
    """A head whose path depends on values, which no exported program can."""

    def forward(self, pooled: Tensor) -> Tensor:
        return pooled[:, :4] if pooled.sum() > 0 else pooled[:, 4:]


def test_a_network_that_cannot_be_exported_is_refused_in_one_line(tmp_path):
    model = make_model()
    model.network.head = Choosy()
    with pytest.raises(SkelactError, match=r"exported as \.pt2 \(.*was not written$") as caught:
        export_model(model, tmp_path / "model.pt2")
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path, monkeypatch):
    model = make_model()
    with pytest.raises(ChoiceError, match=r"one of \.onnx, \.pt2; got '\.tflite'"):
        export_model(model, tmp_path / "model.tflite")
    (tmp_path / "model.onnx").write_text("mine")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        export_model(model, tmp_path / "model.onnx")
    monkeypatch.setitem(sys.modules, "onnxscript", None)  # as if it were not installed
    with pytest.raises(MissingDependencyError, match=r"package onnxscript: pip install "
                                                     r"'skelact\[export\]'"):
        export_model(model, tmp_path / "model.onnx", overwrite=True)
    assert (tmp_path / "model.onnx").read_text() == "mine"

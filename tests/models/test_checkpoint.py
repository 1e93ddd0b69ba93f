"""Checkpoints: everything in one file, nothing executed, nothing half written."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from skelact.config import ClipConfig
from skelact.device import choose_device
from skelact.errors import ChoiceError, OutputExistsError, WeightsError
from skelact.graph import Layout
from skelact.models.checkpoint import (
    DEFAULT_MODEL,
    FORMAT_VERSION,
    ActionModel,
    build_network,
    load_model,
    save_model,
)

CLASSES = ("wave", "jump", "sit")
DOG = Layout("dog", ("chest", "head", "paw_a", "paw_b"), (0, 0, 0, 0), flip_pairs=((2, 3),))


def make_model(layout=DOG, rejects=True, **fields) -> ActionModel:
    torch.manual_seed(0)
    architecture = {"name": "stgcn", "arguments": {
        "num_classes": len(CLASSES) + rejects, "base_channels": 4, "kernel_size": 3}}
    network = build_network(architecture, layout).eval()
    fields = {"threshold": 0.25, "metrics": {"top1": 0.5, "note": None},
              "training": {"seed": 3}, "data": {"name": "made up"}} | fields
    return ActionModel(network, CLASSES, ClipConfig(layout=layout.name, frames=8, window=1.5),
                       architecture, rejects=rejects, **fields)


@pytest.fixture
def clips() -> torch.Tensor:
    return torch.randn(5, 1, 4, 3, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def saved(tmp_path):
    return save_model(make_model(), tmp_path / "model.pt")


@pytest.fixture
def altered(saved):
    """Change entries of a saved checkpoint; gives the path."""

    def write(**changes):
        content = torch.load(saved, weights_only=True)
        for key, value in changes.items():
            content[key] = value
            if value is None:
                del content[key]
        torch.save(content, saved)
        return saved

    return write


def test_a_checkpoint_holds_all_of_a_model(saved, clips):
    model, restored = make_model(), load_model(saved)
    np.testing.assert_array_equal(restored.probabilities(clips), model.probabilities(clips))
    assert restored.layout == DOG  # spelled out: no built-in layout of that name is needed
    for name in ("classes", "clip", "architecture", "rejects", "threshold", "metrics", "training",
                 "data"):
        assert getattr(restored, name) == getattr(model, name), name
    assert restored.name == "model"
    assert not restored.network.training
    assert not any(p.requires_grad for p in restored.network.parameters())
    versions = torch.load(saved, weights_only=True)["versions"]
    assert sorted(versions) == ["python", "skelact", "torch"]


def test_probabilities_are_those_of_the_actions_alone(clips):
    scores = make_model().network(clips).detach().double().numpy()
    ours = make_model().probabilities(clips)
    assert ours.shape == (5, 3)
    which = np.exp(scores[:, :3]) / np.exp(scores[:, :3]).sum(axis=1, keepdims=True)
    none = 1 / (1 + np.exp(-scores[:, 3:]))
    np.testing.assert_allclose(ours, which * (1 - none), rtol=1e-5)
    plain = make_model(rejects=False).probabilities(clips)
    np.testing.assert_allclose(plain.sum(axis=1), 1, rtol=1e-5)


def test_half_precision_halves_the_file_and_keeps_the_answers(saved, tmp_path, clips):
    model = make_model()
    half = save_model(model, tmp_path / "half.pt", dtype=torch.float16)
    weights = torch.load(half, weights_only=True)["weights"]
    assert {v.dtype for v in weights.values()} == {torch.float16, torch.int64}
    assert half.stat().st_size < saved.stat().st_size - 15_000  # 9,000 numbers, two bytes each
    restored = load_model(half)
    assert {p.dtype for p in restored.network.parameters()} == {torch.float32}
    np.testing.assert_allclose(restored.probabilities(clips), model.probabilities(clips), atol=0.01)


def test_weights_that_do_not_fit_are_not_written(tmp_path):
    model = make_model()
    with torch.no_grad():
        model.network.head.weight[0, 0] = 1e6
    with pytest.raises(WeightsError, match=r"not finite as torch.float16"):
        save_model(model, tmp_path / "model.pt", dtype=torch.float16)
    save_model(model, tmp_path / "model.pt")
    with torch.no_grad():
        model.network.head.weight[0, 0] = torch.nan
    with pytest.raises(WeightsError, match="not finite; nothing was written"):
        save_model(model, tmp_path / "nan.pt")
    assert sorted(os.listdir(tmp_path)) == ["model.pt"]


def test_an_existing_file_is_kept_and_a_failed_write_leaves_nothing(saved, tmp_path):
    before = saved.read_bytes()
    with pytest.raises(OutputExistsError):
        save_model(make_model(), saved)
    unreadable = make_model(metrics={"top1": np.float64(0.5)})  # numpy would need code to load
    with pytest.raises(WeightsError, match="plain values"):
        save_model(unreadable, saved, overwrite=True)
    assert saved.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.pt"]
    save_model(replace(make_model(), threshold=0.75), saved, overwrite=True)
    assert load_model(saved).threshold == 0.75


class Trap:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("sprung",)


def test_code_in_a_checkpoint_is_not_run(altered, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match="could run code, so it is refused"):
        load_model(altered(metrics=Trap()))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("changes", [{"format_version": FORMAT_VERSION + 1},
                                     {"format_version": "soon"}, {"format_version": None}])
def test_newer_formats_are_refused(altered, changes):
    with pytest.raises(WeightsError, match=r"checkpoint format .* update skelact"):
        load_model(altered(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": None}, "it lacks 'classes'"),
        ({"weights": {}}, "Missing key"),
        ({"clip": {"layout": "dog", "speed": 3}}, "speed"),
        ({"clip": {"frames": 0}}, "expected frames from 2, got 0"),
        ({"classes": ["wave"]}, "expected a network of 2 scores for 1 classes, got 4"),
        ({"architecture": {"name": "resnet", "arguments": {}}},
         "a network out of stgcn, stgcnpp, .*; got 'resnet'"),
        ({"architecture": {"name": "stgcn", "arguments": {"depth": 3}}}, "depth"),
        ({"architecture": [1]}, "not a whole skelact checkpoint"),
        ({"layout": {"name": "dog", "joints": ["a", "a"], "parents": [0, 0], "flip_pairs": []}},
         "not a whole skelact checkpoint"),
        ({"threshold": "high"}, "not a whole skelact checkpoint"),
    ],
)
def test_contradictions_are_refused_in_one_line(altered, changes, message):
    with pytest.raises(WeightsError, match=message) as caught:
        load_model(altered(**changes))
    assert "\n" not in str(caught.value)
    assert "model.pt" in str(caught.value)


def test_weights_that_are_not_finite_are_refused(saved, altered):
    weights = torch.load(saved, weights_only=True)["weights"]
    weights["head.bias"][0] = torch.inf
    with pytest.raises(WeightsError, match="weights are not finite"):
        load_model(altered(weights=weights))


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"PK\x03\x04 no archive"])
def test_damaged_files_are_refused(tmp_path, content):
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(WeightsError, match=r"model\.pt is damaged") as caught:
        load_model(tmp_path / "model.pt")
    assert "\n" not in str(caught.value)


def test_truncated_files_are_refused(saved):
    content = saved.read_bytes()
    for size in np.linspace(1, len(content) - 1, 12).astype(int):
        saved.write_bytes(content[:size])
        with pytest.raises(WeightsError, match="damaged"):
            load_model(saved)


def test_no_flipped_bit_changes_an_answer(saved, clips):
    content, expected = saved.read_bytes(), make_model().probabilities(clips)
    random, refused = np.random.default_rng(0), 0
    for place in random.integers(len(content), size=30):
        flipped = bytearray(content)
        flipped[place] ^= 1 << random.integers(8)
        saved.write_bytes(flipped)
        try:
            model = load_model(saved)
        except WeightsError:
            refused += 1
        else:  # in padding, where nothing is stored
            np.testing.assert_array_equal(model.probabilities(clips), expected)
    assert refused > 10


def test_foreign_and_missing_files_are_refused(tmp_path):
    torch.save({"fcn.weight": torch.ones(3)}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match=r"no skelact checkpoint.*load_published"):
        load_model(tmp_path / "other.pt")
    with pytest.raises(WeightsError, match=r"no model at .*none\.pt; `skelact train` writes one"):
        load_model(tmp_path / "none.pt")
    (tmp_path / "model.pt").touch()
    with pytest.raises(WeightsError, match=r"in that folder there is .*model\.pt"):
        load_model(tmp_path)


def test_devices(saved):
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in ("cpu", "cuda")
    for name in ("cpuu", "cuda:99", "meta"):
        with pytest.raises(ChoiceError, match=name):
            choose_device(name)
    with pytest.raises(ChoiceError, match="abacus"):
        load_model(saved, device="abacus")


def test_the_model_that_ships_is_small_and_whole():
    assert DEFAULT_MODEL.stat().st_size <= 8_000_000
    model = load_model()
    assert model.layout.name == "penn13"
    assert len(model.classes) == 15
    assert model.rejects
    assert 0 < model.threshold < 1
    assert model.metrics["top1"] > 0.98
    clip = torch.zeros(2, 1, 13, 3, model.clip.frames)
    probabilities = model.probabilities(clip)
    assert probabilities.shape == (2, 15)
    assert (probabilities.max(axis=1) < model.threshold).all()  # nobody does nothing


def test_the_model_that_ships_scores_people_as_it_did_before_the_absent_were_skipped():
    model = load_model()
    assert model.network.absent == "skip"  # which its file does not say
    clips = torch.randn(2, 1, 13, 3, 64, generator=torch.Generator().manual_seed(0))
    skipping = model.probabilities(clips)
    model.network.absent = "zeros"
    np.testing.assert_array_equal(model.probabilities(clips), skipping)

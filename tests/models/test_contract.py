"""The promises of `contract.py`, kept by every network on every skeleton."""

import importlib
import inspect
import pkgutil
from typing import get_args, get_type_hints

import contract
import pytest
import torch
from contract import CLASSES, build, make_clips

import skelact.models
from skelact.config import ClipConfig, NetworkConfig
from skelact.errors import LayoutError, ShapeError
from skelact.graph.layouts import builtin_layouts
from skelact.models import export
from skelact.models.checkpoint import NETWORKS, ActionModel
from skelact.models.classifier import SkeletonClassifier
from skelact.models.export import export_model

SMALL = "penn13"
every_network = pytest.mark.parametrize("name", NETWORKS)


def find_networks() -> set[str]:
    """Functions of `skelact.models` that build a network on a skeleton."""
    found = set()
    for module in pkgutil.iter_modules(skelact.models.__path__, "skelact.models."):
        for name, function in inspect.getmembers(importlib.import_module(module.name),
                                                 inspect.isfunction):
            parameters = list(inspect.signature(function).parameters)
            if (parameters[:2] == ["layout", "num_classes"] and function.__annotations__["return"]
                    in (SkeletonClassifier, "SkeletonClassifier")):
                found.add(name)
    return found


def test_no_network_is_missing():
    assert find_networks() == set(NETWORKS) == set(skelact.models.__all__)
    assert set(get_args(get_type_hints(NetworkConfig)["name"])) == set(NETWORKS)


@pytest.mark.parametrize("layout", builtin_layouts())
@every_network
def test_every_skeleton_is_scored_and_every_parameter_has_a_say(name, layout):
    network = build(name, layout, short=layout != SMALL)  # deep, its layers see the same skeleton
    contract.check_shapes(network)
    contract.check_gradients(network)


@every_network
def test_clips_are_apart_and_people_are_a_set(name):
    contract.check_order(build(name, SMALL))


@every_network
def test_the_absent_change_nothing(name):
    network = build(name, SMALL, short=True)
    contract.check_absent(network)
    contract.check_absent_in_training(network)


@every_network
def test_the_same_bits_again_and_from_a_checkpoint(name, tmp_path):
    network = build(name, SMALL)
    contract.check_determinism(network)
    contract.check_round_trip(network, tmp_path)


@every_network
def test_half_precision_only_rounds(name):
    contract.check_half(build(name, SMALL, short=True))


@every_network
def test_compiled_it_is_the_same(name):
    contract.check_compile(build(name, SMALL, short=True))


@every_network
def test_exported_it_is_the_same(name, tmp_path, monkeypatch):
    network = build(name, SMALL, short=True)
    model = ActionModel(network, CLASSES, ClipConfig(layout=SMALL, dims=3, frames=16),
                        network.architecture)
    traces, trace = [], export._trace  # one for both, it takes half of the time

    def trace_once(deployed):
        traces[:] = traces or [trace(deployed)]
        return traces[0]

    monkeypatch.setattr(export, "_trace", trace_once)
    for ending in (".pt2", ".onnx"):  # as traced, before the way to ONNX may have changed it
        assert export_model(model, tmp_path / f"model{ending}") <= 1e-4  # of all kinds of sizes


@every_network
def test_two_channels_will_do(name):
    network = build(name, "hand21", in_channels=2)
    contract.check_shapes(network)


@every_network
def test_what_does_not_fit_is_refused(name):
    network = build(name, SMALL, short=True)
    with pytest.raises(LayoutError, match="N=13"):
        network(torch.zeros(1, 1, 17, 3, 8))
    with pytest.raises(ShapeError, match=r"got \[1, 1, 13, 2, 8\]"):
        network(torch.zeros(1, 1, 13, 2, 8))


@every_network
def test_slots_with_norms_of_their_own_name_their_limit(name):
    network = build(name, SMALL, short=True, norm_slots=2)
    clips = make_clips(network, 2, 2)
    assert network(clips[:, :1]).shape == (2, 3)
    assert (network(clips.flip(1)) - network(clips)).abs().max() > 1e-4
    with pytest.raises(ShapeError, match=r"at most 2 persons.*got 3"):
        network(make_clips(network, 2, 3))
    contract.check_gradients(network)
    contract.check_absent_in_training_of_slots(network)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every_network
def test_a_gpu_gives_the_same_scores(name):
    network = build(name, SMALL)
    clips = make_clips(network)
    with torch.inference_mode():
        expected = network(clips)
        torch.testing.assert_close(network.cuda()(clips.cuda()).cpu(), expected,
                                   atol=1e-4, rtol=1e-3)

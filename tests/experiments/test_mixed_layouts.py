"""One network for two skeletons, a head for each data set."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from actions import write_actions
from kicks import quick, write_kicks

from skelact.config import AugmentConfig, NetworkConfig, OptimConfig
from skelact.errors import ChoiceError, SkelactError
from skelact.evaluation.adaptation import adapt_batch_norm
from skelact.evaluation.scoring import score_model
from skelact.experiments.domains import open_domains
from skelact.experiments.mixed_layouts import train_mixed
from skelact.models.checkpoint import load_model, save_model


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    stores = [write_kicks(folder / "kinect", "kinect"),
              write_kicks(folder / "mocap", "mocap", layout="ntu25", names=("b", "a"))]
    return [open_domains([store.folder])[0] for store in stores]


def test_both_are_learned_and_each_model_stands_alone(domains, tmp_path):
    rows = [domain.rows("train") for domain in domains]
    models = train_mixed(domains, rows, quick())
    assert list(models) == ["kinect", "mocap"]
    first, second = (model.network.layers[3].graph_conv.weight for model in models.values())
    assert np.array_equal(first, second)  # what a joint and its neighbours mean is shared
    for domain, chosen in zip(domains, rows, strict=True):
        path = save_model(models[domain.name], tmp_path / f"{domain.name}.pt")
        model = load_model(path)
        assert model.layout.joints == domain.joints.target.joints
        assert model.classes == domain.classes
        # statistics are those of both data sets together, after few steps behind the weights
        model = adapt_batch_norm(model, domain.arrays, chosen)
        right = score_model(model, domain.arrays, chosen).argmax(1) == domain.arrays.labels[chosen]
        assert right.mean() > 0.8


def test_what_is_refused(domains, tmp_path):
    rows = [domain.rows("train") for domain in domains]
    with pytest.raises(ChoiceError, match=r"the network stgcn.* got 'lstm'"):
        train_mixed(domains, rows, replace(quick(), network=NetworkConfig(name="lstm")))
    with pytest.raises(SkelactError, match="two data sets or more"):
        train_mixed(domains[:1], rows[:1], quick())
    with pytest.raises(SkelactError, match="clips of every data set, got none of mocap"):
        train_mixed(domains, [rows[0], rows[1][:0]], quick())
    with pytest.raises(SkelactError, match="each of 2 data sets, got 1"):
        train_mixed(domains, rows[:1], quick())
    flat = open_domains([write_actions(tmp_path / "flat", clips=8, name="flat").folder])[0]
    with pytest.raises(SkelactError, match=r"kinect \(3-D\), flat \(2-D\)"):
        train_mixed([domains[0], flat], rows, quick())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_device_is_heeded_and_models_come_back_on_the_cpu(domains):
    torch.cuda.reset_peak_memory_stats()
    models = train_mixed(domains, [domain.rows("train") for domain in domains],
                         quick(device="cuda"))
    assert torch.cuda.max_memory_allocated() > 0
    for model in models.values():
        assert {parameter.device.type for parameter in model.network.parameters()} == {"cpu"}


@pytest.mark.parametrize(("fields", "said"), [
    ({"precision": "bf16"}, "precision auto or fp32.*got 'bf16'"),
    ({"init": "earlier.pt"}, "init is not heeded .* expected None, got 'earlier.pt'"),
    ({"optim": OptimConfig(ema=0.9)}, r"optim\.ema is not heeded .* expected 0.0, got 0.9"),
    ({"augment": AugmentConfig(mixup=0.2)}, r"augment\.mixup is not heeded"),
    ({"network": NetworkConfig(freeze_norm=True)}, r"network\.freeze_norm is not heeded"),
    ({"device": "abacus"}, "a device such as cpu"),
])
def test_settings_that_would_be_ignored_are_refused(domains, fields, said):
    with pytest.raises(ChoiceError, match=said):
        train_mixed(domains, [domain.rows("train") for domain in domains], quick(**fields))

"""One network for two skeletons, a head for each data set."""

from dataclasses import replace

import numpy as np
import pytest
from actions import write_actions
from kicks import quick, write_kicks

from skelact.config import NetworkConfig
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
        assert model.layout.joints == domain.arrays.layout.joints
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
    flat = open_domains([write_actions(tmp_path / "flat", clips=8, name="flat").folder])[0]
    with pytest.raises(SkelactError, match=r"kinect \(3-D\), flat \(2-D\)"):
        train_mixed([domains[0], flat], rows, quick())

"""Optimiser and schedule."""

import numpy as np
import pytest
import torch

from skelact.config import OptimConfig
from skelact.models import stgcn
from skelact.training.optim import choose_precision, learning_rate, make_optimizer


def test_the_rate_rises_then_falls_to_zero():
    config = OptimConfig(lr=0.2, epochs=10, warmup_epochs=2.0)
    rates = np.array([learning_rate(step, 5, config) for step in range(50)])
    assert rates.max() == pytest.approx(0.2)
    assert rates.argmax() == 10
    assert (np.diff(rates[:11]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert learning_rate(50, 5, config) == pytest.approx(0, abs=1e-12)
    assert learning_rate(30, 5, config) == pytest.approx(0.1)  # half way down


def test_a_short_run_warms_up_for_half_of_it_at_most():
    config = OptimConfig(lr=0.1, epochs=1, warmup_epochs=5.0)
    rates = [learning_rate(step, 8, config) for step in range(8)]
    assert np.argmax(rates) == 4
    assert min(rates) > 0


def test_only_matrices_are_decayed():
    network = stgcn("penn13", 3, base_channels=4)
    optimizer = make_optimizer(network, OptimConfig(lr=0.3, weight_decay=0.01))
    decayed, free = ({id(p) for p in group["params"]} for group in optimizer.param_groups)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.01, 0.0]
    names = {id(p): name for name, p in network.named_parameters()}
    assert decayed | free == set(names)
    assert {names[i].rsplit(".", 1)[1] for i in decayed} == {"weight"}
    assert any("edge_importance" in names[i] for i in free)
    assert all("edge_importance" not in names[i] for i in decayed)
    assert id(network.input_norm.weight) in free


def test_precision_is_as_asked():
    cpu = torch.device("cpu")
    assert choose_precision("fp32", cpu) == "fp32"
    assert choose_precision("bf16", cpu) == "bf16"
    assert choose_precision("auto", cpu) in ("fp32", "bf16")

"""Optimiser, schedule, losses: as the formulas say."""

import math

import numpy as np
import pytest
import torch

from skelact.config import OptimConfig
from skelact.device import autocast, choose_precision
from skelact.models import stgcn, stgcnpp
from skelact.models.transfer import freeze
from skelact.training.optim import (
    class_weights,
    learning_rate,
    loss_of_actions,
    loss_of_rejection,
    make_optimizer,
    set_rate,
)

CPU = torch.device("cpu")


def rates(steps: int, per_epoch: int, **fields) -> np.ndarray:
    config = OptimConfig(**fields)
    return np.array([learning_rate(step, per_epoch, config) for step in range(steps)])


def test_the_rate_rises_then_falls_to_zero():
    found = rates(51, 5, lr=0.2, epochs=10, warmup_epochs=2.0)
    assert found.max() == pytest.approx(0.2)
    assert found.argmax() == 10
    assert (np.diff(found[:11]) > 0).all()
    np.testing.assert_allclose(np.diff(found[:10]), found[0])  # a straight line
    assert (np.diff(found[10:]) < 0).all()
    assert found[50] == pytest.approx(0, abs=1e-12)
    assert found[30] == pytest.approx(0.1)  # half way down


def test_a_short_run_warms_up_for_half_of_it_at_most():
    found = rates(8, 8, lr=0.1, epochs=1, warmup_epochs=5.0)
    assert np.argmax(found) == 4
    assert found.min() > 0


def test_steps_take_a_tenth_after_their_epochs():
    found = rates(70, 10, lr=0.1, epochs=7, warmup_epochs=1.0, schedule="step",
                  milestones=[3.0, 5.5])
    assert (np.diff(found[:10]) > 0).all()
    np.testing.assert_allclose(found[10:30], 0.1)
    np.testing.assert_allclose(found[30:55], 0.01)
    np.testing.assert_allclose(found[55:], 0.001)


def test_no_schedule_is_no_change():
    found = rates(20, 5, lr=0.3, epochs=4, warmup_epochs=0, schedule="constant")
    np.testing.assert_array_equal(found, 0.3)


@pytest.mark.parametrize(("batch", "reference", "factor"), [(128, 128, 1), (32, 128, 0.25),
                                                            (256, 64, 4), (256, 0, 1)])
def test_the_rate_scales_with_the_batch_where_the_recipe_says_of_which(batch, reference, factor):
    for fields in ({"schedule": "cosine"}, {"schedule": "step", "milestones": [1.0]}):
        fields |= {"lr": 0.1, "epochs": 3, "warmup_epochs": 0.5}
        np.testing.assert_allclose(
            rates(30, 10, batch_size=batch, lr_batch=reference, **fields),
            factor * rates(30, 10, **fields))


@pytest.mark.parametrize("make", [stgcn, stgcnpp])
@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_only_weights_of_products_are_decayed(make, kind):
    network = make("penn13", 3, base_channels=12)
    optimizer = make_optimizer(network, OptimConfig(optimizer=kind, lr=0.3, weight_decay=0.01))
    assert isinstance(optimizer, {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[kind])
    names = {id(p): name for name, p in network.named_parameters()}
    decay = {names[id(p)]: group["weight_decay"] for group in optimizer.param_groups
             for p in group["params"]}
    assert set(decay) == set(names.values())
    assert set(decay.values()) == {0.0, 0.01}
    for name, value in decay.items():
        matrix = name.endswith("weight") and dict(network.named_parameters())[name].ndim > 1
        assert value == (0.01 if matrix else 0.0), name
    if kind == "sgd":
        assert {(g["momentum"], g["nesterov"]) for g in optimizer.param_groups} == {(0.9, True)}


def test_the_head_may_learn_faster_than_the_body_and_what_is_frozen_does_not():
    network = stgcn("penn13", 3, base_channels=4)
    freeze(network, layers=4)
    optimizer = make_optimizer(network, OptimConfig(body_lr=0.1))
    set_rate(optimizer, 0.5)
    rate = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    for name, parameter in network.named_parameters():
        frozen = name.startswith(("input_norm", "layers.0", "layers.1", "layers.2", "layers.3"))
        expected = None if frozen else 0.5 if name.startswith("head") else 0.05
        assert rate.get(id(parameter)) == pytest.approx(expected), name


def test_a_rate_of_zero_keeps_the_body_as_it_is():
    network = stgcn("penn13", 3, base_channels=4)
    before = {name: p.clone() for name, p in network.named_parameters()}
    optimizer = make_optimizer(network, OptimConfig(body_lr=0.0))
    set_rate(optimizer, 0.1)
    network(torch.randn(4, 1, 13, 3, 8)).logsumexp(1).sum().backward()
    optimizer.step()
    moved = {name for name, p in network.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {"head.weight", "head.bias"}


def test_class_weights_make_classes_count_the_same():
    labels = torch.tensor([0] * 6 + [1] * 3 + [3])
    weights = class_weights(labels, 5)
    total = torch.bincount(labels, minlength=5) * weights
    torch.testing.assert_close(total, torch.tensor([10 / 3, 10 / 3, 0, 10 / 3, 0]))
    assert weights[labels].mean() == pytest.approx(1)
    even = class_weights(torch.arange(6) % 3, 3)
    torch.testing.assert_close(even, torch.ones(3))


def test_the_loss_asks_which_action():
    scores = torch.tensor([[20.0, 0, 0, 0], [0, 20, 0, 0], [0, 0, 0, 0]])
    loss = loss_of_actions(scores, torch.tensor([0, 3, 2]), 0.0)
    torch.testing.assert_close(loss, torch.tensor([0, 20, math.log(4)]), atol=1e-4, rtol=0)
    smooth = loss_of_actions(scores, torch.tensor([0, 3, 2]), 0.2)
    torch.testing.assert_close(smooth, torch.tensor([0.2 * 0.75 * 20, 20 - 0.2 * 0.25 * 20,
                                                     math.log(4)]), atol=1e-4, rtol=0)
    weighted = loss_of_actions(scores, torch.tensor([0, 3, 2]), 0.0, torch.tensor([1.0, 1, 5, 2]))
    torch.testing.assert_close(weighted, torch.tensor([0, 40, 5 * math.log(4)]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 2.0, 1.0])])
def test_shares_of_classes_are_shares_of_their_losses(smoothing, weights):
    scores = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    first, second = torch.tensor([0, 1, 2, 0]), torch.tensor([1, 1, 0, 2])
    shares = 0.3 * torch.eye(3)[first] + 0.7 * torch.eye(3)[second]
    one, other = (loss_of_actions(scores, labels, smoothing, weights)
                  for labels in (first, second))
    found = loss_of_actions(scores, shares, smoothing, weights)
    torch.testing.assert_close(found, 0.3 * one + 0.7 * other)


def test_the_loss_asks_whether_any_action():
    none = torch.tensor([-20.0, 20, 0, 20])
    loss = loss_of_rejection(none, torch.tensor([False, True, True, False]))
    torch.testing.assert_close(loss, torch.tensor([0, 0, math.log(2), 20]), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16),
                                                  ("fp16", torch.float16)])
def test_products_are_computed_as_asked(precision, dtype):
    assert choose_precision(precision, CPU) == precision
    with autocast(precision, CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_a_probe_decides_where_nothing_is_asked():
    assert choose_precision("auto", CPU) in ("fp32", "bf16")

"""Adaptation without labels: what changes, what stays, and that it helps where it can."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from actions import write_actions
from kicks import quick
from torch.nn.modules.batchnorm import _BatchNorm

from skelact.config import ClipConfig
from skelact.errors import ChoiceError, SkelactError
from skelact.evaluation.adaptation import (
    ADAPTATIONS,
    adapt,
    adapt_batch_norm,
    adapt_coral,
    adapt_entropy,
)
from skelact.evaluation.features import extract_features
from skelact.evaluation.scoring import score_model
from skelact.models.checkpoint import load_model
from skelact.models.inference import for_inference
from skelact.training.loop import train


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_actions(tmp_path_factory.mktemp("data") / "store")


@pytest.fixture(scope="module")
def model(store, tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    train(quick(data=str(store.folder), clip=ClipConfig(frames=8, normalise="body")), run)
    # after so few steps the statistics lag behind the weights
    return adapt_batch_norm(load_model(run / "model.pt"), store.arrays)


@pytest.fixture(scope="module")
def shifted(store):
    """The same clips by an annotator who puts the right arm and leg elsewhere."""
    joints = store.arrays.joints.copy()
    sides = [i for i, name in enumerate(store.header.layout.joints) if name.startswith("right")]
    joints[:, sides, :2] += 25
    return replace(store.arrays, joints=joints)


def loss(model, arrays) -> float:
    scores = score_model(model, arrays)
    return -np.log(scores[np.arange(len(arrays)), arrays.labels].clip(1e-6)).mean()


def norms(model) -> list[_BatchNorm]:
    return [part for part in model.network.modules() if isinstance(part, _BatchNorm)]


@pytest.mark.parametrize("way", ADAPTATIONS)
def test_the_model_that_is_given_stays_and_the_new_one_is_for_use(way, model, store, shifted):
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    rows = np.arange(len(store))
    new = adapt(way, model, (store.arrays, rows), (shifted, rows))
    after = model.network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert not new.network.training
    assert not any(weight.requires_grad for weight in new.network.parameters())
    assert not np.allclose(score_model(new, shifted), score_model(model, shifted))
    assert (new.classes, new.clip) == (model.classes, model.clip)


@pytest.mark.parametrize("way", ADAPTATIONS)
def test_labels_are_not_looked_at(way, model, store, shifted):
    rows = np.arange(len(store))
    blind = replace(shifted, labels=np.full(len(shifted), -1))
    first, second = (score_model(adapt(way, model, (store.arrays, rows), (arrays, rows)), shifted)
                     for arrays in (shifted, blind))
    np.testing.assert_array_equal(first, second)


def test_batch_norms_take_the_mean_and_variance_of_the_target(model, store, shifted):
    """With one batch, that is what the input norm sees, computed by hand."""
    new = adapt_batch_norm(model, shifted, batch_size=len(store))
    seen = []
    hook = model.network.input_norm.register_forward_hook(
        lambda _, people, __: seen.append(people[0]))
    score_model(model, shifted)
    hook.remove()
    people = torch.cat(seen)  # [P, N, C, T]
    mean = people.mean(dim=(0, 3)).flatten()
    spread = people.transpose(0, 1).transpose(1, 2).flatten(2).var(dim=2).flatten()
    torch.testing.assert_close(new.network.input_norm.running_mean, mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(new.network.input_norm.running_var, spread, rtol=1e-3, atol=1e-5)


def test_batches_are_averaged_and_a_share_lies_between(model, shifted):
    whole, half = (adapt_batch_norm(model, shifted, share=share, batch_size=12)
                   for share in (1.0, 0.5))
    for old, new, between in zip(norms(model), norms(whole), norms(half), strict=True):
        torch.testing.assert_close(between.running_mean,
                                   (old.running_mean + new.running_mean) / 2)
        assert (old.momentum, new.momentum) == (0.1, 0.1)
    none = adapt_batch_norm(model, shifted, share=0.0)
    np.testing.assert_allclose(score_model(none, shifted), score_model(model, shifted), atol=1e-6)


def test_statistics_of_other_joints_places_are_made_good(model, store, shifted):
    hurt = loss(model, shifted)
    assert hurt > loss(model, store.arrays) + 0.05
    assert loss(adapt_batch_norm(model, shifted), shifted) < hurt


def test_coral_gives_features_the_moments_of_the_source(model, store, shifted):
    """Folded into the head: its scores are those of features moved by hand."""
    rows = np.arange(len(store))
    new = adapt_coral(model, (store.arrays, rows), (shifted, rows))
    source, target = extract_features(model, store.arrays), extract_features(model, shifted)
    assert torch.equal(new.network.layers[0].graph_conv.weight,
                       model.network.layers[0].graph_conv.weight)
    head = model.network.head
    expected = head.weight.double() @ torch.from_numpy(source.mean(axis=0)) + head.bias.double()
    middle = torch.from_numpy(target.mean(axis=0)).float()
    torch.testing.assert_close(new.network.head(middle), expected.float(), rtol=1e-4, atol=1e-5)
    same = adapt_coral(model, (store.arrays, rows), (store.arrays, rows))
    np.testing.assert_allclose(score_model(same, store.arrays), score_model(model, store.arrays),
                               atol=1e-4)


def test_entropy_falls_and_only_norms_change(model, shifted):
    def entropy(scores):
        return -(scores * np.log(scores)).sum(axis=1).mean()

    plain, new = adapt_batch_norm(model, shifted), adapt_entropy(model, shifted, lr=0.01)
    assert entropy(score_model(new, shifted)) < entropy(score_model(plain, shifted))
    changed = {name.rpartition(".")[0] for name, value in new.network.state_dict().items()
               if not torch.equal(value, model.network.state_dict()[name])}
    modules = dict(model.network.named_modules())
    assert changed
    assert all(isinstance(modules[name], _BatchNorm) for name in changed)
    none = adapt_entropy(model, shifted, steps=0)
    np.testing.assert_allclose(score_model(none, shifted), score_model(plain, shifted), atol=1e-6)


def test_what_is_refused(model, store):
    rows = np.arange(len(store))
    with pytest.raises(ChoiceError, match=r"an adaptation .*batch_norm, coral, entropy.* 'tent'"):
        adapt("tent", model, None, (store.arrays, rows))
    with pytest.raises(ChoiceError, match="--train STORE"):
        adapt("coral", model, None, (store.arrays, rows))
    with pytest.raises(SkelactError, match=r"at least two clips .* got 1"):
        adapt_batch_norm(model, store.arrays, rows[:1])
    with pytest.raises(ChoiceError, match=r"share in 0\.\.1"):
        adapt_batch_norm(model, store.arrays, share=2)
    folded = replace(model, network=for_inference(model.network))
    with pytest.raises(SkelactError, match="adapt first"):
        adapt_entropy(folded, store.arrays)

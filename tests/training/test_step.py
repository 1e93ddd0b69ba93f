"""One step: the loss of a batch, whole or in pieces, and what becomes of its gradient."""

from dataclasses import replace

import pytest
import torch
from actions import settings, write_actions, write_others

from skelact.config import AugmentConfig, ClipConfig, NetworkConfig, OptimConfig
from skelact.training.batches import Mixture
from skelact.training.data import open_data
from skelact.training.distributed import World
from skelact.training.loop import make_network
from skelact.training.optim import loss_of_rejection, set_rate
from skelact.training.state import TrainState
from skelact.training.step import take_step

PLAIN = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0, "batch_size": 8}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> str:
    return str(write_actions(tmp_path_factory.mktemp("data") / "store").folder)


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> str:
    return write_others(tmp_path_factory.mktemp("data") / "others")


def begin(store, background=(), optim=None, rate=0.1, **fields) -> tuple:
    """Settings, state and first batch of a run."""
    config = settings(store, background=list(background),
                      **({"optim": OptimConfig(**PLAIN | (optim or {}))} | fields))
    config, data = open_data(config)
    state = TrainState(config, data, make_network(config, data, World()), World())
    set_rate(state.optimizer, rate)
    state.network.train()
    return config, state, next(iter(state.batches))


def parameters(state) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in state.network.parameters()])


def step(config, state, mixture) -> torch.Tensor:
    """How far the parameters go."""
    before = parameters(state).clone()
    take_step(config, state, mixture, 2)
    return parameters(state) - before


def test_a_step_goes_down_the_loss_and_counts(store):
    config, state, mixture = begin(store, rate=0.01)
    losses = []
    for number in range(1, 6):
        state.sums = state.no_sums()
        step(config, state, mixture)
        loss, right, seen = state.sums.tolist()
        assert seen == len(mixture.labelled.clips)
        assert 0 <= right <= seen
        assert state.step == number
        losses.append(loss / seen)
    assert losses[-1] < losses[0]
    assert losses[0] == pytest.approx(0.69, abs=0.3)


def test_known_actions_of_the_background_do_not_count_as_the_run_s_own(store, tmp_path):
    """The loss is that a labelled clip; others come with it."""
    known = write_others(tmp_path / "known", ("arms", "bow"), tuple(range(1, 6)))
    config, state, mixture = begin(store, background=[known], rate=0.0,
                                   augment=AugmentConfig(others=1.0, still=0.0))
    assert (mixture.others[0].labels < 2).any()
    step(config, state, mixture)
    loss, right, seen = state.sums.tolist()
    assert seen == len(mixture.labelled.clips)
    assert 0 <= right <= seen
    shown = torch.cat([mixture.labelled.clips, mixture.others[0].clips])
    labels = torch.cat([mixture.labelled.labels, mixture.others[0].labels])
    scores = state.network(shown)
    some = labels < 2
    which = torch.nn.functional.cross_entropy(scores[some, :2], labels[some], reduction="sum")
    whether = loss_of_rejection(scores[:, 2], ~some).mean()
    assert loss / seen == pytest.approx(float((which / seen + whether).detach()), rel=1e-5)


@pytest.mark.parametrize("pieces", [2, 3, 8])
def test_pieces_of_a_batch_give_its_gradient(store, others, pieces):
    """With batch statistics that are fixed."""
    fields = {"network": NetworkConfig(base_channels=4, freeze_norm=True), "background": [others],
              "augment": AugmentConfig(others=0.5, still=0.25)}
    config, state, mixture = begin(store, **fields)
    state.network.eval()
    whole = step(config, state, mixture)
    config, state, mixture = begin(store, optim={"accumulate": pieces}, **fields)
    state.network.eval()
    torch.testing.assert_close(step(config, state, mixture), whole, atol=1e-6, rtol=1e-4)
    assert whole.norm() > 1e-3


def test_a_long_gradient_is_cut_and_a_short_one_left(store):
    config, state, mixture = begin(store)
    free = step(config, state, mixture)
    for limit in (0.01, 1e6):
        config, state, mixture = begin(store, optim={"clip_norm": limit})
        cut = step(config, state, mixture)
        torch.testing.assert_close(cut, free * min(1, 0.1 * limit / free.norm()), atol=1e-7,
                                   rtol=1e-3)


def test_weight_decay_and_momentum_are_those_of_the_settings(store):
    for kind, fields in (("sgd", {"momentum": 0.9, "nesterov": True}), ("adamw", {})):
        moves = []
        for decay in (0.0, 0.5):
            config, state, mixture = begin(store, optim={"optimizer": kind, "weight_decay": decay,
                                                         **fields})
            matrix = state.network.layers[3].graph_conv.weight
            before = matrix.detach().clone()
            step(config, state, mixture)
            moves.append(matrix.detach() - before)
        factor = 1.9 if kind == "sgd" else 1.0  # Nesterov's first step is 1 + momentum long
        torch.testing.assert_close(moves[1] - moves[0], -0.1 * 0.5 * factor * before, atol=1e-6,
                                   rtol=1e-3)


def test_the_average_follows_the_weights(store):
    config, state, mixture = begin(store, optim={"ema": 0.9})
    assert state.judged is not state.network
    step(config, state, mixture)
    first = {name: value.clone() for name, value in state.network.state_dict().items()}
    torch.testing.assert_close(state.judged.state_dict(), first)  # of one step it is that step
    step(config, state, mixture)
    second = state.network.state_dict()
    for name, value in state.judged.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, 0.9 * first[name] + 0.1 * second[name])
    assert begin(store)[1].judged is not None


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16),
                                                  ("fp16", torch.float16)])
def test_the_arithmetic_is_that_of_the_settings_and_weights_stay_whole(store, precision, dtype):
    config, state, mixture = begin(store, precision=precision)
    seen = []
    state.network.head.register_forward_hook(lambda _, inputs, output: seen.append(output.dtype))
    moved = step(config, state, mixture)
    assert seen == [dtype]
    assert {p.dtype for p in state.network.parameters()} == {torch.float32}
    assert state.scaler.is_enabled() == (precision == "fp16")
    config, state, mixture = begin(store)
    exact = step(config, state, mixture)
    assert torch.nn.functional.cosine_similarity(moved, exact, dim=0) > 0.9


def test_a_gradient_that_overflows_is_skipped_and_not_taken(store):
    config, state, mixture = begin(store, precision="fp16", optim={"clip_norm": 1.0})
    state.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**60)
    assert step(config, state, mixture).abs().max() == 0
    assert state.scaler.get_scale() < 2.0**60
    assert state.step == 1


def test_dropout_follows_from_seed_and_step_alone(store):
    network = NetworkConfig(base_channels=4, dropout=0.5)
    config, state, mixture = begin(store, network=network)
    torch.manual_seed(5)
    first = step(config, state, mixture)
    config, state, mixture = begin(store, network=network)
    torch.manual_seed(6)
    assert torch.equal(step(config, state, mixture), first)
    config, state, mixture = begin(store, network=network)
    state.step = 9
    assert not torch.equal(step(config, state, mixture), first)
    for seed in (1, 2**32):
        config, state, mixture = begin(store, network=network)
        assert not torch.equal(step(replace(config, seed=seed), state, mixture), first)


def seen_by_network(config, state, mixture) -> torch.Tensor:
    seen = []
    state.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    step(config, state, mixture)
    return torch.cat(seen)


def test_mixup_blends_labelled_clips_and_leaves_the_others(store, others):
    augment = AugmentConfig(mixup=0.4, others=0.5, still=0.25)
    config, state, mixture = begin(store, [others], augment=augment)
    found = seen_by_network(config, state, mixture)
    clips = mixture.labelled.clips
    count = len(clips)
    for batch in mixture.others:
        assert torch.equal(found[count : count + len(batch.clips)], batch.clips)
        count += len(batch.clips)
    assert count == len(found)
    blended = 0
    for i, mixed in enumerate(found[: len(clips)]):
        apart = clips - clips[i]
        share = ((mixed - clips[i]) * apart).flatten(1).sum(1) / apart.square().flatten(1).sum(1)
        left = mixed - clips[i] - share.nan_to_num()[:, None, None, None, None] * apart
        partner = left.flatten(1).norm(dim=1).argmin()
        assert left[partner].abs().max() < 1e-5  # on the line to one other clip
        blended += int(not torch.equal(mixed, clips[i]))
    assert blended > 2
    assert torch.equal(clips, begin(store, [others], augment=augment)[2].labelled.clips)


def test_without_mixup_the_network_sees_the_batch(store):
    config, state, mixture = begin(store)
    assert torch.equal(seen_by_network(config, state, mixture), mixture.labelled.clips)


def test_rare_classes_weigh_more_where_asked(tmp_path):
    store = write_actions(tmp_path / "store", clips=24, subjects=0)
    (tmp_path / "leave").write_text("\n".join(f"clip{i:02}" for i in (1, 3, 5, 9, 11)))
    fields = {"exclude": str(tmp_path / "leave"), "network": NetworkConfig(base_channels=4)}
    config, state, mixture = begin(store.folder, optim={"class_weights": "balanced"}, **fields)
    counts = torch.bincount(torch.from_numpy(
        store.arrays.labels[state.batches.labelled.rows]), minlength=2)
    assert counts[0] > counts[1]
    torch.testing.assert_close(state.weights, counts.sum() / (2 * counts))
    balanced = step(config, state, mixture)
    config, state, mixture = begin(store.folder, **fields)
    assert not torch.allclose(balanced, step(config, state, mixture))


def test_rejection_learns_from_clips_without_a_known_action(store, others):
    augment = AugmentConfig(others=1.0, still=0.5)
    config, state, mixture = begin(store, [others], augment=augment, rate=0.05)
    assert state.network.head.out_features == 3
    none = mixture.others[0].labels == 2
    for _ in range(12):
        step(config, state, mixture)
    scores = state.network(torch.cat([mixture.labelled.clips, mixture.others[0].clips]))[:, 2]
    known, unknown = scores.split([len(mixture.labelled.clips), len(none)])
    assert unknown[none].mean() > known.mean() + 0.5
    alone = Mixture(mixture.labelled, ())
    state.sums = state.no_sums()
    step(config, state, alone)
    assert state.sums[2] == len(mixture.labelled.clips)


def test_a_batch_that_shows_nobody_is_a_step_like_any_other(store):
    config, state, mixture = begin(store, clip=ClipConfig(layout="auto", frames=8, people=2))
    empty = replace(mixture.labelled, clips=torch.zeros_like(mixture.labelled.clips))
    moved = step(config, state, Mixture(empty, ()))
    assert moved.isfinite().all()
    assert all(v.isfinite().all() for v in state.network.state_dict().values())

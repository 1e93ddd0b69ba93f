"""What a network is worth: means over views, thresholds, the figures of the test."""

import numpy as np
import pytest
import torch
from actions import settings, write_actions, write_others
from torch import nn

from skelact.config import AugmentConfig, ClipConfig
from skelact.training import scoring
from skelact.training.data import open_data
from skelact.training.distributed import World
from skelact.training.scoring import count_views, score_clips, score_test, set_threshold, validate


class Sways(nn.Module):
    """Takes for legs what moves its ankles more than its wrists, surely or not, seen as it is."""

    def __init__(self, layout, gain=30.0, rejects=None):
        super().__init__()
        self.arms, self.legs = ([layout.index(f"{side}_{part}") for side in ("left", "right")]
                                for part in ("wrist", "ankle"))
        self.gain, self.rejects = nn.Parameter(torch.tensor(gain)), rejects
        self.seen = []

    def forward(self, clips):
        self.seen.append(clips)
        moved = clips[:, 0, :, 0].diff(dim=-1).abs().mean(dim=-1)
        legs = (moved[:, self.legs] - moved[:, self.arms]).mean(dim=1) * self.gain
        scores = [-legs, legs]
        if self.rejects is not None:
            scores.append(self.rejects - legs.abs())
        return torch.stack(scores, dim=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_actions(tmp_path_factory.mktemp("data") / "store", clips=32).folder


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> str:
    return write_others(tmp_path_factory.mktemp("data") / "others")


def opened(store, **fields):
    config, data = open_data(settings(store, **fields))
    return config, data, Sways(data.arrays.layout)


def test_validation_is_accuracy_and_loss_of_the_whole_clips(store):
    config, data, network = opened(store)
    found = validate(network, config, data, World())
    assert found["val_accuracy"] == 1
    scores = score_clips(network, config, data, data.val, World())
    assert scores.shape == (len(data.val), 2)
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    own = scores[np.arange(len(data.val)), data.arrays.labels[data.val]]
    assert found["val_loss"] == pytest.approx(-np.log(own).mean())
    network.gain.data *= -1
    assert validate(network, config, data, World())["val_accuracy"] == 0
    assert validate(network, config, data.with_all_of_train(), World()) == {}


def test_scores_are_the_mean_probability_of_the_views(store):
    config, data, network = opened(store, augment=AugmentConfig(crop=0.5))
    network.gain.data /= 10
    views = score_clips(network, config, data, data.test, World(), views=10)
    clips = torch.cat(network.seen)
    assert len(clips) == 10 * len(data.test)
    single = network(clips).softmax(dim=1).double().detach().numpy()
    np.testing.assert_allclose(views, single.reshape(len(data.test), 10, 2).mean(axis=1), rtol=1e-5)
    whole = score_clips(network, config, data, data.test, World())
    np.testing.assert_allclose(whole, single.reshape(len(data.test), 10, 2)[:, 0], rtol=1e-5)


@pytest.mark.parametrize(("sampling", "flip", "wanted", "count"), [
    ("resize", 0.0, 10, 10), ("resize", 0.5, 10, 10), ("resize", 0.5, 5, 4), ("resize", 0.5, 1, 1),
    ("resize", 0.0, 50, 10), ("resize", 0.5, 50, 20), ("uniform", 0.0, 30, 30), ("pad", 0.0, 10, 1),
    ("pad", 0.5, 10, 2), ("uniform", 0.0, 1, 1),
])
def test_views_are_counted_as_they_are_and_half_of_them_mirrored(
    store, sampling, flip, wanted, count
):
    config, data, network = opened(
        store, test_clips=wanted, augment=AugmentConfig(flip=flip, crop=0.5),
        clip=ClipConfig(layout="auto", frames=8, sampling=sampling))
    assert count_views(config) == count
    rows = data.test[:2]
    score_clips(network, config, data, rows, World(), wanted)
    clips = torch.cat(network.seen)
    assert len(clips) == 2 * count
    if flip and wanted > 1:
        plain, mirrored = clips.chunk(2)
        order = torch.from_numpy(data.arrays.layout.flip_order)
        torch.testing.assert_close(mirrored[..., 0, :], -plain[:, :, order][..., 0, :])


def test_processes_share_the_rows_and_one_may_have_none(store):
    config, data, network = opened(store)
    whole = score_clips(network, config, data, data.test, World(), views=4)
    shares = []
    for rank in range(3):
        world = World(rank=rank, size=3)
        mine = data.test[rank::3]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scoring, "gather_rows", lambda _, values: values)
            shares.append(score_clips(network, config, data, data.test, world, views=4))
            none = score_clips(network, config, data, data.test[:rank], world, views=4)
        assert len(shares[-1]) == len(mine)
        assert none.shape == (0, 2)
    for rank, share in enumerate(shares):
        np.testing.assert_allclose(share, whole[rank::3])


def test_the_threshold_lets_few_other_actions_through(store, others):
    config, data, network = opened(store, background=[others])
    network.rejects = 3.0
    threshold, said = set_threshold(network, config, data)
    assert 0 < threshold <= 1
    draws = 4 * len(data.background.held_out)
    assert said["accepted_other_val"] <= scoring.FALSE_RATE + 1 / draws
    assert said["accepted_val"] > 0.2  # the others are arms that wave, as half of the known are
    assert set_threshold(network, config, data) == (threshold, said)  # the same windows each time
    config, data, network = opened(store)
    assert set_threshold(network, config, data) == (0.0, {})


def test_the_test_says_what_was_counted(store, others):
    config, data, network = opened(store, background=[others], test_clips=4)
    network.rejects = 3.0
    scores, metrics = score_test(network, config, data, 0.5, World())
    assert scores.shape == (len(data.test), 2)
    assert metrics["num_clips"] == len(data.test) == 8
    assert metrics["top1"] == metrics["mean_class_accuracy"] == metrics["top1_whole"] == 1
    assert metrics["top5"] == 1
    whole = score_clips(network, config, data, data.test, World())
    assert metrics["accepted_test_whole"] == (whole.max(axis=1) >= 0.5).mean()
    nothing = score_test(network, config, data, 1.1, World())[1]
    assert nothing["accepted_test_whole"] == 0
    config, data, network = opened(store)
    assert "accepted_test_whole" not in score_test(network, config, data, 0.0, World())[1]


def test_a_network_is_judged_in_eval_mode_without_gradients(store):
    config, data, network = opened(store)
    network.train()
    score_clips(network, config, data, data.val, World())
    assert not network.training
    assert not network.seen[0].requires_grad

"""What every step of a run gets."""

from dataclasses import replace

import pytest
import torch
from actions import settings

from skelact.config import AugmentConfig, ClipConfig, OptimConfig, TrainConfig
from skelact.datasets.sampling import (
    ConsecutiveFrames,
    CropResize,
    PysklTestClips,
    ResizedParts,
    UniformSegments,
)
from skelact.evaluation.views import plan_views, view_sampling
from skelact.training.batches import TrainingBatches, train_sampling
from skelact.training.data import open_data
from skelact.training.distributed import World


def batches(config, data=None) -> TrainingBatches:
    if data is None:
        config, data = open_data(config)
    return TrainingBatches(config, data, World())


def test_an_epoch_is_every_clip_so_often(store):
    config, data = open_data(settings(store.folder))
    for repeat in (1, 3):
        source = batches(replace(config, optim=replace(config.optim, repeat=repeat)), data)
        seen = [mixture.labelled for mixture in source]
        assert len(seen) == len(source) == -(-len(data.train) * repeat // 6)
        index = torch.cat([batch.index for batch in seen])
        assert sorted(index.tolist()) == sorted(data.train.tolist() * repeat)
        assert seen[0].clips.shape[1:] == (1, 13, 3, 8)
        assert torch.equal(torch.cat([batch.labels for batch in seen]),
                           torch.tensor(data.arrays.labels[index]))
        assert all(mixture.others == () for mixture in source)


def test_few_clips_are_drawn_until_an_epoch_has_its_steps(store):
    config, data = open_data(settings(store.folder, optim=OptimConfig(batch_size=8, min_steps=9)))
    assert len(batches(config, data)) in (9, 10)
    assert config.optim.repeat == -(-72 // len(data.train))
    again, _ = open_data(config)
    assert again.optim == config.optim
    many, _ = open_data(settings(store.folder, optim=OptimConfig(batch_size=8, min_steps=1)))
    assert many.optim.repeat == 1


def test_other_actions_and_held_poses_come_with_every_batch(store, others):
    config, data = open_data(settings(
        store.folder, background=[others], augment=AugmentConfig(others=0.5, still=1.0),
        optim=OptimConfig(batch_size=6)))
    for mixture in batches(config, data):
        other, still = mixture.others
        size = len(mixture.labelled.clips)
        assert abs(len(other.clips) - 3) <= 1
        assert abs(len(still.clips) - size) <= 1
        assert set(other.labels.tolist()) <= {1, 2}  # one of the others is the known "legs"
        assert (still.labels == 2).all()
        moved, held = (batch.clips[:, 0, :, :2].diff(dim=-1).abs().sum(-1).amax((1, 2)).median()
                       for batch in (mixture.labelled, still))
        assert held < 0.8 * moved
    without = settings(store.folder, background=[others],
                       augment=AugmentConfig(others=0.0, still=0.0))
    assert next(iter(batches(without))).others == ()


def test_known_actions_of_the_background_are_a_third_of_it(store, others):
    config, data = open_data(settings(
        store.folder, background=[others], augment=AugmentConfig(others=1.0, still=0.0)))
    labels = torch.cat([mixture.others[0].labels for _ in range(20)
                        for mixture in batches(replace(config, seed=_), data)])
    assert (labels == 1).float().mean() == pytest.approx(1 / 3, abs=0.08)


def all_of(source: TrainingBatches, count: int) -> list[torch.Tensor]:
    """The clips of so many steps, over the ends of epochs."""
    found = []
    while len(found) < count:
        for mixture in source:
            found.append(torch.cat([mixture.labelled.clips, *(b.clips for b in mixture.others)]))
            if len(found) == count:
                break
    return found


def test_the_background_goes_on_from_epoch_to_epoch(store, others):
    """Its passes are not those of the labelled clips: all of it comes, and always changed anew."""
    augment = AugmentConfig(others=0.5, still=0.0, jitter=0.1)
    config, data = open_data(settings(store.folder, background=[others], augment=augment))
    source, index, clips = batches(config, data), [], []
    for _ in range(4):
        for mixture in source:
            index += mixture.others[0].index.tolist()
            clips += list(mixture.others[0].clips)
    drawn = source.state_dict()[1]["num_draws"]
    assert len(index) > 1.5 * drawn
    assert set(index[:drawn]) == set(data.background.train.tolist())
    assert len({tuple(clip.flatten().tolist()) for clip in clips}) == len(clips)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 7])
def test_batches_go_on_where_they_were_left(store, others, workers, at):
    """Also at the end of an epoch (of three steps), where the background is within one."""
    config, data = open_data(settings(
        store.folder, background=[others], workers=workers,
        augment=AugmentConfig(others=0.5, still=0.3, jitter=0.1, flip=0.5)))
    source = batches(replace(config, workers=0), data)
    assert len(source) == 3
    whole = all_of(source, 10)
    source, states = batches(config, data), []
    count = 0
    while not states:
        for _ in source:
            count += 1
            if count == at:
                states.append(source.state_dict())
                break
    again = batches(config, data)
    again.load_state_dict(states[0])
    for found, expected in zip(all_of(again, 10 - at), whole[at:], strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize(("sampling", "train", "one", "ten"), [
    ("resize", CropResize(8, (0.7, 1.0), shortest=2), ResizedParts(8),
     lambda rule: len(rule.parts) == 10 and rule.parts[0] == (1.0, 0.0)),
    ("uniform", UniformSegments(8, crop=0.7), UniformSegments(8, random=False),
     lambda rule: rule == PysklTestClips(8, 10)),
    ("pad", ConsecutiveFrames(8, where="first", short="zero"),
     ConsecutiveFrames(8, where="first", short="zero"), None),
])
def test_frames_are_sampled_as_the_settings_say(sampling, train, one, ten):
    config = TrainConfig(clip=ClipConfig(sampling=sampling, frames=8),
                         augment=AugmentConfig(crop=0.7))
    assert train_sampling(config) == train
    assert view_sampling(config.clip, plan_views(config.clip, config.augment)) == one
    if ten is not None:
        assert ten(view_sampling(config.clip, plan_views(config.clip, config.augment, 10)))

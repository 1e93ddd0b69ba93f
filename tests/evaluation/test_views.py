"""The views of a clip: as short as training allows, all different, the same each time."""

import numpy as np
import pytest
import torch
from actions import settings, write_actions

from skelact.config import AugmentConfig, ClipConfig
from skelact.evaluation.views import Views, plan_views, view_loader, view_sampling
from skelact.training.data import open_data


def test_views_are_no_shorter_than_what_is_trained_on():
    clip = ClipConfig(layout="coco17", dims=2, frames=8)
    for crop in (0.5, 0.9):
        views = plan_views(clip, AugmentConfig(crop=crop), 10)
        positions = view_sampling(clip, views)(np.array([101]))[0]
        spans = (positions[:, -1] - positions[:, 0] + 1) / 101
        assert spans[0] == 1
        assert spans.min() == pytest.approx(1 - 0.7 * (1 - crop))


def test_ten_views_of_a_clip_differ(tmp_path):
    store = write_actions(tmp_path / "store", clips=32)
    config, data = open_data(settings(store.folder, clip=ClipConfig(layout="auto", frames=8)))
    ten = plan_views(config.clip, AugmentConfig(crop=0.5), 10)
    batch = next(iter(view_loader(config.clip, data.arrays, data.test[:1], ten)))
    assert len({tuple(clip.flatten().tolist()) for clip in batch.clips}) == 10
    whole, again = (next(iter(view_loader(config.clip, data.arrays, data.test, Views())))
                    for _ in range(2))
    assert torch.equal(whole.clips, again.clips)
    assert whole.index.tolist() == data.test.tolist()

"""A few labelled clips: who is nearest, who is drawn, and fine-tuning with them."""

from dataclasses import replace

import numpy as np
import pytest
from kicks import quick, write_kicks

from skelact.datasets.store import Store
from skelact.errors import ChoiceError
from skelact.experiments.domains import open_domains
from skelact.experiments.few_shot import (
    draw_support,
    judge_fine_tuning,
    nearest_mean,
    target_parts,
)
from skelact.models.checkpoint import load_model
from skelact.training.loop import train

pytestmark = pytest.mark.usefixtures("no_curves")


def test_the_nearest_mean_by_hand():
    support = np.array([[0.0, 0.0], [0.0, 2.0], [10.0, 0.0]])
    labels = np.array([3, 3, 7])
    queries = np.array([[4.0, 1.0], [6.0, 1.0], [5.0, 100.0]])
    assert nearest_mean(support, labels, queries, "euclidean").tolist() == [3, 7, 3]
    # around the mean of the support, (10 / 3, 2 / 3), only directions count
    far = np.array([[-1e3, 0.0], [1e3, 0.0]])
    assert nearest_mean(support, labels, far, "cosine").tolist() == [3, 7]
    with pytest.raises(ChoiceError, match="metric"):
        nearest_mean(support, labels, queries, "manhattan")


def test_so_many_of_each_class_are_drawn_the_same_each_time():
    labels = np.array([0, 0, 0, 1, 1, 1, 2, 0])
    rows = np.array([0, 1, 2, 3, 4, 6])
    drawn = draw_support(labels, rows, 2, draw=0)
    assert np.bincount(labels[drawn]).tolist() == [2, 2, 1]  # there is but one of class 2
    assert set(drawn) <= set(rows)
    assert np.array_equal(drawn, draw_support(labels, rows, 2, draw=0))
    draws = {tuple(draw_support(labels, rows, 1, draw)) for draw in range(20)}
    assert len(draws) > 2


def test_nobody_is_both_learned_from_and_tested(tmp_path):
    (target,) = open_domains([write_kicks(tmp_path / "kinect", "kinect").folder])
    support, queries = target_parts(target)
    people = np.asarray(target.columns["subject"])
    assert not set(people[support]) & set(people[queries])


def test_fine_tuning_with_three_clips_a_class(tmp_path):
    source = write_kicks(tmp_path / "kinect", "kinect")
    config = quick(data=str(source.folder))
    train(config, tmp_path / "runs" / "seed0")
    (target,) = open_domains([write_kicks(tmp_path / "mocap", "mocap").folder])
    config = replace(config, data=None, optim=replace(config.optim, epochs=4, batch_size=4))
    folders, output = [tmp_path / "runs" / "seed0"], tmp_path / "tuned"
    found = judge_fine_tuning(folders, target, [3], config, output)
    run = load_model(output / "3shot" / "seed0" / "run" / "model.pt")
    assert run.training["optim"]["repeat"] == 100  # 6 clips in batches of 4: 150 steps an epoch
    figures = found["3 tuned"]
    assert (figures.count, figures.clustered) == (6, False)  # one person is tested
    assert figures.accuracy.value > 0.8
    store = Store(output / "3shot" / "seed0" / "store")
    assert store.header.splits == {"train": 6, "test": 6}
    again = judge_fine_tuning(folders, target, [3], config, output, resume=True)
    assert again == found

"""Pooled features of clips: what the head scores."""

import numpy as np
import pytest
import torch
from actions import write_actions
from stores import captures
from weights import shake

from skelact.config import ClipConfig
from skelact.datasets.arrays import ClipArrays
from skelact.evaluation.features import extract_features
from skelact.evaluation.scoring import score_model
from skelact.models import stgcn
from skelact.models.checkpoint import ActionModel
from skelact.models.inference import for_inference


@pytest.fixture(scope="module")
def model() -> ActionModel:
    network = stgcn("penn13", 5, base_channels=4)
    shake(network)
    return ActionModel(network.eval(), tuple("abcde"), ClipConfig("penn13", dims=2, frames=8),
                       {"name": "stgcn", "arguments": {}})


def test_the_head_scores_them(model, tmp_path):
    arrays = write_actions(tmp_path / "store", clips=70).arrays  # more than a batch
    rows = np.arange(len(arrays))[::-1]
    features = extract_features(model, arrays, rows)
    assert features.shape == (70, model.network.head.in_features)
    with torch.no_grad():
        scores = model.network.head(torch.from_numpy(features).float()).softmax(dim=1)
    np.testing.assert_allclose(scores, score_model(model, arrays, rows), atol=1e-5)
    assert extract_features(model, arrays, rows[:0]).shape == (0, features.shape[1])


def test_of_another_skeleton_in_3d_and_of_a_folded_network(model):
    arrays = ClipArrays.from_recordings(captures(4))
    features = extract_features(model, arrays)
    folded = ActionModel(for_inference(model.network), model.classes, model.clip, {})
    np.testing.assert_allclose(extract_features(folded, arrays), features, atol=1e-4)
    assert np.ptp(features, axis=0).max() > 0

"""Our ST-GCN++ against the plain formulation that its speed is compared with."""

import numpy as np
import pytest
import torch
from plain_st_gcn_pp import PlainSTGCNPP
from weights import shake

from skelact.graph import Graph
from skelact.models import stgcnpp
from skelact.models.published import pyskl_st_gcn


@pytest.mark.shared
def test_the_plain_one_gives_what_the_original_gives(shared):
    folder = shared / "reference" / "pyskl_stgcnpp_coco17"
    state = torch.load(folder / "checkpoint.pth", weights_only=True)["state_dict"]
    width = len(state["backbone.gcn.0.gcn.bn.weight"])
    plain = PlainSTGCNPP(state["backbone.gcn.0.gcn.A"], width, len(state["cls_head.fc_cls.bias"]))
    plain.load_state_dict(state)
    plain.double().eval()
    with np.load(folder / "io.npz") as file, torch.inference_mode():
        clips, logits = (torch.from_numpy(file[key]).double() for key in ("x", "logits"))
        scores = plain(clips)
    assert (scores - logits).abs().max() <= 1e-9 * logits.abs().max()


@pytest.mark.parametrize("training", [False, True])
def test_ours_scores_the_same_with_the_same_weights(training):
    torch.manual_seed(0)
    adjacency = torch.from_numpy(Graph("penn13", "inward_outward").adjacency.copy())
    plain = PlainSTGCNPP(adjacency, 14, 5, rows=((1, 1), (1, 1), (2, 2))).double()
    shake(plain)
    reading = pyskl_st_gcn.read(plain.state_dict())
    ours = stgcnpp("penn13", **reading.arguments).double()
    ours.load_state_dict(reading.weights)
    clips = torch.randn(3, 2, 13, 3, 11, dtype=torch.float64)
    scores = [plain.train(training)(clips.permute(0, 1, 4, 2, 3)), ours.train(training)(clips)]
    torch.testing.assert_close(scores[0], scores[1], rtol=1e-10, atol=1e-10)

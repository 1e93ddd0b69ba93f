"""AAGCN as pyskl publishes it: equal numbers; variants are read or refused."""

import numpy as np
import pytest
import torch
from plain_aa_gcn import PlainAAGCN
from weights import shake

from skelact.errors import ShapeError, WeightsError
from skelact.graph import Graph
from skelact.models.published import load_published, read_published

G = "backbone.gcn."
SMALL = {"num_classes": 3, "width": 8, "rows": ((1, 1), (2, 2))}


@pytest.fixture(scope="module")
def reference(shared):
    """Path of the weights, clips ``[B, M, N, C, T]`` and the logits of the original for them."""
    folder = shared / "reference" / "pyskl_aagcn_coco17"
    with np.load(folder / "io.npz") as file:
        clips = torch.from_numpy(file["x"]).permute(0, 1, 3, 4, 2)
        return folder / "checkpoint.pth", clips, torch.from_numpy(file["logits"])


@pytest.mark.shared
@pytest.mark.parametrize(("dtype", "relative"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
def test_logits_equal_those_of_the_original(reference, dtype, relative):
    path, clips, logits = reference
    network = load_published(path, layout="coco17").to(dtype)
    with torch.inference_mode():
        ours = network(clips.to(dtype)).double()
    assert ours.shape == logits.shape
    assert (ours - logits).abs().max() <= relative * logits.abs().max()


@pytest.mark.shared
def test_each_of_two_persons_has_a_norm(reference):
    path, clips, logits = reference
    network = load_published(path, layout="coco17")
    assert (network(clips.flip(1)) - logits).abs().max() > 1e-3
    with pytest.raises(ShapeError, match="at most 2 persons"):
        network(clips.repeat(1, 2, 1, 1, 1))


@pytest.mark.shared
def test_our_graph_is_the_one_stored(reference):
    stored = torch.load(reference[0], weights_only=True)["state_dict"]["backbone.A"]
    graph = Graph("coco17", "inward_outward").adjacency
    np.testing.assert_allclose(graph, stored.numpy(), atol=1e-6)


@pytest.mark.shared
def test_sizes_come_from_the_weights(reference):
    reading = read_published(reference[0])
    assert reading.network == "aagcn"
    assert reading.arguments | {"rows": None} == {
        "num_classes": 10, "in_channels": 3, "base_channels": 16, "kernel_size": 9,
        "adaptive": True, "attention": True, "reduction": 4, "norm_slots": 2, "rows": None}
    assert reading.arguments["rows"] == [(1, 1)] * 4 + [(2, 2)] + [(2, 1)] * 2 + [(4, 2)] + [
        (4, 1)] * 2
    assert any("second frame" in sentence for sentence in reading.assumptions)


@pytest.mark.parametrize("form", [
    {}, {"attention": False}, {"adaptive": False}, {"adaptive": False, "attention": False},
    {"persons": 0, "channels": 2, "reduction": 2, "kernel_size": 5},
    {"width": 10},  # of which a quarter is no whole number
])
def test_every_form_of_it_is_read(tmp_path, form):
    torch.manual_seed(0)
    plain = PlainAAGCN("penn13", **SMALL | form).eval()
    shake(plain)
    torch.save({"state_dict": plain.state_dict()}, tmp_path / "weights.pth")
    network = load_published(tmp_path / "weights.pth", layout="penn13")
    clips = torch.randn(2, 2, 13, network.in_channels, 7)
    torch.testing.assert_close(network(clips), plain(clips.permute(0, 1, 4, 2, 3)))


@pytest.mark.parametrize(("changes", "message"), [
    ({G + "0.gcn.A": None}, r"looks like pyskl's AAGCN, but it lacks backbone\.gcn\.0\.gcn\.A"),
    ({G + "0.tcn.conv.weight": None}, r"looks like pyskl's AAGCN, but it lacks .*tcn\.conv"),
    ({G + "0.gcn.conv_d.0.weight": torch.ones(8, 8, 1, 1)}, "first block keeps 8 channels"),
    ({G + "1.gcn.bn.weight": torch.ones(12)}, "block 1 has 12 channels, expected a multiple"),
    ({G + "1.gcn.PA": torch.ones(3, 13, 13)}, "unknown key 'backbone.gcn.1.gcn.PA'"),
    ({G + "1.gcn.conv_d.2.weight": None}, "does not fit a network on 'penn13'"),
    ({G + "1.gcn.conv_d.2.weight": torch.ones(9, 8, 1, 1)},
     r"partitions differ in shape: layers\.1\.graph_conv\.weight"),
    ({G + "1.gcn.conv_d.2.weight": torch.ones(()), G + "1.gcn.conv_d.0.weight": torch.ones(()),
      G + "1.gcn.conv_d.1.weight": torch.ones(())}, "does not fit a network on 'penn13'"),
    ({G + "0.gcn.conv_a.0.bias": torch.ones(40)},
     r"in \[40, 4\] channels.*part of \[8, 16\]"),
    ({"backbone.data_bn.weight": torch.ones(50)}, "input norm has 50 values"),
])
def test_other_variants_are_refused_in_one_line(tmp_path, changes, message):
    state = PlainAAGCN("penn13", **SMALL).state_dict() | changes
    torch.save({key: value for key, value in state.items() if value is not None},
               tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match=message) as caught:
        load_published(tmp_path / "weights.pth", layout="penn13")
    assert "\n" not in str(caught.value)

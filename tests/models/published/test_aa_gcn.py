"""AAGCN as pyskl publishes it: equal numbers; variants are read or refused."""

import numpy as np
import pytest
import torch
from weights import shake

from skelact.errors import ShapeError, WeightsError
from skelact.graph import Graph
from skelact.models import aagcn
from skelact.models.published import load_published, read_published

G = "backbone.gcn."
SMALL = {"num_classes": 3, "base_channels": 8, "rows": [[1, 1], [2, 2]]}


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


def publish(network, kinds=("a", "b")) -> dict[str, torch.Tensor]:
    """The weights of a network of ours under pyskl's names."""
    state = {f"backbone.data_bn.{key}": value
             for key, value in network.input_norm.state_dict().items()}
    for i, layer in enumerate(network.layers):
        conv, block = layer.graph_conv, f"{G}{i}."
        partitions, channels = len(conv.adjacency), layer.in_channels
        state[block + "gcn.A"] = conv.adjacency.detach()
        for k in range(partitions):
            mixer = conv.weight.detach().view(-1, partitions, channels)[:, k]
            state[f"{block}gcn.conv_d.{k}.weight"] = mixer[..., None, None]
            state[f"{block}gcn.conv_d.{k}.bias"] = conv.bias.detach()[k]
        if conv.embed is not None:
            state[block + "gcn.alpha"] = conv.alpha.detach()
            sides = zip(kinds, conv.embed.weight.detach().view(2, partitions, -1, channels),
                        conv.embed.bias.detach().view(2, partitions, -1), strict=True)
            for side, weight, bias in sides:
                for k in range(partitions):
                    state[f"{block}gcn.conv_{side}.{k}.weight"] = weight[k, :, :, None, None]
                    state[f"{block}gcn.conv_{side}.{k}.bias"] = bias[k]
        parts = {"gcn.bn": layer.graph_norm, "tcn.conv": layer.temporal[0],
                 "tcn.bn": layer.temporal[1]}
        if channels != conv.weight.shape[0]:
            parts |= {"gcn.down.0": layer.graph_shortcut[0], "gcn.down.1": layer.graph_shortcut[1]}
        if i and channels != conv.weight.shape[0]:
            parts |= {"residual.conv": layer.shortcut[0], "residual.bn": layer.shortcut[1]}
        if layer.attention is not None:
            parts |= {"gcn.conv_sa": layer.attention.joints, "gcn.conv_ta": layer.attention.frames,
                      "gcn.fc1c": layer.attention.channels[0],
                      "gcn.fc2c": layer.attention.channels[2]}
        for name, part in parts.items():
            state |= {f"{block}{name}.{key}": value[..., None, None] if value.ndim == 2
                      and ("down" in name or "residual" in name) else value
                      for key, value in part.state_dict().items()}
    return state | {f"cls_head.fc_cls.{key}": value
                    for key, value in network.head.state_dict().items()}


@pytest.mark.parametrize("arguments", [
    {}, {"attention": False}, {"adaptive": False}, {"adaptive": False, "attention": False},
    {"norm_slots": 2, "in_channels": 2, "reduction": 2, "kernel_size": 5},
])
def test_every_form_of_it_is_read(tmp_path, arguments):
    torch.manual_seed(0)
    network = aagcn("penn13", **SMALL | arguments, absent="zeros")
    shake(network)
    torch.save({"state_dict": publish(network)}, tmp_path / "weights.pth")
    read = load_published(tmp_path / "weights.pth", layout="penn13")
    clips = torch.randn(2, 2, 13, network.in_channels, 7)
    torch.testing.assert_close(read(clips), network.eval()(clips))


@pytest.mark.parametrize(("changes", "message"), [
    ({G + "0.gcn.A": None}, r"looks like pyskl's AAGCN, but it lacks backbone\.gcn\.0\.gcn\.A"),
    ({G + "0.tcn.conv.weight": None}, r"looks like pyskl's AAGCN, but it lacks .*tcn\.conv"),
    ({G + "0.gcn.conv_d.0.weight": torch.ones(8, 8, 1, 1)}, "first block keeps 8 channels"),
    ({G + "1.gcn.bn.weight": torch.ones(12)}, "block 1 has 12 channels, expected a multiple"),
    ({G + "1.gcn.PA": torch.ones(3, 13, 13)}, "unknown key 'backbone.gcn.1.gcn.PA'"),
    ({G + "1.gcn.conv_d.2.weight": None}, "does not fit a network on 'penn13'"),
    ({G + "1.gcn.conv_d.2.weight": torch.ones(9, 8, 1, 1)},
     r"partitions differ in shape: layers\.1\.graph_conv\.weight"),
    ({G + "0.gcn.conv_a.0.weight": torch.ones(40, 3, 1, 1)}, "40 channels.*at most"),
    ({"backbone.data_bn.weight": torch.ones(50)}, "input norm has 50 values"),
])
def test_other_variants_are_refused_in_one_line(tmp_path, changes, message):
    state = publish(aagcn("penn13", **SMALL)) | changes
    torch.save({key: value for key, value in state.items() if value is not None},
               tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match=message) as caught:
        load_published(tmp_path / "weights.pth", layout="penn13")
    assert "\n" not in str(caught.value)

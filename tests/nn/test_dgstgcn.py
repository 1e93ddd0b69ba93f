"""The DG-STGCN layer: topologies by their formula, joints fused in time, any leading axes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from weights import shake

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.nn.dgstgcn import (
    DGSTGCN,
    DynamicGraphConv,
    DynamicTemporalConv,
    JointFusion,
    group_width,
)
from skelact.nn.multi_scale_temporal import MultiScaleTemporalConv


def build(in_channels=3, out_channels=12, **kwargs) -> DGSTGCN:
    torch.manual_seed(0)
    layer = DGSTGCN(in_channels, out_channels, "coco17", topologies=3, ratio=0.25, **kwargs)
    shake(layer)
    return layer.eval()


def joints(*leading, channels=3, frames=10) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*leading, 17, channels, frames, generator=generator)


def plain_graph_conv(conv: DynamicGraphConv, features: Tensor) -> Tensor:
    """The published form, ``[B, N, C, T]``: group by group, channel by channel."""
    groups, relate = conv.topology.shape[0], conv.relate
    mean = torch.einsum("oc,bnc->bno", relate.weight, features.mean(3)) + relate.bias
    split = torch.einsum("oc,bnct->bnot", conv.split.weight, features)
    split = torch.relu(conv.split_norm(split + conv.split.bias[:, None]))
    width, half = split.shape[2] // groups, split.shape[2]
    outputs = []
    for k in range(groups):
        chosen = slice(k * width, (k + 1) * width)
        source, target = mean[..., :half][..., chosen], mean[..., half:][..., chosen]
        affinity = torch.einsum("bsc,btc->bst", source, target)
        shared = affinity.exp() / affinity.exp().sum(dim=1, keepdim=True)
        for c in range(width):
            own = torch.tanh(source[:, :, None, c] - target[:, None, :, c])
            topology = (conv.topology[k] + conv.joint_strength * shared
                        + conv.channel_strength * own)
            outputs.append(torch.einsum("bst,bsf->btf", topology, split[:, :, k * width + c]))
    merged = torch.einsum("oc,bnct->bnot", conv.merge.weight, torch.stack(outputs, dim=2))
    return merged + conv.merge.bias[:, None]


@pytest.mark.parametrize(("channels", "frames"), [((3, 12), 10), ((12, 8), 7), ((5, 1), 1)])
def test_the_graph_convolution_is_its_formula(channels, frames):
    torch.manual_seed(0)
    conv = DynamicGraphConv(*channels, num_joints=17, topologies=3, ratio=0.25).double()
    shake(conv)
    features = joints(2, channels=channels[0], frames=frames).double()
    torch.testing.assert_close(conv.eval()(features), plain_graph_conv(conv, features))


def test_a_fresh_topology_is_learned_and_the_same_for_every_clip():
    torch.manual_seed(0)
    conv = DynamicGraphConv(3, 64, num_joints=17)
    topologies = conv.topologies(joints(2))
    assert topologies.shape == (2, 8, 8, 17, 17)
    assert torch.equal(topologies, conv.topology[:, None].expand_as(topologies))
    assert conv.topology.mean().item() == pytest.approx(0.04, abs=0.005)
    assert conv.topology.std().item() == pytest.approx(0.02, abs=0.005)


def test_the_topologies_follow_the_clip_once_they_have_strength():
    layer = build()
    topologies = layer.graph_conv.topologies(joints(2))
    assert (topologies[0] - topologies[1]).abs().max() > 0.01
    shifted = joints(2).roll(3, dims=3)  # only the mean over time counts
    torch.testing.assert_close(layer.graph_conv.topologies(shifted), topologies)


@given(st.integers(1, 300), st.integers(1, 300))
def test_a_ratio_gives_back_the_channels_it_came_from(part, whole):
    assert group_width(max(part, whole), part / max(part, whole)) == part


def test_a_group_has_at_least_one_channel():
    assert group_width(64, 0.125) == 8
    assert group_width(85, 0.25) == 21
    assert group_width(4, 0.125) == 1


def test_without_coefficients_the_temporal_convolution_is_that_of_stgcnpp():
    torch.manual_seed(0)
    ours, plain = DynamicTemporalConv(17, 6, 12, stride=2), MultiScaleTemporalConv(6, 12, stride=2)
    shake(plain)
    mine = {key if not key.startswith("mix.") else f"mix.{int(key[4]) + 1}{key[5:]}": value
            for key, value in plain.state_dict().items()}
    ours.load_state_dict(mine | {"mix.0.coefficients": torch.zeros(17)})
    features = joints(2, channels=6, frames=9)
    torch.testing.assert_close(ours.eval()(features), plain.eval()(features))


def test_a_joint_is_given_its_share_of_all():
    fusion = JointFusion(3)
    with torch.no_grad():
        fusion.coefficients.copy_(torch.tensor([0.0, 1.0, -2.0]))
    features = torch.randn(2, 4, 5, 6)
    fused = fusion(features)
    torch.testing.assert_close(fused[:, 0], features[:, 0])
    torch.testing.assert_close(fused[:, 1], features[:, 1] + features[:, 3])
    torch.testing.assert_close(fused[:, 2], features[:, 2] - 2 * features[:, 3])


def test_the_mean_of_the_joints_counts_in_batch_statistics():
    torch.manual_seed(0)
    temporal = DynamicTemporalConv(17, 6, 12)
    features = joints(2, channels=6)
    temporal(features)
    extended = torch.cat([features, features.mean(1, keepdim=True)], dim=1)
    expected = 0.1 * temporal.reduce(extended).mean(dim=(0, 1, 3))
    torch.testing.assert_close(temporal.reduce_norm.running_mean, expected)


@pytest.mark.parametrize("kwargs", [{}, {"stride": 2}, {"residual": False},
                                    {"kernel_size": 5, "dilations": (1, 2)}])
def test_the_layer_is_its_formula(kwargs):
    net, features = build(**kwargs).double(), joints(2).double()
    mixed = net.graph_norm(plain_graph_conv(net.graph_conv, features))
    expected = net.temporal(torch.relu(mixed + net.graph_shortcut(features)))
    if net.shortcut is not None:
        expected = expected + net.shortcut(features)
    torch.testing.assert_close(net(features), torch.relu(expected))
    assert (net.shortcut is None) == (not kwargs.get("residual", True))


def test_only_the_layer_s_own_gradients_wait_for_the_strengths():
    torch.manual_seed(0)
    net = DGSTGCN(3, 12, "coco17", topologies=3)

    def without_gradient() -> list[str]:
        net.zero_grad()
        net(joints(2)).square().sum().backward()
        return [name for name, parameter in net.eval().named_parameters()
                if not parameter.grad.any()]

    net.eval()
    assert without_gradient() == ["graph_conv.relate.weight", "graph_conv.relate.bias"]
    shake(net)
    assert without_gradient() == []


@pytest.mark.parametrize(("kwargs", "frames"), [({}, 10), ({"stride": 2}, 5), ({"stride": 3}, 4)])
def test_any_leading_axes_give_the_same(kwargs, frames):
    net, many = build(**kwargs), joints(2, 3)
    out = net(many)
    assert out.shape == (2, 3, 17, 12, frames)
    torch.testing.assert_close(net(many[1, 2]), out[1, 2])
    torch.testing.assert_close(net(many[0]), out[0])
    assert net(many[:, :0]).shape == (2, 0, 17, 12, frames)


def test_half_precision_stays_close():
    net, given = build(), joints(2)
    with torch.autocast("cpu", torch.bfloat16):
        near = net(given).float()
    assert (near - net(given)).norm() < 0.03 * net(given).norm()


def test_what_does_not_fit_is_refused():
    net = build()
    with pytest.raises(LayoutError, match=r"N=17.*got \[25, 3, 10\]"):
        net(torch.zeros(25, 3, 10))
    with pytest.raises(ShapeError, match=r"\[\.\.\., N, 3, T\], got \[17, 2, 10\]"):
        net(joints(channels=2))
    with pytest.raises(ChoiceError, match="odd kernel_size"):
        build(kernel_size=2)
    with pytest.raises(LayoutError, match="ntu26"):
        DGSTGCN(3, 8, "ntu26")

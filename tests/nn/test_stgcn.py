"""The spatiotemporal layer: the formula, any leading axes, and everything torch may do to it."""

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.graph import Graph
from skelact.nn.graph_conv import GraphConv
from skelact.nn.stgcn import STGCN
from skelact.nn.temporal_conv import TemporalConv


def shake(module: nn.Module) -> nn.Module:
    """Give every parameter and statistic a value of its own, edge importance included."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
        for name, buffer in module.named_buffers():
            if "running_mean" in name:
                buffer.copy_(0.3 * torch.randn(buffer.shape, generator=generator))
            if "running_var" in name:
                buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))
    return module


def layer(in_channels=3, out_channels=6, layout="coco17", **kwargs) -> STGCN:
    torch.manual_seed(0)
    return shake(STGCN(in_channels, out_channels, Graph(layout), **kwargs)).eval()


def joints(*leading, layout="coco17", channels=3, frames=10) -> torch.Tensor:
    shape = (*leading, Graph(layout).num_joints, channels, frames)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("partition", ["uniform", "distance", "spatial", "inward_outward"])
@pytest.mark.parametrize("importance", [True, False])
def test_the_graph_convolution_is_the_sum_of_the_formula(partition, importance):
    graph = Graph("penn13", partition)
    convolution = shake(GraphConv(2, 3, graph, importance)).double()
    features = joints(2, layout="penn13", channels=2, frames=4).double()
    weights = convolution.adjacency.clone()
    if importance:
        weights *= convolution.edge_importance
    expected = torch.zeros(2, 13, 3, 4, dtype=torch.float64)
    for k in range(graph.num_partitions):
        for source in range(13):
            for target in range(13):
                if weights[k, source, target]:
                    mixed = torch.einsum("oc,bct->bot", convolution.weight[k], features[:, source])
                    mixed = mixed + convolution.bias[k][:, None]
                    expected[:, target] += weights[k, source, target] * mixed
    assert expected.abs().mean() > 0.1
    torch.testing.assert_close(convolution(features), expected)


def test_each_bias_enters_by_the_column_sums_of_its_partition():
    graph = Graph("penn13", "spatial")
    convolution = GraphConv(3, 4, graph)
    with torch.no_grad():
        convolution.weight.zero_()
    columns = torch.from_numpy(graph.adjacency.sum(axis=1)).float()  # [K, target]
    expected = columns.T @ convolution.bias
    out = convolution(joints(1, layout="penn13"))
    torch.testing.assert_close(out[0, :, :, 0], expected)
    assert (out == out[..., :1]).all()


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(1, 1, 1), (3, 1, 2), (5, 3, 1)])
def test_the_temporal_convolution_is_a_loop_over_frames(kernel, stride, dilation):
    convolution = TemporalConv(2, 3, kernel, stride, dilation).double()
    features = joints(2, layout="penn13", channels=2, frames=11).double()
    reach = (kernel - 1) // 2
    weight = convolution.weight[..., 0]  # [out, in, kernel]
    expected = []
    for centre in range(0, 11, stride):
        total = convolution.bias[None, None].expand(2, 13, 3)
        for k in range(kernel):
            frame = centre + (k - reach) * dilation
            if 0 <= frame < 11:
                total = total + features[..., frame] @ weight[:, :, k].T
        expected.append(total)
    torch.testing.assert_close(convolution(features), torch.stack(expected, dim=-1))


def test_the_layer_is_its_formula():
    net = layer(kernel_size=3).double()
    features = joints(2).double()
    bn, relu, temporal, bn2, _ = net.temporal
    expected = bn2(temporal(relu(bn(net.graph_conv(features)))))
    expected = torch.relu(expected + net.shortcut(features))
    assert (expected > 0).float().mean() > 0.2
    torch.testing.assert_close(net(features), expected)


@pytest.mark.parametrize(
    ("kwargs", "frames"),
    [({}, 10), ({"stride": 2}, 5), ({"stride": 3}, 4), ({"dilation": 2}, 10),
     ({"kernel_size": 1, "residual": False}, 10), ({"edge_importance": False}, 10)],
)
def test_any_leading_axes_give_the_same(kwargs, frames):
    net = layer(**kwargs)
    many = joints(2, 3)
    out = net(many)
    assert out.shape == (2, 3, 17, 6, frames)
    torch.testing.assert_close(net(many[1, 2]), out[1, 2])  # bare [N, C, T]
    torch.testing.assert_close(net(many[0]), out[0])
    torch.testing.assert_close(net(many[None])[0], out)
    assert net(many[:, :0]).shape == (2, 0, 17, 6, frames)


def test_no_leading_axis_and_memory_order_do_not_matter():
    net = layer()
    given = joints(4)
    shuffled = given.permute(3, 0, 2, 1).contiguous().permute(1, 3, 2, 0)
    assert not shuffled.is_contiguous()
    torch.testing.assert_close(net(shuffled), net(given))


@pytest.mark.parametrize("channels", [3, 8])
def test_the_input_is_left_alone(channels):
    net = layer(channels, 8).train()
    given = joints(2, channels=channels)
    before = given.clone()
    net(given)
    assert torch.equal(given, before)


def test_layers_stand_in_a_users_own_network():
    graph = Graph("ntu25", "distance")
    net = nn.Sequential(STGCN(3, 8, graph), nn.Dropout(0.1), STGCN(8, 8, graph, stride=2),
                        nn.Flatten(-3), nn.LazyLinear(5)).eval()
    assert net(joints(2, layout="ntu25")).shape == (2, 5)
    assert net(joints(layout="ntu25")).shape == (5,)


def test_the_gradient_reaches_every_parameter():
    net = layer(stride=2, dropout=0.1).train()
    given = joints(3).requires_grad_()
    net(given).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        # batch normalisation takes away what a constant would add before it
        assert parameter.grad.abs().sum() > 1e-6 or name.endswith("temporal.2.bias"), name
    assert given.grad.abs().sum() > 0


class Copies(TorchDispatchMode):
    """Counts the copies of anything as large as the features."""

    def __init__(self, size: int):
        super().__init__()
        self.size, self.found = size, []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        name = function.overloadpacket.__name__
        if name in ("clone", "copy_", "_to_copy") and result.numel() >= self.size:
            self.found.append(name)
        return result


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kwargs", [{}, {"dropout": 0.5}, {"residual": False}, {"stride": 2}])
def test_no_features_are_copied_in_a_training_step(kwargs, dtype):
    """What comes in the layer's own order stays in it, forward and backward."""
    net = layer(64, 64, **kwargs).train()
    features = torch.randn(8, 32, 17, 64, dtype=dtype).permute(0, 2, 3, 1).requires_grad_()
    with Copies(features.numel() // 2) as copies:
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            out = net(features)
        (gradient,) = torch.autograd.grad(out, features, torch.ones_like(out))
    assert copies.found == []
    assert out.permute(0, 3, 1, 2).is_contiguous()
    assert gradient.stride() == features.stride()


def test_the_state_round_trips():
    net, other = layer(), STGCN(3, 6, Graph("coco17")).eval()
    assert not torch.allclose(other(joints()), net(joints()))
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(joints()), net(joints()))


def test_edge_importance_is_one_at_first_and_can_be_left_out():
    learned = STGCN(3, 4, Graph("coco17"))
    assert (learned.graph_conv.edge_importance == 1).all()
    fixed = STGCN(3, 4, Graph("coco17"), edge_importance=False)
    fixed.load_state_dict({k: v for k, v in learned.state_dict().items()
                           if "edge_importance" not in k})
    torch.testing.assert_close(fixed.eval()(joints()), learned.eval()(joints()))


def test_dropout_acts_in_training_only():
    net = layer(dropout=0.5)
    assert torch.equal(net(joints()), net(joints()))
    net.train()
    torch.manual_seed(0)
    first, second = net(joints()), net(joints())
    assert not torch.allclose(first, second)


def test_compiles_without_graph_breaks():
    net = layer(stride=2)
    compiled = torch.compile(net, fullgraph=True, backend="eager")
    for given in (joints(), joints(2, 1)):
        torch.testing.assert_close(compiled(given), net(given))


def test_exports_for_any_number_of_frames_and_clips():
    net = layer()
    batch, frames = torch.export.Dim("batch", max=64), torch.export.Dim("frames", min=2, max=512)
    program = torch.export.export(net, (joints(2),), dynamic_shapes=({0: batch, 3: frames},))
    for given in (joints(5, frames=31), joints(1, frames=4)):
        torch.testing.assert_close(program.module()(given), net(given))


def test_half_precision_stays_close():
    net, given = layer(), joints(2)
    with torch.autocast("cpu", torch.bfloat16):
        near = net(given).float()
    assert (near - net(given)).norm() < 0.02 * net(given).norm()


def test_what_does_not_fit_is_refused():
    net = layer()
    with pytest.raises(LayoutError, match=r"N=17.*got \[25, 3, 10\]; 25 joints are layout"):
        net(joints(layout="ntu25"))
    with pytest.raises(LayoutError, match=r"got \[17, 3\]"):
        net(torch.zeros(17, 3))
    with pytest.raises(ShapeError, match=r"\[\.\.\., N, 3, T\], got \[17, 2, 10\]"):
        net(joints(channels=2))
    for kernel in (2, 8, 0, -1):
        with pytest.raises(ChoiceError, match="odd kernel_size"):
            STGCN(3, 4, Graph("coco17"), kernel_size=kernel)


def test_it_prints_its_sizes():
    assert "3, 6, partitions=3" in repr(layer())

"""The block of MS-G3D: the formula, any leading axes, narrow ones too."""

import pytest
import torch
from weights import shake

from skelact.errors import ChoiceError, LayoutError, ShapeError
from skelact.nn.msg3d import MSG3D, WindowGraphConv


def build(in_channels=3, out_channels=12, **kwargs) -> MSG3D:
    torch.manual_seed(0)
    block = MSG3D(in_channels, out_channels, "penn13", **{"graph_scales": 4, "window_scales": 3}
                  | kwargs)
    shake(block)
    return block.eval()


def joints(*leading, channels=3, frames=9) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*leading, 13, channels, frames, generator=generator)


def test_a_window_is_collapsed_joint_by_joint():
    torch.manual_seed(0)
    conv = WindowGraphConv(6, 5, 7, build().layout, scales=3, window=3, stride=2).double()
    shake(conv)
    features = joints(2, channels=6).double()
    conv.eval()
    hidden = torch.relu(conv.graph_norm(conv.graph_conv(features))).unflatten(1, (13, 3))
    weight = conv.collapse.weight.unflatten(1, (3, 5))
    collapsed = torch.einsum("owc,bnwct->bnot", weight, hidden) + conv.collapse.bias[:, None]
    torch.testing.assert_close(conv(features), conv.norm(collapsed))
    assert conv(features).shape == (2, 13, 7, 5)


@pytest.mark.parametrize("kwargs", [{"hidden_channels": 12}, {"stride": 2}, {"windows": (7,)}])
def test_the_block_is_its_formula(kwargs):
    block, features = build(**kwargs).double(), joints(2).double()
    first, second, third = block.temporal
    hidden = torch.relu(block.graph_norm(block.graph_conv(features)))
    hidden = torch.relu(first(hidden) + block.shortcuts[0](hidden))
    summed = second(hidden) + hidden + sum(window(features) for window in block.windows)
    summed = torch.relu(summed)
    torch.testing.assert_close(block(features), torch.relu(third(summed) + summed))


def test_any_leading_axes():
    block, features = build(stride=2), joints(2, 3)
    out = block(features)
    assert out.shape == (2, 3, 13, 12, 5)
    torch.testing.assert_close(block(features[1, 2]), out[1, 2])
    assert block(joints(0)).shape == (0, 13, 12, 5)


def test_narrow_blocks_leave_out_the_largest_dilations():
    def dilations(width):
        first = build(3, width).temporal[0]
        return [conv.dilation[0] for conv in first.dilated]

    assert dilations(12) == dilations(6) == [1, 2, 3, 4]
    assert dilations(4) == [1, 2]
    assert dilations(3) == [1]
    assert build(3, 4)(joints()).shape == (13, 4, 9)
    with pytest.raises(ChoiceError, match="at least 3 channels"):
        build(3, 2)


def test_what_does_not_fit_is_refused():
    with pytest.raises(LayoutError, match="N=13"):
        build()(torch.zeros(1, 17, 3, 5))
    with pytest.raises(ShapeError, match=r"expected joints \[..., N, 3, T\]"):
        build()(joints(1, channels=2))

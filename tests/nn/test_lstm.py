"""The LSTM over frames: the library's, whichever way it is run."""

import pytest
import torch
from torch import nn
from weights import shake

from skelact.nn.lstm import FrameLSTM


def build(num_layers=2, **kwargs) -> FrameLSTM:
    torch.manual_seed(0)
    layer = FrameLSTM(5, 3, 6, num_layers, **kwargs)
    shake(layer)
    return layer.eval()


def joints(batch=2, frames=7) -> torch.Tensor:
    return torch.randn(batch, 5, 3, frames, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("num_layers", [1, 3])
def test_it_is_the_library_s_lstm_on_the_joints_of_each_frame(num_layers):
    layer, given = build(num_layers), joints()
    library = nn.LSTM(15, 6, num_layers, batch_first=True)
    library.load_state_dict(layer.state_dict())
    expected = library(given.permute(0, 3, 1, 2).reshape(2, 7, 15))[0]  # [B, T, D]
    answers = layer(given)
    assert answers.shape == (2, 1, 6, 7)
    torch.testing.assert_close(answers[:, 0].transpose(1, 2), expected)


def test_frames_are_answered_from_those_before():
    layer, given = build(), joints()
    later = given.clone()
    later[..., 4:] += 1
    torch.testing.assert_close(layer(later)[..., :4], layer(given)[..., :4])
    assert ((layer(later) - layer(given))[..., 4:].abs() > 1e-6).all()


def test_nobody_is_no_trouble():
    assert build()(joints(0)).shape == (0, 1, 6, 7)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_in_a_graph_it_gives_the_same(num_layers):
    """Compiled for inference without a break; in training with one."""
    layer, given = build(num_layers), joints()
    torch._dynamo.reset()
    with torch.inference_mode():
        compiled = torch.compile(layer, backend="eager", fullgraph=True)
        torch.testing.assert_close(compiled(given), layer(given))
    torch._dynamo.reset()
    trained = torch.compile(layer, backend="eager")(given)
    torch.testing.assert_close(trained, layer(given))
    trained.sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in layer.parameters())
    torch._dynamo.reset()


def test_dropout_is_between_layers_and_in_training_alone():
    layer, given = build(dropout=0.5), joints()
    assert torch.equal(layer(given), layer(given))
    layer.train()
    assert not torch.equal(layer(given), layer(given))
    alone = build(1, dropout=0.5).train()
    assert torch.equal(alone(given), alone(given))

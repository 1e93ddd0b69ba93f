"""Inflation: a still image gives what the 2-D network gives; what cannot be inflated is named."""

import pytest
import torch
import torchvision
from torch import nn

from skelact.errors import ChoiceError, SkelactError
from skelact.rgb.inflation import InflatedConv, inflate


def with_statistics(network: nn.Module) -> nn.Module:
    """Norms as after training: other means, variances and weights than 0 and 1."""
    random = torch.Generator().manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.running_mean, layer.weight.data, layer.bias.data):
                values.copy_(0.1 * torch.randn(values.shape, generator=random) + 0.4)
            layer.running_var.uniform_(0.5, 2, generator=random)
        elif hasattr(layer, "layer_scale"):  # 1e-6 at first: the blocks would hardly count
            layer.layer_scale.data.uniform_(0.2, 0.6, generator=random)
    return network


def image(size: int = 64) -> torch.Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "convnext_tiny"])
@torch.no_grad()
def test_a_still_image_gives_the_output_of_the_image_network(name):
    torch.manual_seed(0)
    network = with_statistics(torchvision.models.get_model(name, weights=None)).eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    inflated = inflate(network)
    still, wanted = image()[:, :, None], network(image())
    for frames in (1, 3, 8):
        got = inflated(still.repeat(1, 1, frames, 1, 1))
        assert (got - wanted).abs().max() <= 1e-5 * max(1, wanted.abs().max())
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key])
    assert not any(isinstance(layer, nn.Conv2d) for layer in inflated.modules())


@torch.no_grad()
def test_kernels_are_repeated_and_divided():
    conv = nn.Conv2d(3, 4, 5, stride=2, padding=2)
    inflated = inflate(conv)
    assert isinstance(inflated, InflatedConv)
    assert inflated.weight.shape == (4, 3, 5, 5, 5)
    assert inflated.stride == (2, 2, 2)
    for t in range(5):
        torch.testing.assert_close(inflated.weight[:, :, t], conv.weight / 5, rtol=0, atol=0)


@torch.no_grad()
def test_it_looks_at_neighbours_in_time_and_only_there():
    inflated = inflate(nn.Conv2d(1, 1, 3, padding=1))
    clip = torch.zeros(1, 1, 9, 8, 8)
    clip[:, :, 4] = 1
    off = (inflated(clip) - inflated(torch.zeros_like(clip))).abs().amax(dim=(0, 1, 3, 4))
    assert (off > 0).tolist() == [False] * 3 + [True] * 3 + [False] * 3


@torch.no_grad()
def test_a_kernel_of_one_frame_sees_every_frame_by_itself():
    torch.manual_seed(0)
    network = torchvision.models.resnet18(weights=None).eval()
    body = nn.Sequential(*list(network.children())[:-2])
    inflated = inflate(body, time_kernel=1, time_stride=False)
    clip = torch.randn(1, 3, 4, 64, 64)
    frames = torch.stack([body(clip[:, :, t]) for t in range(4)], dim=2)
    torch.testing.assert_close(inflated(clip), frames, rtol=1e-4, atol=1e-4)
    with pytest.raises(ChoiceError, match="at least one frame"):
        inflate(network, time_kernel=0)


def test_time_is_thinned_out_with_space_or_not():
    body = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 4, 2, 2))
    clip = torch.randn(1, 3, 16, 32, 32)
    assert inflate(body)(clip).shape == (1, 4, 4, 4, 4)
    assert inflate(body, time_stride=False)(clip).shape == (1, 4, 16, 4, 4)


def test_modes_and_frozen_weights_are_kept():
    with torch.device("meta"):
        network = torchvision.models.resnet18(weights=None)
    network.conv1.weight.requires_grad_(False)
    network.bn1.weight.requires_grad_(False)
    network.train()
    network.layer1.eval()
    inflated = inflate(network)
    assert inflated.training
    assert inflated.layer2[0].bn1.training
    assert not inflated.layer1[0].bn1.training
    assert not inflated.conv1.weight.requires_grad
    assert not inflated.bn1.weight.requires_grad
    assert inflated.layer1[0].conv1.weight.requires_grad


@pytest.mark.parametrize(("name", "message"), [
    ("vit_b_16", "VisionTransformer: class_token is a parameter"),
    ("swin_t", "relative_position_bias_table"),
    ("densenet121", "DenseNet: its forward does not run on video"),
    ("mobilenet_v2", "MobileNetV2: its forward does not run on video"),
    ("shufflenet_v2_x0_5", "its forward does not run on video"),
])
def test_what_cannot_be_inflated_is_named(name, message):
    with torch.device("meta"):
        network = torchvision.models.get_model(name, weights=None)
        with pytest.raises(SkelactError, match=message):
            inflate(network)


def test_layers_that_cannot_be_inflated_are_named():
    for layer, message in (
        (nn.Sequential(nn.Conv2d(3, 3, 3), nn.Sequential(nn.ConvTranspose2d(3, 3, 2))),
         "1.0 is a ConvTranspose2d"),
        (nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), "reflect"),
        (nn.ReLU(), "no convolution"),
    ):
        with pytest.raises(SkelactError, match=message):
            inflate(layer)


def test_a_forward_that_mixes_axes_is_found_out_on_noise():
    class Wrong(nn.Module):
        """Takes the last two axes for the image, and the mean over other ones in a video."""

        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, images):
            features = self.conv(images)
            return features[:, :, 0].flatten(1)[:, :4] if images.dim() == 4 else (
                features[:, :, 0, 1, :4].mean(dim=1))

    with pytest.raises(SkelactError, match="of a still image it gives"):
        inflate(Wrong())

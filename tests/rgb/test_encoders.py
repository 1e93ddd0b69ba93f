"""Every encoder: shapes, gradients at the native clip size, any number of frames, parameters."""

import pytest
import torch
import torchvision
from torchvision.models.video.mvit import MSBlockConfig

from skelact.errors import ChoiceError, ShapeError
from skelact.rgb.encoders import ENCODERS, build_encoder
from skelact.rgb.video_encoders import MultiscaleEncoder

SHALLOW = {  # the same clips and layers, fewer of them: a pass through the whole takes a minute
    "tsn": {"backbone": "resnet18"},
    "tsm": {"backbone": "resnet18"},
    "i3d": {"backbone": "resnet18"},
    "flow": {"backbone": "resnet18"},
    "timesformer": {"num_hidden_layers": 1},
    "vivit": {"num_hidden_layers": 1},
    "videomae": {"num_hidden_layers": 1},
}
REPEATED = {  # layers that are alike, where torchvision's network has no argument for their number
    "mvit_v2_s": lambda encoder: (encoder.network.blocks, slice(5, 14)),
    "swin3d_t": lambda encoder: (encoder.network.features[4], slice(2, 6)),
}
PUBLISHED = {  # millions of parameters, with a head over that many classes
    "tsn": (25.56, 1000),  # torchvision's number, as of four others
    "tsm": (24.3, 400),  # paper, table 2
    "c3d": (78.41, 101),  # on UCF101, as model zoos list it
    "r2plus1d_18": (31.51, 400),
    "s3d": (8.32, 400),
    "slowfast": (34.48, 400),  # R50 4 x 16, model zoo of its authors
    "mvit_v2_s": (34.54, 400),
    "swin3d_t": (28.16, 400),
    "timesformer": (121.4, 400),  # paper, table 2
    "vivit": (88.9, 400),
    "videomae": (87.0, 400),  # model zoo of its authors
}


def shallow(name: str, **arguments):
    torch.manual_seed(0)
    encoder = build_encoder(name, "random", **(SHALLOW.get(name, {}) | arguments))
    if name in REPEATED:
        layers, which = REPEATED[name](encoder)
        del layers[which]
    return encoder


@pytest.mark.parametrize("name", ENCODERS)
def test_forward_and_backward_at_the_native_clip_size(name):
    encoder = shallow(name).train()
    clips = torch.randn(1, encoder.channels, *encoder.native)
    features = encoder(clips)
    assert features.shape == (1, encoder.dim)
    features.square().mean().backward()
    for key, weight in encoder.named_parameters():
        assert weight.grad is not None, key
        assert torch.isfinite(weight.grad).all(), key
    first = next(weight for weight in encoder.parameters() if weight.dim() > 3)
    assert first.grad.abs().max() > 0  # the gradient reaches the kernels that see pixels


@pytest.mark.parametrize("name", ENCODERS)
def test_any_number_of_frames_down_to_one_and_tokens(name):
    with torch.device("meta"):
        encoder = shallow(name).eval()
        frames, height, width = encoder.native
        for count in (1, frames - 1):
            tokens = encoder.tokens(torch.empty(2, encoder.channels, count, height, width))
            assert tokens.shape[::2] == (2, encoder.dim)
            assert encoder.pool(tokens).shape == (2, encoder.dim)
        if not encoder.fixed:
            longer = torch.empty(2, encoder.channels, frames + 3, height + 40, width + 8)
            assert encoder(longer).shape == (2, encoder.dim)
            least = torch.empty(2, encoder.channels, 1, encoder.min_size, encoder.min_size)
            assert encoder(least).shape == (2, encoder.dim)


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_that_are_published(name):
    with torch.device("meta"):
        encoder = build_encoder(name, "random")
    millions, classes = PUBLISHED[name]
    parameters = sum(weight.numel() for weight in encoder.parameters())
    parameters += classes * (encoder.dim + 1)
    assert parameters == pytest.approx(millions * 1e6, rel=0.01)


def test_all_that_is_published_is_compared():
    own = {"cnn_lstm", "i3d", "flow"}  # of parts that are, put together by us
    assert set(PUBLISHED) | own == set(ENCODERS)


@pytest.mark.parametrize(("name", "clip", "head"), [
    ("r2plus1d_18", (4, 64, 64), "fc"), ("swin3d_t", (4, 64, 64), "head"),
    ("s3d", (16, 224, 224), "classifier"),
])
@torch.no_grad()
def test_torchvisions_head_on_our_features_gives_its_scores(name, clip, head):
    torch.manual_seed(0)
    network = torchvision.models.get_model(name, weights=None).eval()
    encoder = build_encoder(name, "random").eval()
    state, inner = network.state_dict(), encoder.network
    prefix = "features." if name == "s3d" else ""
    inner.load_state_dict({key: state[prefix + key] for key in inner.state_dict()})
    clips = torch.randn(1, 3, *clip)
    features = encoder(clips)
    features = features[..., None, None, None] if name == "s3d" else features
    torch.testing.assert_close(getattr(network, head)(features).flatten(1), network(clips),
                               rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_a_small_mvit_gives_torchvisions_scores():
    torch.manual_seed(0)
    blocks = [MSBlockConfig(heads, width, 32, [3, 3, 3], [3, 3, 3], [1, stride, stride], [1, 2, 2])
              for heads, width, stride in ((1, 16, 1), (2, 32, 2))]
    network = torchvision.models.video.MViT(
        (64, 64), 8, blocks, residual_pool=True, residual_with_cls_embed=False,
        rel_pos_embed=True, proj_after_attn=True).eval()
    encoder, clips = MultiscaleEncoder(network), torch.randn(2, 3, 8, 64, 64)
    assert encoder.native == (8, 64, 64)
    torch.testing.assert_close(network.head(encoder(clips)), network(clips))


@torch.no_grad()
def test_short_clips_are_stretched_evenly():
    encoder = shallow("c3d", wide=False)
    clip = torch.arange(3.0)[None, None, :, None, None].expand(1, 3, 3, 32, 32)
    assert encoder.fit(clip)[0, 0, :, 0, 0].tolist() == [0.0] * 6 + [1.0] * 5 + [2.0] * 5
    assert encoder.fit(clip.repeat(1, 1, 6, 1, 1)).shape[2] == 18
    image = torch.randn(1, 3, 1, 32, 32)
    assert torch.equal(encoder.eval()(image), encoder(image.repeat(1, 1, 16, 1, 1)))
    slow = shallow("slowfast").eval()
    assert slow.fit(torch.zeros(1, 3, 9, 32, 32)).shape[2] == 16


def test_clips_that_do_not_fit_are_refused():
    encoder = shallow("tsn")
    for clips, message in (
        (torch.zeros(1, 3, 32, 32), r"clips of pixels \[B, 3, T, H, W\], got \[1, 3, 32, 32\]"),
        (torch.zeros(1, 4, 2, 32, 32), r"\[B, 3, T, H, W\]"),
        (torch.zeros(1, 3, 0, 32, 32), "at least one frame"),
        (torch.zeros(1, 3, 2, 31, 40), "at least 32 x 32"),
        (torch.zeros(1, 3, 2, 32, 32, dtype=torch.uint8), r"encoder\.normalise"),
    ):
        with pytest.raises(ShapeError, match=message):
            encoder(clips)
    fixed = shallow("videomae")
    for clips in (torch.zeros(1, 3, 17, 224, 224), torch.zeros(1, 3, 16, 112, 112)):
        with pytest.raises(ShapeError, match="at most 16 frames of 224 x 224"):
            fixed(clips)


def test_pixels_are_normalised():
    encoder = shallow("tsn")
    pixels = torch.randint(0, 256, (2, 3, 4, 8, 8), dtype=torch.uint8)
    got = encoder.normalise(pixels)
    plain = torchvision.transforms.functional.normalize(
        pixels.transpose(1, 2) / 255, encoder.mean, encoder.std).transpose(1, 2)
    torch.testing.assert_close(got, plain)
    torch.testing.assert_close(encoder.normalise(pixels / 255), plain)
    with pytest.raises(ShapeError, match="uint8"):
        encoder.normalise(pixels.long())
    flow = shallow("flow")
    assert flow.normalise(torch.ones(1, 20, 1, 8, 8)).mean() == pytest.approx(1 / 0.452)
    with pytest.raises(ShapeError, match="20 channels"):
        flow.normalise(torch.zeros(1, 20, 1, 8, 8, dtype=torch.uint8))


def test_names_and_arguments_that_do_not_exist():
    with pytest.raises(ChoiceError, match="encoder to be one of tsn, tsm"):
        build_encoder("resnet")
    with pytest.raises(ChoiceError, match="s3d takes no backbone; it takes weights, download"):
        build_encoder("s3d", "random", backbone="resnet18")
    with pytest.raises(ChoiceError, match="configuration of Timesformer has no layers"):
        build_encoder("timesformer", "random", layers=2)

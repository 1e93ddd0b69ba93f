"""Where weights come from: files, torch's cache, and nothing that was not asked for."""

import hashlib
import pickle
import urllib.request

import pytest
import torch
import torchvision

from skelact.errors import WeightsError
from skelact.rgb.encoders import ENCODERS, build_encoder
from skelact.rgb.weights import read_official


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    """An empty cache, and nobody may ask the network."""
    def refuse(*arguments, **named):
        raise OSError("the network was asked")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr("torch.hub.urlopen", refuse)
    monkeypatch.delenv("SKELACT_OFFLINE", raising=False)


@pytest.mark.parametrize("name", sorted(set(ENCODERS) - {"timesformer", "vivit", "videomae"}))
def test_official_weights_are_never_replaced_by_random_ones(name):
    with pytest.raises(WeightsError, match="random"):
        build_encoder(name)


def test_missing_weights_say_which_file_goes_where(tmp_path, monkeypatch):
    place = tmp_path / "torch" / "hub" / "checkpoints" / "r2plus1d_18-91a641e6.pth"
    with pytest.raises(WeightsError) as caught:
        build_encoder("r2plus1d_18")
    for words in (str(place), "https://", "download=True", "weights=FILE", "weights='random'"):
        assert words in str(caught.value)
    with pytest.raises(WeightsError, match="the network was asked"):
        build_encoder("r2plus1d_18", download=True)
    monkeypatch.setenv("SKELACT_OFFLINE", "1")
    with pytest.raises(WeightsError, match="SKELACT_OFFLINE forbids"):
        build_encoder("r2plus1d_18", download=True)
    assert not place.exists()


def put_official(tmp_path, monkeypatch, name: str, damaged: bool = False) -> dict:
    """Put weights of our own into the cache, under the name of published ones."""
    torch.manual_seed(0)
    state = torchvision.models.get_model(name, weights=None).state_dict()
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    file = folder / "new.pth"
    torch.save(state, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    file.rename(folder / f"{name}-{'0' * 8 if damaged else digest}.pth")
    kind = type(torchvision.models.get_model_weights(name).DEFAULT)
    monkeypatch.setattr(kind, "url", property(
        lambda self: f"https://somewhere/{name}-{'0' * 8 if damaged else digest}.pth"))
    return state


def test_weights_in_the_cache_are_taken(tmp_path, monkeypatch):
    state = put_official(tmp_path, monkeypatch, "resnet18")
    encoder = build_encoder("tsn", backbone="resnet18")
    assert torch.equal(encoder.network.body.conv1.weight, state["conv1.weight"])
    inflated = build_encoder("i3d", backbone="resnet18")
    torch.testing.assert_close(inflated.network.conv1.weight.sum(dim=2), state["conv1.weight"])


def test_damaged_weights_in_the_cache_are_refused(tmp_path, monkeypatch):
    put_official(tmp_path, monkeypatch, "resnet18", damaged=True)
    with pytest.raises(WeightsError, match="begins with 00000000, got"):
        read_official("resnet18")


@pytest.mark.parametrize("name", ["tsm", "i3d", "c3d", "cnn_lstm"])
def test_an_encoder_is_saved_and_read_again(tmp_path, name):
    small = {"wide": False} if name == "c3d" else {"backbone": "resnet18"}
    torch.manual_seed(1)
    encoder = build_encoder(name, "random", **small)
    torch.save(encoder.state_dict(), tmp_path / "own.pt")
    again = build_encoder(name, tmp_path / "own.pt", **small)
    for key, value in encoder.state_dict().items():
        assert torch.equal(again.state_dict()[key], value)


def test_a_file_of_torchvisions_network_with_another_head(tmp_path):
    network = torchvision.models.resnet18(weights=None, num_classes=7)
    state = {f"module.{key}": value for key, value in network.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "mine.pt")
    encoder = build_encoder("tsn", str(tmp_path / "mine.pt"), backbone="resnet18")
    assert torch.equal(encoder.network.body.layer4[1].conv2.weight, network.layer4[1].conv2.weight)


def test_weights_that_are_not_finite(tmp_path):
    state = build_encoder("c3d", "random", wide=False).state_dict()
    state["network.3.bias"][7] = float("nan")
    torch.save(state, tmp_path / "nan.pt")
    with pytest.raises(WeightsError, match=r"nan\.pt does not fit: some weights are not"):
        build_encoder("c3d", tmp_path / "nan.pt", wide=False)


def test_files_that_do_not_fit(tmp_path):
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / "r18.pt")
    torch.save(build_encoder("tsn", "random", backbone="resnet18").state_dict(),
               tmp_path / "own.pt")
    torch.save([torch.zeros(2)], tmp_path / "list.pt")
    (tmp_path / "code.pt").write_bytes(pickle.dumps(print, protocol=2))
    for name, file, message in (
        ("tsn", "r18.pt", "r18.pt does not fit: expected the weights of ResNet, got others"),
        ("r2plus1d_18", "r18.pt", "missing, .* too many and .* of another shape"),
        ("c3d", "r18.pt", "expected the weights of Sequential"),
        ("slowfast", "own.pt", "own.pt does not fit: expected the weights of SlowFast"),
        ("s3d", "list.pt", "holds no state dict"),
        ("s3d", "code.pt", "could run code"),
        ("s3d", "absent.pt", "no model file at"),
    ):
        with torch.device("meta"), pytest.raises(WeightsError, match=message):
            build_encoder(name, tmp_path / file)

"""Video transformers: weights out of folders and caches, pooling, pre-training."""

import os
import shutil
import subprocess
import sys

import pytest
import torch
import transformers

from skelact.errors import SkelactError, WeightsError
from skelact.rgb.encoders import build_encoder
from skelact.rgb.video_transformers import MaskedPretraining, timesformer, videomae, vivit

TINY = {"image_size": 32, "num_frames": 4, "hidden_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 48}
KINDS = {"timesformer": transformers.TimesformerForVideoClassification,
         "vivit": transformers.VivitForVideoClassification,
         "videomae": transformers.VideoMAEForVideoClassification}


@pytest.mark.parametrize("name", KINDS)
@torch.no_grad()
def test_a_folder_gives_what_its_own_classifier_looks_at(name, tmp_path):
    torch.manual_seed(0)
    model = KINDS[name](KINDS[name].config_class(**TINY, num_labels=3)).eval()
    model.save_pretrained(tmp_path)
    encoder = build_encoder(name, tmp_path).eval()
    assert encoder.native == (4, 32, 32)
    clips = torch.randn(2, 3, 4, 32, 32)
    torch.testing.assert_close(model.classifier(encoder(clips)),
                               model(clips.transpose(1, 2)).logits)
    assert encoder(clips[:, :, :1]).shape == (2, 32)


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_read_strictly(name, tmp_path):
    torch.manual_seed(0)
    model = KINDS[name](KINDS[name].config_class(**TINY, num_labels=3))
    torch.save(model.state_dict(), tmp_path / "whole.pt")
    encoder = build_encoder(name, tmp_path / "whole.pt", **TINY)
    torch.save(encoder.state_dict(), tmp_path / "own.pt")
    again = build_encoder(name, tmp_path / "own.pt", **TINY)
    for key, value in encoder.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[key], value)
    with pytest.raises(WeightsError, match="missing"):
        build_encoder(name, tmp_path / "whole.pt", **TINY | {"num_hidden_layers": 3})


def test_a_folder_of_something_else_is_refused(tmp_path):
    torch.manual_seed(0)
    config = transformers.VideoMAEConfig(**TINY)
    transformers.VideoMAEForPreTraining(config).save_pretrained(tmp_path / "pre")
    encoder = videomae(tmp_path / "pre")  # weights of pre-training are fine
    assert encoder.dim == 32
    transformers.VivitForVideoClassification(transformers.VivitConfig(**TINY)).save_pretrained(
        tmp_path / "vivit")
    (tmp_path / "part").mkdir()
    shutil.copy(tmp_path / "pre" / "config.json", tmp_path / "part")
    for folder, message in (
        (tmp_path / "vivit", "expected a model 'videomae', got 'vivit'"),
        (tmp_path / "part", "no weights of VideoMAE at"),
        (tmp_path, "a folder with config.json"),
    ):
        with pytest.raises(WeightsError, match=message):
            videomae(folder)
    with pytest.raises(WeightsError, match="leave out hidden_size"):
        videomae(tmp_path / "pre", hidden_size=64)


def test_official_weights_cost_no_network(tmp_path):
    """Those in the cache are taken, of others it is said where they could come from."""
    torch.manual_seed(0)
    folder = tmp_path / "hub" / "models--MCG-NJU--videomae-base-finetuned-kinetics"
    KINDS["videomae"](transformers.VideoMAEConfig(**TINY)).save_pretrained(
        folder / "snapshots" / "abc")
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    code = """if True:  # a process of its own: where its cache is, transformers decides on import
        import socket
        def refuse(*a, **k): raise SystemExit("the network was asked")
        socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
        from skelact.errors import WeightsError
        from skelact.rgb.encoders import build_encoder
        print(build_encoder("videomae").dim)
        try:
            build_encoder("vivit")
        except WeightsError as error:
            print(error)
        """
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True,
                          text=True, check=False, env=os.environ | {"HF_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr[-1500:]
    assert done.stdout.startswith("32\n")
    for words in ("google/vivit", "download=True", "weights=FOLDER", "weights='random'"):
        assert words in done.stdout


def test_pretraining_trains_the_encoder_that_it_was_made_of():
    torch.manual_seed(0)
    encoder = videomae("random", **TINY, decoder_hidden_size=16, decoder_num_hidden_layers=1,
                       decoder_num_attention_heads=2, decoder_intermediate_size=24)
    pretraining = MaskedPretraining(encoder, share=0.75)
    clips = torch.rand(2, 3, 4, 32, 32).repeat(1, 1, 1, 1, 1)
    optimizer = torch.optim.AdamW(pretraining.parameters(), 3e-3)
    before = encoder(clips).detach()
    losses = []
    for step in range(40):
        loss = pretraining(clips, torch.Generator().manual_seed(step % 4))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert not torch.allclose(encoder(clips), before, atol=1e-3)
    assert pretraining(clips[:, :, :1]).isfinite()


def test_hidden_patches_are_not_seen(monkeypatch):
    torch.manual_seed(0)
    encoder = videomae("random", **TINY)
    pretraining = MaskedPretraining(encoder, share=0.5).eval()
    seen = []
    hook = encoder.network.encoder.register_forward_pre_hook(
        lambda module, arguments: seen.append(arguments[0].shape))
    pretraining(torch.rand(3, 3, 4, 32, 32))
    hook.remove()
    assert seen == [(3, 2 * 2, 32)]  # 2 of 4 places in each of 2 frames of tubelets


def test_only_videomae_is_pretrained_so():
    for encoder in (timesformer("random", **TINY), vivit("random", **TINY),
                    build_encoder("tsn", "random", backbone="resnet18")):
        with pytest.raises(SkelactError, match="expected a VideoMAE"):
            MaskedPretraining(encoder)

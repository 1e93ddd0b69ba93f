"""`skelact models`: the command around `skelact.models.export`."""

import pytest
import torch

from skelact.cli.main import main
from skelact.config import ClipConfig
from skelact.models.checkpoint import ActionModel, build_network, save_model


@pytest.fixture
def checkpoint(tmp_path):
    architecture = {"name": "stgcnpp", "arguments": {
        "num_classes": 3, "base_channels": 6, "rows": [[1, 1]]}}
    network = build_network(architecture, "penn13").eval()
    return save_model(ActionModel(network, ("wave", "jump"), ClipConfig(frames=8), architecture,
                                  rejects=True), tmp_path / "model.pt")


def test_export_says_what_goes_in_and_out(checkpoint, tmp_path, capsys):
    path = tmp_path / "model.pt2"
    assert main(["models", "export", str(checkpoint), "-o", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("clips [B, M, 13, 3, T] -> scores [B, 3], probabilities [B, 2]; "
                                   "differs from torch by at most ")
    assert captured.out.endswith(f"-> {path}\n")
    assert captured.err == ""
    scores, probabilities = torch.export.load(path).module()(torch.zeros(1, 2, 13, 3, 6))
    assert scores.shape == (1, 3)
    assert probabilities.shape == (1, 2)


def test_an_existing_file_is_kept_before_the_model_is_read(tmp_path, capsys):
    (tmp_path / "model.onnx").write_text("mine")
    words = ["models", "export", str(tmp_path / "none.pt"), "-o", str(tmp_path / "model.onnx")]
    assert main(words) == 2
    assert "pass --overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 2
    assert "no model at" in capsys.readouterr().err
    assert (tmp_path / "model.onnx").read_text() == "mine"


def test_help_and_unknown_actions(capsys):
    assert main(["models"]) == 0
    assert "export" in capsys.readouterr().out
    assert main(["models", "paint"]) == 2
    assert "got 'paint'" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["models", "export"])
    assert "skelact models export --help" in capsys.readouterr().err

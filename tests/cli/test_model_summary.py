"""``skelact models list`` and ``show``: what they say is true of the networks."""

import pytest

from skelact.cli.main import main
from skelact.models.checkpoint import NETWORKS, load_model


def run(capsys, *words: str) -> tuple[int, str, str]:
    code = main(["models", *words])
    return code, *capsys.readouterr()


def test_every_network_is_listed_with_its_published_size(capsys):
    code, out, _ = run(capsys, "list")
    lines = {line.split()[0]: line for line in out.splitlines()[3:] if line}
    assert code == 0
    assert set(NETWORKS) <= set(lines)
    for name, size in (("stgcn", "3.10 M"), ("stgcnpp", "1.40 M"), ("ctrgcn", "1.45 M"),
                       ("msg3d", "3.19 M")):
        assert size in lines[name]
    assert lines["stgcn"].split()[5] == "153"  # 8 frames a layer: 1 + 8 (4 + 1 + 3 x 2 + 2 x 4)
    assert lines["transformer"].split()[5] == "all"


def test_a_network_is_shown_layer_by_layer(capsys):
    code, out, _ = run(capsys, "show", "stgcnpp", "--layout", "coco17", "--frames", "20",
                       "--people", "1", "--classes", "10")
    assert code == 0
    assert "coco17, 10 classes; multiply-adds of one clip of 1 x 20 frames" in out
    rows = {line.split()[0]: line for line in out.splitlines() if line.startswith("layers.")}
    assert len(rows) == 10
    assert "1 x 17 x 64 x 20" in rows["layers.0"]
    assert "1 x 17 x 256 x 5" in rows["layers.9"]


def test_a_trained_model_is_shown_with_its_classes(capsys):
    code, out, _ = run(capsys, "show")
    model = load_model()
    assert code == 0
    assert "multiply-adds of one clip of 1 x 64 frames" in out
    assert f"15 classes: {', '.join(model.classes)}" in out
    assert "rejects what is none of its classes" in out
    parameters = sum(parameter.numel() for parameter in model.network.parameters())
    assert f"{parameters:,}" in out


@pytest.mark.parametrize(("words", "message"), [
    (["show", "stgcm"], "expected a checkpoint or one of stgcn, "),
    (["show", "stgcn", "--layout", "ntu99"], "ntu99"),
    (["show", "stgcn", "--frames", "0"], "at least one frame"),
    (["list", "--people", "-1"], "at least one frame and one person"),
    (["show", "stgcn", "--classes", "0"], "at least one class"),
    (["list", "--classes", "0"], "at least one class"),
    (["show", "--layout", "ntu25"], "a checkpoint has its own"),
])
def test_wrong_words_are_answered_in_one_line(capsys, words, message):
    code, _, err = run(capsys, *words)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1

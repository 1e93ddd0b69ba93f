"""Weights that others published: equal numbers, and nothing executed."""

import json
import os

import numpy as np
import pytest
import torch

from skelact.errors import LayoutError, WeightsError
from skelact.graph import Graph
from skelact.models.published import load_published, read_state


@pytest.fixture(scope="module")
def reference(shared):
    return shared / "reference" / "stgcn_ntu25_spatial"


@pytest.fixture(scope="module")
def fixture(reference):
    """Clips ``[B, M, N, C, T]`` and the logits that the original gives for them."""
    with np.load(reference / "io.npz") as file:
        clips = torch.from_numpy(file["x"]).permute(0, 4, 3, 1, 2)
        return clips, torch.from_numpy(file["logits"])


@pytest.fixture
def altered(reference, tmp_path):
    """Write the published state dict with changes; gives the path."""

    def write(**changes):
        state = torch.load(reference / "checkpoint.pt", weights_only=True)
        for key, value in changes.items():
            state.pop(key, None)
            if value is not None:
                state[key] = value
        torch.save(state, tmp_path / "altered.pt")
        return tmp_path / "altered.pt"

    return write


@pytest.mark.shared
@pytest.mark.parametrize(("dtype", "relative"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
def test_logits_equal_those_of_the_original(reference, fixture, dtype, relative):
    clips, logits = fixture
    network = load_published(reference / "checkpoint.pt").to(dtype)
    assert not network.training
    with torch.inference_mode():
        ours = network(clips.to(dtype)).double()
    assert ours.shape == logits.shape == (2, json.loads(
        (reference / "config.json").read_text())["num_classes"])
    assert (ours - logits).abs().max() <= relative * logits.abs().max()


@pytest.mark.shared
def test_persons_who_are_absent_are_treated_as_published_unless_told_otherwise(reference, fixture):
    alone = fixture[0][:, :1]
    pair = torch.cat([alone, torch.zeros_like(alone)], dim=1)
    published = load_published(reference / "checkpoint.pt")
    skipping = load_published(reference / "checkpoint.pt", absent="skip")
    with torch.inference_mode():
        torch.testing.assert_close(skipping(pair), published(alone))
        assert (published(pair) - published(alone)).abs().max() > 1e-4


@pytest.mark.shared
def test_the_graph_of_the_weights_is_ours(reference):
    network = load_published(reference / "checkpoint.pt")
    ours = Graph("ntu25", "spatial_released").adjacency
    for layer in network.layers:
        np.testing.assert_allclose(layer.graph_conv.adjacency.numpy(), ours, atol=1e-7)


@pytest.mark.shared
def test_weights_inside_a_state_dict_entry_are_found(reference, fixture, tmp_path):
    state = torch.load(reference / "checkpoint.pt", weights_only=True)
    torch.save({"state_dict": state}, tmp_path / "wrapped.pt")
    clips, logits = fixture
    with torch.inference_mode():
        ours = load_published(tmp_path / "wrapped.pt")(clips).double()
    assert (ours - logits).abs().max() <= 1e-5 * logits.abs().max()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"A": None}, r"like st-gcn's ST-GCN, but it lacks A; its first keys are data_bn"),
        ({"st_gcn_networks.0.tcn.2.weight": None}, "lacks st_gcn_networks.0.tcn.2.weight"),
        ({"st_gcn_networks.3.tcn.2.weight": None}, "does not fit.*layers.3.temporal.2.weight"),
        ({"A": torch.ones(3)}, r"A has the axes \[3\], expected 3 of them"),
        ({"surprise": torch.ones(1)}, "unknown key 'surprise'"),
        ({"fcn.bias": torch.ones(11)}, "does not fit a network on 'ntu25'.*head.bias"),
    ],
)
def test_foreign_weights_are_refused_in_one_line(altered, changes, message):
    with pytest.raises(WeightsError, match=message) as caught:
        load_published(altered(**changes))
    assert "\n" not in str(caught.value)


@pytest.mark.shared
def test_another_layout_is_refused(reference):
    with pytest.raises(WeightsError, match=r"for a skeleton of 25 joints.*'coco17' has 17"):
        load_published(reference / "checkpoint.pt", layout="coco17")
    with pytest.raises(LayoutError, match="ntu99"):
        load_published(reference / "checkpoint.pt", layout="ntu99")


@pytest.mark.shared
@pytest.mark.parametrize("kept", [0, 10, 1000, 0.5, 0.99])
def test_truncated_files_are_refused(reference, tmp_path, kept):
    content = (reference / "checkpoint.pt").read_bytes()
    size = int(kept * len(content)) if isinstance(kept, float) else kept
    (tmp_path / "cut.pt").write_bytes(content[:size])
    with pytest.raises(WeightsError, match="damaged") as caught:
        load_published(tmp_path / "cut.pt")
    assert "\n" not in str(caught.value)


class Trap:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("sprung",)


@pytest.mark.parametrize("content", [Trap(), {"state_dict": {"a": Trap()}}])
def test_code_in_a_file_is_not_run(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    torch.save(content, "trap.pt")
    with pytest.raises(WeightsError, match="could run code, so it is refused") as caught:
        read_state("trap.pt")
    assert not (tmp_path / "sprung").exists()
    assert "weights_only" not in str(caught.value)  # torch tells how to run it after all
    torch.load("trap.pt", weights_only=False)
    assert (tmp_path / "sprung").exists()  # the trap works where it is not refused


@pytest.mark.parametrize("content", [[1, 2], torch.ones(3), {"a": 3}, {"state_dict": [1]}])
def test_what_is_no_state_dict_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="holds no state dict"):
        read_state(tmp_path / "other.pt")


@pytest.mark.parametrize("wrap", [dict, lambda state: {"state_dict": state, "meta": {"epoch": 3}},
                                  lambda state: {"model_state_dict": state, "epoch": 3},
                                  lambda state: {"model": state, "optimizer": {}}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_what_training_scripts_put_around_a_state_dict_is_taken_off(tmp_path, wrap, prefix):
    state = {"fc.weight": torch.ones(3), "fc.bias": torch.zeros(3)}
    torch.save(wrap({prefix + key: value for key, value in state.items()}), tmp_path / "wrapped.pt")
    assert list(read_state(tmp_path / "wrapped.pt")) == list(state)


def test_a_refusal_says_what_the_file_holds(tmp_path):
    torch.save({"ema": {"a": torch.ones(1)}, "epoch": 3}, tmp_path / "table.pt")
    with pytest.raises(WeightsError, match="but a table with ema, epoch"):
        read_state(tmp_path / "table.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(WeightsError, match="but a list"):
        read_state(tmp_path / "list.pt")


def test_missing_files_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="nothing is there"):
        load_published(tmp_path / "none.pt")
    with pytest.raises(WeightsError, match="a folder is there"):
        load_published(tmp_path)

"""Weights that pyskl published: equal numbers; what is not known is refused."""

import json

import numpy as np
import pytest
import torch

from skelact.errors import WeightsError
from skelact.models.published import load_published

STGCNPP, STGCN, HAND = "pyskl_stgcnpp_coco17", "pyskl_stgcn_ntu25", "pyskl_hand_gestures"
LAYOUTS = {STGCNPP: "coco17", STGCN: "ntu25", HAND: "hand21"}
B = "backbone.gcn."


@pytest.fixture(scope="module")
def reference(shared):
    """Path of the weights, clips ``[B, M, N, C, T]`` and the logits of the original for them."""

    def read(name, io="io"):
        folder = shared / "reference" / name
        config = json.loads((folder / "config.json").read_text())
        with np.load(folder / f"{io}.npz") as file:
            clips = torch.from_numpy(file["x"]).permute(0, 1, 3, 4, 2)
            logits = torch.from_numpy(file["logits"])
        return folder / config.get("checkpoint", "checkpoint.pth"), clips, logits

    return read


@pytest.fixture
def altered(reference, tmp_path):
    """Write the published ST-GCN++ with changes; gives the path."""

    def write(changes: dict):
        state = torch.load(reference(STGCNPP)[0], weights_only=True)["state_dict"]
        for key, value in changes.items():
            state.pop(key, None)
            if value is not None:
                state[key] = value
        torch.save({"state_dict": state}, tmp_path / "altered.pth")
        return tmp_path / "altered.pth"

    return write


@pytest.mark.shared
@pytest.mark.parametrize(("dtype", "relative"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
@pytest.mark.parametrize(("name", "io"), [(STGCNPP, "io"), (STGCNPP, "io_absent"), (STGCN, "io"),
                                          (STGCN, "io_absent"), (HAND, "io")])
def test_logits_equal_those_of_the_original(reference, name, io, dtype, relative):
    path, clips, logits = reference(name, io)
    network = load_published(path, layout=LAYOUTS[name]).to(dtype)
    with torch.inference_mode():
        ours = network(clips.to(dtype)).double()
    assert ours.shape == logits.shape
    assert (ours - logits).abs().max() <= relative * logits.abs().max()


@pytest.mark.shared
@pytest.mark.parametrize("name", [STGCNPP, STGCN])
def test_the_absent_can_be_skipped(reference, name):
    path, clips, logits = reference(name, "io_absent")
    network = load_published(path, LAYOUTS[name], absent="skip")
    with torch.inference_mode():
        ours = network(clips)
        alone = network(clips[1:, :1])
    torch.testing.assert_close(ours[0].double(), logits[0], rtol=1e-5, atol=1e-5)
    assert not clips[1, 1].any()
    torch.testing.assert_close(ours[1], alone[0])
    assert (ours[1] - logits[1]).abs().max() > 0.01


@pytest.mark.shared
def test_depth_and_widths_come_from_the_weights(reference):
    network = load_published(reference(HAND)[0], layout="hand21")
    assert [layer.graph_conv.weight.shape[1] for layer in network.layers] == [64] * 5 + [128]
    assert [layer.temporal.pointwise.stride for layer in network.layers] == [1] * 5 + [2]
    assert (network.in_channels, network.head.out_features) == (2, 40)
    assert any("every second frame" in sentence for sentence in network.assumptions)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({B + "0.gcn.A": None}, r"looks like pyskl's ST-GCN\+\+, but it lacks backbone"),
        ({"cls_head.fc_cls.weight": None}, r"lacks cls_head\.fc_cls\.weight; its first keys are"),
        ({B + "0.gcn.A": torch.ones(3)}, r"gcn\.A has the axes \[3\], expected 3 of them"),
        ({"surprise": torch.ones(1)}, "unknown key 'surprise'"),
        ({B + "3.gcn.PA": torch.ones(3, 17, 17)}, "unknown key 'backbone.gcn.3.gcn.PA'"),
        ({B + "3.gcn.bn.weight": None}, "does not fit.*coco17"),
        ({B + "4.gcn.bn.weight": torch.ones(36)}, "block 4 has 36 channels, expected a multiple"),
        ({B + "2.tcn.branches.1.0.weight": torch.ones(5, 24, 1, 1)}, "does not fit"),
        ({B + "2.tcn.branches.1.3.conv.weight": torch.ones(4, 4, 5, 1)}, "does not fit"),
        ({B + "0.gcn.conv.weight": torch.ones(72, 24, 1, 1)}, "first block keeps 24 channels"),
        ({B + "0.gcn.conv.weight": torch.ones(24, 9, 1, 1)}, "does not fit|multiple"),
        ({"backbone.data_bn.weight": torch.ones(102)}, "does not fit"),  # two persons normed apart
        ({B + "0.gcn.A": torch.ones(0, 17, 17)}, r"\[0, 17, 17\], expected 3 of them, none empty"),
    ],
)
def test_other_variants_are_refused_in_one_line(altered, changes, message):
    with pytest.raises(WeightsError, match=message) as caught:
        load_published(altered(changes), layout="coco17")
    assert "\n" not in str(caught.value)


@pytest.mark.shared
def test_an_input_norm_for_each_person_is_understood(reference, tmp_path):
    """Two persons who are normed alike, each by a norm of their own, score as by one norm."""
    path, clips, logits = reference(STGCN)
    state = torch.load(path, weights_only=True)
    state = state.get("state_dict", state)
    for name in ("weight", "bias", "running_mean", "running_var"):
        state[f"backbone.data_bn.{name}"] = state[f"backbone.data_bn.{name}"].repeat(2)
    torch.save(state, tmp_path / "apart.pth")
    network = load_published(tmp_path / "apart.pth", "ntu25")
    with torch.inference_mode():
        torch.testing.assert_close(network(clips).double(), logits, rtol=1e-5, atol=1e-5)


@pytest.mark.shared
def test_another_layout_is_refused(reference):
    with pytest.raises(WeightsError, match=r"for a skeleton of 17 joints.*'ntu25' has 25"):
        load_published(reference(STGCNPP)[0], layout="ntu25")


@pytest.mark.shared
def test_copies_of_a_moving_average_are_left_out(reference, altered):
    path, clips, _ = reference(STGCNPP)
    path_averaged = altered({"ema_cls_head_fc_cls_bias": torch.ones(4)})
    averaged = load_published(path_averaged, LAYOUTS[STGCNPP])
    with torch.inference_mode():
        assert averaged(clips).equal(load_published(path, LAYOUTS[STGCNPP])(clips))


def test_a_checkpoint_of_ours_is_called_so(tmp_path):
    torch.save({"architecture": {"name": "stgcn"}, "weights": {}}, tmp_path / "model.pt")
    with pytest.raises(WeightsError, match=r"model\.pt is a checkpoint of skelact; load_model"):
        load_published(tmp_path / "model.pt")

"""MS-G3D of pyskl and of its authors: equal numbers; what is not known is refused."""

import numpy as np
import pytest
import torch
from plain_ms_g3d import PlainMSG3D, name_as_pyskl
from torch import Tensor
from weights import shake

from skelact.errors import WeightsError
from skelact.graph import get_layout
from skelact.graph.partition import hop_distance
from skelact.models.published import load_published, read_published

W, S = "backbone.gcn3d1.gcn3d.0.", "backbone.sgcn1."


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "reference" / "pyskl_msg3d_ntu25"


@pytest.fixture(scope="module")
def reference(folder):
    """Clips ``[B, M, T, N, C]`` and the logits of the original for them."""
    with np.load(folder / "io.npz") as file:
        return torch.from_numpy(file["x"]), torch.from_numpy(file["logits"])


@pytest.fixture(scope="module")
def state(folder) -> dict[str, Tensor]:
    return torch.load(folder / "checkpoint.pth", weights_only=True)["state_dict"]


def make_plain(layout="coco17", width=8, **arguments) -> PlainMSG3D:
    """A plain network with weights of its own."""
    torch.manual_seed(0)
    bones = (hop_distance(get_layout(layout)) == 1).astype(float)
    plain = PlainMSG3D(bones, 5, width, **{"scales": (4, 3)} | arguments)
    shake(plain)
    return plain.eval()


def save(plain: PlainMSG3D, path, **changes) -> str:
    state = plain.state_dict() if plain.sgcn1[0].released else name_as_pyskl(plain.state_dict())
    state |= {key: value for key, value in changes.items() if value is not None}
    torch.save({key: value for key, value in state.items() if changes.get(key, value) is not None},
               path)
    return path


@pytest.mark.shared
@pytest.mark.parametrize(("dtype", "relative"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
def test_logits_equal_those_of_the_original(folder, reference, dtype, relative):
    clips, logits = reference
    network = load_published(folder / "checkpoint.pth", layout="ntu25").to(dtype)
    with torch.inference_mode():
        ours = network(clips.permute(0, 1, 3, 4, 2).to(dtype)).double()
    assert ours.shape == logits.shape
    assert (ours - logits).abs().max() <= relative * logits.abs().max()


@pytest.mark.shared
def test_the_plain_network_is_the_original(state, reference):
    plain = PlainMSG3D(state["backbone.A"].numpy(), 10, 24)
    ours = dict(zip(name_as_pyskl(plain.state_dict()), plain.state_dict(), strict=True))
    plain.load_state_dict({ours[key]: value for key, value in state.items() if key in ours})
    assert set(state) - set(ours) == {"backbone.A"}
    clips, logits = reference
    with torch.inference_mode():
        scores = plain.double().eval()(clips.double())
    assert (scores - logits).abs().max() <= 1e-12 * logits.abs().max()


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize(("layout", "arguments", "frames"), [
    ("coco17", {}, 9),
    ("penn13", {"persons": 1, "windows": (5,)}, 5),
    ("penn13", {"width": 13, "persons": 3, "windows": (3, 5, 7), "scales": (3, 4)}, 6),
])
def test_weights_of_both_forms_give_their_numbers(tmp_path, released, layout, arguments, frames):
    plain = make_plain(layout, released=released, **arguments)
    network = load_published(save(plain, tmp_path / "ms_g3d.pt"), layout).double()
    persons = arguments.get("persons", 2)
    clips = torch.randn(2, persons, frames, get_layout(layout).num_joints, 3).double()
    clips[1, 1:] = 0
    with torch.inference_mode():
        expected = plain.double()(clips)
        torch.testing.assert_close(network(clips.permute(0, 1, 3, 4, 2)), expected, rtol=1e-6,
                                   atol=1e-6)  # our adjacency was in float32
    assert network.input_norm.slots == (persons if persons > 1 else 0)


@pytest.mark.shared
def test_sizes_come_from_the_weights_and_the_rest_is_said(folder):
    reading = read_published(folder / "checkpoint.pth")
    assert reading.network == "msg3d"
    assert reading.arguments == {
        "num_classes": 10, "in_channels": 3, "base_channels": 24, "graph_scales": 13,
        "window_scales": 6, "windows": [3, 5], "kernel_size": 3, "dilations": [1, 2, 3, 4],
        "normalise": "columns", "rows": [(1, 1), (2, 2), (4, 2)], "norm_slots": 2,
    }
    assert not reading.from_layout
    for word in ("every second frame", "dilations are 1, 2, 3, 4", "follow one another"):
        assert any(word in sentence for sentence in reading.assumptions)


def test_the_authors_graphs_follow_from_the_layout(tmp_path):
    reading = read_published(save(make_plain(released=True), tmp_path / "released.pt"))
    assert reading.arguments["normalise"] == "symmetric"
    assert "bones of the layout" in reading.assumptions[-1]
    assert len(reading.from_layout) == 9


def test_what_is_assumed_can_be_overridden(tmp_path):
    path = save(make_plain(), tmp_path / "ms_g3d.pth")
    network = load_published(path, "coco17", rows=[[1, 1], [2, 1], [4, 1]], dilations=[2, 2, 2, 2])
    assert network.features(torch.randn(1, 2, 17, 3, 8)).shape == (1, 2, 17, 32, 8)
    assert network.layers[0].temporal[0].dilated[3].dilation == (2, 1)


@pytest.mark.parametrize(("changes", "message"), [
    ({S + "0.PA": None}, r"looks like pyskl's MS-G3D, but it lacks sgcn1\.0\.PA"),
    ({"cls_head.fc_cls.weight": None}, r"lacks fc\.weight"),
    ({"backbone.surprise": torch.ones(1)}, "unknown key 'surprise'"),
    ({S + "0.PA": torch.ones(17, 17)}, r"sgcn1\.0\.PA has the axes \[17, 17\], expected 3"),
    ({S + "0.A": None}, "does not fit.*coco17"),
    ({S + "0.mlp.layers.0.weight": torch.ones(8, 13, 1, 1)}, "a multiple of its 4 scales"),
    ({W + "out_conv.weight": torch.ones(8, 8, 1, 4, 1)}, r"\[4, 5, 3\] frames, expected odd"),
    ({W + "out_conv.weight": torch.ones(8, 8, 3)}, "expected 5 of them"),
    ({"backbone.gcn3d2.gcn3d.0.out_bn.weight": torch.ones(12)}, "12 channels, expected a multiple"),
    ({S + "1.branches.2.0.weight": torch.ones(3, 8, 1, 1)}, "does not fit"),
    ({S + "1.branches.5.0.weight": None}, "does not fit|unknown key"),
    ({"backbone.data_bn.weight": torch.ones(52)}, "input norm has 52 values"),
])
def test_other_variants_are_refused_in_one_line(tmp_path, changes, message):
    path = save(make_plain(), tmp_path / "altered.pth", **changes)
    with pytest.raises(WeightsError, match=message) as caught:
        load_published(path, layout="coco17")
    assert "\n" not in str(caught.value)


def test_a_released_graph_that_is_none_is_refused(tmp_path):
    path = save(make_plain(released=True), tmp_path / "altered.pt",
                **{"sgcn1.0.A_res": torch.ones(18, 17)})
    with pytest.raises(WeightsError, match=r"axes \[18, 17\], expected \[a multiple of N, N\]"):
        load_published(path, layout="coco17")


@pytest.mark.shared
def test_another_layout_is_refused(folder):
    with pytest.raises(WeightsError, match=r"skeleton of 25 joints \(body25, ntu25\), 'coco17'"):
        load_published(folder / "checkpoint.pth", layout="coco17")

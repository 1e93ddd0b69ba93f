"""CTR-GCN of pyskl and of its authors: equal numbers; what is not known is refused."""

import re

import numpy as np
import pytest
import torch
from plain_ctr_gcn import PlainCTRGCN
from torch import Tensor
from weights import shake

from skelact.errors import WeightsError
from skelact.graph import Graph, get_layout
from skelact.models import ctrgcn
from skelact.models.published import load_published, read_published

B = "backbone.net."
ROWS = ((1, 1), (2, 2), (2, 1))


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "reference" / "pyskl_ctrgcn_ntu25"


@pytest.fixture(scope="module")
def reference(folder):
    """Clips ``[B, M, N, C, T]`` and the logits of the original for them."""

    def read(io="io"):
        with np.load(folder / f"{io}.npz") as file:
            clips = torch.from_numpy(file["x"]).permute(0, 1, 3, 4, 2)
            return clips, torch.from_numpy(file["logits"])

    return read


@pytest.fixture(scope="module")
def state(folder) -> dict[str, Tensor]:
    return torch.load(folder / "checkpoint.pth", weights_only=True)["state_dict"]


def as_authors(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """pyskl's weights for the authors' network, whose topologies are [target, source]."""
    turned = {}
    for key, value in state.items():
        if key == "backbone.A":
            continue
        key = key.removeprefix("backbone.").replace("cls_head.fc_cls", "fc")
        key = re.sub(r"^net\.(\d+)", lambda layer: f"l{int(layer[1]) + 1}", key)
        if key.endswith("gcn1.A"):
            key, value = key.removesuffix("A") + "PA", value.mT
        elif ".conv1." in key:
            key = key.replace(".conv1.", ".conv2.")
        elif ".conv2." in key:
            key = key.replace(".conv2.", ".conv1.")
        elif key.endswith("conv4.weight"):
            value = -value
        turned[key] = value
    return turned


def make_plain(layout="coco17", width=8, authors=True, **arguments) -> PlainCTRGCN:
    """A plain network, by default in the authors' form, with weights of its own."""
    torch.manual_seed(0)
    adjacency = torch.tensor(Graph(layout, "inward_outward").adjacency, dtype=torch.float32)
    plain = PlainCTRGCN(adjacency.mT if authors else adjacency, width, 5, authors=authors,
                        **{"rows": ROWS} | arguments)
    shake(plain)
    return plain.eval()


@pytest.mark.shared
@pytest.mark.parametrize(("dtype", "relative"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
@pytest.mark.parametrize("io", ["io", "io_absent"])
def test_logits_equal_those_of_the_original(folder, reference, io, dtype, relative):
    clips, logits = reference(io)
    network = load_published(folder / "checkpoint.pth", layout="ntu25").to(dtype)
    with torch.inference_mode():
        ours = network(clips.to(dtype)).double()
    assert ours.shape == logits.shape
    assert (ours - logits).abs().max() <= relative * logits.abs().max()


@pytest.mark.shared
@pytest.mark.parametrize("authors", [False, True])
def test_the_plain_networks_are_the_original(state, reference, authors):
    """Both forms are the same network but for the inner relu."""
    plain = PlainCTRGCN(state["backbone.A"], 32, 10, authors=authors, inner_relu=True)
    plain.load_state_dict(as_authors(state) if authors else state)
    clips, logits = reference("io_absent")
    with torch.inference_mode():
        scores = plain.double().eval()(clips.double())
    assert (scores - logits).abs().max() <= 1e-12 * logits.abs().max()


@pytest.mark.parametrize("authors", [True, False])
@pytest.mark.parametrize(("layout", "arguments", "frames"), [
    ("coco17", {}, 9),
    ("kinect20", {"persons": 1, "channels": 2, "rows": ((1, 1), (2, 2), (2, 2))}, 5),
    ("hand21", {"width": 22, "persons": 3}, 6),
])
def test_weights_of_any_shape_give_their_numbers(tmp_path, layout, arguments, frames, authors):
    plain = make_plain(layout, authors=authors, **arguments).double()
    torch.save(plain.state_dict(), tmp_path / "weights.pt")
    network = load_published(tmp_path / "weights.pt", layout).double()
    persons, channels = arguments.get("persons", 2), arguments.get("channels", 3)
    clips = torch.randn(2, persons, get_layout(layout).num_joints, channels, frames)
    clips[1, 1:] = 0
    with torch.inference_mode():
        torch.testing.assert_close(network(clips.double()), plain(clips.double()))
    assert network.input_norm.slots == (persons if persons > 1 else 0)


@pytest.mark.shared
def test_sizes_come_from_the_weights_and_the_rest_is_said(folder):
    reading = read_published(folder / "checkpoint.pth")
    assert reading.network == "ctrgcn"
    arguments = dict(reading.arguments)
    rows = [list(row) for row in arguments.pop("rows")]
    assert rows == [[1, 1]] * 4 + [[2, 2], [2, 1], [2, 1], [4, 2], [4, 1], [4, 1]]
    assert arguments == {
        "num_classes": 10, "in_channels": 3, "base_channels": 32, "kernel_size": 5,
        "dilations": [1, 2], "compared_channels": None, "temporal_relu": True, "norm_slots": 2,
    }
    said = " / ".join(reading.assumptions)
    for fact in ("every second frame", "dilations are 1, 2", "a relu lies between"):
        assert fact in said


def test_the_authors_form_is_said_too_and_can_be_overridden(tmp_path):
    plain = make_plain(inner_relu=True)
    torch.save(plain.state_dict(), tmp_path / "authors.pt")
    assert "no relu lies between" in " / ".join(read_published(tmp_path / "authors.pt").assumptions)
    clips = torch.randn(2, 2, 17, 3, 7)
    with torch.inference_mode():
        ours = load_published(tmp_path / "authors.pt", "coco17", temporal_relu=True)(clips)
        torch.testing.assert_close(ours, plain(clips), rtol=1e-4, atol=1e-4)
        other = load_published(tmp_path / "authors.pt", "coco17")(clips)
    assert (other - ours).abs().max() > 1e-3


@pytest.mark.shared
def test_a_fresh_network_starts_from_the_published_graph(state):
    ntu = get_layout("ntu25")
    as_pyskl = ntu.with_parents([*ntu.parents[:21], 7, 7, 11, 11])  # hand tips and thumbs
    for layer in ctrgcn(as_pyskl, 2, base_channels=4).layers:
        torch.testing.assert_close(layer.graph_conv.adjacency.detach(), state["backbone.A"])


def test_other_numbers_of_compared_channels(tmp_path):
    plain = make_plain()
    for block in plain.blocks:  # every partition's 1x1 convolutions, with channels left out
        for conv in block.gcn1.convs:
            conv.conv1, conv.conv2 = (thin(conv.conv1), thin(conv.conv2))
            conv.conv4.weight = torch.nn.Parameter(conv.conv4.weight[:, :3])
    torch.save(plain.state_dict(), tmp_path / "authors.pt")
    network = load_published(tmp_path / "authors.pt", "coco17")
    assert network.architecture["arguments"]["compared_channels"] == [3, 3, 3]
    clips = torch.randn(1, 2, 17, 3, 7)
    with torch.inference_mode():
        torch.testing.assert_close(network(clips), plain(clips), rtol=1e-4, atol=1e-4)


def thin(conv: torch.nn.Conv2d) -> torch.nn.Conv2d:
    """The first 3 channels of a convolution."""
    thinned = torch.nn.Conv2d(conv.in_channels, 3, 1)
    thinned.load_state_dict({name: value[:3] for name, value in conv.state_dict().items()})
    return thinned


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"l1.gcn1.PA": None}, r"looks like the CTR-GCN of its authors, but it lacks l1\.gcn1\.PA"),
        ({"l2.gcn1.PA": torch.ones(3)}, r"l2\.gcn1\.PA has the axes \[3\], expected 3"),
        ({"l3.gcn1.convs.0.conv1.weight": None}, r"lacks l3\.gcn1\.convs\.0\.conv1\.weight"),
        ({"l3.gcn1.convs.1.conv1.weight": None}, "does not fit|do not go together"),
        ({"l3.gcn1.convs.1.conv3.weight": torch.ones(16, 9, 1, 1)},
         r"graph_conv.weight\) have the"),
        ({"l2.gcn1.bn.weight": torch.ones(12)}, "block 1 has 12 channels, expected a multiple"),
        ({"l2.tcn1.branches.1.3.conv.weight": torch.ones(4, 4, 3, 1)}, "does not fit"),
        ({"l2.tcn1.branches.4.0.weight": torch.ones(4, 4, 1, 1)}, "unknown key"),
        ({"surprise": torch.ones(1)}, "unknown key 'surprise'"),
        ({"fc.weight": None}, r"lacks fc\.weight"),
        ({"data_bn.weight": torch.ones(50)}, "input norm has 50 values"),
    ],
)
def test_other_variants_are_refused_in_one_line(tmp_path, changes, message):
    state = make_plain().state_dict()
    for key, value in changes.items():
        state.pop(key, None)
        if value is not None:
            state[key] = value
    torch.save(state, tmp_path / "altered.pt")
    with pytest.raises(WeightsError, match=message) as caught:
        load_published(tmp_path / "altered.pt", layout="coco17")
    assert "\n" not in str(caught.value)


@pytest.mark.shared
def test_another_layout_is_refused(folder):
    with pytest.raises(WeightsError, match=r"skeleton of 25 joints \(body25, ntu25\), 'coco17'"):
        load_published(folder / "checkpoint.pth", layout="coco17")

"""pyskl's DG-STGCN: equal numbers; what is not known is refused."""

import numpy as np
import pytest
import torch

from skelact.errors import WeightsError
from skelact.models.published import load_published, read_published

B = "backbone.gcn."


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "reference" / "pyskl_dgstgcn_ntu25"


@pytest.fixture(scope="module")
def fixture(folder):
    """Clips ``[B, M, N, C, T]`` and the logits of the original for them."""
    with np.load(folder / "io.npz") as file:
        clips = torch.from_numpy(file["x"]).permute(0, 1, 3, 4, 2)
        return clips, torch.from_numpy(file["logits"])


@pytest.fixture
def altered(folder, tmp_path):
    """Write the published weights with changes; gives the path."""

    def write(changes: dict):
        state = torch.load(folder / "checkpoint.pth", weights_only=True)
        state = state.get("state_dict", state)
        for key, value in changes.items():
            old = state.pop(key, None)
            if value is not None:
                state[key] = value(old) if callable(value) else value
        torch.save({"state_dict": state}, tmp_path / "altered.pth")
        return tmp_path / "altered.pth"

    return write


@pytest.mark.shared
@pytest.mark.parametrize(("dtype", "relative"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
def test_logits_equal_those_of_the_original(folder, fixture, dtype, relative):
    clips, logits = fixture
    network = load_published(folder / "checkpoint.pth", layout="ntu25").to(dtype)
    with torch.inference_mode():
        ours = network(clips.to(dtype)).double()
    assert ours.shape == logits.shape
    assert (ours - logits).abs().max() <= relative * logits.abs().max()


@pytest.mark.shared
def test_sizes_come_from_the_weights_and_the_rest_is_said(folder):
    reading = read_published(folder / "checkpoint.pth")
    arguments = reading.arguments
    assert reading.network == "dgstgcn"
    assert (arguments["base_channels"], arguments["num_classes"]) == (32, 10)
    assert (arguments["topologies"], arguments["ratio"]) == (8, 0.125)
    assert [list(row) for row in arguments["rows"]] == (
        [[1, 1]] * 4 + [[2, 2], [2, 1], [2, 1], [4, 2], [4, 1], [4, 1]])
    said = " / ".join(reading.assumptions)
    for fact in ("every second frame", "mean over time", "subset_wise", "dilations are 1, 2, 3, 4"):
        assert fact in said


@pytest.mark.shared
def test_what_was_assumed_can_be_overridden(folder, fixture):
    path = folder / "checkpoint.pth"
    network = load_published(path, "ntu25", dilations=[1, 1, 1, 1])
    assert {conv.dilation[0] for layer in network.layers for conv in layer.temporal.dilated} == {1}
    with torch.inference_mode():
        assert (network(fixture[0]) - fixture[1]).abs().max() > 1e-3


@pytest.mark.shared
def test_another_number_of_topologies_and_channels_is_read(altered):
    """Of the eight groups of every block, five are left."""

    def keep(old, groups=5):
        return old[: len(old) // 8 * groups]

    changes = {}
    for block in range(10):
        gcn = f"{B}{block}.gcn."
        names = ["A", "alpha", "beta", "pre.0.weight", "pre.0.bias", "conv1.weight", "conv1.bias",
                 "conv2.weight", "conv2.bias"]
        names += [f"pre.1.{name}" for name in ("weight", "bias", "running_mean", "running_var")]
        changes |= {gcn + name: keep for name in names}
        changes[gcn + "post.weight"] = lambda old: old[:, : old.shape[1] // 8 * 5]
    path = altered(changes)
    network = load_published(path, "ntu25")
    assert {tuple(layer.graph_conv.topology.shape) for layer in network.layers} == {(5, 25, 25)}
    assert [layer.graph_conv.split.out_features for layer in network.layers] == (
        [20] * 4 + [40] * 3 + [80] * 3)
    assert network(torch.randn(1, 1, 25, 3, 8)).isfinite().all()


@pytest.mark.shared
def test_coefficients_beyond_the_skeleton_s_joints_are_left_out(altered, folder):
    """They were stored for 25 joints whatever the skeleton."""
    norms = ("weight", "bias", "running_mean", "running_var")
    path = altered({f"{B}{block}.gcn.A": lambda old: old[:, :17, :17] for block in range(10)}
                   | {f"backbone.data_bn.{name}": lambda old: old[: 17 * 3] for name in norms})
    network = load_published(path, "coco17")
    whole = load_published(folder / "checkpoint.pth", "ntu25")
    for ours, theirs in zip(network.layers, whole.layers, strict=True):
        fusion, longer = ours.temporal.mix[0], theirs.temporal.mix[0]
        assert torch.equal(fusion.coefficients, longer.coefficients[:17])
    assert network(torch.randn(1, 2, 17, 3, 9)).isfinite().all()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({B + "0.gcn.A": None}, r"looks like pyskl's DG-STGCN, but it lacks backbone"),
        ({B + "0.gcn.conv1.weight": None}, r"lacks backbone\.gcn\.0\.gcn\.conv1"),  # not dynamic
        ({"cls_head.fc_cls.weight": None}, r"lacks cls_head\.fc_cls\.weight; its first keys are"),
        ({B + "0.gcn.A": torch.ones(3)}, r"gcn\.A has the axes \[3\], expected 3 of them"),
        ({"surprise": torch.ones(1)}, "unknown key 'surprise'"),
        ({B + "7.gcn.pre.0.weight": None}, r"lacks backbone\.gcn\.7\.gcn\.pre"),
        ({B + "3.gcn.pre.0.weight": torch.ones(24, 32, 1, 1)}, "does not fit.*ntu25"),
        ({B + "0.tcn.branches.4.0.weight": None}, "temporal branches .* expected the kernels"),
        ({B + "0.tcn.branches.5.weight": None}, "temporal branches .* expected the kernels"),
        ({B + "0.tcn.add_coeff": torch.ones(20)}, "does not fit.*ntu25"),
        ({B + "4.gcn.bn.weight": torch.ones(36)}, "block 4 has 36 channels, expected a multiple"),
        ({B + "0.gcn.pre.0.weight": torch.ones(32, 32, 1, 1)}, "first block keeps 32 channels"),
        ({"backbone.data_bn.weight": torch.ones(80)}, "norm has 80 values, expected a multiple"),
    ],
)
def test_other_variants_are_refused_in_one_line(altered, changes, message):
    with pytest.raises(WeightsError, match=message) as caught:
        load_published(altered(changes), layout="ntu25")
    assert "\n" not in str(caught.value)


@pytest.mark.shared
def test_another_layout_is_refused(folder):
    with pytest.raises(WeightsError, match=r"skeleton of 25 joints \(body25, ntu25\), 'coco17'"):
        load_published(folder / "checkpoint.pth", layout="coco17")

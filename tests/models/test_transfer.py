"""Starting from another network's weights, and keeping some of them."""

import copy

import pytest
import torch
from torch import nn
from weights import shake

from skelact.config import ClipConfig
from skelact.errors import ChoiceError, WeightsError
from skelact.graph import get_layout
from skelact.models.checkpoint import ActionModel, build_network, save_model
from skelact.models.classifier import InputNorm
from skelact.models.published import load_published
from skelact.models.transfer import freeze, init_from, train_mode
from skelact.nn.temporal_conv import BatchNorm

CLASSES = ("wave", "jump", "sit")


@pytest.fixture
def clips() -> torch.Tensor:
    return torch.randn(4, 2, 13, 3, 9, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def save(tmp_path):
    """Write a checkpoint of a network with weights of its own; gives the path and the model."""

    def write(name="stgcn", layout="penn13", rejects=False, form=None, **arguments):
        torch.manual_seed(1)
        arguments = {"num_classes": len(CLASSES) + rejects, "base_channels": 4, **arguments}
        architecture = {"name": name, "arguments": arguments}
        network = build_network(architecture, layout)
        shake(network)
        model = ActionModel(network.eval(), CLASSES, form or ClipConfig(layout=layout),
                            architecture, rejects=rejects)
        return save_model(model, tmp_path / f"{name}.pt", overwrite=True), model

    return write


def fresh(classes=3, name="stgcn", layout="penn13", **arguments):
    """A network as a run builds it."""
    torch.manual_seed(2)
    arguments = {"num_classes": classes, "base_channels": 4} | arguments
    return build_network({"name": name, "arguments": arguments}, get_layout(layout))


def test_the_same_classes_give_the_same_network(save, clips):
    path, model = save()
    network = fresh()
    transfer = init_from(network, path, CLASSES)
    torch.testing.assert_close(network.eval()(clips), model.network(clips))
    assert transfer.fresh == ()
    assert set(transfer.taken) == set(network.state_dict())
    assert str(transfer) == (f"started from {path}: {len(transfer.taken)} tensors taken, the head "
                             "included")
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_classes_in_another_order_keep_their_scores(save, clips):
    path, model = save(rejects=True)
    network = fresh(4)
    init_from(network, path, ("sit", "wave", "jump"), rejects=True)
    torch.testing.assert_close(network.eval()(clips), model.network(clips)[:, [2, 0, 1, 3]])


@pytest.mark.parametrize(
    ("classes", "rejects"),
    [((), False), (("wave", "jump"), False), (("wave", "jump", "run"), False), (CLASSES, True)],
)
def test_other_classes_get_a_new_head_on_the_same_features(save, clips, classes, rejects):
    path, model = save()
    network = fresh(max(len(classes), 1) + rejects)
    head = copy.deepcopy(network.head)
    transfer = init_from(network, path, classes, rejects)
    torch.testing.assert_close(network.eval().features(clips), model.network.features(clips))
    assert torch.equal(network.head.weight, head.weight)
    assert transfer.fresh == ("head.weight", "head.bias")
    assert str(transfer).endswith("the head is new")


@pytest.mark.parametrize(
    ("option", "value", "theirs", "arguments"),
    [
        ("network.base_channels", 6, 4, {"base_channels": 6}),
        ("network.partition", "distance", "spatial", {"partition": "distance"}),
        ("clip.layout", "coco17", "penn13", {"layout": "coco17"}),
    ],
)
def test_another_network_is_refused_with_the_option_that_would_fit(
    save, option, value, theirs, arguments
):
    path, _ = save()
    network = fresh(**arguments)
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(WeightsError, match=f"it has {option} {theirs}, the run has {option} "
                                           f"{value}; pass --{option} {theirs}$"):
        init_from(network, path, CLASSES)
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)


def test_all_that_differs_is_named_at_once(save):
    path, _ = save("stgcnpp", base_channels=12)
    with pytest.raises(WeightsError, match=r"it has network.name stgcnpp, "
                       "network.base_channels 12, the run has network.name stgcn, "
                       "network.base_channels 4; pass --network.name stgcnpp "
                       "--network.base_channels 12"):
        init_from(fresh(), path)
    network = fresh(name="stgcnpp", base_channels=12)
    assert init_from(network, path, CLASSES).fresh == ()


def test_what_no_option_can_name_is_refused(save):
    path, _ = save(kernel_size=5)
    with pytest.raises(WeightsError, match=r"another variant.*layers.0.temporal.2.weight is \[4, 4,"
                                           r" 5, 1\], the run's \[4, 4, 9, 1\]"):
        init_from(fresh(), path)
    path, _ = save("stgcnpp", rows=[[1, 1], [1, 1]])
    with pytest.raises(WeightsError, match="it lacks the layers 2, 3, 4, 5, 6, 7, 8, 9"):
        init_from(fresh(name="stgcnpp"), path)
    path, _ = save(edge_importance=True)
    with pytest.raises(WeightsError, match=r"edge_importance is .*the run's no such weight"):
        init_from(fresh(edge_importance=False), path)


def test_edges_without_importance_count_as_one(save, clips):
    path, model = save(edge_importance=False)
    network = fresh()
    assert init_from(network, path, CLASSES).fresh == ()
    torch.testing.assert_close(network.eval()(clips), model.network(clips))


def test_other_channels_leave_all_but_the_first_weights(save):
    path, model = save()
    network = fresh(in_channels=2)
    transfer = init_from(network, path, CLASSES)
    assert transfer.fresh == ("input_norm.weight", "input_norm.bias", "input_norm.running_mean",
                              "input_norm.running_var", "layers.0.graph_conv.weight")
    assert "also new: input_norm.weight" in str(transfer)
    features = torch.randn(2, 13, 4, 8)
    torch.testing.assert_close(network.eval().layers[1](features),
                               model.network.layers[1](features))
    with pytest.raises(ChoiceError, match=r"freeze_layers 1 would freeze weights that the "
                                          "checkpoint does not have: input_norm.weight"):
        freeze(network, 1, fresh=transfer.fresh)
    freeze(network, 0, norm=True, fresh=transfer.fresh)


def test_another_form_of_clips_is_noted(save):
    path, _ = save(absent="zeros", form=ClipConfig(dims=2, stream="bone"))
    transfer = init_from(fresh(), path, CLASSES, clip=ClipConfig(dims=3, frames=32))
    assert transfer.notes == (
        "it was trained with --network.absent zeros, this run has skip",
        "it was trained with --clip.dims 2, this run has 3",
        "it was trained with --clip.stream bone, this run has joint",
    )
    assert str(transfer).count("\n  it was trained with") == 3


def test_files_that_are_no_checkpoint_are_refused(tmp_path):
    torch.save({"weight": torch.ones(3)}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match=r"other\.pt.*this run is on penn13"):
        init_from(fresh(), tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="nothing is there"):
        init_from(fresh(), tmp_path / "none.pt")


@pytest.mark.shared
def test_published_weights_start_a_run(shared, tmp_path):
    path = shared / "reference" / "stgcn_ntu25_spatial" / "checkpoint.pt"
    published = load_published(path)
    width = published.layers[0].graph_conv.weight.shape[1]
    network = fresh(10, layout="ntu25", base_channels=width, partition="spatial_released")
    transfer = init_from(network, path, tuple("abcdefghij"))
    clips = torch.randn(2, 2, 25, 3, 12)
    torch.testing.assert_close(network.eval().features(clips), published.features(clips))
    assert transfer.fresh == ("head.weight", "head.bias")  # its classes have no names
    assert transfer.notes == ("it was trained with --network.absent zeros, this run has skip",)
    with pytest.raises(WeightsError, match=r"pass --network.partition spatial_released$"):
        init_from(fresh(10, layout="ntu25", base_channels=width), path)
    with pytest.raises(WeightsError, match=r"'coco17'.*this run is on coco17 \(--clip.layout"):
        init_from(fresh(10, layout="coco17", base_channels=width), path)
    state = torch.load(path, weights_only=True)
    state["fcn.bias"][0] = torch.nan
    torch.save(state, tmp_path / "nan.pt")
    with pytest.raises(WeightsError, match=r"nan\.pt are not finite"):
        init_from(network, tmp_path / "nan.pt")


@pytest.mark.shared
def test_weights_in_pyskl_form_start_a_run(shared):
    path = shared / "reference" / "pyskl_stgcnpp_coco17" / "checkpoint.pth"
    published = load_published(path, "coco17")
    width = published.layers[0].graph_conv.weight.shape[1]
    rows = [(len(layer.graph_norm.weight) // width, 1 + (layer.temporal.pointwise.stride == 2))
            for layer in published.layers]
    network = fresh(4, "stgcnpp", "coco17", base_channels=width, rows=rows)
    init_from(network, path, tuple("abcd"))
    clips = torch.randn(2, 2, 17, 3, 12)
    torch.testing.assert_close(network.eval().features(clips), published.features(clips))
    with pytest.raises(WeightsError, match=r"the run has network.name stgcn; pass --network.name "
                       "stgcnpp$"):
        init_from(fresh(4, layout="coco17", base_channels=width), path)


def train(network: nn.Module, clips: torch.Tensor, layers: int, norm: bool) -> set[str]:
    """Names of the entries that some steps, with weight decay, have changed."""
    freeze(network, layers, norm)
    before = copy.deepcopy(network.state_dict())
    chosen = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(chosen, 0.1, momentum=0.9, weight_decay=0.01)
    for _ in range(3):
        train_mode(network, layers, norm)
        nn.functional.cross_entropy(network(clips), torch.tensor([0, 1, 2, 0])).backward()
        optimizer.step()
        optimizer.zero_grad()
        network.eval()
    return {name for name, value in network.state_dict().items()
            if not torch.equal(value, before[name])}


STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@pytest.mark.parametrize("layers", [0, 1, 4, 10])
def test_frozen_layers_stay_bit_for_bit_and_the_others_learn(clips, layers):
    network = fresh(dropout=0.5)
    changed = train(network, clips, layers, norm=False)
    fixed = ("input_norm.", *(f"layers.{layer}." for layer in range(layers))) if layers else ()
    expected = {name for name in network.state_dict()
                if not name.startswith(fixed) and not name.endswith("adjacency")}
    assert changed == expected


def test_frozen_norms_keep_their_statistics_and_learn_their_scale(clips):
    network = fresh()
    changed = train(network, clips, layers=0, norm=True)
    assert changed == {name for name in network.state_dict()
                       if not name.endswith(("adjacency", *STATISTICS))}


def test_frozen_layers_drop_nothing_and_the_others_do(clips):
    network = fresh(dropout=0.5)
    train_mode(network, 5, norm=True)
    features = torch.randn(2, 13, 4, 8)
    assert torch.equal(network.layers[3](features), network.layers[3](features))
    wide = torch.randn(2, 13, 8, 8)
    assert not torch.equal(network.layers[5](wide), network.layers[5](wide))
    norms = [module for module in network.modules() if isinstance(module, BatchNorm | InputNorm)]
    assert not any(module.training for module in norms)
    train_mode(network)
    assert all(module.training for module in network.modules())


def test_more_layers_than_there_are_cannot_be_frozen():
    for layers in (-1, 11):
        with pytest.raises(ChoiceError, match=f"from 0 to 10, the layers of.*; got {layers}"):
            freeze(fresh(), layers)

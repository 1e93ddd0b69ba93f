"""What a checkpoint says of the network of a run."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from skelact.config import ClipConfig, NetworkConfig, TrainConfig
from skelact.errors import ChoiceError, WeightsError
from skelact.graph import get_layout
from skelact.models.checkpoint import ActionModel, build_network, save_model
from skelact.training.distributed import World
from skelact.training.network import describe_network, make_network

DATA = SimpleNamespace(classes=("fist", "palm"), background=None)
FLAT = ClipConfig(layout="hand21", dims=2)


@pytest.mark.parametrize(("clip", "channels"), [
    (FLAT, 3), (replace(FLAT, confidence=False), 2), (replace(FLAT, dims=3, confidence=False), 3),
])
def test_the_network_takes_the_channels_of_the_clips(clip, channels):
    described = describe_network(TrainConfig(clip=clip), DATA)
    network = build_network(described, get_layout("hand21"))
    assert network.in_channels == clip.channels == channels
    assert network.head.out_features == 2


def started_from(path, people=1, **arguments):
    """Data and settings of a run that starts from a checkpoint of such a network."""
    layout = get_layout("hand21")
    architecture = {"name": "stgcn", "arguments": {"num_classes": 5} | arguments}
    network = build_network(architecture, layout)
    save_model(ActionModel(network, tuple("abcde"), FLAT, architecture), path)
    data = SimpleNamespace(**vars(DATA), arrays=SimpleNamespace(layout=layout))
    clip = replace(FLAT, people=people)
    return network, TrainConfig(clip=clip, init=str(path)), data


def test_a_run_takes_over_what_it_has_no_options_for(tmp_path):
    source, config, data = started_from(tmp_path / "model.pt", people=2, rows=[[1, 1], [2, 2]],
                                        base_channels=4, norm_slots=2, kernel_size=3)
    network = make_network(config, data, World())
    assert network.head.out_features == 2
    ours, theirs = network.state_dict(), source.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(ours[name].equal(theirs[name]) for name in ours if not name.startswith("head."))
    again = make_network(config, data, World(), resumed=network.architecture)
    assert again.architecture == network.architecture


def test_more_persons_than_the_checkpoint_takes_are_refused(tmp_path):
    _, config, data = started_from(tmp_path / "model.pt", people=3, base_channels=4, norm_slots=2)
    with pytest.raises(ChoiceError, match=r"pass --clip\.people 2"):
        make_network(config, data, World())


def test_an_option_that_is_given_is_not_taken_over(tmp_path):
    _, config, data = started_from(tmp_path / "model.pt", base_channels=4)
    config = replace(config, network=NetworkConfig(base_channels=8))
    with pytest.raises(WeightsError, match=r"pass --network\.base_channels 4"):
        make_network(config, data, World())

"""What a checkpoint says of the network of a run."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from skelact.config import ClipConfig, TrainConfig
from skelact.graph import get_layout
from skelact.models.checkpoint import build_network
from skelact.training.network import describe_network

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

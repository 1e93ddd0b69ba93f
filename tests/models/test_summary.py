"""What networks consist of and cost, against sums by hand."""

import pytest
import torch
from torch import nn

from skelact.errors import ChoiceError, ShapeError
from skelact.graph import get_layout
from skelact.models import ctrgcn, dgstgcn, stgcn, stgcnpp
from skelact.models.classifier import SkeletonClassifier
from skelact.models.summary import find_receptive_field, summarise
from skelact.nn.pointwise_conv import PointwiseConv
from skelact.nn.temporal_conv import TemporalConv

PUBLISHED = [(3, 64, 1)] + [(64, 64, 1)] * 3 + [
    (64, 128, 2), (128, 128, 1), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 256, 1)]


def wrap(*layers: nn.Module, channels: int) -> SkeletonClassifier:
    return SkeletonClassifier(get_layout("penn13"), 3, nn.Sequential(*layers), channels, 5)


class OverTime(nn.Module):
    """What looks at all frames, in its own way."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind

    def forward(self, features):
        if self.kind == "mean":
            return features + 0 * features.mean(3, keepdim=True)
        if self.kind == "sum so far":
            return features.cumsum(3)
        if self.kind == "sum from here":
            return features.flip(3).cumsum(3).flip(3)
        return features.amax(3, keepdim=True)


def test_the_cost_of_st_gcn_is_the_published_one():
    """5.7 G, where all is mixed before joints are aggregated; ours does it the other way round."""
    summary = summarise(stgcn("ntu25", 60), frames=100, people=2)
    frames, n, k, ours, saved = 100, 25, 3, 0, 0
    for before, width, stride in PUBLISHED:
        ours += frames * n * k * before * (n + width)
        saved += frames * n * n * k * (width - before)
        frames //= stride
        ours += frames * n * width * 9 * width
        if before != width and before != 3:
            ours += frames * n * before * width
    assert summary.multiply_adds == pytest.approx(2 * ours, rel=1e-4)
    assert (summary.multiply_adds + 2 * saved) / 1e9 == pytest.approx(5.7, abs=0.01)
    assert summary.parameters / 1e6 == pytest.approx(3.1, abs=0.01)
    assert summary.receptive_field == 153


def test_layers_and_their_sums():
    summary = summarise(stgcnpp("coco17", 7, base_channels=8, rows=((1, 1), (2, 2))), 21, people=3)
    assert [(row.name, row.kind, row.output_shape) for row in summary.layers] == [
        ("input_norm", "InputNorm", (3, 17, 3, 21)),
        ("layers.0", "STGCNPP", (3, 17, 8, 21)),
        ("layers.1", "STGCNPP", (3, 17, 16, 11)),
        ("head", "Linear", (1, 7)),
    ]
    assert (summary.frames, summary.people) == (21, 3)
    assert summary.parameters == sum(row.parameters for row in summary.layers)
    assert summary.multiply_adds == sum(row.multiply_adds for row in summary.layers)
    assert summary.layers[0].parameters == 2 * 17 * 3
    assert (summary.layers[0].multiply_adds, summary.layers[3].multiply_adds) == (0, 16 * 7)


def test_people_and_frames_multiply_the_cost():
    network = stgcn("penn13", 4, base_channels=4)
    one, many = summarise(network, 40, people=1), summarise(network, 80, people=3)
    for alone, together in zip(one.layers[:-1], many.layers[:-1], strict=True):
        # the offset of the graph convolution is computed once for all
        assert together.multiply_adds == pytest.approx(6 * alone.multiply_adds, rel=0.01)
        assert together.parameters == alone.parameters


def test_the_network_stays_as_it_is():
    network = stgcnpp("penn13", 4, base_channels=6, rows=((1, 1),)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    summarise(network)
    assert network.training
    assert network.absent == "skip"
    assert not network.head._forward_hooks
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], 1),
        ([PointwiseConv(3, 3)], 1),
        ([PointwiseConv(3, 3, stride=3)], 1),
        ([TemporalConv(3, 3, 9)], 9),
        ([TemporalConv(3, 3, 3, dilation=4)], 9),
        ([TemporalConv(3, 3, 151)], 151),  # farther than the first clip that is tried
        ([TemporalConv(3, 3, 9, stride=2), TemporalConv(3, 3, 9)], 9 + 8 * 2),
        ([TemporalConv(3, 3, 5, stride=4), TemporalConv(3, 3, 5, stride=4)], 5 + 4 * 4),
        ([TemporalConv(3, 3, 3), PointwiseConv(3, 3, stride=5), TemporalConv(3, 3, 3)], 3 + 2 * 5),
    ],
)
def test_the_receptive_field_by_hand(layers, expected):
    network = wrap(*layers, channels=3)
    assert find_receptive_field(network) == expected
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()  # weights do not matter
    assert find_receptive_field(network) == expected


@pytest.mark.parametrize("kind", ["mean", "sum so far", "sum from here", "maximum"])
def test_what_looks_at_all_frames_has_no_receptive_field(kind):
    network = wrap(TemporalConv(3, 3, 3), OverTime(kind), TemporalConv(3, 3, 3), channels=3)
    assert find_receptive_field(network) is None


def test_the_topologies_of_dgstgcn_follow_the_whole_clip():
    assert summarise(dgstgcn("penn13", 4, base_channels=4)).receptive_field is None


def test_layers_that_are_no_sequence_are_one():
    network = SkeletonClassifier(get_layout("penn13"), 3, TemporalConv(3, 6, 5), 6, 5)
    summary = summarise(network, 10)
    assert [row.name for row in summary.layers] == ["input_norm", "layers", "head"]
    assert summary.layers[1].multiply_adds == 13 * 10 * 3 * 6 * 5
    assert summary.receptive_field == 5


def test_recurrence_and_attention_are_counted():
    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(3, 4, batch_first=True)

        def forward(self, features):
            by_joint = features.transpose(2, 3).flatten(0, 1)
            values = self.lstm(by_joint)[0]
            values = nn.functional.scaled_dot_product_attention(values, values, values)
            return values.view(*features.shape[:2], features.shape[3], 4).transpose(2, 3)

    network = SkeletonClassifier(get_layout("penn13"), 3, Sequence(), 4, 5)
    summary = summarise(network, frames=10)
    assert summary.layers[1].multiply_adds == 13 * 10 * (4 * 4 * (3 + 4) + 2 * 10 * 4)
    assert summary.receptive_field is None


def test_topologies_of_channels_are_counted():
    network = ctrgcn("penn13", 5, base_channels=8, rows=((1, 1),))
    convolution = 3 * 8 * 13 * 10 * (3 + 13)  # of 3 partitions: channels, then joints
    refinement = 13 * 3 * 2 * 3 * 8 + 3 * 8 * 10 * 13 * (13 + 1)  # compared, then refined; offsets
    shortcut = 13 * 10 * 8 * 3
    branches = 13 * 10 * (8 * 8 + 2 * 5 * 2 * 2)
    assert summarise(network, frames=10).layers[1].multiply_adds == (
        convolution + refinement + shortcut + branches)


def test_what_cannot_be_is_refused():
    network = stgcnpp("penn13", 4, base_channels=6, rows=((1, 1),), norm_slots=2)
    assert summarise(network, 5, people=2).people == 2
    with pytest.raises(ShapeError, match="at most 2 persons"):
        summarise(network, 5, people=3)
    with pytest.raises(ChoiceError, match="at least one frame and one person, got frames=0"):
        summarise(network, frames=0)

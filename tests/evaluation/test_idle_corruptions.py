"""Flat curves are said, with the reason: nothing changed, undone before the network, unheeded."""

import numpy as np
import pytest
import torch
from actions import PARTS, swinging
from people import worker_arrays
from torch import nn

from skelact.config import ClipConfig
from skelact.datasets.arrays import ClipArrays
from skelact.evaluation.idle_corruptions import explain_idle, mean_shift
from skelact.evaluation.robustness import measure_robustness
from skelact.evaluation.robustness_report import describe, summarise, write_robustness
from skelact.graph.layouts import get_layout
from skelact.models.checkpoint import ActionModel


class Stubborn(nn.Module):
    """Says the same of everything."""

    def __init__(self, layout: str):
        super().__init__()
        self.layout, self.gain = get_layout(layout), nn.Parameter(torch.tensor(1.0))

    def forward(self, clips):
        return self.gain * torch.tensor([[1.0, 0.0]]).repeat(len(clips), 1)


def stubborn(**clip) -> ActionModel:
    return ActionModel(Stubborn(clip["layout"]), tuple(PARTS), ClipConfig(**clip), {})


@pytest.fixture(scope="module")
def flat():
    return ClipArrays.from_recordings([swinging(("arms", "legs")[i % 2], i) for i in range(8)])


def test_how_much_probability_moves():
    before = np.array([[0.7, 0.3], [0.5, 0.5]])
    assert mean_shift(before, before) == 0
    assert mean_shift(before, np.array([[0.3, 0.7], [0.5, 0.5]])) == pytest.approx(0.2)
    assert mean_shift(np.eye(2), np.eye(2)[::-1]) == 1


def test_what_the_form_of_clips_undoes():
    """A camera elsewhere, of people who are turned to the front before the network sees them."""
    people = worker_arrays(count=8, labels=("arms", "legs"), layout="kinect20")
    names = ("camera_yaw", "joint_jitter")
    turned = stubborn(layout="kinect20", dims=3, frames=12, normalise="canonical")
    found = measure_robustness(turned, people, corruptions=names, draws=20)
    assert "does not see it: its input differs by 0.0 %" in found.idle["camera_yaw"]
    assert "clip.normalise canonical" in found.idle["camera_yaw"]
    assert "does not depend on that" in found.idle["joint_jitter"]
    plain = stubborn(layout="kinect20", dims=3, frames=12, normalise="body")
    found = measure_robustness(plain, people, corruptions=names[:1], draws=20)
    assert "does not depend on that" in found.idle["camera_yaw"]


def test_what_changes_nothing_and_what_time_undoes(flat):
    model = stubborn(layout="penn13", dims=2, frames=12)
    assert explain_idle(model, "speed", flat, flat) == "it changes nothing of these clips"
    found = measure_robustness(model, flat, corruptions=("speed",), draws=20,
                               severities={"speed": [0.9]})
    assert "brought to 12 frames" in found.idle["speed"]


def test_a_report_says_so_and_how_few_people_there_are(flat, tmp_path):
    model = stubborn(layout="penn13", dims=2, frames=12)
    found = measure_robustness(model, flat, corruptions=("speed", "missing_legs"), draws=20,
                               groups=np.arange(8) % 2)
    summary = write_robustness(found, tmp_path, {"model": "m", "model_sha256": "abc", "split": "a"})
    report = (tmp_path / "report.md").read_text()
    for words in ("## Without an effect", "- speed: ", "over the 2 subjects", "So few subjects",
                  "| model sha256 | abc |", "| num clips | 8 |", "| seeds | 1 |"):
        assert words in report
    assert set(summary["without_effect"]) == {"speed", "missing_legs"}
    assert summary["corruptions"]["speed"]["levels"][0]["probability_moved"] == 0
    assert "missing_legs has no effect: " in describe(summarise(found, {}))
    assert "So few subjects" in describe(summary)

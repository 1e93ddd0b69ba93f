"""Robustness: what is averaged over what, and what is written of it."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from actions import PARTS, swinging
from people import changed, worker_arrays
from torch import nn

from skelact.config import ClipConfig
from skelact.datasets.arrays import ClipArrays
from skelact.errors import ChoiceError, OutputExistsError, SkelactError
from skelact.evaluation.corruptions import CORRUPTIONS
from skelact.evaluation.robustness import Level, RobustnessResult, measure_robustness
from skelact.evaluation.robustness_report import check_folder, describe, summarise, write_robustness
from skelact.graph.layouts import get_layout
from skelact.models.checkpoint import ActionModel


class Swings(nn.Module):
    """Tells swinging arms from swinging legs by how much the joints move."""

    layout = get_layout("penn13")

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(100.0))
        self.parts = [[i for i, name in enumerate(self.layout.joints)
                       if any(word in name for word in words)] for words in PARTS.values()]

    def forward(self, clips):
        moving = clips[:, 0, :, :2].var(dim=-1).sum(dim=2)  # [B, N]
        return self.scale * torch.stack([moving[:, part].mean(1) for part in self.parts], dim=1)


@pytest.fixture(scope="module")
def gym():
    """A model that tells arms from legs, and clips to try it on."""
    model = ActionModel(Swings(), tuple(PARTS), ClipConfig(dims=2, frames=12), {})
    return model, ClipArrays.from_recordings(
        [swinging(("arms", "legs")[i % 2], 100 + i) for i in range(16)])


def made_up(groups=None) -> RobustnessResult:
    """Four clips, all right as they are; two corruptions with one and two severities."""
    def level(severity, *right):
        return Level(severity, np.array(right, float))

    names = ("missing_joints", "camera_roll")
    return RobustnessResult(
        clean=np.array([1.0, 1, 1, 0]), labels=np.array([0, 0, 0, 1]), groups=groups,
        curves={"missing_joints": (level(10, 1, 1, 0, 0),),
                "camera_roll": (level(5, 1, 0, 0, 0), level(45, 0, 0, 0, 0))},
        impossible={"camera_yaw": "no depth"}, draws=200,
        corruptions={name: CORRUPTIONS[name] for name in names})


def test_the_mean_is_over_corruptions_and_not_over_tests():
    result = made_up()
    assert result.corruption_accuracy().value == pytest.approx((2 / 4 + (1 / 4 + 0) / 2) / 2)
    assert result.relative_accuracy().value == pytest.approx(0.3125 / 0.75)
    assert result.mean_class_accuracy(result.clean).value == pytest.approx((1 + 0) / 2)


def test_intervals_are_by_subject_where_subjects_are_known():
    by_clip, by_subject = made_up(), made_up(groups=np.array([7, 7, 7, 7]))
    assert by_clip.top1(by_clip.clean).low < 0.75
    assert np.isnan(by_subject.top1(by_clip.clean).low)  # one subject says nothing of others
    summary = summarise(by_subject, {"model": "m"})
    assert summary["intervals"] == "95 %, by subject"
    assert summary["clean"]["top1"] == {"value": 0.75, "low": None, "high": None}
    json.dumps(summary, allow_nan=False)
    assert "75.0 % [interval unknown]" in describe(summary)


def test_a_model_loses_what_the_corruption_takes_away(gym):
    model, arrays = gym
    names = ("missing_legs", "joint_jitter", "swapped_clips", "speed")
    result = measure_robustness(model, arrays, corruptions=names,
                                severities={"joint_jitter": [300, 1]}, draws=50)
    assert tuple(result.curves) == names
    assert result.top1(result.clean).value == 1
    calm, wild = result.curves["joint_jitter"]
    assert (calm.severity, wild.severity) == (1, 300)
    assert calm.right.all()
    assert 0.2 < wild.right.mean() < 0.8  # nothing is left but noise
    assert result.mean_right("swapped_clips").all()  # arms stay arms
    hidden = result.curves["missing_legs"][-1]
    np.testing.assert_array_equal(hidden.right, arrays.labels == 0)  # no legs, so arms


def test_a_model_that_knows_one_answer_is_not_robust(gym):
    class Arms(Swings):
        def forward(self, clips):
            return super().forward(clips) + torch.tensor([1e6, 0])

    model, arrays = gym
    idle = measure_robustness(replace(model, network=Arms()), arrays, corruptions=("speed",),
                              draws=20)
    assert idle.relative_accuracy().value == 1
    assert any("answers 'arms' to every clip" in note for note in idle.notes)
    assert not measure_robustness(model, arrays, corruptions=("speed",), draws=20).notes


def test_rows_seeds_and_what_is_impossible(gym):
    model, arrays = gym
    result = measure_robustness(model, arrays, rows=[3, 5, 7], corruptions=("camera_yaw", "speed",
                                "flickering_joints"), severities={"flickering_joints": [60]},
                                seeds=4, groups=np.array([1, 2, 3]), draws=20)
    assert len(result) == 3
    np.testing.assert_array_equal(result.labels, arrays.labels[[3, 5, 7]])
    assert "depth" in result.impossible["camera_yaw"]
    assert set(result.curves) == {"speed", "flickering_joints"}
    shares = result.curves["flickering_joints"][0].right
    np.testing.assert_array_equal(shares * 4, np.round(shares * 4))
    again = measure_robustness(model, arrays, rows=[3, 5, 7], corruptions=("flickering_joints",),
                               severities={"flickering_joints": [60]}, seeds=4, draws=20)
    np.testing.assert_array_equal(again.curves["flickering_joints"][0].right, shares)


def test_what_cannot_be_measured(gym):
    model, arrays = gym
    with pytest.raises(SkelactError, match=r"nothing could be measured: camera_yaw: .*depth"):
        measure_robustness(model, arrays, corruptions=("camera_yaw",))
    with pytest.raises(ChoiceError, match=r"a corruption to be one of .*got 'fog'"):
        measure_robustness(model, arrays, corruptions=("fog",))
    with pytest.raises(ChoiceError, match="not among the corruptions"):
        measure_robustness(model, arrays, corruptions=("speed",),
                           severities={"frame_rate": [2]})
    with pytest.raises(ChoiceError, match=r"severity in 0\.\.100"):
        measure_robustness(model, arrays, severities={"missing_joints": [101]})
    with pytest.raises(ChoiceError, match=r"whole number in 1\.\.1000 .*got 2\.5"):
        measure_robustness(model, arrays, severities={"frame_rate": [2, 2.5]})
    with pytest.raises(ChoiceError, match="seeds from 1"):
        measure_robustness(model, arrays, seeds=0)
    with pytest.raises(SkelactError, match="labelled clips"):
        measure_robustness(model, arrays, rows=[])


def test_a_model_that_fails_is_no_corruption_without_meaning(gym):
    model, arrays = gym

    class Choosy(Swings):
        def forward(self, clips):
            if torch.isnan(self.scale):
                raise ChoiceError("no such thing")
            return super().forward(clips)

    network = Choosy()
    network.scale.data.fill_(torch.nan)
    with pytest.raises(ChoiceError, match="no such thing"):
        measure_robustness(replace(model, network=network), arrays, corruptions=("speed",))


@pytest.mark.parametrize("rows", [[[1, 0, 0], [0, 0, -1], [0, 1, 0]],
                                  [[-1, 0, 0], [0, -1, 0], [0, 0, 1]]])
def test_cameras_are_not_moved_among_people_who_do_not_stand_along_y(rows):
    people = worker_arrays(count=12, labels=("arms", "legs"), layout="kinect20")
    names = ("camera_yaw", "cropped_side", "speed")
    model = ActionModel(Swings(), tuple(PARTS), ClipConfig(dims=3, frames=12), {})
    fine = measure_robustness(model, people, corruptions=names, draws=20)
    assert set(fine.curves) == set(names)
    assert not any("+y" in note for note in fine.notes)
    aslant = measure_robustness(model, changed(people, *rows), corruptions=names, draws=20)
    assert set(aslant.curves) == {"speed"}
    assert set(aslant.impossible) == {"camera_yaw", "cropped_side"}
    assert all("harmonise" in reason for reason in aslant.impossible.values())
    assert "instead of +y" in aslant.notes[0]
    assert "instead of +y" in describe(summarise(aslant, {}))
    assert "mean over 1 of 20 corruptions" in describe(summarise(aslant, {}))


def test_another_unit_is_said_and_does_no_harm_to_cameras():
    people = changed(worker_arrays(count=12, labels=("arms", "legs")), *(1000 * np.eye(3)))
    model = ActionModel(Swings(), tuple(PARTS), ClipConfig(dims=3, frames=12), {})
    result = measure_robustness(model, people, corruptions=("camera_yaw",), draws=20)
    assert set(result.curves) == {"camera_yaw"}
    assert "millimetres" in result.notes[0]


def test_what_is_written(tmp_path):
    result = made_up()
    conditions = {"model": "m", "data": "gym", "split": "test"}
    summary = write_robustness(result, tmp_path / "out", conditions, ["Mind the gap."])
    assert json.loads((tmp_path / "out" / "robustness.json").read_text()) == summary
    assert summary["mean_corruption_accuracy"]["value"] == pytest.approx(0.3125)
    with open(tmp_path / "out" / "robustness.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["corruption"], row["severity"]) for row in rows] == [
        ("none", ""), ("missing_joints", "10"), ("camera_roll", "5"), ("camera_roll", "45")]
    assert [float(row["top1"]) for row in rows] == [0.75, 0.5, 0.25, 0]
    assert (tmp_path / "out" / "robustness.png").read_bytes().startswith(b"\x89PNG")
    report = (tmp_path / "out" / "report.md").read_text()
    for words in ("31.2 %", "Mind the gap.", "camera_yaw: no depth", "5: 25.0, 45: 0.0",
                  "mean over 2 of 20 corruptions", "robustness.png",
                  "mean over the corruptions of the mean"):
        assert words in report
    with pytest.raises(OutputExistsError):
        check_folder(tmp_path / "out")
    write_robustness(result, tmp_path / "out", conditions, overwrite=True)
    assert not list(tmp_path.glob("out/.*"))

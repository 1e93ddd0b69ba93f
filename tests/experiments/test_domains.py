"""Data sets made comparable: only what is used is converted, and comes out as if all had been."""

import math

import numpy as np
import pytest
from actions import write_actions
from kicks import LABEL_MAP, in_millimetres_and_mirrored, write_kicks

from skelact.datasets.arrays import remap_arrays
from skelact.datasets.store import Store
from skelact.errors import LayoutError, SkelactError
from skelact.evaluation.clip_rows import select_clips
from skelact.evaluation.harmonise import common_joints, harmonise
from skelact.experiments.derived_store import YAWS, derive_store
from skelact.experiments.domains import open_domains, plan_task, take_joints, take_source_joints
from skelact.experiments.transfer import Clips
from skelact.graph.layouts import get_layout
from skelact.transforms.common_layout import common_layout
from skelact.transforms.projection import project_arrays

ROWS = np.array([3, 4, 11, 20])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two sensors; the second writes another skeleton, in millimetres and mirrored."""
    place = tmp_path_factory.mktemp("data")
    return [write_kicks(place / "kinect", "kinect").folder,
            write_kicks(place / "mocap", "mocap", layout="ntu25",
                        names=("front_kick", "rear_kick"),
                        distort=in_millimetres_and_mirrored).folder]


@pytest.mark.parametrize("joints", ["common", "aligned"])
def test_a_few_clips_come_out_as_if_all_had_been_converted(folders, joints):
    mocap = open_domains(folders, joints)[1]
    assert mocap.axes.mirrored
    whole = harmonise(Store(folders[1]).arrays, mocap.axes)
    bring = common_joints if joints == "aligned" else remap_arrays
    whole = bring(whole, common_layout("kinect20", "ntu25"))
    clips, places = mocap.convert(ROWS)
    assert (len(clips), places.tolist()) == (4, [0, 1, 2, 3])
    np.testing.assert_array_equal(clips.joints, select_clips(whole, ROWS).joints)
    np.testing.assert_array_equal(clips.labels, whole.labels[ROWS])


def test_clips_that_are_as_they_should_be_are_not_copied(folders):
    (kinect,) = open_domains(folders[:1])
    clips, places = kinect.convert(ROWS)
    assert np.shares_memory(clips.joints, kinect.arrays.joints)
    assert places.tolist() == ROWS.tolist()


def test_what_is_seen_by_a_camera_is_as_if_all_had_been(folders, tmp_path):
    """Training clips of a 3-D set beside a 2-D one, in the order in which they always stood."""
    flat = write_actions(tmp_path / "flat", clips=16, name="flat").folder
    file = tmp_path / "map.yaml"
    file.write_text(LABEL_MAP.replace("{kinect", "{flat: [arms], kinect", 1).replace(
        "back: {kinect", "back: {flat: [legs], kinect"))
    mocap, flat = open_domains([folders[1], flat])
    store = derive_store(plan_task([mocap, flat], flat, file), tmp_path / "out")
    whole = remap_arrays(harmonise(mocap.arrays, mocap.axes), mocap.joints.target)
    rows = np.sort(np.concatenate([mocap.rows("train"), mocap.rows("val")]))
    seen = [project_arrays(whole, math.radians(yaw)) for yaw in YAWS]
    expected = np.concatenate([select_clips(arrays, rows).joints for arrays in seen[:2]])
    np.testing.assert_array_equal(store.arrays.joints[: len(expected)], expected)
    frames = np.cumsum([0] + [len(part) for part in ((rows,) * 3)])[2] * 12
    np.testing.assert_array_equal(store.arrays.joints[frames : frames + 12],
                                  select_clips(seen[2], rows[:1]).joints)


def test_joints_of_the_trunk_alike_in_all_sets(folders):
    for domain in open_domains(folders, "aligned"):
        clips, _ = domain.convert(ROWS)
        at = {name: clips.joints[:, clips.layout.index(name)] for name in (
            "pelvis", "neck", "left_hip", "right_hip", "left_shoulder", "right_shoulder")}
        np.testing.assert_allclose(at["pelvis"], (at["left_hip"] + at["right_hip"]) / 2, atol=1e-6)
        np.testing.assert_allclose(at["neck"], (at["left_shoulder"] + at["right_shoulder"]) / 2,
                                   atol=1e-6)
        assert domain.joints.derived["pelvis"] == ("left_hip", "right_hip")


def test_joints_of_the_source(folders, tmp_path):
    """What the target lacks is missing; a target without most of them is refused."""
    kinect, mocap = open_domains(folders, "own")
    assert mocap.joints.target == get_layout("ntu25")
    (source,), target = take_source_joints([mocap], kinect)
    assert source.joints.target == target.joints.target == get_layout("ntu25")
    assert "left_thumb" in target.joints.missing
    thumb = target.convert(ROWS)[0].joints[:, get_layout("ntu25").index("left_thumb")]
    assert np.isnan(thumb).all()
    (same,), again = take_source_joints([kinect], kinect)
    assert same is again
    with pytest.raises(LayoutError, match="share too little"):
        take_joints([kinect], get_layout("hand21"))


def test_a_class_that_the_store_lacks_is_not_shared(folders, tmp_path):
    """The map may know more classes than the part of a data set that is here."""
    file = tmp_path / "map.yaml"
    file.write_text(LABEL_MAP.replace("unshared", "  wave: {kinect: [wave], mocap: [waving]}\n"
                                      "unshared"))
    kinect, mocap = open_domains(folders)
    task = plan_task([kinect], mocap, file)
    assert task.classes == ("ahead", "back")
    assert sorted(np.unique(task.labels["mocap"])) == [0, 1]


def test_no_clip_with_a_shared_class_is_said(folders):
    (kinect,) = open_domains(folders[:1])
    with pytest.raises(SkelactError, match=r"no clip of kinect \(test\) shows a shared class"):
        Clips.of(kinect, np.full(24, -1), "test")

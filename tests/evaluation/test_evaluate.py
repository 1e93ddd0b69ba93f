"""`evaluate_model`: which clips are judged by which classes, and what a reader is told."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from actions import swinging, write_actions
from stores import walkers, write_store
from swinging_model import Swinging, swinging_model

from skelact.cli.evaluate import format_figures
from skelact.config import ClipConfig
from skelact.errors import ChoiceError, SkelactError
from skelact.evaluation.evaluate import evaluate_model, fuse_evaluations
from skelact.evaluation.figures import NAMES
from skelact.evaluation.report import describe_metrics
from skelact.evaluation.scoring import score_model


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_actions(tmp_path_factory.mktemp("data") / "gym")


def relabelled(folder, names, clips=12, **fields):
    """A store of swinging people, under other names; clip i shows arms or legs in turn."""
    recordings = [swinging(("arms", "legs")[i % 2], i, clip_id=f"clip{i:02}", **fields)
                  for i in range(clips)]
    return write_store(folder, (
        replace(recording, labels=recording.labels | {"label": names[i % len(names)]})
        for i, recording in enumerate(recordings)))


def test_the_default_is_the_test_part_of_the_first_protocol(store):
    evaluation = evaluate_model(swinging_model(), store)
    assert evaluation.scores.clip_ids.tolist() == ["clip06", "clip07", "clip14", "clip15",
                                                   "clip22", "clip23"]
    assert evaluation.scores.classes == ("arms", "legs")
    assert evaluation.conditions["split"].endswith("test")
    assert evaluation.rows.tolist() == [6, 7, 14, 15, 22, 23]
    assert evaluation.subjects is None  # there is one only
    assert evaluation.notes == ()
    assert evaluation.rejection() == {}
    assert list(evaluation.figures()) == list(NAMES)
    assert evaluation.figures()["top1"].value == 1


def test_scores_are_those_of_the_model(store):
    model = swinging_model()
    evaluation = evaluate_model(model, store, "all")
    np.testing.assert_array_equal(evaluation.scores.scores, score_model(model, store.arrays))
    assert len(evaluation.scores) == 24
    np.testing.assert_array_equal(evaluation.subjects, store.columns()["subject"])


def test_a_model_that_a_guess_equals_is_told(store):
    wrong = evaluate_model(swinging_model(order=(1, 0)), store, "all")
    assert wrong.figures()["top1"].value == 0
    [remark] = wrong.remarks
    assert remark.startswith("On these 24 clips the model is not better than a guess beyond doubt: "
                             "0 are right, and naming the most frequent class, arms, every time")
    assert remark in format_figures(wrong)
    assert remark in describe_metrics(wrong)["notes"]
    assert evaluate_model(swinging_model(), store, "all").remarks == ()
    mixed = [evaluate_model(swinging_model(name=name, order=order), store, "all")
             for name, order in (("good", (0, 1)), ("wrong", (1, 0)))]
    assert fuse_evaluations(mixed, (9.0, 1.0)).remarks == ()  # of the fusion, not of its parts


def test_classes_in_another_order_change_nothing(store):
    plain = evaluate_model(swinging_model(), store, "all")
    turned = evaluate_model(swinging_model(("legs", "arms"), order=(1, 0)), store, "all")
    np.testing.assert_array_equal(turned.scores.scores, plain.scores.scores[:, ::-1])
    np.testing.assert_array_equal(turned.scores.labels, 1 - plain.scores.labels)
    assert turned.scores.accuracies() == plain.scores.accuracies()


def test_unknown_classes_are_refused_by_name_and_count(tmp_path):
    store = relabelled(tmp_path / "a", ("arms", "legs", "leg swing", "bow"))
    with pytest.raises(SkelactError, match=r"6 of 12 clips show 2 classes that the model swinger "
                                           r"does not know: bow \(3\), leg swing \(3\).*Pass "
                                           r"--shared-classes"):
        evaluate_model(swinging_model(), store, "all")
    evaluation = evaluate_model(swinging_model(), store, "all", shared_classes=True)
    assert evaluation.scores.clip_ids.tolist() == [f"clip{i:02}" for i in (0, 1, 4, 5, 8, 9)]
    assert evaluation.unknown is None
    assert "6 of 12 clips show 2 classes" in evaluation.notes[0]


def test_few_shared_classes_are_told(tmp_path):
    """One class, two of four, and all of them."""
    model = swinging_model(("arms", "legs", "bow", "nod"), order=(0, 1, 2, 3))
    model.network.parts += [[], []]  # never moves: never said
    model.network.forward = lambda clips: torch.nan_to_num(Swinging.forward(model.network, clips))
    one = evaluate_model(model, relabelled(tmp_path / "a", ("arms", "sit")), "all",
                         shared_classes=True)
    assert any(note.startswith("Clips of one class only are tested, arms: ") for note in one.notes)
    assert np.isnan(one.figures()["precision_macro"].value)
    shown = format_figures(one)
    assert "nan" not in shown
    assert "precision, mean" not in shown
    two = evaluate_model(model, relabelled(tmp_path / "b", ("arms", "legs")), "all")
    assert any(note.startswith("Only 2 of the 4 classes that the model knows are tested: arms, "
                               "legs.") for note in two.notes)
    assert two.figures()["precision_macro"].value == 1


def test_another_spelling_is_told(tmp_path):
    store = relabelled(tmp_path / "a", ("Arms", "legs"))
    evaluation = evaluate_model(swinging_model(), store, "all")
    assert evaluation.figures()["top1"].value == 1
    assert evaluation.notes == ("Class names that differ only in spelling were taken for the same: "
                                "Arms is arms.",)


def test_no_class_in_common_is_refused_even_when_sharing(tmp_path):
    store = relabelled(tmp_path / "a", ("bow", "leg"))
    with pytest.raises(SkelactError, match=r"no class of custom is known to the model swinger, "
                                           r"which knows arms, legs; .*leg \(the model has legs\)"):
        evaluate_model(swinging_model(), store, "all", shared_classes=True)


def test_a_model_that_rejects_is_asked_about_the_unknown(tmp_path):
    still = [replace(r, labels=r.labels | {"label": "stand", "clip_id": f"s{i}"})
             for i, r in enumerate(swinging("arms", 50 + i) for i in range(6))]
    still = [replace(r, tracks=tuple(replace(t, joints=np.repeat(t.joints[..., :1], len(t), 2))
                                     for t in r.tracks)) for r in still]
    moving = [swinging(("arms", "legs")[i % 2], i, clip_id=f"clip{i:02}") for i in range(12)]
    store = write_store(tmp_path / "a", [*moving, *still])
    model = swinging_model(rejects=True, threshold=0.5)
    evaluation = evaluate_model(model, store, "all", shared_classes=True)
    assert len(evaluation.scores) == 12
    assert evaluation.unknown.shape == (6, 2)
    assert evaluation.rejection() == {"accepted": 1.0, "accepted_unknown": 0.0, "auroc": 1.0}
    known = evaluate_model(model, relabelled(tmp_path / "b", ("arms", "legs")), "all")
    assert known.rejection() == {"accepted": 1.0}


def test_clips_without_labels_are_left_out_and_counted(tmp_path):
    recordings = [swinging(("arms", "legs")[i % 2], i, clip_id=f"clip{i}") for i in range(8)]
    recordings[3] = replace(recordings[3], labels={"clip_id": "clip3"})
    evaluation = evaluate_model(swinging_model(), write_store(tmp_path / "a", recordings), "all")
    assert "clip3" not in evaluation.scores.clip_ids
    assert evaluation.notes == ("1 clips without a label were left out.",)
    none = write_store(tmp_path / "b", (replace(r, labels={"clip_id": r.labels["clip_id"]})
                                        for r in recordings))
    with pytest.raises(SkelactError, match="none of the 8 clips in the split all"):
        evaluate_model(swinging_model(), none, "all")


def test_another_skeleton_is_converted_and_told(tmp_path):
    store = write_actions(tmp_path / "coco", layout="coco17")
    evaluation = evaluate_model(swinging_model(), store)
    assert evaluation.figures()["top1"].value == 1
    assert "remap coco17 -> penn13: 12 copied, 1 derived (head)" in evaluation.notes[0]


def test_a_2d_model_sees_3d_clips_from_the_front(tmp_path):
    store = write_actions(tmp_path / "kinect", layout="kinect20", dims=3)
    evaluation = evaluate_model(swinging_model(), store)
    assert evaluation.figures()["top1"].value == 1
    assert any("sees them from the front" in note for note in evaluation.notes)
    assert evaluation.conditions["layout"] == "kinect20, 3-D"


def test_what_a_model_cannot_take_is_refused(store, tmp_path):
    deep = swinging_model(layout="kinect20", dims=3)
    with pytest.raises(SkelactError, match="takes 3-D joints, and these clips are 2-D"):
        evaluate_model(deep, store)
    kinect = write_actions(tmp_path / "kinect", clips=8, layout="kinect20", dims=3)
    framed = swinging_model(clip=ClipConfig(layout="penn13", dims=2, normalise="image"))
    with pytest.raises(SkelactError, match="places joints in the image"):
        evaluate_model(framed, kinect)
    with pytest.raises(ChoiceError, match=r"views a clip \(--clips\) from 1, got 0"):
        evaluate_model(swinging_model(), store, views=0)
    with pytest.raises(ChoiceError, match="expected a split"):
        evaluate_model(swinging_model(), store, "xview/test")


def test_views_that_a_model_does_not_have_are_told(store):
    evaluation = evaluate_model(swinging_model(), store, views=10)
    assert evaluation.conditions["views"] == 1
    assert evaluation.notes == ("10 views a clip were asked for; this model, as it was trained, "
                                "has 1.",)
    mirrored = swinging_model(training={"augment": {"flip": 0.5, "crop": 0.5}})
    assert evaluate_model(mirrored, store, views=10).conditions["views"] == 10


@pytest.mark.parametrize("split", ["train", "val", "all"])
def test_clips_that_were_trained_on_are_told(store, split):
    model = swinging_model(data={"name": "gym"}, training={"protocol": ""})
    evaluation = evaluate_model(model, store, split)
    seen = 18 if split == "all" else len(evaluation.scores)
    assert evaluation.notes[0].startswith(f"{seen} of {len(evaluation.scores)} clips are in the")
    assert evaluate_model(model, store, "test").notes == ()
    others = swinging_model(data={"name": "another"}, training={"protocol": ""})
    assert evaluate_model(others, store, split).notes == ()


def test_what_a_model_has_seen_may_not_be_known(store):
    """It does not say, or its protocol was a table that is not here."""
    silent = evaluate_model(swinging_model(data={}), store)
    assert silent.notes == ("The model does not say which data set it was trained on: whether it "
                            "has seen clips of gym is not known.",)
    lost = swinging_model(data={"name": "gym"}, training={"protocol": "gone.csv"})
    (note,) = evaluate_model(lost, store).notes
    assert "protocol (gone.csv) cannot be found here" in note


def test_a_background_is_no_test_of_rejecting(store):
    model = swinging_model(rejects=True, training={"background": ["data/gym.store"]})
    assert "its background" in evaluate_model(model, store).notes[0]


def test_models_are_fused_by_weight(store):
    one, other = (evaluate_model(swinging_model(order=order, name=name), store, "all")
                  for order, name in (((0, 1), "a.pt"), ((1, 0), "b.pt")))
    fused = fuse_evaluations([one, other], (3, 1))
    np.testing.assert_allclose(fused.scores.scores,
                               0.75 * one.scores.scores + 0.25 * other.scores.scores)
    assert fused.conditions["model"] == "a.pt, b.pt"
    assert fused.conditions["fusion"] == "3:1"
    assert fused.conditions["views"] == 1
    assert fuse_evaluations([one]) is one
    turned = evaluate_model(swinging_model(("legs", "arms"), name="c.pt"), store, "all")
    with pytest.raises(SkelactError, match=r"c\.pt and a\.pt have the same classes in another"):
        fuse_evaluations([one, turned])


def test_evaluating_changes_neither_model_nor_store(tmp_path):
    store = write_store(tmp_path / "a", walkers())
    model = swinging_model(("run", "walk"))
    before = model.network.gain.clone(), store.arrays.joints.copy()
    evaluate_model(model, store, "all")
    assert model.network.gain == before[0]
    np.testing.assert_array_equal(store.arrays.joints, before[1])

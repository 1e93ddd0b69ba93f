"""Score fusion: the published example, weights, and runs that do not belong together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelact.errors import ChoiceError, FileFormatError, ShapeError, SkelactError
from skelact.evaluation.fusion import fuse_runs, fuse_scores, parse_weights
from skelact.evaluation.metrics import top_k_accuracy
from skelact.evaluation.scores import SCORES, ClipScores, write_scores

JOINT = np.array([[0.6, 0.4], [0.2, 0.8], [0.9, 0.1]])
BONE = np.array([[0.2, 0.8], [0.4, 0.6], [0.1, 0.9]])


@pytest.mark.shared
def test_the_reference_array_is_reproduced(shared):
    with np.load(shared / "reference" / "score_fusion.npz") as file:
        joint, bone, labels, fused = (file[name] for name in ("joint", "bone", "label",
                                                              "fused_1_1"))
    np.testing.assert_allclose(fuse_scores([joint, bone]), fused, rtol=0, atol=1e-15)
    np.testing.assert_allclose(fuse_scores([joint, bone], (3, 3)), fused, rtol=0, atol=1e-15)

    def top1(scores: np.ndarray) -> float:
        return round(top_k_accuracy(scores, labels), 4)

    assert top1(joint) == 0.9167
    assert top1(bone) == 0.9333
    assert top1(fuse_scores([joint, bone])) == 0.9333
    assert top1(fuse_scores([joint, bone], (2, 1))) == 0.9


def test_by_hand():
    np.testing.assert_allclose(fuse_scores([JOINT, BONE], (3, 1)),
                               [[0.5, 0.5], [0.25, 0.75], [0.7, 0.3]])
    np.testing.assert_array_equal(fuse_scores([JOINT]), JOINT)
    assert fuse_scores([np.empty((0, 2)), np.empty((0, 2))]).shape == (0, 2)


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_a_fusion_stays_between_its_parts_and_sums_to_one(seed, count):
    random = np.random.default_rng(seed)
    parts = random.dirichlet(np.ones(5), (count, 7))
    weights = random.uniform(0.1, 9, count)
    fused = fuse_scores(parts, weights)
    np.testing.assert_allclose(fused.sum(axis=1), 1)
    assert (fused <= parts.max(axis=0) + 1e-12).all()
    assert (fused >= parts.min(axis=0) - 1e-12).all()
    np.testing.assert_allclose(fused, np.average(parts, axis=0, weights=weights))
    order = random.permutation(count)
    np.testing.assert_allclose(fused, fuse_scores(parts[order], weights[order]))


def test_what_cannot_be_fused_is_refused():
    with pytest.raises(ShapeError, match=r"same clips and classes, got \[3, 2\], \[2, 2\]"):
        fuse_scores([JOINT, BONE[:2]])
    with pytest.raises(ShapeError, match="got nothing"):
        fuse_scores([])
    with pytest.raises(ShapeError):
        fuse_scores([JOINT[0], BONE[0]])
    for weights in ((1, 0), (0, 0), (2, -1), (1, np.nan), (1, np.inf)):
        with pytest.raises(ChoiceError, match="weights above 0"):
            fuse_scores([JOINT, BONE], weights)
    with pytest.raises(ChoiceError, match="expected 2 weights, one a network, got 3"):
        fuse_scores([JOINT, BONE], (1, 1, 1))
    with pytest.raises(SkelactError, match="softmax"):
        fuse_scores([JOINT, np.log(BONE)])


def test_weights_are_read_from_words():
    assert parse_weights("2:1") == (2.0, 1.0)
    assert parse_weights("0.6, 0.6,0.4,0.4") == (0.6, 0.6, 0.4, 0.4)
    for text in ("", "2:", "two:one", "2;1"):
        with pytest.raises(ChoiceError, match="such as 2:2:1:1"):
            parse_weights(text)
    with pytest.raises(ChoiceError, match="above 0"):
        parse_weights("2:0")


def write_run(folder, scores=JOINT, clip_ids=("a", "b", "c"), labels=(0, 1, 0),
              classes=("run", "sit")):
    write_scores(ClipScores(scores, labels, clip_ids, classes), folder / SCORES)
    return folder


def test_runs_are_aligned_by_clip(tmp_path):
    first = write_run(tmp_path / "joint", clip_ids=("b", "c", "a"))
    rows = [2, 0, 1]  # BONE is in the order b, c, a as well; this gives a, b, c
    other = write_run(tmp_path / "bone", BONE[rows], ("a", "b", "c"), np.array([0, 1, 0])[rows])
    fused = fuse_runs([first, other], (3, 1))
    assert fused.clip_ids.tolist() == ["b", "c", "a"]
    np.testing.assert_array_equal(fused.labels, [0, 1, 0])
    np.testing.assert_allclose(fused.scores, fuse_scores([JOINT, BONE], (3, 1)))


def test_runs_that_do_not_belong_together_are_refused(tmp_path):
    first = write_run(tmp_path / "a")
    for name, fields, message in (
        ("classes", {"classes": ("sit", "run")}, "another order: 'sit' against 'run'"),
        ("other", {"classes": ("run", "nod")}, r"other lacks 1 classes of .*a \(sit\); .*a lacks "
                                               r"1 classes of .*other \(nod\)"),
        ("clips", {"clip_ids": ("a", "b", "x")}, "1 are missing and 1 too many, such as c"),
        ("labels", {"labels": (0, 1, 1)}, "give 1 clips another label, such as c"),
    ):
        other = write_run(tmp_path / name, **fields)
        with pytest.raises(SkelactError, match=message):
            fuse_runs([first, other])
    with pytest.raises(FileFormatError, match="no scores at"):
        fuse_runs([first, tmp_path / "absent"])
    with pytest.raises(ShapeError, match="got none"):
        fuse_runs([])

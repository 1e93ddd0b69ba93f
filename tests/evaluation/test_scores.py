"""Scores of a test: what is accepted, written and read back."""

import csv

import numpy as np
import pytest

from skelact.errors import FileFormatError, OutputExistsError, ShapeError, SkelactError
from skelact.evaluation.scores import ClipScores, read_scores, write_predictions, write_scores

SCORES = np.array([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3]])


def some(**fields) -> ClipScores:
    return ClipScores(**({"scores": SCORES, "labels": [0, 1, 2, 2],
                          "clip_ids": ["a", "b", "ü, c", "d"],
                          "classes": ("run", "sit", "hop")} | fields))


def test_accuracies_by_hand():
    figures = some().accuracies()
    assert figures == {"top1": 0.75, "top5": 1.0,
                       "mean_class_accuracy": pytest.approx((1 + 1 + 0.5) / 3)}


def test_a_file_gives_back_what_was_written(tmp_path):
    result = some()
    path = write_scores(result, tmp_path / "run" / "test_scores.npz")
    for again in (read_scores(path), read_scores(tmp_path / "run")):
        np.testing.assert_array_equal(again.scores, result.scores)
        np.testing.assert_array_equal(again.labels, result.labels)
        assert again.clip_ids.tolist() == ["a", "b", "ü, c", "d"]
        assert again.classes == ("run", "sit", "hop")
        assert len(again) == 4
    with np.load(path, allow_pickle=False) as file:
        assert {name: file[name].dtype.kind for name in file} == {
            "scores": "f", "labels": "i", "clip_ids": "U", "classes": "U"}
    with pytest.raises(OutputExistsError):
        write_scores(result, path)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="4 clips and a name for each of 3 classes, got 4 and 2"):
        some(classes=("run", "sit"))
    with pytest.raises(ShapeError, match="clip id for each of 4"):
        some(clip_ids=["a", "b"])
    with pytest.raises(ShapeError, match=r"labels in 0\.\.2"):
        some(labels=[0, 1, 2, 3])
    with pytest.raises(SkelactError, match="every clip once, got b 2 times"):
        some(clip_ids=["a", "b", "b", "d"])
    with pytest.raises(SkelactError, match="softmax of logits first"):
        some(scores=SCORES * 9 - 2)
    with pytest.raises(SkelactError, match="softmax of logits first"):
        some(scores=SCORES * 2)
    with pytest.raises(SkelactError, match="without NaN"):
        some(scores=np.full((4, 3), np.nan))


def test_a_network_that_rejects_leaves_a_part_of_one():
    assert some(scores=SCORES * 0.4).accuracies() == some().accuracies()


def test_every_damage_is_one_clear_error(tmp_path):
    path = write_scores(some(), tmp_path / "test_scores.npz")
    whole = path.read_bytes()
    with pytest.raises(FileFormatError, match=r"no scores at .*skelact train"):
        read_scores(tmp_path / "absent")
    for damaged in (b"", whole[: len(whole) // 2], b"PK" + bytes(60),
                    whole.replace(SCORES.tobytes()[:8], bytes(8), 1)):
        path.write_bytes(damaged)
        with pytest.raises(FileFormatError, match="damaged"):
            read_scores(path)
    np.savez(path, scores=np.array([{}], dtype=object))
    with pytest.raises(FileFormatError, match="damaged"):
        read_scores(path)
    np.savez(path, scores=SCORES)
    with pytest.raises(FileFormatError, match="labels"):
        read_scores(path)


def test_predictions_are_a_table(tmp_path):
    path = write_predictions(some(), tmp_path / "predictions.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[2]["clip_id"] == "ü, c"
    assert [row["label"] for row in rows] == ["run", "sit", "hop", "hop"]
    assert [row["predicted"] for row in rows] == ["run", "sit", "hop", "sit"]
    found = np.array([[float(row[name]) for name in ("run", "sit", "hop")] for row in rows])
    np.testing.assert_allclose(found, SCORES, rtol=1e-5)

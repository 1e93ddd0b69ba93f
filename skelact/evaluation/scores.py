"""The scores of a test: one row of class probabilities a clip, kept so that they can be fused.

``test_scores.npz`` is readable with plain numpy, without pickle: ``scores [L, K]`` float64
probabilities, ``labels [L]`` class indices, ``clip_ids [L]`` and ``classes [K]`` unicode.
"""

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelact.errors import FileFormatError, ShapeError, SkelactError, one_line
from skelact.evaluation.metrics import mean_class_accuracy, top_k_accuracy, validate
from skelact.output import atomic_write, write_text

SCORES = "test_scores.npz"
"""The name of the file in a run folder."""


@dataclass(frozen=True, eq=False)
class ClipScores:
    """What a network says of clips whose class is known.

    Args:
        scores: ``[L, K]`` probabilities; a row sums to 1, or to less where the network can say
            "no known action".
        labels: ``[L]`` indices of the true classes.
        clip_ids: ``[L]`` names of the clips, each once.
        classes: ``[K]`` names of the classes.

    Raises:
        ShapeError: The axes do not fit each other.
        SkelactError: Scores that are no probabilities, or a clip that stands there twice.
    """

    scores: np.ndarray
    labels: np.ndarray
    clip_ids: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        scores, labels = validate(self.scores, self.labels)
        clip_ids, classes = np.asarray(self.clip_ids, np.str_), tuple(map(str, self.classes))
        if clip_ids.shape != labels.shape or len(classes) != scores.shape[1]:
            raise ShapeError(f"expected a clip id for each of {len(labels)} clips and a name for "
                             f"each of {scores.shape[1]} classes, got {clip_ids.size} and "
                             f"{len(classes)}")
        check_probabilities(scores)
        names, counts = np.unique(clip_ids, return_counts=True)
        if (counts > 1).any():
            raise SkelactError(f"expected every clip once, got {names[counts > 1][0]} "
                               f"{counts.max()} times")
        for name, value in (("scores", scores), ("labels", labels), ("clip_ids", clip_ids),
                            ("classes", classes)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def predicted(self) -> np.ndarray:
        """``[L]`` the likeliest class of each clip."""
        return self.scores.argmax(axis=1)

    def hits(self, k: int = 1) -> np.ndarray:
        """``[L]`` bool: the true class is among the k likeliest; ties count against it."""
        own = self.scores[np.arange(len(self)), self.labels]
        return (self.scores >= own[:, None]).sum(axis=1) <= k

    def accuracies(self) -> dict[str, float]:
        """``top1``, ``top5`` and ``mean_class_accuracy``, shares in [0, 1]."""
        return {
            "top1": top_k_accuracy(self.scores, self.labels),
            "top5": top_k_accuracy(self.scores, self.labels, k=5),
            "mean_class_accuracy": mean_class_accuracy(self.scores, self.labels),
        }


def check_probabilities(scores: np.ndarray) -> None:
    """Refuse scores that are no probabilities: the mean of unlike scales means nothing.

    Args:
        scores: ``[L, K]``.

    Raises:
        SkelactError: A score is NaN or below 0, or a row sums to more than 1.
    """
    if scores.size and not (scores.min() >= -1e-6 and scores.sum(axis=1).max() <= 1 + 1e-3):
        raise SkelactError("expected probabilities (rows that sum to 1, or less where a network "
                           f"rejects), got scores from {scores.min():.4g} to {scores.max():.4g} "
                           f"with rows up to {scores.sum(axis=1).max():.4g}; take the softmax of "
                           "logits first")


def write_scores(result: ClipScores, path: str | Path, overwrite: bool = False) -> Path:
    """Write scores as an ``.npz`` file, atomically.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    with atomic_write(path, overwrite) as temporary:
        np.savez(temporary, scores=result.scores, labels=result.labels,
                 clip_ids=result.clip_ids, classes=np.array(result.classes, np.str_))
    return Path(path)


def read_scores(path: str | Path) -> ClipScores:
    """The scores in a file, or in the run folder that holds it.

    Raises:
        FileFormatError: There is none, or it is damaged.
    """
    path = Path(path) / SCORES if Path(path).is_dir() else Path(path)
    if not path.is_file():
        raise FileFormatError(f"no scores at {path}; a run of `skelact train` that has come to "
                              "its end writes them")
    try:
        with np.load(path, allow_pickle=False) as file:
            return ClipScores(*(file[name] for name in ("scores", "labels", "clip_ids")),
                              tuple(file["classes"].tolist()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, EOFError, SkelactError,
            zipfile.BadZipFile) as error:
        raise FileFormatError(f"{path} is damaged or no file of scores: {one_line(error)}; train "
                              "or evaluate again") from error


def write_predictions(result: ClipScores, path: str | Path, overwrite: bool = False) -> Path:
    """Write a table: clip id, true and predicted class, and the probability of every class.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["clip_id", "label", "predicted", *result.classes])
    for clip_id, label, row in zip(result.clip_ids, result.labels, result.scores, strict=True):
        writer.writerow([clip_id, result.classes[label], result.classes[row.argmax()],
                         *(f"{value:.6g}" for value in row.tolist())])
    return write_text(path, text.getvalue(), overwrite)

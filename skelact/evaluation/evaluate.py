"""What a model is worth on a data set: `evaluate_model`, and all that must be known of a figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skelact.datasets.splits import protocols, select_rows
from skelact.datasets.store import Store
from skelact.device import choose_precision
from skelact.errors import ChoiceError, SkelactError
from skelact.evaluation.calibration import expected_calibration_error, unknown_auroc
from skelact.evaluation.class_match import ClassMatch, describe_few, match_classes
from skelact.evaluation.clip_pixels import find_pixels
from skelact.evaluation.conditions import (
    check_form,
    describe_conditions,
    describe_form,
    find_leaks,
)
from skelact.evaluation.figures import measure, usable_subjects
from skelact.evaluation.fusion import fuse_results, fuse_scores
from skelact.evaluation.guessing import describe_doubt
from skelact.evaluation.intervals import Interval
from skelact.evaluation.scores import ClipScores
from skelact.evaluation.scoring import score_model, trained_augment
from skelact.evaluation.views import plan_views
from skelact.models.checkpoint import ActionModel


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model says of the clips of a split, and under which conditions.

    Args:
        scores: The clips of known classes; the classes are the model's.
        rows: ``[L]`` which clips of the store they are.
        subjects: ``[L]`` who is seen in each; None where that is not known of all.
        unknown: ``[U, K]`` scores of clips of classes that the model does not know; None where
            none were scored.
        threshold: The probability from which the model names an action; None if it always does.
        conditions: What the figures depend on, as names and plain values.
        notes: Sentences that a reader of the figures must know.
    """

    scores: ClipScores
    rows: np.ndarray
    subjects: np.ndarray | None
    unknown: np.ndarray | None
    threshold: float | None
    conditions: Mapping[str, object]
    notes: tuple[str, ...]

    def figures(self) -> dict[str, Interval]:
        """``top1``, ``top5``, ``mean_class_accuracy``, ``precision_macro``, ``recall_macro`` and
        ``f1_macro`` with 95 % intervals, drawn by subject where subjects are known.
        """
        return self._figures

    @cached_property
    def _figures(self) -> dict[str, Interval]:
        return measure(self.scores, self.subjects)

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """The notes, and before them whether a guess would do as well."""
        return (*filter(None, (describe_doubt(self.scores),)), *self.notes)

    def rejection(self) -> dict[str, float]:
        """How well known actions are told from unknown ones; nothing for a model that names all.

        Returns:
            ``accepted``, the share of known clips that get a name; with clips of unknown classes
            also ``accepted_unknown``, and ``auroc``: the chance that a known clip has a higher
            probability than an unknown one. Shares are left out where several models are fused,
            which have no threshold in common.
        """
        known, shares = self.scores.scores.max(axis=1), {}
        unknown = None if self.unknown is None else self.unknown.max(axis=1)
        if self.threshold is not None:
            shares["accepted"] = float((known >= self.threshold).mean())
            if unknown is not None:
                shares["accepted_unknown"] = float((unknown >= self.threshold).mean())
        if unknown is not None:
            shares["auroc"] = unknown_auroc(known, unknown)
        return shares

    def calibration_error(self) -> float:
        """How far stated probabilities are from the shares that come true (ECE, 15 bins)."""
        return expected_calibration_error(self.scores.scores, self.scores.labels)


def evaluate_model(
    model: ActionModel, store: Store, split: str = "", views: int = 1, *,
    precision: str = "fp32", shared_classes: bool = False, workers: int = 0,
    progress: bool = False, rgb: bool = True, videos: str = "",
) -> Evaluation:
    """Score the labelled clips of a split.

    Args:
        model: The model; it is run where it is (CPU, CUDA).
        store: The data set.
        split: As `select_rows` knows it; by default ``test`` of the data set's first protocol.
        views: Views a clip, at most, whose probabilities are averaged.
        precision: ``fp32``, ``bf16``, ``fp16``, or ``auto`` for bf16 where it is native.
        shared_classes: Leave out clips of classes that the model does not know, instead of
            refusing; a model that rejects is asked about them too.
        workers: Threads that prepare batches ahead.
        progress: Show a progress bar on a terminal.
        rgb: Let a model that wants pixels look at them, where the clips have videos; the notes
            say how many have. False: judge what its skeleton network says alone.
        videos: Folder of the videos, where they no longer lie where the store was made from them.

    Raises:
        ChoiceError: No such split, or not one view at least.
        SkelactError: No clip to score, classes that the model does not know, or clips that
            cannot be brought into the form that it takes.
        LayoutError: Their skeleton cannot be converted.
    """
    if views < 1:
        raise ChoiceError(f"expected views a clip (--clips) from 1, got {views}")
    chosen = choose_clips(model, store, split, shared_classes, ask_others=model.rejects)
    device = next(model.network.parameters()).device
    precision = choose_precision(precision, device)
    known, others = chosen.rows, chosen.others
    others = others if model.rejects else others[:0]  # others always get a name: nothing to ask
    asked = np.concatenate([known, others])
    pixels, seen = find_pixels(model, store, asked, rgb, videos, workers)
    said = score_model(model, store.arrays, asked, views, precision, workers, progress, pixels)
    used = plan_views(model.clip, trained_augment(model), views).count
    notes = chosen.notes + seen
    if used < views:
        notes += (f"{views} views a clip were asked for; this model, as it was trained, has "
                  f"{used}.",)
    return Evaluation(
        ClipScores(said[: len(known)], chosen.labels, chosen.ids, model.classes), known,
        chosen.subjects, said[len(known) :] if len(others) else None,
        model.threshold if model.rejects else None,
        describe_conditions(model, store, chosen.split, used, precision, device), notes,
    )


@dataclass(frozen=True, eq=False)
class ChosenClips:
    """The clips of a split that a model can be judged on.

    Args:
        split: With the protocol's name, where none was asked for.
        rows: ``[L]`` which clips of the store have a class that the model knows.
        labels: ``[L]`` their classes, as the model numbers them.
        ids: ``[L]`` their names.
        subjects: ``[L]`` who is seen in each; None where that is not known of all.
        others: ``[U]`` labelled clips of classes that the model does not know.
        notes: Sentences that a reader of figures on them must know.
    """

    split: str
    rows: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    subjects: np.ndarray | None
    others: np.ndarray
    notes: tuple[str, ...]


def choose_clips(
    model: ActionModel, store: Store, split: str = "", shared_classes: bool = False,
    ask_others: bool = False,
) -> ChosenClips:
    """The labelled clips of a split in the classes of a model; nothing is scored.

    Args:
        model: The model.
        store: The data set.
        split: As `select_rows` knows it; by default ``test`` of the data set's first protocol.
        shared_classes: Leave out clips of classes that the model does not know, instead of
            refusing.
        ask_others: Whether the model is going to be asked about them; the notes say so.

    Raises:
        ChoiceError: No such split.
        SkelactError: No clip to score, classes that the model does not know, or clips that
            cannot be brought into the form that it takes.
        LayoutError: Their skeleton cannot be converted.
    """
    check_form(model, store.arrays)
    columns = store.columns()
    split = split or _default_split(store, columns)
    rows, notes = _labelled_rows(store, columns, split)
    match = match_classes(model.classes, store.header.classes)
    labels = match.relabel(store.arrays.labels)
    known = rows[labels[rows] >= 0]
    others = rows[labels[rows] < 0]
    notes += _check_match(store, match, known, others, model, shared_classes, ask_others)
    notes += describe_few(model.classes, labels[known])
    notes += find_leaks(model, store, columns, known)
    return ChosenClips(
        split, known, labels[known], np.asarray(columns["clip_id"]).astype(str)[known],
        usable_subjects(columns["subject"][known]), others,
        (*describe_form(model, store.arrays), *notes))


def fuse_evaluations(
    evaluations: Sequence[Evaluation], weights: Sequence[float] | None = None
) -> Evaluation:
    """Several models on the same clips as one: the weighted mean of their probabilities.

    Args:
        evaluations: At least one; of one store and split.
        weights: One number above 0 a model; by default all weigh the same.

    Raises:
        SkelactError: The models do not have the same classes, or saw other clips.
        ChoiceError: Unusable weights.
    """
    first = evaluations[0]
    if len(evaluations) == 1:
        return first
    names = [str(one.conditions["model"]) for one in evaluations]
    scores = fuse_results([one.scores for one in evaluations], weights, names)
    asked = all(one.unknown is not None for one in evaluations)
    shares = weights or [1.0] * len(evaluations)
    fused = {"model": ", ".join(names), "fusion": ":".join(f"{share:g}" for share in shares)}
    said = {name: list(dict.fromkeys(one.conditions[name] for one in evaluations))
            for name in ("model_sha256", "network", "stream", "views", "trained_on")}
    differing = {name: ", ".join(map(str, values)) for name, values in said.items()
                 if len(values) > 1}
    return replace(
        first, scores=scores, threshold=None,
        unknown=fuse_scores([one.unknown for one in evaluations], weights) if asked else None,
        conditions={**first.conditions, **differing, **fused},
        notes=tuple(dict.fromkeys(note for one in evaluations for note in one.notes)),
    )


def _default_split(store: Store, columns: dict) -> str:
    """The test part of the first protocol, with the protocol's name where it has one."""
    first = next(iter(protocols(store.header.name, columns)))
    return f"{first}/test" if first != "all" else "test"


def _labelled_rows(store: Store, columns: dict, split: str) -> tuple[np.ndarray, list[str]]:
    """The clips to judge, and what there is to say."""
    rows = select_rows(columns, split, dataset=store.header.name)
    labelled = rows[store.arrays.labels[rows] >= 0]
    if not len(labelled):
        parts = (" (they are whole recordings with labelled parts, which `skelact recognize` is "
                 "for)" if store.annotated()[rows].any() else "")
        raise SkelactError(f"none of the {len(rows)} clips in the split {split} of {store.folder} "
                           f"has a label{parts}; evaluation needs labelled clips")
    lost = len(rows) - len(labelled)
    return labelled, [f"{lost} clips without a label were left out."] if lost else []


def _check_match(
    store: Store, match: ClassMatch, known: np.ndarray, others: np.ndarray, model: ActionModel,
    shared_classes: bool, ask_others: bool,
) -> list[str]:
    """What to say of classes that are not the same in model and data, if it may go on."""
    notes, name = [], " ".join(("the model", model.name)).strip()
    if match.respelled:
        pairs = ", ".join(f"{name} is {other}" for name, other in match.respelled.items())
        notes.append(f"Class names that differ only in spelling were taken for the same: {pairs}.")
    if not len(others):
        return notes
    classes = store.header.classes
    numbers, counts = np.unique(store.arrays.labels[others], return_counts=True)
    listed = _some([f"{classes[k]} ({count})" for k, count in zip(numbers, counts, strict=True)])
    similar = [f"{classes[k]} (the model has {match.similar[classes[k]]})" for k in numbers
               if classes[k] in match.similar]
    what = (f"{len(others)} of {len(known) + len(others)} clips show {len(numbers)} classes that "
            f"{name} does not know: {listed}")
    hint = f" Names to look at: {_some(similar)}." if similar else ""
    if not len(known):
        raise SkelactError(f"no class of {store.header.name} is known to {name}, which knows "
                           f"{_some(model.classes)}; the data set has {_some(classes)}.{hint}")
    if not shared_classes:
        raise SkelactError(f"{what}.{hint} Pass --shared-classes (shared_classes=True) to judge "
                           "it on the others alone")
    asked = " It was asked about them to see what it takes for unknown." * ask_others
    return [*notes, f"{what}. They are not in the figures.{asked}{hint}"]


def _some(names: Sequence[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

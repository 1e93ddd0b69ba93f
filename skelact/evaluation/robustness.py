"""How much a recognizer loses when its joints get worse.

Conventions: accuracies are shares in [0, 1]. Every corruption is measured at a few severities,
with one or several seeds, on the same clips. **Mean corruption accuracy** (mCA) is the mean over
the corruptions of the mean over their severities of the top-1 accuracy; **relative** mCA is that
divided by the top-1 accuracy on the clips as they are, 1 for a recognizer that loses nothing. What
has no meaning for the clips (the yaw of a camera for 2-D joints) is left out of the mean and
listed; the report says over how many corruptions the mean is, and only means over the same ones can
be compared. 3-D clips are metres with y up (see `skelact.evaluation.harmonise`): where people
surely stand along another axis, corruptions of the camera and of the picture are left out, and a
note says so. Intervals are bootstrap intervals over the clips, or over whole subjects.

Source: Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations", ICLR 2019, for the idea of a mean over corruptions and severities.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from tqdm import tqdm

from skelact.checks import check_choice
from skelact.datasets.arrays import ClipArrays
from skelact.errors import ChoiceError, LayoutError, SkelactError
from skelact.evaluation.clip_pixels import explain_alone
from skelact.evaluation.clip_rows import select_clips
from skelact.evaluation.corruptions import CORRUPTIONS, Corruption
from skelact.evaluation.harmonise import inspect_axes
from skelact.evaluation.idle_corruptions import STILL, explain_idle, mean_shift
from skelact.evaluation.intervals import Interval, Metric, bootstrap
from skelact.evaluation.metrics import mean_over_classes
from skelact.evaluation.scores import ClipScores
from skelact.evaluation.scoring import score_model
from skelact.models.checkpoint import ActionModel


@dataclass(frozen=True, eq=False)
class Level:
    """One corruption at one severity.

    Args:
        severity: In the unit of the corruption.
        right: ``[L]`` share of the seeds with which each clip was recognized.
        moved: Probability that went from class to class, against the clips as they are; the mean
            over clips and seeds.
    """

    severity: float
    right: np.ndarray
    moved: float = float("nan")


@dataclass(frozen=True, eq=False)
class RobustnessResult:
    """What `measure_robustness` found.

    Args:
        clean: ``[L]`` 0 or 1: the clip was recognized as it is.
        labels: ``[L]`` class of each clip.
        groups: ``[L]`` subject of each clip, for intervals by subject; None for intervals by clip.
        curves: Corruption -> its levels, in rising severity.
        impossible: Corruption -> why it has no meaning for these clips.
        corruptions: What each corruption is.
        idle: Corruption that changes nothing of what the recognizer says -> why.
        seeds: With how many seeds each random corruption was measured.
        draws: Bootstrap samples an interval.
        notes: Sentences that a reader of the figures must know.
    """

    clean: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None
    curves: Mapping[str, tuple[Level, ...]]
    impossible: Mapping[str, str]
    corruptions: Mapping[str, Corruption] = field(repr=False)
    idle: Mapping[str, str] = field(default_factory=dict)
    seeds: int = 1
    draws: int = 2000
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def top1(self, right: np.ndarray) -> Interval:
        """Top-1 accuracy of ``right [L]``, such as ``clean`` or that of a level."""
        return self._interval(lambda rows: float(right[rows].mean()))

    def mean_class_accuracy(self, right: np.ndarray) -> Interval:
        """Mean over the classes that occur of the share recognized."""
        return self._interval(lambda rows: mean_over_classes(right[rows], self.labels[rows]))

    def mean_right(self, name: str) -> np.ndarray:
        """``[L]`` of a corruption, the mean over its severities."""
        return np.mean([level.right for level in self.curves[name]], axis=0)

    def corruption_accuracy(self) -> Interval:
        """The mean corruption accuracy (mCA)."""
        return self.top1(self._mean_right())

    def relative_accuracy(self) -> Interval:
        """The mean corruption accuracy, relative to that on the clips as they are."""
        mean = self._mean_right()
        found = self._interval(lambda rows: float(mean[rows].mean() / self.clean[rows].mean())
                               if self.clean[rows].any() else float("nan"), (0.0, np.inf))
        least = self.top1(self.clean).low  # where all is right always, nothing else bounds it
        return replace(found, high=min(found.high, 1 / least)) if least > 0 else found

    def _mean_right(self) -> np.ndarray:
        return np.mean([self.mean_right(name) for name in self.curves], axis=0)

    def _interval(self, metric: Metric, limits: tuple[float, float] = (0.0, 1.0)) -> Interval:
        return bootstrap(metric, len(self), groups=self.groups, draws=self.draws, limits=limits)


def measure_robustness(
    model: ActionModel, arrays: ClipArrays, rows: np.ndarray | None = None,
    corruptions: Sequence[str] = (), severities: Mapping[str, Sequence[float]] | None = None,
    *, seeds: int = 1, groups: np.ndarray | None = None, draws: int = 2000,
    precision: str = "fp32", workers: int = 0, progress: bool = False,
) -> RobustnessResult:
    """Score a model on clips as they are, and with every corruption at every severity.

    Args:
        model: The model.
        arrays: The clips, whose labels are indices of the model's classes.
        rows: ``[L]`` those to use; by default all that have a label.
        corruptions: Names out of `CORRUPTIONS`; by default all.
        severities: Corruption -> severities, where they are to be others than those of the table.
        seeds: How often each random corruption is drawn.
        groups: ``[L]`` subject of each row, for intervals by subject.
        draws: Bootstrap samples an interval.
        precision: Arithmetic of the layers: ``fp32``, ``bf16`` or ``fp16``.
        workers: Threads that prepare batches ahead.
        progress: Show a bar.

    Raises:
        ChoiceError: An unknown corruption, or a severity or number out of range.
        SkelactError: There are no clips, labels are none of the model's, nothing that was asked
            for has a meaning for these clips, or the clips do not suit the model.
    """
    chosen = check_request(corruptions, severities or {}, seeds)
    rows = np.flatnonzero(arrays.labels >= 0) if rows is None else np.asarray(rows, np.int64)
    clips = select_clips(arrays, rows)
    if not len(clips):
        raise SkelactError("expected labelled clips to measure robustness on, got none")
    askew, notes = _check_axes(clips)
    notes += explain_alone(model)
    curves, impossible, idle, names = {}, {}, {}, np.arange(len(clips)).astype(str)
    total = 1 + sum(len(each) * (seeds if CORRUPTIONS[name].random else 1)
                    for name, each in chosen.items())
    with tqdm(total=total, unit=" tests", disable=None if progress else True) as bar:

        def score(changed: ClipArrays) -> ClipScores:
            scores = score_model(model, changed, precision=precision, workers=workers)
            bar.update()
            return ClipScores(scores, clips.labels, names, model.classes)

        clean = score(clips)
        notes += _explain_constant(clean)
        for name, levels in chosen.items():
            bar.set_description(name)
            if askew and CORRUPTIONS[name].upright:
                impossible[name] = askew
                continue
            try:
                curves[name] = _measure(CORRUPTIONS[name], clips, levels, seeds, score, clean)
                if max(level.moved for level in curves[name]) < STILL:
                    worst = _change(CORRUPTIONS[name], clips, levels[-1], 0)
                    idle[name] = explain_idle(model, name, clips, worst)
            except _MeaninglessError as error:
                impossible[name] = str(error)
    if not curves:
        raise SkelactError("nothing could be measured: " + "; ".join(
            f"{name}: {reason}" for name, reason in impossible.items()))
    return RobustnessResult(clean.hits().astype(float), clips.labels, groups, curves, impossible,
                            {name: CORRUPTIONS[name] for name in chosen}, idle, seeds, draws,
                            notes)


def check_request(
    names: Sequence[str], severities: Mapping[str, Sequence[float]], seeds: int = 1
) -> dict[str, tuple[float, ...]]:
    """Corruption -> rising severities, if everything asked for can be done.

    Raises:
        ChoiceError: An unknown corruption, or a severity or number out of range.
    """
    if seeds < 1:
        raise ChoiceError(f"expected seeds from 1, got {seeds}")
    for name in (*names, *severities):
        check_choice(name, tuple(CORRUPTIONS), "a corruption")
    chosen = {}
    for name in names or CORRUPTIONS:
        corruption = CORRUPTIONS[name]
        wanted = severities.get(name, corruption.severities)
        if not len(wanted):
            raise ChoiceError(f"expected severities for {name}, got none")
        chosen[name] = tuple(sorted({corruption.check(float(each)) for each in wanted}))
    if unused := sorted(set(severities) - set(chosen)):
        raise ChoiceError(f"severities were given for {', '.join(unused)}, which is not among the "
                          "corruptions to measure")
    return chosen


def _measure(
    corruption: Corruption, clips: ClipArrays, severities: Sequence[float], seeds: int,
    score: Callable[[ClipArrays], ClipScores], clean: ClipScores,
) -> tuple[Level, ...]:
    levels = []
    for severity in severities:
        said = [score(_change(corruption, clips, severity, seed))
                for seed in range(seeds if corruption.random else 1)]
        levels.append(Level(severity, np.mean([one.hits() for one in said], axis=0),
                            float(np.mean([mean_shift(clean.scores, one.scores)
                                           for one in said]))))
    return tuple(levels)


class _MeaninglessError(Exception):
    """A corruption has no meaning for these clips."""


def _change(corruption: Corruption, clips: ClipArrays, severity: float, seed: int) -> ClipArrays:
    """Corrupted clips; what the model says of them may then fail, and is not excused."""
    try:
        return corruption.change(clips, severity, seed)
    except (ChoiceError, LayoutError) as error:
        raise _MeaninglessError(str(error)) from error


def _explain_constant(clean: ClipScores) -> tuple[str, ...]:
    """A warning where one class is the answer to all: such a model keeps all of its accuracy."""
    answers = set(clean.predicted.tolist())
    if len(answers) > 1 or len(set(clean.labels.tolist())) < 2:
        return ()
    return (f"The model answers {clean.classes[answers.pop()]!r} to every clip as it is, so it has "
            "nothing to lose, and these figures say nothing about robustness; train it further.",)


def _check_axes(clips: ClipArrays) -> tuple[str, tuple[str, ...]]:
    """Why a camera cannot be moved among 3-D clips, empty if it can; and what a reader must know.

    Turns are by angles and crops by shares, so another unit than metres does no harm to them, as
    long as it is one for all axes.
    """
    if clips.dims != 3:
        return "", ()
    report = inspect_axes(clips)
    unequal = report.metres is not None and len(set(report.metres)) > 1
    wrong = []
    if report.up not in (None, "+y"):
        wrong.append(f"people stand along {report.up} instead of +y")
    if report.metres is not None and not np.allclose(report.metres, 1):
        wrong.append(f"the unit is not metres but {report.unit}")
    if not wrong:
        return "", ()
    note = (f"Expected 3-D joints in metres with y up, but {' and '.join(wrong)}; bring the data "
            "into the common axes (skelact.evaluation.harmonise) and measure again.")
    askew = "" if report.up in (None, "+y") and not unequal else (
        f"it takes y for up and one unit for all axes, but {' and '.join(wrong)}; harmonise the "
        "data first")
    return askew, (note,)

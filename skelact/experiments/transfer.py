"""One cell of a matrix: a network trained on some data sets, tested on another."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from skelact.config import TrainConfig
from skelact.datasets.arrays import ClipArrays
from skelact.datasets.store import Store
from skelact.evaluation.adaptation import adapt
from skelact.evaluation.domain_distance import measure_distances
from skelact.evaluation.features import extract_features
from skelact.evaluation.intervals import Interval, bootstrap
from skelact.evaluation.scores import ClipScores, write_scores
from skelact.evaluation.scoring import score_model
from skelact.experiments.domains import Task
from skelact.models.checkpoint import ActionModel
from skelact.training.loop import train


@dataclass(frozen=True)
class Figures:
    """How well clips are recognized, the mean over the seeds.

    Args:
        accuracy: Share of clips, with its 95 % interval.
        balanced: Mean over the classes, with its 95 % interval.
        by_seed: Accuracy of each seed.
        count: Clips.
        clustered: Whether the intervals are for other subjects, or only for other clips.
    """

    accuracy: Interval
    balanced: Interval
    by_seed: tuple[float, ...]
    count: int
    clustered: bool


@dataclass(frozen=True)
class Cell:
    """What came out for one pair.

    Args:
        sources: Names of the data sets trained on.
        target: Name of the data set tested on.
        classes: The shared classes.
        figures: On all clips of the target that show one of them; in the domain, on its test part.
        in_domain: The same networks on the test parts of the sources; None where there are none.
        adapted: Way to adapt -> figures on the target.
        distances: Name -> distance between the features of both sides, the mean over the seeds.
    """

    sources: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    figures: Figures
    in_domain: Figures | None = None
    adapted: dict[str, Figures] = field(default_factory=dict)
    distances: dict[str, float] = field(default_factory=dict)

    @property
    def drop(self) -> float:
        """Accuracy lost against the domain that was trained on; NaN where that is unknown."""
        if self.in_domain is None:
            return float("nan")
        return self.in_domain.accuracy.value - self.figures.accuracy.value

    @property
    def is_in_domain(self) -> bool:
        """Whether the target is what was trained on."""
        return self.sources == (self.target,)

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return asdict(self) | {"drop": None if np.isnan(self.drop) else self.drop}


def train_task(
    task: Task, store: Store, config: TrainConfig, folder: Path, seeds: int, resume: bool
) -> list[ActionModel]:
    """Train the networks of a task, one a seed, each in a run folder ``seed<n>``.

    Args:
        task: What to learn.
        store: Its derived store.
        config: Settings; ``config.seed`` is the first seed.
        folder: Above the run folders.
        seeds: How many.
        resume: Read finished runs and go on with others.
    """
    return [train(configure(task, store, replace(config, seed=seed)), folder / f"seed{seed}",
                  resume=resume)
            for seed in range(config.seed, config.seed + seeds)]


def configure(task: Task, store: Store, config: TrainConfig) -> TrainConfig:
    """The settings of one run: 2-D clips are scaled by the body, for images differ."""
    clip = replace(config.clip, layout="auto", dims=task.dims)
    if task.dims == 2 and clip.normalise == "auto":
        clip = replace(clip, normalise="body")
    return replace(config, dataset="", data=str(store.folder), protocol="", clip=clip)


def judge_task(
    task: Task, store: Store, models: Sequence[ActionModel], folder: Path, views: int = 1,
    adaptations: Sequence[str] = (), distances: bool = False,
) -> Cell:
    """Score the networks of a task, in the domain and on the target; scores are written.

    Args:
        task: What was learned.
        store: Its derived store.
        models: One a seed.
        folder: Where the scores go, as ``on_<target>.npz`` in ``seed<n>``.
        views: Views a clip.
        adaptations: Ways to adapt to the target's clips, without their labels.
        distances: Measure how far the features of both sides lie apart.
    """
    home = _Clips(store.arrays, _listed(store, "test"), store.arrays.labels,
                  np.asarray(store.columns()["subject"]), np.asarray(store.columns()["clip_id"]))
    domain, labels = task.target, task.labels[task.target.name]
    away = _Clips(domain.arrays, np.flatnonzero(labels >= 0), labels,
                  np.asarray(domain.columns["subject"]), np.asarray(domain.columns["clip_id"]))
    in_domain = measure(models, home, task.classes, views)
    figures, adapted, apart = in_domain, {}, {}
    if not task.in_domain:
        files = [folder / f"seed{model.training['seed']}" / f"on_{domain.name}.npz"
                 for model in models]
        figures = measure(models, away, task.classes, views, files)
        learned = store.arrays, _listed(store, "train")
        for way in adaptations:
            changed = [adapt(way, model, learned, (away.arrays, away.rows)) for model in models]
            adapted[way] = measure(changed, away, task.classes, views)
        if distances:
            apart = _measure_apart(models, learned, (away.arrays, away.rows))
    return Cell(tuple(source.name for source in task.sources), domain.name, task.classes, figures,
                in_domain, adapted, apart)


@dataclass(frozen=True, eq=False)
class _Clips:
    """Clips to score, and what is known of all L: labels, subjects (-1 unknown), names."""

    arrays: ClipArrays
    rows: np.ndarray
    labels: np.ndarray
    subjects: np.ndarray
    clip_ids: np.ndarray


def measure(
    models: Sequence[ActionModel], clips: _Clips, classes: tuple[str, ...], views: int = 1,
    files: Sequence[Path] = (),
) -> Figures:
    """Score clips by every network; the scores go into the files, if there are any."""
    results = [ClipScores(score_model(model, clips.arrays, clips.rows, views),
                          clips.labels[clips.rows], clips.clip_ids[clips.rows], classes)
               for model in models]
    for result, file in zip(results, files, strict=bool(files)):
        write_scores(result, file, overwrite=True)
    return summarise(results, clips.subjects[clips.rows])


def summarise(results: Sequence[ClipScores], subjects: np.ndarray) -> Figures:
    """Figures of the same clips scored by several networks.

    Args:
        results: One a seed.
        subjects: ``[L]`` who is seen; -1 for unknown.
    """
    hits = np.mean([result.hits() for result in results], axis=0)  # [L] share of the seeds
    labels, count = results[0].labels, len(results[0].classes)
    known = bool((subjects >= 0).all()) and len(np.unique(subjects)) > 1

    def balanced(rows: np.ndarray) -> float:
        total = np.bincount(labels[rows], minlength=count)
        right = np.bincount(labels[rows], hits[rows], minlength=count)
        return float((right[total > 0] / total[total > 0]).mean())

    shares = [bootstrap(metric, len(hits), subjects if known else None)
              for metric in (lambda rows: float(hits[rows].mean()), balanced)]
    return Figures(*shares, tuple(float(result.hits().mean()) for result in results), len(hits),
                   known)


def _measure_apart(
    models: Sequence[ActionModel], source: tuple[ClipArrays, np.ndarray],
    target: tuple[ClipArrays, np.ndarray],
) -> dict[str, float]:
    found = [measure_distances(extract_features(model, *source), extract_features(model, *target))
             for model in models]
    return {name: float(np.mean([distances[name] for distances in found])) for name in found[0]}


def _listed(store: Store, part: str) -> np.ndarray:
    return np.flatnonzero([part in names for names in store.columns()["splits"]])

"""One cell of a matrix: a network trained on some data sets, tested on another."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from skelact.config import TrainConfig
from skelact.datasets.arrays import ClipArrays
from skelact.datasets.store import Store
from skelact.errors import SkelactError
from skelact.evaluation.adaptation import adapt
from skelact.evaluation.domain_distance import measure_distances
from skelact.evaluation.features import extract_features
from skelact.evaluation.figures import usable_subjects
from skelact.evaluation.intervals import Interval, bootstrap
from skelact.evaluation.metrics import mean_over_classes
from skelact.evaluation.scores import ClipScores, write_scores
from skelact.evaluation.scoring import score_model
from skelact.experiments.domains import Domain, Task
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
        figures: On all clips of the target that show one of them and were not trained on; in the
            domain, on its test part.
        in_domain: The same networks on the test parts of the sources; None where there are none.
        adapted: Way to adapt -> figures on the target.
        distances: Name -> distance between the features of both sides, the mean over the seeds.
        few_shot: ``"5 cosine"`` and so on -> figures on the target's test part, all of its
            classes; see `skelact.experiments.few_shot`.
    """

    sources: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    figures: Figures | None
    in_domain: Figures | None = None
    adapted: dict[str, Figures] = field(default_factory=dict)
    distances: dict[str, float] = field(default_factory=dict)
    few_shot: dict[str, Figures] = field(default_factory=dict)

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
    settings = configure_run(config, store, task.dims)
    return [train(replace(settings, seed=seed), folder / f"seed{seed}", resume=resume)
            for seed in range(config.seed, config.seed + seeds)]


def configure_run(config: TrainConfig, store: Store, dims: int) -> TrainConfig:
    """The settings of a run on a derived store; 2-D clips are scaled by the body.

    (Their images differ in size and in what they show, so a place in them says nothing.)
    """
    clip = replace(config.clip, layout="auto", dims=dims)
    if dims == 2 and clip.normalise == "auto":
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
        folder: Above their run folders, where the scores go as ``on_<target>.npz``.
        views: Views a clip.
        adaptations: Ways to adapt to the target's clips, without their labels.
        distances: Measure how far the features of both sides lie apart.
    """
    columns = store.columns()
    home = Clips.among(store.arrays, _listed(columns, "test"), store.arrays.labels, columns)
    away = Clips.of(task.target, task.labels[task.target.name],
                    learned=_find_learned(task, columns))
    in_domain = measure(models, home, task.classes, views)
    cell = Cell(tuple(source.name for source in task.sources), task.target.name, task.classes,
                in_domain, in_domain)
    if task.in_domain:
        return cell
    learned = store.arrays, _listed(columns, "train")
    files = [folder / f"seed{model.training['seed']}" / f"on_{task.target.name}.npz"
             for model in models]
    return judge_away(cell, models, away, learned, views, adaptations, distances, files)


def judge_away(
    cell: Cell, models: Sequence[ActionModel], away: "Clips",
    learned: tuple[ClipArrays, np.ndarray] | None, views: int = 1, adaptations: Sequence[str] = (),
    distances: bool = False, files: Sequence[Path] = (), merge: np.ndarray | None = None,
) -> Cell:
    """A cell with what its networks do on the target.

    Args:
        cell: What is known already.
        models: One a seed.
        away: Clips of the target.
        learned: Clips that were trained on and rows of them, for CORAL and distances.
        views: Views a clip.
        adaptations: Ways to adapt.
        distances: Measure how far apart.
        files: Where the scores go, one a model; none for nowhere.
        merge: See `measure`.
    """
    to = away.arrays, away.rows
    adapted = {}
    for way in adaptations:
        changed = [adapt(way, model, learned, to)
                   for model in tqdm(models, f"adapting ({way})", leave=False, disable=None)]
        adapted[way] = measure(changed, away, cell.classes, views, merge=merge)
    return replace(
        cell, figures=measure(models, away, cell.classes, views, files, merge), adapted=adapted,
        distances=_measure_apart(models, learned, to) if distances else {})


@dataclass(frozen=True, eq=False)
class Clips:
    """K clips to score.

    Args:
        arrays: Clips, these and perhaps others.
        rows: ``[K]`` which of them.
        labels: ``[K]`` index in the shared classes.
        ids: ``[K]`` their names.
        subjects: ``[K]`` who is seen; -1 for unknown.
    """

    arrays: ClipArrays
    rows: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    subjects: np.ndarray

    @classmethod
    def of(
        cls, domain: Domain, labels: np.ndarray, split: str = "all",
        learned: np.ndarray | None = None,
    ) -> "Clips":
        """Those of a split that show a shared class and were not trained on.

        Args:
            domain: The data set, of L clips.
            labels: ``[L]`` index in the shared classes; -1 for none.
            split: Which of them.
            learned: Rows that were trained on.

        Raises:
            SkelactError: None is left.
        """
        rows = domain.rows(split)
        rows = rows[labels[rows] >= 0]
        if not len(rows):
            raise SkelactError(f"no clip of {domain.name} ({split}) shows a shared class")
        left = rows if learned is None else np.setdiff1d(rows, learned)
        if not len(left):
            raise SkelactError(f"all {len(rows)} clips to test on were trained on; train by "
                               "another protocol, or leave that data set out")
        arrays, places = domain.convert(left)
        return replace(cls.among(arrays, left, labels, domain.columns), rows=places)

    @classmethod
    def among(
        cls, arrays: ClipArrays, rows: np.ndarray, labels: np.ndarray, columns: Mapping
    ) -> "Clips":
        """Some of L clips, whose labels and columns are known."""
        return cls(arrays, rows, labels[rows], np.asarray(columns["clip_id"]).astype(str)[rows],
                   np.asarray(columns["subject"])[rows])


def measure(
    models: Sequence[ActionModel], clips: Clips, classes: tuple[str, ...], views: int = 1,
    files: Sequence[Path] = (), merge: np.ndarray | None = None,
) -> Figures:
    """Score clips by every network.

    Args:
        models: One a seed.
        clips: What to score.
        classes: The K shared classes.
        views: Views a clip.
        files: Where the scores go, one a model; none for nowhere.
        merge: ``[classes of the models, K]`` which of them are which shared class, where they
            are not the same; the probabilities of several are added.
    """
    results = []
    for model in tqdm(models, "scoring", leave=False, disable=None):
        scores = score_model(model, clips.arrays, clips.rows, views)
        results.append(ClipScores(scores if merge is None else scores @ merge,
                                  clips.labels, clips.ids, classes))
    for result, file in zip(results, files, strict=bool(files)):
        write_scores(result, file, overwrite=True)
    return summarise(np.array([result.hits() for result in results]), results[0].labels,
                     clips.subjects)


def summarise(
    hits: np.ndarray, labels: np.ndarray, subjects: np.ndarray
) -> Figures:
    """Figures of the same clips judged by several networks.

    Args:
        hits: ``[S, L]`` whether, or how often, each of S networks is right.
        labels: ``[L]`` true classes.
        subjects: ``[L]`` who is seen; -1 for unknown. Intervals are for other subjects where all
            are known, else for other clips.
    """
    right = hits.mean(axis=0)
    drawn = usable_subjects(subjects)
    shares = [bootstrap(metric, len(right), drawn)
              for metric in (lambda rows: float(right[rows].mean()),
                             lambda rows: mean_over_classes(right[rows], labels[rows]))]
    return Figures(*shares, tuple(hits.mean(axis=1).tolist()), len(right), drawn is not None)


def _find_learned(task: Task, columns: Mapping) -> np.ndarray:
    """Rows of the target that are in the train or val part of the derived store, by their ids."""
    ids = np.asarray(columns["clip_id"]).astype(str)
    ids = ids[np.union1d(_listed(columns, "train"), _listed(columns, "val"))]
    learned: set[str] = set()
    for source in task.sources:
        if task.target.shares_clips(source.name):
            prefix = f"{source.name}/" if len(task.sources) > 1 else ""
            learned |= {clip_id.removeprefix(prefix) for clip_id in ids
                        if clip_id.startswith(prefix)}
    names = np.asarray(task.target.columns["clip_id"]).astype(str)
    return np.flatnonzero(np.isin(names, sorted(learned)))


def _measure_apart(
    models: Sequence[ActionModel], source: tuple[ClipArrays, np.ndarray],
    target: tuple[ClipArrays, np.ndarray],
) -> dict[str, float]:
    found = [measure_distances(extract_features(model, *source), extract_features(model, *target))
             for model in tqdm(models, "distances", leave=False, disable=None)]
    return {name: float(np.mean([distances[name] for distances in found])) for name in found[0]}


def _listed(columns: Mapping, part: str) -> np.ndarray:
    return np.flatnonzero([part in names for names in columns["splits"]])

"""A few labelled clips of the target: nearest class mean on features, and fine-tuning.

Clips to learn from are drawn from the target's own train part, so that whoever is tested was not
learned from; all of the target's classes are told apart, shared with the source or not.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from skelact.checks import check_choice
from skelact.config import OptimConfig, TrainConfig
from skelact.datasets.store import Store, StoreWriter
from skelact.errors import SkelactError
from skelact.evaluation.features import extract_features
from skelact.evaluation.scores import read_scores
from skelact.experiments.derived_store import store_arrays
from skelact.experiments.domains import Domain
from skelact.experiments.transfer import Figures, configure_run, summarise
from skelact.models.checkpoint import ActionModel, load_model
from skelact.training.loop import train

METRICS = ("cosine", "euclidean")
_LEAST_STEPS = 600
"""Of fine-tuning: about as many as a small data set is trained for."""


def nearest_mean(
    support: np.ndarray, labels: np.ndarray, queries: np.ndarray, metric: str = "cosine"
) -> np.ndarray:
    """The class whose mean lies nearest.

    Args:
        support: ``[S, D]`` features of labelled clips.
        labels: ``[S]`` their classes.
        queries: ``[Q, D]`` features of the clips to name.
        metric: ``cosine``: of features of length 1 around the mean of the support; or
            ``euclidean``.

    Returns:
        ``[Q]`` classes; of two as near, the lower.

    Raises:
        ChoiceError: No such metric.

    Source: Snell et al., "Prototypical Networks for Few-shot Learning", NIPS 2017; centred and of
    unit length as in Wang et al., "SimpleShot", 2019.
    """
    check_choice(metric, METRICS, "metric")
    if metric == "cosine":
        middle = support.mean(axis=0)
        support, queries = _unit(support - middle), _unit(queries - middle)
    classes = np.unique(labels)
    means = np.stack([support[labels == label].mean(axis=0) for label in classes])
    if metric == "cosine":
        return classes[(queries @ _unit(means).T).argmax(axis=1)]
    squares = (means**2).sum(axis=1) - 2 * queries @ means.T
    return classes[squares.argmin(axis=1)]


def draw_support(labels: np.ndarray, rows: np.ndarray, shots: int, draw: int) -> np.ndarray:
    """``[S]`` rows, ``shots`` of every class, or all where a class has fewer.

    Args:
        labels: ``[L]`` classes of all clips.
        rows: Those to draw from.
        shots: Clips a class.
        draw: Number of the draw; it alone decides.
    """
    order = np.random.default_rng(draw).permutation(rows)
    return np.sort(np.concatenate([order[labels[order] == label][:shots]
                                   for label in np.unique(labels[rows])]))


def judge_few_shot(
    models: Sequence[ActionModel], target: Domain, shots: Sequence[int], draws: int = 20
) -> dict[str, Figures]:
    """Nearest class mean with a few clips of the target.

    Args:
        models: Networks whose features are compared, one a seed.
        target: The data set; its first protocol says who may be learned from.
        shots: Numbers of clips a class.
        draws: How often they are drawn; all networks see the same draws.

    Returns:
        ``"5 cosine"`` and so on -> figures on the target's test part, the mean over networks and
        draws.

    Raises:
        SkelactError: The target's parts cannot be told apart.
    """
    support, queries = target_parts(target)
    labels, found = target.arrays.labels, {}
    clips = target.convert(np.arange(len(labels)))
    features = [extract_features(model, *clips)
                for model in tqdm(models, "features", leave=False, disable=None)]
    for count in tqdm(shots, "labelled clips", leave=False, disable=None):
        chosen = [draw_support(labels, support, count, draw) for draw in range(draws)]
        for metric in METRICS:
            hits = np.array([
                np.mean([nearest_mean(of[rows], labels[rows], of[queries], metric)
                         == labels[queries] for rows in chosen], axis=0) for of in features])
            found[f"{count} {metric}"] = summarise(
                hits, labels[queries], np.asarray(target.columns["subject"])[queries])
    return found


def judge_fine_tuning(
    folders: Sequence[Path], target: Domain, shots: Sequence[int], config: TrainConfig,
    output: Path, resume: bool = False,
) -> dict[str, Figures]:
    """Fine-tune with a few clips of the target: a new head, the body at a tenth of the rate.

    Args:
        folders: Run folders of the networks to begin with, one a seed; each has a draw of its own.
        target: The data set.
        shots: Numbers of clips a class.
        config: Settings of the runs that were trained.
        output: Where the runs go, ``<shots>shot/seed<n>``.
        resume: Go on with runs that were broken off.

    Returns:
        ``"5 tuned"`` and so on -> figures on the target's test part.
    """
    support, queries = target_parts(target)
    labels, found = target.arrays.labels, {}
    for count in shots:
        results = []
        for draw, folder in enumerate(folders):
            place = output / f"{count}shot" / folder.name
            parts = {"train": draw_support(labels, support, count, draw), "test": queries}
            store = write_parts(target, parts, place / "store")
            dims = load_model(folder / "model.pt").clip.dims
            settings = configure_run(config, store, dims)
            settings = replace(settings, init=str(folder / "model.pt"), validate=False, seed=draw,
                               optim=_tuning(settings.optim))
            train(settings, place / "run", resume=resume)
            results.append(read_scores(place / "run"))
        subjects = np.asarray(target.columns["subject"])[queries]
        found[f"{count} tuned"] = summarise(np.array([result.hits() for result in results]),
                                            results[0].labels, subjects)
    return found


def _tuning(optim: OptimConfig) -> OptimConfig:
    """The body at a tenth of the rate; few clips are repeated until there are steps enough."""
    return replace(optim, body_lr=0.1, min_steps=-(-_LEAST_STEPS // optim.epochs))


def target_parts(target: Domain) -> tuple[np.ndarray, np.ndarray]:
    """Rows to draw from and rows to test, of the classes that both have."""
    parts = []
    for part in ("train", "test"):
        rows = target.rows(part)
        parts.append(rows[target.arrays.labels[rows] >= 0])
    support, queries = parts
    labels = target.arrays.labels
    queries = queries[np.isin(labels[queries], labels[support])]
    if not len(queries):
        raise SkelactError(f"no class of {target.name} is both in its train and its test part")
    return support, queries


def write_parts(domain: Domain, parts: dict[str, np.ndarray], folder: Path) -> Store:
    """The parts of a data set, with its own classes, as a store; one that is there is opened."""
    if not (folder / "dataset.json").is_file():
        labels, ids = domain.arrays.labels, np.asarray(domain.columns["clip_id"]).astype(str)
        used = np.unique(labels[np.concatenate(list(parts.values()))])
        with StoreWriter(folder) as writer:
            for part, rows in parts.items():
                known = [{"clip_id": ids[row], "label": domain.classes[labels[row]],
                          "splits": [part]} for row in rows]
                for recording in store_arrays(*domain.convert(rows), known):
                    writer.add(recording)
            writer.finish(f"{domain.name}-part", [domain.classes[label] for label in used],
                          format="skelact cross-domain")
    return Store(folder)


def _unit(features: np.ndarray) -> np.ndarray:
    return features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)

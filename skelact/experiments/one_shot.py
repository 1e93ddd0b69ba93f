"""One-shot NTU RGB+D 120: learn from 100 classes, tell 20 others from one example each."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from skelact.config import TrainConfig
from skelact.datasets.held_out import hold_out
from skelact.errors import ChoiceError, SkelactError
from skelact.evaluation.features import extract_features
from skelact.evaluation.scores import read_scores
from skelact.experiments.domains import Domain, open_domains
from skelact.experiments.experiment_folder import (
    check_experiment,
    experiment_folder,
    write_domains,
)
from skelact.experiments.few_shot import METRICS, nearest_mean, write_parts
from skelact.experiments.options import check_skeletons
from skelact.experiments.transfer import Figures, configure_run, summarise
from skelact.output import write_json, write_text
from skelact.training.loop import train
from skelact.visualization.document import markdown_table

_HELD_OUT = 0.1
"""Of the auxiliary clips, to see what was learned of them."""


@dataclass(frozen=True)
class OneShot:
    """What came out; ``str()`` of it is a table.

    Args:
        auxiliary: The classes that were learned, on held-out people.
        novel: Metric -> clips of the other classes, each named after the nearest exemplar.
        classes: How many were learned, and how many others there are.
    """

    auxiliary: Figures
    novel: dict[str, Figures]
    classes: tuple[int, int]

    def __str__(self) -> str:
        learned, others = self.classes
        rows = [("classes learned, held-out people", str(self.auxiliary.accuracy), learned,
                 self.auxiliary.count),
                *((f"novel classes, nearest exemplar ({metric})", str(figures.accuracy), others,
                   figures.count) for metric, figures in self.novel.items())]
        return markdown_table(rows, ("what", "accuracy", "classes", "n"))


def run_one_shot(
    folder: str | Path, output: str | Path, config: TrainConfig, seeds: int = 3,
    change_axes: bool = True, overwrite: bool = False, resume: bool = False,
) -> OneShot:
    """Learn from the auxiliary classes; name clips of the novel ones after the nearest exemplar.

    Args:
        folder: A store of NTU RGB+D 120, whole or in part.
        output: Where ``one_shot.md`` and ``.json``, the store and the runs go.
        config: Settings of the runs.
        seeds: How many; ``config.seed`` is the first.
        change_axes: Bring units and axes to metres, y up, not mirrored.
        overwrite: Begin anew.
        resume: Go on with what was broken off.

    Raises:
        ChoiceError: Another data set.
        SkelactError: No exemplars of two novel classes, or no clips to test.
        OutputExistsError: See `experiment_folder`.

    Source: Liu et al., "NTU RGB+D 120: A Large-Scale Benchmark for 3D Human Activity
    Understanding", TPAMI 2019, section 3.3.
    """
    check_experiment(output, overwrite, resume)
    check_skeletons(config)
    domain = open_domains([folder], change_axes=change_axes)[0]
    if domain.name != "ntu120":
        raise ChoiceError(f"expected the store of ntu120 for its one-shot protocol, got "
                          f"{domain.name!r}; --few-shot 1 does the like on any data set")
    labels = domain.arrays.labels
    exemplars, queries = domain.rows("oneshot/exemplars"), domain.rows("oneshot/test")
    queries = queries[np.isin(labels[queries], labels[exemplars])]
    if len(np.unique(labels[exemplars])) < 2 or not len(queries):
        raise SkelactError("expected published exemplars of at least two novel classes and clips "
                           f"to test; got {len(exemplars)} and {len(queries)}")
    settings = {"one_shot": domain.name, "seeds": seeds, "config": asdict(config)}
    with experiment_folder(output, settings, overwrite, resume) as place:
        write_domains(place, [domain])
        result = _learn_and_judge(domain, exemplars, queries, place, config, seeds, resume)
        write_text(place / "one_shot.md", f"# One-shot NTU RGB+D 120\n\n{result}\n", True)
        write_json(place / "one_shot.json", asdict(result), overwrite=True)
    return result


def _learn_and_judge(
    domain: Domain, exemplars: np.ndarray, queries: np.ndarray, output: Path, config: TrainConfig,
    seeds: int, resume: bool,
) -> OneShot:
    store = write_parts(domain, _auxiliary(domain), output / "stores" / "auxiliary")
    settings = configure_run(config, store, domain.arrays.dims)
    folders = [output / "runs" / f"seed{seed}" for seed in range(config.seed, config.seed + seeds)]
    models = [train(replace(settings, seed=config.seed + i), folder, resume=resume)
              for i, folder in enumerate(folders)]
    known = [read_scores(folder) for folder in folders]
    auxiliary = summarise(np.array([result.hits() for result in known]), known[0].labels,
                          np.full(len(known[0]), -1))
    rows, labels = np.concatenate([exemplars, queries]), domain.arrays.labels
    clips = domain.convert(rows)
    features = [np.split(extract_features(model, *clips), [len(exemplars)]) for model in models]
    novel = {}
    for metric in METRICS:
        hits = np.array([nearest_mean(one, labels[exemplars], many, metric) == labels[queries]
                         for one, many in features])
        novel[metric] = summarise(hits, labels[queries],
                                  np.asarray(domain.columns["subject"])[queries])
    return OneShot(auxiliary, novel, (len(store.header.classes),
                                      len(np.unique(labels[exemplars]))))


def _auxiliary(domain: Domain) -> dict[str, np.ndarray]:
    """The auxiliary clips: who is learned from, and who is held out to look at."""
    among = np.zeros(len(domain.arrays), bool)
    rows = np.concatenate([domain.rows("oneshot/train"), domain.rows("oneshot/val")])
    among[rows[domain.arrays.labels[rows] >= 0]] = True
    held = hold_out(domain.columns, among, _HELD_OUT, seed=0)
    return {"train": np.flatnonzero(among & ~held), "test": np.flatnonzero(held)}



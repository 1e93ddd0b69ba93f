"""Does it travel? Train on some data sets, test on others: a matrix of accuracies.

``OUTPUT/matrix.md``, ``.csv``, ``.json`` and ``.png`` say what came out; ``axes/NAME.txt`` what was
found out about the axes of each data set, ``joints/NAME.txt`` where its joints come from;
``stores/`` the clips that were trained on, as ordinary stores; ``runs/`` an ordinary run folder a
seed, with the scores on the target beside it.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from skelact.checks import check_choice
from skelact.config import TrainConfig
from skelact.datasets.store import Store
from skelact.errors import ChoiceError, OutputExistsError, SkelactError
from skelact.evaluation.adaptation import ADAPTATIONS
from skelact.experiments.derived_store import derive_store
from skelact.experiments.domains import Domain, Task, open_domains, plan_task
from skelact.experiments.matrix_report import summary_table, write_matrix
from skelact.experiments.transfer import Cell, judge_task, train_task
from skelact.models.checkpoint import ActionModel
from skelact.output import write_text
from skelact.training.loop import TrainingStopped
from skelact.training.run_folder import lock_run

SETTINGS = "settings.json"


@dataclass(frozen=True)
class Options:
    """How data sets are made comparable, and what is measured.

    Args:
        label_map: A label map by name or file; see `skelact.experiments.domains.plan_task`.
        layout: The skeleton; ``common`` for the joints that all data sets of the matrix have.
        change_axes: Bring units and axes together.
        seeds: Networks a cell.
        adaptations: Ways to adapt to the target without its labels, also judged.
        distances: Measure how far the features of both sides lie apart.
    """

    label_map: str = ""
    layout: str = "common"
    change_axes: bool = True
    seeds: int = 3
    adaptations: tuple[str, ...] = ()
    distances: bool = False

    def __post_init__(self) -> None:
        for name in self.adaptations:
            check_choice(name, ADAPTATIONS, "an adaptation")
        if self.seeds < 1:
            raise ChoiceError(f"expected seeds from 1, got {self.seeds}")


@dataclass(frozen=True)
class Matrix:
    """What came out of an experiment; ``str()`` of it is a table.

    Args:
        cells: One a pair.
        skipped: Pair -> why there is no figure for it.
        meaning: Pair -> shared class -> data set -> its own classes.
        options: How it was done.
    """

    cells: tuple[Cell, ...]
    skipped: dict[str, str]
    meaning: dict[str, dict[str, dict[str, list[str]]]]
    options: Options

    def __str__(self) -> str:
        skipped = [f"{pair}: {why}" for pair, why in self.skipped.items()]
        return "\n".join([summary_table(self.cells), *skipped])


def run_cross_domain(
    sources: Sequence[str | Path], targets: Sequence[str | Path], output: str | Path,
    config: TrainConfig, options: Options = Options(),
    pooled: bool = False, overwrite: bool = False, resume: bool = False,
) -> Matrix:
    """Train on every source (or on all together) and test on every target.

    For each pair the classes are those that both have, the skeleton and the axes are made the
    same, and 3-D clips are looked at from random sides where the other data set is 2-D. A source
    that is a target as well gives the in-domain figure with all of its own classes; that of a
    pair has the classes of the pair. Nothing about the target decides anything.

    Args:
        sources: Stores to train on.
        targets: Stores to test on, all of their clips.
        output: The folder to write.
        config: Settings of every run; ``protocol`` divides the sources.
        options: How data sets are made comparable, and what is measured.
        pooled: Train one network on all sources together, with the classes that any of them has.
        overwrite: Begin anew.
        resume: Go on with an experiment that was broken off.

    Raises:
        OutputExistsError: The folder holds an experiment, and neither ``overwrite`` nor
            ``resume``.
        SkelactError: Stores that cannot be used, no pair that shares two classes, or other
            settings than those to resume.
        TrainingStopped: Ctrl-C; what is finished is kept.
    """
    domains = {domain.folder: domain for domain in open_domains(
        [*sources, *targets], options.layout, options.change_axes)}

    def find(folders: Sequence[str | Path]) -> list[Domain]:
        return list(dict.fromkeys(domains[Path(folder).resolve()] for folder in folders))

    wanted, groups = find(targets), [tuple(find(sources))]
    pairs = [(group, target) for group in (groups if pooled else [(one,) for one in groups[0]])
             for target in wanted]
    return run_pairs(pairs, output, config, options, overwrite, resume)


def run_pairs(
    pairs: Sequence[tuple[Sequence[Domain], Domain]], output: str | Path, config: TrainConfig,
    options: Options, overwrite: bool = False, resume: bool = False,
) -> Matrix:
    """Train and test pair by pair; see `run_cross_domain`.

    Args:
        pairs: Sources and target of each.
        output: The folder to write.
        config: Settings of every run.
        options: What is measured.
        overwrite: Begin anew.
        resume: Go on.
    """
    output = Path(output)
    tasks = [plan_task(group, target, options.label_map) for group, target in pairs]
    skipped = {task.name: f"{len(task.classes)} shared classes"
               + (f" ({', '.join(task.classes)})" if task.classes else "")
               for task in tasks if len(task.classes) < 2}
    tasks = [task for task in tasks if len(task.classes) >= 2]
    if not tasks:
        listed = "; ".join(f"{name}: {why}" for name, why in skipped.items())
        raise SkelactError(f"expected a pair that shares at least two classes; {listed}. Pass "
                           "--label-map FILE.yaml that says which classes are the same")
    with lock_run(_claim(output, overwrite, resume)):
        _begin(output, _describe(pairs, config, options), overwrite, resume)
        _explain(output, tasks)
        cells = tuple(_run(tasks, output, config, options, resume))
        matrix = Matrix(cells, skipped, {task.name: _meaning(task) for task in tasks}, options)
        write_matrix(matrix, output)
    return matrix


def _run(
    tasks: Sequence[Task], output: Path, config: TrainConfig, options: Options, resume: bool
) -> Iterator[Cell]:
    """Cell by cell; tasks that learn the same share their networks."""
    trained: dict[tuple, tuple[Store, list[ActionModel], Path]] = {}
    for number, task in enumerate(tasks, 1):
        print(f"pair {number} of {len(tasks)}: {task.name}, {len(task.classes)} classes",
              flush=True)
        learned = task.source_name, task.classes, task.dims
        if learned not in trained:
            name = f"{task.source_name}--{task.target.name}"
            store = derive_store(task, output / "stores" / name, config.protocol, config.validate)
            folder = output / "runs" / name
            try:
                models = train_task(task, store, config, folder, options.seeds, resume)
            except TrainingStopped as stop:
                raise TrainingStopped(f"stopped in pair {number} of {len(tasks)}, {task.name}; go "
                                      "on with the same command and --resume") from stop
            trained[learned] = store, models, folder
        yield judge_task(task, *trained[learned], config.test_clips, options.adaptations,
                         options.distances)


def _claim(output: Path, overwrite: bool, resume: bool) -> Path:
    """Refuse a folder that holds something, unless it was said what to do with it."""
    if overwrite and resume:
        raise SkelactError("--overwrite begins anew and --resume goes on; pass one of them")
    if output.is_file():
        raise SkelactError(f"expected a folder to write to, got the file {output}")
    ours = (output / SETTINGS).is_file()
    if output.is_dir() and not ours and any(output.iterdir()):
        raise OutputExistsError(f"{output} holds other things than an experiment; choose another "
                                "-o")
    if ours and not (overwrite or resume):
        raise OutputExistsError(f"{output} holds an experiment; pass --resume to go on with it, "
                                "--overwrite to begin anew, or another -o")
    return output


def _begin(output: Path, settings: dict, overwrite: bool, resume: bool) -> None:
    path = output / SETTINGS
    if overwrite:
        for part in ("stores", "runs", "axes", "joints"):
            shutil.rmtree(output / part, ignore_errors=True)
    if resume and path.is_file():
        before = json.loads(path.read_text("utf-8"))
        if differing := [name for name in settings if settings[name] != before.get(name)]:
            raise SkelactError(f"the experiment in {output} was begun with other settings: "
                               f"{', '.join(differing)} differ (see {path}); go on with those, or "
                               "choose another -o")
    write_text(path, json.dumps(settings, indent=1) + "\n", overwrite=True)


def _describe(pairs, config: TrainConfig, options: Options) -> dict:
    """What must be the same when an experiment is resumed."""
    free = ("data", "device", "workers", "save_steps")
    stores = {domain.name: {name: facts["sha256"] for name, facts in
                            Store(domain.folder).header.files.items()}
              for group, target in pairs for domain in (*group, target)}
    return {
        "pairs": [f"{'+'.join(domain.name for domain in group)} -> {target.name}"
                  for group, target in pairs],
        "stores": stores, "label_map": str(options.label_map), "layout": str(options.layout),
        "change_axes": options.change_axes,
        "config": {name: value for name, value in asdict(config).items() if name not in free},
    }


def _explain(output: Path, tasks: Sequence[Task]) -> None:
    domains = {domain.name: domain for task in tasks for domain in (*task.sources, task.target)}
    for name, domain in domains.items():
        write_text(output / "axes" / f"{name}.txt", domain.axes + "\n", overwrite=True)
        write_text(output / "joints" / f"{name}.txt", domain.joints + "\n", overwrite=True)


def _meaning(task: Task) -> dict[str, dict[str, list[str]]]:
    return {shared: {name: list(own[shared]) for name, own in task.meaning.items()
                     if shared in own} for shared in task.classes}

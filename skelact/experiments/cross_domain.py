"""Does it travel? Train on some data sets, test on others: a matrix of accuracies.

``OUTPUT/matrix.md``, ``.csv``, ``.json`` and ``.png`` say what came out; ``pairs/A--B.txt`` what
two data sets share, ``axes/NAME.txt`` what was found out about the axes of each,
``joints/NAME.txt`` where its joints come from;
``stores/`` the clips that were trained on, as ordinary stores; ``runs/`` an ordinary run folder a
seed, with the scores on the target beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from skelact.config import TrainConfig
from skelact.datasets.store import Store
from skelact.errors import SkelactError
from skelact.evaluation.clip_pixels import explain_alone
from skelact.evaluation.conditions import explain_unknown
from skelact.experiments.checkpoint_transfer import (
    KNOWN_BY_NAME,
    describe_classes,
    judge_checkpoint,
)
from skelact.experiments.derived_store import derive_store, divide_sources
from skelact.experiments.domains import (
    Domain,
    Task,
    open_domains,
    plan_task,
    take_joints,
    take_source_joints,
)
from skelact.experiments.experiment_folder import (
    check_experiment,
    experiment_folder,
    write_domains,
    write_pairs,
)
from skelact.experiments.few_shot import judge_few_shot, judge_fine_tuning
from skelact.experiments.matrix import Matrix
from skelact.experiments.matrix_report import write_matrix
from skelact.experiments.options import JOINTS, Options, check_skeletons
from skelact.experiments.transfer import Cell, judge_task, train_task
from skelact.models.checkpoint import ActionModel, load_model
from skelact.training.loop import TrainingStopped


def run_cross_domain(
    sources: Sequence[str | Path], targets: Sequence[str | Path], output: str | Path,
    config: TrainConfig, options: Options = Options(),  # noqa: B008 - frozen
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
    check_experiment(output, overwrite, resume)
    domains = {domain.folder: domain for domain in open_together([*sources, *targets], options)}

    def find(folders: Sequence[str | Path]) -> list[Domain]:
        return list(dict.fromkeys(domains[Path(folder).resolve()] for folder in folders))

    wanted, groups = find(targets), [tuple(find(sources))]
    pairs = [(group, target) for group in (groups if pooled else [(one,) for one in groups[0]])
             for target in wanted]
    return run_pairs(pairs, output, config, options, overwrite, resume)


def run_checkpoint(
    path: str | Path | None, targets: Sequence[str | Path], output: str | Path,
    options: Options = Options(),  # noqa: B008 - frozen
    source: str | Path | None = None, protocol: str = "",
    views: int = 1, overwrite: bool = False, device: str = "auto",
) -> Matrix:
    """Test a model that is there already on several data sets; nothing is trained.

    Args:
        path: The checkpoint; None for the model that ships with skelact.
        targets: Stores.
        output: The folder to write.
        options: How data sets are made comparable, and what is measured; the joints ``common``
            and ``source`` are the model's own.
        source: The store that the model was trained on, for the in-domain figure.
        protocol: Which protocol of it has the test part.
        views: Views a clip.
        overwrite: Replace what an earlier experiment wrote.
        device: Where the model runs: ``cpu``, ``cuda`` or ``auto``.

    Raises:
        WeightsError: No such model.
        OutputExistsError, SkelactError: See `run_cross_domain`.
    """
    check_experiment(output, overwrite)
    model = load_model(path, device)
    options = replace(options, seeds=1)
    folders, ours = [*([source] if source else []), *targets], options.joints in JOINTS
    domains = open_domains(folders, "own" if ours else options.joints, options.change_axes)
    if ours:
        aligned = options.joints == "aligned"
        domains = list(take_joints(domains, model.layout, aligned).values())
    home = domains.pop(0) if source else None
    cells = tuple(judge_checkpoint(model, domain, home, options.label_map, protocol, views,
                                   options.adaptations, options.distances) for domain in domains)
    meaning = {f"{cell.sources[0]} -> {cell.target}": describe_classes(
        model, domain, options.label_map) for cell, domain in zip(cells, domains, strict=True)}
    settings = {"model": model.name, "classes": list(model.classes),
                "targets": [domain.name for domain in domains], "meaning": meaning,
                "joints": options.joints, "layout": model.layout.name,
                "change_axes": options.change_axes}
    notes = tuple(dict.fromkeys(filter(None, (
        explain_unknown(model, domain.name, domain.columns) for domain in domains))))
    matrix = Matrix(cells, {}, meaning, options, (*explain_alone(model), *notes,
                                                     KNOWN_BY_NAME))
    with experiment_folder(output, settings, overwrite) as folder:
        write_domains(folder, [*([home] if home else []), *domains])
        write_matrix(matrix, folder)
    return matrix


def open_together(folders: Sequence[str | Path], options: Options) -> list[Domain]:
    """Open the stores of an experiment; `run_pairs` takes the joints of each source, if asked to.

    Raises:
        SkelactError: See `skelact.experiments.domains.open_domains`.
    """
    joints = "own" if options.joints == "source" else options.joints
    return open_domains(folders, joints, options.change_axes)


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
    check_skeletons(config)
    if options.joints == "source":
        pairs = [take_source_joints(group, target) for group, target in pairs]
    tasks = [plan_task(group, target, options.label_map) for group, target in pairs]
    skipped = {task.name: f"{len(task.classes)} shared class{'es' * (len(task.classes) != 1)}"
               + (f" ({', '.join(task.classes)})" if task.classes else "")
               for task in tasks if len(task.classes) < 2}
    tasks = [task for task in tasks if len(task.classes) >= 2]
    if not tasks:
        listed = "; ".join(f"{name}: {why}" for name, why in skipped.items())
        raise SkelactError(f"expected a pair that shares at least two classes; {listed}. Pass "
                           "--label-map FILE.yaml that says which classes are the same")
    for task in tasks:  # before anything is written
        divide_sources(task, config.protocol, config.validate)
    settings = _describe(pairs, tasks, config, options)
    with experiment_folder(output, settings, overwrite, resume) as folder:
        write_domains(folder, [domain for task in tasks
                               for domain in (*task.sources, task.target)])
        write_pairs(folder, tasks)
        cells = tuple(_run(tasks, folder, config, options, resume))
        matrix = Matrix(cells, skipped, {task.name: _meaning(task) for task in tasks}, options)
        write_matrix(matrix, folder)
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
        cell = judge_task(task, *trained[learned], config.test_clips, options.adaptations,
                          options.distances)
        yield _judge_shots(cell, task, *trained[learned][1:], config, options, resume)


def _judge_shots(
    cell: Cell, task: Task, models: list[ActionModel], folder: Path, config: TrainConfig,
    options: Options, resume: bool,
) -> Cell:
    if task.in_domain or not options.shots:
        return cell
    found = judge_few_shot(models, task.target, options.shots)
    if options.tune:
        folders = [folder / f"seed{model.training['seed']}" for model in models]
        found |= judge_fine_tuning(folders, task.target, options.shots, config,
                                   folder / f"tuned_on_{task.target.name}", resume)
    return replace(cell, few_shot=found)


def _describe(pairs, tasks: Sequence[Task], config: TrainConfig, options: Options) -> dict:
    """What must be the same when an experiment is resumed."""
    free = ("data", "device", "workers", "save_steps")
    stores = {domain.name: {name: facts["sha256"] for name, facts in
                            Store(domain.folder).header.files.items()}
              for group, target in pairs for domain in (*group, target)}
    return {
        "pairs": [f"{'+'.join(domain.name for domain in group)} -> {target.name}"
                  for group, target in pairs],
        "stores": stores, "joints": options.joints,
        "change_axes": options.change_axes,
        "meaning": {task.name: _meaning(task) for task in tasks},
        "config": {name: value for name, value in asdict(config).items() if name not in free},
    }


def _meaning(task: Task) -> dict[str, dict[str, list[str]]]:
    return {shared: {name: list(own[shared]) for name, own in task.meaning.items()
                     if shared in own} for shared in task.classes}

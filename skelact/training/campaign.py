"""Many runs in one command: several seeds, several streams, and the fusion of the streams.

``OUTPUT/seed0/joint`` and so on are ordinary run folders, with only the levels that are needed;
``OUTPUT/summary.json`` and ``OUTPUT/report.md`` say what came out of all of them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from skelact.checks import check_choice
from skelact.config import TrainConfig
from skelact.errors import ChoiceError, OutputExistsError, SkelactError
from skelact.evaluation.fusion import USUAL_WEIGHTS, check_weights, fuse_runs
from skelact.evaluation.scores import SCORES, read_scores
from skelact.output import write_text
from skelact.training.campaign_report import describe_campaign
from skelact.training.campaign_summary import Summary
from skelact.training.distributed import is_main_process
from skelact.training.run_folder import (
    MAY_DIFFER,
    check_same,
    clear_checkpoints,
    read_precision,
    write_settings,
)
from skelact.transforms.streams import STREAMS

FUSED = "fused"
"""What the fusion is called among the streams of a summary."""


@dataclass(frozen=True)
class Run:
    """One run of a campaign: its settings and its folder."""

    config: TrainConfig
    folder: Path


def train_many(
    config: TrainConfig,
    output: str | Path,
    seeds: int = 1,
    streams: Sequence[str] = (),
    weights: Sequence[float] | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> Summary | None:
    """Train every stream with every seed, fuse the streams, and sum up.

    Args:
        config: The settings of all runs; ``config.seed`` is the first seed.
        output: The folder above the run folders.
        seeds: How many seeds.
        streams: Which streams; by default that of ``config``.
        weights: Weight of each stream in the fusion; by default the `USUAL_WEIGHTS`. They are to
            be set before the test split is looked at.
        overwrite: Begin anew; all earlier runs there are removed, those of other seeds too.
        resume: Leave finished runs as they are and go on with the others; more seeds and streams
            than before may be asked for.

    Returns:
        The summary, which is written as well; None where another process writes it.

    Raises:
        ChoiceError: Unusable seeds, streams or weights.
        OutputExistsError: There are runs, and neither ``overwrite`` nor ``resume``.
        SkelactError: A run fails, or what is to be resumed had other settings.
        TrainingStopped: Ctrl-C; the run's state is saved.
    """
    output, streams = Path(output), tuple(streams) or (config.clip.stream,)
    weights = _check_request(seeds, streams, weights)
    numbers = tuple(range(config.seed, config.seed + seeds))
    runs = {(seed, stream): _plan(config, output, seed, stream, seeds, streams)
            for seed in numbers for stream in streams}
    finished = _prepare(config, output, list(runs.values()), overwrite, resume)
    _train_all(list(runs.values()), finished, overwrite, resume)
    if not is_main_process():
        return None
    summary = _summarise(config, output, runs, numbers, streams, weights)
    write_text(output / "summary.json", json.dumps(summary.to_dict(), indent=1) + "\n",
               overwrite=True)
    write_text(output / "report.md", describe_campaign(summary, output), overwrite=True)
    return summary


def _check_request(
    seeds: int, streams: tuple[str, ...], weights: Sequence[float] | None
) -> tuple[float, ...]:
    """The weights, if everything asked for can be done; found out now, not after hours."""
    if seeds < 1:
        raise ChoiceError(f"expected seeds from 1, got {seeds}")
    for stream in streams:
        check_choice(stream, STREAMS, "a stream")
    if len(set(streams)) < len(streams):
        raise ChoiceError(f"expected every stream once, got {', '.join(streams)}")
    if weights is None:
        weights = [USUAL_WEIGHTS[stream] for stream in streams]
    return tuple(check_weights(weights, len(streams)).tolist())


def _plan(
    config: TrainConfig, output: Path, seed: int, stream: str, seeds: int, streams: tuple[str, ...]
) -> Run:
    """A run and its folder, with only the levels that are needed."""
    folder = output / f"seed{seed}" if seeds > 1 else output
    if len(streams) > 1 or seeds == 1:
        folder = folder / stream
    return Run(replace(config, seed=seed, clip=replace(config.clip, stream=stream)), folder)


def _prepare(
    config: TrainConfig, output: Path, runs: list[Run], overwrite: bool, resume: bool
) -> list[Run]:
    """Refuse to touch what nobody asked to replace; give the runs that are finished already."""
    if overwrite and resume:
        raise SkelactError("--overwrite begins anew and --resume goes on; pass one of them")
    if any((output / name).exists() for name in ("model.pt", "last.pt")):
        raise OutputExistsError(f"{output} holds a single run; choose another -o for several")
    settings = output / "config.yaml"
    earlier = _find_folders(output)
    begun = [folder for folder in earlier if (folder / "last.pt").exists()
             or (folder / "model.pt").exists()]
    if begun and not (overwrite or resume):
        raise OutputExistsError(f"{begun[0]} holds a run; pass --resume to go on, --overwrite to "
                                "begin anew, or another -o")
    finished = []
    if resume and settings.exists():  # without it, `train` compares the settings of every run
        check_same(config, settings, (*MAY_DIFFER, "seed", "clip.stream"))
        finished = [run for run in runs if (run.folder / SCORES).is_file()
                    and (run.folder / "model.pt").is_file()]
    if is_main_process():
        if not resume:
            _forget(earlier)
        write_settings(config, settings)
    return finished


def _find_folders(output: Path) -> list[Path]:
    """Folders in which there may be runs, of this campaign's seeds and streams or of others."""
    seeds = [path for path in sorted(output.glob("seed*")) if path.name[4:].isdigit()]
    folders = [*seeds, *(above / stream for above in (output, *seeds) for stream in STREAMS)]
    return [folder for folder in folders if folder.is_dir()]


def _forget(folders: list[Path]) -> None:
    """Remove what would pass for a run of this campaign when it is resumed, or forbid it."""
    for folder in folders:
        clear_checkpoints(folder)
        for name in (SCORES, "config.yaml"):
            (folder / name).unlink(missing_ok=True)


def _train_all(
    runs: list[Run], finished: list[Run], overwrite: bool, resume: bool
) -> None:
    """Train those that are not finished, all in the arithmetic that the first was settled on."""
    from skelact.training.loop import TrainingStopped, train

    settled = next((read_precision(run.folder) for run in finished), None)
    for number, run in enumerate(runs, 1):
        if run in finished:
            continue
        config = run.config
        if config.precision == "auto" and settled:  # a probe may find something else next time
            config = replace(config, precision=settled)
        if is_main_process():
            print(f"run {number} of {len(runs)}: {run.folder} (seed {config.seed}, "
                  f"{config.clip.stream})", flush=True)
        try:
            train(config, run.folder, overwrite=overwrite, resume=resume)
        except TrainingStopped as stop:
            raise TrainingStopped(f"stopped in run {number} of {len(runs)}, {run.folder}; go on "
                                  "with the same command and --resume"
                                 f"{' instead of --overwrite' * overwrite}") from stop
        settled = settled or read_precision(run.folder)


def _summarise(
    config: TrainConfig, output: Path, runs: dict[tuple[int, str], Run], seeds: tuple[int, ...],
    streams: tuple[str, ...], weights: tuple[float, ...],
) -> Summary:
    folders = {key: run.folder for key, run in runs.items()}
    tested = fuse_runs(list(folders.values()))  # refuses runs that saw other test clips
    accuracies = {stream: [read_scores(folders[seed, stream]).accuracies() for seed in seeds]
                  for stream in streams}
    if len(streams) > 1:
        accuracies[FUSED] = [
            fuse_runs([folders[seed, stream] for stream in streams], weights).accuracies()
            for seed in seeds
        ]
    data = config.dataset or Path(config.data or "data set").name.removesuffix(".store")
    protocol = f" {config.protocol}" if config.protocol else ""
    return Summary(
        name=f"{data}{protocol}, {config.network.name}", seeds=seeds, streams=streams,
        weights=weights, num_clips=len(tested), num_classes=len(tested.classes),
        accuracies=accuracies,
        folders=tuple(str(folder.relative_to(output)) for folder in folders.values()),
    )

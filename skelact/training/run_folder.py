"""What a run folder holds, and who writes it.

- ``config.yaml``: all settings, nothing left to choose; ``skelact train RUN/config.yaml`` uses
  them again
- ``environment.json``: versions, machine and command line, an entry a start
- ``metrics.jsonl``: a line an epoch (null where there was nothing to measure), ``tensorboard/``
  the same for TensorBoard, ``curves.png`` as a picture
- ``last.pt``, ``best.pt``, ``model.pt``: the checkpoints, written by `skelact.training.loop`
- ``test_scores.npz``, ``predictions.csv``, ``report.md``: the test, at the end
- ``retrain/``: the same log of a second run on all of train

Every function here is for one process of a job, the main one, but for `begin_run`.
"""

import contextlib
import json
import logging
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import yaml
from filelock import FileLock, Timeout
from tqdm import tqdm

from skelact.config import TrainConfig
from skelact.errors import FileFormatError, OutputExistsError, SkelactError, one_line
from skelact.evaluation.scores import SCORES, write_predictions, write_scores
from skelact.output import check_writable, write_text
from skelact.training.environment import describe_environment
from skelact.training.events import forget_events, has_events, log_events, restart_events
from skelact.training.report import describe_run, find_doubts
from skelact.training.result import RunResult
from skelact.visualization.learning_curves import draw_learning_curves

MAY_DIFFER = ("data", "background", "exclude", "device", "workers", "save_steps", "rgb.videos",
              "rgb.cache")
"""Settings that a resumed run may change: they do not change what comes out. (That the data are
the same is told by their fingerprint, not by the name of their folder.)"""

DRAW_SECONDS = 120
"""Seconds of training between two pictures of the curves; one takes 0.3 s, 0.9 s on busy cores."""

logger = logging.getLogger("skelact")

_WRITTEN = ("metrics.jsonl", "curves.png", "report.md", "predictions.csv", SCORES,
            "environment.json")


def check_run_folder(output: Path, overwrite: bool, resume: bool) -> None:
    """Refuse a folder that holds a run, unless it was said what to do with it.

    Raises:
        OutputExistsError: It holds one.
        SkelactError: ``overwrite`` and ``resume`` together, or no folder can be there.
    """
    if overwrite and resume:
        raise SkelactError("--overwrite begins anew and --resume goes on; pass one of them")
    check_writable(output / "model.pt", overwrite=True)
    if (output / "summary.json").exists():
        raise OutputExistsError(f"{output} holds several runs (--seeds or --streams); choose "
                                "another -o")
    found = [path for path in _checkpoints(output) if path.exists()]
    if found and not (overwrite or resume):
        state = "a finished" if found[0].name == "model.pt" else "an unfinished"
        raise OutputExistsError(f"{output} holds {state} run; pass --resume to go on with it, "
                                "--overwrite to begin anew, or another -o")


@contextlib.contextmanager
def lock_run(folder: str | Path) -> Iterator[None]:
    """Keep the folder to one process; a killed one gives it free.

    Raises:
        SkelactError: Another process has it.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise SkelactError(f"another process is training in {folder}; wait for it, or choose "
                           "another -o") from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()


def clear_checkpoints(output: Path) -> None:
    """Remove the checkpoints of an earlier run; `begin_run` removes what else it wrote."""
    for path in (*_checkpoints(output), *_checkpoints(output / "retrain")):
        path.unlink(missing_ok=True)


def _checkpoints(folder: Path) -> list[Path]:
    return [folder / name for name in ("model.pt", "last.pt", "best.pt")]


def begin_run(
    folder: str | Path, config: TrainConfig, resume: bool, is_main: bool = True
) -> TrainConfig:
    """Write what is known when a run starts.

    A new run clears what an earlier one has written here. Resuming a run that has come to its
    end changes nothing.

    Args:
        folder: The run folder.
        config: The settings; nothing is "auto" any more.
        resume: Whether to go on with what the folder holds.
        is_main: Whether this process writes; the others only compare.

    Returns:
        The settings to go on with.

    Raises:
        SkelactError: The run to resume had other settings.
        FileFormatError: Its ``config.yaml`` or ``environment.json`` is damaged.
    """
    folder = Path(folder)
    path = folder / "config.yaml"
    starts = []
    if resume and path.exists():
        check_same(config, path, MAY_DIFFER)
        starts = _read_starts(folder)
    if not is_main or (resume and (folder / "model.pt").exists()):
        return config
    for part in (folder, folder / "retrain"):
        if resume and (part / "tensorboard").exists():
            restart_events(part / "tensorboard")
        if not resume:
            _forget(part)
    write_settings(config, path)
    starts.append(describe_environment())
    write_text(folder / "environment.json", json.dumps(starts, indent=1) + "\n", overwrite=True)
    return config


def log_epoch(folder: str | Path, history: Sequence[dict]) -> None:
    """Log the last epoch: ``metrics.jsonl``, TensorBoard, one line on the screen, sometimes curves.

    Args:
        folder: The run folder, or ``retrain/`` in it.
        history: A row an epoch so far: ``epoch``, ``step``, ``loss``, ``lr``, ``seconds``, ...
    """
    folder = Path(folder)
    rows = [{name: _finite(value) for name, value in row.items()} for row in history]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    write_text(folder / "metrics.jsonl", text, overwrite=True)
    log_events(folder / "tensorboard", rows)
    seconds = [row.get("seconds") or 0 for row in rows]
    if sum(seconds) // DRAW_SECONDS > sum(seconds[:-1]) // DRAW_SECONDS:
        draw_learning_curves(rows, folder / "curves.png")
    tqdm.write("  ".join(f"{name} {value:.4g}" for name, value in rows[-1].items()
                         if value is not None))


def finish_run(folder: str | Path, config: TrainConfig, result: RunResult) -> None:
    """Write the curves, the scores of the test and the report; warn of what a guess does as well.

    Args:
        folder: The run folder, with the log of all epochs.
        config: The settings.
        result: The test.

    Raises:
        FileFormatError: ``metrics.jsonl`` or ``environment.json`` is missing or damaged.
    """
    folder = Path(folder)
    parts = (folder, folder / "retrain") if config.retrain else (folder,)
    histories = [read_history(part) for part in parts]
    for part, rows in zip(parts, histories, strict=True):
        if not has_events(part / "tensorboard"):  # resumed after the last epoch
            log_events(part / "tensorboard", rows)
        draw_learning_curves(rows, part / "curves.png", result.chosen_epoch)
    write_predictions(result, folder / "predictions.csv", overwrite=True)
    write_scores(result, folder / SCORES, overwrite=True)
    doubts = find_doubts(histories[0], result)
    report = describe_run(folder, config, histories[0], result, _read_starts(folder),
                          *histories[1:], doubts=doubts)
    write_text(folder / "report.md", report, overwrite=True)
    for doubt in doubts:
        logger.warning("%s: %s", folder, doubt)


def read_history(folder: str | Path) -> list[dict]:
    """The rows of ``metrics.jsonl``.

    Raises:
        FileFormatError: It is missing, empty or damaged.
    """
    path = Path(folder) / "metrics.jsonl"
    try:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        if [row["epoch"] for row in rows] != list(range(1, len(rows) + 1)) or not rows:
            raise ValueError("expected a row for every epoch from 1")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FileFormatError(f"{path} is not the log of a run: {one_line(error)}") from error
    return rows


def read_precision(folder: str | Path) -> str | None:
    """The arithmetic that a run was settled on; None where there is no run."""
    path = Path(folder) / "config.yaml"
    try:
        return yaml.safe_load(path.read_text("utf-8"))["precision"] if path.exists() else None
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise FileFormatError(f"{path} is damaged ({one_line(error)}); begin anew with "
                              "--overwrite") from error


def write_settings(config: TrainConfig, path: str | Path) -> None:
    """Write settings so that ``skelact train`` can read them, in place of earlier ones."""
    text = yaml.safe_dump(asdict(config), sort_keys=False, allow_unicode=True)
    write_text(path, f"# All settings; `skelact train` with this file uses them again.\n{text}",
               overwrite=True)


def check_same(config: TrainConfig, path: str | Path, may_differ: Collection[str]) -> None:
    """Refuse to go on with other settings than those that were begun with.

    Args:
        config: The settings now.
        path: Those of the beginning, as `write_settings` wrote them.
        may_differ: Dotted names of settings that are not compared.

    Raises:
        SkelactError: They differ; the message says where.
        FileFormatError: The file is damaged.
    """
    path = Path(path)
    try:
        before = dict(_flatten(yaml.safe_load(path.read_text("utf-8"))))
    except (OSError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise FileFormatError(f"{path} is damaged ({one_line(error)}); begin anew with "
                              "--overwrite") from error
    before = dict(_flatten(asdict(TrainConfig()))) | before  # settings that are newer than the run
    now = dict(_flatten(asdict(config)))
    differing = [f"{name} {before.get(name)!r}, now {now.get(name)!r}"
                 for name in sorted(before.keys() | now.keys())
                 if before.get(name) != now.get(name) and name not in may_differ]
    if differing:
        raise SkelactError(f"what is in {path.parent} was begun with other settings: "
                           f"{'; '.join(differing)}. Go on with those of {path}, or choose "
                           "another -o")


def _forget(folder: Path) -> None:
    """Remove what an earlier run has logged and found; not its checkpoints."""
    forget_events(folder / "tensorboard")
    for name in _WRITTEN:
        (folder / name).unlink(missing_ok=True)


def _flatten(settings: dict, prefix: str = "") -> Iterator[tuple[str, object]]:
    """``("optim.lr", 0.1)`` and so on."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, list(value) if isinstance(value, tuple) else value


def _read_starts(folder: Path) -> list[dict]:
    path = folder / "environment.json"
    try:
        starts = json.loads(path.read_text("utf-8")) if path.exists() else []
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path} is damaged ({one_line(error)}); remove it") from error
    return starts


def _finite(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""The folder of an experiment: who may write to it, and with which settings it was begun."""

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from skelact.config import TrainConfig
from skelact.datasets.store import Store
from skelact.errors import FileFormatError, OutputExistsError, SkelactError, one_line
from skelact.evaluation.pair_report import describe_pair
from skelact.experiments.domains import Domain, Task
from skelact.output import write_text
from skelact.training.run_folder import lock_run

SETTINGS = "settings.json"
_OURS = ("stores", "runs", "axes", "joints", "pairs")


@contextlib.contextmanager
def experiment_folder(
    output: str | Path, settings: dict, overwrite: bool = False, resume: bool = False
) -> Iterator[Path]:
    """Hold the folder while an experiment is at work in it.

    Args:
        output: The folder.
        settings: Plain values, which must be the same when the experiment is resumed.
        overwrite: Remove what an earlier experiment wrote.
        resume: Go on with it.

    Raises:
        OutputExistsError: It holds an experiment, and neither ``overwrite`` nor ``resume``; or
            it holds other things.
        SkelactError: Other settings than those to resume, or another process is at work there.
    """
    output = check_experiment(output, overwrite, resume)
    with lock_run(output):
        path = output / SETTINGS
        if overwrite:
            for part in _OURS:
                shutil.rmtree(output / part, ignore_errors=True)
        if resume and path.is_file():
            _check_same(path, settings)
        write_text(path, json.dumps(settings, indent=1) + "\n", overwrite=True)
        yield output


def check_experiment(output: str | Path, overwrite: bool = False, resume: bool = False) -> Path:
    """Refuse a folder that holds something, before any work is spent on it.

    Raises:
        OutputExistsError, SkelactError: See `experiment_folder`.
    """
    output = Path(output)
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


def write_domains(output: Path, domains: Sequence[Domain]) -> None:
    """Write what was found out about the axes of data sets, and where their joints come from."""
    joints: dict[str, list[str]] = {}
    for domain in domains:
        note = "" if domain.change_axes else "Nothing was changed (--no-harmonise).\n\n"
        write_text(output / "axes" / f"{domain.name}.txt", f"{note}{domain.axes}\n",
                   overwrite=True)
        joints.setdefault(domain.name, []).append(_describe_joints(domain))
    for name, plans in joints.items():  # several, where each source has its own skeleton
        write_text(output / "joints" / f"{name}.txt", "\n\n".join(dict.fromkeys(plans)) + "\n",
                   overwrite=True)


def write_pairs(output: Path, tasks: Sequence[Task]) -> None:
    """Write the labels, joints and axes of each source and its target, side by side."""
    for task in tasks:
        for source in task.sources:
            shared = task.meaning[source.name].keys() & task.meaning[task.target.name].keys()
            if source is not task.target and len(shared) > 1:
                text = describe_pair(
                    Store(source.folder), Store(task.target.folder), task.label_map,
                    (source.axes, task.target.axes), source.joints.target, source.aligned)
                write_text(output / "pairs" / f"{source.name}--{task.target.name}.txt",
                           text + "\n", overwrite=True)


def _describe_joints(domain: Domain) -> str:
    alike = "; the trunk is computed alike in all data sets" if domain.aligned else ""
    return f"{domain.joints.target.num_joints} joints{alike}\n{domain.joints}"


def _check_same(path: Path, settings: dict) -> None:
    try:
        before = json.loads(path.read_text("utf-8"))
        differing = _find_differences(json.loads(json.dumps(settings)), before)
    except (OSError, ValueError, AttributeError) as error:
        raise FileFormatError(f"{path} is damaged ({one_line(error)}); begin anew with "
                              "--overwrite") from error
    if differing:
        raise SkelactError(f"the experiment in {path.parent} was begun with other settings: "
                           f"{'; '.join(differing[:6])}{'; ...' if len(differing) > 6 else ''} "
                           f"(see {path}); go on with those, or choose another -o")


def _find_differences(now: dict, before: dict, name: str = "") -> list[str]:
    """What differs, as ``config.optim.epochs is 30, was 20``.

    A setting of training that the file does not have yet is the default that it was written under.
    """
    usual = {f"config.{key}": value for key, value in asdict(TrainConfig()).items()}
    found = []
    for key, value in now.items():
        path = f"{name}.{key}" if name else key
        old = before.get(key, usual.get(path))
        if isinstance(value, dict) and isinstance(old, dict):
            found += _find_differences(value, usual.get(path, {}) | old, path)
        elif value != old:
            found.append(f"{path} is {_short(value)}, was {_short(old)}")
    gone = [] if name.startswith("config") else sorted(before.keys() - now.keys())
    return found + [f"{'.'.join(filter(None, (name, key)))} is not there any more" for key in gone]


def _short(value) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."

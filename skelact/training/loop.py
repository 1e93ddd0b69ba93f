"""The training loop: `train` makes a run, `fit` loops over epochs, `finish` judges once."""

import contextlib
import shlex
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import nn
from tqdm import tqdm

from skelact.config import TrainConfig
from skelact.device import choose_precision
from skelact.errors import SkelactError, WeightsError
from skelact.evaluation.figures import usable_subjects
from skelact.models.checkpoint import ActionModel, load_model, save_model
from skelact.models.torch_file import read_torch_file
from skelact.output import remove_leftovers
from skelact.training.batches import Mixture
from skelact.training.data import TrainingData, open_data
from skelact.training.distributed import (
    World,
    barrier,
    check_same,
    copy_from_main,
    from_main,
    joined,
)
from skelact.training.network import (
    describe_model,
    make_network,
    name_protocol,
    restore_weights,
    set_train_mode,
)
from skelact.training.optim import learning_rate, set_rate
from skelact.training.result import RunResult
from skelact.training.run_folder import (
    begin_run,
    check_run_folder,
    clear_checkpoints,
    finish_run,
    lock_run,
    log_epoch,
    read_precision,
)
from skelact.training.scoring import (
    count_views,
    learn_fusion,
    score_test,
    set_threshold,
    validate,
)
from skelact.training.state import Stopper, TrainState, catch_stops, read_progress
from skelact.training.step import take_step


class TrainingStopped(KeyboardInterrupt):
    """Ctrl-C or SIGTERM, after the state was saved; the message says how to go on."""


def train(
    config: TrainConfig, output: str | Path, overwrite: bool = False, resume: bool = False
) -> ActionModel:
    """Train a recognizer; the run folder then holds all that `skelact.training.run_folder` names.

    The epoch is chosen on the validation part. With ``config.retrain`` a second run, in
    ``retrain/``, learns from all of the training split for as many epochs. The test split is
    scored once, at the end.

    Args:
        config: Everything about the run.
        output: The run folder.
        overwrite: Remove an earlier run there.
        resume: Go on with an interrupted run, to the same bits as without the interruption; a
            finished one is only read.

    Raises:
        SkelactError: No data, data that cannot be used, settings that differ from those of the
            run to resume, pixels in several processes, or a loss that is not finite.
        OutputExistsError: The folder holds a run, and neither ``overwrite`` nor ``resume``.
        TrainingStopped: Ctrl-C; the state is saved.
    """
    output = Path(output)
    with joined(config.device) as world:  # a device that is not there is said before data is read
        if config.rgb.encoder and world.size > 1:  # before --overwrite removes anything
            raise SkelactError("networks that look at pixels are trained by one process as yet; "
                               "start without torchrun")
        check_run_folder(output, overwrite, resume)
        if config.init and not resume and not Path(config.init).is_file():
            raise WeightsError(f"no checkpoint to start from at {config.init} (--init)")
        config = replace(config, precision=_settle_precision(config, output, resume, world))
        config, data = open_data(config)
        check_same(world, "the data", data.fingerprint)
        with lock_run(output) if world.is_main else contextlib.nullcontext():
            return _train(config, data, output, overwrite, resume, world)


def _train(
    config: TrainConfig, data: TrainingData, output: Path, overwrite: bool, resume: bool,
    world: World,
) -> ActionModel:
    if world.is_main and overwrite:
        clear_checkpoints(output)
    config = begin_run(output, config, resume, world.is_main)
    barrier(world)
    if resume and (output / "model.pt").exists():
        return load_model(output / "model.pt")
    if world.is_main:
        remove_leftovers(output, output / "retrain")
        tqdm.write(str(data))
        if resume and not (output / "last.pt").exists():
            tqdm.write(f"no checkpoint in {output} yet: it begins at epoch 1")
    with _saying_how_to_go_on(output):
        network, epoch = fit(config, data, output, world)
        fusion = learn_fusion(network, config, data, world)
        chosen_by = data.arrays.labels[data.val] if len(data.val) else None
        if config.retrain:
            data = data.with_all_of_train()
            network, _ = fit(config, data, output / "retrain", world, stop_after=epoch)
        network.load_state_dict(fusion, strict=False)
        return finish(config, data, network, epoch, output, world, chosen_by)


@contextlib.contextmanager
def _saying_how_to_go_on(output: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stop:
        run, settings = (shlex.quote(str(path)) for path in (output, output / "config.yaml"))
        raise TrainingStopped(f"{stop or 'stopped'}; go on with: skelact train {settings} -o {run} "
                              "--resume") from stop


def fit(
    config: TrainConfig, data: TrainingData, folder: Path, world: World,
    stop_after: int | None = None,
) -> tuple[nn.Module, int]:
    """Run the epochs, from where ``last.pt`` in the folder stands, if it is there.

    Args:
        config: The run; `train` has settled every "auto".
        data: What to learn from; without a validation part the last epoch is the one.
        folder: Where the checkpoints and the log go.
        world: The processes.
        stop_after: Stop after this epoch of the schedule.

    Returns:
        The network of the chosen epoch, and that epoch, from 1.

    Raises:
        SkelactError: The loss is no longer finite.
        TrainingStopped: Ctrl-C; the state is saved.
    """
    progress = read_progress(folder / "last.pt")
    with catch_stops(world) as stopper:
        network = make_network(config, data, world, progress and progress["architecture"])
        state = TrainState(config, data, network, world)
        if progress is not None:
            state.restore(progress)
            if "val_accuracy" in (progress["history"] or [{}])[-1]:
                read_torch_file(folder / "best.pt")  # damage is said now, not at the end
        while not _is_over(config, state, stop_after):
            run_epoch(config, data, state, folder, stopper)
            if stopper.wanted():
                raise TrainingStopped(f"stopped after epoch {state.epoch}")
    if "val_accuracy" in state.history[-1]:
        restore_weights(state.judged, folder / "best.pt")
    return state.judged, state.best_epoch()


def run_epoch(
    config: TrainConfig, data: TrainingData, state: TrainState, folder: Path, stopper: Stopper
) -> None:
    """What remains of an epoch, its validation, its line in the log and its checkpoint."""
    num_classes, per_epoch = len(data.classes), len(state.batches)
    number, start = state.epoch + 1, time.perf_counter() - state.seconds
    set_train_mode(state.network, config)
    bar = tqdm(_timed(state.batches), desc=f"epoch {number}/{config.optim.epochs}", leave=False,
               initial=state.step % per_epoch, total=per_epoch,
               disable=None if state.world.is_main else True)  # None: no bar in a log file
    for mixture, seconds in bar:
        state.waited += seconds
        set_rate(state.optimizer, learning_rate(state.step, per_epoch, config.optim))
        take_step(config, state, mixture, num_classes)
        state.seconds = time.perf_counter() - start
        if stopper.wanted():
            save_state(config, data, state, folder)
            raise TrainingStopped(f"stopped at step {state.step}, in epoch {number}")
        if state.step % config.save_steps == 0 and state.step % per_epoch:
            save_state(config, data, state, folder)
    seconds, share = state.seconds, state.waited / state.seconds
    loss, right, seen = state.total_sums()
    state.epoch, state.sums, state.seconds, state.waited = number, state.no_sums(), 0.0, 0.0
    copy_from_main(state.world, state.judged)  # running statistics
    state.history.append({
        "epoch": number, "step": state.step, "loss": loss / seen, "train_accuracy": right / seen,
        **validate(state.judged, config, data, state.world),
        "lr": learning_rate(state.step - 1, per_epoch, config.optim), "seconds": seconds,
        "data_share": share,
    })
    if state.world.is_main and state.best_epoch() == number and len(data.val):
        save_model(describe_model(config, data, state.judged), folder / "best.pt",
                   overwrite=True)
    if state.world.is_main:  # logged before it counts as done: killed in between, it is redone
        log_epoch(folder, state.history)
    save_state(config, data, state, folder)


def _timed(batches) -> Iterator[tuple[Mixture, float]]:
    """Every batch with the seconds that were spent waiting for it."""
    source, start = iter(batches), time.perf_counter()
    for mixture in source:
        yield mixture, time.perf_counter() - start
        start = time.perf_counter()


def _is_over(config: TrainConfig, state: TrainState, stop_after: int | None) -> bool:
    patience = config.optim.patience
    waited = state.epoch - state.best_epoch()
    return state.epoch >= (stop_after or config.optim.epochs) or bool(
        patience and waited >= patience)


def save_state(
    config: TrainConfig, data: TrainingData, state: TrainState, folder: Path
) -> None:
    """Write ``last.pt``: a whole model, and with it what resuming needs."""
    progress = state.capture()
    if state.world.is_main:
        model = describe_model(config, data, state.judged)
        save_model(model, folder / "last.pt", overwrite=True, progress=progress)


def finish(
    config: TrainConfig, data: TrainingData, network: nn.Module, epoch: int, output: Path,
    world: World, val_labels: np.ndarray | None,
) -> ActionModel:
    """Set the rejection threshold, score the test split once, write the model and the report.

    Args:
        config: The run.
        data: What the network learned from, and the test.
        network: Of the chosen epoch.
        epoch: That epoch, from 1.
        output: The run folder.
        world: The processes.
        val_labels: Classes of the clips that chose the epoch; None where nothing did.
    """
    model = describe_model(config, data, network)
    threshold, accepted = set_threshold(network, config, data)
    scores, metrics = score_test(network, config, data, threshold, world)
    chosen = f"epoch {epoch}, chosen on val" if config.validate else "the last epoch"
    metrics = {
        "split": f"{name_protocol(config.protocol) or 'default'} test",
        "protocol": f"{chosen}{', retrained on all of train' if config.retrain else ''}; "
                    f"{count_views(config)} views a clip, probabilities averaged; *_whole: one",
        **metrics, **accepted,
    }
    model = replace(model, threshold=threshold, metrics=metrics)
    if world.is_main:
        result = RunResult(scores=scores, labels=data.arrays.labels[data.test],
                            clip_ids=data.clip_ids[data.test], classes=data.classes,
                            metrics=metrics, chosen_epoch=epoch, data=model.data,
                            subjects=usable_subjects(data.subjects[data.test]),
                            val_labels=val_labels)
        finish_run(output, config, result)
        save_model(model, output / "model.pt", overwrite=True)  # the sign of a finished run
    barrier(world)
    return model


def _settle_precision(config: TrainConfig, output: Path, resume: bool, world: World) -> str:
    """The arithmetic: that of the run to resume, else as asked, else what a probe finds."""
    before = read_precision(output) if resume and config.precision == "auto" else None
    chosen = before or choose_precision(config.precision, world.device)
    return from_main(world, "precision", chosen)

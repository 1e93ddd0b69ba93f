"""Where a run stands: everything that a resumed run needs to end with the same bits."""

import logging
import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from skelact.config import TrainConfig
from skelact.errors import SkelactError
from skelact.models.torch_file import read_torch_file
from skelact.training.batches import TrainingBatches
from skelact.training.data import TrainingData
from skelact.training.distributed import World, sum_over, wrap
from skelact.training.optim import class_weights, make_optimizer

logger = logging.getLogger("skelact")


class TrainState:
    """Network, optimiser and position of a run.

    Chance needs no state: the loaders count theirs, and dropout is seeded by the step.

    Args:
        config: The run.
        data: Its clips.
        network: Fresh, or initialised from a checkpoint; on the device.
        world: The processes.
    """

    def __init__(
        self, config: TrainConfig, data: TrainingData, network: nn.Module, world: World
    ) -> None:
        self.network, self.world = network, world
        if config.compile:
            getattr(network, "skeleton", network).layers.compile(dynamic=True)
        self.parallel = wrap(network, world)
        self.optimizer = make_optimizer(network, config.optim, config.rgb.lr)
        self.scaler = torch.amp.GradScaler(world.device.type, enabled=config.precision == "fp16")
        self.average = AveragedModel(
            network, multi_avg_fn=get_ema_multi_avg_fn(config.optim.ema), use_buffers=True,
        ) if config.optim.ema else None
        self.batches = TrainingBatches(config, data, world)
        self.weights = _weights_of_classes(config, data, world)
        self.fingerprint = data.fingerprint
        self.epoch, self.step = 0, 0  # finished epochs, steps in all
        self.history: list[dict] = []
        self.sums = self.no_sums()
        self.seconds, self.waited = 0.0, 0.0  # of the epoch that is under way; for data

    @property
    def judged(self) -> nn.Module:
        """The network that is validated and kept: the average, where there is one."""
        return self.network if self.average is None else self.average.module

    @contextmanager
    def synchronised(self, wanted: bool) -> Iterator[None]:
        """Within it, gradients are averaged over the processes, or not yet."""
        if wanted or self.parallel is self.network:
            yield
        else:
            with self.parallel.no_sync():
                yield

    def no_sums(self) -> Tensor:
        """``[3]`` loss, right, seen: what an epoch adds up."""
        return torch.zeros(3, dtype=torch.float64, device=self.world.device)

    def total_sums(self) -> list[float]:
        """The sums over all processes.

        Raises:
            SkelactError: The loss, or a weight, is no longer finite.
        """
        sums = sum_over(self.world, self.sums).tolist()
        weights = self.judged.state_dict().values()
        if not all(map(math.isfinite, sums)) or not all(v.isfinite().all() for v in weights):
            raise SkelactError(f"the loss is no longer finite in epoch {self.epoch + 1}; lower "
                               "--optim.lr")
        return sums

    def best_epoch(self) -> int:
        """The epoch, from 1, with the best validation; the last one without validation."""
        if not self.history or "val_accuracy" not in self.history[-1]:
            return self.epoch
        best = max(self.history, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
        return best["epoch"]

    def capture(self) -> dict:
        """Tensors and plain values; every process must call it."""
        return {
            "epoch": self.epoch, "step": self.step, "history": self.history,
            "processes": self.world.size,
            "sums": self.total_sums(), "seconds": self.seconds, "waited": self.waited,
            "fingerprint": self.fingerprint,
            "batches": self.batches.state_dict(), "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(), "network": self.network.state_dict(),
            "architecture": self.network.architecture,
            "average": None if self.average is None else self.average.state_dict(),
        }

    def restore(self, progress: dict) -> None:
        """Go on where `capture` was called.

        Raises:
            SkelactError: The data is another than then.
        """
        if progress["fingerprint"] != self.fingerprint:
            raise SkelactError("the data, or its division, is another than when the run began; "
                               "resume with the same store, or begin anew with --overwrite")
        before = progress.get("processes", self.world.size)
        if before != self.world.size and self.world.is_main:
            logger.warning("the run began with %d processes and goes on with %d: results will "
                           "differ, by batch statistics on CPUs, else by rounding", before,
                           self.world.size)
        self.epoch, self.step = progress["epoch"], progress["step"]
        self.history = progress["history"]
        self.seconds, self.waited = progress.get("seconds", 0.0), progress.get("waited", 0.0)
        self.sums = self.no_sums()
        if self.world.is_main:
            self.sums += torch.tensor(progress["sums"], dtype=torch.float64)
        self.batches.load_state_dict(progress["batches"])
        self.optimizer.load_state_dict(progress["optimizer"])
        self.scaler.load_state_dict(progress["scaler"])
        self.network.load_state_dict(progress["network"])
        if self.average is not None:
            self.average.load_state_dict(progress["average"])


def read_progress(path: Path) -> dict | None:
    """What `TrainState.capture` gave, out of a checkpoint; None where there is no file.

    Raises:
        WeightsError: The file is damaged.
        SkelactError: It is no checkpoint of an unfinished run.
    """
    if not path.exists():
        return None
    content = read_torch_file(path)
    progress = content.get("progress") if isinstance(content, dict) else None
    if progress is None:
        raise SkelactError(f"{path} holds no state to resume from; begin anew with --overwrite")
    return progress


class Stopper:
    """Whether Ctrl-C, or a scheduler's request to end, came."""

    def __init__(self, world: World) -> None:
        self.world, self.asked = world, False

    def wanted(self) -> bool:
        """Whether to stop; every process gets the same answer."""
        if self.world.size == 1:
            return self.asked
        asked = torch.tensor(float(self.asked), device=self.world.device)
        return bool(sum_over(self.world, asked) > 0)


@contextmanager
def catch_stops(world: World) -> Iterator[Stopper]:
    """Hold back Ctrl-C (SIGINT) and SIGTERM until a step is done and saved; twice ends at once."""
    stopper = Stopper(world)

    def ask(number: int, frame) -> None:
        if stopper.asked:
            raise KeyboardInterrupt
        stopper.asked = True

    try:
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread: nobody sends signals there
        before = {}
    try:
        yield stopper
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _weights_of_classes(
    config: TrainConfig, data: TrainingData, world: World
) -> Tensor | None:
    if config.optim.class_weights == "none":
        return None
    labels = torch.from_numpy(data.arrays.labels[data.train])
    return class_weights(labels, len(data.classes)).to(world.device)

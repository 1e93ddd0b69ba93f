"""One training run in several processes, as torchrun starts them.

    torchrun --nproc-per-node 2 -m skelact train ntu60

Every process holds the whole network and takes its share of every batch (`Loader`'s ``rank`` and
``world_size``); gradients are averaged, so that all take the same step. Without torchrun a run is
a world of one process, and nothing here does anything.
"""

import contextlib
import functools
import itertools
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from skelact.checks import check_choice
from skelact.device import choose_device
from skelact.errors import ChoiceError, SkelactError, one_line
from skelact.training.peers import explain_loss, introduce, is_about_contact

_RUNS = itertools.count()


@dataclass(frozen=True, eq=False)
class World:
    """The processes of a run, and which of them this is.

    Args:
        rank: From 0; 0 logs and writes.
        size: How many there are.
        local_rank: Which of those on this machine.
        device: Where this process computes.
        store: What the processes tell each other beside gradients; None in a world of one.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    store: dist.Store | None = field(default=None, repr=False)

    @property
    def is_main(self) -> bool:
        """Whether this is the process that logs and writes."""
        return self.rank == 0


def join(device: str = "auto", timeout: timedelta = timedelta(minutes=10)) -> World:
    """Meet the other processes that torchrun started; without torchrun, a world of one.

    Args:
        device: ``cpu`` (over gloo), ``cuda`` (over nccl, a GPU for each process of a machine), or
            ``auto``. In a world of one also ``cuda:1`` and the like.
        timeout: Longest wait for another process, here and in every later step.

    Raises:
        SkelactError: The environment is not as torchrun makes it, or the others do not come.
        ChoiceError: This machine has no such device, or too few GPUs.
    """
    size = _environment("WORLD_SIZE") if "WORLD_SIZE" in os.environ else 1
    if size == 1:
        return World(device=choose_device(device))
    rank, local_rank = _environment("RANK"), _environment("LOCAL_RANK")
    target = _own_device(device, local_rank)
    try:
        # what an earlier run in these processes left in the store is none of this one's
        store = dist.PrefixStore(f"skelact/run/{next(_RUNS)}", _meet(rank, size, timeout))
        dist.init_process_group(
            "gloo" if target.type == "cpu" else "nccl", rank=rank, world_size=size,
            store=dist.PrefixStore("groups", store), timeout=timeout,
            device_id=None if target.type == "cpu" else target,
        )
    except (RuntimeError, ValueError) as error:
        raise SkelactError(f"expected {size} processes to meet, as torchrun starts them; process "
                           f"{rank} met not all of them ({one_line(error)})") from error
    introduce(store, rank)
    return World(rank, size, local_rank, target, store)


@functools.cache
def _meet(rank: int, size: int, timeout: timedelta) -> dist.Store:
    """The store at which the processes meet; one for all runs in these processes.

    Were it made anew for each, a process could go to the one before, which another still closes,
    and wait there for ever.
    """
    return next(dist.rendezvous("env://", rank, size, timeout=timeout))[0]


def leave(world: World) -> None:
    """End what `join` began, together: nobody closes a connection that another still makes."""
    if world.size > 1:
        barrier(world)
        dist.destroy_process_group()


@contextlib.contextmanager
def joined(device: str = "auto", timeout: timedelta = timedelta(minutes=10)) -> Iterator[World]:
    """`join` and `leave`; where another process is lost, an error that names it.

    Raises:
        SkelactError: Another process died or hangs; the message says which.
    """
    world = join(device, timeout)
    try:
        yield world
    except RuntimeError as error:
        if world.size == 1 or not is_about_contact(error):
            raise
        raise SkelactError(explain_loss(world.store, world.rank, world.size, error)) from error
    leave(world)  # after an error the end of the process does it, without waiting for anybody


def is_main_process() -> bool:
    """Whether this is the process that prints, also before `join` and after `leave`."""
    return os.environ.get("RANK", "0") == "0"


def wrap(network: nn.Module, world: World) -> nn.Module:
    """The network for training steps: its gradients are those of all processes together.

    Parameters that are not to learn are frozen before. ``network`` itself stays what is saved and
    evaluated. Batch statistics:

    - On CUDA they are those of the whole batch (SyncBatchNorm), every process weighing by its
      values: persons are packed, and no two processes have as many.
    - On the CPU, where torch has no such exchange, every process normalises by its own share,
      and rank 0's running statistics, of its share of the clips, are everybody's. Results are
      not those of one process, unless batch normalisation is frozen.

    Args:
        network: On ``world.device``, the same architecture in every process; rank 0's weights
            and buffers are copied to all.
        world: From `join`.

    Returns:
        The network itself in a world of one.
    """
    if world.size == 1:
        return network
    on_cuda = world.device.type == "cuda"
    if on_cuda:
        synchronise_norms(network)
    # of gradients in channels-last memory, which it copies: nothing that a user can change
    warnings.filterwarnings("ignore", message="Grad strides do not match bucket view")
    return DistributedDataParallel(network, device_ids=[world.device.index] if on_cuda else None,
                                   gradient_as_bucket_view=True)


def synchronise_norms(network: nn.Module) -> None:
    """Let every batch normalisation of a network take the statistics of all processes.

    A norm stays what it is, with the axes that it permutes: only what it calls in the end is
    torch's SyncBatchNorm instead of its BatchNorm. (torch's own conversion would replace the
    whole norm, and with it the permutation.)
    """
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.__class__ = _synchronised(type(module))
            module.process_group = None


@functools.cache
def _synchronised(kind: type) -> type:
    """The same norm, with SyncBatchNorm after it in the order in which methods are looked up."""
    if issubclass(kind, nn.SyncBatchNorm):
        return kind
    return type(f"Sync{kind.__name__}", (kind, _SyncNorm), {"__module__": __name__})


class _SyncNorm(nn.SyncBatchNorm):
    """torch's, where a process that has nobody to show sends statistics of the others' type."""

    def forward(self, features: Tensor) -> Tensor:
        if features.numel():
            return super().forward(features)
        # torch takes the type of the input for those of nobody, and float32 for all others
        return super().forward(features.float()).to(features.dtype)


def sum_over(world: World, values: Tensor) -> Tensor:
    """The sum over all processes of tensors of one shape, in every process."""
    if world.size == 1:
        return values
    total = values.detach().to(world.device, copy=True)
    dist.all_reduce(total)
    return total.to(values.device)


def gather_rows(world: World, values: np.ndarray) -> np.ndarray:
    """Put together what every process found for its own share of rows, in every process.

    Args:
        world: From `join`.
        values: ``[R', ...]`` for the rows ``rank, rank + size, rank + 2 * size, ...`` of all R;
            the other axes and the type are the same in every process, R' may be 0.

    Returns:
        ``[R, ...]`` in the order of the rows.
    """
    if world.size == 1:
        return values
    count = int(sum_over(world, torch.tensor(len(values))))
    padded = np.zeros((-(-count // world.size), *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    own = torch.from_numpy(padded).to(world.device)
    parts = [torch.empty_like(own) for _ in range(world.size)]
    dist.all_gather(parts, own)
    return torch.stack(parts, dim=1).flatten(0, 1)[:count].cpu().numpy()


def copy_from_main(world: World, network: nn.Module) -> None:
    """Give every process rank 0's weights and buffers, such as before each scores its share.

    Weights are the same everywhere as it is; running statistics on the CPU, and averages of
    them, are not.
    """
    if world.size > 1:
        for value in network.state_dict().values():
            dist.broadcast(value, 0)


def barrier(world: World) -> None:
    """Wait for all processes, such as for a file that rank 0 writes."""
    sum_over(world, torch.zeros(1))


def from_main(world: World, name: str, value: str) -> str:
    """Rank 0's value in every process, such as a choice that was made by measuring.

    Args:
        world: From `join`.
        name: Of the value, once a run.
        value: What this process would take.
    """
    if world.size == 1:
        return value
    if world.is_main:
        world.store.set(f"main/{name}", value)
    return world.store.get(f"main/{name}").decode()


def check_same(world: World, name: str, value: str) -> None:
    """Refuse to go on where processes see different things, such as files of two machines.

    Args:
        world: From `join`.
        name: What the value is, once a run.
        value: As this process sees it.

    Raises:
        SkelactError: Rank 0 sees another; the message has both.
    """
    expected = from_main(world, name, value)
    if value != expected:
        raise SkelactError(f"expected all processes to agree on {name}, got {expected!r} in "
                           f"process 0 and {value!r} in process {world.rank}; all machines need "
                           "the same data and run folder, such as on a shared file system")


def _environment(name: str) -> int:
    value = os.environ.get(name, "")
    if not value.isdecimal():
        raise SkelactError(f"expected a number in {name}, as torchrun sets it, got {value!r}; "
                           "start with torchrun --nproc-per-node N -m skelact train ..., or unset "
                           "WORLD_SIZE for one process")
    return int(value)


def _own_device(name: str, local_rank: int) -> torch.device:
    check_choice(name, ("auto", "cpu", "cuda"), "device of several processes")
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if local_rank >= torch.cuda.device_count():
        raise ChoiceError(f"expected a GPU for each process of this machine, got "
                          f"{torch.cuda.device_count()} GPUs; lower --nproc-per-node, or pass "
                          "--device cpu")
    target = choose_device(f"cuda:{local_rank}")
    torch.cuda.set_device(target)
    return target

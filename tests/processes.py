"""Programs in several processes on this machine, started plainly or by torchrun."""

import contextlib
import itertools
import os
import socket
import subprocess
import sys

PROGRAM = """
from datetime import timedelta
from skelact.training.distributed import joined
with joined("cpu", timedelta(minutes=2)):
    pass  # a run before: what it left behind is nothing to the next
with joined("cpu", timedelta(minutes=2)) as world:
"""


_PORTS = itertools.count(os.getpid())
"""Each is tried once, from another one on in every run."""


def run_processes(program: str, size: int = 2, timeout: float = 300) -> list[str]:
    """What each process prints; the program is what stands within ``with joined(...) as
    world``.

    Raises:
        AssertionError: A process failed.
    """
    body = "".join(f"    {line}\n" for line in program.strip().splitlines())
    shared = os.environ | {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1",
                           "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen([sys.executable, "-c", PROGRAM + body], text=True,
                         env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for rank in range(size)
    ]
    try:
        done = [process.communicate(timeout=timeout) for process in started]
    finally:
        for process in started:
            process.kill()
    for process, (_, error) in zip(started, done, strict=True):
        assert process.returncode == 0, error
    return [output for output, _ in done]


def start_torchrun(*words: str, size: int = 2) -> subprocess.Popen:
    """``torchrun --nproc-per-node SIZE WORDS``."""
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(size),
         "--master-addr", "127.0.0.1", "--master-port", str(free_port()), *words],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)


def free_port() -> int:
    """A port that nobody listens at, nor will: below those that systems give to connections.

    Tests that run side by side look in ranges of their own.
    """
    first = 20_000 + 1000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    while True:
        port = first + next(_PORTS) % 1000
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
